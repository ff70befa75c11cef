//! Tenants as labels of metrics. Every label is a series that is kept for ever, so only so many tenants have their own.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use metrics::SharedString;

use crate::common::TenantId;

/// Tenants with series of their own, in the order in which they came; the others share one.
const MOST: usize = 200;
/// What the others share.
const OTHERS: &str = "other";

static LABELS: LazyLock<RwLock<HashMap<TenantId, Arc<str>>>> = LazyLock::new(RwLock::default);

/// What stands for a tenant in metrics: its id, or `other`.
pub fn tenant_label(tenant: TenantId) -> SharedString {
    label(&LABELS, tenant)
}

fn label(labels: &RwLock<HashMap<TenantId, Arc<str>>>, tenant: TenantId) -> SharedString {
    if let Some(label) = labels.read().unwrap_or_else(PoisonError::into_inner).get(&tenant) {
        return SharedString::from(Arc::clone(label));
    }
    let mut labels = labels.write().unwrap_or_else(PoisonError::into_inner);
    if labels.len() >= MOST {
        return SharedString::const_str(OTHERS);
    }
    SharedString::from(Arc::clone(labels.entry(tenant).or_insert_with(|| tenant.to_string().into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_labels_than_that() {
        let labels = RwLock::default();
        let first = TenantId::new();
        assert_eq!(&*label(&labels, first), first.to_string());
        for _ in 1..MOST {
            label(&labels, TenantId::new());
        }
        assert_eq!(&*label(&labels, TenantId::new()), OTHERS);
        assert_eq!(&*label(&labels, first), first.to_string());
    }
}
