//! Columns of a table, and values as their types.

use jiff::tz::TimeZone;
use millrace_model::{ExecutionError, Object, Str, Value};

use crate::field_type::{FieldType, Rules, Typed, validate};

/// Columns that every table has.
const SYSTEM: [(&str, FieldType); 3] =
    [("id", FieldType::Number), ("createdAt", FieldType::DateTime), ("updatedAt", FieldType::DateTime)];

/// The columns of a table by their names.
pub(super) struct Columns(Vec<(Str, FieldType)>);

impl Columns {
    /// From the host's description of a table.
    pub(super) fn of(table: &Value) -> Columns {
        let columns = table.get("columns").and_then(Value::as_array).unwrap_or_default();
        let column = |column: &Value| {
            let kind = match column.get("type")?.as_str()? {
                "number" => FieldType::Number,
                "boolean" => FieldType::Boolean,
                "date" => FieldType::DateTime,
                _ => FieldType::String,
            };
            Some((column.get("name")?.to_js_string(), kind))
        };
        Columns(columns.iter().filter_map(column).collect())
    }

    /// The type of a column, one that every table has or one of its own.
    pub(super) fn kind(&self, name: &str) -> Option<FieldType> {
        let own = self.0.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind);
        own.or_else(|| SYSTEM.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind))
    }

    /// A row as the table takes it, without the columns that are not for writing.
    pub(super) fn row(&self, values: &Object, zone: &TimeZone) -> Result<Object, ExecutionError> {
        let mut row = Object::with_capacity(values.len());
        for (name, value) in values.iter() {
            if SYSTEM.iter().any(|(system, _)| system == name) {
                continue;
            }
            let kind = self.kind(name).ok_or_else(|| {
                ExecutionError::operation(format!("unknown column name '{name}'"))
                    .describe("The data table has no such column. Remove the field, or choose another table")
            })?;
            row.insert(name.clone(), converted(name, value, kind, zone)?);
        }
        Ok(row)
    }
}

/// A value as the type of its column.
pub(super) fn converted(name: &str, value: &Value, kind: FieldType, zone: &TimeZone) -> Result<Value, ExecutionError> {
    if value.is_nullish() {
        return Ok(Value::Null);
    }
    if matches!(value, Value::Object(_) | Value::Array(_)) {
        let message = format!("unexpected object input '{}' for column '{name}'", value.to_json());
        return Err(
            ExecutionError::operation(message).describe("A column holds a text, a number, a date, true or false")
        );
    }
    let rules = Rules { parse_strings: true, zone, ..Rules::LOOSE };
    match validate(name, value, kind, &rules) {
        Ok(Typed::Value(value)) => Ok(value),
        Ok(Typed::DateTime(date)) => {
            let time = jiff::Timestamp::from_millisecond(date.as_millisecond()).unwrap_or_default();
            Ok(time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into())
        }
        Err(reason) => Err(ExecutionError::operation(format!("Invalid input for '{name}'")).describe(reason)),
    }
}
