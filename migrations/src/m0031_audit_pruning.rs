//! Pruning of the audit log is signed like a checkpoint, and what proves the log is guarded like the log: a checkpoint stays
//! as it is but for being marked as pruned once, and goes only before such a mark; a head never goes back. With its tenant
//! everything goes.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (bytes, triggers) = match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => ("BYTEA", POSTGRES),
            _ => ("BLOB", SQLITE),
        };
        let connection = manager.get_connection();
        let column = format!("ALTER TABLE audit_checkpoints ADD COLUMN pruning_signature {bytes}");
        connection.execute_unprepared(&column).await?;
        for statement in triggers {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

const SQLITE: &[&str] = &[
    "CREATE TRIGGER audit_checkpoints_unchanged BEFORE UPDATE ON audit_checkpoints
     WHEN NEW.id IS NOT OLD.id OR NEW.tenant_id IS NOT OLD.tenant_id OR NEW.sequence IS NOT OLD.sequence
         OR NEW.mac IS NOT OLD.mac OR NEW.created_at IS NOT OLD.created_at OR NEW.key_id IS NOT OLD.key_id
         OR NEW.signature IS NOT OLD.signature OR OLD.pruned_at IS NOT NULL OR OLD.pruning_signature IS NOT NULL
         OR NEW.pruned_at IS NULL OR NEW.pruning_signature IS NULL
     BEGIN SELECT RAISE(ABORT, 'audit checkpoints cannot be changed'); END",
    "CREATE TRIGGER audit_checkpoints_kept BEFORE DELETE ON audit_checkpoints
     WHEN NOT EXISTS (SELECT 1 FROM audit_checkpoints
             WHERE tenant_id = OLD.tenant_id AND sequence > OLD.sequence AND pruned_at IS NOT NULL)
         AND EXISTS (SELECT 1 FROM tenants WHERE id = OLD.tenant_id AND status <> 'deleting')
     BEGIN SELECT RAISE(ABORT, 'audit checkpoints cannot be deleted'); END",
    "CREATE TRIGGER audit_heads_forward BEFORE UPDATE ON audit_heads
     WHEN NEW.tenant_id IS NOT OLD.tenant_id OR NEW.sequence < OLD.sequence OR NEW.checkpointed < OLD.checkpointed
     BEGIN SELECT RAISE(ABORT, 'an audit log does not go back'); END",
    "CREATE TRIGGER audit_heads_kept BEFORE DELETE ON audit_heads
     WHEN EXISTS (SELECT 1 FROM tenants WHERE id = OLD.tenant_id AND status <> 'deleting')
     BEGIN SELECT RAISE(ABORT, 'an audit log ends with its tenant only'); END",
];

const POSTGRES: &[&str] = &[
    "CREATE FUNCTION audit_checkpoints_guard() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
         IF TG_OP = 'UPDATE' THEN
             IF (NEW.id, NEW.tenant_id, NEW.sequence, NEW.mac, NEW.created_at, NEW.key_id, NEW.signature)
                 IS DISTINCT FROM
                 (OLD.id, OLD.tenant_id, OLD.sequence, OLD.mac, OLD.created_at, OLD.key_id, OLD.signature)
                 OR OLD.pruned_at IS NOT NULL OR OLD.pruning_signature IS NOT NULL
                 OR NEW.pruned_at IS NULL OR NEW.pruning_signature IS NULL THEN
                 RAISE EXCEPTION 'audit checkpoints cannot be changed';
             END IF;
             RETURN NEW;
         END IF;
         IF TG_OP = 'DELETE' THEN
             IF EXISTS (SELECT 1 FROM audit_checkpoints
                 WHERE tenant_id = OLD.tenant_id AND sequence > OLD.sequence AND pruned_at IS NOT NULL)
                 OR NOT EXISTS (SELECT 1 FROM tenants WHERE id = OLD.tenant_id AND status <> 'deleting') THEN
                 RETURN OLD;
             END IF;
         END IF;
         RAISE EXCEPTION 'audit checkpoints cannot be deleted';
     END $$",
    "CREATE TRIGGER audit_checkpoints_guard BEFORE UPDATE OR DELETE ON audit_checkpoints
     FOR EACH ROW EXECUTE FUNCTION audit_checkpoints_guard()",
    "CREATE TRIGGER audit_checkpoints_no_truncate BEFORE TRUNCATE ON audit_checkpoints
     FOR EACH STATEMENT EXECUTE FUNCTION audit_checkpoints_guard()",
    "CREATE FUNCTION audit_heads_guard() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
         IF TG_OP = 'UPDATE' THEN
             IF NEW.tenant_id <> OLD.tenant_id OR NEW.sequence < OLD.sequence OR NEW.checkpointed < OLD.checkpointed THEN
                 RAISE EXCEPTION 'an audit log does not go back';
             END IF;
             RETURN NEW;
         END IF;
         IF TG_OP = 'DELETE' THEN
             IF NOT EXISTS (SELECT 1 FROM tenants WHERE id = OLD.tenant_id AND status <> 'deleting') THEN
                 RETURN OLD;
             END IF;
         END IF;
         RAISE EXCEPTION 'an audit log ends with its tenant only';
     END $$",
    "CREATE TRIGGER audit_heads_guard BEFORE UPDATE OR DELETE ON audit_heads
     FOR EACH ROW EXECUTE FUNCTION audit_heads_guard()",
    "CREATE TRIGGER audit_heads_no_truncate BEFORE TRUNCATE ON audit_heads
     FOR EACH STATEMENT EXECUTE FUNCTION audit_heads_guard()",
];
