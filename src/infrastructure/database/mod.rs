//! The database: SQLite with one writer and many readers, or PostgreSQL. Repositories query it; services only begin and commit.

mod checkpoint;
mod columns;
mod connect;
pub mod dispatches;
pub mod events;
pub mod idempotency;
mod migrate;
mod placeholders;
mod scope;
mod scoped;
mod session;
#[cfg(test)]
mod tests;
mod together;

use std::fs::File;
use std::sync::Arc;

use sea_orm::sqlx::error::ErrorKind;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, RuntimeErr, SqlErr, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};

use crate::common::Timestamp;
use crate::common::error::{Code, INTERNAL, Kind};

pub(crate) use columns::{column, text_column};
pub use placeholders::placeholders;
pub use scope::{AcrossTenants, Scope};
pub use scoped::{Scoped, Unscoped};
pub use sea_orm::{DbBackend as Backend, DbErr as Error};
use session::{Begun, Inner, PgConnections};
pub use session::{Session, Transaction};

/// Cheap to clone. Whoever reads or writes says for whom: `database.read(ctx)`, `database.begin(tenant)`,
/// `database.write(AcrossTenants)`.
#[derive(Clone, Debug)]
pub struct Database(Pools);

#[derive(Clone, Debug)]
enum Pools {
    Sqlite {
        writer: DatabaseConnection,
        reader: DatabaseConnection,
        log: checkpoint::Log,
        /// Held as long as the database is open: no other process has this file open to work on it.
        alone: Option<Arc<File>>,
    },
    Postgres(PgConnections),
}

impl Database {
    /// Whether no other process works on this database; known of SQLite only.
    pub fn is_alone(&self) -> bool {
        matches!(self.0, Pools::Sqlite { alone: Some(_), .. })
    }

    /// Whether it is SQLite, within this process.
    pub fn is_embedded(&self) -> bool {
        matches!(self.0, Pools::Sqlite { .. })
    }

    /// For reading. On SQLite a pool of read-only connections that never waits for the writer.
    pub fn read(&self, scope: impl Into<Scope>) -> Session {
        Session(match &self.0 {
            Pools::Sqlite { reader, .. } => Inner::Sqlite(reader.clone()),
            Pools::Postgres(connections) => {
                Inner::Postgres { connections: connections.clone(), scope: scope.into(), writes: false }
            }
        })
    }

    /// For a single writing statement; use [`Database::begin`] for more than one.
    pub fn write(&self, scope: impl Into<Scope>) -> Session {
        Session(match &self.0 {
            Pools::Sqlite { writer, .. } => Inner::Sqlite(writer.clone()),
            Pools::Postgres(connections) => {
                Inner::Postgres { connections: connections.clone(), scope: scope.into(), writes: true }
            }
        })
    }

    /// Begins a writing transaction. On SQLite it takes the write lock at once, so that it cannot fail half-way as busy.
    pub async fn begin(&self, scope: impl Into<Scope>) -> Result<Transaction, Error> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(Transaction::new(match &self.0 {
            Pools::Sqlite { writer, .. } => Begun::Sqlite(writer.begin_with_options(options).await?),
            Pools::Postgres(connections) => {
                Begun::Postgres(Box::new(connections.begin(scope.into(), true).await?.into()))
            }
        }))
    }

    pub fn backend(&self) -> Backend {
        match &self.0 {
            Pools::Sqlite { .. } => Backend::Sqlite,
            Pools::Postgres(_) => Backend::Postgres,
        }
    }

    /// The time of the database's machine, which all replicas share. `None`: it is this one (SQLite).
    pub async fn now(&self) -> Result<Option<Timestamp>, Error> {
        const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now";
        if self.backend() != Backend::Postgres {
            return Ok(None);
        }
        let row = self.read(AcrossTenants).query_one_raw(Statement::from_string(Backend::Postgres, NOW)).await?;
        row.map(|row| row.try_get::<Timestamp>("", "now")).transpose()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        match &self.0 {
            Pools::Sqlite { reader, .. } => reader.ping().await,
            Pools::Postgres(connections) => {
                let mut connection = connections.acquire().await?;
                sqlx::Connection::ping(&mut *connection).await.map_err(session::acquire_error)
            }
        }
    }

    /// Finishes open work and closes every connection.
    pub async fn close(self) -> Result<(), Error> {
        match self.0 {
            Pools::Sqlite { writer, reader, .. } => {
                reader.close().await?;
                writer.close().await
            }
            Pools::Postgres(connections) => {
                connections.pool.close().await;
                Ok(())
            }
        }
    }
}

/// The row of the error table for a database failure: 503 when no connection is to be had, else our own fault.
pub fn code_of(error: &Error) -> Code {
    match error {
        Error::ConnectionAcquire(_) | Error::Conn(_) => UNAVAILABLE,
        _ => INTERNAL,
    }
}

/// Whether no connection is to be had, or the one there was broke.
pub fn is_connection_error(error: &Error) -> bool {
    matches!(error, Error::ConnectionAcquire(_) | Error::Conn(_))
}

/// Whether nobody answers at the database's address, or only that it is not ready: it may be there in a moment. One that refuses
/// the password is not away.
pub fn is_away(error: &Error) -> bool {
    let Error::Conn(RuntimeErr::SqlxError(inner)) = error else { return false };
    match inner.as_database_error() {
        // SQLSTATE: it starts or stops (57P01–57P03), or has no connection left (53300).
        Some(refusal) => refusal.code().is_some_and(|code| code.starts_with("57P") || code == "53300"),
        None => !matches!(**inner, sqlx::Error::Configuration(_)),
    }
}

/// Whether the database refuses the row itself (a constraint, a value it cannot hold), and will again.
pub fn is_refused_row(error: &Error) -> bool {
    let (Error::Exec(RuntimeErr::SqlxError(inner)) | Error::Query(RuntimeErr::SqlxError(inner))) = error else {
        return false;
    };
    let Some(refusal) = inner.as_database_error() else { return false };
    // SQLSTATE class 22: data exception.
    refusal.kind() != ErrorKind::Other || refusal.code().is_some_and(|code| code.len() == 5 && code.starts_with("22"))
}

/// Whether a row was found and a value of it is none that its column should hold.
pub fn is_unreadable_row(error: &Error) -> bool {
    match error {
        Error::Type(_) | Error::Json(_) => true,
        Error::Query(RuntimeErr::SqlxError(inner)) => {
            matches!(**inner, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_))
        }
        _ => false,
    }
}

/// Whether a unique index refused the row: the same thing exists already.
pub fn is_unique_violation(error: &Error) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

const UNAVAILABLE: Code = Code::new(Kind::Unavailable, "database_unavailable", "The database does not answer");
