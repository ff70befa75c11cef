//! Which pool of workers a tenant's executions are for: the workflow says, else the tenant's settings, else it is the default
//! pool. The plan may allow only some pools, and then wins over both.

use std::sync::Arc;

use super::error::Error;
use super::plan::{Limits, Settings};
use super::profile::Profile;
use super::service::Service;
use crate::common::{DEFAULT_POOL, TenantId};

/// Pools that a tenant may use.
#[derive(Clone, Debug)]
pub struct OpenPools {
    known: Arc<[String]>,
    allowed: Option<Vec<String>>,
}

impl OpenPools {
    fn is_allowed(&self, pool: &str) -> bool {
        allows(self.allowed.as_deref(), pool)
    }

    /// Those of this server that the plan allows.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str).filter(|pool| self.is_allowed(pool))
    }

    pub fn has(&self, pool: &str) -> bool {
        self.names().any(|known| known == pool)
    }

    /// What somebody is told who names another one.
    pub fn advice(&self) -> String {
        format!("must be a pool of workers: {}", self.names().collect::<Vec<_>>().join(", "))
    }
}

impl Profile {
    /// The pool that runs a workflow which is pinned to this one, or to none.
    pub fn pool<'a>(&'a self, pinned: Option<&'a str>) -> &'a str {
        choose(&self.limits, &self.settings, pinned)
    }
}

fn choose<'a>(limits: &'a Limits, settings: &'a Settings, pinned: Option<&'a str>) -> &'a str {
    let allowed = limits.worker_pools.as_deref();
    let wanted = [pinned, settings.worker_pool.as_deref(), Some(DEFAULT_POOL)];
    let found = wanted.into_iter().flatten().find(|pool| allows(allowed, pool));
    found.or_else(|| allowed?.first().map(String::as_str)).unwrap_or(DEFAULT_POOL)
}

fn allows(allowed: Option<&[String]>, pool: &str) -> bool {
    allowed.is_none_or(|allowed| allowed.iter().any(|name| name == pool))
}

impl Service {
    pub async fn open_pools(&self, tenant: TenantId) -> Result<OpenPools, Error> {
        let profile = self.profile(tenant).await?;
        Ok(self.pools_of(&profile.limits))
    }

    fn pools_of(&self, limits: &Limits) -> OpenPools {
        OpenPools { known: Arc::clone(&self.pools), allowed: limits.worker_pools.clone() }
    }

    /// Refuses settings that name a pool which the tenant may not use.
    pub(super) fn check_pool(&self, settings: &Settings, limits: &Limits) -> Result<(), Error> {
        let open = self.pools_of(limits);
        match &settings.worker_pool {
            Some(pool) if !open.has(pool) => {
                Err(Error::UnknownPool { pointer: "/settings/workerPool".to_owned(), advice: open.advice() })
            }
            _ => Ok(()),
        }
    }

    /// Refuses a plan that names a pool which this server does not have, or none at all.
    pub(super) fn check_allowed_pools(&self, limits: &Limits) -> Result<(), Error> {
        let Some(allowed) = &limits.worker_pools else { return Ok(()) };
        let every = self.pools_of(&Limits::default());
        let wrong = allowed.iter().position(|pool| !every.has(pool));
        let pointer = match wrong {
            Some(at) => format!("/limits/workerPools/{at}"),
            None if allowed.is_empty() => "/limits/workerPools".to_owned(),
            None => return Ok(()),
        };
        Err(Error::UnknownPool { pointer, advice: every.advice() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workflow_says_then_the_tenant_and_the_plan_wins() {
        let list = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect::<Vec<_>>());
        for (allowed, of_tenant, of_workflow, pool) in [
            (None, None, None, "default"),
            (None, Some("eu"), None, "eu"),
            (None, Some("eu"), Some("gpu"), "gpu"),
            (list(&["default", "eu"]), Some("eu"), Some("gpu"), "eu"),
            (list(&["own", "gpu"]), None, None, "own"),
            (list(&["own", "gpu"]), Some("eu"), Some("gpu"), "gpu"),
            (list(&[]), Some("eu"), Some("gpu"), "default"),
        ] {
            let limits = Limits { worker_pools: allowed.clone(), ..Limits::default() };
            let settings = Settings { worker_pool: of_tenant.map(str::to_owned), ..Settings::default() };
            assert_eq!(choose(&limits, &settings, of_workflow), pool, "{allowed:?} {of_tenant:?} {of_workflow:?}");
        }
    }
}
