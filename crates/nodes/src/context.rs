//! What a node sees while it executes.

use std::sync::Arc;

use jiff::tz::TimeZone;
use millrace_expression::{Globals, NodeContexts, Sandbox, Scope};
use millrace_model::{
    ErrorPolicy, ExecutionError, Item, Items, Node, NodeIndex, Object, Outputs, RunData, Source, Str, Value, Workflow,
    truthy,
};

use crate::NodeHost;

/// What executing a node gives.
pub type NodeResult = Result<Output, ExecutionError>;

/// One node run: its parameters, its input, and the doors to the host.
pub struct NodeContext<'a> {
    pub workflow: &'a Workflow,
    pub run_data: &'a RunData,
    pub index: NodeIndex,
    pub inputs: &'a [Option<Items>],
    pub source: &'a [Option<Source>],
    pub run_index: usize,
    /// Parameters with the type's defaults filled in; expressions unresolved.
    pub parameters: &'a Object,
    /// Memory of the other nodes within this run.
    pub contexts: &'a NodeContexts,
    /// Memory of this node within this run; kept for its next run.
    pub memory: &'a mut Object,
    /// Static data of the workflow: `global` and `node:<name>`; saved after a production run.
    pub static_data: &'a mut Object,
    pub globals: &'a Globals,
    pub sandbox: &'a mut Sandbox,
    pub host: &'a dyn NodeHost,
}

impl<'a> NodeContext<'a> {
    pub fn node(&self) -> &'a Node {
        self.workflow.node(self.index)
    }

    /// Version of the node (`typeVersion`).
    pub fn version(&self) -> f64 {
        self.node().version
    }

    /// Items of the first input; empty when there is none.
    pub fn items(&self) -> &'a [Item] {
        self.input(0)
    }

    /// Items of an input; empty when there is none.
    pub fn input(&self, input: usize) -> &'a [Item] {
        self.inputs.get(input).and_then(Option::as_ref).map_or(&[], |items| items.as_slice())
    }

    /// Does a failing item go on (with its error) instead of ending the node?
    pub fn continue_on_fail(&self) -> bool {
        self.node().on_error != ErrorPolicy::Stop
    }

    /// The item that goes on in place of one that failed; the error itself where the node stops.
    pub(crate) fn failed_item(&self, error: ExecutionError, item: usize) -> Result<Item, ExecutionError> {
        if self.continue_on_fail() {
            Ok(Item::new(Object::from([("error", Value::from(error.message))])).paired(item))
        } else {
            Err(error.at_item(item))
        }
    }

    /// A parameter by dotted path for one item: its default filled in, its expressions resolved.
    /// `Value::Undefined` when it is not set and has no default.
    pub fn parameter(&mut self, path: &str, item: usize) -> Result<Value, ExecutionError> {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let raw = self.parameters.get(first).and_then(|value| rest.map_or(Some(value), |rest| value.pointer(rest)));
        match raw {
            None => Ok(Value::Undefined),
            Some(raw) => self.resolve(&raw.clone(), item),
        }
    }

    /// A parameter by dotted path, prepared for reading it for many items.
    pub fn prepare(&self, path: &str) -> Prepared {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let raw = self.parameters.get(first).and_then(|value| rest.map_or(Some(value), |rest| value.pointer(rest)));
        Prepared::new(raw.cloned().unwrap_or_default())
    }

    /// Resolves the expressions in any value, as if it stood in a parameter.
    pub fn resolve(&mut self, value: &Value, item: usize) -> Result<Value, ExecutionError> {
        let scope = self.scope(item);
        self.sandbox.resolve(value, &scope)
    }

    /// Zone of the workflow; UTC where its name is unknown.
    pub fn zone(&self) -> TimeZone {
        let name = self.workflow.settings.timezone.as_deref().unwrap_or(&self.globals.timezone);
        TimeZone::get(name).unwrap_or(TimeZone::UTC)
    }

    /// As [`NodeContext::resolve`], with further names that the expressions may use (`$response`, …).
    pub fn resolve_with(&mut self, value: &Value, item: usize, names: &Object) -> Result<Value, ExecutionError> {
        let scope = self.scope(item);
        self.sandbox.resolve_with(value, &scope, names)
    }

    /// The view of expressions and scripts from one item.
    pub fn scope(&self, item: usize) -> Scope<'a> {
        Scope {
            workflow: self.workflow,
            run_data: self.run_data,
            node: self.index,
            inputs: self.inputs,
            source: self.source,
            run_index: self.run_index,
            item_index: item,
            contexts: self.contexts,
            globals: self.globals,
        }
    }

    /// A parameter as text (JavaScript's `String(value)`); empty when it is not set.
    pub fn text(&mut self, path: &str, item: usize) -> Result<Str, ExecutionError> {
        let value = self.parameter(path, item)?;
        Ok(if value.is_nullish() { Str::new() } else { value.to_js_string() })
    }

    /// A parameter as a truth value.
    pub fn flag(&mut self, path: &str, item: usize) -> Result<bool, ExecutionError> {
        Ok(truthy(&self.parameter(path, item)?))
    }

    /// A parameter as a number; text is read as JavaScript's `Number(text)` does.
    pub fn number(&mut self, path: &str, item: usize) -> Result<Option<f64>, ExecutionError> {
        Ok(match self.parameter(path, item)? {
            Value::Number(number) => Some(number),
            Value::String(text) if !text.trim().is_empty() => Some(millrace_model::parse_number(&text)),
            _ => None,
        })
    }
}

/// A parameter value that a node reads for many items: one without expressions is the same for all of them.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    raw: Value,
    constant: bool,
}

impl Prepared {
    pub fn new(raw: Value) -> Prepared {
        let constant = !has_expression(&raw);
        Prepared { raw, constant }
    }

    /// The value for one item.
    pub fn at(&self, context: &mut NodeContext<'_>, item: usize) -> Result<Value, ExecutionError> {
        if self.constant { Ok(self.raw.clone()) } else { context.resolve(&self.raw, item) }
    }

    /// As text, as [`NodeContext::text`] gives it.
    pub fn text(&self, context: &mut NodeContext<'_>, item: usize) -> Result<Str, ExecutionError> {
        let value = self.at(context, item)?;
        Ok(if value.is_nullish() { Str::new() } else { value.to_js_string() })
    }

    /// The value, if it is the same for all items.
    pub fn constant(&self) -> Option<&Value> {
        self.constant.then_some(&self.raw)
    }

    /// The value as written.
    pub fn raw(&self) -> &Value {
        &self.raw
    }
}

/// Does a string in the value begin with `=`?
pub(crate) fn has_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with('='),
        Value::Array(values) => values.iter().any(has_expression),
        Value::Object(object) => object.values().any(has_expression),
        _ => false,
    }
}

/// What a node puts out.
#[derive(Debug, Default)]
pub struct Output {
    pub outputs: Outputs,
    /// Lines its script logged.
    pub console: Vec<String>,
    /// The run stops here and goes on later with these outputs.
    pub wait: Option<Wait>,
}

impl Output {
    /// All items on the only output.
    pub fn items(items: impl IntoIterator<Item = Item>) -> Output {
        Output::of(vec![items.into_iter().collect()])
    }

    /// A list of items for each output.
    pub fn of(outputs: Vec<Vec<Item>>) -> Output {
        Output { outputs: outputs.into_iter().map(|items| Some(Arc::new(items))).collect(), ..Output::default() }
    }

    /// The first input handed on untouched.
    pub fn pass(context: &NodeContext<'_>) -> Output {
        let items = context.inputs.first().cloned().flatten().unwrap_or_default();
        Output { outputs: vec![Some(items)], ..Output::default() }
    }
}

/// A pause of the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wait {
    /// Goes on by itself at this time (milliseconds since the epoch); `None`: only when called.
    pub until: Option<i64>,
    /// Goes on when its resume URL is called: `webhook` or `form`.
    pub resume: Option<Str>,
    /// What whoever opens its form is shown: see [`crate::form::Shown`].
    pub shows: Option<Object>,
}
