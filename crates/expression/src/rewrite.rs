//! What is checked and changed in an expression before it is compiled: names that n8n forbids, computed keys, calls of
//! extension methods (`a.m(x)` becomes `extend(a, "m", [x])`) and the lazy `$if`. The sandbox does not depend on it for
//! its safety.

use millrace_model::ExecutionError;

use crate::code::{Code, Edit, apply};
use crate::template::invalid_syntax;
use crate::tokens::{Kind, Token, tokenize, unescape};

/// An expression ready to be compiled.
#[derive(Debug)]
pub(crate) struct Rewritten {
    /// A script whose value is the function, the source taken as one expression.
    pub(crate) as_expression: String,
    /// The same with the source taken as statements, where it has several.
    pub(crate) as_statements: Option<String>,
    pub(crate) may_write: bool,
}

/// Names that may not be read, be they properties or variables.
pub(crate) const FORBIDDEN: [&str; 15] = [
    "__proto__",
    "prototype",
    "constructor",
    "getPrototypeOf",
    "mainModule",
    "binding",
    "_linkedBinding",
    "_load",
    "prepareStackTrace",
    "__lookupGetter__",
    "__lookupSetter__",
    "__defineGetter__",
    "__defineSetter__",
    "getBuiltinModule",
    "captureStackTrace",
];
/// Properties of `Object` that may not be read.
const FORBIDDEN_OF_OBJECT: [&str; 5] =
    ["defineProperty", "defineProperties", "setPrototypeOf", "getOwnPropertyDescriptor", "getOwnPropertyDescriptors"];
/// Names under which n8n keeps the data of an expression.
const RESERVED: [&str; 3] = ["___n8n_data", "__sanitize", "___n8n_globalThis"];
/// Classes that make functions from text.
const FUNCTIONS: [&str; 4] = ["Function", "GeneratorFunction", "AsyncFunction", "AsyncGeneratorFunction"];
/// Built-in methods that change the value they are called on, or one of their arguments.
const WRITING_METHODS: [&str; 12] =
    ["push", "pop", "shift", "unshift", "splice", "sort", "reverse", "fill", "copyWithin", "assign", "set", "freeze"];
const ASSIGNMENTS: [&str; 18] =
    ["=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", ">>>=", "&=", "|=", "^=", "&&=", "||=", "??=", "++", "--"];

/// Checks and rewrites one expression.
pub(crate) fn expression(source: &str) -> Result<Rewritten, ExecutionError> {
    let tokens = tokenize(source).ok_or_else(invalid_syntax)?;
    if tokens.is_empty() {
        return Err(invalid_syntax());
    }
    let code = Code::new(&tokens).ok_or_else(invalid_syntax)?;
    check_reserved(&tokens)?;
    if source.replace(char::is_whitespace, "").contains(".constructor(") {
        return Err(forbidden("Expression contains invalid constructor function call"));
    }
    check_forbidden(&code)?;
    let mut edits = Vec::new();
    escape_line_ends(&code, &mut edits);
    guard_keys(&code, &mut edits);
    extend_calls(&code, &mut edits);
    lazy_if(&code, &mut edits);
    let end = tokens.iter().rposition(|token| !token.is(";")).and_then(|at| tokens.get(at)).map_or(0, Token::end);
    let body = apply(source.get(..end).unwrap_or(source), edits.clone());
    let as_statements = code.last_statement().map(|start| {
        edits.push(Edit::insert_outermost(start, "return ("));
        edits.push(Edit::append(end, "\n)"));
        format!("(function () {{ {}\n}})", apply(source, edits))
    });
    Ok(Rewritten {
        as_expression: format!("(function () {{ return (\n{body}\n)}})"),
        as_statements,
        may_write: may_write(&code),
    })
}

/// n8n's error for names that may not be read.
pub(crate) fn access_error(name: &str) -> ExecutionError {
    forbidden(&format!("Cannot access \"{name}\" due to security concerns"))
}

pub(crate) fn is_forbidden(name: &str) -> bool {
    FORBIDDEN.contains(&name)
}

fn forbidden(message: &str) -> ExecutionError {
    let mut error = ExecutionError::new("ExpressionError", message);
    error.permanent = true;
    error
}

fn check_reserved(tokens: &[Token<'_>]) -> Result<(), ExecutionError> {
    let mut extended = false;
    let mut member = false;
    for token in tokens {
        let of_member = std::mem::replace(&mut member, token.is(".") || token.is("?."));
        if token.kind != Kind::Name {
            continue;
        }
        let name = unescape(token.text);
        if RESERVED.contains(&name.as_str()) {
            let mut error = forbidden(&format!("Cannot use \"{name}\" due to security concerns"));
            error.name = "ExpressionReservedVariableError".into();
            return Err(error);
        }
        if extended && FUNCTIONS.contains(&name.as_str()) {
            let mut error = forbidden(&format!("Cannot extend \"{name}\" due to security concerns"));
            error.name = "ExpressionClassExtensionError".into();
            return Err(error);
        }
        extended = name == "extends";
        if name == "with" && !of_member {
            let mut error = forbidden("Cannot use \"with\" statements due to security concerns");
            error.name = "ExpressionWithStatementError".into();
            return Err(error);
        }
    }
    Ok(())
}

/// Refuses forbidden names read as a property (`.name`, `["name"]`), as a variable, or taken out by a pattern.
fn check_forbidden(code: &Code<'_>) -> Result<(), ExecutionError> {
    for (at, token) in code.tokens.iter().enumerate() {
        let (before, after) = (code.before(at), code.after(at));
        let member = before.is_some_and(|mark| mark.is(".") || mark.is("?."));
        let name = match token.kind {
            Kind::Name => unescape(token.text),
            Kind::String | Kind::Template if token.text.len() >= 2 => {
                let key = before.is_some_and(|mark| mark.is("["))
                    && after.is_some_and(|mark| mark.is("]"))
                    && at.checked_sub(1).is_some_and(|open| code.is_member_bracket(open));
                if !key {
                    continue;
                }
                unescape(token.text.get(1..token.text.len() - 1).unwrap_or_default())
            }
            _ => continue,
        };
        let of_object = FORBIDDEN_OF_OBJECT.contains(&name.as_str()) && code.is_read_from_object(at);
        let forbidden_name = is_forbidden(&name);
        let declared_key =
            token.kind == Kind::Name && !member && after.is_some_and(|mark| mark.is(":")) && !code.in_pattern(at);
        if of_object || (forbidden_name && !declared_key) {
            return Err(access_error(&name));
        }
    }
    Ok(())
}

fn may_write(code: &Code<'_>) -> bool {
    code.tokens.iter().enumerate().any(|(at, token)| match token.kind {
        Kind::Mark if ASSIGNMENTS.contains(&token.text) => true,
        Kind::Mark if token.is("[") => {
            code.is_member_bracket(at) && code.is_dynamic_key(at) && code.is_called(code.partner(at))
        }
        Kind::Name => {
            token.text == "delete"
                || token.text.contains('\\')
                || (WRITING_METHODS.contains(&token.text) && code.is_property(at))
        }
        Kind::String => {
            WRITING_METHODS.iter().any(|method| token.text.contains(method))
                && code.before(at).is_some_and(|mark| mark.is("["))
        }
        _ => false,
    })
}

/// A string literal may hold the end of a line, as in n8n; JavaScript's may not.
fn escape_line_ends(code: &Code<'_>, edits: &mut Vec<Edit>) {
    for token in code.tokens.iter().filter(|token| token.kind == Kind::String) {
        let mut escaped = false;
        for (at, letter) in token.text.char_indices() {
            match letter {
                '\n' if !escaped => edits.push(Edit::replace(token.start + at, 1, "\\n")),
                '\r' if !escaped => edits.push(Edit::replace(token.start + at, 1, "\\r")),
                _ => {}
            }
            escaped = letter == '\\' && !escaped;
        }
    }
}

/// `a[key]` and `{ [key]: … }` become `a[__key(key)]` and `{ [__key(key)]: … }`, unless the key is a literal that was checked already.
fn guard_keys(code: &Code<'_>, edits: &mut Vec<Edit>) {
    for (open, token) in code.tokens.iter().enumerate() {
        let key = code.is_member_bracket(open) || code.is_computed_name(open);
        if token.is("[") && key && code.is_dynamic_key(open) {
            let close = code.partner(open);
            edits.push(Edit::insert_outermost(token.end(), "__key("));
            edits.extend(code.tokens.get(close).map(|close| Edit::append(close.start, ")")));
        }
    }
}

/// Calls of extension methods become calls of `extend`, of `__chain` where the receiver may be cut short by `?.`.
fn extend_calls(code: &Code<'_>, edits: &mut Vec<Edit>) {
    for (at, token) in code.tokens.iter().enumerate() {
        if token.kind != Kind::Name || !code.is_property(at) || !crate::prelude::is_extension(token.text) {
            continue;
        }
        let (Some(dot), Some(after)) = (code.before(at), code.after(at)) else { continue };
        let optional_call = after.is("?.") && code.tokens.get(at + 2).is_some_and(|open| open.is("("));
        let open = if optional_call { at + 2 } else { at + 1 };
        let Some(paren) = code.tokens.get(open).filter(|open| open.is("(")) else { continue };
        let Some((start, cut_short)) = code.receiver(at - 1) else { continue };
        let cut_short = cut_short || dot.is("?.");
        let close = code.partner(open);
        let Some(closing) = code.tokens.get(close) else { continue };
        let name = token.text;
        let (function, arguments) = match (optional_call, cut_short) {
            (true, _) => ("extendOptional(", format!(", \"{name}\")?.(")),
            (false, true) => ("__chain(", format!(", \"{name}\", () => [")),
            (false, false) => ("extend(", format!(", \"{name}\", [")),
        };
        edits.push(Edit::insert_before(start, dot.start, function));
        edits.push(Edit::replace(dot.start, paren.end() - dot.start, arguments));
        if !optional_call {
            edits.push(Edit::replace(closing.start, 1, "])"));
        }
        if cut_short {
            edits.extend(code.keep_cutting_short(close));
        }
    }
}

/// `$if(c, a, b)` becomes `((c) ? (a) : (b))`: only the chosen one is evaluated.
fn lazy_if(code: &Code<'_>, edits: &mut Vec<Edit>) {
    for (at, token) in code.tokens.iter().enumerate() {
        let called = token.kind == Kind::Name
            && token.text == "$if"
            && !code.is_property(at)
            && code.after(at).is_some_and(|open| open.is("("));
        let close = code.partner(at + 1);
        let (true, Some(open), Some(closing)) = (called, code.after(at), code.tokens.get(close)) else { continue };
        let commas = code.commas_within(at + 1);
        let [first, rest @ ..] = commas.as_slice() else { continue };
        edits.push(Edit::replace(token.start, open.end() - token.start, "(("));
        edits.push(Edit::replace(*first, 1, ") ? ("));
        match rest {
            [] => edits.push(Edit::replace(closing.start, 1, ") : (false))")),
            [second] => {
                edits.push(Edit::replace(*second, 1, ") : ("));
                edits.push(Edit::replace(closing.start, 1, "))"));
            }
            [second, third, ..] => {
                edits.push(Edit::replace(*second, 1, ") : ("));
                edits.push(Edit::replace(*third, closing.end() - third, "))"));
            }
        }
    }
}
