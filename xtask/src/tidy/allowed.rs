//! Every exception to tidy's rules, each with its reason. An exception that nothing needs any more is itself a fault.

use super::Finding;

pub(super) struct Allowed {
    pub(super) rule: &'static str,
    /// A file, or a folder with a `/` at its end.
    pub(super) path: &'static str,
    pub(super) reason: &'static str,
}

pub(super) const ALLOWED: &[Allowed] = &[
    Allowed {
        rule: "machine",
        path: "xtask/src/tidy/",
        reason: "the rule and its tests have to name the paths it looks for",
    },
    Allowed {
        rule: "pure",
        path: "crates/expression/src/scope.rs",
        reason: "the one clock of a run, which can be frozen: everything else asks it",
    },
    Allowed {
        rule: "pure",
        path: "crates/runner/src/local/",
        reason: "the host of the command line: files and processes are what it has to offer",
    },
    Allowed {
        rule: "orm",
        path: "src/infrastructure/services/",
        reason: "databases of tenants, not ours: the statements are the workflow's",
    },
    Allowed {
        rule: "layers",
        path: "src/infrastructure/services/",
        reason: "takes and gives the values of workflows: the words of `model`, and nothing else of ours",
    },
];

/// The findings that no exception covers, and the exceptions that cover nothing.
pub(super) fn without(findings: Vec<Finding>, allowed: &[Allowed]) -> Vec<Finding> {
    let covers = |entry: &Allowed, finding: &Finding| {
        let matches_path =
            finding.path == entry.path || entry.path.ends_with('/') && finding.path.starts_with(entry.path);
        entry.rule == finding.rule && matches_path
    };
    let unused = allowed.iter().filter(|entry| !findings.iter().any(|finding| covers(entry, finding)));
    let unused: Vec<_> = unused
        .map(|entry| {
            let message =
                format!("nothing breaks `{}` here any more: remove the exception ({})", entry.rule, entry.reason);
            Finding::new("allowed", entry.path, 0, message)
        })
        .collect();
    let open = findings.into_iter().filter(|finding| !allowed.iter().any(|entry| covers(entry, finding)));
    open.chain(unused).collect()
}
