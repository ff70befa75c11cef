//! The database of one query. Objects and lists are held as SQLite's binary JSON, so its JSON functions work on them and
//! they come back as what they were; truth values come back by the name of their column.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use indexmap::IndexMap;
use millrace_model::{ExecutionError, Item, Object, Str, Value};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow};
use sqlx::{
    Arguments, AssertSqlSafe, Column, ConnectOptions, Either, Executor, Row as _, SqliteConnection, TypeInfo, ValueRef,
};

use super::links::PLACE;
use super::{division, failed, fields, guard};

/// Longest a query may take.
const TIME: Duration = Duration::from_secs(10);
/// Most rows a query may give.
const MAX_ROWS: usize = 1_000_000;
/// Longest value and longest row, in bytes.
const MAX_LENGTH: i32 = 64 << 20;
/// SQLite instructions between two looks at the clock.
const STEPS: i32 = 10_000;
/// Places of an input's rows lie in a range of their own.
const PLACES: usize = 1 << 32;

pub(super) struct Database {
    connection: SqliteConnection,
    /// Columns of truth values, lower case.
    flags: Vec<String>,
}

/// A row of the result: its fields, and the input and place of each item that it comes from.
pub(super) struct Row {
    pub(super) json: Object,
    pub(super) sources: Vec<(usize, usize)>,
}

impl Database {
    pub(super) async fn of(inputs: &[&[Item]]) -> Result<Database, ExecutionError> {
        let options = SqliteConnectOptions::new().in_memory(true).disable_statement_logging();
        let mut connection = options.connect().await.map_err(refused)?;
        // 512 MB of tables.
        connection.execute("PRAGMA max_page_count = 131072").await.map_err(refused)?;
        guard::limit(&mut connection.lock_handle().await.map_err(refused)?, MAX_LENGTH);
        let mut columns: IndexMap<String, bool> = IndexMap::new();
        for (at, items) in inputs.iter().enumerate() {
            fill(&mut connection, at, items, &mut columns).await?;
        }
        let deadline = Instant::now() + TIME;
        let mut handle = connection.lock_handle().await.map_err(refused)?;
        handle.set_progress_handler(STEPS, move || Instant::now() < deadline);
        if !guard::only_reading(&mut handle) {
            return Err(failed("The database could not be closed to changes"));
        }
        drop(handle);
        let flags = columns.into_iter().filter(|(_, flags)| *flags).map(|(name, _)| name).collect();
        Ok(Database { connection, flags })
    }

    /// The rows of all statements of a query, one statement after the other.
    pub(super) async fn rows(&mut self, query: &str) -> Result<Vec<Row>, ExecutionError> {
        let mut made = Vec::new();
        let mut answers = sqlx::raw_sql(AssertSqlSafe(query.to_owned())).fetch_many(&mut self.connection);
        while let Some(answer) = answers.try_next().await.map_err(refused)? {
            let Either::Right(row) = answer else { continue };
            if made.len() == MAX_ROWS {
                return Err(failed(format!("The query gives more than {MAX_ROWS} rows")));
            }
            made.push(read(&row, &self.flags).map_err(refused)?);
        }
        drop(answers);
        for Row { json, .. } in &mut made {
            for (_, value) in json.values_mut() {
                if let Some(Nested(blob)) = Nested::of(value) {
                    *value = self.decoded(blob).await;
                }
            }
        }
        Ok(made)
    }

    /// Binary JSON as the value it was.
    async fn decoded(&mut self, blob: Vec<u8>) -> Value {
        let text = sqlx::query_scalar::<_, String>("SELECT json(?1)").bind(blob).fetch_one(&mut self.connection).await;
        text.ok().and_then(|text| Value::from_json(&text).ok()).unwrap_or(Value::Null)
    }
}

/// Binary JSON on its way out of a row: its bytes as a list of numbers under a name that no field has.
struct Nested(Vec<u8>);

const NESTED: &str = "\u{0}jsonb";

impl Nested {
    fn put(bytes: &[u8]) -> Value {
        let bytes = bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        Object::from([(NESTED, bytes.into())]).into()
    }

    fn of(value: &Value) -> Option<Nested> {
        let letters = value.get(NESTED)?.as_str()?.chars();
        Some(Nested(letters.filter_map(|letter| u8::try_from(u32::from(letter)).ok()).collect()))
    }
}

fn read(row: &SqliteRow, flags: &[String]) -> Result<Row, sqlx::Error> {
    let mut sources = Vec::new();
    let mut values: Vec<(Str, Value)> = Vec::with_capacity(row.len());
    for column in row.columns() {
        let (at, name) = (column.ordinal(), column.name());
        let raw = row.try_get_raw(at)?;
        let kind = if raw.is_null() { "NULL".to_owned() } else { raw.type_info().name().to_owned() };
        if name == PLACE {
            if kind == "INTEGER" {
                sources.extend(usize::try_from(row.try_get_unchecked::<i64, _>(at)?).ok());
            }
            continue;
        }
        let value = match kind.as_str() {
            "INTEGER" | "BOOLEAN" => match row.try_get_unchecked::<i64, _>(at)? {
                flag @ (0 | 1) if flags.contains(&name.to_lowercase()) => (flag == 1).into(),
                #[expect(clippy::as_conversions, reason = "JavaScript's numbers are floating point")]
                number => Value::Number(number as f64),
            },
            "REAL" => Value::Number(row.try_get_unchecked(at)?),
            "NULL" => Value::Null,
            "BLOB" => Nested::put(row.try_get_unchecked(at)?),
            _ => row.try_get_unchecked::<String, _>(at)?.into(),
        };
        values.push((shown(name), value));
    }
    let sources = sources.into_iter().map(|place| (place / PLACES, place % PLACES)).collect();
    Ok(Row { json: fields(values.into_iter()), sources })
}

/// Makes and fills the table of one input. `columns`: names seen so far, and whether they hold truth values only.
async fn fill(
    connection: &mut SqliteConnection,
    input: usize,
    items: &[Item],
    columns: &mut IndexMap<String, bool>,
) -> Result<(), ExecutionError> {
    // SQLite does not tell names apart by case: the first spelling is the column's.
    let mut names: IndexMap<String, Str> = IndexMap::new();
    for (name, value) in items.iter().filter_map(|item| item.json.as_object()).flat_map(Object::iter) {
        let folded = name.as_str().to_lowercase();
        let flags = columns.entry(folded.clone()).or_insert(true);
        *flags &= matches!(value, Value::Bool(_) | Value::Null | Value::Undefined);
        names.entry(folded).or_insert_with(|| name.clone());
    }
    names.shift_remove(&PLACE.to_lowercase());
    let quoted = |name: &Str| format!("\"{}\"", name.as_str().replace('"', "\"\""));
    let place = Str::from(PLACE);
    let all: Vec<String> = names.values().chain([&place]).map(quoted).collect();
    let table = format!("CREATE TABLE input{} ({})", input + 1, all.join(", "));
    connection.execute(AssertSqlSafe(table)).await.map_err(refused)?;
    let last = format!("?{}", names.len() + 1);
    let marks = names.values().enumerate().map(|(at, name)| mark(items, name, at + 1));
    let marks: Vec<String> = marks.chain([last]).collect();
    let insert = format!("INSERT INTO input{} VALUES ({})", input + 1, marks.join(", "));
    connection.execute("BEGIN").await.map_err(refused)?;
    for (at, item) in items.iter().enumerate() {
        let mut cells = SqliteArguments::default();
        for name in names.values() {
            cell(&mut cells, item.json.get(name).unwrap_or(&Value::Null))?;
        }
        cell(&mut cells, &Value::from(input * PLACES + at))?;
        let row = sqlx::query_with(AssertSqlSafe(insert.clone()), cells);
        row.execute(&mut *connection).await.map_err(refused)?;
    }
    connection.execute("COMMIT").await.map_err(refused)?;
    Ok(())
}

/// How a column's values are put in: JSON text becomes binary JSON where there are objects or lists.
fn mark(items: &[Item], name: &str, number: usize) -> String {
    let nested = |item: &Item| matches!(item.json.get(name), Some(Value::Object(_) | Value::Array(_)));
    if items.iter().any(nested) {
        format!("CASE WHEN typeof(?{number}) = 'blob' THEN jsonb(CAST(?{number} AS TEXT)) ELSE ?{number} END")
    } else {
        format!("?{number}")
    }
}

fn cell(cells: &mut SqliteArguments, value: &Value) -> Result<(), ExecutionError> {
    let added = match value {
        Value::Undefined | Value::Null => cells.add(None::<String>),
        Value::Bool(flag) => cells.add(i64::from(*flag)),
        #[expect(clippy::as_conversions, reason = "whole and small enough, as was checked")]
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => cells.add(*number as i64),
        Value::Number(number) => cells.add(*number),
        Value::String(text) => cells.add(text.to_string()),
        nested => cells.add(nested.to_json().into_bytes()),
    };
    added.map_err(|error| failed(error.to_string()))
}

/// Functions' names as AlaSQL shows them in unnamed columns: `COUNT(1)`.
fn shown(name: &str) -> Str {
    let name = &*division::as_written(name);
    match name.split_once('(') {
        Some((function, rest)) if function.chars().all(|letter| letter.is_alphanumeric() || letter == '_') => {
            format!("{}({rest}", function.to_uppercase()).into()
        }
        _ => name.into(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed over by map_err")]
fn refused(error: sqlx::Error) -> ExecutionError {
    let text = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
    failed(match text.as_str() {
        "interrupted" => format!("The query took longer than {} s", TIME.as_secs()),
        "not authorized" | "authorization denied" => "Only SELECT is allowed".to_owned(),
        "out of memory" | "database or disk is full" => "The query needs more memory than it may use".to_owned(),
        _ => match text.strip_prefix("no such table: ") {
            Some(table) => format!("Table does not exist: {table}"),
            None => text,
        },
    })
}
