//! Answers JSON lines on standard input as `millrace check --jsonl` does.

use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        writeln!(out, "{}", millrace_nodes::check::evaluate_line(&line?))?;
        out.flush()?;
    }
    Ok(())
}
