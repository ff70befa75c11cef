//! Conditions, by tables.

use jiff::tz::TimeZone;
use millrace_model::Value;

use super::Conditions;

fn hold(kind: &str, operation: &str, left: &str, right: &str, options: &str) -> Result<bool, (String, String)> {
    let (kind, right_kind) = kind.split_once('/').unwrap_or((kind, kind));
    let filter = format!(
        r#"{{"combinator": "and", "options": {options}, "conditions": [{{"leftValue": {left}, "rightValue": {right},
            "operator": {{"type": "{kind}", "rightType": "{right_kind}", "operation": "{operation}"}}}}]}}"#
    );
    let filter = Value::from_json(&filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    Conditions::parse(&filter)
        .hold(4, &TimeZone::UTC)
        .map_err(|error| (error.message.to_string(), error.description.unwrap_or_default().to_string()))
}

const STRICT: &str = r#"{"caseSensitive": true, "typeValidation": "strict", "version": 2}"#;
const LOOSE: &str = r#"{"caseSensitive": true, "typeValidation": "loose", "version": 3}"#;

#[test]
fn compares_values_of_each_type() {
    let cases = [
        ("string", "equals", r#""a""#, r#""a""#, true),
        ("string", "equals", r#""a""#, r#""A""#, false),
        ("string", "contains", r#""abc""#, r#""b""#, true),
        ("string", "notContains", "null", r#""b""#, true),
        ("string", "notStartsWith", r#""abc""#, r#""a""#, false),
        ("string", "endsWith", r#""abc""#, r#""bc""#, true),
        ("string", "regex", r#""Order 66""#, r#""/order \\d+/i""#, true),
        ("string", "notRegex", r#""abc""#, r#""^b""#, true),
        ("string", "empty", r#""""#, "null", true),
        ("string", "exists", "null", "null", false),
        ("string", "notExists", r#""""#, "null", false),
        ("number", "gt", "3", "2", true),
        ("number", "lte", "3", "2", false),
        ("number", "notEquals", "3", "3", false),
        ("number", "empty", "0", "null", false),
        ("number", "gt", "3", "null", true),
        ("dateTime", "after", r#""2024-02-01""#, r#""2024-01-31T23:59:59Z""#, true),
        ("dateTime", "equals", r#""2024-01-01T01:00:00+01:00""#, r#""2024-01-01T00:00:00Z""#, true),
        ("dateTime", "beforeOrEquals", r#""1 Feb 2024""#, r#""2024-02-01""#, true),
        ("dateTime", "before", "null", r#""2024-02-01""#, false),
        ("boolean", "true", "true", "null", true),
        ("boolean", "false", "true", "null", false),
        ("boolean", "notEquals", "true", "false", true),
        ("array/any", "contains", "[1, 2]", "2", true),
        ("array/any", "contains", "[[1]]", "[1]", false),
        ("array/number", "lengthGt", "[1, 2]", "1", true),
        ("array/number", "lengthEquals", "null", "0", true),
        ("object", "empty", "{}", "null", true),
        ("object", "notEmpty", r#"{"a": 1}"#, "null", true),
        ("string", "unheardOf", r#""a""#, r#""a""#, false),
    ];
    for (kind, operation, left, right, expected) in cases {
        let found = hold(kind, operation, left, right, STRICT);
        assert_eq!(found, Ok(expected), "{left} {kind}:{operation} {right}");
    }
}

#[test]
fn converts_where_types_are_loose() {
    let cases = [
        ("number", "equals", r#""15""#, "15", true),
        ("number", "empty", r#""  ""#, "null", true),
        ("boolean", "true", r#""yes""#, "null", true),
        ("boolean", "false", r#""false""#, "null", true),
        ("string", "equals", "15", r#""15""#, true),
        ("string", "contains", r#"{"a": 1}"#, r#""a""#, true),
        ("array/any", "contains", r#""[1, 2]""#, "2", true),
        ("object", "notEmpty", r#""{a: 1}""#, "null", true),
    ];
    for (kind, operation, left, right, expected) in cases {
        let found = hold(kind, operation, left, right, LOOSE);
        assert_eq!(found, Ok(expected), "{left} {kind}:{operation} {right}");
    }
    let first_version = r#"{"typeValidation": "loose"}"#;
    assert_eq!(hold("boolean", "true", r#""false""#, "null", first_version), Ok(true));
    assert_eq!(hold("string", "equals", r#""a""#, r#""A""#, first_version), Ok(true));
}

#[test]
fn says_which_value_has_the_wrong_type() {
    let cases = [
        (
            ("number", r#""x""#, "1", STRICT),
            "Wrong type: 'x' is a string but was expecting a number [condition 0, item 4]",
        ),
        (
            ("number", "1", r#""x""#, STRICT),
            "Wrong type: 'x' is a string but was expecting a number [condition 0, item 4]",
        ),
        (("array", "5", "5", STRICT), "Comparison type expects an array but both fields are a number"),
        (
            ("number", r#""x""#, "1", LOOSE),
            "Conversion error: the string 'x' can't be converted to a number [condition 0, item 4]",
        ),
        (
            ("object", "[1]", "{}", STRICT),
            "Wrong type: '1' is an object but was expecting an object [condition 0, item 4]",
        ),
    ];
    for ((kind, left, right, options), message) in cases {
        let (found, _) = hold(kind, "equals", left, right, options).unwrap_err();
        assert_eq!(found, message, "{left} {kind} {right}");
    }
    let (_, advice) = hold("number", "equals", "1", r#""x""#, STRICT).unwrap_err();
    assert!(advice.contains("Converting the second field to a number by adding <code>.toNumber()</code>"), "{advice}");
}

#[test]
fn joins_conditions() {
    let condition =
        |left: &str| format!(r#"{{"leftValue": {left}, "operator": {{"type": "boolean", "operation": "true"}}}}"#);
    let cases = [
        ("and", vec!["true", "true"], true),
        ("and", vec!["true", "false"], false),
        ("and", vec![], true),
        ("or", vec!["false", "true"], true),
        ("or", vec![], false),
        ("xor", vec!["true"], false),
    ];
    for (combinator, values, expected) in cases {
        let list: Vec<String> = values.iter().map(|value| condition(value)).collect();
        let filter = format!(r#"{{"combinator": "{combinator}", "conditions": [{}]}}"#, list.join(","));
        let conditions = Conditions::parse(&Value::from_json(&filter).unwrap());
        assert_eq!(conditions.hold(0, &TimeZone::UTC), Ok(expected), "{filter}");
    }
}

#[test]
fn takes_any_value_for_conditions() {
    for value in ["null", "5", "[]", r#"{"conditions": 5}"#, r#"{"combinator": "and", "conditions": [5, null, {}]}"#] {
        let conditions = Conditions::parse(&Value::from_json(value).unwrap());
        assert!(conditions.hold(0, &TimeZone::UTC).is_ok(), "{value}");
    }
}
