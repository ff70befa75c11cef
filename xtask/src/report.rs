//! What a person reads: results on standard output, progress and errors on standard error. The only file that prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this file is for")]

use std::{
    io::{IsTerminal as _, stderr},
    time::Duration,
};

/// A line of the result, on standard output.
pub(crate) fn line(text: &str) {
    println!("{}", text.trim_end());
}

/// A line about what is going on, on standard error.
pub(crate) fn progress(text: &str) {
    eprintln!("{} {text}", paint("1;36", "xtask:"));
}

/// A line of somebody else's output, passed on as it is.
pub(crate) fn pass_on(text: &str) {
    eprintln!("{text}");
}

pub(crate) fn error(text: &str) {
    eprintln!("{} {text}", paint("1;31", "error:"));
}

/// `1.2 s` below a minute, `3 min 04 s` above.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        return format!("{:.1} s", duration.as_secs_f64());
    }
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}

/// `text` in the colour `code` (SGR) when a terminal shows it.
pub(crate) fn paint(code: &str, text: &str) -> String {
    if coloured() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Whether standard error is a terminal that is allowed colours.
pub(crate) fn coloured() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
