//! Credentials of the tenant that a webhook's node asks its callers for, as n8n's node names them. What cannot be read
//! lets nobody in.

use std::sync::Arc;
use std::time::Duration;

use millrace_model::NodeIndex;
use millrace_nodes::webhook::{Authentication, ReceivedRequest};
use moka::sync::Cache;

use super::credentials::Credentials;
use super::log::Draft;
use super::receiver::Receiver;
use super::reply::Reply;
use crate::common::error::chain;
use crate::common::{Ctx, TenantId, Timestamp, WorkflowVersionId};
use crate::domains::credentials::{self as vault, Wanted};

/// A changed credential may count this much longer.
const LIFE: Duration = Duration::from_secs(5);
const HEADER: &str = "httpHeaderAuth";
const MOST_KNOWN: u64 = 10_000;

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Stored {
    vault: vault::Service,
    known: Cache<(TenantId, WorkflowVersionId, NodeIndex), Arc<Credentials>>,
}

impl Stored {
    pub(super) fn new(vault: vault::Service) -> Stored {
        Stored { vault, known: Cache::builder().max_capacity(MOST_KNOWN).time_to_live(LIFE).build() }
    }

    /// Lets a caller in who shows what the node asks for. Claims of its token go into the request.
    pub(super) async fn check(
        &self,
        receiver: &Receiver,
        request: &mut ReceivedRequest,
        now: Timestamp,
    ) -> Result<(), Reply> {
        let Some(kind) = type_of(receiver.settings.authentication) else { return Ok(()) };
        let known = self.credentials(receiver, kind).await.ok_or_else(unusable)?;
        if let Some(claims) = known.check(&request.headers, now)? {
            request.jwt_payload = Some(claims);
        }
        Ok(())
    }

    /// Keeps what callers show out of the log.
    pub(super) async fn hide(&self, receiver: &Receiver, draft: Draft) -> Draft {
        // Others show it in a header that is hidden always.
        let Some(kind) = type_of(receiver.settings.authentication).filter(|kind| *kind == HEADER) else { return draft };
        match self.credentials(receiver, kind).await {
            Some(known) => draft.hide(Some(known.shown_in())),
            // Nobody knows which header it is.
            None => draft.without_headers(),
        }
    }

    async fn credentials(&self, receiver: &Receiver, kind: &str) -> Option<Arc<Credentials>> {
        let key = (receiver.program.tenant, receiver.program.version, receiver.node);
        if let Some(known) = self.known.get(&key) {
            return Some(known);
        }
        let read = Arc::new(self.read(receiver, kind).await?);
        self.known.insert(key, Arc::clone(&read));
        Some(read)
    }

    async fn read(&self, receiver: &Receiver, kind: &str) -> Option<Credentials> {
        let program = &receiver.program;
        let node = program.workflow().node(receiver.node);
        let reference = Some(node.credentials.get(kind)?);
        let wanted = Wanted { kind, reference, node_type: &node.kind, workflow: program.workflow };
        match self.vault.resolve(&Ctx::system(program.tenant), &wanted).await {
            Ok(resolved) => Credentials::stored(receiver.settings.authentication, &resolved.data),
            Err(error) => {
                tracing::warn!(workflow = %program.workflow, error = chain(&error), "a webhook lets nobody in");
                None
            }
        }
    }
}

/// The type of credential that a node of this kind of authentication names.
pub(super) const fn type_of(authentication: Authentication) -> Option<&'static str> {
    match authentication {
        Authentication::None => None,
        Authentication::Basic => Some("httpBasicAuth"),
        Authentication::Header => Some(HEADER),
        Authentication::Jwt => Some("jwtAuth"),
    }
}

fn unusable() -> Reply {
    Reply::error(500, "No authentication data defined on node!", None)
}
