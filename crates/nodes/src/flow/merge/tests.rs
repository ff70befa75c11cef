//! Merge, by tables.

use millrace_model::{Object, Value};

use crate::testing::{links, trial};

const LEFT: &str = r#"[{"id": 1, "a": "x", "n": {"p": 1}}, {"id": 2, "a": "y"}]"#;
const RIGHT: &str = r#"[{"id": 2, "b": "z", "a": ""}, {"id": 3, "b": "w", "n": {"q": 2}}]"#;

fn merged(version: f64, parameters: &str) -> String {
    trial("merge").version(version).parameters(parameters).inputs(&[LEFT, RIGHT]).gives()
}

fn fields(more: &str) -> String {
    format!(r#"{{"mode": "combine", "fieldsToMatchString": "id", {more}}}"#)
}

#[test]
fn joins_by_fields() {
    let cases = [
        (r#""joinMode": "keepMatches""#, r#"[{"id":2,"a":"","b":"z"}]"#),
        (r#""joinMode": "keepMatches", "outputDataFrom": "input1""#, r#"[{"id":2,"a":"y"}]"#),
        (r#""joinMode": "keepMatches", "outputDataFrom": "input2""#, r#"[{"id":2,"b":"z","a":""}]"#),
        (
            r#""joinMode": "keepNonMatches""#,
            r#"[{"id":1,"a":"x","n":{"p":1},"_source":"input1"},{"id":3,"b":"w","n":{"q":2},"_source":"input2"}]"#,
        ),
        (r#""joinMode": "keepNonMatches", "outputDataFrom": "input1""#, r#"[{"id":1,"a":"x","n":{"p":1}}]"#),
        (
            r#""joinMode": "keepEverything""#,
            r#"[{"id":2,"a":"","b":"z"},{"id":1,"a":"x","n":{"p":1}},{"id":3,"b":"w","n":{"q":2}}]"#,
        ),
        (r#""joinMode": "enrichInput1""#, r#"[{"id":2,"a":"","b":"z"},{"id":1,"a":"x","n":{"p":1}}]"#),
        (r#""joinMode": "enrichInput2""#, r#"[{"id":2,"b":"z","a":"y"},{"id":3,"b":"w","n":{"q":2}}]"#),
    ];
    for (join, expected) in cases {
        assert_eq!(merged(3.0, &fields(join)), expected, "{join}");
    }
}

#[test]
fn settles_clashes_as_told() {
    let cases = [
        (r#"{"resolveClash": "addSuffix"}"#, r#"[{"id_1":2,"a_1":"y","id_2":2,"b_2":"z","a_2":""}]"#),
        (r#"{"resolveClash": "preferInput1"}"#, r#"[{"id":2,"b":"z","a":"y"}]"#),
        (r#"{"resolveClash": "preferLast"}"#, r#"[{"id":2,"a":"","b":"z"}]"#),
        (r#"{"resolveClash": "preferLast", "overrideEmpty": true}"#, r#"[{"id":2,"a":"y","b":"z"}]"#),
    ];
    for (clash, expected) in cases {
        let parameters = fields(&format!(r#""options": {{"clashHandling": {{"values": {clash}}}}}"#));
        assert_eq!(merged(3.0, &parameters), expected, "{clash}");
    }
}

#[test]
fn joins_by_position() {
    let position = |more: &str| format!(r#"{{"mode": "combine", "combineBy": "combineByPosition", {more}}}"#);
    let inputs = [LEFT, r#"[{"n": {"q": 2}}]"#];
    let cases = [
        (r#""options": {}"#, r#"[{"id":1,"a":"x","n":{"p":1,"q":2}}]"#),
        (r#""options": {"includeUnpaired": true}"#, r#"[{"id":1,"a":"x","n":{"p":1,"q":2}},{"id":2,"a":"y"}]"#),
        (
            r#""options": {"clashHandling": {"values": {"resolveClash": "preferInput1", "mergeMode": "shallowMerge"}}}"#,
            r#"[{"id":1,"a":"x","n":{"p":1}}]"#,
        ),
    ];
    for (more, expected) in cases {
        let given = trial("merge").parameters(&position(more)).inputs(&inputs);
        assert_eq!(given.gives(), expected, "{more}");
    }
    let three = trial("merge").parameters(&position(r#""numberInputs": 3"#));
    let output = three.inputs(&[r#"[{"a": 1}]"#, r#"[{"b": 2}]"#, r#"[{"c": 3}]"#]);
    assert_eq!(output.gives(), r#"[{"a":1,"b":2,"c":3}]"#);
    assert_eq!(links(&output.output(), 0), [[0, 0, 0]]);
}

#[test]
fn joins_each_with_each() {
    let parameters = r#"{"mode": "combine", "combineBy": "combineAll"}"#;
    let given = trial("merge").parameters(parameters).inputs(&[r#"[{"a": 1}, {"a": 2}]"#, r#"[{"b": 3}, {"b": 4}]"#]);
    assert_eq!(given.gives(), r#"[{"a":1,"b":3},{"a":1,"b":4},{"a":2,"b":3},{"a":2,"b":4}]"#);
    assert_eq!(links(&given.output(), 0), [[0, 0], [0, 1], [1, 0], [1, 1]]);
}

#[test]
fn appends_and_chooses() {
    let inputs = [r#"[{"a": 1}]"#, r#"[{"b": 2}]"#, r#"[{"c": 3}]"#];
    let cases = [
        (3.0, r#"{"numberInputs": 3}"#, r#"[{"a":1},{"b":2},{"c":3}]"#),
        (2.1, "{}", r#"[{"a":1},{"b":2}]"#),
        (2.0, r#"{"mode": "chooseBranch", "output": "input2"}"#, r#"[{"b":2}]"#),
        (2.0, r#"{"mode": "chooseBranch", "output": "empty"}"#, "[{}]"),
        (3.2, r#"{"mode": "chooseBranch", "numberInputs": 3, "useDataOfInput": 3}"#, r#"[{"c":3}]"#),
    ];
    for (version, parameters, expected) in cases {
        let given = trial("merge").version(version).parameters(parameters).inputs(&inputs).gives();
        assert_eq!(given, expected, "{version} {parameters}");
    }
    let missing = trial("merge").parameters(r#"{"mode": "chooseBranch", "useDataOfInput": 5}"#).inputs(&inputs).fails();
    assert_eq!(missing.message, "Input 5 doesn't exist");
}

#[test]
fn has_nothing_to_match_with_an_empty_input() {
    let cases = [
        ("keepMatches", "[]"),
        ("enrichInput1", r#"[{"id":1}]"#),
        ("enrichInput2", "[]"),
        ("keepEverything", r#"[{"id":1}]"#),
        ("keepNonMatches", r#"[{"id":1}]"#),
    ];
    for (join, expected) in cases {
        let parameters = fields(&format!(r#""joinMode": "{join}""#));
        let given = trial("merge").parameters(&parameters).inputs(&[r#"[{"id": 1}]"#, "[]"]).gives();
        assert_eq!(given, expected, "{join}");
    }
}

#[test]
fn compares_forgivingly_where_told() {
    let parameters = fields(r#""options": {"fuzzyCompare": true}"#);
    let given = trial("merge").parameters(&parameters).inputs(&[r#"[{"id": "1"}]"#, r#"[{"id": 1, "b": 2}]"#]).gives();
    assert_eq!(given, r#"[{"id":1,"b":2}]"#);
}

#[test]
fn refuses_fields_that_do_not_exist() {
    let parameters = r#"{"mode": "combine", "mergeByFields": {"values": [{"field1": "id", "field2": "nothing"}]}}"#;
    let error = trial("merge").version(2.0).parameters(parameters).inputs(&[LEFT, RIGHT]).fails();
    assert_eq!(error.message, "Field 'nothing' is not present in any of items in 'Input 2'");
    let none = trial("merge").parameters(r#"{"mode": "combine"}"#).inputs(&[LEFT, RIGHT]).fails();
    assert!(none.message.starts_with("You need to define at least one pair of fields"), "{}", none.message);
}

#[test]
fn knows_its_first_version() {
    let keys = r#""propertyName1": "id", "propertyName2": "id""#;
    let cases = [
        (
            "{}".to_owned(),
            r#"[{"id":1,"a":"x","n":{"p":1}},{"id":2,"a":"y"},{"id":2,"b":"z","a":""},{"id":3,"b":"w","n":{"q":2}}]"#,
        ),
        (format!(r#"{{"mode": "keepKeyMatches", {keys}}}"#), r#"[{"id":2,"a":"y"}]"#),
        (format!(r#"{{"mode": "removeKeyMatches", {keys}}}"#), r#"[{"id":1,"a":"x","n":{"p":1}}]"#),
        (format!(r#"{{"mode": "mergeByKey", {keys}}}"#), r#"[{"id":1,"a":"x","n":{"p":1}},{"id":2,"a":"","b":"z"}]"#),
        (
            format!(r#"{{"mode": "mergeByKey", "overwrite": "undefined", {keys}}}"#),
            r#"[{"id":1,"a":"x","n":{"p":1}},{"id":2,"a":"y","b":"z"}]"#,
        ),
        (
            r#"{"mode": "mergeByIndex"}"#.to_owned(),
            r#"[{"id":2,"a":"","n":{"p":1},"b":"z"},{"id":3,"a":"y","b":"w","n":{"q":2}}]"#,
        ),
        (
            r#"{"mode": "passThrough", "output": "input2"}"#.to_owned(),
            r#"[{"id":2,"b":"z","a":""},{"id":3,"b":"w","n":{"q":2}}]"#,
        ),
        (r#"{"mode": "wait"}"#.to_owned(), "[{}]"),
    ];
    for (parameters, expected) in cases {
        assert_eq!(merged(1.0, &parameters), expected, "{parameters}");
    }
}

fn queried(query: &str) -> crate::testing::Trial {
    let parameters = Object::from([("mode", "combineBySql".into()), ("query", query.into())]);
    let people = r#"[{"id": 1, "a": "x", "n": {"p": [1]}, "ok": true}, {"id": 2, "a": "y", "ok": false}]"#;
    trial("merge").parameters(&Value::from(parameters).to_json()).inputs(&[people, RIGHT])
}

#[test]
fn answers_queries() {
    let cases = [
        ("SELECT * FROM input1", r#"[{"id":1,"a":"x","n":{"p":[1]},"ok":true},{"id":2,"a":"y","ok":false}]"#),
        (
            "SELECT * FROM input1 LEFT JOIN input2 ON input1.id = input2.id",
            r#"[{"id":1,"a":"x","n":{"p":[1]},"ok":true},{"id":2,"a":"","ok":false,"b":"z"}]"#,
        ),
        ("SELECT input2.b, input1.a AS name FROM input1 JOIN input2 USING (id)", r#"[{"b":"z","name":"y"}]"#),
        ("SELECT count(1), sum(id) AS s FROM input1", r#"[{"COUNT(1)":2,"s":3}]"#),
        ("SELECT n->p AS p, upper(a) AS u FROM input1 WHERE ok", r#"[{"p":"[1]","u":"X"}]"#),
        ("SELECT `id`, [a] FROM input1 ORDER BY id DESC LIMIT 1", r#"[{"id":2,"a":"y"}]"#),
        ("SELECT id FROM input1 UNION SELECT id FROM input2", r#"[{"id":1},{"id":2},{"id":3}]"#),
        ("SELECT 'a->b' AS t, null AS n, 1.5 AS f", r#"[{"t":"a->b","f":1.5}]"#),
        ("SELECT id FROM input1; SELECT b FROM input2", r#"[{"id":1},{"id":2},{"b":"z"},{"b":"w"}]"#),
        ("SELECT a FROM input1 WHERE id = {{ 1 + 1 }}", r#"[{"a":"y"}]"#),
        ("SELECT a FROM input1 WHERE id > 5", "[]"),
        ("SELECT id/2 AS h, id||'/' AS t FROM input1", r#"[{"h":0.5,"t":"1/"},{"h":1,"t":"2/"}]"#),
        ("SELECT id/2 FROM input1 WHERE id = 1", r#"[{"id/2":0.5}]"#),
    ];
    for (query, expected) in cases {
        assert_eq!(queried(query).gives(), expected, "{query}");
    }
}

#[test]
fn what_is_null_in_an_item_stays_null() {
    let parameters = |query: &str| Object::from([("mode", "combineBySql".into()), ("query", query.into())]);
    let table = [
        ("SELECT * FROM input1", r#"[{"id":1,"v":null},{"id":2}]"#),
        ("SELECT v, id FROM input1", r#"[{"v":null,"id":1},{"id":2}]"#),
        ("SELECT * FROM input1 LEFT JOIN input2 ON input1.id = input2.id", r#"[{"id":1,"v":null},{"id":2,"b":"z"}]"#),
        ("SELECT max(v) AS m FROM input1", "[{}]"),
    ];
    for (query, expected) in table {
        let inputs = [r#"[{"id": 1, "v": null}, {"id": 2}]"#, r#"[{"id": 2, "b": "z"}]"#];
        let trial = trial("merge").parameters(&Value::from(parameters(query)).to_json()).inputs(&inputs);
        assert_eq!(trial.gives(), expected, "{query}");
    }
}

#[test]
fn links_rows_of_queries_to_their_items() {
    let cases = [
        ("SELECT * FROM input1", vec![vec![0], vec![1]]),
        ("SELECT input1.a, input2.b FROM input1 JOIN input2 ON input1.id = input2.id", vec![vec![1, 0]]),
        ("SELECT count(*) AS c FROM input1", vec![vec![]]),
        ("SELECT p.a FROM input1 AS p WHERE p.id = 1", vec![vec![0, 1, 0, 1]]),
    ];
    for (query, expected) in cases {
        assert_eq!(links(&queried(query).output(), 0), expected, "{query}");
    }
}

#[test]
fn refuses_queries_that_do_more_than_read() {
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let cases = [
        ("SELEC x", "near \"SELEC\": syntax error"),
        ("SELECT * FROM input3", "Table does not exist: input3"),
        ("SELECT nope FROM input1", "no such column: nope"),
        ("", "The query is empty"),
        ("DELETE FROM input1", "Only SELECT is allowed"),
        ("INSERT INTO input1 (id) VALUES (1)", "Only SELECT is allowed"),
        ("CREATE TABLE t (a)", "Only SELECT is allowed"),
        ("DROP TABLE input1", "Only SELECT is allowed"),
        ("PRAGMA max_page_count = 1000000000", "Only SELECT is allowed"),
        ("VACUUM INTO '/tmp/copied'", "Only SELECT is allowed"),
        ("ATTACH DATABASE '/etc/passwd' AS x", "Only SELECT is allowed"),
        ("SELECT load_extension('x')", "Only SELECT is allowed"),
        ("SELECT length(zeroblob(900000000))", "string or blob too big"),
        (endless, "The query took longer than 10 s"),
    ];
    for (query, reason) in cases {
        let error = queried(query).fails();
        assert_eq!(error.message, "Issue while executing query", "{query}");
        assert_eq!(error.description.as_deref(), Some(reason), "{query}");
    }
}

#[test]
fn only_queries_take_long() {
    let kind = crate::registry::find("n8n-nodes-base.merge").unwrap();
    for (mode, long) in [("combineBySql", true), ("append", false), ("combine", false)] {
        assert_eq!(kind.takes_long.unwrap()(&Object::from([("mode", mode.into())])), long, "{mode}");
    }
}
