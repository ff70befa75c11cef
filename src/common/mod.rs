//! What every layer shares: who asks, ids, times, errors, pages. No IO, no domain, no HTTP server.

pub mod clock;
pub mod ctx;
pub mod error;
pub mod id;
pub mod legible;
pub mod names;
pub mod page;
pub mod patch;
pub mod permission;
pub mod pool;
pub mod secret;
pub mod validate;

pub use clock::{Clock, ManualClock, SkewedClock, SystemClock, Timestamp};
pub use ctx::{Actor, Ctx, Login};
pub use error::{Code, Coded, FieldError, Kind, Problem};
pub use id::{
    ApiKeyId, AuditCheckpointId, AuditEventId, ConnectSessionId, CredentialId, DataTableId, DeliveryId, ExecutionId,
    ExecutionJobId, FiringId, InvitationId, OAuthFlowId, QueuedWebhookId, RequestId, RoleId, ScheduleId, SessionId,
    SubscriptionId, TagId, TenantId, TriggerId, UserId, WebhookId, WebhookRequestId, WorkerId, WorkflowId,
    WorkflowVersionId,
};
pub use page::{Cursor, Page, PageQuery};
pub use patch::Patch;
pub use permission::{Permission, Permissions};
pub use pool::{DEFAULT_POOL, is_pool_name};
pub use secret::Secret;
