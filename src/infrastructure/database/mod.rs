//! The database: SQLite with one writer and many readers, or PostgreSQL. Repositories query it; services only begin and commit.

mod columns;
mod connect;
pub mod idempotency;
mod migrate;
mod scoped;
#[cfg(test)]
mod tests;

use sea_orm::sqlx::error::ErrorKind;
use sea_orm::{DatabaseConnection, RuntimeErr, SqlErr, SqliteTransactionMode, TransactionOptions, TransactionTrait};

use crate::common::error::{Code, INTERNAL, Kind};

pub(crate) use columns::{column, text_column};
pub use scoped::{Scoped, Unscoped};
pub use sea_orm::{DatabaseTransaction as Transaction, DbBackend as Backend, DbErr as Error};

/// Cheap to clone. Dropping a [`Transaction`] without `commit` rolls it back.
#[derive(Clone, Debug)]
pub struct Database {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
}

impl Database {
    /// For reading. On SQLite a pool of read-only connections that never waits for the writer.
    pub fn read(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For a single writing statement; use [`Database::begin`] for more than one.
    pub fn write(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Begins a writing transaction. On SQLite it takes the write lock at once, so that it cannot fail half-way as busy.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.writer.begin_with_options(options).await
    }

    pub fn backend(&self) -> Backend {
        self.writer.get_database_backend()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        self.reader.ping().await
    }

    /// Finishes open work and closes every connection.
    pub async fn close(self) -> Result<(), Error> {
        self.reader.close().await?;
        self.writer.close().await
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

/// Whether the database refuses the row itself (a constraint, a value it cannot hold), and will again.
pub fn is_refused_row(error: &Error) -> bool {
    let (Error::Exec(RuntimeErr::SqlxError(inner)) | Error::Query(RuntimeErr::SqlxError(inner))) = error else {
        return false;
    };
    let Some(refusal) = inner.as_database_error() else { return false };
    // SQLSTATE class 22: data exception.
    refusal.kind() != ErrorKind::Other || refusal.code().is_some_and(|code| code.len() == 5 && code.starts_with("22"))
}

/// Whether a unique index refused the row: the same thing exists already.
pub fn is_unique_violation(error: &Error) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

const UNAVAILABLE: Code = Code::new(Kind::Unavailable, "database_unavailable", "The database does not answer");
