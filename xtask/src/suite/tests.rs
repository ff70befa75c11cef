//! Reading summaries and choosing steps.

use std::time::Duration;

use super::{
    chosen,
    counts::Counts,
    runner::{Runner, test_targets},
};

#[test]
fn summary_lines_are_read() {
    let counts = |passed, failed, skipped| Some(Counts { passed, failed, skipped });
    let (cargo, nextest) = (Runner::CargoTest, Runner::Nextest);
    let coloured = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.005s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m \
                    \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m0\u{1b}[0m \u{1b}[33;1mskipped\u{1b}[0m";
    for (runner, line, expected) in [
        (cargo, "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out", counts(5, 0, 1)),
        (cargo, "test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out", counts(1, 3, 0)),
        (cargo, "test suite::tests::summary_lines_are_read ... ok", None),
        (nextest, "     Summary [   0.005s] 6 tests run: 5 passed (1 slow), 1 failed, 2 skipped", counts(5, 1, 2)),
        (nextest, "     Summary [  60.005s] 2/9 tests run: 1 passed, 1 timed out, 7 skipped", counts(1, 1, 7)),
        (nextest, coloured, counts(2, 0, 0)),
        (nextest, "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 58 filtered out", None),
        (nextest, "Summary of nothing", None),
    ] {
        assert_eq!(runner.counts(line), expected, "{line}");
    }
}

#[test]
fn the_closing_line_can_be_read_like_a_runners_own() {
    let counts = Counts { passed: 7, failed: 2, skipped: 1 };
    for runner in [Runner::Nextest, Runner::CargoTest] {
        let line = runner.summary_line(counts, false, Duration::from_millis(1500));
        assert_eq!(runner.counts(&line), Some(counts), "{line}");
    }
}

#[test]
fn steps_are_chosen_by_name_and_keep_their_order() {
    let names = |only: &[&str]| {
        let only: Vec<_> = only.iter().map(|name| (*name).to_owned()).collect();
        chosen(&only).map(|steps| steps.iter().map(|step| step.name).collect::<Vec<_>>())
    };
    assert_eq!(names(&["unit", "fmt"]).expect("both exist"), ["fmt", "unit"]);
    assert_eq!(names(&[]).expect("all").len(), 8);
    assert!(names(&["units"]).expect_err("no such step").to_string().contains("fmt, tidy, clippy"));
}

#[test]
fn test_binaries_are_found() {
    let metadata = serde_json::json!({"packages": [
        {"targets": [{"kind": ["lib"], "name": "a"}, {"kind": ["test"], "name": "api"}]},
        {"targets": [{"kind": ["test"], "name": "cases"}, {"kind": ["bench"], "name": "speed"}]},
    ]});
    assert_eq!(test_targets(&metadata).into_iter().collect::<Vec<_>>(), ["api", "cases"]);
}
