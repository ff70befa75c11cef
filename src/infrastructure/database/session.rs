//! What repositories query: single statements ([`Session`]) and transactions ([`Transaction`]), each for one [`Scope`].
//! On PostgreSQL the scope travels with the statement that begins the transaction, so it costs no round trip of its own.

use std::sync::PoisonError;

use async_trait::async_trait;
use sea_orm::error::{ConnAcquireErr, RuntimeErr};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, Postgres};
use sqlx::{AssertSqlSafe, Executor};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio_util::context::TokioContext;

use super::scope::Scope;
use crate::common::TenantId;

/// For statements that need no transaction of the caller's. On PostgreSQL each has one of its own, for its scope.
#[derive(Clone, Debug)]
pub struct Session(pub(super) Inner);

#[derive(Clone, Debug)]
pub(super) enum Inner {
    Sqlite(DatabaseConnection),
    Postgres { connections: PgConnections, scope: Scope, writes: bool },
}

/// Connections to PostgreSQL, all of them driven by the runtime in which the database was opened. By itself a connection
/// belongs to the runtime that first asked for it: a thread of the web server, which ends before the last execution is
/// stored.
#[derive(Clone, Debug)]
pub(super) struct PgConnections {
    pub(super) pool: PgPool,
    runtime: Handle,
}

impl PgConnections {
    /// Inside the runtime that is to drive them.
    pub(super) fn new(pool: PgPool) -> PgConnections {
        PgConnections { pool, runtime: Handle::current() }
    }

    pub(super) async fn acquire(&self) -> Result<PoolConnection<Postgres>, DbErr> {
        TokioContext::new(self.pool.acquire(), self.runtime.clone()).await.map_err(acquire_error)
    }

    /// Begins a transaction for a scope, in one round trip.
    pub(super) async fn begin(&self, scope: Scope, writes: bool) -> Result<PgTransaction, DbErr> {
        let mode = if writes { "READ WRITE" } else { "READ ONLY" };
        let statement = AssertSqlSafe(format!("BEGIN {mode}; {}", scope.statement()));
        TokioContext::new(self.pool.begin_with(statement), self.runtime.clone()).await.map_err(acquire_error)
    }
}

/// Several statements that count together or not at all. Dropped without `commit`, it never was.
pub struct Transaction {
    begun: Begun,
    /// What is to be said once it is true.
    after: std::sync::Mutex<Vec<AfterCommit>>,
}

type AfterCommit = Box<dyn FnOnce() + Send>;

#[derive(Debug)]
pub(super) enum Begun {
    Sqlite(DatabaseTransaction),
    Postgres(Box<Mutex<PgTransaction>>),
}

type PgTransaction = sqlx::Transaction<'static, Postgres>;

impl Transaction {
    pub(super) fn new(begun: Begun) -> Transaction {
        Transaction { begun, after: std::sync::Mutex::default() }
    }

    pub async fn commit(self) -> Result<(), DbErr> {
        match self.begun {
            Begun::Sqlite(transaction) => transaction.commit().await?,
            Begun::Postgres(transaction) => transaction.into_inner().commit().await.map_err(exec_error)?,
        }
        self.after.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().for_each(|say| say());
        Ok(())
    }

    /// Does this once the transaction is committed, and never if it is not: for log lines, not for work that may fail.
    pub fn after_commit(&self, say: impl FnOnce() + Send + 'static) {
        self.after.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(say));
    }

    /// Takes everything back now; a transaction that is merely dropped is taken back a little later.
    pub async fn rollback(self) -> Result<(), DbErr> {
        match self.begun {
            Begun::Sqlite(transaction) => transaction.rollback().await,
            Begun::Postgres(transaction) => transaction.into_inner().rollback().await.map_err(exec_error),
        }
    }

    /// From here on for this tenant only: for a transaction that had to look across tenants to learn which it is about.
    pub async fn enter(&self, tenant: TenantId) -> Result<(), DbErr> {
        if matches!(self.begun, Begun::Postgres(_)) {
            self.execute_unprepared(&Scope::Tenant(tenant).statement()).await?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Transaction").field(&self.begun).finish()
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        match &self.begun {
            Begun::Sqlite(_) => DbBackend::Sqlite,
            Begun::Postgres(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match &self.begun {
            Begun::Sqlite(transaction) => transaction.execute_raw(statement).await,
            Begun::Postgres(transaction) => execute(&mut *transaction.lock().await, &statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match &self.begun {
            Begun::Sqlite(transaction) => transaction.execute_unprepared(sql).await,
            Begun::Postgres(transaction) => execute_text(&mut *transaction.lock().await, sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.begun {
            Begun::Sqlite(transaction) => transaction.query_one_raw(statement).await,
            Begun::Postgres(transaction) => query_one(&mut *transaction.lock().await, &statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.begun {
            Begun::Sqlite(transaction) => transaction.query_all_raw(statement).await,
            Begun::Postgres(transaction) => query_all(&mut *transaction.lock().await, &statement).await,
        }
    }
}

#[async_trait]
impl ConnectionTrait for Session {
    fn get_database_backend(&self) -> DbBackend {
        match &self.0 {
            Inner::Sqlite(_) => DbBackend::Sqlite,
            Inner::Postgres { .. } => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let (connections, scope, writes) = match &self.0 {
            Inner::Sqlite(connection) => return connection.execute_raw(statement).await,
            Inner::Postgres { connections, scope, writes } => (connections, *scope, *writes),
        };
        let mut transaction = connections.begin(scope, writes).await?;
        let result = execute(&mut transaction, &statement).await?;
        end(transaction, writes).await?;
        Ok(result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let (connections, scope, writes) = match &self.0 {
            Inner::Sqlite(connection) => return connection.execute_unprepared(sql).await,
            Inner::Postgres { connections, scope, writes } => (connections, *scope, *writes),
        };
        let mut transaction = connections.begin(scope, writes).await?;
        let result = execute_text(&mut transaction, sql).await?;
        end(transaction, writes).await?;
        Ok(result)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let (connections, scope, writes) = match &self.0 {
            Inner::Sqlite(connection) => return connection.query_one_raw(statement).await,
            Inner::Postgres { connections, scope, writes } => (connections, *scope, *writes),
        };
        let mut transaction = connections.begin(scope, writes).await?;
        let row = query_one(&mut transaction, &statement).await?;
        end(transaction, writes).await?;
        Ok(row)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let (connections, scope, writes) = match &self.0 {
            Inner::Sqlite(connection) => return connection.query_all_raw(statement).await,
            Inner::Postgres { connections, scope, writes } => (connections, *scope, *writes),
        };
        let mut transaction = connections.begin(scope, writes).await?;
        let rows = query_all(&mut transaction, &statement).await?;
        end(transaction, writes).await?;
        Ok(rows)
    }
}

/// A reading transaction ends by itself, and nobody waits for that.
async fn end(transaction: PgTransaction, writes: bool) -> Result<(), DbErr> {
    if writes { transaction.commit().await.map_err(exec_error) } else { Ok(()) }
}

async fn execute(transaction: &mut PgTransaction, statement: &Statement) -> Result<ExecResult, DbErr> {
    Ok(query(statement).execute(&mut **transaction).await.map_err(exec_error)?.into())
}

async fn execute_text(transaction: &mut PgTransaction, sql: &str) -> Result<ExecResult, DbErr> {
    Ok((&mut **transaction).execute(AssertSqlSafe(sql)).await.map_err(exec_error)?.into())
}

async fn query_one(transaction: &mut PgTransaction, statement: &Statement) -> Result<Option<QueryResult>, DbErr> {
    Ok(query(statement).fetch_optional(&mut **transaction).await.map_err(query_error)?.map(QueryResult::from))
}

async fn query_all(transaction: &mut PgTransaction, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
    let rows = query(statement).fetch_all(&mut **transaction).await.map_err(query_error)?;
    Ok(rows.into_iter().map(QueryResult::from).collect())
}

fn query(statement: &Statement) -> sqlx::query::Query<'_, Postgres, SqlxValues> {
    let values = statement.values.clone().unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}

fn exec_error(error: sqlx::Error) -> DbErr {
    if is_broken(&error) { acquire_error(error) } else { DbErr::Exec(RuntimeErr::SqlxError(error.into())) }
}

fn query_error(error: sqlx::Error) -> DbErr {
    if is_broken(&error) { acquire_error(error) } else { DbErr::Query(RuntimeErr::SqlxError(error.into())) }
}

/// Whether the connection is at fault, not the statement.
fn is_broken(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
}

pub(super) fn acquire_error(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
    }
}
