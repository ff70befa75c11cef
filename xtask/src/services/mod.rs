//! PostgreSQL, Redis and RabbitMQ for tests: given by the environment, from `docker compose`, or from local binaries.
//! Real servers, never stand-ins; throwaway data, so they run without durability.

pub(crate) mod browser;
mod compose;
mod install;
mod local;
pub(crate) mod mailbox;
mod postgres;
mod probe;
mod rabbitmq;
mod redis;
pub(crate) mod shared;

use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::{report, scratch::Scratch};

use self::{compose::Compose, local::Local};
pub(crate) use self::{install::need, probe::free_port};

/// The name of the role, its password, and of the database it owns. No superuser: row-level security applies to it.
const ROLE: &str = "millrace";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Postgres,
    Redis,
    RabbitMq,
}

impl Service {
    pub(crate) const ALL: [Self; 3] = [Self::Postgres, Self::Redis, Self::RabbitMq];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
            Self::RabbitMq => "RabbitMQ",
        }
    }

    /// The environment variable that tells the tests where the server is.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "MILLRACE_TEST_POSTGRES_URL",
            Self::Redis => "MILLRACE_TEST_REDIS_URL",
            Self::RabbitMq => "MILLRACE_TEST_AMQP_URL",
        }
    }

    /// Its name in file names, compose files and Debian's packages (the package is `<name>` or `<name>-server`).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::RabbitMq => "rabbitmq",
        }
    }
}

/// Where each service comes from.
#[derive(Debug)]
pub(crate) struct Plan(Vec<(Service, Source)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Given(String),
    Compose,
    Local,
    Install,
    Nowhere,
}

impl Plan {
    /// Looks at the environment and at this machine; starts nothing.
    pub(crate) fn new() -> Self {
        Self::with(|service| std::env::var(service.variable()).ok().filter(|url| !url.is_empty()))
    }

    fn with(given: impl Fn(Service) -> Option<String>) -> Self {
        let compose = Service::ALL.iter().any(|service| given(*service).is_none()) && compose::is_usable();
        Self(Service::ALL.map(|service| (service, Source::find(service, given(service), compose))).into())
    }

    fn without_containers(services: &[Service]) -> Self {
        Self(services.iter().map(|service| (*service, Source::find(*service, None, false))).collect())
    }

    /// One line on what this machine cannot run, if anything.
    pub(crate) fn impossible(&self) -> Option<String> {
        let missing: Vec<_> =
            self.from(&Source::Nowhere).map(|service| (service.label(), service.variable())).collect();
        if missing.is_empty() {
            return None;
        }
        let labels = missing.iter().map(|(label, _)| *label).collect::<Vec<_>>().join(", ");
        let variables = missing.iter().map(|(_, variable)| *variable).collect::<Vec<_>>().join(", ");
        Some(format!(
            "cannot test on {labels}: no container engine, no local binaries, and no right to install them here \
             (set {variables}, or test without them with --embedded-only)"
        ))
    }

    fn from(&self, source: &Source) -> impl Iterator<Item = Service> {
        self.0.iter().filter(move |(_, other)| other == source).map(|(service, _)| *service)
    }
}

impl Source {
    fn find(service: Service, given: Option<String>, compose: bool) -> Self {
        match given {
            Some(url) => Self::Given(url),
            None if compose => Self::Compose,
            None if local::is_installed(service) => Self::Local,
            None if install::is_possible() => Self::Install,
            None => Self::Nowhere,
        }
    }
}

/// Servers that answer. Those started here are stopped when this is dropped.
pub(crate) struct Services {
    servers: Vec<Server>,
    // Dropped in this order: processes first, their files last.
    local: Vec<Local>,
    compose: Option<Compose>,
    scratch: Scratch,
}

/// One server and how to reach it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) service: Service,
    pub(crate) url: String,
}

impl Services {
    /// Starts what the plan says and waits until everything answers.
    pub(crate) fn start(plan: &Plan) -> Result<Self> {
        let scratch = Scratch::new("millrace-services")?;
        let mut services = Self { servers: Vec::new(), local: Vec::new(), compose: None, scratch };
        services.add(plan)?;
        Ok(services)
    }

    /// Variable and URL of each server, for the environment of tests.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.servers.iter().map(|server| (server.service.variable(), server.url.as_str()))
    }

    /// Whether this program can restart all of them: they are its own.
    pub(crate) fn are_own(&self) -> bool {
        self.local.len() == self.servers.len()
    }

    /// Stops a server of this program and starts it again; returns when it answers.
    pub(crate) fn restart(&mut self, service: Service) -> Result<()> {
        let local = self.local.iter_mut().find(|local| local.server.service == service);
        let local = local.context("this server was not started here")?;
        local.restart()?;
        let server = local.server.clone();
        probe::wait_for(&server, || local.ended())
    }

    fn add(&mut self, plan: &Plan) -> Result<()> {
        if let Some(reason) = plan.impossible() {
            bail!(reason);
        }
        for (service, source) in &plan.0 {
            if let Source::Given(url) = source {
                probe::reachable(url).with_context(|| format!("{} ({url})", service.variable()))?;
                report::progress(&format!("{} is given: {url}", service.label()));
                self.servers.push(Server { service: *service, url: url.clone() });
            }
        }
        let missing: Vec<_> = plan.from(&Source::Install).collect();
        install::install(&missing)?;
        self.start_local(&plan.from(&Source::Local).chain(missing).collect::<Vec<_>>())?;
        let containers: Vec<_> = plan.from(&Source::Compose).collect();
        let Err(error) = self.start_containers(&containers) else { return Ok(()) };
        // An engine that runs may still have no way to the images.
        report::error(&format!("{error:#}; trying without containers"));
        self.add(&Plan::without_containers(&containers))
    }

    fn start_containers(&mut self, wanted: &[Service]) -> Result<()> {
        if wanted.is_empty() {
            return Ok(());
        }
        let begin = Instant::now();
        let (compose, servers) = Compose::up(self.scratch.path(), wanted)?;
        for server in &servers {
            probe::wait_for(server, || None)?;
            report::progress(&format!("{} answers: {}", server.service.label(), server.url));
        }
        report::progress(&format!("containers took {}", report::duration(begin.elapsed())));
        self.compose = Some(compose);
        self.servers.extend(servers);
        Ok(())
    }

    fn start_local(&mut self, wanted: &[Service]) -> Result<()> {
        let begin = Instant::now();
        let mut started = Vec::new();
        for service in wanted.iter().rev() {
            // RabbitMQ first: it takes longest.
            started.push(Local::spawn(*service, self.scratch.path())?);
        }
        for mut local in started {
            let server = local.server.clone();
            let took = || report::duration(begin.elapsed());
            match probe::wait_for(&server, || local.ended()) {
                Ok(()) => report::progress(&format!("{} answers after {}: {}", local.label(), took(), server.url)),
                Err(error) => bail!("{error:#}\n{}", local.last_words()),
            }
            self.servers.push(server);
            self.local.push(local);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
