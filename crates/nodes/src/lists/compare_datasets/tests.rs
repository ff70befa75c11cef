//! Compare Datasets, by tables.

use crate::testing::{links, shown, trial};

const A: &str = r#"[{"id": 1, "v": "x"}, {"id": 2, "v": "y"}, {"id": 3, "v": "z"}]"#;
const B: &str = r#"[{"id": 2, "v": "y"}, {"id": 3, "v": "changed", "w": 1}, {"id": 4}]"#;

fn on_id(more: &str) -> String {
    format!(r#"{{"mergeByFields": {{"values": [{{"field1": "id", "field2": "id"}}]}}{more}}}"#)
}

#[test]
fn sorts_items_into_four_outputs() {
    let output = trial("compareDatasets").parameters(&on_id("")).inputs(&[A, B]).output();
    let shown: Vec<String> = (0..4).map(|at| shown(&output, at)).collect();
    let different = r#"[{"keys":{"id":3},"same":{"id":3},"different":{"v":{"inputA":"z","inputB":"changed"},"w":{"inputA":null,"inputB":1}}}]"#;
    assert_eq!(shown, [r#"[{"id":1,"v":"x"}]"#, r#"[{"id":2,"v":"y"}]"#, different, r#"[{"id":4}]"#]);
    assert_eq!(links(&output, 2), [[2, 1]]);
    assert_eq!(links(&output, 3), [[2]]);
}

#[test]
fn resolves_differences() {
    let table = [
        (r#", "resolve": "preferInput1""#, r#"[{"id":3,"v":"z"}]"#),
        (r#", "resolve": "preferInput2""#, r#"[{"id":3,"v":"changed","w":1}]"#),
        (r#", "resolve": "mix", "exceptWhenMix": "v""#, r#"[{"id":3,"v":"changed"}]"#),
        (r#", "resolve": "mix", "preferWhenMix": "input2", "exceptWhenMix": "v""#, r#"[{"id":3,"v":"z","w":1}]"#),
        (r#", "options": {"skipFields": "v, w"}"#, "[]"),
    ];
    for (more, expected) in table {
        let output = trial("compareDatasets").parameters(&on_id(more)).inputs(&[A, B]).output();
        assert_eq!(shown(&output, 2), expected, "{more}");
    }
}

#[test]
fn compares_forgivingly_when_asked() {
    let a = r#"[{"id": "1", "n": null, "flag": true, "s": ""}]"#;
    let b = r#"[{"id": 1, "n": 0, "flag": "TRUE", "s": []}]"#;
    let table = [(r#", "fuzzyCompare": true"#, [0, 1, 0, 0]), ("", [1, 0, 0, 1])];
    for (more, counts) in table {
        let output = trial("compareDatasets").parameters(&on_id(more)).inputs(&[a, b]).output();
        let found: Vec<usize> = output.outputs.iter().map(|items| items.as_ref().unwrap().len()).collect();
        assert_eq!(found, counts, "{more}");
    }
}

#[test]
fn finds_one_or_all_matches() {
    let many = r#"[{"id": 1, "v": "p"}, {"id": 1, "v": "q"}]"#;
    let table = [("first", 1, 1), ("all", 2, 0)];
    for (matches, different, only_b) in table {
        let more = format!(r#", "options": {{"multipleMatches": "{matches}"}}"#);
        let output = trial("compareDatasets").parameters(&on_id(&more)).inputs(&[A, many]).output();
        let count = |at: usize| output.outputs[at].as_ref().unwrap().len();
        assert_eq!((count(2), count(3)), (different, only_b), "{matches}");
    }
}

#[test]
fn says_what_is_wrong() {
    let parameters = r#"{"mergeByFields": {"values": [{"field1": "zz", "field2": "id"}]}}"#;
    let trial_of = |version| trial("compareDatasets").version(version).parameters(parameters).inputs(&[A, B]);
    assert_eq!(trial_of(2.1).fails().message, "Field 'zz' is not present in any of items in 'Input A'");
    assert_eq!(links(&trial_of(2.2).output(), 0).len(), 3);
    let half = r#"{"mergeByFields": {"values": [{"field1": "id", "field2": ""}]}}"#;
    let message = trial("compareDatasets").parameters(half).inputs(&[A, B]).fails().message;
    assert!(message.starts_with("You need to define both fields"), "{message}");
    let none = trial("compareDatasets").inputs(&[A, B]).fails().message;
    assert!(none.starts_with("You need to define at least one pair"), "{none}");
}
