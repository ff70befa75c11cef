//! Tables of cases, each run in a context of its own as expressions run: without `Eval`, in the zone of New York.

mod arrays;
mod dates;
mod intl;
mod objects;
mod strings;

use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Function, Runtime, Value, context::intrinsic};

use super::{EXTENSION_NAMES, bytecode::Code, install, set_clock, set_zone};

type Intrinsics = (
    intrinsic::Date,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
    intrinsic::WeakRef,
);

/// The present of every test: 2024-05-10T12:30:45.123Z, a Friday.
const NOW: f64 = 1_715_344_245_123.0;

/// Checks rows of (JavaScript, JSON of its value); `!name: message` stands for an error, `undefined` for itself.
pub(crate) fn check(rows: &[(&str, &str)]) {
    let runtime = Runtime::new().unwrap();
    let mut wrong = String::new();
    for (expression, expected) in rows {
        let context = Context::custom::<Intrinsics>(&runtime).unwrap();
        let found = context.with(|ctx| {
            install(&ctx).catch(&ctx).unwrap();
            set_zone(&ctx, "America/New_York").unwrap();
            set_clock(&ctx, Function::new(ctx.clone(), || NOW).unwrap()).unwrap();
            evaluate(&ctx, expression)
        });
        if found != *expected {
            wrong.push_str(&format!("{expression}\n  expected {expected}\n  found    {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// JSON of the value of a JavaScript expression, or its error.
pub(crate) fn evaluate(ctx: &Ctx<'_>, expression: &str) -> String {
    let code = Code::compile("test", &format!("export default () => (\n{expression}\n);")).unwrap();
    let value = code
        .run(ctx)
        .and_then(|module| module.get::<_, Function>("default"))
        .and_then(|run| run.call::<_, Value>(()))
        .and_then(|value| ctx.json_stringify(value));
    match value.catch(ctx) {
        Ok(Some(text)) => text.to_string().unwrap(),
        Ok(None) => "undefined".into(),
        Err(CaughtError::Exception(error)) => {
            let name: String = error.as_object().get("name").unwrap();
            format!("!{name}: {}", error.message().unwrap_or_default())
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_names_are_those_of_the_javascript() {
    let runtime = Runtime::new().unwrap();
    let context = Context::custom::<Intrinsics>(&runtime).unwrap();
    let mut found: Vec<String> = context.with(|ctx| {
        let load = super::host::load_function(&ctx).unwrap();
        let collect = Code::compile("names", include_str!("names.js")).unwrap();
        install(&ctx).unwrap();
        let collect: Function = collect.run(&ctx).unwrap().get("default").unwrap();
        collect.call::<_, Vec<String>>((load,)).catch(&ctx).unwrap()
    });
    found.sort();
    found.dedup();
    assert_eq!(found, EXTENSION_NAMES);
}

#[test]
fn dispatch() {
    check(&[
        ("extend(null, 'isEmpty')", "true"),
        ("extend(undefined, 'isNotEmpty', [])", "false"),
        (
            "extend(undefined, 'toTitleCase', [])",
            "!ExpressionExtensionError: toTitleCase can't be used on undefined value",
        ),
        ("extend(null, 'first', [])", "!ExpressionExtensionError: first can't be used on null value"),
        ("extend(5, 'chunk', [2])", "!ExpressionExtensionError: chunk() is only callable on type \"Array\""),
        (
            "extend(5, 'merge', [2])",
            "!ExpressionExtensionError: merge() is only callable on types \"Array\", and \"Object\"",
        ),
        ("extend([5], 'nothingSuch', [])", "!ExpressionExtensionError: Unknown expression function: nothingSuch"),
        ("extend(new Map([[1, 2]]), 'has', [1])", "true"),
        ("extend([3, 4], 'keys', []).next().value", "0"),
        ("extendOptional([3, 4], 'last')?.()", "4"),
        ("extendOptional(7, 'chunk')?.(1)", "undefined"),
        (
            "extend([], 'constructor', ['return 1'])",
            "!ExpressionExtensionError: Cannot access \"constructor\" via expression extension due to security concerns",
        ),
        ("extend('2024-05-10T12:00:00.000Z', 'plus', [1, 'day']).toISOString()", "\"2024-05-11T12:00:00.000Z\""),
    ]);
}
