//! A whole transaction of SQLite in one message to the thread that works on the database. By itself each statement is one,
//! and each message costs two changes of threads: for a small transaction more than all its statements.

use sea_orm::{RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Sqlite};

use super::session::acquire_error;
use super::{Database, Error, Pools};

impl Database {
    /// Executes all of these, or none. What they need to know of each other's outcome, they cannot.
    pub async fn execute_together(&self, statements: Vec<Statement>) -> Result<(), Error> {
        let Pools::Sqlite { writer, .. } = &self.0 else {
            return Err(Error::Custom("only SQLite takes several statements at once".to_owned()));
        };
        let (mut sql, mut values) = ("BEGIN IMMEDIATE".to_owned(), Vec::new());
        for statement in statements {
            sql.push_str("; ");
            sql.push_str(&statement.sql);
            values.extend(statement.values.into_iter().flatten());
        }
        sql.push_str("; COMMIT");
        let connection = writer.get_sqlite_connection_pool().acquire().await.map_err(acquire_error)?;
        let mut held = Held(Some(connection));
        let Some(connection) = &mut held.0 else { return Ok(()) };
        let values = SqlxValues(sea_orm::Values(values));
        let executed = sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut **connection).await;
        if executed.is_ok() || is_rolled_back(connection).await {
            drop(held.0.take());
        }
        executed.map(drop).map_err(|error| Error::Exec(RuntimeErr::SqlxError(error.into())))
    }
}

/// Ends the transaction of statements that failed, if SQLite has not done so by itself.
async fn is_rolled_back(connection: &mut PoolConnection<Sqlite>) -> bool {
    match sqlx::raw_sql("ROLLBACK").execute(&mut **connection).await {
        Ok(_) => true,
        Err(error) => {
            error.as_database_error().is_some_and(|error| error.message().contains("no transaction is active"))
        }
    }
}

/// A connection that may be within a transaction that its pool does not know of: unless it is taken out, it is closed.
struct Held(Option<PoolConnection<Sqlite>>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}
