//! Rows over the API: checked, audited by their number, answered as the caller asks.

use millrace_model::{Object, Value};
use serde_json::json;
use uuid::Uuid;

use super::dto::{ChangeRows, DeleteRowsQuery, InsertRows, ListRowsQuery, Returned};
use super::error::Error;
use super::filter::Filter;
use super::rows::Wanted;
use super::service::Service;
use crate::common::{Ctx, DataTableId, Page};
use crate::domains::audit::Change;

impl Service {
    pub async fn list_rows(&self, ctx: &Ctx, id: DataTableId, query: &ListRowsQuery) -> Result<Page<Value>, Error> {
        let table = self.table(ctx.tenant, id).await?;
        let limit = query.limit.unwrap_or_default().get();
        let wanted = Wanted {
            filter: query.filter.as_deref().map(read).transpose()?.unwrap_or_default(),
            after: query.cursor.and_then(|cursor| i64::try_from(cursor.id().as_u128()).ok()),
            limit: Some(limit + 1),
            order: None,
        };
        let found = self.select(ctx.tenant, &table, &wanted).await?;
        Ok(Page::from_rows(found, limit, |row| Uuid::from_u128(number(row)), Value::Object))
    }

    pub async fn insert(&self, ctx: &Ctx, id: DataTableId, new: &InsertRows) -> Result<Value, Error> {
        let transaction = self.database.begin(ctx).await?;
        let rows = self.insert_rows(&transaction, ctx.tenant, id, &new.data, "/data").await?;
        let change = Change::new("dataTable.insertRows", id).after(&json!({ "count": rows.len() }));
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        Ok(match new.return_type {
            Returned::Count => Object::from([("count", Value::from(rows.len()))]).into(),
            Returned::Ids => Value::array(rows.iter().map(|row| row.get("id").cloned().unwrap_or_default())),
            Returned::All => Value::array(rows.into_iter().map(Value::Object)),
        })
    }

    /// `adds`: where no row is meant, one is made.
    pub async fn change(&self, ctx: &Ctx, id: DataTableId, wanted: &ChangeRows, adds: bool) -> Result<Value, Error> {
        let transaction = self.database.begin(ctx).await?;
        let changed = self.change_rows(&transaction, ctx.tenant, id, &wanted.filter, &wanted.data, adds).await?;
        if wanted.dry_run {
            transaction.rollback().await?;
            return Ok(answer(true, changed.after));
        }
        let action = if adds { "dataTable.upsertRow" } else { "dataTable.updateRows" };
        let change = Change::new(action, id).after(&json!({ "count": changed.after.len() }));
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        Ok(answer(wanted.return_data, changed.after))
    }

    pub async fn remove(&self, ctx: &Ctx, id: DataTableId, query: &DeleteRowsQuery) -> Result<Value, Error> {
        let filter = query.filter.as_deref().map(read).transpose()?.unwrap_or_default();
        let transaction = self.database.begin(ctx).await?;
        let rows = self.remove_rows(&transaction, ctx.tenant, id, &filter).await?;
        if query.dry_run {
            transaction.rollback().await?;
            return Ok(answer(true, rows));
        }
        let change = Change::new("dataTable.deleteRows", id).after(&json!({ "count": rows.len() }));
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        Ok(answer(query.return_data, rows))
    }
}

fn answer(with_rows: bool, rows: Vec<Object>) -> Value {
    if with_rows { Value::array(rows.into_iter().map(Value::Object)) } else { true.into() }
}

/// A filter of a query.
fn read(text: &str) -> Result<Filter, Error> {
    serde_json::from_str(text).map_err(|error| Error::invalid("?filter", "invalid_value", error.to_string()))
}

fn number(row: &Object) -> u128 {
    let id = row.get("id").and_then(Value::as_f64).and_then(millrace_model::to_index).unwrap_or_default();
    u128::try_from(id).unwrap_or_default()
}
