//! Identifiers: one newtype per kind of row over UUIDv7, so that ids sort by creation and cannot be swapped by mistake.

/// Declares an identifier: UUIDv7, transparent in JSON, `ToSchema` as a uuid string. How it is stored is told in
/// `infrastructure::database::columns`.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// A new id, later than every id made before it by this process.
            #[expect(clippy::new_without_default, reason = "a default id would look like a fixed value")]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }

            pub const fn from_uuid(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }

            pub const fn as_uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

id_type!(
    /// A tenant: the customer everything else belongs to.
    TenantId
);
id_type!(
    /// A person with a login. Users exist apart from tenants and join them by membership.
    UserId
);
id_type!(
    /// A role that a tenant made.
    RoleId
);
id_type!(
    /// An invitation to a tenant.
    InvitationId
);
id_type!(
    /// An API key of a tenant.
    ApiKeyId
);
id_type!(
    /// A login: the family of refresh tokens that descend from it.
    SessionId
);
id_type!(
    /// One row of a tenant's audit log.
    AuditEventId
);
id_type!(
    /// A signed statement about a tenant's audit log.
    AuditCheckpointId
);
id_type!(
    /// A data table of a tenant.
    DataTableId
);
id_type!(
    /// A workflow.
    WorkflowId
);
id_type!(
    /// One immutable version of a workflow.
    WorkflowVersionId
);
id_type!(
    /// A label by which workflows are grouped.
    TagId
);
id_type!(
    /// One run of a workflow.
    ExecutionId
);
id_type!(
    /// Work on many executions at once.
    ExecutionJobId
);
id_type!(
    /// A process that runs executions, from its start to its end.
    WorkerId
);
id_type!(
    /// A registered webhook endpoint of an active workflow.
    WebhookId
);
id_type!(
    /// A webhook in the queue.
    QueuedWebhookId
);
id_type!(
    /// A logged request of a webhook.
    WebhookRequestId
);
id_type!(
    /// A schedule: which workflow begins when.
    ScheduleId
);
id_type!(
    /// A trigger that listens for what begins its workflow.
    TriggerId
);
id_type!(
    /// What became of a due time of a schedule.
    FiringId
);
id_type!(
    /// A credential: what a workflow shows to another system.
    CredentialId
);
id_type!(
    /// An account connection in progress at another system's authorisation server.
    OAuthFlowId
);
id_type!(
    /// An invitation to connect an account on a hosted page.
    ConnectSessionId
);
id_type!(
    /// An address that a tenant wants to be told of events.
    SubscriptionId
);
id_type!(
    /// One event that one subscriber is told.
    DeliveryId
);

/// Names one request in answers, logs and audit rows: the caller's `X-Request-Id` when it is well-formed, else a UUIDv7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(std::sync::Arc<str>);

impl RequestId {
    const MAX_LENGTH: usize = 128;

    pub fn generate() -> RequestId {
        RequestId(uuid::Uuid::now_v7().to_string().into())
    }

    /// Takes over an id given by the caller: 1–128 of `A–Z a–z 0–9 . _ -`; anything else is refused, as it would end up in logs.
    pub fn parse(text: &str) -> Option<RequestId> {
        let well_formed = !text.is_empty()
            && text.len() <= Self::MAX_LENGTH
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        well_formed.then(|| RequestId(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_creation() {
        let ids: Vec<_> = std::iter::repeat_with(TenantId::new).take(1000).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn request_ids_from_outside_are_checked() {
        for (text, accepted) in [("abc-1.2_3", true), ("", false), ("a b", false), ("a\nb", false), ("ü", false)] {
            assert_eq!(RequestId::parse(text).is_some(), accepted, "{text:?}");
        }
        assert!(RequestId::parse(&"x".repeat(129)).is_none());
    }
}
