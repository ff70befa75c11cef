//! What the API takes and shows of data tables. The shapes are those of n8n's public API.

use millrace_model::Object;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::error::Error;
use super::filter::Filter;
use super::model::{Column, ColumnType};
use super::repository::Table;
use super::rows;
use crate::common::names::names;
use crate::common::page::Limit;
use crate::common::{Cursor, DataTableId, TenantId, Timestamp};

/// Rows of one request.
const MAX_GIVEN: u64 = 10_000;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListDataTablesQuery {
    /// Tables per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListRowsQuery {
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
    /// A filter as JSON: `{"type": "and", "filters": [{"columnName": "status", "condition": "eq", "value": "new"}]}`.
    #[param(example = "{\"filters\":[]}")]
    pub filter: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct DeleteRowsQuery {
    /// Which rows, as JSON; at least one condition.
    #[param(example = "{\"filters\":[{\"columnName\":\"id\",\"condition\":\"eq\",\"value\":1}]}")]
    pub filter: Option<String>,
    /// Answer with the rows.
    #[serde(default)]
    pub return_data: bool,
    /// Delete nothing, answer with what would be deleted.
    #[serde(default)]
    pub dry_run: bool,
}

/// A new table.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "customers", "columns": [{ "name": "email", "type": "string" }] }))]
pub struct CreateDataTable {
    pub name: String,
    pub columns: Vec<Column>,
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "clients" }))]
pub struct RenameDataTable {
    pub name: String,
}

/// A table without its rows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "customers",
    "columns": [{ "id": "email", "name": "email", "type": "string", "index": 0 }],
    "projectId": "01890a5d-ac96-774b-bcce-b302099a8058",
    "createdAt": "2025-01-31T08:00:00.000Z", "updatedAt": "2025-01-31T08:00:00.000Z"
}))]
pub struct DataTableResponse {
    pub id: DataTableId,
    pub name: String,
    pub columns: Vec<ColumnResponse>,
    /// The tenant, where n8n has a project.
    pub project_id: TenantId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnResponse {
    /// Its name.
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Its place.
    pub index: usize,
}

names! {
    /// What is answered to new rows.
    Returned {
        Count = "count",
        Ids = "id",
        All = "all",
    }
}

const fn count() -> Returned {
    Returned::Count
}

/// New rows. What is left out of a row is null.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "data": [{ "email": "ann@example.com" }], "returnType": "all" }))]
pub struct InsertRows {
    #[validate(length(min = 1, max = MAX_GIVEN))]
    #[schema(value_type = Vec<Object>)]
    pub data: Vec<Object>,
    #[serde(default = "count")]
    pub return_type: Returned,
}

/// Changes of the rows that a filter means; at least one condition.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "filter": { "type": "and", "filters": [{ "columnName": "email", "condition": "eq", "value": "ann@example.com" }] },
    "data": { "email": "ann@example.org" }, "returnData": true
}))]
pub struct ChangeRows {
    pub filter: Filter,
    #[schema(value_type = Object)]
    pub data: Object,
    /// Answer with the rows.
    #[serde(default)]
    pub return_data: bool,
    /// Change nothing, answer with the rows as they would be.
    #[serde(default)]
    pub dry_run: bool,
}

impl DataTableResponse {
    pub(super) fn from_row(table: Table) -> Result<DataTableResponse, Error> {
        let columns = rows::columns(&table)?.into_iter().enumerate();
        let column =
            |(index, Column { name, kind }): (usize, Column)| ColumnResponse { id: name.clone(), name, kind, index };
        Ok(DataTableResponse {
            columns: columns.map(column).collect(),
            id: table.id,
            name: table.name,
            project_id: table.tenant_id,
            created_at: table.created_at,
            updated_at: table.updated_at,
        })
    }
}
