//! Code that means harm: nothing of the host is reached, limits hold, and the sandbox goes on working.

use std::time::{Duration, Instant};

use millrace_model::Value;

use super::World;
use crate::{Limits, Sandbox};

fn tight() -> World {
    let mut world = World::of_items(r#"[{"json":{"n":7}}]"#);
    world.sandbox =
        Sandbox::new(Limits { time: Duration::from_millis(200), memory: 16 << 20, stack: 256 << 10, output: 1 << 20 });
    world
}

#[test]
fn limits_stop_code_and_the_sandbox_goes_on() {
    let table = [
        ("={{ (() => { while (true) {} })() }}", "time"),
        ("={{ (() => { try { while (true) {} } catch { return 1 } finally { while (true) {} } })() }}", "time"),
        ("={{ /(a+)+b/.test('a'.repeat(40)) }}", "time"),
        ("={{ (() => { const a = []; while (true) a.push(new Uint8Array(1 << 20)) })() }}", "memory"),
        ("={{ 'x'.repeat(2000000) }}", "output"),
        ("={{ Array.from({ length: 200000 }, (_, i) => i) }}", "output"),
        ("={{ (() => { let a = []; for (let i = 0; i < 5000; i++) a = [a]; return a })() }}", "depth"),
        ("={{ (() => { let a = []; for (let i = 0; i < 100; i++) a = [a]; return a })() }}", "depth"),
    ];
    let mut world = tight();
    for (text, limit) in table {
        let started = Instant::now();
        let error = world.evaluate(text).unwrap_err();
        assert_eq!(error.context.get("limit").and_then(Value::as_str), Some(limit), "{text}: {error}");
        assert!(error.permanent, "{text}");
        assert!(started.elapsed() < Duration::from_secs(3), "{text}");
        world.gives(&[("={{ $json.n }}", "7")]);
    }
}

#[test]
fn endless_recursion_ends() {
    let mut world = tight();
    world.gives(&[
        ("={{ (function f() { return f() })() }}", "undefined"),
        ("={{ (function f(x) { return [x].map(f) })(1) }}", "undefined"),
        (
            "={{ JSON.stringify((() => { let a = []; for (let i = 0; i < 20000; i++) a = [a]; return a })()) }}",
            "undefined",
        ),
        ("={{ $json.n }}", "7"),
    ]);
    world.workflow.nodes[1].parameters.insert("loop", "={{ $parameter.loop }}");
    world.fails(&[("={{ $parameter.loop }}", "Parameters refer to each other in a circle")]);
}

#[test]
fn enormous_expressions_are_refused_or_evaluated() {
    let mut world = tight();
    let sum = format!("={{{{ 1{} }}}}", "+1".repeat(100_000));
    assert!(matches!(world.evaluate(&sum), Ok(Value::Number(100_001.0)) | Err(_)));
    let nested = format!("={{{{ {}1{} }}}}", "(".repeat(200_000), ")".repeat(200_000));
    assert!(world.evaluate(&nested).is_err());
    let text = format!("={{{{ '{}'.length }}}}", "x".repeat(10 << 20));
    let answer = world.evaluate(&text);
    assert!(matches!(answer, Ok(Value::Number(10_485_760.0)) | Err(_)), "{answer:?}");
    world.gives(&[("={{ $json.n }}", "7")]);
}

#[test]
fn no_way_leads_to_code_from_text() {
    let mut world = tight();
    world.fails(&[
        ("={{ ''.constructor }}", "Cannot access \"constructor\" due to security concerns"),
        ("={{ ''['constructor'] }}", "Cannot access \"constructor\" due to security concerns"),
        ("={{ ''['con' + 'structor'] }}", "Cannot access \"constructor\" due to security concerns"),
        (r"={{ ''.\u0063onstructor }}", "Cannot access \"constructor\" due to security concerns"),
        (r"={{ ''['\x63onstructor'] }}", "Cannot access \"constructor\" due to security concerns"),
        ("={{ ''?.['con'.concat('structor')] }}", "Cannot access \"constructor\" due to security concerns"),
        ("={{ (({ constructor: c }) => c)('') }}", "Cannot access \"constructor\" due to security concerns"),
        ("={{ [].map.call.constructor('return 1')() }}", "Expression contains invalid constructor function call"),
        ("={{ ({}).__proto__ }}", "Cannot access \"__proto__\" due to security concerns"),
        ("={{ Object.getPrototypeOf(async () => 1) }}", "Cannot access \"getPrototypeOf\" due to security concerns"),
        (
            "={{ (() => { const { ['con' + 'structor']: c } = ''; return typeof c })() }}",
            "Cannot access \"constructor\" due to security concerns",
        ),
        (
            "={{ (({ [`const` + `ructor`]: c }) => c)(() => 1) }}",
            "Cannot access \"constructor\" due to security concerns",
        ),
        ("={{ Array.prototype }}", "Cannot access \"prototype\" due to security concerns"),
        ("={{ (class extends Function {}) }}", "Cannot extend \"Function\" due to security concerns"),
        ("={{ with (Math) { max(1) } }}", "Cannot use \"with\" statements due to security concerns"),
    ]);
    world.gives(&[
        ("={{ eval }}", "{}"),
        ("={{ eval('1') }}", "undefined"),
        ("={{ (0, eval)('1') }}", "undefined"),
        ("={{ Function('return 1')() }}", "undefined"),
        ("={{ new Function('return 1')() }}", "undefined"),
        ("={{ globalThis }}", "{}"),
        ("={{ (function () { return this.eval })() }}", "{}"),
        ("={{ Reflect }}", "{}"),
        ("={{ Object['define' + 'Property'] }}", "undefined"),
        ("={{ import('std') }}", "{}"),
        ("={{ setTimeout(() => 1) }}", "undefined"),
        ("={{ require('fs') }}", "undefined"),
        ("={{ typeof process.exit }}", r#""undefined""#),
    ]);
}

#[test]
fn pollution_stays_where_it_was_made() {
    let mut world = tight();
    world.gives(&[
        ("={{ (() => { const p = { __proto__: { bad: 1 } }; return ({}).bad })() }}", "undefined"),
        ("={{ JSON.parse('{\"__proto__\": {\"bad\": 1} }').bad }}", "undefined"),
        ("={{ ({}).bad }}", "undefined"),
        ("={{ $json = null }}", "null"),
        ("={{ $json.n }}", "7"),
    ]);
    let mut other = tight();
    other.gives(&[("={{ ({}).bad }}", "undefined"), ("={{ [1].map(x => x) }}", "[1]")]);
}

#[test]
fn sandboxes_move_between_threads() {
    let mut world = tight();
    world.gives(&[("={{ $json.n }}", "7")]);
    let mut world = std::thread::spawn(move || {
        world.gives(&[("={{ $json.n + 1 }}", "8")]);
        world
    })
    .join()
    .unwrap();
    world.gives(&[("={{ $json.n + 2 }}", "9")]);
}
