//! The fast path against the engine: the same values over tables and over generated expressions and data.

use std::sync::{Arc, Mutex};

use millrace_model::{Item, Object, RunData, Str, Value, Workflow, items_of};
use proptest::prelude::*;

use super::compile;
use crate::sandbox::Form;
use crate::{Clock, Globals, Limits, NodeContexts, Sandbox, Scope, Template};

/// A run of a workflow of one node whose input is one item.
struct Run {
    workflow: Workflow,
    run_data: RunData,
    globals: Globals,
    contexts: NodeContexts,
}

impl Run {
    fn new() -> Run {
        let document = r#"{"id": "w1", "name": "Mill", "nodes": [
            {"id": "n", "name": "node", "type": "n8n-nodes-base.noOp", "typeVersion": 1, "position": [0, 0], "parameters": {}}
        ], "connections": {}}"#;
        let vars = Object::from([("rate", Value::from(1.5))]);
        Run {
            workflow: Workflow::parse(&Value::from_json(document).unwrap()).unwrap(),
            run_data: RunData::default(),
            globals: Globals {
                execution_id: "7".into(),
                mode: "manual".into(),
                resume_url: "http://localhost/resume".into(),
                resume_form_url: Str::new(),
                timezone: "UTC".into(),
                env: Arc::default(),
                vars: Arc::new(vars),
                secrets: Arc::default(),
                custom_data: Arc::new(Mutex::default()),
                clock: Clock::System,
            },
            contexts: NodeContexts::default(),
        }
    }

    fn with_scope<R>(&self, json: &Value, read: impl FnOnce(&Scope<'_>) -> R) -> R {
        let inputs = [Some(items_of([Item::new(json.clone())]))];
        read(&Scope {
            workflow: &self.workflow,
            run_data: &self.run_data,
            node: self.workflow.find("node").unwrap(),
            inputs: &inputs,
            source: &[None],
            run_index: 0,
            item_index: 0,
            contexts: &self.contexts,
            globals: &self.globals,
        })
    }
}

/// Both results as text: of the fast path (`None` where it declines) and of the engine.
fn both(run: &Run, sandbox: &mut Sandbox, template: &str, json: &Value) -> (Option<String>, String) {
    let template = Template::compile(template);
    run.with_scope(json, |scope| {
        let native = template.evaluate_natively(scope, usize::MAX).map(|value| format!("{value:?}"));
        let engine = sandbox.evaluate_in_engine(&template, scope, Form::default());
        let engine = engine.map_or_else(|error| error.to_string(), |value| format!("{value:?}"));
        (native, engine)
    })
}

fn sample() -> Value {
    Value::from_json(
        r#"{"n": 7, "f": 2.345, "zero": 0, "s": "Ann Lee", "empty": "", "t": true, "x": null, "list": [3, 1, 2],
            "words": ["a", "b"], "o": {"k": "v", "deep": {"n": 1}}, "num": " 42 ", "date": "2024-05-10T12:00:00.000Z",
            "umlaut": "größe", "emoji": "a😀b", "odd": {"toString": 1}, "money": "1,5", "nested": [[1], {"a": 2}]}"#,
    )
    .unwrap()
}

#[test]
fn takes_the_common_expressions_and_agrees_on_them() {
    let (run, json) = (Run::new(), sample());
    let mut sandbox = Sandbox::new(Limits::default());
    for expression in [
        "$json.n * 2",
        "$json.s.toUpperCase()",
        "$json['o'].deep?.n",
        "$json.missing?.deep.n",
        "$json.missing.deep",
        "$json.list[0] + $json.list[5]",
        "$json.list.length > 2 && $json.t",
        "$json.x ?? 'none'",
        "$json.empty || $json.s",
        "$json.n > 5 ? 'many' : 'few'",
        "`${$json.n} of ${$json.s}`",
        "{ a: $json.n, 'b c': [1, $json.s] }",
        "$json.num.toNumber() + 1",
        "$json.f.toFixed(1)",
        "$json.f.round(1)",
        "Math.round(-2.5) + Math.max(1, $json.n)",
        "$json.words.join(' + ')",
        "$json.list.includes(2)",
        "$json.s.split(' ').last()",
        "$json.s.includes('Lee') === true",
        "$json.umlaut.toUpperCase()",
        "$json.emoji.length",
        "typeof $json.x + typeof $json.gone",
        "$json.x.isEmpty()",
        "$json.o.isEmpty()",
        "$json.empty.isEmpty()",
        "$if($json.t, 'yes', $json.gone.deeper)",
        "$ifEmpty($json.empty, 5)",
        "$input.item.json.n + $input.first().json.n",
        "$itemIndex + $runIndex",
        "$workflow.name + $workflow.id + $execution.mode",
        "$vars.rate * 2",
        "'5' * '2' - -1",
        "1 / 0 > 1e300",
        "'b' > 'a' == true",
        "null == undefined",
        "parseInt('42px') + parseFloat(' 1.5 ')",
        "JSON.stringify($json.o)",
        "Object.keys($json.o)",
        "$json.s.replace('n', 'N').slice(-3)",
        "$json.n.toString().padStart(3, '0')",
        "($json.x || $json.zero) ?? 1",
        "-$json.n % 4",
        "$json.x + 1 + 'a' + null + undefined",
        "$json.n.isOdd() ? $json.list.sum() : 0;",
    ] {
        compile(expression).unwrap_or_else(|why| panic!("{expression}: {why:?}"));
        let (native, engine) = both(&run, &mut sandbox, &format!("={{{{ {expression} }}}}"), &json);
        assert_eq!(native.as_deref(), Some(engine.as_str()), "{expression}");
        let (native, engine) = both(&run, &mut sandbox, &format!("=<{{{{ {expression} }}}}>"), &json);
        assert_eq!(native.as_deref(), Some(engine.as_str()), "<{expression}>");
    }
}

#[test]
fn leaves_to_the_engine_what_it_is_not_sure_of() {
    let (run, json) = (Run::new(), sample());
    for expression in [
        "$json.date.toInt()",
        "$json.odd + ''",
        "$json.toString",
        "$json.o == $json.o",
        "$json.money.toFloat()",
        "$json.emoji.slice(1)",
        "(2.5).toFixed(0)",
        "$json.f.round(2)",
        "$json.nested + ''",
        "$json['pro' + 'totype']",
        "$json.x.first()",
        "$json.s[0]",
    ] {
        let program = compile(expression).unwrap_or_else(|why| panic!("{expression}: {why:?}"));
        assert_eq!(run.with_scope(&json, |scope| program.evaluate(scope)), None, "{expression}");
    }
    for expression in [
        "a ?? b || c",
        "$json.n || 1 ?? 2",
        "$json.constructor",
        "$json['__proto__']",
        "x => x",
        "[...$json.list]",
        "$json.list.map(n => n)",
        "$json.n = 5",
        "010 + 1",
        "'\\u0041'",
        "$now",
        "new Date()",
        "/a/.test('a')",
        "$json.s.toUpperCase",
        "1; 2",
        "",
        "$json.",
        "[1,,2]",
    ] {
        let native = compile(expression);
        // A method that is not called is a field as any other; what it gives is for the engine to say.
        if expression == "$json.s.toUpperCase" {
            assert_eq!(run.with_scope(&json, |scope| native.unwrap().evaluate(scope)), None);
        } else {
            assert!(native.is_err(), "{expression}: {native:?}");
        }
    }
    assert!(compile(&"(".repeat(100_000)).is_err());
    assert!(compile(&format!("1{}", "+1".repeat(5_000))).is_ok());
}

/// JSON values as items hold them.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1000..1000_i32).prop_map(Value::from),
        prop_oneof![Just(0.5), Just(-2.5), Just(1e21), Just(-0.0), Just(2.345), Just(1e-7)].prop_map(Value::from),
        prop_oneof![
            "[a-c ]{0,4}",
            "[0-9]{1,3}",
            Just("2024-05-10T12:00:00.000Z".to_owned()),
            Just("ß😀é".to_owned()),
            Just(" 1.50 ".to_owned())
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-d]", inner), 0..4).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(key, value)| (Str::from(key), value)).collect()
            )),
        ]
    })
}

/// Expressions over the fields `a` to `d`.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-d]".prop_map(|name| format!("$json.{name}")),
        ("[a-d]", "[a-d]").prop_map(|(outer, inner)| format!("$json.{outer}?.{inner}")),
        ("[a-d]", 0..3_u8).prop_map(|(name, index)| format!("$json.{name}[{index}]")),
        (-20..20_i32).prop_map(|number| format!("({number})")),
        prop_oneof![
            Just("'b'"),
            Just("\"12\""),
            Just("0.1"),
            Just("true"),
            Just("null"),
            Just("undefined"),
            Just("NaN"),
            Just("$itemIndex"),
            Just("$vars.rate"),
        ]
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operators = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "===", "!==", "<", "<=", ">", ">=", "&&", "||", "??",
        ]);
        let methods = prop::sample::select(vec![
            "toString()",
            "isEmpty()",
            "isNotEmpty()",
            "toUpperCase()",
            "toLowerCase()",
            "trim()",
            "includes('b')",
            "toNumber()",
            "toInt()",
            "toFloat()",
            "toBoolean()",
            "toFixed(2)",
            "round(1)",
            "floor()",
            "abs()",
            "join('-')",
            "first()",
            "last()",
            "sum()",
            "split(' ')",
            "slice(1)",
            "slice(-2, -1)",
            "substring(1, 2)",
            "indexOf('b')",
            "replaceAll('b', 'x')",
            "keys()",
            "values()",
            "padStart(3, '0')",
            "startsWith('a')",
            "endsWith('c')",
            "length",
            "isEven()",
            "at(1)",
            "max()",
            "trimEnd()",
        ]);
        let functions = prop::sample::select(vec![
            "Math.round",
            "Math.floor",
            "Math.abs",
            "Math.trunc",
            "Number",
            "String",
            "Boolean",
            "parseInt",
            "parseFloat",
            "Array.isArray",
            "JSON.stringify",
            "$not",
            "Object.keys",
            "Math.ceil",
        ]);
        prop_oneof![
            (inner.clone(), operators, inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            (inner.clone(), methods).prop_map(|(receiver, method)| format!("({receiver}).{method}")),
            (functions, inner.clone()).prop_map(|(function, argument)| format!("{function}({argument})")),
            (prop::sample::select(vec!["Math.min", "Math.max", "$ifEmpty", "$min"]), inner.clone(), inner.clone())
                .prop_map(|(function, left, right)| format!("{function}({left}, {right})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(test, yes, no)| format!("({test} ? {yes} : {no})")),
            inner.clone().prop_map(|operand| format!("!{operand}")),
            inner.clone().prop_map(|operand| format!("(typeof {operand})")),
            inner.clone().prop_map(|value| format!("`<${{{value}}}>`")),
            (inner.clone(), inner.clone()).prop_map(|(first, second)| format!("[{first}, {second}]")),
            (inner.clone(), inner).prop_map(|(first, second)| format!("({{ a: {first}, b: {second} }})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_engine(data in prop::collection::vec(values(), 4), sources in prop::collection::vec(expressions(), 4)) {
        thread_local!(static SANDBOX: std::cell::RefCell<(Run, Sandbox)> = std::cell::RefCell::new((Run::new(), Sandbox::new(Limits::default()))));
        let fields = ["a", "b", "c", "d"].into_iter().zip(data).map(|(key, value)| (Str::from(key), value));
        let json = Value::Object(fields.collect());
        SANDBOX.with_borrow_mut(|(run, sandbox)| {
            for source in &sources {
                for template in [format!("={{{{ {source} }}}}"), format!("=-{{{{ {source} }}}}")] {
                    if let (Some(native), engine) = both(run, sandbox, &template, &json) {
                        prop_assert_eq!(native, engine, "{} of {}", template, json.to_json());
                    }
                }
            }
            Ok(())
        })?;
    }
}
