//! What can be permitted. Roles (domain `users`) and API keys are sets of these; each handler names one in its signature.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Ties a marker type such as `WorkflowsWrite` to its permission, for `Can<WorkflowsWrite>`.
pub trait Requires: 'static {
    const PERMISSION: Permission;
}

macro_rules! permissions {
    ($($name:ident = $text:literal, $doc:literal;)*) => {
        /// One thing a caller may be allowed to do. Written `resource:action`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $(#[doc = $doc] $name,)* }

        impl Permission {
            pub const ALL: &[Permission] = &[$(Permission::$name,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Permission::$name => $text,)* }
            }

            /// What it allows, in a sentence.
            pub const fn description(self) -> &'static str {
                match self { $(Permission::$name => $doc,)* }
            }

            const fn bit(self) -> u64 {
                let mut position = 0;
                $(
                    if matches!(self, Permission::$name) { return 1 << position; }
                    position += 1;
                )*
                1 << position
            }
        }

        /// Marker types: one per permission, named like it.
        pub mod grants {
            use super::{Permission, Requires};
            $(
                #[doc = $doc]
                #[derive(Debug)]
                pub enum $name {}
                impl Requires for $name { const PERMISSION: Permission = Permission::$name; }
            )*
        }
    };
}

permissions! {
    WorkflowsRead = "workflows:read", "See workflows and their versions.";
    WorkflowsWrite = "workflows:write", "Create, change and delete workflows.";
    WorkflowsActivate = "workflows:activate", "Activate and deactivate workflows.";
    WorkflowsExecute = "workflows:execute", "Start executions of workflows.";
    ExecutionsRead = "executions:read", "See executions and their data.";
    ExecutionsWrite = "executions:write", "Cancel, retry and delete executions.";
    SchedulesRead = "schedules:read", "See schedules and what became of their due times.";
    SchedulesWrite = "schedules:write", "Create, change, pause and delete schedules.";
    WebhooksRead = "webhooks:read", "See webhooks, their settings and their calls.";
    WebhooksWrite = "webhooks:write", "Set up webhooks: who may call, how often, with which secrets.";
    DataTablesRead = "dataTables:read", "See data tables and their rows.";
    DataTablesWrite = "dataTables:write", "Create, rename and delete data tables, and change their rows.";
    NodesRead = "nodes:read", "See the node types that workflows can use.";
    CredentialsRead = "credentials:read", "See credentials (never their secrets).";
    CredentialsWrite = "credentials:write", "Create, change, connect, share, test and delete credentials.";
    EncryptionRotate = "encryption:rotate", "See the tenant's encryption keys (never the keys) and rotate them.";
    TenantRead = "tenant:read", "See the tenant's settings.";
    TenantWrite = "tenant:write", "Change the tenant's settings.";
    TenantExport = "tenant:export", "Export everything of the tenant.";
    TenantDelete = "tenant:delete", "Delete the tenant, and take that back.";
    UsersRead = "users:read", "See the tenant's members.";
    UsersWrite = "users:write", "Change the tenant's members and their roles.";
    ApiKeysRead = "apiKeys:read", "See API keys (never their secrets).";
    ApiKeysWrite = "apiKeys:write", "Create and delete API keys.";
    AuditRead = "audit:read", "Read and verify the audit log.";
    AuditExport = "audit:export", "Export the whole audit log.";
}

/// A set of permissions; a copy of one machine word.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u64);

impl Permissions {
    pub const fn none() -> Permissions {
        Permissions(0)
    }

    pub const fn all() -> Permissions {
        Permissions::of(Permission::ALL)
    }

    pub const fn of(mut list: &[Permission]) -> Permissions {
        let mut bits = 0;
        while let [first, rest @ ..] = list {
            bits |= first.bit();
            list = rest;
        }
        Permissions(bits)
    }

    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// What both sets allow.
    #[must_use]
    pub const fn intersection(self, other: Permissions) -> Permissions {
        Permissions(self.0 & other.0)
    }

    pub const fn is_subset_of(self, other: Permissions) -> bool {
        self.0 & !other.0 == 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of declaration.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.contains(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(list: I) -> Permissions {
        list.into_iter().fold(Permissions::none(), |set, permission| Permissions(set.0 | permission.bit()))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no permission.
#[derive(Debug, thiserror::Error)]
#[error("unknown permission; known are: {}", known())]
pub struct UnknownPermission;

fn known() -> String {
    Permission::ALL.iter().map(|permission| permission.as_str()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Permission, UnknownPermission> {
        Permission::ALL.iter().copied().find(|permission| permission.as_str() == text).ok_or(UnknownPermission)
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Permission, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Permission {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(Permission::ALL.iter().map(|permission| permission.as_str())))
            .into()
    }
}

impl utoipa::ToSchema for Permission {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_its_own_bit_and_name() {
        assert!(Permission::ALL.len() <= 63, "the set is one machine word");
        for permission in Permission::ALL {
            let alone = Permissions::of(&[*permission]);
            assert_eq!(alone.iter().collect::<Vec<_>>(), [*permission]);
            assert_eq!(permission.as_str().parse::<Permission>().unwrap(), *permission);
        }
        assert_eq!(Permissions::all().iter().count(), Permission::ALL.len());
    }

    #[test]
    fn sets_compare_and_intersect() {
        let read = Permissions::of(&[Permission::WorkflowsRead]);
        let both = Permissions::of(&[Permission::WorkflowsRead, Permission::WorkflowsWrite]);
        assert!(read.is_subset_of(both) && !both.is_subset_of(read));
        assert_eq!(both.intersection(read), read);
        assert!(Permissions::none().is_empty());
    }
}
