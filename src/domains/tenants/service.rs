//! Rules of tenants: who an address means, and changes to one's own tenant.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use moka::sync::Cache;
use url::Url;

use super::admin_dto::AdminTenantResponse;
use super::archive::{ArchiveSource, Sources};
use super::dto::{DayUsage, TenantResponse, UpdateTenant, UsageQuery, UsageResponse};
use super::error::Error;
use super::meter::Meter;
use super::model::{Slug, Tenant, normalize_host};
use super::plan::{Limits, Settings, Status};
use super::profile::{self, Profile};
use super::repository;
use super::usage::Day;
use crate::common::{Clock, Ctx, TenantId};
use crate::domains::audit;
use crate::infrastructure::config;
use crate::infrastructure::crypto;
use crate::infrastructure::database::{self, AcrossTenants, Database, Transaction};
use crate::infrastructure::http_client::EgressPolicy;

/// How long an address is remembered; a new host name may take this long to reach every replica.
const ADDRESS_MEMORY: Duration = Duration::from_secs(10);

/// Tenants. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: audit::Service,
    pub(super) profiles: Cache<TenantId, Arc<Profile>>,
    pub(super) meter: Meter,
    /// Name and limits of tenants that were given no plan.
    pub(super) default_plan: Arc<(String, Limits)>,
    pub(super) deletion_grace_days: u64,
    /// Pools of workers that there are.
    pub(super) pools: Arc<[String]>,
    /// Whether tenants name the hosts of their webhooks themselves.
    own_hosts: bool,
    /// This server's own: no tenant's.
    platform_host: Option<Arc<str>>,
    /// What the server allows every tenant.
    pub(super) egress: EgressPolicy,
    pub(super) gauge: Arc<OnceLock<Arc<dyn Gauge>>>,
    pub(super) archive_sources: Arc<OnceLock<Sources>>,
    addresses: Cache<Address, Option<TenantId>>,
}

/// Knows how much a tenant stores and has under way. The domain that stores most does; `app.rs` plugs it in.
#[async_trait]
pub trait Gauge: Send + Sync {
    /// Bytes.
    async fn stored_bytes(&self, tenant: TenantId) -> Result<i64, database::Error>;

    /// Executions that were accepted and have not ended.
    async fn unfinished(&self, tenant: TenantId) -> Result<i64, database::Error>;

    /// Deletes what is stored of it outside the database.
    async fn let_go(&self, tenant: TenantId) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

/// How a webhook's address names its tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Address {
    Slug(String),
    Host(String),
    Only,
}

impl Service {
    /// `pools`: of workers that there are. `egress`: what the server allows every tenant. `public_url`: where callers reach the server.
    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        audit: audit::Service,
        config: &config::Tenants,
        pools: Vec<String>,
        egress: EgressPolicy,
        public_url: &str,
    ) -> Service {
        let platform_host = Url::parse(public_url).ok().and_then(|url| url.host_str().map(Into::into));
        Service {
            database,
            clock,
            audit,
            profiles: profile::cache(),
            meter: Meter::new(),
            default_plan: Arc::new((config.plan.name.clone(), Limits::configured(&config.plan))),
            deletion_grace_days: config.deletion_grace_days,
            own_hosts: config.own_hosts,
            pools: pools.into(),
            platform_host,
            egress,
            gauge: Arc::default(),
            archive_sources: Arc::default(),
            addresses: Cache::builder().max_capacity(100_000).time_to_live(ADDRESS_MEMORY).build(),
        }
    }

    /// Names who knows what is stored, and who has something for archives; once, before the first request.
    pub fn plug(&self, gauge: Arc<dyn Gauge>, sources: Vec<Arc<dyn ArchiveSource>>) {
        drop(self.archive_sources.set(Arc::new(sources)));
        if self.gauge.set(gauge).is_err() {
            tracing::error!("a gauge was plugged in twice; the second call was ignored");
        }
    }

    /// The caller's tenant.
    pub async fn get(&self, ctx: &Ctx) -> Result<TenantResponse, Error> {
        let tenant = repository::find(&self.database.read(ctx), ctx.tenant).await?;
        Ok(self.response(tenant.ok_or(Error::NotFound)?))
    }

    /// Changes the caller's tenant.
    pub async fn update(&self, ctx: &Ctx, change: UpdateTenant) -> Result<TenantResponse, Error> {
        let slug = change.slug.map(|slug| Slug::parse(&slug).ok_or(Error::InvalidSlug)).transpose()?;
        let hosts = change.hosts.map(|hosts| self.check_hosts(&hosts)).transpose()?;
        let own_hosts = self.own_hosts;
        let changed = self
            .change(ctx, "tenant.update", |tenant| {
                let mut gained = hosts.iter().flatten().filter(|host| !tenant.hosts.contains(host));
                if let Some(host) = gained.next().filter(|_| !own_hosts) {
                    return Err(Error::HostNotOpen { host: host.clone() });
                }
                if let Some(settings) = &change.settings {
                    self.check_pool(settings, tenant.limits.as_ref().unwrap_or(&self.default_plan.1))?;
                }
                tenant.name = change.name.unwrap_or_else(|| tenant.name.clone());
                tenant.slug = slug.unwrap_or_else(|| tenant.slug.clone());
                tenant.hosts = hosts.unwrap_or_else(|| tenant.hosts.clone());
                tenant.settings = change.settings.unwrap_or_else(|| tenant.settings.clone());
                Ok(())
            })
            .await?;
        Ok(self.response(changed))
    }

    /// What a tenant used per day.
    pub async fn usage(&self, tenant: TenantId, query: &UsageQuery) -> Result<UsageResponse, Error> {
        self.store_counts().await?;
        let limits = self.profile(tenant).await?.limits.clone();
        let today = Day::of(self.clock.now());
        let since = today.minus(i64::from(query.days.unwrap_or(31).clamp(1, 366)) - 1);
        let connection = self.database.read(tenant);
        let mut month = repository::usage_since(&connection, tenant, today.month_start()).await?;
        month.storage_bytes = self.stored_bytes(tenant).await?;
        let days = repository::usage_by_day(&connection, tenant, since).await?;
        let days = days.into_iter().map(|(day, usage)| DayUsage { day: day.to_string(), usage }).collect();
        Ok(UsageResponse { month, limits, days })
    }

    /// Bytes that the tenant stores now.
    pub(super) async fn stored_bytes(&self, tenant: TenantId) -> Result<i64, Error> {
        match self.gauge.get() {
            Some(gauge) => Ok(gauge.stored_bytes(tenant).await?),
            None => Ok(0),
        }
    }

    /// Executions of the tenant that have not ended, and so are in no count yet.
    pub(super) async fn unfinished(&self, tenant: TenantId) -> Result<i64, Error> {
        match self.gauge.get() {
            Some(gauge) => Ok(gauge.unfinished(tenant).await?),
            None => Ok(0),
        }
    }

    /// As its members see it.
    pub fn response(&self, tenant: Tenant) -> TenantResponse {
        TenantResponse {
            id: tenant.id,
            slug: tenant.slug.to_string(),
            name: tenant.name,
            hosts: tenant.hosts,
            settings: tenant.settings,
            plan: tenant.plan.unwrap_or_else(|| self.default_plan.0.clone()),
            limits: tenant.limits.unwrap_or_else(|| self.default_plan.1.clone()),
            status: tenant.status,
            delete_after: tenant.delete_after,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        }
    }

    /// As the platform's administrators see it.
    pub(super) fn admin_response(&self, tenant: Tenant) -> AdminTenantResponse {
        AdminTenantResponse {
            id: tenant.id,
            slug: tenant.slug.to_string(),
            name: tenant.name,
            hosts: tenant.hosts,
            status: tenant.status,
            status_reason: tenant.status_reason,
            delete_after: tenant.delete_after,
            plan: tenant.plan.unwrap_or_else(|| self.default_plan.0.clone()),
            limits: tenant.limits.unwrap_or_else(|| self.default_plan.1.clone()),
            settings: tenant.settings,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        }
    }

    /// Adds a tenant in the caller's transaction. Without a slug, one is made of the name.
    pub async fn create(&self, transaction: &Transaction, name: String, slug: Option<Slug>) -> Result<Tenant, Error> {
        let slug = self.free_slug(transaction, &name, slug).await?;
        self.add(transaction, name, slug).await
    }

    /// The same, always with a slug that nobody else thinks of: the one wanted, and something random.
    pub async fn create_apart(
        &self,
        transaction: &Transaction,
        name: String,
        slug: Option<Slug>,
    ) -> Result<Tenant, Error> {
        let slug = slug.unwrap_or_else(|| Slug::from_name(&name));
        self.add(transaction, name, suffixed(&slug)).await
    }

    async fn add(&self, transaction: &Transaction, name: String, slug: Slug) -> Result<Tenant, Error> {
        let now = self.clock.now();
        let tenant = Tenant {
            id: TenantId::new(),
            slug,
            name,
            hosts: Vec::new(),
            settings: Settings::default(),
            plan: None,
            limits: None,
            status: Status::Active,
            status_reason: None,
            delete_after: None,
            deleted_by_platform: false,
            created_at: now,
            updated_at: now,
        };
        match repository::insert(transaction, &tenant).await {
            Ok(()) => {
                self.addresses.invalidate(&Address::Only);
                self.addresses.invalidate(&Address::Slug(tenant.slug.to_string()));
                Ok(tenant)
            }
            Err(error) if database::is_unique_violation(&error) => Err(Error::SlugTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// The tenant's name in addresses.
    pub async fn slug(&self, tenant: TenantId) -> Result<Slug, Error> {
        Ok(self.profile(tenant).await?.slug.clone())
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

    pub(super) fn forget_addresses(&self) {
        self.addresses.invalidate_all();
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

    /// Every host normalised, sorted, once each; the first that no tenant can have is refused.
    pub(super) fn check_hosts(&self, hosts: &[String]) -> Result<Vec<String>, Error> {
        let mut checked = Vec::with_capacity(hosts.len());
        for (index, host) in hosts.iter().enumerate() {
            let name = normalize_host(host).filter(|name| !host.contains(':') && self.may_be_a_tenants(name));
            checked.push(name.ok_or(Error::InvalidHost { index })?);
        }
        checked.sort_unstable();
        checked.dedup();
        Ok(checked)
    }

    /// Not this server's own name, nor this machine's, nor a number.
    fn may_be_a_tenants(&self, host: &str) -> bool {
        let last = host.rsplit('.').next().unwrap_or_default();
        let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
        !is_number && last != "localhost" && self.platform_host.as_deref() != Some(host)
    }

    async fn free_slug(&self, transaction: &Transaction, name: &str, wanted: Option<Slug>) -> Result<Slug, Error> {
        if let Some(slug) = wanted {
            return Ok(slug);
        }
        let slug = Slug::from_name(name);
        if repository::find_id_by_slug(transaction, slug.as_str()).await?.is_none() {
            return Ok(slug);
        }
        Ok(suffixed(&slug))
    }
}

fn suffixed(slug: &Slug) -> Slug {
    let suffix = u32::from_be_bytes(crypto::random_bytes::<4>().unwrap_or_default());
    slug.with_suffix(&format!("{:06x}", suffix & 0x00ff_ffff))
}
