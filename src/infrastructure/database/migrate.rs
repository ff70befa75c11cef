//! Brings the schema up to date. Safe to run from several replicas at once.

use millrace_migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};

use super::{Backend, Database};

/// Any number works, as long as every replica uses the same: names the lock that migrating replicas queue for.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(727281001)";

impl Database {
    /// Applies every migration that is missing.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        match self.backend() {
            Backend::Postgres => {
                let lock = self.writer.begin().await?;
                lock.execute_unprepared(MIGRATION_LOCK).await?;
                Migrator::up(&self.writer, None).await?;
                lock.commit().await
            }
            _ => Migrator::up(&self.writer, None).await,
        }
    }

    /// Names of the migrations not yet applied, in order.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, DbErr> {
        let pending = Migrator::get_pending_migrations(&self.writer).await?;
        Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
    }
}
