//! Parameter strings: literal text, or a template such as `=Hello {{ $json.name }}`. Compiling never fails; what is wrong
//! with an expression is said when it is evaluated.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use millrace_model::{ExecutionError, Str, Value};

use crate::bytecode::{self, Bytecode};
use crate::native::{self, Program, WhyNot};
use crate::{Scope, rewrite};

/// A compiled parameter string. Cloning shares it; it may be used by any number of sandboxes at once.
#[derive(Clone, Debug)]
pub struct Template(Arc<Parts>);

#[derive(Debug)]
enum Parts {
    /// The result as it is.
    Literal(Str),
    /// One expression: its value keeps its type.
    Sole(Box<Expression>),
    /// Text and expressions, put together to a string.
    Mixed(Vec<Part>),
}

#[derive(Debug)]
pub(crate) enum Part {
    Text(Str),
    Code(Box<Expression>),
}

/// One expression between `{{` and `}}`, compiled when it is first needed.
#[derive(Debug)]
pub(crate) struct Expression {
    source: Str,
    compiled: OnceLock<Result<Compiled, ExecutionError>>,
    native: OnceLock<Result<Program, WhyNot>>,
}

/// A function without parameters that gives the value of the expression.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    /// Unique in this process.
    pub(crate) id: u64,
    pub(crate) bytecode: Bytecode,
    /// May the expression change the values it reads?
    pub(crate) may_write: bool,
}

/// How a template is evaluated, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// Nothing to evaluate.
    Literal,
    /// Evaluated without an engine, which stands by for what the data may bring.
    Native,
    /// QuickJS evaluates it.
    JavaScript { reason: String },
}

pub(crate) enum Shape<'a> {
    Literal(&'a Str),
    Sole(&'a Expression),
    Mixed(&'a [Part]),
}

impl Template {
    /// Compiles a parameter string: a template if it begins with `=`, else literal text.
    pub fn compile(text: &str) -> Template {
        let Some(template) = text.strip_prefix('=') else {
            return Template(Arc::new(Parts::Literal(text.into())));
        };
        let mut parts = split(template);
        let parts = match parts.as_slice() {
            [] => Parts::Literal(Str::new()),
            [Part::Text(text)] => Parts::Literal(text.clone()),
            [Part::Code(_)] => match parts.pop() {
                Some(Part::Code(code)) => Parts::Sole(code),
                _ => Parts::Literal(Str::new()),
            },
            _ => Parts::Mixed(parts),
        };
        Template(Arc::new(parts))
    }

    /// Does the result not depend on the run?
    pub fn is_literal(&self) -> bool {
        matches!(*self.0, Parts::Literal(_))
    }

    /// How this template is evaluated, and why.
    pub fn explain(&self) -> Path {
        let whole = match &*self.0 {
            Parts::Literal(_) => return Path::Literal,
            Parts::Sole(code) => code.native().map(|_| ()),
            Parts::Mixed(parts) => parts.iter().try_for_each(|part| match part {
                Part::Text(_) => Ok(()),
                Part::Code(code) => code.native().map(|_| ()),
            }),
        };
        match whole {
            Ok(()) => Path::Native,
            Err(WhyNot(reason)) => Path::JavaScript { reason: reason.clone() },
        }
    }

    /// The template's value without an engine; `None` where that is left to one. Results of more than `limit` bytes are.
    pub(crate) fn evaluate_natively(&self, scope: &Scope<'_>, limit: usize) -> Option<Value> {
        match &*self.0 {
            Parts::Literal(text) => Some(Value::String(text.clone())),
            Parts::Sole(code) => {
                let value = code.native().ok()?.evaluate(scope)?;
                let fits = value.as_str().is_none_or(|text| text.len() <= limit);
                fits.then_some(value)
            }
            Parts::Mixed(parts) => {
                let mut text = Str::new();
                for part in parts {
                    match part {
                        Part::Text(part) => text.push_str(part),
                        Part::Code(code) => code.native().ok()?.append_to(&mut text, scope)?,
                    }
                }
                (text.len() <= limit).then_some(Value::String(text))
            }
        }
    }

    pub(crate) fn shape(&self) -> Shape<'_> {
        match &*self.0 {
            Parts::Literal(text) => Shape::Literal(text),
            Parts::Sole(code) => Shape::Sole(code),
            Parts::Mixed(parts) => Shape::Mixed(parts),
        }
    }
}

impl Expression {
    fn new(source: &str) -> Expression {
        Expression { source: source.into(), compiled: OnceLock::new(), native: OnceLock::new() }
    }

    /// The form for the fast path, or why there is none.
    pub(crate) fn native(&self) -> Result<&Program, &WhyNot> {
        self.native.get_or_init(|| native::compile(&self.source)).as_ref()
    }

    /// The compiled function; compiled once per process.
    pub(crate) fn compiled(&self) -> Result<&Compiled, ExecutionError> {
        self.compiled.get_or_init(|| compile(&self.source)).as_ref().map_err(ExecutionError::clone)
    }
}

/// n8n's error for code that is no expression.
pub(crate) fn invalid_syntax() -> ExecutionError {
    let mut error = ExecutionError::new("ExpressionError", "invalid syntax");
    error.permanent = true;
    error
}

fn compile(source: &str) -> Result<Compiled, ExecutionError> {
    static IDS: AtomicU64 = AtomicU64::new(1);
    let rewritten = rewrite::expression(source)?;
    let compiled = bytecode::compile_bare("expression", &rewritten.as_expression).or_else(|problem| {
        // Several statements: the value is that of the last one.
        rewritten.as_statements.as_ref().map_or(Err(problem), |source| bytecode::compile_bare("expression", source))
    });
    let bytecode = compiled.map_err(|problem| {
        invalid_syntax().describe(format!("{} (line {}, column {})", problem.message, problem.line, problem.column))
    })?;
    Ok(Compiled { id: IDS.fetch_add(1, Ordering::Relaxed), bytecode, may_write: rewritten.may_write })
}

/// Splits the text after `=`. An expression ends at the first `}}`, whatever stands before it; `\{{` and `\}}` are text.
fn split(template: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = template;
    loop {
        let (text, after) = until(rest, "{{");
        if !text.is_empty() {
            parts.push(Part::Text(text.into()));
        }
        let Some(after) = after else { return parts };
        let (code, after) = until(after, "}}");
        parts.push(Part::Code(Box::new(Expression::new(&code))));
        match after {
            Some(after) => rest = after,
            None => return parts,
        }
    }
}

/// The text up to a bracket that no backslash precedes, and what follows it (`None` when there is no such bracket).
fn until<'a>(text: &'a str, bracket: &str) -> (String, Option<&'a str>) {
    let mut before = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once(bracket) {
        match head.strip_suffix('\\') {
            Some(head) => {
                before.push_str(head);
                before.push_str(bracket);
                rest = tail;
            }
            None => {
                before.push_str(head);
                return (before, Some(tail));
            }
        }
    }
    before.push_str(rest);
    (before, None)
}
