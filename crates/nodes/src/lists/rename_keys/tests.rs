//! Rename Keys, by tables.

use crate::testing::trial;

#[test]
fn renames() {
    let table = [
        (r#"{"keys": {"key": [{"currentKey": "a", "newKey": "z"}]}}"#, r#"[{"b":{"c":2},"z":1}]"#),
        (r#"{"keys": {"key": [{"currentKey": "b.c", "newKey": "b.d"}]}}"#, r#"[{"a":1,"b":{"d":2}}]"#),
        (r#"{"keys": {"key": [{"currentKey": "x", "newKey": "y"}]}}"#, r#"[{"a":1,"b":{"c":2}}]"#),
        (
            r#"{"additionalOptions": {"regexReplacement": {"replacements": [{"searchRegex": "^([A-C])$", "replaceRegex": "$1$1", "options": {"caseInsensitive": true}}]}}}"#,
            r#"[{"aa":1,"bb":{"cc":2}}]"#,
        ),
        (
            r#"{"additionalOptions": {"regexReplacement": {"replacements": [{"searchRegex": "b|c", "replaceRegex": "x", "options": {"depth": 0}}]}}}"#,
            r#"[{"a":1,"x":{"c":2}}]"#,
        ),
    ];
    for (parameters, expected) in table {
        assert_eq!(
            trial("renameKeys").parameters(parameters).input(r#"[{"a": 1, "b": {"c": 2}}]"#).gives(),
            expected,
            "{parameters}"
        );
    }
}

#[test]
fn refuses_bad_patterns() {
    let parameters =
        r#"{"additionalOptions": {"regexReplacement": {"replacements": [{"searchRegex": "(", "replaceRegex": "x"}]}}}"#;
    assert_eq!(trial("renameKeys").parameters(parameters).input(r#"[{"a": 1}]"#).fails().name, "SyntaxError");
}
