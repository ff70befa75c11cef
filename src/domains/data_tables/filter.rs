//! Which rows are meant: conditions on columns, checked against the table's. Pure.

use millrace_model::Value;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::Error;
use super::model::{Column, ColumnType, kept, time};
use crate::common::names::names;

/// Conditions of a filter.
const MAX_CONDITIONS: usize = 100;

names! {
    /// Do all conditions have to hold, or one of them?
    Combination {
        All = "and",
        Any = "or",
    }
}

names! {
    /// How a column is compared. Of null only `eq` and `neq` with null say anything, and `neq` with a value holds for it.
    Comparison {
        Eq = "eq",
        Neq = "neq",
        /// With `%` for any text and `_` for any letter.
        Like = "like",
        /// The same, whatever the case.
        Ilike = "ilike",
        Gt = "gt",
        Gte = "gte",
        Lt = "lt",
        Lte = "lte",
    }
}

/// Which rows. Without conditions: all of them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "type": "and", "filters": [{ "columnName": "status", "condition": "eq", "value": "pending" }]
}))]
pub struct Filter {
    #[serde(rename = "type", default = "all")]
    pub combination: Combination,
    #[serde(default)]
    pub filters: Vec<Condition>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    pub column_name: String,
    #[serde(default = "equal")]
    pub condition: Comparison,
    /// Of the column's type, or null.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub value: Value,
}

const fn all() -> Combination {
    Combination::All
}

const fn equal() -> Comparison {
    Comparison::Eq
}

impl Default for Filter {
    fn default() -> Filter {
        Filter { combination: all(), filters: Vec::new() }
    }
}

/// A filter that fits its table.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub combination: Combination,
    pub conditions: Vec<Test>,
}

/// One condition.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub place: Place,
    pub comparison: Comparison,
    /// Of the type of the place; null with `Eq` and `Neq` alone.
    pub value: Value,
}

/// What is compared or sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Id,
    CreatedAt,
    UpdatedAt,
    Column(Column),
}

impl Place {
    pub(super) fn of(columns: &[Column], name: &str) -> Option<Place> {
        match name {
            "id" => Some(Place::Id),
            "createdAt" => Some(Place::CreatedAt),
            "updatedAt" => Some(Place::UpdatedAt),
            name => columns.iter().find(|column| column.name == name).cloned().map(Place::Column),
        }
    }

    fn kind(&self) -> ColumnType {
        match self {
            Place::Id => ColumnType::Number,
            Place::CreatedAt | Place::UpdatedAt => ColumnType::Date,
            Place::Column(column) => column.kind,
        }
    }
}

impl Filter {
    /// `at`: where it stands in the body.
    pub(super) fn check(&self, columns: &[Column], at: &str) -> Result<Checked, Error> {
        if self.filters.len() > MAX_CONDITIONS {
            let message = format!("at most {MAX_CONDITIONS} conditions are allowed");
            return Err(Error::invalid(format!("{at}/filters"), "too_many", message));
        }
        let conditions = self.filters.iter().enumerate();
        let conditions =
            conditions.map(|(number, condition)| condition.check(columns, &format!("{at}/filters/{number}")));
        Ok(Checked { combination: self.combination, conditions: conditions.collect::<Result<_, _>>()? })
    }
}

impl Condition {
    fn check(&self, columns: &[Column], at: &str) -> Result<Test, Error> {
        let name = &self.column_name;
        let place = Place::of(columns, name).ok_or_else(|| {
            Error::invalid(format!("{at}/columnName"), "unknown_column", format!("unknown column name '{name}'"))
        })?;
        let value_at = format!("{at}/value");
        let (kind, comparison) = (place.kind(), self.condition);
        if matches!(comparison, Comparison::Like | Comparison::Ilike) && kind != ColumnType::Text {
            let message = format!("only columns of text can be compared so; \"{name}\" is of type {kind}");
            return Err(Error::invalid(format!("{at}/condition"), "wrong_type", message));
        }
        let value = kept(kind, &self.value).map_err(|wanted| {
            Error::invalid(&value_at, "wrong_type", format!("value for column \"{name}\" must be {wanted}"))
        })?;
        let value = match (&place, value.as_str()) {
            // The times of rows are kept as numbers.
            (Place::CreatedAt | Place::UpdatedAt, Some(text)) => {
                time(text).map_or(Value::Null, |time| Value::from(time.as_millis()))
            }
            _ => value,
        };
        if value.is_nullish() && !matches!(comparison, Comparison::Eq | Comparison::Neq) {
            return Err(Error::invalid(value_at, "missing", format!("\"{name}\" must be compared with a value")));
        }
        Ok(Test { place, comparison, value })
    }
}
