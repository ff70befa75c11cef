//! Which program runs the tests: `cargo nextest` where it is installed, else `cargo test`. Both must pass them.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Result, bail};
use serde_json::Value;

use super::{Verdict, counts::Counts, service_variables};
use crate::{arguments::Wrong, process, report, workspace};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    Nextest,
    CargoTest,
}

/// A part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tests {
    /// Those beside the code, of every crate.
    Unit,
    /// Those of `tests/api` that need no servers.
    Api,
    /// All that do more where servers are given: `tests/api`, and those beside the server's own code.
    OnServices,
}

/// Modules of `tests/api` whose tests fail without servers; where none are given they are left out, and counted so.
const ON_SERVERS: [&str; 3] = ["processes::", "triggers::mailbox::", "triggers::redis::"];

impl Runner {
    /// The one named on the command line, else the better one that is there.
    pub(super) fn chosen(name: Option<&str>) -> Result<Self> {
        match name {
            Some("nextest") => Ok(Self::Nextest),
            Some("cargo") => Ok(Self::CargoTest),
            Some(other) => bail!(Wrong(format!("`--runner` is `nextest` or `cargo`, not `{other}`"))),
            None if nextest_is_installed() => Ok(Self::Nextest),
            None => Ok(Self::CargoTest),
        }
    }

    /// Builds and runs the tests, with exactly the given servers in their environment.
    pub(super) fn run(self, tests: Tests, environment: &[(&str, &str)]) -> Result<Verdict> {
        let mut command = self.command(tests)?;
        for variable in service_variables() {
            command.env_remove(variable);
        }
        command.envs(environment.iter().copied());
        report::progress(&process::describe(&command));
        let counts = Mutex::new(Vec::new());
        let status = process::run_watched(&mut command, &|line| {
            counts.lock().unwrap_or_else(PoisonError::into_inner).extend(self.counts(line));
        })?;
        let counts: Counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().sum();
        if status.success() && counts.passed == 0 {
            report::error("not a single test was run");
        }
        Ok(Verdict { passed: status.success() && counts.passed > 0, counts: Some(counts) })
    }

    /// What a line of the runner's output says about how many tests ran, if it is about that.
    pub(super) fn counts(self, line: &str) -> Option<Counts> {
        match self {
            Self::Nextest => Counts::from_nextest(line),
            Self::CargoTest => Counts::from_cargo_test(line),
        }
    }

    /// The runner's own kind of summary line, over all the steps. It never says `ok` when a step failed.
    pub(super) fn summary_line(self, counts: Counts, all_passed: bool, took: Duration) -> String {
        let Counts { passed, failed, skipped } = counts;
        let seconds = took.as_secs_f64();
        match self {
            Self::Nextest => {
                let failures = if failed > 0 { format!("{failed} failed, ") } else { String::new() };
                let run = passed + failed;
                format!("     Summary [{seconds:>8.3}s] {run} tests run: {passed} passed, {failures}{skipped} skipped")
            }
            Self::CargoTest => {
                let verdict = if all_passed { "ok" } else { "FAILED" };
                format!(
                    "test result: {verdict}. {passed} passed; {failed} failed; {skipped} ignored; 0 measured; \
                     0 filtered out; finished in {seconds:.2}s"
                )
            }
        }
    }

    /// Always over the whole workspace: with `-p` cargo would unify features differently and build everything again.
    fn command(self, tests: Tests) -> Result<Command> {
        Ok(match (self, tests) {
            (Self::Nextest, _) => {
                let filter = match tests {
                    Tests::Unit => "not binary(=api)".to_owned(),
                    Tests::Api => format!("binary(=api) and not test(/^({})/)", ON_SERVERS.join("|")),
                    Tests::OnServices => "binary(=api) or (package(=millrace) and kind(lib))".to_owned(),
                };
                let run =
                    ["nextest", "run", "--workspace", "--locked", "--no-fail-fast", "--no-tests=warn", "-E", &filter];
                workspace::cargo(&run)
            }
            (Self::CargoTest, Tests::Api) => {
                let mut command =
                    workspace::cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--test", "api", "--"]);
                command.args(ON_SERVERS.iter().flat_map(|module| ["--skip", module]));
                command
            }
            (Self::CargoTest, Tests::OnServices) => {
                workspace::cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--lib", "--test", "api"])
            }
            (Self::CargoTest, Tests::Unit) => {
                let mut command =
                    workspace::cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--lib", "--bins"]);
                for name in test_targets(&workspace::metadata()?).iter().filter(|name| *name != "api") {
                    command.args(["--test", name]);
                }
                command
            }
        })
    }
}

fn nextest_is_installed() -> bool {
    let mut command = workspace::cargo(&["nextest", "--version"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The names of all test binaries in the workspace.
pub(super) fn test_targets(metadata: &Value) -> BTreeSet<String> {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let packages = list(metadata, "packages");
    let targets = packages.iter().flat_map(|package| list(package, "targets"));
    let tests = targets.filter(|target| list(target, "kind").iter().any(|kind| kind == "test"));
    tests.filter_map(|target| Some(target.get("name")?.as_str()?.to_owned())).collect()
}
