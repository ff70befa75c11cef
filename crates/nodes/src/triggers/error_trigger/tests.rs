//! Error Trigger.

use crate::testing::trial;

#[test]
fn shows_an_example_where_nothing_failed() {
    let example = trial("errorTrigger").gives();
    assert!(example.contains(r#""lastNodeExecuted":"Node With Error""#), "{example}");
    let given = r#"[{"execution":{"id":"5"}}]"#;
    assert_eq!(trial("errorTrigger").input(given).gives(), given);
}
