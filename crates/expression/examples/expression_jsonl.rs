//! Reads lines of `millrace expression --jsonl` and answers them, for runs of the conformance corpus.

use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        writeln!(output, "{}", millrace_expression::jsonl::evaluate_line(&line?))?;
        output.flush()?;
    }
    Ok(())
}
