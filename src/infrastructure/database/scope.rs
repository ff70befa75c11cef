//! On whose behalf the database is used: for one tenant, or, through the one door that says so, for all of them.

use crate::common::{Ctx, TenantId};

/// Whose rows a connection sees and writes. PostgreSQL enforces it by row-level security: a row of anybody else does not
/// exist, whatever the query says. SQLite has no such lock and relies on [`super::Scoped`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Tenant(TenantId),
    AcrossTenants,
}

/// The door to all tenants' rows: for authentication, which learns the tenant from a row, and for workers that serve all
/// tenants. Never on behalf of a caller who is known.
#[derive(Clone, Copy, Debug)]
pub struct AcrossTenants;

impl Scope {
    /// The statement that tells PostgreSQL; it holds until the transaction ends. Both settings, so that one scope can
    /// follow another within a transaction.
    pub(super) fn statement(self) -> String {
        let (tenant, across) = match self {
            Scope::Tenant(tenant) => (tenant.to_string(), "off"),
            Scope::AcrossTenants => (String::new(), "on"),
        };
        format!("SET LOCAL app.tenant_id = '{tenant}'; SET LOCAL app.across_tenants = '{across}'")
    }
}

impl From<&Ctx> for Scope {
    fn from(ctx: &Ctx) -> Scope {
        Scope::Tenant(ctx.tenant)
    }
}

impl From<TenantId> for Scope {
    fn from(tenant: TenantId) -> Scope {
        Scope::Tenant(tenant)
    }
}

impl From<AcrossTenants> for Scope {
    fn from(_: AcrossTenants) -> Scope {
        Scope::AcrossTenants
    }
}
