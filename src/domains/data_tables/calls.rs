//! What nodes ask of data tables, in JSON: the tenant's own, by id or by name. Each call is one transaction.

use millrace_model::{Object, Value};
use serde::Deserialize;

use super::dto::DataTableResponse;
use super::error::Error;
use super::filter::Filter;
use super::model::Column;
use super::repository::{self as tables, Table};
use super::rows::{Changed, Wanted};
use super::service::Service;
use crate::common::{DataTableId, TenantId};

/// Tables listed at most: as many as a tenant may have.
const ALL: u64 = 1_000;

/// Arguments of all calls; each takes some of them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Arguments {
    table: Reference,
    filter: Filter,
    rows: Vec<Object>,
    data: Object,
    order_by: Option<String>,
    descending: bool,
    limit: Option<u64>,
    dry_run: bool,
    name: String,
    columns: Vec<Column>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reference {
    id: Option<String>,
    name: Option<String>,
}

impl Service {
    /// Does what a node asks for: `dataTable.<name>`.
    pub async fn call(&self, tenant: TenantId, name: &str, arguments: &Value) -> Result<Value, Error> {
        let arguments: Arguments = serde_json::from_value(arguments.into())
            .map_err(|error| Error::invalid("", "invalid_value", error.to_string()))?;
        match name {
            "listTables" => return self.all(tenant).await,
            "createTable" => {
                let transaction = self.database.begin(tenant).await?;
                let created = self.add(&transaction, tenant, &arguments.name, &arguments.columns).await?;
                transaction.commit().await?;
                return described(created);
            }
            _ => {}
        }
        let table = self.referenced(tenant, &arguments.table).await?;
        match name {
            "table" => described(table),
            "get" => {
                let Arguments { filter, limit, order_by, descending, .. } = arguments;
                let order = order_by.map(|column| (column, descending));
                Ok(list(self.select(tenant, &table, &Wanted { filter, order, limit, after: None }).await?))
            }
            "insert" => {
                let transaction = self.database.begin(tenant).await?;
                let rows = self.insert_rows(&transaction, tenant, table.id, &arguments.rows, "/rows").await?;
                transaction.commit().await?;
                Ok(list(rows))
            }
            "update" | "upsert" => {
                let Arguments { filter, data, .. } = &arguments;
                let transaction = self.database.begin(tenant).await?;
                let changed = self.change_rows(&transaction, tenant, table.id, filter, data, name == "upsert").await?;
                settle(transaction, arguments.dry_run).await?;
                Ok(both(changed))
            }
            "delete" => {
                let transaction = self.database.begin(tenant).await?;
                let before = self.remove_rows(&transaction, tenant, table.id, &arguments.filter).await?;
                settle(transaction, arguments.dry_run).await?;
                Ok(both(Changed { before, after: Vec::new() }))
            }
            "renameTable" => {
                let transaction = self.database.begin(tenant).await?;
                let (_, renamed) = self.set_name(&transaction, tenant, table.id, arguments.name).await?;
                transaction.commit().await?;
                described(renamed)
            }
            "deleteTable" => {
                let transaction = self.database.begin(tenant).await?;
                tables::delete(&transaction, tenant, table.id).await?;
                transaction.commit().await?;
                described(table)
            }
            other => Err(Error::UnknownCall(other.to_owned())),
        }
    }

    async fn all(&self, tenant: TenantId) -> Result<Value, Error> {
        let found = tables::list(&self.database.read(tenant), tenant, None, ALL).await?;
        Ok(Value::array(found.into_iter().map(described).collect::<Result<Vec<_>, _>>()?))
    }

    async fn referenced(&self, tenant: TenantId, reference: &Reference) -> Result<Table, Error> {
        let id: Option<DataTableId> = reference.id.as_deref().and_then(|id| id.parse().ok());
        match (id, &reference.name) {
            // An id of ours that is not here is gone, or another tenant's; a name must not lead elsewhere.
            (Some(id), _) => self.table(tenant, id).await,
            (None, Some(name)) => {
                let found = tables::find_by_name(&self.database.read(tenant), tenant, name).await?;
                found.ok_or_else(|| Error::NameNotFound(name.clone()))
            }
            (None, None) => Err(Error::NotFound),
        }
    }
}

async fn settle(transaction: crate::infrastructure::database::Transaction, dry_run: bool) -> Result<(), Error> {
    Ok(if dry_run { transaction.rollback().await } else { transaction.commit().await }?)
}

fn described(table: Table) -> Result<Value, Error> {
    Ok(serde_json::to_value(DataTableResponse::from_row(table)?)?.into())
}

fn list(rows: Vec<Object>) -> Value {
    Value::array(rows.into_iter().map(Value::Object))
}

fn both(changed: Changed) -> Value {
    Object::from([("before", list(changed.before)), ("after", list(changed.after))]).into()
}
