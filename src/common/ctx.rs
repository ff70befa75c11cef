//! Who asks, for which tenant, and what they may do: the first argument of every service function.

use std::net::IpAddr;

use super::error::{Code, Kind, Problem};
use super::id::{ApiKeyId, RequestId, SessionId, TenantId, UserId};
use super::permission::{Permission, Permissions};

/// The request as the rules see it. Made by authentication, or by [`Ctx::system`] for work nobody asked for.
#[derive(Clone, Debug)]
pub struct Ctx {
    pub tenant: TenantId,
    pub actor: Actor,
    /// The login the request belongs to, where a person is signed in.
    pub login: Option<Login>,
    pub permissions: Permissions,
    pub request_id: RequestId,
    /// The caller's address, where there is one.
    pub address: Option<IpAddr>,
}

/// A person's login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    pub session: SessionId,
    /// Whether it stands for the whole account. A tenant's identity provider vouches for people in that tenant only: such a
    /// login reaches no other tenant and does not administer the platform.
    pub of_account: bool,
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person with an access token.
    User(UserId),
    /// A program with an API key, and the person who made the key.
    ApiKey { key: ApiKeyId, owner: UserId },
    /// The server itself: schedules, webhooks, first start.
    System,
}

impl Ctx {
    /// The server acting for a tenant: may do everything within it.
    pub fn system(tenant: TenantId) -> Ctx {
        Ctx {
            tenant,
            actor: Actor::System,
            login: None,
            permissions: Permissions::all(),
            request_id: RequestId::generate(),
            address: None,
        }
    }

    /// For rules that depend on more than the route: refuses with 403 when the permission is missing.
    pub fn require(&self, permission: Permission) -> Result<(), Problem> {
        if self.permissions.contains(permission) {
            return Ok(());
        }
        Err(Problem::of(FORBIDDEN).with_detail(format!("this needs the permission {permission}")))
    }
}

impl Actor {
    /// The person behind the action, if any.
    pub fn user(self) -> Option<UserId> {
        match self {
            Actor::User(user) | Actor::ApiKey { owner: user, .. } => Some(user),
            Actor::System => None,
        }
    }
}

/// The caller is known but lacks a permission.
pub const FORBIDDEN: Code = Code::new(Kind::Forbidden, "forbidden", "Not permitted");
