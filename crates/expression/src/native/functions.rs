//! Functions called by name: `Math.round`, `Number`, `$ifEmpty`, …

use std::borrow::Cow;

use millrace_model::{Str, Value, truthy};

use super::{
    Evaluated, Stop, WhyNot, evaluate,
    methods::Method,
    numbers, operators,
    parser::Parser,
    syntax::{Expression, Step},
};
use crate::Scope;
use crate::tokens::Token;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    Floor,
    Ceil,
    Round,
    Trunc,
    Abs,
    Min,
    Max,
    ToNumber,
    ToText,
    ToBoolean,
    ParseInt,
    ParseFloat,
    IsArray,
    Keys,
    Stringify,
    IfEmpty,
    Not,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Function> {
        Some(match name {
            "Math.floor" => Function::Floor,
            "Math.ceil" => Function::Ceil,
            "Math.round" => Function::Round,
            "Math.trunc" => Function::Trunc,
            "Math.abs" => Function::Abs,
            "Math.min" | "$min" | "min" => Function::Min,
            "Math.max" | "$max" | "max" => Function::Max,
            "Number" => Function::ToNumber,
            "String" => Function::ToText,
            "Boolean" => Function::ToBoolean,
            "parseInt" => Function::ParseInt,
            "parseFloat" => Function::ParseFloat,
            "Array.isArray" => Function::IsArray,
            "Object.keys" => Function::Keys,
            "JSON.stringify" => Function::Stringify,
            "$ifEmpty" => Function::IfEmpty,
            "$not" | "not" => Function::Not,
            _ => return None,
        })
    }
}

impl Parser<'_, '_> {
    /// A call of a function by its name; `$if` becomes a condition.
    pub(super) fn function(&mut self, name: &str, token: &Token<'_>) -> Result<Expression, WhyNot> {
        let full = match name {
            "Math" | "Array" | "Object" | "JSON" => {
                self.expect(".")?;
                format!("{name}.{}", self.name()?)
            }
            name => name.to_owned(),
        };
        let function = Function::named(&full).ok_or_else(|| self.unknown(token))?;
        self.expect("(")?;
        self.list(")").map(|arguments| Expression::Call(function, arguments))
    }

    /// `$if(condition, yes, no)`, of which only the chosen one is evaluated.
    pub(super) fn lazy_if(&mut self, token: &Token<'_>) -> Result<Expression, WhyNot> {
        self.expect("(")?;
        let mut arguments = self.list(")")?.into_iter();
        match (arguments.next(), arguments.next(), arguments.next(), arguments.next()) {
            (Some(condition), Some(yes), no, None) => {
                let no = no.unwrap_or(Expression::Constant(Value::Bool(false)));
                Ok(Expression::Condition(Box::new((condition, yes, no))))
            }
            _ => Err(self.unknown(token)),
        }
    }

    /// What follows a dot and a name: a call, where a parenthesis stands next, else the field.
    pub(super) fn field_or_call(&mut self, name: &str) -> Result<Step, WhyNot> {
        if !self.take("(") {
            return Ok(Step::Field(name.into()));
        }
        let method = Method::named(name).ok_or_else(|| WhyNot(format!("`.{name}()` has no native form")))?;
        self.list(")").map(|arguments| Step::Call(method, arguments))
    }
}

pub(super) fn call<'a>(function: Function, arguments: &'a [Expression], scope: &Scope<'a>) -> Evaluated<'a> {
    let mut given = Vec::with_capacity(arguments.len());
    for argument in arguments {
        given.push(evaluate(argument, scope)?);
    }
    let number = || match given.first() {
        Some(value) => operators::to_number(value),
        None => Ok(f64::NAN),
    };
    let text = || match given.as_slice() {
        [only] => operators::to_string(only),
        _ => Err(Stop::Fallback),
    };
    Ok(Cow::Owned(match (function, given.as_slice()) {
        (Function::Floor, _) => number()?.floor().into(),
        (Function::Ceil, _) => number()?.ceil().into(),
        (Function::Round, _) => numbers::round(number()?).into(),
        (Function::Trunc, _) => number()?.trunc().into(),
        (Function::Abs, _) => number()?.abs().into(),
        (Function::Min | Function::Max, values) => {
            let mut best = if function == Function::Min { f64::INFINITY } else { f64::NEG_INFINITY };
            for value in values {
                best = better(function, best, operators::to_number(value)?);
            }
            best.into()
        }
        (Function::ToNumber, []) => 0.into(),
        (Function::ToNumber, _) => number()?.into(),
        (Function::ToText, []) => Str::new().into(),
        (Function::ToText, _) => text()?.into(),
        (Function::ToBoolean, values) => values.first().is_some_and(|value| truthy(value)).into(),
        (Function::ParseInt, _) => numbers::parse_integer(&text()?)?.into(),
        (Function::ParseFloat, _) => numbers::parse_float(&text()?)?.into(),
        (Function::IsArray, values) => values.first().is_some_and(|value| value.as_array().is_some()).into(),
        (Function::Keys, [value]) => match &**value {
            Value::Object(object) => Value::array(object.keys().cloned().map(Value::String)),
            _ => return Err(Stop::Fallback),
        },
        (Function::Stringify, [value]) if !value.is_undefined() => value.to_json().into(),
        (Function::Not, values) => (!values.first().is_some_and(|value| truthy(value))).into(),
        (Function::IfEmpty, [value, otherwise]) => if is_empty(value) { otherwise } else { value }.clone().into_owned(),
        _ => return Err(Stop::Fallback),
    }))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Undefined | Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The lesser or greater number; NaN wins over both, and -0 is less than 0.
fn better(function: Function, left: f64, right: f64) -> f64 {
    if left.is_nan() || right.is_nan() {
        return f64::NAN;
    }
    let less = left.total_cmp(&right).is_lt();
    if less == (function == Function::Min) { left } else { right }
}
