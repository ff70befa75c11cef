//! The fast path: common expressions compiled to a tree that reads the run's data in place, without an engine of
//! JavaScript. It agrees with the engine in value and type, and where it is not sure it says so and the engine evaluates.

mod chains;
mod functions;
mod lists;
mod literals;
mod methods;
mod numbers;
mod operators;
mod parser;
mod roots;
mod strings;
mod syntax;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use millrace_model::{Str, Value};

use crate::Scope;
use syntax::Expression;

/// An expression the fast path can evaluate.
#[derive(Debug)]
pub(crate) struct Program(Expression);

/// Why an expression is left to the engine, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WhyNot(pub(crate) String);

/// Compiles the source between `{{` and `}}`.
pub(crate) fn compile(source: &str) -> Result<Program, WhyNot> {
    parser::parse(source).map(Program)
}

impl Program {
    /// The value for the scope's item; `None` where the engine has to evaluate.
    pub(crate) fn evaluate(&self, scope: &Scope<'_>) -> Option<Value> {
        match evaluate(&self.0, scope) {
            Ok(value) => Some(value.into_owned()),
            // n8n swallows what an expression throws, so its value is undefined.
            Err(Stop::Thrown) => Some(Value::Undefined),
            Err(Stop::Fallback) => None,
        }
    }

    /// Appends the value as it stands within text: nothing for null, undefined and NaN. `None` as for [`Self::evaluate`].
    pub(crate) fn append_to(&self, text: &mut Str, scope: &Scope<'_>) -> Option<()> {
        match evaluate(&self.0, scope) {
            Ok(value) => match &*value {
                Value::Undefined | Value::Null => {}
                Value::Number(number) if number.is_nan() => {}
                Value::String(part) => text.push_str(part),
                other => text.push_str(&operators::to_string(other).ok()?),
            },
            Err(Stop::Thrown) => {}
            Err(Stop::Fallback) => return None,
        }
        Some(())
    }
}

/// A value read in place, or a new one.
type Read<'a> = Cow<'a, Value>;

/// Why an evaluation gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// JavaScript would throw an error of its own here.
    Thrown,
    /// Only the engine knows.
    Fallback,
}

type Evaluated<'a> = Result<Read<'a>, Stop>;

fn evaluate<'a>(expression: &'a Expression, scope: &Scope<'a>) -> Evaluated<'a> {
    match expression {
        Expression::Constant(value) => Ok(Cow::Borrowed(value)),
        Expression::Root(root) => roots::read(root, scope),
        Expression::Chain(chain) => chains::evaluate(chain, scope),
        Expression::Unary(operator, operand) => operators::unary(*operator, &*evaluate(operand, scope)?),
        Expression::Binary(operator, left, right) => {
            let left = evaluate(left, scope)?;
            let right = evaluate(right, scope)?;
            operators::binary(*operator, &left, &right).map(Cow::Owned)
        }
        Expression::Logic(operator, left, right) => {
            let left = evaluate(left, scope)?;
            if operator.keeps(&left) { Ok(left) } else { evaluate(right, scope) }
        }
        Expression::Condition(branches) => {
            let (condition, yes, no) = &**branches;
            let chosen = if millrace_model::truthy(&*evaluate(condition, scope)?) { yes } else { no };
            evaluate(chosen, scope)
        }
        Expression::Template(first, rest) => {
            let mut text = first.clone();
            for (value, after) in rest {
                text.push_str(&operators::to_string(&*evaluate(value, scope)?)?);
                text.push_str(after);
            }
            Ok(Cow::Owned(Value::String(text)))
        }
        Expression::Array(elements) => {
            let values: Result<Vec<Value>, Stop> =
                elements.iter().map(|element| evaluate(element, scope).map(Cow::into_owned)).collect();
            values.map(|values| Cow::Owned(Value::from(values)))
        }
        Expression::Object(fields) => {
            let mut object = millrace_model::Object::with_capacity(fields.len());
            for (key, value) in fields {
                object.insert(key.clone(), evaluate(value, scope)?.into_owned());
            }
            Ok(Cow::Owned(Value::Object(object)))
        }
        Expression::Call(function, arguments) => functions::call(*function, arguments, scope),
    }
}
