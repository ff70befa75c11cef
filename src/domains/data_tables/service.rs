//! Data tables as callers see them: make, list, rename, delete. What is done with their rows is in `rows`.

use std::sync::Arc;

use super::dto::{CreateDataTable, DataTableResponse, ListDataTablesQuery, RenameDataTable};
use super::error::Error;
use super::model::{Column, check_columns};
use super::repository::{self as tables, Table};
use crate::common::{Clock, Ctx, DataTableId, Page, TenantId};
use crate::domains::audit::{self, Change};
use crate::infrastructure::database::{Database, Transaction, is_unique_violation};

/// Tables of a tenant.
const MAX_TABLES: u64 = 1_000;
/// Longest name of a table.
const MAX_NAME: usize = 128;

/// The data tables of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: audit::Service,
}

impl Service {
    pub fn new(database: Database, clock: Arc<dyn Clock>, audit: audit::Service) -> Service {
        Service { database, clock, audit }
    }

    /// Newest first.
    pub async fn list(&self, ctx: &Ctx, query: &ListDataTablesQuery) -> Result<Page<DataTableResponse>, Error> {
        let limit = query.limit.unwrap_or_default().get();
        let before = query.cursor.map(|cursor| DataTableId::from_uuid(cursor.id()));
        let found = tables::list(&self.database.read(ctx), ctx.tenant, before, limit).await?;
        let page = Page::from_rows(found, limit, |table| table.id.as_uuid(), DataTableResponse::from_row);
        Ok(Page { data: page.data.into_iter().collect::<Result<_, _>>()?, next_cursor: page.next_cursor })
    }

    pub async fn get(&self, ctx: &Ctx, id: DataTableId) -> Result<DataTableResponse, Error> {
        DataTableResponse::from_row(self.table(ctx.tenant, id).await?)
    }

    pub async fn create(&self, ctx: &Ctx, new: CreateDataTable) -> Result<DataTableResponse, Error> {
        let transaction = self.database.begin(ctx).await?;
        let created = self.add(&transaction, ctx.tenant, &new.name, &new.columns).await?;
        let response = DataTableResponse::from_row(created)?;
        let change = Change::new("dataTable.create", response.id).after(&response);
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        Ok(response)
    }

    pub async fn rename(
        &self,
        ctx: &Ctx,
        id: DataTableId,
        change: RenameDataTable,
    ) -> Result<DataTableResponse, Error> {
        let transaction = self.database.begin(ctx).await?;
        let (before, after) = self.set_name(&transaction, ctx.tenant, id, change.name).await?;
        let (before, after) = (DataTableResponse::from_row(before)?, DataTableResponse::from_row(after)?);
        let change = Change::new("dataTable.rename", id).before(&before).after(&after);
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// With all its rows.
    pub async fn delete(&self, ctx: &Ctx, id: DataTableId) -> Result<(), Error> {
        let transaction = self.database.begin(ctx).await?;
        if !tables::delete(&transaction, ctx.tenant, id).await? {
            return Err(Error::NotFound);
        }
        self.audit.record(&transaction, ctx, Change::new("dataTable.delete", id)).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn table(&self, tenant: TenantId, id: DataTableId) -> Result<Table, Error> {
        tables::find(&self.database.read(tenant), tenant, id).await?.ok_or(Error::NotFound)
    }

    pub(super) async fn add(
        &self,
        transaction: &Transaction,
        tenant: TenantId,
        name: &str,
        columns: &[Column],
    ) -> Result<Table, Error> {
        let name = checked_name(name)?;
        check_columns(columns)?;
        if tables::count(transaction, tenant).await? >= MAX_TABLES {
            return Err(Error::Full("1,000 data tables are allowed"));
        }
        let now = self.clock.now();
        let table = Table {
            id: DataTableId::new(),
            tenant_id: tenant,
            name: name.to_owned(),
            columns: serde_json::to_string(columns)?,
            last_row: 0,
            row_count: 0,
            created_at: now,
            updated_at: now,
        };
        tables::insert(transaction, table.clone()).await.map_err(|error| taken(error, name))?;
        Ok(table)
    }

    /// The table as it was, and as it is now.
    pub(super) async fn set_name(
        &self,
        transaction: &Transaction,
        tenant: TenantId,
        id: DataTableId,
        name: String,
    ) -> Result<(Table, Table), Error> {
        checked_name(&name)?;
        let before = tables::lock(transaction, tenant, id).await?.ok_or(Error::NotFound)?;
        let after = Table { name: name.clone(), updated_at: self.clock.now(), ..before.clone() };
        tables::update(transaction, after.clone()).await.map_err(|error| taken(error, &name))?;
        Ok((before, after))
    }
}

fn taken(error: crate::infrastructure::database::Error, name: &str) -> Error {
    if is_unique_violation(&error) { Error::NameTaken(name.to_owned()) } else { error.into() }
}

fn checked_name(name: &str) -> Result<&str, Error> {
    let letters = name.chars().count();
    if name.trim().is_empty() || letters > MAX_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid("/name", "length", "must be between 1 and 128 characters long"));
    }
    Ok(name)
}
