//! Old comparisons, by tables.

use millrace_model::Value;

use super::{holds, pass};
use crate::regular_expression::Patterns;

#[test]
fn compares_as_javascript_does() {
    let cases = [
        ("number", "equal", "1", r#""1""#, false),
        ("number", "larger", r#""10""#, "9", true),
        ("number", "larger", r#""10""#, r#""9""#, false),
        ("number", "smaller", "null", "1", true),
        ("number", "largerEqual", "null", "0", true),
        ("number", "isEmpty", "0", "null", false),
        ("string", "isEmpty", "{}", "null", true),
        ("string", "isNotEmpty", "[0]", "null", true),
        ("string", "contains", "12", "2", true),
        ("string", "notContains", "null", r#""a""#, true),
        ("string", "endsWith", r#""ab""#, r#""b""#, true),
        ("string", "notStartsWith", r#""ab""#, r#""b""#, true),
        ("string", "regex", r#""ab1""#, r#""/B\\d/i""#, true),
        ("string", "notRegex", r#""ab1""#, r#""^b""#, true),
        ("string", "equal", "{}", "{}", false),
        ("dateTime", "after", r#""2024-01-01T00:00:00Z""#, "0", true),
        ("dateTime", "before", r#""2024-01-01""#, r#""2024-01-02""#, true),
        ("boolean", "notEqual", "true", "false", true),
    ];
    for (kind, operation, left, right, expected) in cases {
        let (left, right) = (Value::from_json(left).unwrap(), Value::from_json(right).unwrap());
        let held = holds(kind, operation, &left, &right, &mut Patterns::default());
        assert_eq!(held, Ok(expected), "{left:?} {operation} {right:?}");
    }
}

#[test]
fn refuses_what_cannot_be_compared() {
    let cases = [
        ("string", "startsWith", "null", "Cannot read properties of null (reading 'startsWith')"),
        ("string", "notEndsWith", "5", "value1.endsWith is not a function"),
        ("string", "regex", r#""a""#, "Invalid regular expression: /(/: Unterminated group"),
        ("dateTime", "after", "null", "The value \"null\" is not a valid DateTime."),
        ("number", "isPrime", "7", "The comparison operation \"isPrime\" does not exist"),
    ];
    for (kind, operation, left, message) in cases {
        let left = Value::from_json(left).unwrap();
        let error = holds(kind, operation, &left, &"(".into(), &mut Patterns::default()).unwrap_err();
        assert_eq!(error.message, message);
    }
}

#[test]
fn joins_groups() {
    let groups = Value::from_json(
        r#"{"number": [{"value1": 1, "operation": "equal", "value2": 1}], "string": [{"value1": "a", "operation": "equal", "value2": "b"}]}"#,
    )
    .unwrap();
    assert_eq!(pass(&groups, true, &mut Patterns::default()), Ok(true));
    assert_eq!(pass(&groups, false, &mut Patterns::default()), Ok(false));
    assert_eq!(pass(&Value::Null, false, &mut Patterns::default()), Ok(true));
    assert_eq!(pass(&Value::Null, true, &mut Patterns::default()), Ok(false));
}
