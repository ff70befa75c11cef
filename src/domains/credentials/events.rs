//! What this domain announces. Others listen (webhooks to the outside, notifications); the composition root plugs them in.

use async_trait::async_trait;
use serde::Serialize;

use super::service::Service;
use crate::common::{ConnectSessionId, CredentialId, TenantId, UserId};

/// Something that happened to a credential. Serialised it is the payload of an event; it has no place for a secret.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum Event {
    /// An account was connected.
    #[serde(rename = "credential.connected")]
    Connected { credential: CredentialId },
    /// The access token cannot be renewed: the account has to be connected again.
    #[serde(rename = "credential.renewal_failed")]
    RenewalFailed {
        credential: CredentialId,
        name: String,
        /// Who made it, where that is a person.
        created_by: Option<UserId>,
        reason: String,
    },
    /// Somebody accepted the invitation to connect an account.
    #[serde(rename = "connect_session.connected")]
    SessionConnected { session: ConnectSessionId, credential: CredentialId },
    /// Somebody tried to, in vain.
    #[serde(rename = "connect_session.failed")]
    SessionFailed { session: ConnectSessionId, reason: String },
}

impl Event {
    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Event::Connected { .. } => "credential.connected",
            Event::RenewalFailed { .. } => "credential.renewal_failed",
            Event::SessionConnected { .. } => "connect_session.connected",
            Event::SessionFailed { .. } => "connect_session.failed",
        }
    }
}

/// Somebody who is told.
#[async_trait]
pub trait Listener: Send + Sync {
    async fn happened(&self, tenant: TenantId, event: &Event);
}

impl Service {
    /// Tells everyone who listens, after it is stored.
    pub(super) async fn announce(&self, tenant: TenantId, event: Event) {
        metrics::counter!("millrace_credential_events_total", "event" => event.name()).increment(1);
        tracing::info!(%tenant, event = event.name(), "credential event");
        for listener in self.listeners() {
            listener.happened(tenant, &event).await;
        }
    }
}
