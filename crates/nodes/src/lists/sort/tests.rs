//! Sort, by tables.

use crate::testing::{links, trial};

fn by(fields: &str, options: &str) -> String {
    format!(r#"{{"sortFieldsUi": {{"sortField": [{fields}]}}, "options": {options}}}"#)
}

#[test]
fn sorts_by_fields() {
    let items =
        r#"[{"n": 2, "t": "b", "d": {"x": 1}}, {"n": 10, "t": "A", "d": {"x": 3}}, {"n": 2, "t": "a", "d": {"x": 2}}]"#;
    let table = [
        (r#"{"fieldName": "n"}"#, [0, 2, 1]),
        (r#"{"fieldName": "n", "order": "descending"}"#, [1, 0, 2]),
        (r#"{"fieldName": "t"}"#, [1, 2, 0]),
        (r#"{"fieldName": "d.x", "order": "descending"}"#, [1, 2, 0]),
        (r#"{"fieldName": "n"}, {"fieldName": "t"}"#, [2, 0, 1]),
    ];
    for (fields, expected) in table {
        let output = trial("sort").parameters(&by(fields, "{}")).input(items).output();
        assert_eq!(links(&output, 0).concat(), expected, "{fields}");
    }
}

#[test]
fn keeps_to_the_algorithm_where_values_have_no_order() {
    let table = [
        (r#"[{"v": 3}, {"w": 0}, {"v": 1}]"#, [0, 1, 2]),
        (r#"[{"v": null}, {"v": -1}, {"v": 1}]"#, [1, 0, 2]),
        (r#"[{"v": "10"}, {"v": 9}, {"v": 8}]"#, [2, 1, 0]),
    ];
    for (items, expected) in table {
        let output = trial("sort").parameters(&by(r#"{"fieldName": "v"}"#, "{}")).input(items).output();
        assert_eq!(links(&output, 0).concat(), expected, "{items}");
    }
}

#[test]
fn sorts_long_lists_without_order_within_bounds() {
    let items: Vec<String> = (0..500)
        .map(|at| if at % 3 == 0 { "{}".to_owned() } else { format!(r#"{{"v": {}}}"#, at * 7 % 100) })
        .collect();
    let items = format!("[{}]", items.join(","));
    let output = trial("sort").parameters(&by(r#"{"fieldName": "v"}"#, "{}")).input(&items).output();
    let mut places: Vec<u32> = links(&output, 0).concat();
    places.sort_unstable();
    assert_eq!(places, (0..500).collect::<Vec<u32>>());
}

#[test]
fn sorts_by_code() {
    let parameters = r#"{"type": "code", "code": "return b.json.n - a.json.n;"}"#;
    let trial_of = |parameters| trial("sort").parameters(parameters).input(r#"[{"n": 1}, {"n": 3}, {"n": 2}]"#);
    assert_eq!(trial_of(parameters).gives(), r#"[{"n":3},{"n":2},{"n":1}]"#);
    let error = trial_of(r#"{"type": "code", "code": "b.json.n - a.json.n"}"#).fails();
    assert_eq!(error.message, "Sort code doesn't return. Please add a 'return' statement to your code");
}

#[test]
fn sorts_by_code_as_node_does() {
    let items = r#"[{"n": 3, "k": 0}, {"n": 1, "k": 1}, {"n": 2, "k": 2}, {"n": 1, "k": 3}]"#;
    let table = [
        ("return a.json.n > b.json.n ? 1 : -1;", [3, 1, 2, 0]),
        ("return a.json.n > b.json.n;", [0, 1, 2, 3]),
        ("return -1;", [3, 2, 1, 0]),
        ("return 1;", [0, 1, 2, 3]),
    ];
    for (code, expected) in table {
        let trial = trial("sort").parameters(&format!(r#"{{"type": "code", "code": "{code}"}}"#)).input(items);
        assert_eq!(links(&trial.output(), 0).concat(), expected, "{code}");
    }
    let failing = trial("sort").parameters(r#"{"type": "code", "code": "return a.json.none.x"}"#).input(items).fails();
    assert!(failing.message.ends_with("[line 1]"), "{}", failing.message);
}

#[test]
fn shuffles_without_losing_any() {
    let output = trial("sort").parameters(r#"{"type": "random"}"#).input(r#"[{}, {}, {}, {}, {}]"#).output();
    let mut places = links(&output, 0).concat();
    assert_ne!(places, [0, 1, 2, 3, 4]);
    places.sort_unstable();
    assert_eq!(places, [0, 1, 2, 3, 4]);
}

#[test]
fn says_what_is_wrong() {
    let table = [
        ("", "{}", "No sorting specified. Please add a field to sort by"),
        (r#"{"fieldName": "x"}"#, "{}", "Couldn't find the field 'x' in the input data"),
        (
            r#"{"fieldName": "d.x"}"#,
            r#"{"disableDotNotation": true}"#,
            "Couldn't find the field 'd.x' in the input data",
        ),
    ];
    for (fields, options, message) in table {
        let error = trial("sort").parameters(&by(fields, options)).input(r#"[{"d": {"x": 1}}]"#).fails();
        assert_eq!(error.message, message);
    }
}
