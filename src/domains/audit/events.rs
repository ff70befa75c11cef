//! The one bus of what happens to tenants: everything that is recorded, and what domains publish beside it. An event is
//! handed on in the transaction in which it happens. The composition root plugs in who listens.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use serde_json::Value;

use crate::common::{TenantId, Timestamp};
use crate::infrastructure::database::{self, Transaction};

/// Something that happened to a tenant.
#[derive(Clone, Debug)]
pub struct Event {
    pub tenant: TenantId,
    /// `kind.verb`, such as `workflow.activate` or `execution.error`.
    pub kind: &'static str,
    pub at: Timestamp,
    /// What it happened to; holds no secrets.
    pub data: Value,
}

/// Who keeps events for those who want to hear of them.
#[async_trait]
pub trait Listener: Send + Sync {
    /// Whether anybody of the tenant wants to hear of it. Cheap: it is asked for each event there is.
    fn wants(&self, tenant: TenantId, kind: &str) -> bool;

    /// Keeps an event. It stands or falls with the transaction; nothing is sent here.
    async fn keep(&self, transaction: &Transaction, event: &Event) -> Result<(), database::Error>;
}

/// The door through which domains publish. Cheap to clone.
#[derive(Clone, Default)]
pub struct Events(Arc<OnceLock<Vec<Arc<dyn Listener>>>>);

impl Events {
    /// Names the listeners; once, before the first event.
    pub fn plug(&self, listeners: Vec<Arc<dyn Listener>>) {
        if self.0.set(listeners).is_err() {
            tracing::error!("listeners to events were plugged in twice; the second call was ignored");
        }
    }

    pub fn wants(&self, tenant: TenantId, kind: &str) -> bool {
        self.0.get().into_iter().flatten().any(|listener| listener.wants(tenant, kind))
    }

    /// Hands an event to everybody who wants it.
    pub async fn publish(&self, transaction: &Transaction, event: &Event) -> Result<(), database::Error> {
        for listener in self.0.get().into_iter().flatten() {
            if listener.wants(event.tenant, event.kind) {
                listener.keep(transaction, event).await?;
            }
        }
        Ok(())
    }
}
