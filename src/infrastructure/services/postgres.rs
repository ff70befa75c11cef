//! Statements for a PostgreSQL server. Results come as text, so every type has a form; it is JSON's where JSON has one.

mod values;

use std::time::Duration;

use futures_util::TryStreamExt;
use millrace_model::{Object, Str, Value, to_index};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, Column, Executor, PgConnection, Row, TypeInfo, ValueRef};

use super::{CONNECT_TIMEOUT, Failure, IDLE, Reach, Services, address, flag, key, port, text};

/// Longest all statements of a call may take.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Most connections for one credential.
const MAX_CONNECTIONS: u32 = 10;
/// Most bytes of text in the rows of a call.
const MAX_BYTES: usize = 256 << 20;

impl Services {
    /// `{connection, statements: [text], mode, largeNumbers}`; mode `single` and `transaction` fail as a whole,
    /// `independently` one by one. Gives for each statement `{rows}` or `{error: {message, description}}`.
    pub(super) async fn query_postgres(
        &self,
        reach: &Reach,
        connection: &Object,
        arguments: &Value,
    ) -> Result<Value, Failure> {
        let key = key(reach, connection);
        let pool = match self.postgres.get(&key) {
            Some(kept) => kept,
            None => {
                let made = connect(reach, connection).await?;
                self.postgres.insert(key, made.clone());
                made
            }
        };
        let work = run(&pool, arguments);
        let done = tokio::time::timeout(TIMEOUT, work).await;
        done.unwrap_or_else(|_| Err(Failure::new(format!("The statements took longer than {} s", TIMEOUT.as_secs()))))
    }
}

async fn connect(reach: &Reach, connection: &Object) -> Result<PgPool, Failure> {
    if flag(connection, "sshTunnel") {
        return Err(Failure::new("SSH tunnels to PostgreSQL are not supported")
            .describe("Switch \"SSH Tunnel\" off in the credential"));
    }
    let found = address::resolve(reach, text(connection, "host", "localhost"), port(connection, 5432)?).await?;
    // The name is not checked against the certificate: it is the checked address that is connected to.
    let encryption = match (text(connection, "ssl", "disable"), flag(connection, "allowUnauthorizedCerts")) {
        ("disable", _) => PgSslMode::Disable,
        ("allow", _) => PgSslMode::Prefer,
        (_, true) => PgSslMode::Require,
        (_, false) => PgSslMode::VerifyCa,
    };
    let options = PgConnectOptions::new_without_pgpass()
        .host(&found.ip().to_string())
        .port(found.port())
        .username(text(connection, "user", "postgres"))
        .password(text(connection, "password", ""))
        .database(text(connection, "database", "postgres"))
        .ssl_mode(encryption)
        .application_name("millrace")
        .options([("timezone", "UTC"), ("datestyle", "ISO"), ("standard_conforming_strings", "on")]);
    let wanted = connection.get("maxConnections").and_then(Value::as_f64).and_then(to_index);
    let most = wanted.and_then(|count| u32::try_from(count).ok()).unwrap_or(MAX_CONNECTIONS);
    PgPoolOptions::new()
        .max_connections(most.clamp(1, MAX_CONNECTIONS))
        .acquire_timeout(CONNECT_TIMEOUT)
        .idle_timeout(Some(IDLE))
        // A workflow's open transaction or setting is not the next one's.
        .after_release(|server, _| {
            Box::pin(async move {
                server.execute("ROLLBACK").await?;
                server.execute("DISCARD ALL").await?;
                Ok(true)
            })
        })
        .connect_with(options)
        .await
        .map_err(|error| failed(&error, None))
}

async fn run(pool: &PgPool, arguments: &Value) -> Result<Value, Failure> {
    let statements: Vec<Str> = arguments
        .get("statements")
        .and_then(Value::as_array)
        .unwrap_or_default()
        .iter()
        .map(Value::to_js_string)
        .collect();
    let mode = arguments.get("mode").and_then(Value::as_str).unwrap_or("single");
    let numbers = arguments.get("largeNumbers").and_then(Value::as_str) == Some("numbers");
    let mut server = pool.acquire().await.map_err(|error| failed(&error, None))?;
    let mut budget = MAX_BYTES;
    let mut results = Vec::with_capacity(statements.len());
    if mode == "transaction" {
        server.execute("BEGIN").await.map_err(|error| failed(&error, None))?;
    }
    for statement in &statements {
        // An open transaction is rolled back when the connection goes back to the pool.
        let done = rows(&mut server, statement, numbers, &mut budget).await;
        match done {
            Ok(rows) => results.push(Value::from(Object::from([("rows", Value::from(rows))]))),
            Err(failure) if mode == "independently" => {
                let error = Object::from([
                    ("message", Value::from(failure.message)),
                    ("description", failure.description.map_or(Value::Null, Value::from)),
                ]);
                results.push(Object::from([("error", Value::from(error))]).into());
            }
            Err(failure) => return Err(failure),
        }
    }
    if mode == "transaction" {
        server.execute("COMMIT").await.map_err(|error| failed(&error, None))?;
    }
    Ok(results.into())
}

async fn rows(
    server: &mut PgConnection,
    statement: &str,
    numbers: bool,
    budget: &mut usize,
) -> Result<Vec<Value>, Failure> {
    let mut found = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).fetch(server);
    let mut rows = Vec::new();
    while let Some(row) = found.try_next().await.map_err(|error| failed(&error, Some(statement)))? {
        rows.push(object(&row, numbers, budget).map_err(|error| failed(&error, Some(statement)))?.into());
        if *budget == 0 {
            let most = MAX_BYTES >> 20;
            return Err(Failure::new(format!("The statement gives more than {most} MB")).describe("Ask for less"));
        }
    }
    Ok(rows)
}

fn object(row: &PgRow, numbers: bool, budget: &mut usize) -> Result<Object, sqlx::Error> {
    let mut fields = Object::new();
    for column in row.columns() {
        let value = row.try_get_raw(column.ordinal())?;
        let read = if value.is_null() {
            Value::Null
        } else {
            let text = value.as_str().map_err(sqlx::Error::Decode)?;
            *budget = budget.saturating_sub(text.len() + 16);
            values::read(value.type_info().name(), text, numbers)
        };
        fields.insert(column.name(), read);
    }
    Ok(fields)
}

/// The server's own words, its detail and hint, and the statement.
fn failed(error: &sqlx::Error, statement: Option<&str>) -> Failure {
    const SHOWN: usize = 500;
    let shown = statement.map(|text| text.chars().take(SHOWN).collect::<String>());
    let query = shown.map(|text| format!("Failed query: {text}"));
    let Some(database) = error.as_database_error() else {
        let failure = Failure::new(match error {
            sqlx::Error::PoolTimedOut => "No connection to PostgreSQL in time".to_owned(),
            other => other.to_string(),
        });
        return match query {
            Some(query) => failure.describe(query),
            None => failure,
        };
    };
    let more = database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
    let more = [
        more.and_then(|error| error.detail()).map(str::to_owned),
        more.and_then(|error| error.hint()).map(str::to_owned),
        query,
    ];
    let description: Vec<String> = more.into_iter().flatten().collect();
    let failure = Failure::new(database.message());
    if description.is_empty() { failure } else { failure.describe(description.join("\n")) }
}
