//! Engines that serve one run after the other: nothing of a run is left for the next.

use std::time::Duration;

use millrace_model::{ExecutionError, Value};

use super::World;
use crate::engine::spares;
use crate::realm::Kind;
use crate::{Clock, Limits, Sandbox, Script, ScriptHost, ScriptKind, Template};

struct NoHost;

impl ScriptHost for NoHost {
    fn call(&mut self, _: &str, _: Value) -> Result<Value, ExecutionError> {
        Ok(Value::Null)
    }
}

/// A world whose clock is the machine's: engines of a frozen clock serve one run only.
fn world() -> World {
    let mut world = World::of_items(r#"[{"json":{"n":7,"secret":"s3cret"}}]"#);
    world.globals.clock = Clock::System;
    world
}

/// Runs the code in a run of its own, and says what it gave.
fn run(code: &str) -> String {
    run_within(code, Limits::default())
}

fn run_within(code: &str, limits: Limits) -> String {
    let mut world = world();
    world.sandbox = Sandbox::new(limits);
    let script = Script::new(code, ScriptKind::CodeAllItems);
    match world.with(|sandbox, scope| sandbox.run_script(&script, scope, &mut NoHost)) {
        Ok(outcome) => outcome.value.to_json(),
        Err(error) => format!("{}: {}", error.name, error.message),
    }
}

fn evaluate(text: &str) -> String {
    let mut world = world();
    let template = Template::compile(text);
    world
        .with(|sandbox, scope| sandbox.evaluate(&template, scope))
        .map_or_else(|error| error.message.into(), |it| it.to_json())
}

/// What the code of one run may do to its engine.
const TRACES: [&str; 14] = [
    "leak = $json.secret; return 1",
    "this.leak = items; Object.prototype.leak = $json.secret; return 1",
    "Array.prototype.map = () => ['mine']; Array.prototype.push = Array.prototype.map; return 1",
    "JSON.parse = JSON.stringify = String = Number = Object = undefined; return 1",
    "const names = Object.getOwnPropertyNames(Array.prototype); for (const name of names) { try { delete Array.prototype[name] } catch {} } return 1",
    "Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.preventExtensions(Math); return 1",
    "Symbol.for('leak').description; ($input.first().json[Symbol.for('leak')] = 1); return 1",
    "Promise.resolve().then(() => { leak = 1 }); setTimeout(() => { leak = 2 }, 0); return 1",
    "const all = []; for (let at = 0; at < 20000; at++) all.push({ at, text: 'x'.repeat(at % 50) }); leak = all; return 1",
    "const big = []; for (let at = 0; at < 40; at++) big.push('y'.repeat(1 << 20)); leak = big.join('').length; return 1",
    "const circle = {}; circle.self = circle; leak = new WeakRef(circle); return 1",
    "Date.prototype.toISOString = () => 'never'; Math.random = () => 4; Function.prototype.call = null; return 1",
    "throw { toString() { leak = 1; throw this } }",
    "(async () => { for (;;) await null })(); return 1",
];

/// What a run finds that comes behind it.
const FINDINGS: [(&str, &str); 8] = [
    ("return typeof leak", r#""undefined""#),
    ("return [({}).leak, [].leak, this.leak]", "[null,null,null]"),
    ("return [1, 2].map((n) => n * 2).concat([5].filter(Boolean))", "[2,4,5]"),
    ("return JSON.parse(JSON.stringify({ n: Number(String(1)) }))", r#"{"n":1}"#),
    (
        "return Object.isFrozen(Object.prototype) || Object.isFrozen(Array.prototype) || !Object.isExtensible(Math)",
        "false",
    ),
    ("return new Date(0).toISOString()", r#""1970-01-01T00:00:00.000Z""#),
    ("return Math.random() < 1 && Math.random() !== Math.random()", "true"),
    ("return $input.all().map((item) => item.json.n)", "[7]"),
];

#[test]
fn a_run_leaves_nothing_for_the_next() {
    assert_eq!(run("return 1"), "1");
    for trace in TRACES {
        let limits = Limits { time: Duration::from_secs(2), ..Limits::default() };
        let before = spares(Kind::Script);
        assert!(before > 0, "an engine is there for: {trace}");
        run_within(trace, limits);
        for (code, expected) in FINDINGS {
            assert_eq!(run(code), expected, "{code}\nbehind {trace}");
        }
        assert_eq!(evaluate("={{ [typeof leak, ({}).leak, [1].map(n => n)[0]] }}"), r#"["undefined",null,1]"#);
    }
}

#[test]
fn an_expression_leaves_nothing_for_the_next_run() {
    for _ in 0..20 {
        let taken =
            evaluate("={{ [Array.leak, (() => { Array.leak = 1; $json.leak = 1; return 2 })(), [3].map(n => n)[0]] }}");
        assert_eq!(taken, "[null,2,3]");
        assert_eq!(evaluate("={{ [$json.leak, Array.leak, [4].map(n => n)[0]] }}"), "[null,null,4]");
    }
    assert_eq!(spares(Kind::Expression), 1);
}

#[test]
fn chance_is_not_the_same_in_every_run() {
    let drawn: Vec<String> = (0..4).map(|_| run("return [Math.random(), Math.random()]")).collect();
    assert_eq!(spares(Kind::Script), 1, "all by one engine");
    for at in 1..drawn.len() {
        assert!(!drawn[..at].contains(&drawn[at]), "{drawn:?}");
    }
    let many = run(
        "const all = []; for (let at = 0; at < 1000; at++) all.push(Math.random()); return [new Set(all).size, all.every((n) => n >= 0 && n < 1)]",
    );
    assert_eq!(many, "[1000,true]");
    assert_eq!(
        run("return [Math.random.name, Math.random.length, `${Math.random}`.includes('native code')]"),
        r#"["random",0,true]"#
    );
}

#[test]
fn the_library_works_in_every_run() {
    let table = [
        (
            "return [$now.isValid, DateTime.fromISO('2024-05-10').plus({ days: 1 }).toISODate()]",
            r#"[true,"2024-05-11"]"#,
        ),
        ("return (1234.5).toLocaleString('de-DE')", r#""1.234,5""#),
        ("return $jmespath({ a: [1, 2] }, 'a[1]')", "2"),
    ];
    for round in 0..10 {
        for (code, expected) in table {
            assert_eq!(run(code), expected, "round {round}");
        }
    }
    assert_eq!(spares(Kind::Script), 1);
    assert_eq!(run("return (0.5).toLocaleString('fr-FR', { style: 'percent' }).length > 0"), "true");
    assert_eq!(spares(Kind::Script), 0, "its formatters are Rust's, and would never be freed");
    for _ in 0..10 {
        let taken = evaluate("={{ ['one two'.toTitleCase(), [1, 2].sum(), 'a'.hash('md5')].map(n => n) }}");
        assert_eq!(taken, r#"["One Two",3,"0cc175b9c0f1b6a831c399e269772661"]"#);
    }
}

#[test]
fn an_engine_that_broke_a_limit_serves_nobody_else() {
    assert_eq!(run("return 1"), "1");
    let short = Limits { time: Duration::from_millis(50), ..Limits::default() };
    let small = Limits { memory: 8 << 20, ..Limits::default() };
    for (code, limits) in
        [("for (;;);", short), ("const all = []; for (;;) all.push('x'.repeat(1e5) + all.length)", small)]
    {
        assert_eq!(spares(Kind::Script), 1);
        let outcome = run_within(code, limits);
        assert!(outcome.contains("stopped") || outcome.contains("limit") || outcome.contains("memory"), "{outcome}");
        assert_eq!(spares(Kind::Script), 0);
        assert_eq!(run("return 'y'.repeat(20e6).length"), "20000000", "the next has limits of its own");
    }
}

#[test]
fn engines_go_from_thread_to_thread() {
    std::thread::scope(|threads| {
        for first in 0..4 {
            threads.spawn(move || {
                for round in 0..40 {
                    run_within(TRACES[(first + round) % 12], Limits::default());
                    let (code, expected) = FINDINGS[round % FINDINGS.len()];
                    assert_eq!(run(code), expected, "{code}");
                    assert_eq!(evaluate("={{ [$json.n, 1].map(n => n * 2) }}"), "[14,2]");
                }
            });
        }
    });
}
