//! Evidence for the audit log: signed checkpoints, and triggers that let nobody change or delete a row. Only rows that a
//! checkpoint marked as pruned covers may go: retention, and the end of a tenant.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, binary, pk_uuid, string, uuid};

use crate::isolation::isolate;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(AuditCheckpoints::Table)
                    .col(pk_uuid(AuditCheckpoints::Id))
                    .col(uuid(AuditCheckpoints::TenantId))
                    .col(big_integer(AuditCheckpoints::Sequence))
                    .col(binary(AuditCheckpoints::Mac))
                    .col(big_integer(AuditCheckpoints::CreatedAt))
                    .col(string(AuditCheckpoints::KeyId))
                    .col(binary(AuditCheckpoints::Signature))
                    .col(big_integer_null(AuditCheckpoints::PrunedAt))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("audit_checkpoints_sequence")
                    .table(AuditCheckpoints::Table)
                    .col(AuditCheckpoints::TenantId)
                    .col(AuditCheckpoints::Sequence)
                    .unique()
                    .to_owned(),
            )
            .await?;
        isolate(manager, "audit_checkpoints", "tenant_id").await?;
        let connection = manager.get_connection();
        connection
            .execute_unprepared("ALTER TABLE audit_heads ADD COLUMN checkpointed BIGINT NOT NULL DEFAULT 0")
            .await?;
        let triggers = match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => POSTGRES,
            _ => SQLITE,
        };
        for statement in triggers {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

const SQLITE: &[&str] = &[
    "CREATE TRIGGER audit_events_unchanged BEFORE UPDATE ON audit_events
     BEGIN SELECT RAISE(ABORT, 'audit rows cannot be changed'); END",
    "CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events
     WHEN NOT EXISTS (SELECT 1 FROM audit_checkpoints
         WHERE tenant_id = OLD.tenant_id AND sequence >= OLD.sequence AND pruned_at IS NOT NULL)
     BEGIN SELECT RAISE(ABORT, 'audit rows cannot be deleted'); END",
];

const POSTGRES: &[&str] = &[
    "CREATE FUNCTION audit_events_guard() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
         IF TG_OP = 'DELETE' THEN
             IF EXISTS (SELECT 1 FROM audit_checkpoints
                 WHERE tenant_id = OLD.tenant_id AND sequence >= OLD.sequence AND pruned_at IS NOT NULL) THEN
                 RETURN OLD;
             END IF;
             RAISE EXCEPTION 'audit rows cannot be deleted';
         END IF;
         RAISE EXCEPTION 'audit rows cannot be changed';
     END $$",
    "CREATE TRIGGER audit_events_guard BEFORE UPDATE OR DELETE ON audit_events
     FOR EACH ROW EXECUTE FUNCTION audit_events_guard()",
    "CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
     FOR EACH STATEMENT EXECUTE FUNCTION audit_events_guard()",
];

#[derive(DeriveIden)]
enum AuditCheckpoints {
    Table,
    Id,
    TenantId,
    Sequence,
    Mac,
    CreatedAt,
    KeyId,
    Signature,
    PrunedAt,
}
