//! People, roles and what each role may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::common::{Permission, Permissions, RoleId, TenantId, Timestamp, UserId};

/// A person.
#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub email: Email,
    pub name: String,
    /// Argon2id, PHC string.
    pub password_hash: String,
    pub created_at: Timestamp,
    /// When they showed that the address is theirs.
    pub email_verified_at: Option<Timestamp>,
    /// They have to show it before they may sign in.
    pub email_pending: bool,
}

/// A person's place in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    pub tenant: TenantId,
    pub user: UserId,
    /// Built in; where `custom` is given, that counts instead.
    pub role: Role,
    pub custom: Option<RoleId>,
    /// What it allows.
    pub permissions: Permissions,
    pub created_at: Timestamp,
}

/// A role to be given: a built-in one, or in its place one that the tenant made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) role: Role,
    pub(super) custom: Option<RoleId>,
}

impl Membership {
    /// Whether the tenant would have no owner without it, if there is no other.
    pub(super) fn is_owner(&self) -> bool {
        self.role == Role::Owner && self.custom.is_none()
    }
}

pub(super) fn write_permissions(permissions: Permissions) -> String {
    permissions.iter().map(Permission::as_str).collect::<Vec<_>>().join(" ")
}

/// Permissions that no longer exist allow nothing.
pub(super) fn read_permissions(text: &str) -> Permissions {
    text.split_whitespace().filter_map(|name| name.parse::<Permission>().ok()).collect()
}

/// What a member is in a tenant. Each role holds everything the one below it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads workflows, executions and dashboards.
    Viewer,
    /// Also runs workflows and manages when they run.
    Operator,
    /// Also creates and edits workflows, and makes API keys.
    Developer,
    /// Also manages members, settings and the audit log.
    Admin,
    /// Also deletes the tenant; there is always one.
    Owner,
}

const VIEWER: &[Permission] = &[
    Permission::WorkflowsRead,
    Permission::ExecutionsRead,
    Permission::SchedulesRead,
    Permission::WebhooksRead,
    Permission::NodesRead,
    Permission::DataTablesRead,
    Permission::CredentialsRead,
    Permission::TenantRead,
    Permission::UsersRead,
];
const OPERATOR: &[Permission] = &[
    Permission::WorkflowsExecute,
    Permission::WorkflowsActivate,
    Permission::ExecutionsWrite,
    Permission::SchedulesWrite,
    Permission::DataTablesWrite,
];
const DEVELOPER: &[Permission] = &[
    Permission::WorkflowsWrite,
    Permission::CredentialsWrite,
    Permission::WebhooksWrite,
    Permission::ApiKeysRead,
    Permission::ApiKeysWrite,
];
const ADMIN: &[Permission] = &[
    Permission::EncryptionRotate,
    Permission::TenantWrite,
    Permission::UsersWrite,
    Permission::AuditRead,
    Permission::AuditExport,
    Permission::TenantExport,
];
const OWNER: &[Permission] = &[Permission::TenantDelete];

impl Role {
    pub const ALL: [Role; 5] = [Role::Viewer, Role::Operator, Role::Developer, Role::Admin, Role::Owner];

    /// Everything the role allows.
    pub fn permissions(self) -> Permissions {
        let levels = [
            (Role::Viewer, VIEWER),
            (Role::Operator, OPERATOR),
            (Role::Developer, DEVELOPER),
            (Role::Admin, ADMIN),
            (Role::Owner, OWNER),
        ];
        levels.iter().filter(|(role, _)| self >= *role).flat_map(|(_, list)| list.iter().copied()).collect()
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Developer => "developer",
            Role::Admin => "admin",
            Role::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no role.
#[derive(Debug, thiserror::Error)]
#[error("unknown role; known are: viewer, operator, developer, admin, owner")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Role, UnknownRole> {
        Role::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// An e-mail address as compared and stored: trimmed, lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Expects an address that was validated at the edge.
    pub fn new(text: &str) -> Email {
        Email(text.trim().to_lowercase())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
