//! How many tests ran, read from the summary lines of `cargo test` and `cargo nextest`.

use std::{fmt, iter::Sum};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u32,
    pub(super) failed: u32,
    pub(super) skipped: u32,
}

impl Counts {
    /// The counts of `test result: ok. 5 passed; 0 failed; 1 ignored; …`; `None` when the line is something else.
    pub(super) fn from_cargo_test(line: &str) -> Option<Self> {
        let line = without_colours(line);
        Some(Self::from_list(line.strip_prefix("test result: ")?.split_once(". ")?.1))
    }

    /// The counts of `Summary [ 0.1s] 6 tests run: 5 passed (1 slow), 1 failed, 0 skipped`; `None` when it is something
    /// else: a failed test's own output, for example, which holds a line of `cargo test`.
    pub(super) fn from_nextest(line: &str) -> Option<Self> {
        let line = without_colours(line);
        Some(Self::from_list(line.trim_start().strip_prefix("Summary [")?.split_once(" run: ")?.1))
    }

    /// `5 passed, 1 failed`, whatever separates the entries and whatever else stands among them.
    fn from_list(list: &str) -> Self {
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
        counts
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
