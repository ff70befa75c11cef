//! `cargo xtask test`: everything that has to pass, in the order in which a mistake shows soonest.

mod counts;
mod runner;

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{
    arguments::{Arguments, Wrong},
    bench::instructions,
    interrupt, process, report,
    services::{Plan, Service, Services, browser, mailbox, shared},
    tidy, workspace,
};

use self::{
    counts::Counts,
    runner::{Runner, Tests},
};

/// Every step: its name for `--only`, and what it does.
const STEPS: [Step; 8] = [
    Step { name: "fmt", run: |_| plain(&["fmt", "--all", "--check"], &[]) },
    Step { name: "tidy", run: |_| Ok(Verdict::from(tidy::run()?)) },
    Step {
        name: "clippy",
        run: |_| plain(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], &[]),
    },
    Step {
        name: "doc",
        run: |_| plain(&["doc", "--workspace", "--no-deps", "--locked"], &[("RUSTDOCFLAGS", "-D warnings")]),
    },
    Step { name: "unit", run: |suite| suite.runner.run(Tests::Unit, &[]) },
    Step { name: "api", run: Suite::api_embedded },
    Step { name: "services", run: Suite::on_services },
    Step { name: "instructions", run: |_| Ok(Verdict::from(instructions::check()?)) },
];

/// Runs the steps that were asked for; true when all of them passed.
pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let embedded_only = arguments.flag("--embedded-only");
    let keep = arguments.flag("--keep");
    let runner = Runner::chosen(arguments.option("--runner")?.as_deref())?;
    let mut only = Vec::new();
    while let Some(names) = arguments.option("--only")? {
        only.extend(names.split(',').map(str::to_owned));
    }
    arguments.finish()?;
    let mut steps = chosen(&only)?;
    if embedded_only {
        steps.retain(|step| !matches!(step.name, "services" | "instructions"));
    }
    if steps.is_empty() {
        bail!(Wrong("with --embedded-only nothing of --only is left to do".into()));
    }
    interrupt::listen()?;
    let suite = Suite { runner, keep, plan: Plan::new(), has_node: has_node() };
    if !suite.has_node {
        report::error(WITHOUT_NODE);
    }
    if steps.iter().any(|step| step.name == "services") {
        suite.announce_services();
    }
    Ok(suite.run(&steps, embedded_only))
}

struct Step {
    name: &'static str,
    run: fn(&Suite) -> Result<Verdict>,
}

struct Suite {
    runner: Runner,
    /// The servers stay up afterwards, as after `cargo xtask services up`.
    keep: bool,
    plan: Plan,
    has_node: bool,
}

/// What is said where the OpenID provider of the tests cannot run.
const WITHOUT_NODE: &str = "cannot test single sign-on: there is no Node.js here";

/// How a step ended, and the tests it ran, if it ran any.
#[derive(Debug)]
struct Verdict {
    passed: bool,
    counts: Option<Counts>,
}

impl From<bool> for Verdict {
    fn from(passed: bool) -> Self {
        Self { passed, counts: None }
    }
}

impl Suite {
    fn run(&self, steps: &[&Step], embedded_only: bool) -> bool {
        let begin = Instant::now();
        let mut rows = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            report::progress(&format!("[{}/{}] {}", index + 1, steps.len(), report::paint("1", step.name)));
            let step_begin = Instant::now();
            let verdict = (step.run)(self).unwrap_or_else(|error| {
                report::error(&format!("{error:#}"));
                Verdict::from(false)
            });
            let row = Row { name: step.name, verdict, took: step_begin.elapsed() };
            report::progress(&row.to_string());
            rows.push(row);
        }
        self.summarise(&rows, embedded_only, begin.elapsed())
    }

    fn summarise(&self, rows: &[Row], embedded_only: bool, took: Duration) -> bool {
        let passed = rows.iter().all(|row| row.verdict.passed);
        report::progress("summary");
        for row in rows {
            report::pass_on(&format!("    {row}"));
        }
        if embedded_only {
            report::pass_on(
                "    not tested, as asked: PostgreSQL, Redis, RabbitMQ, the browser, the cost of hot paths",
            );
        }
        if !self.has_node {
            report::pass_on(&format!("    {WITHOUT_NODE}"));
        }
        let counts: Vec<_> = rows.iter().filter_map(|row| row.verdict.counts).collect();
        if !counts.is_empty() {
            report::pass_on(&self.runner.summary_line(counts.into_iter().sum(), passed, took));
        }
        let (verdict, colour) = if passed { ("everything passed", "1;32") } else { ("FAILED", "1;31") };
        report::progress(&format!("{} in {}", report::paint(colour, verdict), report::duration(took)));
        passed
    }

    /// Says at the start what will be missing at the end.
    fn announce_services(&self) {
        for reason in self.plan.impossible().into_iter().chain(mailbox::impossible()).chain(browser::impossible()) {
            report::error(&reason);
        }
    }

    /// Tells the tests what this machine cannot run; without that they would fail.
    fn left_out(&self) -> &'static [(&'static str, &'static str)] {
        if self.has_node { &[] } else { &[("MILLRACE_TEST_WITHOUT_NODE", "1")] }
    }

    fn api_embedded(&self) -> Result<Verdict> {
        if self.has_node {
            browser::provider_packages()?;
        }
        self.runner.run(Tests::Api, self.left_out())
    }

    fn on_services(&self) -> Result<Verdict> {
        mailbox::prepare()?;
        browser::prepare()?;
        let browser = [(browser::VARIABLE, "1")];
        if self.keep {
            let servers = shared::running()?;
            let environment = servers.iter().map(|server| (server.service.variable(), &*server.url));
            let environment = environment.chain(browser).chain(self.left_out().iter().copied());
            return self.runner.run(Tests::OnServices, &environment.collect::<Vec<_>>());
        }
        let services = Services::start(&self.plan)?;
        let environment = services.environment().chain(browser).chain(self.left_out().iter().copied());
        self.runner.run(Tests::OnServices, &environment.collect::<Vec<_>>())
    }
}

/// A line of the summary.
struct Row {
    name: &'static str,
    verdict: Verdict,
    took: Duration,
}

impl std::fmt::Display for Row {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (word, colour) = if self.verdict.passed { ("passed", "32") } else { ("FAILED", "1;31") };
        let took = report::duration(self.took);
        write!(formatter, "{:<12} {} {took:>12}", self.name, report::paint(colour, word))?;
        self.verdict.counts.map_or(Ok(()), |counts| write!(formatter, "   {counts}"))
    }
}

/// The steps named by `--only`, in their own order; all of them when none is named.
fn chosen(only: &[String]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = only.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known = STEPS.map(|step| step.name).join(", ");
        bail!(Wrong(format!("there is no step `{unknown}`; the steps are {known}")));
    }
    Ok(STEPS.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name)).collect())
}

fn has_node() -> bool {
    Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// A cargo command whose exit code is the verdict.
fn plain(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Verdict> {
    let mut command = workspace::cargo(arguments);
    let status = process::run(command.envs(environment.iter().copied()))?;
    Ok(Verdict::from(status.success()))
}

/// The variables that decide which servers tests use; none may leak into tests of the embedded ones.
fn service_variables() -> impl Iterator<Item = &'static str> {
    Service::ALL.into_iter().map(Service::variable).chain([browser::VARIABLE])
}

#[cfg(test)]
mod tests;
