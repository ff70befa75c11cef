//! Rules of tenants: who an address means, and changes to one's own tenant.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::dto::{TenantResponse, UpdateTenant};
use super::error::Error;
use super::model::{Slug, Tenant, normalize_host};
use super::repository;
use crate::common::{Clock, Ctx, TenantId};
use crate::domains::audit::{self, Change};
use crate::infrastructure::crypto;
use crate::infrastructure::database::{self, AcrossTenants, Database, Transaction};

/// How long an address is remembered; a new host name may take this long to reach every replica.
const ADDRESS_MEMORY: Duration = Duration::from_secs(10);

/// Tenants. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    database: Database,
    clock: Arc<dyn Clock>,
    audit: audit::Service,
    addresses: Cache<Address, Option<TenantId>>,
    slugs: Cache<TenantId, Slug>,
}

/// How a webhook's address names its tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Address {
    Slug(String),
    Host(String),
    Only,
}

impl Service {
    pub fn new(database: Database, clock: Arc<dyn Clock>, audit: audit::Service) -> Service {
        let addresses = Cache::builder().max_capacity(100_000).time_to_live(ADDRESS_MEMORY).build();
        Service { database, clock, audit, addresses, slugs: Cache::new(100_000) }
    }

    /// The caller's tenant.
    pub async fn get(&self, ctx: &Ctx) -> Result<TenantResponse, Error> {
        let tenant = repository::find(&self.database.read(ctx), ctx.tenant).await?;
        Ok(tenant.ok_or(Error::NotFound)?.into())
    }

    /// Changes the caller's tenant.
    pub async fn update(&self, ctx: &Ctx, change: UpdateTenant) -> Result<TenantResponse, Error> {
        let transaction = self.database.begin(ctx).await?;
        let mut tenant = repository::find(&transaction, ctx.tenant).await?.ok_or(Error::NotFound)?;
        let before = TenantResponse::from(tenant.clone());
        if let Some(name) = change.name {
            tenant.name = name;
        }
        if let Some(hosts) = change.hosts {
            tenant.hosts = check_hosts(&hosts)?;
        }
        tenant.updated_at = self.clock.now();
        repository::update(&transaction, &tenant).await.map_err(host_taken)?;
        let after = TenantResponse::from(tenant);
        let change = Change::new("tenant.update", ctx.tenant).before(&before).after(&after);
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        self.addresses.invalidate_all();
        Ok(after)
    }

    /// Adds a tenant in the caller's transaction. Without a slug, one is made of the name.
    pub async fn create(&self, transaction: &Transaction, name: String, slug: Option<Slug>) -> Result<Tenant, Error> {
        let slug = self.free_slug(transaction, &name, slug).await?;
        let now = self.clock.now();
        let tenant = Tenant { id: TenantId::new(), slug, name, hosts: Vec::new(), created_at: now, updated_at: now };
        match repository::insert(transaction, &tenant).await {
            Ok(()) => {
                self.addresses.invalidate(&Address::Only);
                Ok(tenant)
            }
            Err(error) if database::is_unique_violation(&error) => Err(Error::SlugTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// The tenant's name in addresses. It never changes, so it is looked up once.
    pub async fn slug(&self, tenant: TenantId) -> Result<Slug, Error> {
        if let Some(slug) = self.slugs.get(&tenant) {
            return Ok(slug);
        }
        let slug = repository::find(&self.database.read(tenant), tenant).await?.ok_or(Error::NotFound)?.slug;
        self.slugs.insert(tenant, slug.clone());
        Ok(slug)
    }

    /// The tenant of `/t/{slug}/…`.
    pub async fn find_by_slug(&self, slug: &str) -> Result<Option<TenantId>, Error> {
        let connection = self.database.read(AcrossTenants);
        self.remember(Address::Slug(slug.to_owned()), repository::find_id_by_slug(&connection, slug)).await
    }

    /// The tenant of a request's `Host` header; where no tenant claims the host, the only tenant, if there is just one.
    pub async fn find_by_host(&self, host: &str) -> Result<Option<TenantId>, Error> {
        let connection = self.database.read(AcrossTenants);
        if let Some(host) = normalize_host(host) {
            let lookup = repository::find_id_by_host(&connection, &host);
            if let Some(tenant) = self.remember(Address::Host(host.clone()), lookup).await? {
                return Ok(Some(tenant));
            }
        }
        let only = async {
            let tenants = repository::first_ids(&connection, 2).await?;
            Ok(if let [only] = tenants.as_slice() { Some(*only) } else { None })
        };
        self.remember(Address::Only, only).await
    }

    /// Every tenant with its slug, oldest first.
    pub async fn all(&self) -> Result<Vec<(TenantId, Slug)>, Error> {
        Ok(repository::all(&self.database.read(AcrossTenants)).await?)
    }

    /// Whether there is no tenant yet: a new installation.
    pub async fn none_exists(&self) -> Result<bool, Error> {
        Ok(repository::first_ids(&self.database.read(AcrossTenants), 1).await?.is_empty())
    }

    async fn remember(
        &self,
        address: Address,
        lookup: impl Future<Output = Result<Option<TenantId>, database::Error>>,
    ) -> Result<Option<TenantId>, Error> {
        if let Some(known) = self.addresses.get(&address) {
            return Ok(known);
        }
        let found = lookup.await?;
        self.addresses.insert(address, found);
        Ok(found)
    }

    async fn free_slug(&self, transaction: &Transaction, name: &str, wanted: Option<Slug>) -> Result<Slug, Error> {
        if let Some(slug) = wanted {
            return Ok(slug);
        }
        let slug = Slug::from_name(name);
        if repository::find_id_by_slug(transaction, slug.as_str()).await?.is_none() {
            return Ok(slug);
        }
        let suffix: u32 = u32::from_be_bytes(crypto::random_bytes::<4>().unwrap_or_default());
        Ok(slug.with_suffix(&format!("{:06x}", suffix & 0x00ff_ffff)))
    }
}

/// Every host normalised, sorted, once each; the first that is not a host name is refused.
fn check_hosts(hosts: &[String]) -> Result<Vec<String>, Error> {
    let mut checked = Vec::with_capacity(hosts.len());
    for (index, host) in hosts.iter().enumerate() {
        let has_port = host.contains(':');
        checked.push(normalize_host(host).filter(|_| !has_port).ok_or(Error::InvalidHost { index })?);
    }
    checked.sort_unstable();
    checked.dedup();
    Ok(checked)
}

fn host_taken(error: database::Error) -> Error {
    if database::is_unique_violation(&error) { Error::HostTaken } else { error.into() }
}
