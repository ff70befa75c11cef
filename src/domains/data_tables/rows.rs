//! Rows: read, add, change, delete. Whoever changes rows holds the table meanwhile.

use millrace_model::{Object, Value};

use super::error::Error;
use super::filter::{Filter, Place};
use super::model::{Column, check_values};
use super::repository::{self as tables, Row, Selection, Table};
use super::service::Service;
use crate::common::{DataTableId, TenantId};
use crate::infrastructure::database::Transaction;

/// Rows of a table.
const MAX_ROWS: i64 = 1_000_000;
/// Rows that one change may touch.
const MAX_CHANGED: u64 = 100_000;

/// What is read of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub filter: Filter,
    /// Column, and whether the greatest comes first.
    pub order: Option<(String, bool)>,
    pub after: Option<i64>,
    pub limit: Option<u64>,
}

/// Rows that a change touched.
#[derive(Clone, Debug, Default)]
pub(super) struct Changed {
    pub before: Vec<Object>,
    pub after: Vec<Object>,
}

impl Service {
    /// Rows as callers see them.
    pub(super) async fn select(&self, tenant: TenantId, table: &Table, wanted: &Wanted) -> Result<Vec<Object>, Error> {
        let columns = columns(table)?;
        let order = match &wanted.order {
            None => None,
            Some((name, descending)) => {
                let place = Place::of(&columns, name).ok_or_else(|| {
                    Error::invalid("/orderBy", "unknown_column", format!("unknown column name '{name}'"))
                })?;
                Some((place, *descending))
            }
        };
        let filter = Some(wanted.filter.check(&columns, "/filter")?);
        let selection = Selection { filter, order, after: wanted.after, limit: wanted.limit };
        let found = tables::rows(&self.database.read(tenant), tenant, table.id, &selection).await?;
        found.iter().map(|row| shown(&columns, row)).collect()
    }

    /// `at`: where the rows stand in the body.
    pub(super) async fn insert_rows(
        &self,
        transaction: &Transaction,
        tenant: TenantId,
        id: DataTableId,
        given: &[Object],
        at: &str,
    ) -> Result<Vec<Object>, Error> {
        let mut table = tables::lock(transaction, tenant, id).await?.ok_or(Error::NotFound)?;
        let columns = columns(&table)?;
        let values = given.iter().enumerate();
        let values = values.map(|(number, row)| check_values(&columns, row, &format!("{at}/{number}")));
        let rows = self.added(&mut table, values.collect::<Result<_, _>>()?)?;
        tables::put_rows(transaction, &rows).await?;
        tables::update(transaction, table).await?;
        rows.iter().map(|row| shown(&columns, row)).collect()
    }

    /// Changes the rows that are meant. `adds`: where none is, one is made.
    pub(super) async fn change_rows(
        &self,
        transaction: &Transaction,
        tenant: TenantId,
        id: DataTableId,
        filter: &Filter,
        data: &Object,
        adds: bool,
    ) -> Result<Changed, Error> {
        let mut table = tables::lock(transaction, tenant, id).await?.ok_or(Error::NotFound)?;
        let columns = columns(&table)?;
        let changes = check_values(&columns, data, "/data")?;
        if changes.is_empty() {
            return Err(Error::invalid("/data", "missing", "no column is given a value"));
        }
        let mut rows = self.meant(transaction, &table, &columns, filter).await?;
        let before = rows.iter().map(|row| shown(&columns, row)).collect::<Result<_, _>>()?;
        if rows.is_empty() && adds {
            rows = self.added(&mut table, vec![changes])?;
        } else {
            for row in &mut rows {
                let mut values = values(row)?;
                for (name, value) in changes.iter() {
                    values.insert(name.clone(), value.clone());
                }
                row.data = Value::Object(values).to_json();
                row.updated_at = self.clock.now();
            }
            table.updated_at = self.clock.now();
        }
        tables::put_rows(transaction, &rows).await?;
        tables::update(transaction, table).await?;
        Ok(Changed { before, after: rows.iter().map(|row| shown(&columns, row)).collect::<Result<_, _>>()? })
    }

    /// Deletes the rows that are meant, and gives them.
    pub(super) async fn remove_rows(
        &self,
        transaction: &Transaction,
        tenant: TenantId,
        id: DataTableId,
        filter: &Filter,
    ) -> Result<Vec<Object>, Error> {
        let mut table = tables::lock(transaction, tenant, id).await?.ok_or(Error::NotFound)?;
        let columns = columns(&table)?;
        let rows = self.meant(transaction, &table, &columns, filter).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        tables::delete_rows(transaction, tenant, id, &ids).await?;
        table.row_count -= i64::try_from(ids.len()).unwrap_or_default();
        table.updated_at = self.clock.now();
        tables::update(transaction, table).await?;
        rows.iter().map(|row| shown(&columns, row)).collect()
    }

    /// Rows that a change is about. Without a condition it would be about all of them: that is not asked for by mistake.
    async fn meant(
        &self,
        transaction: &Transaction,
        table: &Table,
        columns: &[Column],
        filter: &Filter,
    ) -> Result<Vec<Row>, Error> {
        if filter.filters.is_empty() {
            return Err(Error::invalid("/filter/filters", "missing", "At least one condition is required"));
        }
        let filter = Some(filter.check(columns, "/filter")?);
        let selection = Selection { filter, limit: Some(MAX_CHANGED + 1), ..Selection::default() };
        let rows = tables::rows(transaction, table.tenant_id, table.id, &selection).await?;
        if u64::try_from(rows.len()).unwrap_or(u64::MAX) > MAX_CHANGED {
            return Err(Error::Full("100,000 rows can be changed at a time"));
        }
        Ok(rows)
    }

    /// New rows, numbered on.
    fn added(&self, table: &mut Table, values: Vec<Object>) -> Result<Vec<Row>, Error> {
        let now = self.clock.now();
        let count = i64::try_from(values.len()).unwrap_or(i64::MAX);
        if table.row_count.saturating_add(count) > MAX_ROWS {
            return Err(Error::Full("1,000,000 rows are allowed in a data table"));
        }
        let rows = (table.last_row + 1..).zip(values).map(|(id, values)| Row {
            table_id: table.id,
            id,
            tenant_id: table.tenant_id,
            data: Value::Object(values).to_json(),
            created_at: now,
            updated_at: now,
        });
        let rows = rows.collect();
        table.last_row += count;
        table.row_count += count;
        table.updated_at = now;
        Ok(rows)
    }
}

pub(super) fn columns(table: &Table) -> Result<Vec<Column>, Error> {
    Ok(serde_json::from_str(&table.columns)?)
}

fn values(row: &Row) -> Result<Object, Error> {
    Ok(serde_json::from_str::<Value>(&row.data)?.as_object().cloned().unwrap_or_default())
}

/// A row with all its columns, and those that every table has.
fn shown(columns: &[Column], row: &Row) -> Result<Object, Error> {
    let values = values(row)?;
    let mut shown = Object::with_capacity(columns.len() + 3);
    for column in columns {
        shown.insert(column.name.as_str(), values.get(&column.name).cloned().unwrap_or(Value::Null));
    }
    shown.insert("id", row.id);
    shown.insert("createdAt", row.created_at.to_string());
    shown.insert("updatedAt", row.updated_at.to_string());
    Ok(shown)
}
