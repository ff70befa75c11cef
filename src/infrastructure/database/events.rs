//! The tables of events and of who listens. Used by [`crate::infrastructure::events`] and nobody else.

use std::fmt;
use std::str::FromStr;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

use crate::common::{TenantId, Timestamp};

/// Rows of one statement at most.
const CHUNK: usize = 200;

/// An event to be stored.
#[derive(Clone, Debug)]
pub struct New {
    pub tenant: TenantId,
    pub kind: &'static str,
    pub at: Timestamp,
    /// JSON.
    pub data: String,
}

/// The event of a record of the audit log; its `action` says what was done.
pub const RECORDED: &str = "audit.recorded";

/// Which events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    /// Records of the audit log have an address of their own.
    WithoutRecords,
}

/// A stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub place: Place,
    pub tenant: TenantId,
    pub kind: String,
    pub at: Timestamp,
    /// JSON.
    pub data: String,
}

/// Where an event stands among those of all tenants; written `12-345`. An event that can be read has none before it that
/// will become readable later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    transaction: i64,
    number: i64,
}

/// The text is no place.
#[derive(Debug, thiserror::Error)]
#[error("not the id of an event")]
pub struct NotAPlace;

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.transaction, self.number)
    }
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Place, NotAPlace> {
        let (transaction, number) = text.split_once('-').ok_or(NotAPlace)?;
        let part = |text: &str| text.parse().ok().filter(|part: &i64| *part >= 0).ok_or(NotAPlace);
        Ok(Place { transaction: part(transaction)?, number: part(number)? })
    }
}

pub(in crate::infrastructure) async fn append(connection: &impl ConnectionTrait, events: &[New]) -> Result<(), DbErr> {
    for chunk in events.chunks(CHUNK) {
        let rows: Vec<String> = (0..chunk.len())
            .map(|row| format!("(${}, ${}, ${}, ${})", row * 4 + 1, row * 4 + 2, row * 4 + 3, row * 4 + 4))
            .collect();
        let sql = format!("INSERT INTO events (tenant_id, kind, at, data) VALUES {}", rows.join(", "));
        let values = chunk
            .iter()
            .flat_map(|event| [event.tenant.into(), event.kind.into(), event.at.into(), event.data.clone().into()]);
        connection.execute_raw(statement(connection, &sql, values)).await?;
    }
    Ok(())
}

/// What of the table can be read without missing anything: rows whose transactions are older than every one still open.
fn settled(connection: &impl ConnectionTrait) -> &'static str {
    match connection.get_database_backend() {
        DbBackend::Postgres => "AND xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
        _ => "",
    }
}

/// What of the table is within a scope.
fn within(scope: Scope) -> String {
    match scope {
        Scope::All => String::new(),
        Scope::WithoutRecords => format!("AND kind <> '{RECORDED}'"),
    }
}

/// Events of a tenant after a place, in order.
pub(in crate::infrastructure) async fn after(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    place: Place,
    scope: Scope,
    limit: usize,
) -> Result<Vec<Stored>, DbErr> {
    let sql = format!(
        "SELECT xact, number, tenant_id, kind, at, data FROM events \
         WHERE tenant_id = $1 AND (xact > $2 OR (xact = $2 AND number > $3)) {} {} \
         ORDER BY xact, number LIMIT {limit}",
        settled(connection),
        within(scope)
    );
    let values = [tenant.into(), place.transaction.into(), place.number.into()];
    connection.query_all_raw(statement(connection, &sql, values)).await?.iter().map(stored).collect()
}

/// The place of the newest event of a tenant; the beginning where there is none.
pub(in crate::infrastructure) async fn newest(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    scope: Scope,
) -> Result<Place, DbErr> {
    let sql = format!(
        "SELECT xact, number FROM events WHERE tenant_id = $1 {} {} ORDER BY xact DESC, number DESC LIMIT 1",
        settled(connection),
        within(scope)
    );
    let row = connection.query_one_raw(statement(connection, &sql, [tenant.into()])).await?;
    row.as_ref().map_or(Ok(Place::default()), place)
}

/// Where events of all tenants stand that come after a place, in order; no more than the limit.
pub(in crate::infrastructure) async fn places_after(
    connection: &impl ConnectionTrait,
    place: Place,
    limit: usize,
) -> Result<Vec<(TenantId, Place)>, DbErr> {
    let sql = format!(
        "SELECT tenant_id, xact, number FROM events WHERE (xact, number) > ($1, $2) {} ORDER BY xact, number LIMIT {limit}",
        settled(connection)
    );
    let values = [place.transaction.into(), place.number.into()];
    let rows = connection.query_all_raw(statement(connection, &sql, values)).await?;
    rows.iter().map(|row| Ok((row.try_get("", "tenant_id")?, self::place(row)?))).collect()
}

/// The place of the newest event of all; the beginning where there is none.
pub(in crate::infrastructure) async fn newest_of_all(connection: &impl ConnectionTrait) -> Result<Place, DbErr> {
    let sql = format!(
        "SELECT xact, number FROM events WHERE true {} ORDER BY xact DESC, number DESC LIMIT 1",
        settled(connection)
    );
    let row = connection.query_one_raw(statement(connection, &sql, [])).await?;
    row.as_ref().map_or(Ok(Place::default()), place)
}

/// Deletes events of all tenants from before a time; gives how many.
pub(in crate::infrastructure) async fn prune(
    connection: &impl ConnectionTrait,
    before: Timestamp,
    limit: u64,
) -> Result<u64, DbErr> {
    let sql = format!(
        "DELETE FROM events WHERE number IN (SELECT number FROM events WHERE at < $1 ORDER BY at LIMIT {limit})"
    );
    Ok(connection.execute_raw(statement(connection, &sql, [before.into()])).await?.rows_affected())
}

/// Notes that somebody listens to a tenant's events until a time.
pub(in crate::infrastructure) async fn attend(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    name: &str,
    until: Timestamp,
) -> Result<(), DbErr> {
    const SQL: &str = "INSERT INTO event_listeners (tenant_id, name, until) VALUES ($1, $2, $3) \
                       ON CONFLICT (tenant_id, name) DO UPDATE SET until = excluded.until";
    connection.execute_raw(statement(connection, SQL, [tenant.into(), name.into(), until.into()])).await.map(drop)
}

/// Tenants to whose events somebody listens, and until when.
pub(in crate::infrastructure) async fn attended(
    connection: &impl ConnectionTrait,
    now: Timestamp,
) -> Result<Vec<(TenantId, Timestamp)>, DbErr> {
    const SQL: &str = "SELECT tenant_id, MAX(until) AS until FROM event_listeners WHERE until > $1 GROUP BY tenant_id";
    let rows = connection.query_all_raw(statement(connection, SQL, [now.into()])).await?;
    rows.iter().map(|row| Ok((row.try_get("", "tenant_id")?, row.try_get("", "until")?))).collect()
}

/// Forgets who does not listen any more.
pub(in crate::infrastructure) async fn forget(connection: &impl ConnectionTrait, now: Timestamp) -> Result<(), DbErr> {
    const SQL: &str = "DELETE FROM event_listeners WHERE until <= $1";
    connection.execute_raw(statement(connection, SQL, [now.into()])).await.map(drop)
}

fn statement(connection: &impl ConnectionTrait, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(connection.get_database_backend(), sql, values)
}

fn stored(row: &QueryResult) -> Result<Stored, DbErr> {
    Ok(Stored {
        place: place(row)?,
        tenant: row.try_get("", "tenant_id")?,
        kind: row.try_get("", "kind")?,
        at: row.try_get("", "at")?,
        data: row.try_get("", "data")?,
    })
}

fn place(row: &QueryResult) -> Result<Place, DbErr> {
    Ok(Place { transaction: row.try_get("", "xact")?, number: row.try_get("", "number")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_what_they_write() {
        let place: Place = "12-345".parse().unwrap();
        assert_eq!((place.to_string().as_str(), place > Place::default()), ("12-345", true));
        for wrong in ["", "12", "-", "1-", "-1-2", "1--2", "a-b", "1-2-3", "99999999999999999999-1"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
