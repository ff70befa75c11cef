//! Puts what happens to credentials on the bus, for whoever follows the tenant's events.

use std::sync::Arc;

use async_trait::async_trait;

use crate::common::error::chain;
use crate::common::{Clock, TenantId};
use crate::domains::credentials::{self, Listener};
use crate::infrastructure::events::{Bus, Event};

/// Those who follow events. Cheap to clone.
#[derive(Clone)]
pub struct Followers {
    bus: Bus,
    clock: Arc<dyn Clock>,
}

impl Followers {
    pub fn new(bus: Bus, clock: Arc<dyn Clock>) -> Followers {
        Followers { bus, clock }
    }
}

#[async_trait]
impl Listener for Followers {
    async fn happened(&self, tenant: TenantId, event: &credentials::Event) {
        let mut data = serde_json::to_value(event).unwrap_or_default();
        if let Some(fields) = data.as_object_mut() {
            // The event has it beside its data.
            fields.remove("type");
        }
        let event = Event { tenant, kind: event.name(), at: self.clock.now(), data };
        if let Err(error) = self.bus.emit_alone(event).await {
            tracing::error!(%tenant, error = chain(&error), "who follows events was not told of a credential");
        }
    }
}
