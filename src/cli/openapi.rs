//! `millrace openapi`: prints the OpenAPI document. Needs neither configuration nor database.

use std::io::Write;
use std::path::PathBuf;

use super::Error;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Error> {
    let text = document()?;
    match &args.output {
        Some(path) => std::fs::write(path, text)?,
        None => std::io::stdout().lock().write_all(text.as_bytes())?,
    }
    Ok(())
}

/// The document as it is committed: indented, with a newline at the end.
pub fn document() -> Result<String, serde_json::Error> {
    // By way of a value, whose keys are in a fixed order.
    let value = serde_json::to_value(crate::app::openapi_document())?;
    Ok(format!("{}\n", serde_json::to_string_pretty(&value)?))
}
