//! Stopping, deleting and restoring tenants, by their owners or by the platform's administrators.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::admin_dto::{AdminTenantResponse, CreateTenant, ListTenantsQuery, SuspendTenant, TenantHosts, UpdatePlan};
use super::dto::{DeleteTenant, TenantResponse};
use super::error::Error;
use super::model::{Slug, Tenant};
use super::plan::{Limit, Status};
use super::repository;
use super::service::Service;
use super::usage::Day;
use crate::common::{Ctx, Page, TenantId};
use crate::domains::audit::Change;
use crate::infrastructure::database::{self, AcrossTenants, Transaction};

/// How often counts are stored that no execution carried along.
const STORE_EVERY: Duration = Duration::from_secs(5);

impl Service {
    /// Marks the caller's tenant for deletion: nothing runs any more, and after the grace period everything is deleted.
    pub async fn delete(&self, ctx: &Ctx, confirmation: &DeleteTenant) -> Result<TenantResponse, Error> {
        let tenant = self.get_row(ctx.tenant).await?;
        if confirmation.slug != tenant.slug.as_str() {
            return Err(Error::NotConfirmed);
        }
        let changed = self.mark_for_deletion(ctx, false).await?;
        Ok(self.response(changed))
    }

    /// Takes the deletion of the caller's tenant back.
    pub async fn restore(&self, ctx: &Ctx) -> Result<TenantResponse, Error> {
        let changed = self
            .change(ctx, "tenant.restore", |tenant| {
                if tenant.status != Status::Deleting {
                    return Err(Error::NotDeleting);
                }
                if tenant.deleted_by_platform {
                    return Err(Error::DeletedByPlatform);
                }
                tenant.status = Status::Active;
                tenant.delete_after = None;
                Ok(())
            })
            .await?;
        Ok(self.response(changed))
    }

    /// Tenants of the platform, newest first.
    pub async fn admin_list(&self, query: &ListTenantsQuery) -> Result<Page<AdminTenantResponse>, Error> {
        let limit = query.limit.unwrap_or_default().get();
        let rows = repository::list(&self.database.read(AcrossTenants), query).await?;
        Ok(Page::from_rows(rows, limit, |tenant| tenant.id.as_uuid(), |tenant| self.admin_response(tenant)))
    }

    pub async fn admin_get(&self, id: TenantId) -> Result<AdminTenantResponse, Error> {
        Ok(self.admin_response(self.get_row(id).await?))
    }

    /// A tenant without members: invite its owner next.
    pub async fn admin_create(&self, ctx: &Ctx, new: CreateTenant) -> Result<AdminTenantResponse, Error> {
        let slug = new.slug.map(|slug| Slug::parse(&slug).ok_or(Error::InvalidSlug)).transpose()?;
        let transaction = self.database.begin(AcrossTenants).await?;
        let tenant = self.create(&transaction, new.name, slug).await?;
        transaction.enter(tenant.id).await?;
        let ctx = Ctx { tenant: tenant.id, ..ctx.clone() };
        let response = self.admin_response(tenant);
        self.audit.record(&transaction, &ctx, Change::new("tenant.create", ctx.tenant).after(&response)).await?;
        transaction.commit().await?;
        Ok(response)
    }

    /// Gives a tenant another plan.
    pub async fn admin_update(&self, ctx: &Ctx, id: TenantId, plan: UpdatePlan) -> Result<AdminTenantResponse, Error> {
        self.check_allowed_pools(&plan.limits)?;
        let ctx = Ctx { tenant: id, ..ctx.clone() };
        let changed = self
            .change(&ctx, "tenant.changePlan", |tenant| {
                tenant.plan = Some(plan.plan);
                tenant.limits = Some(plan.limits);
                Ok(())
            })
            .await?;
        Ok(self.admin_response(changed))
    }

    /// Stops a tenant: its members are turned away, and nothing of it runs.
    pub async fn admin_suspend(
        &self,
        ctx: &Ctx,
        id: TenantId,
        suspension: SuspendTenant,
    ) -> Result<AdminTenantResponse, Error> {
        let ctx = Ctx { tenant: id, ..ctx.clone() };
        let changed = self
            .change(&ctx, "tenant.suspend", |tenant| {
                if tenant.status == Status::Deleting {
                    return Err(Error::Deleting);
                }
                tenant.status = Status::Suspended;
                tenant.status_reason = suspension.reason;
                Ok(())
            })
            .await?;
        Ok(self.admin_response(changed))
    }

    /// Lets a suspended tenant, or one marked for deletion, work again.
    pub async fn admin_resume(&self, ctx: &Ctx, id: TenantId) -> Result<AdminTenantResponse, Error> {
        let ctx = Ctx { tenant: id, ..ctx.clone() };
        let changed = self
            .change(&ctx, "tenant.resume", |tenant| {
                tenant.status = Status::Active;
                tenant.status_reason = None;
                tenant.delete_after = None;
                tenant.deleted_by_platform = false;
                Ok(())
            })
            .await?;
        Ok(self.admin_response(changed))
    }

    /// Gives a tenant the host names whose webhooks are its own.
    pub async fn admin_set_hosts(
        &self,
        ctx: &Ctx,
        id: TenantId,
        hosts: &TenantHosts,
    ) -> Result<AdminTenantResponse, Error> {
        let ctx = Ctx { tenant: id, ..ctx.clone() };
        let hosts = self.check_hosts(&hosts.hosts)?;
        let changed = self
            .change(&ctx, "tenant.setHosts", |tenant| {
                tenant.hosts = hosts;
                Ok(())
            })
            .await?;
        Ok(self.admin_response(changed))
    }

    /// Marks a tenant for deletion; its owner cannot restore it.
    pub async fn admin_delete(&self, ctx: &Ctx, id: TenantId) -> Result<AdminTenantResponse, Error> {
        let ctx = Ctx { tenant: id, ..ctx.clone() };
        Ok(self.admin_response(self.mark_for_deletion(&ctx, true).await?))
    }

    /// Deletes every tenant whose grace period is over, with everything that is theirs; says how many.
    pub async fn erase_due(&self) -> Result<u64, Error> {
        let mut erased = 0;
        let due = repository::due_for_deletion(&self.database.read(AcrossTenants), self.clock.now()).await?;
        for tenant in due {
            if let Some(gauge) = self.gauge.get()
                && let Err(error) = gauge.let_go(tenant).await
            {
                tracing::warn!(%tenant, %error, "the files of a tenant could not be deleted; its deletion is tried again");
                continue;
            }
            let transaction = self.database.begin(AcrossTenants).await?;
            self.audit.erase(&transaction, tenant).await?;
            repository::erase(&transaction, tenant).await?;
            transaction.commit().await?;
            self.changed(tenant);
            tracing::info!(%tenant, "a tenant was deleted, its grace period being over");
            erased += 1;
        }
        Ok(erased)
    }

    /// Deletes audit rows that tenants do not want to keep any longer; says how many.
    pub async fn prune_audit(&self) -> Result<u64, Error> {
        let mut deleted = 0;
        for (tenant, _) in self.all().await? {
            let profile = self.profile(tenant).await?;
            if let Some(days) = profile.settings.audit_retention_days {
                let age = Duration::from_secs(u64::from(days) * 86_400);
                deleted += self.audit.prune(tenant, self.clock.now().minus(age)).await?;
            }
        }
        Ok(deleted)
    }

    /// Notes for today what every tenant stores.
    pub async fn meter_storage(&self) -> Result<(), Error> {
        let today = Day::of(self.clock.now());
        for (tenant, _) in self.all().await? {
            let bytes = self.stored_bytes(tenant).await?;
            repository::set_storage(&self.database.write(tenant), tenant, today, bytes).await?;
        }
        Ok(())
    }

    /// Stores what is counted now and then, until the shutdown.
    pub async fn store_regularly(self, shutdown: CancellationToken) {
        loop {
            let goes_on = shutdown.run_until_cancelled(tokio::time::sleep(STORE_EVERY)).await.is_some();
            if let Err(error) = self.store_counts().await {
                tracing::warn!(%error, "what tenants used could not be stored yet");
            }
            if !goes_on {
                return;
            }
        }
    }

    async fn mark_for_deletion(&self, ctx: &Ctx, by_platform: bool) -> Result<Tenant, Error> {
        let grace = Duration::from_secs(self.deletion_grace_days.saturating_mul(86_400));
        let delete_after = self.clock.now().plus(grace);
        self.change(ctx, "tenant.delete", |tenant| {
            if tenant.status != Status::Deleting {
                tenant.status = Status::Deleting;
                tenant.delete_after = Some(delete_after);
            }
            tenant.deleted_by_platform |= by_platform;
            Ok(())
        })
        .await
    }

    /// Changes the tenant of `ctx` and records it, both or neither.
    pub(super) async fn change(
        &self,
        ctx: &Ctx,
        action: &'static str,
        apply: impl FnOnce(&mut Tenant) -> Result<(), Error>,
    ) -> Result<Tenant, Error> {
        let transaction = self.database.begin(ctx).await?;
        let mut tenant = repository::lock(&transaction, ctx.tenant).await?.ok_or(Error::NotFound)?;
        let before = self.admin_response(tenant.clone());
        apply(&mut tenant)?;
        tenant.updated_at = self.clock.now();
        repository::update(&transaction, &tenant).await.map_err(|error| taken(error, Error::SlugTaken))?;
        repository::update_hosts(&transaction, &tenant).await.map_err(|error| taken(error, Error::HostTaken))?;
        let after = self.admin_response(tenant.clone());
        let change = Change::new(action, ctx.tenant).before(&before).after(&after);
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        self.changed(ctx.tenant);
        Ok(tenant)
    }

    async fn get_row(&self, id: TenantId) -> Result<Tenant, Error> {
        repository::find(&self.database.read(id), id).await?.ok_or(Error::NotFound)
    }

    /// Refuses to go beyond a limit of the plan, inside the transaction that would. `count` is asked for only where there
    /// is a limit, and two who ask at once are asked one after the other.
    pub async fn require_room<F>(
        &self,
        transaction: &Transaction,
        ctx: &Ctx,
        limit: Limit,
        count: F,
    ) -> Result<(), Error>
    where
        F: Future<Output = Result<u64, database::Error>>,
    {
        let profile = self.profile(ctx.tenant).await?;
        let allowed = match limit {
            Limit::Workflows => profile.limits.workflows,
            Limit::ActiveWorkflows => profile.limits.active_workflows,
            _ => None,
        };
        let Some(allowed) = allowed else { return Ok(()) };
        repository::lock(transaction, ctx.tenant).await?;
        if count.await? >= allowed { Err(Error::LimitReached { limit, allowed }) } else { Ok(()) }
    }
}

fn taken(error: database::Error, taken: Error) -> Error {
    if database::is_unique_violation(&error) { taken } else { error.into() }
}
