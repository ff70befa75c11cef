//! Scripts of Code and Function nodes: whole programs that may wait, log, keep static data and call their host.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use millrace_model::{ExecutionError, Object, Str, Value};
use rquickjs::{Ctx, Function, Object as JsObject, Value as JsValue};

use crate::bytecode::{self, Bytecode};
use crate::convert::{Reader, Refusal};
use crate::deadline::Deadline;
use crate::frame::{self, Frame};
use crate::realm::{self, Realm};
use crate::{Clock, Sandbox, Scope, thrown, wording};

/// What a script finds, and what its result means to its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptKind {
    /// Code node, all items at once: `items`, `$input`.
    CodeAllItems,
    /// Code node, for the scope's item: `item`, `$json`.
    CodeEachItem,
    /// Function node: `items`.
    Function,
    /// Function Item node: `item` is the JSON of the scope's item.
    FunctionItem,
}

/// A program of a node. Cloning shares it; it is compiled once, when it first runs.
#[derive(Clone)]
pub struct Script(Arc<Source>);

struct Source {
    id: u64,
    kind: ScriptKind,
    text: Str,
    compiled: OnceLock<Result<Bytecode, ExecutionError>>,
}

/// What a script may ask of the node that runs it. Calls are synchronous: the script waits.
pub trait ScriptHost {
    /// A helper such as `httpRequest`, with its arguments as an array.
    fn call(&mut self, name: &str, arguments: Value) -> Result<Value, ExecutionError>;

    /// Static data of the workflow as it is now: `global` and `node:<name>`.
    fn static_data(&self) -> Object {
        Object::new()
    }
}

/// What a script gave.
#[derive(Clone, Debug, Default)]
pub struct ScriptOutcome {
    /// What it returned.
    pub value: Value,
    /// Lines it logged.
    pub console: Vec<String>,
    /// Parts of the static data that it changed, by key (`global`, `node:<name>`).
    pub static_data: Object,
    /// Binaries set with `setBinaryData` (Function Item).
    pub binary: Option<Value>,
}

/// What stands before a script on its first line.
const OPENING: &str = "(async function () {";

impl Script {
    pub fn new(text: &str, kind: ScriptKind) -> Script {
        static IDS: AtomicU64 = AtomicU64::new(1);
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        Script(Arc::new(Source { id, kind, text: text.into(), compiled: OnceLock::new() }))
    }

    pub fn kind(&self) -> ScriptKind {
        self.0.kind
    }

    fn bytecode(&self) -> Result<&Bytecode, ExecutionError> {
        let compiled = self.0.compiled.get_or_init(|| {
            bytecode::compile("code", &format!("{OPENING}{}\n}})", self.0.text)).map_err(|problem| {
                let mut error = ExecutionError::new("SyntaxError", wording::like_node(&problem.message));
                error.permanent = true;
                position(&mut error, (problem.line, problem.column), None);
                error
            })
        });
        compiled.as_ref().map_err(ExecutionError::clone)
    }
}

impl Sandbox {
    /// Runs a script to its end, with everything it waits for. The error carries the line of the script.
    pub fn run_script(
        &mut self,
        script: &Script,
        scope: &Scope<'_>,
        host: &mut dyn ScriptHost,
    ) -> Result<ScriptOutcome, ExecutionError> {
        let item = matches!(script.0.kind, ScriptKind::CodeEachItem).then_some(scope.item_index);
        let bytecode = script.bytecode()?;
        let limits = self.limits();
        let (engine, lists) = self.script_engine(scope)?;
        let deadline = engine.deadline();
        lists.borrow_mut().clear();
        let console = RefCell::new(Vec::new());
        let frame = Frame { console: Some(&console), ..Frame::new(scope, lists) };
        let result = engine.context().with(|ctx| {
            let run = Run { ctx: &ctx, deadline, clock: &scope.globals.clock, output: limits.output, item };
            frame::with_host(host, || frame::enter(&frame, || run.script(script, bytecode)))
        });
        let timed_out = deadline.passed();
        if timed_out || result.as_ref().is_err_and(thrown::is_exhaustion) {
            self.discard_scripts();
        }
        if timed_out {
            return Err(thrown::time_exceeded(limits.time));
        }
        result.map(|outcome| ScriptOutcome { console: console.take(), ..outcome })
    }
}

struct Run<'a, 'js> {
    ctx: &'a Ctx<'js>,
    deadline: &'a Deadline,
    clock: &'a Clock,
    output: usize,
    item: Option<usize>,
}

impl<'js> Run<'_, 'js> {
    fn script(&self, script: &Script, bytecode: &Bytecode) -> Result<ScriptOutcome, ExecutionError> {
        let realm = realm::of(self.ctx).map_err(|_| thrown::engine_failed())?;
        let result = self.drive(&realm, script, bytecode);
        if realm.forget().is_err() {
            self.ctx.catch();
        }
        result
    }

    fn drive(&self, realm: &Realm<'js>, script: &Script, bytecode: &Bytecode) -> Result<ScriptOutcome, ExecutionError> {
        let caught = |_| self.failed(realm, &self.ctx.catch());
        let run = realm.function(self.ctx, script.0.id, bytecode).map_err(caught)?;
        let kind = match script.0.kind {
            ScriptKind::CodeAllItems => 0,
            ScriptKind::CodeEachItem => 1,
            ScriptKind::Function => 2,
            ScriptKind::FunctionItem => 3,
        };
        let state: JsObject<'js> = hook(realm, "start").and_then(|start| start.call((run, kind))).map_err(caught)?;
        self.settle(realm, &state)?;
        let value: JsValue<'js> = state.get("value").map_err(caught)?;
        if state.get("failed").unwrap_or_default() {
            return Err(self.failed(realm, &value));
        }
        let statics: JsValue<'js> = hook(realm, "changedStatics").and_then(|read| read.call(())).map_err(caught)?;
        let binary: JsValue<'js> = state.get("binary").map_err(caught)?;
        let mut reader = Reader::new(realm, self.output, false);
        let refused = |refusal| match refusal {
            Refusal::TooLarge => thrown::output_exceeded(),
            Refusal::TooDeep => thrown::nested_too_deeply(),
            Refusal::Thrown(_) => self.failed(realm, &self.ctx.catch()),
        };
        let value = reader.read(&value).map_err(refused)?;
        let statics = reader.read(&statics).map_err(refused)?;
        let binary = reader.read(&binary).map_err(refused)?;
        Ok(ScriptOutcome {
            value,
            console: Vec::new(),
            static_data: statics.as_object().cloned().unwrap_or_default(),
            binary: (!binary.is_undefined()).then_some(binary),
        })
    }

    /// Runs jobs and timers until the script has ended.
    fn settle(&self, realm: &Realm<'js>, state: &JsObject<'js>) -> Result<(), ExecutionError> {
        loop {
            while self.ctx.execute_pending_job() {
                if self.deadline.check() {
                    return Err(thrown::time_exceeded(Duration::ZERO));
                }
            }
            if self.deadline.passed() || state.get("done").unwrap_or(true) {
                return Ok(());
            }
            let caught = |_| self.failed(realm, &self.ctx.catch());
            let delay: f64 = hook(realm, "next").and_then(|next| next.call(())).map_err(caught)?;
            if delay < 0.0 {
                let message = "The code waits for something that never happens: a promise in it is never settled";
                return Err(ExecutionError::new("Error", message));
            }
            self.sleep(Duration::try_from_secs_f64(delay / 1000.0).unwrap_or(Duration::MAX));
            hook(realm, "fire").and_then(|fire| fire.call::<_, ()>(())).map_err(caught)?;
        }
    }

    /// Waits for a timer, at most until the deadline; a frozen clock moves on at once instead.
    fn sleep(&self, delay: Duration) {
        match self.clock {
            Clock::Frozen(at) => {
                let moved = i64::try_from(delay.as_millis()).unwrap_or_default();
                at.fetch_add(moved, Ordering::Relaxed);
            }
            Clock::System => {
                let left = self.deadline.remaining().unwrap_or(delay);
                std::thread::sleep(delay.min(left));
                self.deadline.check();
            }
        }
    }

    /// The error that a script threw, with the place in the script.
    fn failed(&self, realm: &Realm<'js>, thrown: &JsValue<'js>) -> ExecutionError {
        let mut error = thrown::by_script(self.ctx, realm, thrown);
        if thrown::is_exhaustion(&error) {
            return error;
        }
        error.message = wording::like_node(&error.message);
        let place = error.stack.as_deref().and_then(place_in_script);
        error.stack = None;
        match place {
            Some(place) => position(&mut error, place, self.item),
            None => {
                if let Some(item) = self.item {
                    error = error.at_item(item);
                }
            }
        }
        error
    }
}

fn hook<'js>(realm: &Realm<'js>, name: &str) -> rquickjs::Result<Function<'js>> {
    realm.hooks.get(name)
}

/// Line and column of the innermost frame that is in the script.
fn place_in_script(stack: &str) -> Option<(u32, u32)> {
    stack.lines().find(|line| line.contains("code:")).and_then(bytecode::last_position)
}

/// Adds n8n's ` [line N]` or ` [line N, for item I]` to the message, and the error's kind to its description.
fn position(error: &mut ExecutionError, (line, column): (u32, u32), item: Option<usize>) {
    let opening = u32::try_from(OPENING.len()).unwrap_or_default();
    let column = if line == 1 { column.saturating_sub(opening).max(1) } else { column };
    let place = match item {
        Some(item) => format!(" [line {line}, for item {item}]"),
        None => format!(" [line {line}]"),
    };
    error.message.push_str(&place);
    error.line_number = Some(line);
    error.context.insert("lineNumber", line);
    error.context.insert("columnNumber", column);
    if let Some(item) = item {
        error.context.insert("itemIndex", item);
    }
    if error.description.is_none() && error.name != "Error" {
        error.description = Some(format!("{} at line {line}, column {column}", error.name).into());
    }
}
