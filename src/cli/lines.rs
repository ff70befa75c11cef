//! JSON lines: every line of standard input gets one answer on standard output, flushed at once.

use std::io::{BufRead, Write};

/// Longest line that is read.
const MAX_LINE: u64 = 256 << 20;

pub(super) fn answer(mut respond: impl FnMut(&str) -> String) -> std::io::Result<()> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = std::io::Read::take(&mut input, MAX_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() {
            writeln!(output, "{}", respond(text))?;
            output.flush()?;
        }
    }
}
