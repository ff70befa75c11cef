//! Programs of Code and Function nodes.

use std::time::Duration;

use millrace_model::{ExecutionError, Object, Value};

use super::{World, json};
use crate::{Limits, Sandbox, Script, ScriptHost, ScriptKind, ScriptOutcome};

/// Answers `httpRequest` with what it was asked, and keeps static data.
#[derive(Default)]
struct Host {
    calls: Vec<(String, Value)>,
    static_data: Object,
}

impl ScriptHost for Host {
    fn call(&mut self, name: &str, arguments: Value) -> Result<Value, ExecutionError> {
        self.calls.push((name.into(), arguments));
        match name {
            "httpRequest" => Ok(json(r#"{"ok":true}"#)),
            _ => {
                let mut error = ExecutionError::api("no such door");
                error.http_code = Some("404".into());
                Err(error)
            }
        }
    }

    fn static_data(&self) -> Object {
        self.static_data.clone()
    }
}

fn world() -> World {
    World::of_items(r#"[{"json":{"n":1},"pairedItem":{"item":4}},{"json":{"n":2}}]"#)
}

fn run(world: &mut World, kind: ScriptKind, code: &str) -> Result<ScriptOutcome, ExecutionError> {
    let script = Script::new(code, kind);
    world.with(|sandbox, scope| sandbox.run_script(&script, scope, &mut Host::default()))
}

#[track_caller]
fn gives(kind: ScriptKind, table: &[(&str, &str)]) {
    let mut world = world();
    for (code, expected) in table {
        match run(&mut world, kind, code) {
            Ok(outcome) if outcome.value.is_undefined() => assert_eq!("undefined", *expected, "{code}"),
            Ok(outcome) => assert_eq!(outcome.value.to_json(), *expected, "{code}"),
            Err(error) => panic!("{code}: {error:?}"),
        }
    }
}

#[test]
fn code_over_all_items() {
    gives(
        ScriptKind::CodeAllItems,
        &[
            ("return items.map(i => ({ json: { m: i.json.n * 2 } }))", r#"[{"json":{"m":2}},{"json":{"m":4}}]"#),
            ("const items = $input.all(); return items.length", "2"),
            (
                "for (const item of $input.all()) { item.json.x = 1 }\nreturn $input.all()",
                r#"[{"json":{"n":1,"x":1},"pairedItem":{"item":0}},{"json":{"n":2,"x":1},"pairedItem":{"item":1}}]"#,
            ),
            ("return $input.first().json.x", "undefined"),
            ("return $('Start').last().json.n + $node['Start'].json.n", "3"),
            ("undeclared = 5; return undeclared", "5"),
            ("return await Promise.all([1, Promise.resolve(2)])", "[1,2]"),
            ("await new Promise(done => setTimeout(done, 50)); return 'waited'", r#""waited""#),
            ("return [typeof Reflect, typeof Proxy, typeof Promise]", r#"["object","function","function"]"#),
            ("return Buffer.from('grüß').toString('base64')", r#""Z3LDvMOf""#),
            ("return Buffer.from('Z3LDvMOf', 'base64').toString()", r#""grüß""#),
            ("return Buffer.from('00ff', 'hex').toString('hex') + btoa('abc') + atob('YWJj')", r#""00ffYWJjabc""#),
            ("return new TextDecoder().decode(new TextEncoder().encode('€𝄞'))", r#""€𝄞""#),
            ("return new Date(0)", r#""1970-01-01T00:00:00.000Z""#),
            ("return $now.toISO()", r#""2023-11-14T23:13:20.050+01:00""#),
            ("return process.env.REGION", r#""eu""#),
            ("return this.getMode() + this.getWorkflow().name", r#""triggertest flow""#),
            ("return helpers.returnJsonArray([{ a: 1 }])", r#"[{"json":{"a":1}}]"#),
        ],
    );
}

#[test]
fn code_for_each_item_and_function_nodes() {
    let mut each = world();
    each.item = 1;
    let outcome =
        run(&mut each, ScriptKind::CodeEachItem, "return { json: { twice: $json.n * 2, same: item.json.n } }");
    assert_eq!(outcome.unwrap().value.to_json(), r#"{"json":{"twice":4,"same":2}}"#);
    let outcome = run(&mut each, ScriptKind::FunctionItem, "item.n += 1; return item");
    assert_eq!(outcome.unwrap().value.to_json(), r#"{"n":3}"#);
    let outcome =
        run(&mut each, ScriptKind::FunctionItem, "setBinaryData({ a: { data: 'QQ==' } }); return item").unwrap();
    assert_eq!(outcome.binary.unwrap().to_json(), r#"{"a":{"data":"QQ=="}}"#);
    let outcome = run(&mut each, ScriptKind::Function, "items[0].json.n = 9; return items.slice(0, 1)").unwrap();
    assert_eq!(outcome.value.to_json(), r#"[{"json":{"n":9},"pairedItem":{"item":0}}]"#);
    each.gives(&[("={{ $input.first().json.n }}", "1")]);
}

#[test]
fn lines_are_logged() {
    let outcome =
        run(&mut world(), ScriptKind::CodeAllItems, "console.log('a', 1, { b: [2] }); console.error(null)").unwrap();
    assert_eq!(outcome.console, ["a 1 {\n  \"b\": [\n    2\n  ]\n}", "null"]);
}

#[test]
fn static_data_that_changed_comes_back() {
    let mut host = Host { static_data: Object::from([("global", json(r#"{"seen":1}"#))]), ..Host::default() };
    let code = "const s = $getWorkflowStaticData('global'); s.seen += 1; getWorkflowStaticData('node').mine = true; return s.seen";
    let script = Script::new(code, ScriptKind::CodeAllItems);
    let outcome = world().with(|sandbox, scope| sandbox.run_script(&script, scope, &mut host)).unwrap();
    assert_eq!(outcome.static_data.get("global").unwrap().to_json(), r#"{"seen":2}"#);
    assert_eq!(outcome.static_data.get("node:Here").unwrap().to_json(), r#"{"mine":true}"#);
    let untouched = Script::new("return getWorkflowStaticData('global').seen", ScriptKind::CodeAllItems);
    let outcome = world().with(|sandbox, scope| sandbox.run_script(&untouched, scope, &mut host)).unwrap();
    assert!(outcome.static_data.is_empty());
}

#[test]
fn helpers_and_custom_data_reach_the_host() {
    let mut host = Host::default();
    let code = "const r = await this.helpers.httpRequest({ url: 'https://x.test' });\n$execution.customData.set('k', 'v');\nreturn [r.ok, $execution.customData.get('k')]";
    let script = Script::new(code, ScriptKind::CodeAllItems);
    let mut world = world();
    let outcome = world.with(|sandbox, scope| sandbox.run_script(&script, scope, &mut host)).unwrap();
    assert_eq!(outcome.value.to_json(), r#"[true,"v"]"#);
    assert_eq!(host.calls[0].1.to_json(), r#"[{"url":"https://x.test"}]"#);
    assert_eq!(world.globals.custom_data.lock().unwrap().get("k"), Some(&"v".into()));
    let caught =
        Script::new("try { await helpers.request({}) } catch (e) { return e.message }", ScriptKind::CodeAllItems);
    let outcome = world.with(|sandbox, scope| sandbox.run_script(&caught, scope, &mut host)).unwrap();
    assert_eq!(outcome.value.to_json(), r#""no such door""#);
    let script = Script::new("await helpers.request({})", ScriptKind::CodeAllItems);
    let error = world.with(|sandbox, scope| sandbox.run_script(&script, scope, &mut host)).unwrap_err();
    assert_eq!((error.name.as_str(), error.http_code.as_deref()), ("NodeApiError", Some("404")));
}

#[test]
fn errors_say_where() {
    let table = [
        (
            "const a = 1;\nconst b = parseThings(a);\nreturn b",
            "parseThings is not defined [line 2]",
            "ReferenceError",
            2,
            11,
        ),
        ("missing()", "missing is not defined [line 1]", "ReferenceError", 1, 1),
        ("\n\nthrow new Error('no luck')", "no luck [line 3]", "Error", 3, 11),
        (
            "const o = {};\nreturn o.a.b",
            "Cannot read properties of undefined (reading 'b') [line 2]",
            "TypeError",
            2,
            8,
        ),
        ("return 1 +", "", "SyntaxError", 2, 0),
        ("require('fs')", "Cannot find module 'fs' [line 1]", "Error", 1, 1),
        ("await Promise.reject(new TypeError('late'))", "late [line 1]", "TypeError", 1, 0),
    ];
    for (code, message, name, line, column) in table {
        let error = run(&mut world(), ScriptKind::CodeAllItems, code).unwrap_err();
        if !message.is_empty() {
            assert_eq!(error.message, message, "{code}");
        }
        assert_eq!(error.name, name, "{code}");
        assert_eq!(error.line_number, Some(line), "{code}: {error:?}");
        if column > 0 {
            assert_eq!(error.context.get("columnNumber"), Some(&Value::from(column)), "{code}: {error:?}");
        }
    }
    let mut each = world();
    each.item = 1;
    let error = run(&mut each, ScriptKind::CodeEachItem, "throw new Error('bad')").unwrap_err();
    assert_eq!(error.message, "bad [line 1, for item 1]");
    let error = run(&mut each, ScriptKind::CodeAllItems, "throw 'just text'").unwrap_err();
    assert_eq!(error.message, "just text");
    let error = run(&mut each, ScriptKind::CodeAllItems, "return $('Nobody').first()").unwrap_err();
    assert_eq!(
        (error.name.as_str(), error.message.as_str()),
        ("ExpressionError", "Referenced node doesn't exist [line 1]")
    );
}

#[test]
fn hostile_scripts_are_stopped() {
    let mut world = world();
    world.sandbox =
        Sandbox::new(Limits { time: Duration::from_millis(150), memory: 32 << 20, stack: 256 << 10, output: 8 << 20 });
    let table = [
        ("while (true) {}", "time"),
        ("await null; while (true) {}", "time"),
        ("const f = async () => { while (true) await null }; await f()", "time"),
        ("const a = []; for (;;) a.push(new Uint8Array(1 << 20))", "memory"),
        ("let a = null; for (;;) a = { a }", "memory"),
        ("throw null", "memory"),
        ("return 'x'.repeat(9000000)", "output"),
        ("const a = {}; a.a = a; return a", "depth"),
    ];
    for (code, limit) in table {
        let error = run(&mut world, ScriptKind::CodeAllItems, code).unwrap_err();
        assert_eq!(error.context.get("limit").and_then(Value::as_str), Some(limit), "{code}: {error}");
        assert_eq!(run(&mut world, ScriptKind::CodeAllItems, "return 1").unwrap().value, Value::from(1));
    }
    for code in [
        "return new Function('return 1')()",
        "return eval('1')",
        "return (() => 1).constructor('return 1')()",
        "return (async () => 1).constructor('return 1')()",
    ] {
        let error = run(&mut world, ScriptKind::CodeAllItems, code).unwrap_err();
        assert!(error.message.contains("not supported") || error.message.contains("not allowed"), "{code}: {error}");
    }
    let error = run(&mut world, ScriptKind::CodeAllItems, "await new Promise(() => {})").unwrap_err();
    assert!(error.message.contains("never"), "{error}");
    let error = run(&mut world, ScriptKind::CodeAllItems, "await import('fs')").unwrap_err();
    assert!(!error.message.is_empty());
}

#[test]
fn a_hundred_thousand_objects_come_back() {
    let code = "return Array.from({ length: 100000 }, (_, i) => ({ json: { i, name: 'n' + i, even: i % 2 === 0 } }))";
    let outcome = run(&mut world(), ScriptKind::CodeAllItems, code).unwrap();
    assert_eq!(outcome.value.as_array().map(<[Value]>::len), Some(100_000));
    assert_eq!(outcome.value.pointer("99999.json.name").and_then(Value::as_str), Some("n99999"));
}

#[test]
fn changes_to_items_last_as_long_as_the_script() {
    let items: Vec<String> = (0..3000).map(|n| format!(r#"{{"json":{{"n":{n}}}}}"#)).collect();
    let mut world = World::of_items(&format!("[{}]", items.join(",")));
    let code = "for (let i = 0; i < 3000; i++) $('Start').all()[i].json.seen = i;
        $input.first().json.first = true;
        const again = $input.all();
        again.pop();
        return [$('Start').last().json.seen, again[0].json.first, $input.all().length, (1234.5).toLocaleString('en-US')]";
    let outcome = run(&mut world, ScriptKind::CodeAllItems, code).unwrap();
    assert_eq!(outcome.value.to_json(), r#"[2999,true,3000,"1,234.5"]"#);
    let outcome = run(&mut world, ScriptKind::CodeAllItems, "return $('Start').first().json.seen").unwrap();
    assert!(outcome.value.is_undefined());
}
