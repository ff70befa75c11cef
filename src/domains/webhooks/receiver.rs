//! What a webhook node's parameters say, read once for each version: how a request is read and answered, and who may call.
//! Pure.

use std::net::IpAddr;
use std::sync::Arc;

use millrace_model::{NodeIndex, Problem, Str, Value};
use millrace_nodes::webhook::{ResponseMode, Settings};
use millrace_runner::Compiled;

use super::guard::Guard;
use super::settings::{Network, network};
use super::stored::type_of;
use crate::domains::executions::Program;
use crate::domains::workflows::FORM_TRIGGER;

/// A webhook node of a program, ready to be called.
#[derive(Debug)]
pub(super) struct Receiver {
    pub program: Arc<Program>,
    pub node: NodeIndex,
    pub settings: Settings,
    /// Origins of other sites that browsers may call from; `*`: all.
    pub allowed_origins: Vec<Str>,
    /// Of its resume address, where it waits; without slashes around it.
    pub suffix: Str,
    /// What the tenant has set for it; `None`: nothing, and nothing is checked.
    pub guard: Option<Arc<Guard>>,
    /// Callers that are let in; empty: all.
    allowed_addresses: Vec<Network>,
}

impl Receiver {
    pub(super) fn new(program: Arc<Program>, node: NodeIndex, guard: Option<Guard>) -> Receiver {
        let settings = settings(&program.compiled, node);
        let origins = option(&program.compiled, node, "allowedOrigins");
        let origins = origins.map(|origins| listed(&origins)).filter(|origins| !origins.is_empty());
        let suffix = option(&program.compiled, node, "webhookSuffix");
        Receiver {
            suffix: suffix.map(|suffix| suffix.trim_matches('/').into()).unwrap_or_default(),
            allowed_addresses: settings.ip_allow_list.iter().filter_map(|text| network(text)).collect(),
            allowed_origins: origins.unwrap_or_else(|| vec!["*".into()]),
            guard: guard.map(Arc::new),
            settings,
            program,
            node,
        }
    }

    /// Is it a form that people fill in?
    pub(super) fn is_form(&self) -> bool {
        self.program.workflow().node(self.node).kind == FORM_TRIGGER
    }

    /// Are its callers answered in parts?
    pub(super) fn streams(&self) -> bool {
        self.settings.response_mode == ResponseMode::Streaming
    }

    /// What of a node's settings this server cannot keep.
    pub(super) fn problems(compiled: &Compiled, node: NodeIndex) -> Vec<Problem> {
        let settings = settings(compiled, node);
        let at = |name: &str| format!("/nodes/{}/parameters/{name}", node.0);
        let mut problems = Vec::new();
        let asked = type_of(settings.authentication);
        if let Some(kind) = asked.filter(|kind| !compiled.workflow().node(node).credentials.contains_key(kind)) {
            let message = format!("asks its callers for credentials, but names no {kind}: it would let nobody in");
            problems.push(Problem::new(at("authentication"), "webhook.credentials_missing", message));
        }
        if let Some(text) = settings.ip_allow_list.iter().find(|text| network(text).is_none()) {
            let message = format!("\"{text}\" is neither an IP address nor a block of addresses");
            problems.push(Problem::new(at("options/ipWhitelist"), "webhook.address_not_valid", message));
        }
        problems
    }

    pub(super) fn lets_in(&self, address: Option<IpAddr>) -> bool {
        let is_listed = |address: IpAddr| self.allowed_addresses.iter().any(|network| network.contains(&address));
        self.allowed_addresses.is_empty() || address.is_some_and(is_listed)
    }
}

fn settings(compiled: &Compiled, node: NodeIndex) -> Settings {
    Settings::read(compiled.workflow().node(node).version, &compiled.node(node).parameters)
}

fn option(compiled: &Compiled, node: NodeIndex, name: &str) -> Option<Str> {
    let value = compiled.node(node).parameters.get("options")?.get(name)?;
    Some(value).filter(|value| !value.is_nullish()).map(Value::to_js_string)
}

fn listed(text: &str) -> Vec<Str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Str::from).collect()
}
