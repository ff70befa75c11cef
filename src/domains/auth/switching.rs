//! Members of several tenants: which they are, and going from one to another without signing in again.

use super::dto::{MyTenantResponse, SessionResponse, SwitchTenant};
use super::error::Error;
use super::model::Method;
use super::service::Service;
use super::sessions::{Start, person};
use crate::common::Ctx;
use crate::domains::audit::Change;
use crate::infrastructure::web::Visitor;

impl Service {
    /// The tenants that the caller is a member of, the oldest membership first.
    pub async fn my_tenants(&self, ctx: &Ctx) -> Result<Vec<MyTenantResponse>, Error> {
        let user = person(ctx)?;
        let mut tenants = Vec::new();
        // A login of one tenant's people says nothing of others.
        let reaches = |tenant| ctx.login.is_some_and(|login| login.of_account) || tenant == ctx.tenant;
        for membership in self.users.memberships(user).await?.into_iter().filter(|found| reaches(found.tenant)) {
            let own = Ctx { tenant: membership.tenant, ..ctx.clone() };
            let tenant = self.tenants.get(&own).await?;
            let is_current = tenant.id == ctx.tenant;
            tenants.push(MyTenantResponse { tenant, role: membership.role, is_current });
        }
        Ok(tenants)
    }

    /// Begins a login in another tenant of the caller's. The present one goes on.
    pub async fn switch_tenant(
        &self,
        ctx: &Ctx,
        visitor: &Visitor,
        wanted: &SwitchTenant,
    ) -> Result<SessionResponse, Error> {
        let user = person(ctx)?;
        if !ctx.login.is_some_and(|login| login.of_account) {
            return Err(Error::LoginOfOneTenant);
        }
        let tenant = self.tenants.find_by_slug(&wanted.tenant).await?.ok_or(Error::NoSuchMembership)?;
        let membership = self.users.find_membership(tenant, user).await?.ok_or(Error::NoSuchMembership)?;
        let ctx = Ctx { tenant: membership.tenant, ..ctx.clone() };
        let keys = self.signing_keys.current().await?;
        let transaction = self.database.begin(&ctx).await?;
        let start = Start { tenant: membership.tenant, user, method: Method::Password };
        let session = self.begin_session(&transaction, &keys, start, visitor).await?;
        self.audit.record(&transaction, &ctx, Change::new("user.switchTenant", user)).await?;
        transaction.commit().await?;
        Ok(session)
    }
}
