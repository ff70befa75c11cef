//! The credentials that a node holds while it runs: they confine where its requests go, and no answer may quote them into a
//! record that is stored.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use millrace_model::{ExecutionError, Node, Object};
use millrace_nodes::{HttpRequest, HttpResponse};

use crate::common::error::chain;
use crate::common::{Coded, Ctx, Secret, TenantId, WorkflowId};
use crate::domains::credentials::{self, Resolved, Wanted};
use crate::infrastructure::http_client::AllowedHosts;

/// Texts shorter than this are words like any other.
const LEAST: usize = 6;
/// Stands where a service quoted a secret; n8n's mark.
const HIDDEN: &str = "**hidden**";

/// What the credentials of the node that runs at present bring with them.
#[derive(Default)]
pub(super) struct Held {
    hosts: Mutex<Vec<AllowedHosts>>,
    /// Of every node of the run: a later answer may still quote them.
    secrets: Mutex<Vec<Secret<String>>>,
    /// What nodes without a credential showed of their own accord: tokens that the workflow got by hand, and may get again.
    shown: Mutex<Vec<Secret<String>>>,
    is_holding: AtomicBool,
}

/// The credential that a node names for this type, or the only one there is.
pub(super) async fn resolve(
    credentials: &credentials::Service,
    tenant: TenantId,
    workflow: WorkflowId,
    node: &Node,
    kind: &str,
) -> Result<Resolved, ExecutionError> {
    let reference = node.credentials.get(kind);
    let wanted = Wanted { kind, reference, node_type: &node.kind, workflow };
    credentials.resolve(&Ctx::system(tenant), &wanted).await.map_err(|error| refused(&error))
}

/// Another access token in place of one that a service refused. `id` is one that [`resolve`] gave.
pub(super) async fn renew(
    credentials: &credentials::Service,
    tenant: TenantId,
    id: &str,
    token: &str,
) -> Result<Resolved, ExecutionError> {
    let Ok(id) = id.parse() else { return Err(failed("There is no such credential".to_owned())) };
    credentials.renewed(&Ctx::system(tenant), id, token).await.map_err(|error| refused(&error))
}

/// What a workflow is told. Of our own faults that is nothing; the log has them.
fn refused(error: &credentials::Error) -> ExecutionError {
    tracing::debug!(error = chain(error), "a node got no credential");
    let told = error.detail().unwrap_or_else(|| "the server failed to read it".to_owned());
    failed(format!("The credential cannot be used: {told}")).with_context("code", error.code().code)
}

fn failed(message: String) -> ExecutionError {
    ExecutionError::new("CredentialsError", message)
}

impl Held {
    /// The fields of a credential, for the node that runs.
    pub(super) fn hold(&self, resolved: Resolved) -> Object {
        lock(&self.hosts).extend(resolved.allowed_hosts);
        self.is_holding.store(true, Ordering::Relaxed);
        for secret in resolved.secrets {
            keep(&self.secrets, secret);
        }
        resolved.data
    }

    /// A request goes out: what authenticates it is a secret, too, in whatever form the node brought it.
    pub(super) fn sends(&self, request: &HttpRequest) {
        if lock(&self.secrets).is_empty() {
            return;
        }
        let place = if self.is_holding.load(Ordering::Relaxed) { &self.secrets } else { &self.shown };
        let authorization = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        for (_, value) in authorization {
            let (_, parameters) = value.split_once(' ').unwrap_or(("", value));
            keep(place, Secret::new(parameters.to_owned()));
        }
    }

    /// Another node begins.
    pub(super) fn let_go(&self) {
        lock(&self.hosts).clear();
        self.is_holding.store(false, Ordering::Relaxed);
    }

    /// Where the node's requests may go, for each of its credentials that says so.
    pub(super) fn hosts(&self) -> Vec<AllowedHosts> {
        lock(&self.hosts).clone()
    }

    /// An answer becomes part of the record: without secrets that it repeats. A failing one repeats what it was shown; one
    /// that is good may bring such a token, and the workflow needs it.
    pub(super) fn without_quotes(&self, mut answer: HttpResponse) -> HttpResponse {
        hide(&mut answer, &lock(&self.secrets));
        if answer.status >= 400 {
            hide(&mut answer, &lock(&self.shown));
        }
        answer
    }
}

/// Remembers a secret, and how JSON and forms write it where that differs.
fn keep(place: &Mutex<Vec<Secret<String>>>, secret: Secret<String>) {
    if secret.expose().len() < LEAST {
        return;
    }
    let json = serde_json::Value::from(secret.expose().as_str()).to_string();
    let inside = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or_default();
    let json = Secret::new(inside.to_owned());
    let form = Secret::new(url::form_urlencoded::byte_serialize(secret.expose().as_bytes()).collect::<String>());
    let mut secrets = lock(place);
    for written in [secret, json, form] {
        if !secrets.iter().any(|known| known.expose() == written.expose()) {
            secrets.push(written);
        }
    }
}

fn hide(answer: &mut HttpResponse, secrets: &[Secret<String>]) {
    for secret in secrets {
        for (_, value) in &mut answer.headers {
            if value.contains(secret.expose().as_str()) {
                *value = value.replace(secret.expose(), HIDDEN);
            }
        }
        if let Ok(text) = std::str::from_utf8(&answer.body)
            && text.contains(secret.expose().as_str())
        {
            answer.body = Bytes::from(text.replace(secret.expose(), HIDDEN));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
