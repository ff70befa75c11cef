//! The sandbox of one run: engines of JavaScript, one for expressions and one for scripts, that it takes when it first needs
//! them, with limits on time, memory, stack and output. After a limit was exceeded the engine is thrown away and a fresh one
//! takes its place.

use std::cell::RefCell;
use std::time::Duration;

use millrace_model::{ExecutionError, Object, Str, Value};
use rquickjs::{Coerced, Ctx, FromJs, Value as JsValue};

use crate::convert::{self, Reader, Refusal};
use crate::engine::Engine;
use crate::frame::{self, Frame, Lists};
use crate::host::Answer;
use crate::realm::{self, Kind, Realm};
use crate::template::{Compiled, Expression, Part, Shape, Template};
use crate::{Globals, Scope, cache, host, thrown};

/// What one run may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of one expression or script.
    pub time: Duration,
    /// Bytes of an engine's heap.
    pub memory: usize,
    /// Bytes of stack; well below the stack of the threads that run sandboxes.
    pub stack: usize,
    /// Bytes of one result.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { time: Duration::from_secs(5), memory: 256 << 20, stack: 512 << 10, output: 256 << 20 }
    }
}

/// The sandbox of one run. It may move between threads, and is used by one at a time.
pub struct Sandbox {
    limits: Limits,
    expressions: Option<Engine>,
    scripts: Option<Engine>,
    lists: RefCell<Lists>,
}

/// Lists of items that may be remembered between two evaluations.
const MAX_LISTS: usize = 64;
/// Evaluations that may be nested by parameters that read parameters.
const MAX_DEPTH: u32 = 24;

impl Sandbox {
    pub fn new(limits: Limits) -> Sandbox {
        Sandbox { limits, expressions: None, scripts: None, lists: RefCell::default() }
    }

    /// The value of a template for an item.
    pub fn evaluate(&mut self, template: &Template, scope: &Scope<'_>) -> Result<Value, ExecutionError> {
        self.evaluate_form(template, scope, Form::default())
    }

    /// The same, with further names the expressions may read (such as `$response`).
    pub fn evaluate_with(
        &mut self,
        template: &Template,
        scope: &Scope<'_>,
        extra: &Object,
    ) -> Result<Value, ExecutionError> {
        self.evaluate_form(template, scope, Form { extra: Some(extra), ..Form::default() })
    }

    /// Resolves all expressions in a parameter value: strings that begin with `=`, at any depth.
    pub fn resolve(&mut self, value: &Value, scope: &Scope<'_>) -> Result<Value, ExecutionError> {
        self.resolve_form(value, scope, Form::default())
    }

    /// The same, with further names the expressions may read.
    pub fn resolve_with(&mut self, value: &Value, scope: &Scope<'_>, extra: &Object) -> Result<Value, ExecutionError> {
        self.resolve_form(value, scope, Form { extra: Some(extra), ..Form::default() })
    }

    pub(crate) fn resolve_form(
        &mut self,
        value: &Value,
        scope: &Scope<'_>,
        form: Form<'_>,
    ) -> Result<Value, ExecutionError> {
        match value {
            Value::String(text) if text.starts_with('=') => self.evaluate_form(&cache::template(text), scope, form),
            Value::Array(values) if values.iter().any(has_expression) => {
                let resolved: Result<Vec<Value>, _> =
                    values.iter().map(|value| self.resolve_form(value, scope, form)).collect();
                resolved.map(Value::from)
            }
            Value::Object(object) if object.values().any(has_expression) => {
                let mut resolved = object.clone();
                for (_, value) in resolved.values_mut().filter(|(_, value)| has_expression(value)) {
                    *value = self.resolve_form(value, scope, Form { siblings: Some(object), ..form })?;
                }
                Ok(Value::Object(resolved))
            }
            other => Ok(other.clone()),
        }
    }

    pub(crate) fn evaluate_form(
        &mut self,
        template: &Template,
        scope: &Scope<'_>,
        form: Form<'_>,
    ) -> Result<Value, ExecutionError> {
        let native = template.evaluate_natively(scope, self.limits.output);
        if let Some(value) = native.filter(|value| !form.tagged || is_json(value)) {
            return Ok(value);
        }
        self.evaluate_in_engine(template, scope, form)
    }

    /// The same without the fast path.
    pub(crate) fn evaluate_in_engine(
        &mut self,
        template: &Template,
        scope: &Scope<'_>,
        form: Form<'_>,
    ) -> Result<Value, ExecutionError> {
        let limits = self.limits;
        let engine = match &mut self.expressions {
            Some(engine) => engine,
            none => none.insert(Engine::take(Kind::Expression, limits, scope)?),
        };
        engine.deadline().start(limits.time);
        if self.lists.borrow().len() > MAX_LISTS {
            self.lists.borrow_mut().clear();
        }
        let frame = Frame {
            extra: form.extra,
            siblings: form.siblings,
            lenient: form.lenient,
            ..Frame::new(scope, &self.lists)
        };
        let evaluate = |ctx: Ctx<'_>| frame::enter(&frame, || evaluate_in(&ctx, template, limits.output, form.tagged));
        let result = engine.context().with(evaluate);
        let timed_out = engine.deadline().passed();
        if timed_out || result.as_ref().is_err_and(thrown::is_exhaustion) {
            self.expressions = None;
            self.lists.borrow_mut().clear();
        }
        let result = if timed_out { Err(thrown::time_exceeded(limits.time)) } else { result };
        result.map_err(|error| placed(error, scope))
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// The engine of scripts, with the lists it refers to; its time runs from now.
    pub(crate) fn script_engine(&mut self, scope: &Scope<'_>) -> Result<(&Engine, &RefCell<Lists>), ExecutionError> {
        let engine = match &mut self.scripts {
            Some(engine) => engine,
            none => none.insert(Engine::take(Kind::Script, self.limits, scope)?),
        };
        engine.deadline().start(self.limits.time);
        Ok((engine, &self.lists))
    }

    /// Throws the engine of scripts away: after a limit was exceeded its state is not to be relied on.
    pub(crate) fn discard_scripts(&mut self) {
        self.scripts = None;
        self.lists.borrow_mut().clear();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for engine in [self.expressions.take(), self.scripts.take()].into_iter().flatten() {
            engine.give_back();
        }
    }
}

/// How an evaluation differs from the ordinary.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Form<'a> {
    pub(crate) extra: Option<&'a Object>,
    pub(crate) siblings: Option<&'a Object>,
    pub(crate) lenient: bool,
    /// Keep types that JSON lacks as `{"$type": …}`.
    pub(crate) tagged: bool,
}

/// Says for which item and run an error came up.
fn placed(mut error: ExecutionError, scope: &Scope<'_>) -> ExecutionError {
    for (key, index) in [("runIndex", scope.run_index), ("itemIndex", scope.item_index)] {
        if !error.context.contains_key(key) {
            error.context.insert(key, index);
        }
    }
    error
}

/// Does JSON have all of this value, so that tags would add nothing?
fn is_json(value: &Value) -> bool {
    match value {
        Value::Undefined => false,
        Value::Number(number) => number.is_finite() && !(*number == 0.0 && number.is_sign_negative()),
        Value::Array(values) => values.iter().all(is_json),
        Value::Object(object) => object.values().all(is_json),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

fn has_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with('='),
        Value::Array(values) => values.iter().any(has_expression),
        Value::Object(object) => object.values().any(has_expression),
        _ => false,
    }
}

pub(crate) fn zone_of(scope: &Scope<'_>) -> Str {
    let globals: &Globals = scope.globals;
    scope.workflow.settings.timezone.clone().unwrap_or_else(|| globals.timezone.clone())
}

fn evaluate_in(ctx: &Ctx<'_>, template: &Template, output: usize, tagged: bool) -> Result<Value, ExecutionError> {
    let realm = realm::of(ctx).map_err(|_| thrown::engine_failed())?;
    match template.shape() {
        Shape::Literal(text) => Ok(Value::String(text.clone())),
        Shape::Sole(expression) => {
            let value = run(ctx, &realm, expression)?;
            check_function(&value, tagged)?;
            let read = Reader::new(&realm, output, tagged).read(&value);
            done(ctx, &realm, read, expression.compiled()?)
        }
        Shape::Mixed(parts) => {
            let mut text = Str::new();
            for part in parts {
                match part {
                    Part::Text(part) => text.push_str(part),
                    Part::Code(expression) => {
                        let value = run(ctx, &realm, expression)?;
                        let part = match text_of(&realm, &value) {
                            // It has no text (a symbol): swallowed, as what an expression throws.
                            Err(Refusal::Thrown(_)) => {
                                forget_after(ctx, &realm, expression.compiled()?);
                                return thrown::by_expression(ctx, &realm).map_or(Ok(Value::Undefined), Err);
                            }
                            part => part,
                        };
                        text.push_str(&done(ctx, &realm, part, expression.compiled()?)?);
                        if text.len() > output {
                            return Err(thrown::output_exceeded());
                        }
                    }
                }
            }
            Ok(Value::String(text))
        }
    }
}

/// Calls an expression's function. What it throws is swallowed, as n8n does, unless it is n8n's own error or a limit.
fn run<'js>(ctx: &Ctx<'js>, realm: &Realm<'js>, expression: &Expression) -> Result<JsValue<'js>, ExecutionError> {
    let compiled = expression.compiled()?;
    let function = realm.function(ctx, compiled.id, &compiled.bytecode);
    let result = function.and_then(|function| host::call_on_nothing(&function, &realm.nothing));
    match result {
        Ok(value) => Ok(value),
        Err(_) => match thrown::by_expression(ctx, realm) {
            Some(error) => {
                forget_after(ctx, realm, compiled);
                Err(error)
            }
            None => Ok(JsValue::new_undefined(ctx.clone())),
        },
    }
}

/// Ends an expression: converted items that it may have changed are forgotten.
fn done<'js, T>(
    ctx: &Ctx<'js>,
    realm: &Realm<'js>,
    result: Result<T, Refusal>,
    compiled: &Compiled,
) -> Result<T, ExecutionError> {
    forget_after(ctx, realm, compiled);
    match result {
        Ok(value) => Ok(value),
        Err(Refusal::TooLarge) => Err(thrown::output_exceeded()),
        Err(Refusal::TooDeep) => Err(thrown::nested_too_deeply()),
        Err(Refusal::Thrown(_)) => Err(thrown::by_expression(ctx, realm).unwrap_or_else(thrown::unreadable)),
    }
}

fn forget_after(ctx: &Ctx<'_>, realm: &Realm<'_>, compiled: &Compiled) {
    if compiled.may_write && realm.forget().is_err() {
        ctx.catch();
    }
}

/// n8n's errors for an expression that gives a function instead of calling it.
fn check_function(value: &JsValue<'_>, tagged: bool) -> Result<(), ExecutionError> {
    let Some(function) = value.as_function().filter(|_| !tagged) else { return Ok(()) };
    let is_class = |member: &str| function.get::<_, JsValue<'_>>(member).is_ok_and(|member| member.is_function());
    let name = function.get::<_, Option<String>>("name").ok().flatten();
    let message = match name.as_deref() {
        _ if is_class("isDateTime") => "this is a DateTime, please access its methods",
        Some("$") => "invalid syntax",
        _ => "this is a function, please add ()",
    };
    Err(ExecutionError::new("ExpressionError", message))
}

/// An expression's value within text: nothing for null, undefined and NaN; else JavaScript's text of it.
fn text_of<'js>(realm: &Realm<'js>, value: &JsValue<'js>) -> Result<Str, Refusal> {
    if value.is_undefined() || value.is_null() || value.as_number().is_some_and(f64::is_nan) {
        return Ok(Str::new());
    }
    let text = Coerced::<rquickjs::String<'js>>::from_js(value.ctx(), value.clone())?.0;
    match Reader::new(realm, usize::MAX, false).read(&text.into_value())? {
        Value::String(text) => Ok(text),
        _ => Ok(Str::new()),
    }
}

/// Evaluates a template from within an expression or script: a parameter that is read by another.
pub(crate) fn evaluate_nested<'js>(ctx: &Ctx<'js>, frame: &Frame<'_>, scope: &Scope<'_>, text: &str) -> Answer<'js> {
    if frame.depth >= MAX_DEPTH {
        return Err(ExecutionError::new("ExpressionError", "Parameters refer to each other in a circle").into());
    }
    let template = cache::template(text);
    let realm = realm::of(ctx)?;
    let inner = Frame { scope, depth: frame.depth + 1, ..*frame };
    frame::enter(&inner, || match template.shape() {
        Shape::Literal(text) => Ok(convert::to_js(ctx, &Value::String(text.clone()))?),
        Shape::Sole(expression) => Ok(run(ctx, &realm, expression)?),
        Shape::Mixed(parts) => {
            let mut whole = Str::new();
            for part in parts {
                match part {
                    Part::Text(part) => whole.push_str(part),
                    Part::Code(expression) => {
                        let value = run(ctx, &realm, expression)?;
                        whole.push_str(&text_of(&realm, &value).map_err(|_| thrown::unreadable())?);
                    }
                }
            }
            Ok(convert::to_js(ctx, &Value::String(whole))?)
        }
    })
}
