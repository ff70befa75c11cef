//! `millrace check`: the functions that decide conditions, types and parameters of nodes, one call a line.

use super::{Error, lines};

/// Calls the functions that decide conditions, types and parameters of nodes.
///
/// Reads JSON lines {"id", "kind": "filter|typeValidation|nodeParameters", …} and prints one line {"id", "result"} or
/// {"id", "error"} for each. filter: "filter", "options"?; typeValidation: "fieldName", "value", "type", "options"?;
/// nodeParameters: "fn", "args".
///
/// Exit codes: 0 done, 2 wrong arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Read JSON lines from standard input
    #[arg(long, required = true)]
    jsonl: bool,
}

pub(super) fn run(_args: &Args) -> Result<(), Error> {
    Ok(lines::answer(millrace_nodes::check::evaluate_line)?)
}
