//! Data Table against a played host, by tables: what is asked of it, and what is made of its answers.

use crate::testing::{Trial, json, trial};

const TABLE: &str = r#"{"id": "t", "name": "things", "columns": [{"name": "title", "type": "string"}, {"name": "num", "type": "number"},
    {"name": "ok", "type": "boolean"}, {"name": "day", "type": "date"}]}"#;
const NAMED: &str = r#""dataTableId": {"__rl": true, "mode": "name", "value": "things"}"#;

fn rows(operation: &str, more: &str, answers: &[&str]) -> Trial {
    let answers: Vec<&str> = [TABLE].into_iter().chain(answers.iter().copied()).collect();
    trial("dataTable")
        .parameters(&format!(r#"{{"operation": "{operation}", {NAMED}, {more}}}"#))
        .world(|world| world.serving(&answers))
}

/// Name and arguments of the last call, without its table.
fn asked(trial: &Trial) -> (String, String) {
    let services = trial.world.services.lock().unwrap();
    let (name, arguments) = services.last().unwrap();
    let mut arguments = arguments.as_object().unwrap().clone();
    arguments.remove("table");
    (name.clone(), millrace_model::Value::Object(arguments).to_json())
}

fn conditions(list: &str) -> String {
    format!(r#""filters": {{"conditions": {list}}}, "returnAll": true"#)
}

#[test]
fn values_take_the_types_of_their_columns() {
    for (given, expected) in [
        (r#"{"title": 5, "num": "7", "ok": "true"}"#, r#"{"title":"5","num":7,"ok":true}"#),
        (r#"{"num": "", "ok": 1, "title": null}"#, r#"{"num":0,"ok":true,"title":null}"#),
        // A day is one of the workflow's zone.
        (r#"{"day": "2024-05-06"}"#, r#"{"day":"2024-05-06T04:00:00.000Z"}"#),
        (r#"{"day": "2024-05-07T08:09:10Z"}"#, r#"{"day":"2024-05-07T08:09:10.000Z"}"#),
        ("{}", "{}"),
        (r#"{"id": 3, "createdAt": "x", "title": "t"}"#, r#"{"title":"t"}"#),
    ] {
        let mapped = format!(r#""columns": {{"mappingMode": "defineBelow", "value": {given}}}"#);
        let trial = rows("insert", &mapped, &[r#"[{"id": 1}]"#]);
        assert_eq!(trial.gives(), r#"[{"id":1}]"#);
        assert_eq!(asked(&trial), ("dataTable.insert".into(), format!(r#"{{"rows":[{expected}]}}"#)), "{given}");
        let auto = r#""columns": {"mappingMode": "autoMapInputData", "value": null}"#;
        let trial = rows("insert", auto, &[r#"[{"id": 1}]"#]).input(&format!("[{given}]"));
        trial.gives();
        assert_eq!(asked(&trial).1, format!(r#"{{"rows":[{expected}]}}"#), "{given}");
    }
    for (given, message) in [
        (r#"{"num": "abc"}"#, "Invalid input for 'num'"),
        (r#"{"ok": "maybe"}"#, "Invalid input for 'ok'"),
        (r#"{"day": "gestern"}"#, "Invalid input for 'day'"),
        (r#"{"nope": 1}"#, "unknown column name 'nope'"),
        (r#"{"title": {"a": 1}}"#, r#"unexpected object input '{"a":1}' for column 'title'"#),
    ] {
        let mapped = format!(r#""columns": {{"mappingMode": "defineBelow", "value": {given}}}"#);
        let error = rows("insert", &mapped, &[]).fails();
        assert_eq!((error.message.as_str(), error.context.get("itemIndex")), (message, Some(&0.into())), "{given}");
    }
}

#[test]
fn rows_of_all_items_go_in_together() {
    let mapped = r#""columns": {"mappingMode": "autoMapInputData", "value": null}"#;
    let input = r#"[{"num": 1}, {"num": "x"}, {"num": 3}]"#;
    let trial = rows("insert", mapped, &[r#"[{"id": 1, "num": 1}, {"id": 2, "num": 3}]"#]).input(input).goes_on();
    let output = trial.output();
    assert_eq!(crate::testing::links(&output, 0), [[0], [1], [2]]);
    assert_eq!(
        crate::testing::shown(&output, 0),
        r#"[{"id":1,"num":1},{"error":"Invalid input for 'num'"},{"id":2,"num":3}]"#
    );
    assert_eq!(asked(&trial).1, r#"{"rows":[{"num":1},{"num":3}]}"#);
    let bulk = format!(r#"{mapped}, "options": {{"optimizeBulk": true}}"#);
    let trial = rows("insert", &bulk, &[r#"[{"id": 1}, {"id": 2}]"#]).input(r#"[{"num": 1}, {"num": 2}]"#);
    assert_eq!(trial.gives(), r#"[{"success":true,"insertedRows":2}]"#);
}

#[test]
fn conditions_become_filters() {
    for (condition, expected) in [
        (r#"{"keyName": "title", "condition": "eq", "keyValue": "A"}"#, r#""condition":"eq","value":"A""#),
        (r#"{"keyName": "num", "condition": "gte", "keyValue": "1"}"#, r#""condition":"gte","value":1"#),
        (r#"{"keyName": "id", "condition": "lt", "keyValue": 4}"#, r#""condition":"lt","value":4"#),
        (r#"{"keyName": "title", "condition": "like", "keyValue": "a"}"#, r#""condition":"like","value":"%a%""#),
        (r#"{"keyName": "title", "condition": "ilike", "keyValue": "a%"}"#, r#""condition":"ilike","value":"a%""#),
        (r#"{"keyName": "title", "condition": "isEmpty"}"#, r#""condition":"eq","value":null"#),
        (r#"{"keyName": "title", "condition": "isNotEmpty", "keyValue": "x"}"#, r#""condition":"neq","value":null"#),
        (r#"{"keyName": "ok", "condition": "isTrue"}"#, r#""condition":"eq","value":true"#),
        (r#"{"keyName": "ok", "condition": "isFalse"}"#, r#""condition":"eq","value":false"#),
        (
            r#"{"keyName": "createdAt", "condition": "gt", "keyValue": "2024-05-06T00:00:00Z"}"#,
            r#""condition":"gt","value":"2024-05-06T00:00:00.000Z""#,
        ),
    ] {
        let trial = rows("get", &conditions(&format!("[{condition}]")), &[r#"[{"id": 1}, {"id": 2}]"#]);
        assert_eq!(trial.gives(), r#"[{"id":1},{"id":2}]"#);
        let name = json(condition).get("keyName").unwrap().to_js_string();
        let filter = format!(r#"{{"filter":{{"type":"or","filters":[{{"columnName":"{name}",{expected}}}]}}}}"#);
        assert_eq!(asked(&trial), ("dataTable.get".into(), filter), "{condition}");
    }
    let all =
        rows("get", r#""matchType": "allConditions", "limit": 3, "orderBy": true, "orderByColumn": "num""#, &["[]"]);
    assert_eq!(all.gives(), "[]");
    assert_eq!(asked(&all).1, r#"{"filter":{"type":"and","filters":[]},"limit":3,"orderBy":"num","descending":true}"#);
    for (condition, message) in [
        (
            r#"{"keyName": "nope", "condition": "eq", "keyValue": 1}"#,
            "Filter validation failed: Column(s) \"nope\" do not exist in the selected table.",
        ),
        (r#"{"keyName": "num", "condition": "eq", "keyValue": "abc"}"#, "Invalid input for 'num'"),
    ] {
        assert_eq!(rows("get", &conditions(&format!("[{condition}]")), &[]).fails().message, message);
    }
}

#[test]
fn items_pass_where_a_row_exists_or_none_does() {
    for (operation, found, expected) in [
        ("rowExists", r#"[{"id": 1}]"#, r#"[{"k":1}]"#),
        ("rowExists", "[]", "[]"),
        ("rowNotExists", r#"[{"id": 1}]"#, "[]"),
        ("rowNotExists", "[]", r#"[{"k":1}]"#),
    ] {
        let trial = rows(operation, r#""filters": {"conditions": [{"keyName": "num", "keyValue": 1}]}"#, &[found]);
        let trial = trial.input(r#"[{"k": 1}]"#);
        assert_eq!(trial.gives(), expected, "{operation} {found}");
        assert!(asked(&trial).1.contains(r#""condition":"eq","value":1"#) && asked(&trial).1.contains(r#""limit":1"#));
    }
}

#[test]
fn changes_give_the_rows_and_trials_both_states() {
    let changed = r#"{"before": [{"id": 1, "num": 1}], "after": [{"id": 1, "num": 2}]}"#;
    let new = r#"{"before": [], "after": [{"num": 2, "ok": null, "id": 9, "createdAt": "c", "updatedAt": "u"}]}"#;
    let gone = r#"{"before": [{"id": 1, "num": 1}], "after": []}"#;
    let data = r#""columns": {"mappingMode": "defineBelow", "value": {"num": 2}}"#;
    for (operation, dry_run, answer, expected) in [
        ("update", false, changed, r#"[{"id":1,"num":2}]"#),
        ("upsert", false, new, r#"[{"num":2,"ok":null,"id":9,"createdAt":"c","updatedAt":"u"}]"#),
        ("deleteRows", false, gone, r#"[{"id":1,"num":1}]"#),
        (
            "update",
            true,
            changed,
            r#"[{"id":1,"num":1,"dryRunState":"before"},{"id":1,"num":2,"dryRunState":"after"}]"#,
        ),
        (
            "upsert",
            true,
            new,
            r#"[{"id":null,"createdAt":null,"updatedAt":null,"num":null,"dryRunState":"before"},{"id":0,"createdAt":"c","updatedAt":"u","num":2,"dryRunState":"after"}]"#,
        ),
        (
            "deleteRows",
            true,
            gone,
            r#"[{"id":1,"num":1,"dryRunState":"before"},{"id":null,"num":null,"dryRunState":"after"}]"#,
        ),
    ] {
        let more = format!(
            r#"{data}, "options": {{"dryRun": {dry_run}}}, "filters": {{"conditions": [{{"keyName": "num", "keyValue": 1}}]}}"#
        );
        let trial = rows(operation, &more, &[answer]);
        assert_eq!(trial.gives(), expected, "{operation} {dry_run}");
        assert!(asked(&trial).1.contains(&format!(r#""dryRun":{dry_run}"#)), "{:?}", asked(&trial));
    }
}

fn tables(operation: &str, more: &str, answers: &[&str]) -> Trial {
    trial("dataTable")
        .parameters(&format!(r#"{{"resource": "table", "operation": "{operation}", {NAMED}{more}}}"#))
        .world(|world| world.serving(answers))
}

#[test]
fn tables_are_made_listed_renamed_and_deleted() {
    let two = r#"[{"name": "b", "createdAt": "1"}, {"name": "Ab", "createdAt": "2"}]"#;
    let made = tables("create", r#", "tableName": "b", "options": {"createIfNotExists": false}"#, &[TABLE]);
    assert!(made.gives().contains("things"));
    assert_eq!(asked(&made), ("dataTable.createTable".into(), r#"{"name":"b","columns":[]}"#.into()));
    let there = tables("create", r#", "tableName": "b", "options": {"createIfNotExists": true}"#, &[two]);
    assert_eq!(there.gives(), r#"[{"name":"b","createdAt":"1"}]"#);
    for (more, expected) in [
        ("", ["Ab", "b"].as_slice()),
        (r#", "options": {"sortDirection": "desc"}"#, &["b", "Ab"]),
        (r#", "options": {"filterName": "A"}"#, &["Ab"]),
        (r#", "options": {"sortField": "createdAt"}"#, &["b", "Ab"]),
        (r#", "returnAll": false, "limit": 1"#, &["Ab"]),
    ] {
        let listed = json(&tables("list", more, &[two]).gives());
        let names: Vec<_> =
            listed.as_array().unwrap().iter().map(|table| table.get("name").unwrap().to_js_string()).collect();
        assert_eq!(names, expected, "{more}");
    }
    assert_eq!(
        tables("update", r#", "newName": "n"}"#.trim_end_matches('}'), &[TABLE]).gives(),
        r#"[{"success":true,"name":"n"}]"#
    );
    assert_eq!(tables("delete", "", &[TABLE]).gives(), r#"[{"success":true,"deletedTableId":"things"}]"#);
    let none = trial("dataTable").parameters(r#"{"operation": "get"}"#);
    assert_eq!(none.fails().message, "No data table is chosen");
}
