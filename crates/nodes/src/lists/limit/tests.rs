//! Limit, by tables.

use crate::testing::{links, trial};

#[test]
fn keeps_the_first_or_last() {
    let table = [
        (r#"{}"#, "[0]", vec![vec![0]]),
        (r#"{"maxItems": 2}"#, "[0,1]", vec![vec![0], vec![1]]),
        (r#"{"maxItems": 2, "keep": "lastItems"}"#, "[2,3]", vec![vec![2], vec![3]]),
        (r#"{"maxItems": 9, "keep": "lastItems"}"#, "[0,1,2,3]", vec![vec![0], vec![1], vec![2], vec![3]]),
        (r#"{"maxItems": "={{ 1 + 1 }}"}"#, "[0,1]", vec![vec![0], vec![1]]),
        (r#"{"maxItems": -1}"#, "[0,1,2]", vec![vec![0], vec![1], vec![2]]),
        (r#"{"maxItems": 1.5, "keep": "lastItems"}"#, "[2,3]", vec![vec![2], vec![3]]),
        (r#"{"maxItems": 0}"#, "[]", vec![]),
    ];
    for (parameters, expected, linked) in table {
        let trial = trial("limit").parameters(parameters).input(r#"[{"n":0},{"n":1},{"n":2},{"n":3}]"#);
        let output = trial.output();
        let numbers = crate::testing::shown(&output, 0).replace(r#"{"n":"#, "").replace('}', "");
        assert_eq!(numbers, expected, "{parameters}");
        assert_eq!(links(&output, 0), linked, "{parameters}");
    }
}
