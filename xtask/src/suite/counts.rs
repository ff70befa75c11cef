//! How many tests ran, read from the summary lines of `cargo test` and `cargo nextest`.

use std::{fmt, iter::Sum};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u32,
    pub(super) failed: u32,
    pub(super) skipped: u32,
}

impl Counts {
    /// The counts of a summary line; `None` when the line is something else.
    ///
    /// `test result: ok. 5 passed; 0 failed; 1 ignored; …` or
    /// `Summary [ 0.1s] 6 tests run: 5 passed (1 slow), 1 failed, 0 skipped`.
    pub(super) fn from_line(line: &str) -> Option<Self> {
        let line = without_colours(line);
        let line = line.trim_start();
        let list = if let Some(rest) = line.strip_prefix("test result: ") {
            rest.split_once(". ")?.1
        } else {
            let (_, rest) = line.strip_prefix("Summary [")?.split_once(" run: ")?;
            rest
        };
        let mut counts = Self::default();
        for entry in list.split([',', ';']) {
            let mut words = entry.split_whitespace();
            let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u32>), words.next()) else { continue };
            match what {
                "passed" => counts.passed += number,
                "failed" | "timed" | "exec" => counts.failed += number,
                "skipped" | "ignored" => counts.skipped += number,
                _ => {}
            }
        }
        Some(counts)
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, next| Self {
            passed: sum.passed + next.passed,
            failed: sum.failed + next.failed,
            skipped: sum.skipped + next.skipped,
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// `line` without SGR sequences.
fn without_colours(line: &str) -> String {
    let mut pieces = line.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain.push_str(piece.split_once('m').map_or("", |(_, text)| text));
    }
    plain
}
