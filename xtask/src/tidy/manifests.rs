//! Which crate may depend on which, read from `cargo metadata`.

use serde_json::Value;

use super::Finding;

/// Every crate of the workspace and those of ours that it may depend on.
const OURS: [(&str, &[&str]); 8] = [
    ("millrace-model", &[]),
    ("millrace-expression", &["millrace-model"]),
    ("millrace-engine", &["millrace-model", "millrace-expression"]),
    ("millrace-nodes", &["millrace-model", "millrace-expression", "millrace-engine"]),
    ("millrace-runner", &["millrace-model", "millrace-expression", "millrace-engine", "millrace-nodes"]),
    ("millrace-migrations", &[]),
    (
        "millrace",
        &[
            "millrace-model",
            "millrace-expression",
            "millrace-engine",
            "millrace-nodes",
            "millrace-runner",
            "millrace-migrations",
        ],
    ),
    ("xtask", &[]),
];

/// Crates below the server: they know no server, no database, no network.
const PURE: [&str; 5] =
    ["millrace-model", "millrace-expression", "millrace-engine", "millrace-nodes", "millrace-runner"];

/// Beginnings of the names of crates that a pure crate stays away from.
const IMPURE: [&str; 14] = [
    "actix",
    "axum",
    "hyper",
    "reqwest",
    "sea-orm",
    "sea-query",
    "sqlx",
    "rusqlite",
    "redis",
    "deadpool",
    "lapin",
    "lettre",
    "utoipa",
    "metrics-exporter",
];

/// SQL over items, on a database in memory that reaches nothing.
const IN_MEMORY: (&str, &str) = ("millrace-nodes", "sqlx");

/// Checks the dependencies of all packages.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    list(metadata, "packages").iter().flat_map(check_package).collect()
}

fn check_package(package: &Value) -> Vec<Finding> {
    let name = text(package, "name");
    let manifest = text(package, "manifest_path");
    let finding = |message: String| Finding::new("crates", manifest, 0, message);
    let Some((_, allowed)) = OURS.iter().find(|(other, _)| *other == name) else {
        return vec![finding(format!("`{name}` has no place among the crates: give it one in `manifests.rs`"))];
    };
    let mut findings = Vec::new();
    for dependency in list(package, "dependencies") {
        let other = text(dependency, "name");
        let is_ours = OURS.iter().any(|(ours, _)| *ours == other);
        if is_ours && !allowed.contains(&other) {
            findings.push(finding(format!("`{name}` may depend on {allowed:?} of ours, not on `{other}`")));
        }
        let for_tests = text(dependency, "kind") == "dev";
        let in_memory = (name, other) == IN_MEMORY;
        if PURE.contains(&name) && !for_tests && !in_memory && IMPURE.iter().any(|impure| other.starts_with(impure)) {
            findings
                .push(finding(format!("`{name}` knows no server, database or network: `{other}` belongs above it")));
        }
    }
    findings
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
