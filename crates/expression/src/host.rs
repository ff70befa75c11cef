//! The native functions under the proxies: one function of JavaScript, `h`, with the operation's number as its first
//! argument, because making one function per operation would cost more than most runs spend in all of them.

mod data;
mod nodes;
mod scripts;
mod sorting;

use millrace_model::{ExecutionError, NodeIndex, Str, Value, to_index};
use rquickjs::function::{Opt, This};
use rquickjs::{Ctx, Exception, Function, Object as JsObject, Value as JsValue};

pub(crate) use data::clock;

use crate::convert::object_to_js;
use crate::frame::{self, Frame};

/// One call of `h`.
pub(crate) struct Call<'a, 'js> {
    pub(crate) ctx: &'a Ctx<'js>,
    pub(crate) frame: &'a Frame<'a>,
    arguments: [Option<JsValue<'js>>; 3],
}

/// Why an operation gave nothing.
pub(crate) enum Raised {
    /// Thrown in JavaScript under its own name and message.
    Error(Box<ExecutionError>),
    Thrown(rquickjs::Error),
}

impl From<ExecutionError> for Raised {
    fn from(error: ExecutionError) -> Raised {
        Raised::Error(Box::new(error))
    }
}

impl From<rquickjs::Error> for Raised {
    fn from(error: rquickjs::Error) -> Raised {
        Raised::Thrown(error)
    }
}

pub(crate) type Answer<'js> = Result<JsValue<'js>, Raised>;
type Operation = for<'a, 'js> fn(&Call<'a, 'js>) -> Answer<'js>;

/// All operations; JavaScript's `h.name(…)` becomes `h(position, …)` before it is compiled.
const OPERATIONS: [(&str, Operation); 48] = [
    ("item", data::item),
    ("items", data::items),
    ("binary", data::binary),
    ("length", data::length),
    ("current", data::current),
    ("input", data::input),
    ("inputOrNone", data::input_or_none),
    ("itemIndex", data::item_index),
    ("runIndex", data::run_index),
    ("combined", data::combined),
    ("output", nodes::output),
    ("legacyOutput", nodes::legacy_output),
    ("legacyIndex", nodes::legacy_index),
    ("itemsOf", nodes::items_of),
    ("paired", nodes::paired),
    ("pairedFrom", nodes::paired_from),
    ("findNode", nodes::find_node),
    ("unknownNode", nodes::unknown_node),
    ("activeNode", nodes::active_node),
    ("previousNode", nodes::previous_node),
    ("previousRunsOnce", nodes::previous_runs_once),
    ("previous", nodes::previous),
    ("nodeNames", nodes::node_names),
    ("nodeInfo", nodes::node_info),
    ("executed", nodes::executed),
    ("lastRun", nodes::last_run),
    ("parameters", nodes::parameters),
    ("context", nodes::context),
    ("agentInfo", nodes::agent_info),
    ("agentItem", nodes::agent_item),
    ("evaluateFor", data::evaluate_for),
    ("siblings", data::siblings),
    ("extra", data::extra),
    ("workflow", data::workflow),
    ("execution", data::execution),
    ("mode", data::mode),
    ("env", data::env),
    ("vars", data::vars),
    ("secrets", data::secrets),
    ("customData", scripts::custom_data),
    ("setCustomData", scripts::set_custom_data),
    ("log", scripts::log),
    ("staticData", scripts::static_data),
    ("callHost", scripts::call_host),
    ("load", data::load),
    ("library", data::library),
    ("sort", sorting::sort),
    ("random", data::random),
];

/// A script in which `h.name(…)` is written as the call of the one native function.
pub(crate) fn link(source: &str) -> String {
    let mut linked = source.to_owned();
    for (number, (name, _)) in OPERATIONS.iter().enumerate() {
        linked = linked.replace(&format!("h.{name}("), &format!("h({number},"));
    }
    linked
}

/// The native function.
pub(crate) fn function<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Function<'js>> {
    Function::new(ctx.clone(), dispatch)
}

fn dispatch<'js>(
    ctx: Ctx<'js>,
    operation: usize,
    first: Opt<JsValue<'js>>,
    second: Opt<JsValue<'js>>,
    third: Opt<JsValue<'js>>,
) -> rquickjs::Result<JsValue<'js>> {
    let arguments = [first.0, second.0, third.0];
    let answer = frame::with(|frame| match OPERATIONS.get(operation) {
        Some((_, operation)) => operation(&Call { ctx: &ctx, frame, arguments }),
        None => Ok(JsValue::new_undefined(ctx.clone())),
    });
    match answer {
        Some(Ok(value)) => Ok(value),
        Some(Err(Raised::Thrown(error))) => Err(error),
        Some(Err(Raised::Error(error))) => Err(throw(&ctx, &error)),
        None => Err(Exception::throw_message(&ctx, "the evaluation has ended")),
    }
}

/// Throws an error with its name, description and context.
pub(crate) fn throw(ctx: &Ctx<'_>, error: &ExecutionError) -> rquickjs::Error {
    let made = || -> rquickjs::Result<rquickjs::Error> {
        let exception = Exception::from_message(ctx.clone(), &error.message)?.into_object();
        exception.set("name", error.name.as_str())?;
        if let Some(description) = &error.description {
            exception.set("description", description.as_str())?;
        }
        if let Some(code) = &error.http_code {
            exception.set("httpCode", code.as_str())?;
        }
        if !error.messages.is_empty() {
            let messages = Value::array(error.messages.iter().cloned().map(Value::from));
            exception.set("messages", crate::convert::to_js(ctx, &messages)?)?;
        }
        exception.set("context", object_to_js(ctx, &error.context)?)?;
        Ok(ctx.throw(exception.into_value()))
    };
    made().unwrap_or_else(|error| error)
}

impl<'a, 'js> Call<'a, 'js> {
    pub(crate) fn value(&self, at: usize) -> JsValue<'js> {
        self.arguments.get(at).cloned().flatten().unwrap_or_else(|| self.undefined())
    }

    pub(crate) fn undefined(&self) -> JsValue<'js> {
        JsValue::new_undefined(self.ctx.clone())
    }

    /// A whole number; `None` for anything else.
    #[expect(clippy::as_conversions, reason = "checked: whole and within 2^53")]
    pub(crate) fn integer(&self, at: usize) -> Option<i64> {
        let number = self.arguments.get(at)?.as_ref()?.as_number()?;
        (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
    }

    pub(crate) fn index(&self, at: usize) -> Option<usize> {
        self.arguments.get(at)?.as_ref()?.as_number().and_then(to_index)
    }

    pub(crate) fn text(&self, at: usize) -> Option<String> {
        self.arguments.get(at)?.as_ref()?.as_string()?.to_string().ok()
    }

    /// The node an argument names by its number.
    pub(crate) fn node(&self, at: usize) -> Result<NodeIndex, Raised> {
        let index = self.index(at).filter(|index| *index < self.frame.scope.workflow.nodes.len());
        index.map(NodeIndex).ok_or_else(|| crate::errors::unknown_node("").into())
    }

    pub(crate) fn number(&self, value: usize) -> JsValue<'js> {
        match i32::try_from(value) {
            Ok(value) => JsValue::new_int(self.ctx.clone(), value),
            Err(_) => JsValue::new_float(self.ctx.clone(), f64::from(u32::try_from(value).unwrap_or(u32::MAX))),
        }
    }

    /// The number that stands for "none".
    pub(crate) fn none(&self) -> JsValue<'js> {
        JsValue::new_int(self.ctx.clone(), -1)
    }

    pub(crate) fn flag(&self, value: bool) -> JsValue<'js> {
        JsValue::new_bool(self.ctx.clone(), value)
    }

    pub(crate) fn string(&self, text: &str) -> Answer<'js> {
        Ok(rquickjs::String::from_str(self.ctx.clone(), text)?.into_value())
    }

    pub(crate) fn model(&self, value: &Value) -> Answer<'js> {
        Ok(crate::convert::to_js(self.ctx, value)?)
    }

    /// An object of texts and other values.
    pub(crate) fn record<const N: usize>(&self, fields: [(&str, Value); N]) -> Answer<'js> {
        Ok(object_to_js(self.ctx, &millrace_model::Object::from(fields))?)
    }

    /// The number under which JavaScript refers to a list of items.
    pub(crate) fn list(&self, items: &millrace_model::Items, input: Option<usize>) -> JsValue<'js> {
        let id = self.frame.lists.borrow_mut().id_of(items, input);
        self.number(usize::try_from(id).unwrap_or_default())
    }

    pub(crate) fn name_of(&self, node: NodeIndex) -> &'a Str {
        &self.frame.scope.workflow.node(node).name
    }
}

/// Calls a function of the realm on nothing, with one argument.
pub(crate) fn call_on_nothing<'js>(
    function: &Function<'js>,
    nothing: &JsObject<'js>,
) -> rquickjs::Result<JsValue<'js>> {
    function.call((This(nothing.clone()),))
}
