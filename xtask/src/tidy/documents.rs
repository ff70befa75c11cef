//! The page that says how the house is built must go on saying it.

use super::Finding;

pub(super) const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";

/// Invariants are cited by number, so the numbers run from 1 without a gap.
pub(super) fn check(page: &str) -> Vec<Finding> {
    let section = page.lines().enumerate().skip_while(|(_, line)| *line != "## Invariants").skip(1);
    let section = section.take_while(|(_, line)| !line.starts_with("## "));
    let numbered =
        section.filter_map(|(index, line)| Some((index + 1, line.split_once(". ")?.0.parse::<usize>().ok()?)));
    let numbered: Vec<_> = numbered.collect();
    if numbered.is_empty() {
        let message = "there is no section `## Invariants` with a numbered list: state what never happens, and why";
        return vec![Finding::new("invariants", ARCHITECTURE, 0, message)];
    }
    let gap = numbered.iter().enumerate().find(|(index, (_, number))| *number != index + 1);
    gap.map(|(index, (line, number))| {
        let message = format!("invariant {number} stands where {} is due: number them from 1 without a gap", index + 1);
        Finding::new("invariants", ARCHITECTURE, *line, message)
    })
    .into_iter()
    .collect()
}
