//! The MAC that ties each audit row to the one before it, and what a checkpoint signs. Pure.

use hmac::digest::Key;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::entities::audit_event::Model;
use crate::common::{TenantId, Timestamp};

/// HMAC-SHA256 over the previous MAC and every field of the row, each behind its length, so that no two rows encode alike.
pub(super) fn mac(key: &[u8; 32], previous: &[u8], event: &Model) -> Vec<u8> {
    // A key shorter than a block is padded with zeros (RFC 2104 §2), as `new` expects it.
    let mut block = Key::<Hmac<Sha256>>::default();
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot = *byte;
    }
    let mut hmac = <Hmac<Sha256> as KeyInit>::new(&block);
    let (id, tenant) = (event.id.as_uuid(), event.tenant_id.as_uuid());
    let user = event.user_id.map(|id| id.to_string());
    let api_key = event.api_key_id.map(|id| id.to_string());
    let fields = [
        Some(previous),
        Some(id.as_bytes()),
        Some(tenant.as_bytes()),
        Some(&event.sequence.to_be_bytes()),
        Some(&event.occurred_at.as_millis().to_be_bytes()),
        Some(event.actor_kind.as_bytes()),
        user.as_deref().map(str::as_bytes),
        api_key.as_deref().map(str::as_bytes),
        Some(event.action.as_bytes()),
        Some(event.resource_kind.as_bytes()),
        Some(event.resource_id.as_bytes()),
        event.before.as_deref().map(str::as_bytes),
        event.after.as_deref().map(str::as_bytes),
        event.address.as_deref().map(str::as_bytes),
        Some(event.request_id.as_bytes()),
    ];
    for field in fields {
        // An absent field differs from an empty one.
        match field {
            Some(bytes) => {
                hmac.update(&[1]);
                hmac.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
                hmac.update(bytes);
            }
            None => hmac.update(&[0]),
        }
    }
    hmac.finalize().into_bytes().to_vec()
}

/// What a checkpoint signs. All parts but the first have a fixed length, so that no two checkpoints encode alike.
pub(super) fn checkpoint_message(tenant: TenantId, sequence: i64, mac: &[u8], created_at: Timestamp) -> Vec<u8> {
    let mut message = b"millrace audit checkpoint 1\n".to_vec();
    message.extend_from_slice(tenant.as_uuid().as_bytes());
    message.extend_from_slice(&sequence.to_be_bytes());
    message.extend_from_slice(&created_at.as_millis().to_be_bytes());
    message.extend_from_slice(mac);
    message
}

/// What is signed when the rows up to a checkpoint are deleted. The checkpoint's own message begins otherwise, so neither
/// signature passes for the other.
pub(super) fn pruning_message(tenant: TenantId, sequence: i64, mac: &[u8], pruned_at: Timestamp) -> Vec<u8> {
    let mut message = b"millrace audit pruning 1\n".to_vec();
    message.extend_from_slice(tenant.as_uuid().as_bytes());
    message.extend_from_slice(&sequence.to_be_bytes());
    message.extend_from_slice(&pruned_at.as_millis().to_be_bytes());
    message.extend_from_slice(mac);
    message
}
