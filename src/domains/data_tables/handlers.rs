//! HTTP of data tables: route, permission and OpenAPI of each operation in one declaration.

use actix_web::web::{Data, Path, Query};
use actix_web::{delete, get, patch, post};
use millrace_model::Value;

use super::dto::{
    ChangeRows, CreateDataTable, DataTableResponse, DeleteRowsQuery, InsertRows, ListDataTablesQuery, ListRowsQuery,
    RenameDataTable,
};
use super::service::Service;
use crate::common::permission::grants::{DataTablesRead, DataTablesWrite};
use crate::common::{DataTableId, Page, Problem};
use crate::infrastructure::web::{BadBody, Can, Conflict, Created, Guarded, Json, NoContent, NotFound};

type Answer<T> = Result<T, Problem>;

/// List data tables
///
/// Newest first, with their columns and without their rows.
#[utoipa::path(
    tag = "data tables",
    params(ListDataTablesQuery),
    responses(
        (status = 200, description = "A page of tables.", body = Page<DataTableResponse>), Guarded<DataTablesRead>
    )
)]
#[get("/data-tables")]
pub(super) async fn list_data_tables(
    ctx: Can<DataTablesRead>,
    query: Query<ListDataTablesQuery>,
    tables: Data<Service>,
) -> Answer<Json<Page<DataTableResponse>>> {
    Ok(Json(tables.list(&ctx, &query).await?))
}

/// Create a data table
///
/// Its columns stay as they are given. Every table has the columns `id`, `createdAt` and `updatedAt`, too.
#[utoipa::path(
    tag = "data tables",
    request_body = CreateDataTable,
    responses(
        (status = 201, description = "The new table.", body = DataTableResponse),
        Guarded<DataTablesWrite>, BadBody, Conflict
    )
)]
#[post("/data-tables")]
pub(super) async fn create_data_table(
    ctx: Can<DataTablesWrite>,
    body: Json<CreateDataTable>,
    tables: Data<Service>,
) -> Answer<Created<DataTableResponse>> {
    Ok(Created(tables.create(&ctx, body.into_inner()).await?))
}

/// Get a data table
///
/// With its columns and without its rows.
#[utoipa::path(
    tag = "data tables",
    params(("id" = DataTableId, Path, description = "Id of the table.")),
    responses((status = 200, description = "The table.", body = DataTableResponse), Guarded<DataTablesRead>, NotFound)
)]
#[get("/data-tables/{id}")]
pub(super) async fn get_data_table(
    ctx: Can<DataTablesRead>,
    id: Path<DataTableId>,
    tables: Data<Service>,
) -> Answer<Json<DataTableResponse>> {
    Ok(Json(tables.get(&ctx, *id).await?))
}

/// Rename a data table
///
/// Nodes that name it by its id go on finding it; those that name it by its name do not.
#[utoipa::path(
    tag = "data tables",
    params(("id" = DataTableId, Path, description = "Id of the table.")),
    request_body = RenameDataTable,
    responses(
        (status = 200, description = "The table as it is now.", body = DataTableResponse),
        Guarded<DataTablesWrite>, BadBody, NotFound, Conflict
    )
)]
#[patch("/data-tables/{id}")]
pub(super) async fn rename_data_table(
    ctx: Can<DataTablesWrite>,
    id: Path<DataTableId>,
    body: Json<RenameDataTable>,
    tables: Data<Service>,
) -> Answer<Json<DataTableResponse>> {
    Ok(Json(tables.rename(&ctx, *id, body.into_inner()).await?))
}

/// Delete a data table
///
/// With all its rows.
#[utoipa::path(
    tag = "data tables",
    params(("id" = DataTableId, Path, description = "Id of the table.")),
    responses((status = 204, description = "It is gone."), Guarded<DataTablesWrite>, NotFound)
)]
#[delete("/data-tables/{id}")]
pub(super) async fn delete_data_table(
    ctx: Can<DataTablesWrite>,
    id: Path<DataTableId>,
    tables: Data<Service>,
) -> Answer<NoContent> {
    tables.delete(&ctx, *id).await?;
    Ok(NoContent)
}

/// List rows of a data table
///
/// In the order of their ids: those that fit the filter, where there is one.
#[utoipa::path(
    tag = "data tables",
    params(("id" = DataTableId, Path, description = "Id of the table."), ListRowsQuery),
    responses(
        (status = 200, description = "A page of rows.", body = Page<Object>, example = json!({ "data": [{ "email": "ann@example.com", "id": 1, "createdAt": "2025-01-31T08:00:00.000Z", "updatedAt": "2025-01-31T08:00:00.000Z" }], "nextCursor": null })), Guarded<DataTablesRead>, BadBody, NotFound)
)]
#[get("/data-tables/{id}/rows")]
pub(super) async fn list_data_table_rows(
    ctx: Can<DataTablesRead>,
    id: Path<DataTableId>,
    query: Query<ListRowsQuery>,
    tables: Data<Service>,
) -> Answer<Json<Page<Value>>> {
    Ok(Json(tables.list_rows(&ctx, *id, &query).await?))
}

/// Insert rows into a data table
///
/// All of them, or none where one does not fit its columns. `returnType` says what is answered: their number, their ids, or
/// the rows.
#[utoipa::path(
    tag = "data tables",
    params(("id" = DataTableId, Path, description = "Id of the table.")),
    request_body = InsertRows,
    responses(
        (status = 200, description = "Number, ids or rows.", body = serde_json::Value, example = json!({ "count": 1 })),
        Guarded<DataTablesWrite>, BadBody, NotFound, Conflict
    )
)]
#[post("/data-tables/{id}/rows")]
pub(super) async fn insert_data_table_rows(
    ctx: Can<DataTablesWrite>,
    id: Path<DataTableId>,
    body: Json<InsertRows>,
    tables: Data<Service>,
) -> Answer<Json<Value>> {
    Ok(Json(tables.insert(&ctx, *id, &body.0).await?))
}

/// Update rows of a data table
///
/// Gives the rows that the filter means new values in the columns given.
#[utoipa::path(
    tag = "data tables",
    params(("id" = DataTableId, Path, description = "Id of the table.")),
    request_body = ChangeRows,
    responses(
        (status = 200, description = "true, or the rows.", body = serde_json::Value, example = json!(true)),
        Guarded<DataTablesWrite>, BadBody, NotFound, Conflict
    )
)]
#[patch("/data-tables/{id}/rows/update")]
pub(super) async fn update_data_table_rows(
    ctx: Can<DataTablesWrite>,
    id: Path<DataTableId>,
    body: Json<ChangeRows>,
    tables: Data<Service>,
) -> Answer<Json<Value>> {
    Ok(Json(tables.change(&ctx, *id, &body.0, false).await?))
}

/// Update rows of a data table, or insert one
///
/// Gives the rows that the filter means new values; where it means none, makes one of the values.
#[utoipa::path(
    tag = "data tables",
    params(("id" = DataTableId, Path, description = "Id of the table.")),
    request_body = ChangeRows,
    responses(
        (status = 200, description = "true, or the rows.", body = serde_json::Value, example = json!(true)),
        Guarded<DataTablesWrite>, BadBody, NotFound, Conflict
    )
)]
#[post("/data-tables/{id}/rows/upsert")]
pub(super) async fn upsert_data_table_row(
    ctx: Can<DataTablesWrite>,
    id: Path<DataTableId>,
    body: Json<ChangeRows>,
    tables: Data<Service>,
) -> Answer<Json<Value>> {
    Ok(Json(tables.change(&ctx, *id, &body.0, true).await?))
}

/// Delete rows of a data table
///
/// Those that the filter means; it must have a condition.
#[utoipa::path(
    tag = "data tables",
    params(("id" = DataTableId, Path, description = "Id of the table."), DeleteRowsQuery),
    responses(
        (status = 200, description = "true, or the rows.", body = serde_json::Value, example = json!(true)),
        Guarded<DataTablesWrite>, BadBody, NotFound, Conflict
    )
)]
#[delete("/data-tables/{id}/rows/delete")]
pub(super) async fn delete_data_table_rows(
    ctx: Can<DataTablesWrite>,
    id: Path<DataTableId>,
    query: Query<DeleteRowsQuery>,
    tables: Data<Service>,
) -> Answer<Json<Value>> {
    Ok(Json(tables.remove(&ctx, *id, &query).await?))
}
