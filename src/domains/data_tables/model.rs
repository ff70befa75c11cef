//! Columns and values: what a column may be called and what a row may hold. Pure.

use millrace_model::{Object, Value};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::Error;
use crate::common::names::names;
use crate::common::{FieldError, Timestamp};

/// Columns of a table.
const MAX_COLUMNS: usize = 100;
/// Longest name of a column, as PostgreSQL has it.
const MAX_NAME: usize = 63;
/// Bytes of a row.
const MAX_ROW_BYTES: usize = 1 << 20;
/// Columns that every table has.
pub(super) const SYSTEM: [&str; 3] = ["id", "createdAt", "updatedAt"];

names! {
    /// What a column holds.
    ColumnType {
        Text = "string",
        Number = "number",
        Boolean = "boolean",
        /// A time, kept in UTC with milliseconds.
        Date = "date",
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "email", "type": "string" }))]
pub struct Column {
    /// A letter, then letters, digits and underscores; up to 63.
    pub name: String,
    #[serde(rename = "type")]
    pub kind: ColumnType,
}

/// Refuses columns that cannot be a table's.
pub(super) fn check_columns(columns: &[Column]) -> Result<(), Error> {
    if columns.len() > MAX_COLUMNS {
        return Err(Error::invalid("/columns", "too_many", format!("at most {MAX_COLUMNS} columns are allowed")));
    }
    let mut faults = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let is_same = |other: &Column| other.name.eq_ignore_ascii_case(&column.name);
        let fault = if !is_name(&column.name) {
            ("column_name", "must be a letter, then up to 62 letters, digits and underscores")
        } else if SYSTEM.iter().any(|name| name.eq_ignore_ascii_case(&column.name)) {
            ("reserved", "is a column that every table has")
        } else if columns.iter().take(at).any(is_same) {
            ("duplicate", "is the name of another column")
        } else {
            continue;
        };
        let message = format!("\"{}\" {}", column.name, fault.1);
        faults.push(FieldError::new(format!("/columns/{at}/name"), fault.0, message));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

fn is_name(name: &str) -> bool {
    let is_letter = name.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
    is_letter && name.len() <= MAX_NAME && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// The value as it is kept. `Err`: what a value of this type is.
pub(super) fn kept(kind: ColumnType, value: &Value) -> Result<Value, &'static str> {
    match (kind, value) {
        (_, Value::Null | Value::Undefined) => Ok(Value::Null),
        (ColumnType::Text, Value::String(_)) | (ColumnType::Boolean, Value::Bool(_)) => Ok(value.clone()),
        (ColumnType::Number, Value::Number(number)) if number.is_finite() => Ok(value.clone()),
        (ColumnType::Date, Value::String(text)) => {
            time(text).map(|time| time.to_string().into()).ok_or("a time such as 2025-01-31T08:00:00Z")
        }
        (ColumnType::Text, _) => Err("a text"),
        (ColumnType::Number, _) => Err("a number"),
        (ColumnType::Boolean, _) => Err("true or false"),
        (ColumnType::Date, _) => Err("a time such as 2025-01-31T08:00:00Z"),
    }
}

/// A moment, or a day as its beginning in UTC.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let whole = || text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse().ok().or_else(|| whole().map(|day| Timestamp::from_millis(day.timestamp().as_millisecond())))
}

/// The values of a row that fit its columns, those that are given alone. `at`: where they stand in the body.
pub(super) fn check_values(columns: &[Column], values: &Object, at: &str) -> Result<Object, Error> {
    let (mut found, mut faults, mut bytes) = (Object::new(), Vec::new(), 0);
    for (name, value) in values.iter() {
        let pointer = || format!("{at}/{name}");
        let Some(column) = columns.iter().find(|column| column.name == name.as_str()) else {
            let is_system = SYSTEM.contains(&name.as_str());
            let message = match is_system {
                true => format!("the column \"{name}\" is not for writing"),
                false => format!("unknown column name '{name}'"),
            };
            faults.push(FieldError::new(pointer(), "unknown_column", message));
            continue;
        };
        match kept(column.kind, value) {
            Ok(value) => {
                bytes += name.len() + value.as_str().map_or(16, str::len);
                found.insert(name.clone(), value);
            }
            Err(wanted) => {
                let message = format!("value of column \"{name}\" must be {wanted}");
                faults.push(FieldError::new(pointer(), "wrong_type", message));
            }
        }
    }
    if bytes > MAX_ROW_BYTES {
        faults.push(FieldError::new(at, "too_large", "a row holds at most 1 MB"));
    }
    if faults.is_empty() { Ok(found) } else { Err(Error::Invalid(faults)) }
}
