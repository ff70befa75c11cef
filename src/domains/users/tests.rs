//! Roles hold what they should.

use super::model::{Email, Role};
use crate::common::{Permission, Permissions};

#[test]
fn each_role_holds_what_the_one_below_holds() {
    for pair in Role::ALL.windows(2) {
        assert!(pair[0].permissions().is_subset_of(pair[1].permissions()), "{pair:?}");
    }
    assert_eq!(Role::Owner.permissions(), Permissions::all());
}

#[test]
fn roles_are_limited() {
    for (role, permission, allowed) in [
        (Role::Viewer, Permission::WorkflowsRead, true),
        (Role::Viewer, Permission::WorkflowsExecute, false),
        (Role::Operator, Permission::WorkflowsExecute, true),
        (Role::Operator, Permission::WorkflowsWrite, false),
        (Role::Developer, Permission::WorkflowsWrite, true),
        (Role::Developer, Permission::UsersWrite, false),
        (Role::Admin, Permission::UsersWrite, true),
    ] {
        assert_eq!(role.permissions().contains(permission), allowed, "{role} {permission}");
    }
}

#[test]
fn roles_read_what_they_write() {
    for role in Role::ALL {
        assert_eq!(role.to_string().parse::<Role>().unwrap(), role);
    }
    assert!("root".parse::<Role>().is_err());
}

#[test]
fn addresses_compare_without_case() {
    assert_eq!(Email::new(" Ann@Example.COM "), Email::new("ann@example.com"));
}
