//! What requests and executions need to know of their tenant, looked up once and believed for a few seconds.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::error::Error;
use super::model::{Slug, Tenant};
use super::plan::{Limits, Settings, Status};
use super::repository;
use super::service::Service;
use crate::common::TenantId;
use crate::infrastructure::http_client::EgressPolicy;

/// A change made by another process may take this long to be seen; one made by this process counts at once.
const LIFE: Duration = Duration::from_secs(5);

/// A tenant as it is at work.
#[derive(Debug)]
pub struct Profile {
    pub slug: Slug,
    pub status: Status,
    pub status_reason: Option<String>,
    pub settings: Settings,
    pub limits: Limits,
    /// Where its requests may go.
    pub egress: Arc<EgressPolicy>,
}

impl Profile {
    /// Refuses what a tenant that does not work asks for.
    pub fn require_active(&self) -> Result<(), Error> {
        match self.status {
            Status::Active => Ok(()),
            Status::Suspended => Err(Error::Suspended { reason: self.status_reason.clone() }),
            Status::Deleting => Err(Error::Deleting),
        }
    }
}

pub(super) fn cache() -> Cache<TenantId, Arc<Profile>> {
    Cache::builder().max_capacity(100_000).time_to_live(LIFE).build()
}

impl Service {
    pub async fn profile(&self, tenant: TenantId) -> Result<Arc<Profile>, Error> {
        if let Some(known) = self.profiles.get(&tenant) {
            return Ok(known);
        }
        let found = repository::find(&self.database.read(tenant), tenant).await?.ok_or(Error::NotFound)?;
        let profile = Arc::new(self.profile_of(found));
        self.profiles.insert(tenant, Arc::clone(&profile));
        Ok(profile)
    }

    fn profile_of(&self, tenant: Tenant) -> Profile {
        let mut egress = self.egress.clone();
        egress.only(tenant.settings.destinations());
        Profile {
            limits: tenant.limits.unwrap_or_else(|| self.default_plan.1.clone()),
            slug: tenant.slug,
            status: tenant.status,
            status_reason: tenant.status_reason,
            settings: tenant.settings,
            egress: Arc::new(egress),
        }
    }

    /// After a change by this process.
    pub(super) fn changed(&self, tenant: TenantId) {
        self.profiles.invalidate(&tenant);
        self.forget_standing(tenant);
        self.forget_addresses();
    }
}
