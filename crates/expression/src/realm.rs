//! A context of JavaScript as tenants' code finds it: the proxies over the run, the library, and nothing else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::OnceLock;

use millrace_model::Value;
use rquickjs::context::intrinsic;
use rquickjs::{Context, Ctx, Function, JsLifetime, Object as JsObject, Runtime, Value as JsValue};

use crate::bytecode::{self, Bytecode, SyntaxProblem};
use crate::convert::{Reader, Refusal};
use crate::rewrite::FORBIDDEN;
use crate::{Clock, Globals, host, prelude};

/// Everything but `Eval`: no code is made from text in these contexts.
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

/// Bytes that a value may have which a native function reads.
const ARGUMENT_BYTES: usize = 64 << 20;

/// Whose code a realm runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Expression,
    Script,
}

/// Handles into a context.
#[derive(JsLifetime)]
pub(crate) struct Realm<'js> {
    /// Functions of expressions and scripts by their compiled id.
    functions: RefCell<HashMap<u64, Function<'js>>>,
    /// Held so that no code can make the engine free it.
    _native: Function<'js>,
    /// `this` of expressions.
    pub(crate) nothing: JsObject<'js>,
    pub(crate) object_prototype: JsObject<'js>,
    /// What both kinds stand on.
    base: JsObject<'js>,
    /// What the part of this kind gives: for expressions `forget`, for scripts `start`, `next`, `fire`, `changedStatics`.
    pub(crate) hooks: JsObject<'js>,
}

/// The realm of an engine.
#[derive(JsLifetime)]
struct Installed<'js>(Rc<Realm<'js>>);

/// The parts in JavaScript, compiled once per process; those from `nodes` on are loaded when they are needed.
const SOURCES: [(&str, &str); 7] = [
    ("realm", include_str!("js/realm.js")),
    ("expression", include_str!("js/expression.js")),
    ("script", include_str!("js/script.js")),
    ("nodes", include_str!("js/nodes.js")),
    ("rare", include_str!("js/rare.js")),
    ("outside", include_str!("js/outside.js")),
    ("texts", include_str!("js/texts.js")),
];

static COMPILED: [OnceLock<Result<Bytecode, SyntaxProblem>>; SOURCES.len()] =
    [const { OnceLock::new() }; SOURCES.len()];

/// Loads a part into a context: a function that takes what it stands on.
pub(crate) fn load<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Function<'js>> {
    let part = SOURCES.iter().zip(&COMPILED).find(|((part, _), _)| *part == name);
    let ((name, source), compiled) = part.ok_or(rquickjs::Error::Unknown)?;
    let compiled = compiled.get_or_init(|| bytecode::compile_bare(name, &host::link(&with_constants(source))));
    let bytecode = compiled.as_ref().map_err(|_| rquickjs::Error::Unknown)?;
    bytecode::run(ctx, bytecode)?.into_function().ok_or(rquickjs::Error::Unknown)
}

/// Built-in globals that expressions do not find.
const HIDDEN: [&str; 17] = [
    "globalThis",
    "eval",
    "Function",
    "Promise",
    "Reflect",
    "Proxy",
    "escape",
    "unescape",
    "queueMicrotask",
    "WeakRef",
    "FinalizationRegistry",
    "SharedArrayBuffer",
    "Atomics",
    "Iterator",
    "DisposableStack",
    "AsyncDisposableStack",
    "SuppressedError",
];
/// Names that stand for an empty object in n8n's expressions.
const ABSENT: [&str; 27] = [
    "document",
    "global",
    "window",
    "Window",
    "self",
    "alert",
    "prompt",
    "confirm",
    "uneval",
    "setTimeout",
    "setInterval",
    "fetch",
    "XMLHttpRequest",
    "Generator",
    "GeneratorFunction",
    "AsyncFunction",
    "AsyncGenerator",
    "AsyncGeneratorFunction",
    "WebAssembly",
    "globalThis",
    "eval",
    "Function",
    "Promise",
    "Reflect",
    "Proxy",
    "escape",
    "unescape",
];
/// Names of the library.
const LIBRARY: [&str; 22] = [
    "DateTime",
    "Duration",
    "Interval",
    "Intl",
    "$now",
    "$today",
    "min",
    "max",
    "average",
    "numberList",
    "zip",
    "not",
    "$min",
    "$max",
    "$average",
    "$not",
    "$ifEmpty",
    "$if",
    "$jmespath",
    "$jmesPath",
    "extend",
    "extendOptional",
];
/// `process` as far as it says something harmless. The version is the line of Node whose behaviour is followed.
const PROCESS: &str = r#"{version: "v22.23.3", versions: {node: "22.23.3"}, platform: "linux", arch: "x64", pid: 1, ppid: 0, title: "node", argv: [], uptime: () => 0, release: {name: "node"}}"#;

fn with_constants(source: &str) -> String {
    let list = |names: &[&str]| serde_json::to_string(names).unwrap_or_default();
    let getters: String = LIBRARY.iter().map(|name| format!("get {name}() {{ return library('{name}'); }},")).collect();
    source
        .replace("FORBIDDEN_NAMES", &list(&FORBIDDEN))
        .replace("ABSENT_NAMES", &list(&ABSENT))
        .replace("HIDDEN_NAMES", &list(&HIDDEN))
        .replace("LIBRARY_GETTERS", &getters)
        .replace("...PROCESS", &format!("...{PROCESS}"))
}

/// Makes a context and readies it.
pub(crate) fn create(runtime: &Runtime, kind: Kind, globals: &Globals, zone: &str) -> rquickjs::Result<Context> {
    let context = Context::custom::<Intrinsics>(runtime)?;
    context.with(|ctx| -> rquickjs::Result<()> {
        let realm = install(&ctx, kind, globals, zone)?;
        ctx.store_userdata(Installed(Rc::new(realm))).map_err(|_| rquickjs::Error::Unknown)?;
        Ok(())
    })?;
    Ok(context)
}

/// Lets go of all objects that are held for the code of a run. Is nothing left that only the engine's memory knows of?
pub(crate) fn let_go(context: &Context) -> bool {
    context.with(|ctx| {
        let Ok(realm) = of(&ctx) else { return false };
        realm.functions.borrow_mut().clear();
        !prelude::has_made_functions(&ctx)
    })
}

fn install<'js>(ctx: &Ctx<'js>, kind: Kind, globals: &Globals, zone: &str) -> rquickjs::Result<Realm<'js>> {
    let native = host::function(ctx)?;
    prelude::prepare(ctx)?;
    let base: JsObject<'js> = load(ctx, "realm")?.call((native.clone(),))?;
    let own = match kind {
        Kind::Expression => "expression",
        Kind::Script => "script",
    };
    if matches!(globals.clock, Clock::Frozen(_)) {
        // `Date` itself must tell the frozen time.
        install_library(ctx, base.get("natives")?, globals, zone)?;
        base.get::<_, Function<'js>>("skipLibrary")?.call::<_, ()>(())?;
    }
    let hooks: JsObject<'js> = load(ctx, own)?.call((native.clone(), base.clone()))?;
    Ok(Realm {
        functions: RefCell::default(),
        _native: native,
        nothing: JsObject::new(ctx.clone())?,
        object_prototype: base.get("objectPrototype")?,
        base,
        hooks,
    })
}

/// Puts the expression library into a context: extension methods, Luxon, Intl and n8n's functions.
pub(crate) fn install_library<'js>(
    ctx: &Ctx<'js>,
    natives: JsObject<'js>,
    globals: &Globals,
    zone: &str,
) -> rquickjs::Result<()> {
    prelude::install_with(ctx, natives)?;
    prelude::set_zone(ctx, zone)?;
    if matches!(globals.clock, Clock::Frozen(_)) {
        prelude::set_clock(ctx, host::clock(ctx)?)?;
    }
    ctx.globals().remove("__setZone")?;
    ctx.globals().remove("__setNow")
}

/// The realm of the context that is running.
pub(crate) fn of<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Rc<Realm<'js>>> {
    let installed = ctx.userdata::<Installed<'js>>().ok_or(rquickjs::Error::Unknown)?;
    Ok(Rc::clone(&installed.0))
}

/// Copies an argument of a native function out.
pub(crate) fn read<'js>(ctx: &Ctx<'js>, value: &JsValue<'js>) -> rquickjs::Result<Value> {
    let realm = of(ctx)?;
    match Reader::new(&realm, ARGUMENT_BYTES, false).read(value) {
        Ok(value) => Ok(value),
        Err(Refusal::Thrown(error)) => Err(error),
        Err(Refusal::TooLarge | Refusal::TooDeep) => {
            Err(rquickjs::Exception::throw_range(ctx, "the value is too large or nested too deeply"))
        }
    }
}

impl<'js> Realm<'js> {
    /// The function of a compiled expression or script, loaded when it is first called in this realm. `id` is unique
    /// among the code of a realm's kind.
    pub(crate) fn function(&self, ctx: &Ctx<'js>, id: u64, bytecode: &Bytecode) -> rquickjs::Result<Function<'js>> {
        if let Some(function) = self.functions.borrow().get(&id) {
            return Ok(function.clone());
        }
        if bytecode.is_locale_sensitive() {
            self.base.get::<_, Function<'js>>("library")?.call::<_, ()>(())?;
        }
        let function = bytecode::run(ctx, bytecode)?.into_function().ok_or(rquickjs::Error::Unknown)?;
        self.functions.borrow_mut().insert(id, function.clone());
        Ok(function)
    }

    /// A function of the part that few runs need.
    pub(crate) fn rare(&self, name: &str) -> rquickjs::Result<Function<'js>> {
        let rare: JsObject<'js> = self.base.get::<_, Function<'js>>("rare")?.call(())?;
        rare.get(name)
    }

    /// Forgets converted items and what expressions assigned.
    pub(crate) fn forget(&self) -> rquickjs::Result<()> {
        let own: Option<Function<'js>> = self.hooks.get("forget")?;
        match own {
            Some(forget) => forget.call(()),
            None => self.base.get::<_, Function<'js>>("forget")?.call(()),
        }
    }
}
