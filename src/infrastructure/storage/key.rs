//! Where a binary lies: its tenant, the execution it was made by, and an id of its own. Pure.

use uuid::Uuid;

use crate::common::{ExecutionId, TenantId};

/// The place of one binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub tenant: TenantId,
    pub execution: ExecutionId,
    pub id: Uuid,
}

impl Key {
    /// A new place.
    pub fn new(tenant: TenantId, execution: ExecutionId) -> Key {
        Key { tenant, execution, id: Uuid::now_v7() }
    }

    /// What workflows are given: it does not say whose it is.
    pub fn handle(self) -> String {
        format!("{}/{}", self.execution, self.id)
    }

    /// The place that a handle of this tenant's means; None: it is no handle.
    pub fn of_handle(tenant: TenantId, handle: &str) -> Option<Key> {
        let (execution, id) = handle.split_once('/')?;
        Some(Key { tenant, execution: execution.parse().ok()?, id: id.parse().ok()? })
    }

    pub(super) fn parts(self) -> [String; 3] {
        [self.tenant.to_string(), self.execution.to_string(), self.id.to_string()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_two_ids_and_never_a_path() {
        let key = Key::new(TenantId::new(), ExecutionId::new());
        assert_eq!(Key::of_handle(key.tenant, &key.handle()), Some(key));
        let (one, other) = (key.execution.to_string(), TenantId::new().to_string());
        for bad in [
            "",
            "/",
            "a/b",
            "../x",
            &one,
            &format!("{other}/{one}/{one}"),
            &format!("../{other}/{one}"),
            "filesystem:x",
        ] {
            assert_eq!(Key::of_handle(key.tenant, bad), None, "{bad}");
        }
        // Whatever a handle says, it stays with the tenant.
        assert_eq!(Key::of_handle(key.tenant, &format!("{other}/{one}")).unwrap().tenant, key.tenant);
    }
}
