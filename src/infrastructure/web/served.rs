//! Whose request it is, for what is logged and measured about it.

use actix_web::HttpMessage;

use crate::common::TenantId;

/// The tenant that a request turned out to be for; waits in the request until it is answered.
#[derive(Clone, Copy, Debug)]
struct Served(TenantId);

/// Notes whose request it is.
pub fn note_tenant(request: &impl HttpMessage, tenant: TenantId) {
    request.extensions_mut().insert(Served(tenant));
}

/// Whose request it is, as far as that was found out.
pub(super) fn tenant_of(request: &impl HttpMessage) -> Option<TenantId> {
    request.extensions().get::<Served>().map(|served| served.0)
}
