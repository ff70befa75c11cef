//! Aggregate, by tables.

use crate::testing::{links, trial};

const ITEMS: &str = r#"[{"a": 1, "b": {"c": [1, null]}}, {"a": null, "b": {"c": [2]}}, {"b": {"c": 3}, "d": 4}]"#;

fn fields(entry: &str, options: &str) -> String {
    format!(r#"{{"fieldsToAggregate": {{"fieldToAggregate": [{entry}]}}, "options": {options}}}"#)
}

#[test]
fn collects_single_fields() {
    let renamed = r#"{"fieldToAggregate": "b.c", "renameField": true, "outputFieldName": "x.y"}"#;
    let table = [
        (r#"{"fieldToAggregate": "a"}"#, "{}", r#"[{"a":[1]}]"#),
        (r#"{"fieldToAggregate": "a"}"#, r#"{"keepMissing": true}"#, r#"[{"a":[1,null,null]}]"#),
        (r#"{"fieldToAggregate": "b.c"}"#, "{}", r#"[{"c":[[1],[2],3]}]"#),
        (r#"{"fieldToAggregate": "b.c"}"#, r#"{"mergeLists": true}"#, r#"[{"c":[1,2,3]}]"#),
        (renamed, "{}", r#"[{"x":{"y":[[1],[2],3]}}]"#),
        (renamed, r#"{"disableDotNotation": true}"#, r#"[{"x.y":[]}]"#),
        (r#"{"fieldToAggregate": "nowhere"}"#, "{}", r#"[{"nowhere":[]}]"#),
    ];
    for (entry, options, expected) in table {
        let trial = trial("aggregate").parameters(&fields(entry, options)).input(ITEMS);
        assert_eq!(trial.gives(), expected, "{entry} {options}");
        assert_eq!(links(&trial.output(), 0), [[0, 1, 2]]);
    }
}

#[test]
fn collects_whole_items() {
    let table = [
        (r#""destinationFieldName": "all""#, r#"[{"all":[{"a":1,"d":2},{"a":3}]}]"#),
        (r#""include": "specifiedFields", "fieldsToInclude": "d""#, r#"[{"data":[{"d":2}]}]"#),
        (r#""include": "allFieldsExcept", "fieldsToExclude": ["d"]"#, r#"[{"data":[{"a":1},{"a":3}]}]"#),
    ];
    for (more, expected) in table {
        let parameters = format!(r#"{{"aggregate": "aggregateAllItemData", {more}}}"#);
        let trial = trial("aggregate").parameters(&parameters).input(r#"[{"a": 1, "d": 2}, {"a": 3}]"#);
        assert_eq!(trial.gives(), expected, "{parameters}");
    }
}

#[test]
fn says_what_is_wrong() {
    let twice = r#"{"fieldToAggregate": "a"}, {"fieldToAggregate": "a"}"#;
    let table = [("", "No fields specified"), (twice, "The 'a' output field is used more than once")];
    for (entry, message) in table {
        assert_eq!(trial("aggregate").parameters(&fields(entry, "{}")).input(ITEMS).fails().message, message);
    }
}
