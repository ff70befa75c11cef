//! The chain's MAC covers every field.

use super::chain::mac;
use super::entities::audit_event::Model;
use crate::common::{AuditEventId, TenantId, Timestamp};

fn event() -> Model {
    Model {
        id: AuditEventId::new(),
        tenant_id: TenantId::new(),
        sequence: 1,
        occurred_at: Timestamp::from_millis(1),
        actor_kind: "system".to_owned(),
        user_id: None,
        api_key_id: None,
        action: "a.b".to_owned(),
        resource_kind: "a".to_owned(),
        resource_id: "1".to_owned(),
        before: None,
        after: Some("{}".to_owned()),
        address: None,
        request_id: "r".to_owned(),
        mac: Vec::new(),
    }
}

#[test]
fn any_change_changes_the_mac() {
    let original = event();
    let reference = mac(&[7; 32], b"previous", &original);
    let changes: [fn(&mut Model); 6] = [
        |event| event.sequence = 2,
        |event| event.action = "a.c".to_owned(),
        |event| event.before = Some(String::new()),
        |event| event.after = None,
        |event| event.occurred_at = Timestamp::from_millis(2),
        |event| {
            // Moving a letter between neighbouring fields must show.
            event.resource_kind = "a1".to_owned();
            event.resource_id = String::new();
        },
    ];
    for change in changes {
        let mut changed = original.clone();
        change(&mut changed);
        assert_ne!(mac(&[7; 32], b"previous", &changed), reference);
    }
    assert_ne!(mac(&[8; 32], b"previous", &original), reference);
    assert_ne!(mac(&[7; 32], b"other", &original), reference);
    assert_eq!(mac(&[7; 32], b"previous", &original), reference);
}
