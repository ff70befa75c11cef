//! Postgres, by tables: the statements that parameters and items make.

use millrace_model::Value;

use crate::testing::trial;

/// The statements that are sent, for the items.
fn statements(version: f64, parameters: &str, items: &str) -> Vec<String> {
    let trial = trial("postgres").version(version).parameters(parameters).input(items);
    trial.output();
    let sent = trial.world.services.lock().unwrap();
    let (name, arguments) = sent.last().expect("a call of the service");
    assert_eq!(name, "postgres.query");
    arguments
        .get("statements")
        .and_then(Value::as_array)
        .unwrap()
        .iter()
        .map(|text| text.to_js_string().into())
        .collect()
}

#[test]
fn operations_make_statements() {
    let table = r#""schema": {"__rl": true, "value": "public", "mode": "list"}, "table": {"__rl": true, "value": "we\"ird", "mode": "name"}"#;
    let cases = [
        (
            2.5,
            r#""operation": "insert", "columns": {"mappingMode": "defineBelow", "value": {"a": "={{ $json.x }}", "b": null, "c": [1, 2], "d": {"k": "v"}}}"#,
            r#"INSERT INTO "public"."we""ird" ("a", "b", "c", "d") VALUES ('it''s', NULL, ARRAY[1,2], '{"k":"v"}') RETURNING *"#,
        ),
        (
            2.0,
            r#""operation": "insert", "dataMode": "autoMapInputData", "options": {"outputColumns": ["x"], "skipOnConflict": true}"#,
            r#"INSERT INTO "public"."we""ird" ("x", "n") VALUES ('it''s', (-3)) ON CONFLICT DO NOTHING RETURNING "x""#,
        ),
        (
            2.5,
            r#""operation": "insert", "columns": {"mappingMode": "defineBelow", "value": {}}"#,
            r#"INSERT INTO "public"."we""ird" DEFAULT VALUES RETURNING *"#,
        ),
        (
            2.5,
            r#""operation": "upsert", "columns": {"mappingMode": "autoMapInputData", "matchingColumns": ["n"]}"#,
            r#"INSERT INTO "public"."we""ird" ("x", "n") VALUES ('it''s', (-3)) ON CONFLICT ("n") DO UPDATE SET "x" = EXCLUDED."x" RETURNING *"#,
        ),
        (
            2.0,
            r#""operation": "update", "dataMode": "defineBelow", "columnToMatchOn": "id", "valueToMatchOn": 7, "valuesToSend": {"values": [{"column": "x", "value": ""}]}, "options": {"replaceEmptyStrings": true}"#,
            r#"UPDATE "public"."we""ird" SET "x" = NULL WHERE "id" = 7 RETURNING *"#,
        ),
        (
            2.5,
            r#""operation": "select", "where": {"values": [{"column": "a", "condition": "equal", "value": "x' OR '1'='1"}, {"column": "b", "condition": "IS NULL"}]}, "combineConditions": "OR", "sort": {"values": [{"column": "a", "direction": "DESC"}]}, "limit": 5"#,
            r#"SELECT * FROM "public"."we""ird" WHERE "a" = 'x'' OR ''1''=''1' OR "b" IS NULL ORDER BY "a" DESC LIMIT 5"#,
        ),
        (2.5, r#""operation": "select", "returnAll": true"#, r#"SELECT * FROM "public"."we""ird""#),
        (
            2.5,
            r#""operation": "deleteTable", "deleteCommand": "truncate", "restartSequences": true, "options": {"cascade": true}"#,
            r#"TRUNCATE TABLE "public"."we""ird" RESTART IDENTITY CASCADE"#,
        ),
        (2.5, r#""operation": "deleteTable", "deleteCommand": "drop""#, r#"DROP TABLE IF EXISTS "public"."we""ird""#),
        (
            2.5,
            r#""operation": "deleteTable", "deleteCommand": "delete", "where": {"values": [{"column": "a", "condition": ">", "value": 1}]}"#,
            r#"DELETE FROM "public"."we""ird" WHERE "a" > 1"#,
        ),
    ];
    for (version, parameters, expected) in cases {
        let parameters = format!("{{{table}, {parameters}}}");
        let sent = statements(version, &parameters, r#"[{"x": "it's", "n": -3}]"#);
        assert_eq!(sent, [expected], "{parameters}");
    }
}

#[test]
fn queries_take_values() {
    let cases = [
        ("SELECT $1, $2", "={{ [1, 'a'] }}", "SELECT 1, 'a'"),
        ("SELECT 1-$1", "={{ -5 }}, x", "SELECT 1-(-5)"),
        ("SELECT $1:name FROM $2:name", "a\"b, t", "SELECT \"a\"\"b\" FROM \"t\""),
        ("SELECT * FROM t WHERE a IN ($1:csv)", "={{ [[1, 'x']] }}", "SELECT * FROM t WHERE a IN (1,'x')"),
        ("SELECT $1:json", "={{ [{a: 1}] }}", "SELECT '{\"a\":1}'"),
        (
            "SELECT '$1', \"$1\", $$ $1 $$, $t$ $1 $t$ -- $1\n, $1",
            "v",
            "SELECT '$1', \"$1\", $$ $1 $$, $t$ $1 $t$ -- $1\n, 'v'",
        ),
        ("SELECT $1", "={{ 'a\\\\b' }}", "SELECT  E'a\\\\b'"),
        ("SELECT {{ $json.n }}", "", "SELECT -3"),
        ("SELECT $1, $2", "={{ $json.x }}, {{ 'a,b' }}", "SELECT 'it''s', 'a,b'"),
        ("SELECT $1", "={{ '; DROP TABLE t; --' }}", "SELECT '; DROP TABLE t; --'"),
    ];
    for (query, replacement, expected) in cases {
        let options = millrace_model::Object::from([("queryReplacement", replacement.into())]);
        let parameters = millrace_model::Object::from([
            ("operation", "executeQuery".into()),
            ("query", query.into()),
            ("options", options.into()),
        ]);
        let sent = statements(2.6, &Value::from(parameters).to_json(), r#"[{"x": "it's", "n": -3}]"#);
        assert_eq!(sent, [expected], "{query} {replacement}");
    }
}

#[test]
fn version_1_names_columns() {
    let cases = [
        (
            r#"{"operation": "insert", "table": "t", "columns": "x, n:int", "returnFields": "x"}"#,
            r#"INSERT INTO "public"."t" ("x", "n") VALUES ('it''s', (-3)) RETURNING "x""#,
        ),
        (
            r#"{"operation": "update", "table": "t", "columns": "x", "updateKey": "n"}"#,
            r#"UPDATE "public"."t" SET "x" = 'it''s' WHERE "n" = (-3) RETURNING *"#,
        ),
        (
            r#"{"operation": "executeQuery", "query": "SELECT $1", "additionalFields": {"queryParams": "n"}}"#,
            "SELECT (-3)",
        ),
    ];
    for (parameters, expected) in cases {
        assert_eq!(statements(1.0, parameters, r#"[{"x": "it's", "n": -3}]"#), [expected], "{parameters}");
    }
}

#[test]
fn refuses_what_makes_no_statement() {
    let cases = [
        (r#"{"operation": "executeQuery", "query": ""}"#, "The query is empty"),
        (
            r#"{"operation": "executeQuery", "query": "SELECT $2", "options": {"queryReplacement": "a"}}"#,
            "The query uses $2, but there are only 1 values",
        ),
        (r#"{"operation": "select", "table": ""}"#, "A name of a table or column is empty"),
        (
            r#"{"operation": "select", "table": "t", "where": {"values": [{"column": "a", "condition": "; --"}]}}"#,
            "The condition \"; --\" does not exist",
        ),
        (
            r#"{"operation": "update", "table": "t", "columns": {"mappingMode": "autoMapInputData"}}"#,
            "There is no column to match on",
        ),
        (
            r#"{"operation": "update", "table": "t", "columns": {"mappingMode": "autoMapInputData", "matchingColumns": ["x"]}}"#,
            "There is nothing to update",
        ),
        (
            r#"{"operation": "upsert", "table": "t", "columns": {"mappingMode": "autoMapInputData", "matchingColumns": ["id"]}}"#,
            "The column \"id\" to match on has no value",
        ),
        (r#"{"operation": "nope"}"#, "The operation \"nope\" does not exist"),
    ];
    for (parameters, message) in cases {
        let error = trial("postgres").version(2.5).parameters(parameters).input(r#"[{"x": 1}]"#).fails();
        assert_eq!(error.message, message, "{parameters}");
        let went_on = trial("postgres").version(2.5).parameters(parameters).input(r#"[{"x": 1}]"#).goes_on().gives();
        assert_eq!(went_on, format!(r#"[{{"error":{}}}]"#, Value::from(message).to_json()), "{parameters}");
    }
}
