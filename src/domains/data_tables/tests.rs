//! Columns, values and patterns, by tables.

use millrace_model::Value;

use super::filter::{Combination, Comparison, Condition, Filter};
use super::model::{Column, ColumnType, check_columns, check_values, kept};
use super::repository::glob;
use crate::common::Coded;

fn column(name: &str, kind: ColumnType) -> Column {
    Column { name: name.to_owned(), kind }
}

fn value(json: &str) -> Value {
    Value::from_json(json).unwrap()
}

#[test]
fn columns_have_names_of_their_own() {
    let long = "x".repeat(64);
    for (names, code) in [
        (vec!["a", "B_2"], None),
        (vec![""], Some("column_name")),
        (vec!["2a"], Some("column_name")),
        (vec!["a b"], Some("column_name")),
        (vec!["a'); DROP TABLE x; --"], Some("column_name")),
        (vec![long.as_str()], Some("column_name")),
        (vec!["ID"], Some("reserved")),
        (vec!["createdAt"], Some("reserved")),
        (vec!["a", "A"], Some("duplicate")),
    ] {
        let columns: Vec<Column> = names.iter().map(|name| column(name, ColumnType::Text)).collect();
        let found = check_columns(&columns).err().map(|error| error.field_errors()[0].code.to_string());
        assert_eq!(found.as_deref(), code, "{names:?}");
    }
    let many: Vec<Column> = (0..101).map(|number| column(&format!("c{number}"), ColumnType::Text)).collect();
    assert_eq!(check_columns(&many).unwrap_err().field_errors()[0].code, "too_many");
}

#[test]
fn values_have_the_type_of_their_column() {
    for (kind, given, expected) in [
        (ColumnType::Text, r#""a""#, Some(r#""a""#)),
        (ColumnType::Text, "1", None),
        (ColumnType::Text, "null", Some("null")),
        (ColumnType::Number, "1.5", Some("1.5")),
        (ColumnType::Number, r#""1""#, None),
        (ColumnType::Boolean, "true", Some("true")),
        (ColumnType::Boolean, "1", None),
        (ColumnType::Date, r#""2024-05-06""#, Some(r#""2024-05-06T00:00:00.000Z""#)),
        (ColumnType::Date, r#""2024-05-06T08:00:00+02:00""#, Some(r#""2024-05-06T06:00:00.000Z""#)),
        (ColumnType::Date, r#""yesterday""#, None),
        (ColumnType::Date, "5", None),
        (ColumnType::Text, r#"{"a": 1}"#, None),
    ] {
        let found = kept(kind, &value(given)).ok().map(|value| value.to_json());
        assert_eq!(found.as_deref(), expected, "{kind} {given}");
    }
    let columns = [column("a", ColumnType::Text)];
    for (row, pointer, code) in [
        (r#"{"b": 1}"#, "/data/0/b", "unknown_column"),
        (r#"{"id": 1}"#, "/data/0/id", "unknown_column"),
        (r#"{"a": 1}"#, "/data/0/a", "wrong_type"),
    ] {
        let fault = check_values(&columns, value(row).as_object().unwrap(), "/data/0").unwrap_err().field_errors();
        assert_eq!((fault[0].pointer.as_str(), &*fault[0].code), (pointer, code), "{row}");
    }
    let large = millrace_model::Object::from([("a", Value::from("x".repeat((1 << 20) + 1)))]);
    assert_eq!(check_values(&columns, &large, "/data/0").unwrap_err().field_errors()[0].code, "too_large");
}

#[test]
fn filters_fit_their_table() {
    let columns = [column("a", ColumnType::Text), column("n", ColumnType::Number)];
    for (name, comparison, given, code) in [
        ("a", Comparison::Eq, r#""x""#, None),
        ("a", Comparison::Eq, "null", None),
        ("id", Comparison::Gt, "1", None),
        ("createdAt", Comparison::Gt, r#""2024-05-06""#, None),
        ("createdAt", Comparison::Gt, "5", Some("wrong_type")),
        ("b", Comparison::Eq, "1", Some("unknown_column")),
        ("a\" OR 1=1 --", Comparison::Eq, "1", Some("unknown_column")),
        ("n", Comparison::Eq, r#""x""#, Some("wrong_type")),
        ("n", Comparison::Like, "1", Some("wrong_type")),
        ("n", Comparison::Gt, "null", Some("missing")),
    ] {
        let condition = Condition { column_name: name.to_owned(), condition: comparison, value: value(given) };
        let filter = Filter { combination: Combination::Any, filters: vec![condition] };
        let found = filter.check(&columns, "/filter").err().map(|error| error.field_errors()[0].code.to_string());
        assert_eq!(found.as_deref(), code, "{name} {comparison} {given}");
    }
}

#[test]
fn patterns_mean_the_same_in_both_languages() {
    for (like, expected) in [("%a_", "*a?"), ("*?[", "[*][?][[]"), ("100%", "100*"), ("a\\b", "a\\b"), ("", "")] {
        assert_eq!(glob(like), expected);
    }
}
