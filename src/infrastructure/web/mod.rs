//! The HTTP server's side of every request: ids, limits, bodies, guards, problems, OpenAPI. Knows no domain.

mod administrator;
pub mod authentication;
mod cors;
mod created;
mod envelope;
mod fallback;
mod forwarded;
mod guard;
mod idempotency;
mod json;
pub mod openapi;
pub mod operations;
mod params;
pub(crate) mod probes;
mod problem;
mod responses;
mod served;
mod sse;
mod websocket;

pub use administrator::{Administrator, AdministratorRoll, Administrators};
pub use authentication::{Allowance, Authenticator, Caller, Credentials};
pub use cors::cors;
pub use created::{Created, CreatedSecret, NoContent};
pub use envelope::envelope;
pub use fallback::Fallback;
pub use forwarded::{TrustedProxies, client_address, client_host, is_proxied};
pub use guard::{Authenticated, Can, Visitor};
pub use idempotency::{AnswerNotKept, idempotency};
pub use json::{BodyLimit, Json, OptionalJson, RawBody, check_nesting};
pub use params::{path_config, query_config};
pub use problem::ProblemBody;
pub use responses::{BadBody, Conflict, Forbidden, Guarded, NotFound, Public, SignedIn, Unauthorized, Unavailable};
pub use served::note_tenant;
pub use sse::{Frame, event_stream};
pub use websocket::{SUBPROTOCOL, is_upgrade, text_stream};
