//! A context of JavaScript as tenants' code finds it: the proxies over the run, the library, and nothing else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

use millrace_model::Value;
use rquickjs::context::intrinsic;
use rquickjs::{Context, Ctx, Function, JsLifetime, Object as JsObject, Runtime, Value as JsValue};

use crate::bytecode::{self, Bytecode, SyntaxProblem};
use crate::convert::{Reader, Refusal};
use crate::rewrite::FORBIDDEN;
use crate::{Clock, Globals, frame, host, prelude};

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
    /// Functions of expressions by their compiled id.
    functions: RefCell<HashMap<u64, Function<'js>>>,
    /// `this` of expressions.
    pub(crate) nothing: JsObject<'js>,
    pub(crate) describe: Function<'js>,
    pub(crate) plain: Function<'js>,
    pub(crate) text_of: Function<'js>,
    pub(crate) well_formed: Function<'js>,
    pub(crate) object_prototype: JsObject<'js>,
    /// What the part of this kind gives: `forget`, and for scripts `start`, `next`, `fire` and `changedStatics`.
    pub(crate) hooks: JsObject<'js>,
}

/// The realms of a runtime.
#[derive(Default, JsLifetime)]
struct Realms<'js> {
    expression: RefCell<Option<Rc<Realm<'js>>>>,
    script: RefCell<Option<Rc<Realm<'js>>>>,
}

impl<'js> Realms<'js> {
    fn slot(&self, kind: Kind) -> &RefCell<Option<Rc<Realm<'js>>>> {
        match kind {
            Kind::Expression => &self.expression,
            Kind::Script => &self.script,
        }
    }
}

struct Sources {
    realm: Result<Bytecode, SyntaxProblem>,
    expression: Result<Bytecode, SyntaxProblem>,
    script: Result<Bytecode, SyntaxProblem>,
}

static SOURCES: LazyLock<Sources> = LazyLock::new(|| {
    let compile = |name: &str, source: &str| bytecode::compile(name, &host::link(&with_constants(source)));
    Sources {
        realm: compile("realm", include_str!("js/realm.js")),
        expression: compile("expression", include_str!("js/expression.js")),
        script: compile("script", include_str!("js/script.js")),
    }
});

/// Names that stand for an empty object in n8n's expressions.
const ABSENT: [&str; 24] = [
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
    "setImmediate",
    "clearTimeout",
    "clearInterval",
    "fetch",
    "XMLHttpRequest",
    "Generator",
    "GeneratorFunction",
    "AsyncFunction",
    "AsyncGenerator",
    "AsyncGeneratorFunction",
    "WebAssembly",
    "require",
    "module",
];
/// Classes whose prototypes lose their way back to the class.
const CLASSES: [&str; 32] = [
    "Object",
    "Function",
    "Array",
    "String",
    "Number",
    "Boolean",
    "Symbol",
    "BigInt",
    "Date",
    "RegExp",
    "Error",
    "EvalError",
    "RangeError",
    "ReferenceError",
    "SyntaxError",
    "TypeError",
    "URIError",
    "InternalError",
    "AggregateError",
    "Map",
    "Set",
    "WeakMap",
    "WeakSet",
    "WeakRef",
    "FinalizationRegistry",
    "Promise",
    "Proxy",
    "ArrayBuffer",
    "Uint8Array",
    "DataView",
    "Iterator",
    "SuppressedError",
];
/// `process` as far as it says something harmless. The version is the line of Node whose behaviour is followed.
const PROCESS: &str = r#"{version: "v22.23.3", versions: {node: "22.23.3"}, platform: "linux", arch: "x64", pid: 1, ppid: 0, title: "node", argv: [], uptime: () => 0, release: {name: "node"}}"#;

fn with_constants(source: &str) -> String {
    let list = |names: &[&str]| serde_json::to_string(names).unwrap_or_default();
    source
        .replace("FORBIDDEN_NAMES", &list(&FORBIDDEN))
        .replace("ABSENT_NAMES", &list(&ABSENT))
        .replace("BUILT_IN_CLASSES", &list(&CLASSES))
        .replace("...PROCESS", &format!("...{PROCESS}"))
}

/// Makes a context and readies it.
pub(crate) fn create(runtime: &Runtime, kind: Kind, globals: &Globals, zone: &str) -> rquickjs::Result<Context> {
    let context = Context::custom::<Intrinsics>(runtime)?;
    context.with(|ctx| -> rquickjs::Result<()> {
        if ctx.userdata::<Realms<'_>>().is_none() {
            ctx.store_userdata(Realms::default()).map_err(|_| rquickjs::Error::Unknown)?;
        }
        let realm = Rc::new(install(&ctx, kind, globals, zone)?);
        let realms = ctx.userdata::<Realms<'_>>().ok_or(rquickjs::Error::Unknown)?;
        *realms.slot(kind).borrow_mut() = Some(realm);
        Ok(())
    })?;
    Ok(context)
}

fn install<'js>(ctx: &Ctx<'js>, kind: Kind, globals: &Globals, zone: &str) -> rquickjs::Result<Realm<'js>> {
    let load = |source: &Result<Bytecode, SyntaxProblem>| -> rquickjs::Result<Function<'js>> {
        let bytecode = source.as_ref().map_err(|_| rquickjs::Error::Unknown)?;
        bytecode::run(ctx, bytecode)?.into_function().ok_or(rquickjs::Error::Unknown)
    };
    let native = host::function(ctx)?;
    prelude::install(ctx)?;
    prelude::set_zone(ctx, zone)?;
    if matches!(globals.clock, Clock::Frozen(_)) {
        prelude::set_clock(ctx, host::clock(ctx)?)?;
    }
    let base: JsObject<'js> = load(&SOURCES.realm)?.call((native.clone(),))?;
    let own = match kind {
        Kind::Expression => &SOURCES.expression,
        Kind::Script => &SOURCES.script,
    };
    let hooks: JsObject<'js> = load(own)?.call((native, base.clone()))?;
    Ok(Realm {
        functions: RefCell::default(),
        nothing: JsObject::new(ctx.clone())?,
        describe: base.get("describe")?,
        plain: base.get("plain")?,
        text_of: base.get("textOf")?,
        well_formed: base.get("wellFormed")?,
        object_prototype: base.get("objectPrototype")?,
        hooks,
    })
}

/// The realm of the context that is running.
pub(crate) fn of<'js>(ctx: &Ctx<'js>, kind: Kind) -> rquickjs::Result<Rc<Realm<'js>>> {
    let realms = ctx.userdata::<Realms<'js>>().ok_or(rquickjs::Error::Unknown)?;
    let realm = realms.slot(kind).borrow().clone();
    realm.ok_or(rquickjs::Error::Unknown)
}

/// Copies an argument of a native function out.
pub(crate) fn read<'js>(ctx: &Ctx<'js>, value: &JsValue<'js>) -> rquickjs::Result<Value> {
    let script = frame::with(|frame| frame.console.is_some()).unwrap_or_default();
    let realm = of(ctx, if script { Kind::Script } else { Kind::Expression })?;
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
        let function = bytecode::run(ctx, bytecode)?.into_function().ok_or(rquickjs::Error::Unknown)?;
        self.functions.borrow_mut().insert(id, function.clone());
        Ok(function)
    }

    /// Forgets converted items and what expressions assigned.
    pub(crate) fn forget(&self) -> rquickjs::Result<()> {
        self.hooks.get::<_, Function<'js>>("forget")?.call(())
    }
}
