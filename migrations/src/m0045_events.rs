//! What happened in tenants that somebody listens to, in an order that never changes once it can be seen; and who listens.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string, uuid};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        // SQLite has one writer, so numbers are given in the order of commits. PostgreSQL gives them earlier: there rows
        // are read in the order of their transactions, and not before every older transaction has ended.
        let (number, transaction) = match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => (
                "number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                "BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)",
            ),
            _ => ("number INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT NOT NULL DEFAULT 0"),
        };
        let uuid_type =
            if manager.get_database_backend() == sea_orm::DbBackend::Postgres { "UUID" } else { "uuid_text" };
        for sql in [
            format!(
                "CREATE TABLE events ({number}, xact {transaction}, tenant_id {uuid_type} NOT NULL, \
                 kind VARCHAR NOT NULL, at BIGINT NOT NULL, data TEXT NOT NULL)"
            ),
            "CREATE INDEX events_tenant ON events (tenant_id, xact, number)".to_owned(),
            "CREATE INDEX events_at ON events (at)".to_owned(),
        ] {
            connection.execute_unprepared(&sql).await?;
        }
        let listeners = Table::create()
            .table(EventListeners::Table)
            .col(uuid(EventListeners::TenantId))
            .col(string(EventListeners::Name))
            .col(big_integer(EventListeners::Until))
            .primary_key(Index::create().col(EventListeners::TenantId).col(EventListeners::Name))
            .to_owned();
        manager.create_table(listeners).await?;
        for table in ["events", "event_listeners"] {
            isolate(manager, table, "tenant_id").await?;
        }
        Ok(())
    }
}

#[derive(DeriveIden)]
enum EventListeners {
    Table,
    TenantId,
    Name,
    Until,
}
