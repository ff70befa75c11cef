//! `millrace expression`: evaluates n8n expressions without a workflow.

use std::io::Write;

use millrace_expression::{Path, Template, jsonl};
use millrace_model::{Object, Value};

use super::{Error, lines};

/// Evaluates n8n expressions.
///
/// With --jsonl it reads JSON lines {"id", "expression", "items"?, "context"?, "node", "itemIndex", "runIndex", "mode",
/// "timezone"?, "now"?, …} and prints one line {"id", "value"} or {"id", "error"} for each.
///
/// Exit codes: 0 done, 1 the expression failed, 2 wrong arguments.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(super) struct Args {
    /// An expression such as '={{ $json.name }}'
    #[arg(conflicts_with = "jsonl")]
    expression: Option<String>,
    /// JSON of the item that the expression reads
    #[arg(long, value_name = "JSON", requires = "expression")]
    item: Option<String>,
    /// Say how the expression is evaluated, and why so
    #[arg(long, requires = "expression")]
    explain: bool,
    /// Read JSON lines from standard input
    #[arg(long)]
    jsonl: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Error> {
    let Some(expression) = &args.expression else {
        return Ok(lines::answer(jsonl::evaluate_line)?);
    };
    let mut output = std::io::stdout().lock();
    if args.explain {
        let how = match Template::compile(expression).explain() {
            Path::Literal => "literal text: nothing is evaluated".to_owned(),
            Path::Native => "native: no engine is needed for it".to_owned(),
            Path::JavaScript { reason } => format!("JavaScript: {reason}"),
        };
        return Ok(writeln!(output, "{how}")?);
    }
    let item = args.item.as_deref().unwrap_or("{}");
    let item = Value::from_json(item).map_err(|error| Error::Input(format!("--item is not valid JSON: {error}")))?;
    let item = Object::from([("json", item)]);
    let line = Object::from([
        ("id", Value::from(0)),
        ("expression", expression.as_str().into()),
        ("items", Value::array([item.into()])),
        ("itemIndex", Value::from(0)),
        ("runIndex", Value::from(0)),
    ]);
    let answer = Value::from_json(&jsonl::evaluate_line(&Value::Object(line).to_json())).unwrap_or_default();
    match answer.get("error") {
        Some(error) => {
            Err(Error::Failed(error.get("message").map(Value::to_js_string).unwrap_or_default().to_string()))
        }
        None => Ok(writeln!(output, "{}", answer.get("value").map(Value::to_json).unwrap_or_default())?),
    }
}
