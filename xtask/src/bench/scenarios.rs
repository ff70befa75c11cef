//! The scenarios under load: a workflow file of `bench/` each, called by its webhook.

/// Callers at the same time, in turn.
pub(super) const CONNECTIONS: [u32; 3] = [1, 16, 64];

/// What every call sends.
pub(super) const BODY: &str = r#"{"n":7,"name":"ann"}"#;

pub(super) struct Scenario {
    /// Its file, without `.json`.
    pub name: &'static str,
    /// Path of its webhook.
    pub path: &'static str,
}

pub(super) const SCENARIOS: [Scenario; 5] = [
    Scenario { name: "webhook-set-if", path: "bench" },
    Scenario { name: "webhook-code", path: "bench-code" },
    Scenario { name: "webhook-chain-100", path: "bench-chain" },
    Scenario { name: "webhook-subworkflow", path: "bench-sub" },
    Scenario { name: "webhook-async", path: "bench-async" },
];

/// Every workflow that has to be there, called ones before their callers.
pub(super) fn files() -> impl Iterator<Item = &'static str> {
    std::iter::once("sub-child").chain(SCENARIOS.iter().map(|scenario| scenario.name))
}
