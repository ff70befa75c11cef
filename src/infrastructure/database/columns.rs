//! How our own types are stored: ids as UUID, times as 64-bit integers, closed sets of names as text.

use sea_orm::sea_query::{ArrayType, ColumnType};
use sea_orm::{DbErr, TryFromU64};
use uuid::Uuid;

use crate::common::{
    ApiKeyId, AuditCheckpointId, AuditEventId, ConnectSessionId, CredentialId, DataTableId, DeliveryId, ExecutionId,
    ExecutionJobId, FiringId, InvitationId, OAuthFlowId, QueuedWebhookId, RoleId, ScheduleId, SessionId,
    SubscriptionId, TagId, TenantId, Timestamp, TriggerId, UserId, WebhookId, WebhookRequestId, WorkerId, WorkflowId,
    WorkflowVersionId,
};

/// Stores a type as another one that the database knows. `$read` may fail for text only.
macro_rules! column {
    ($type:ty as $stored:ty, $column:expr, $array:expr, $write:expr, $read:expr) => {
        impl From<$type> for sea_orm::Value {
            fn from(value: $type) -> sea_orm::Value {
                let write: fn($type) -> $stored = $write;
                write(value).into()
            }
        }

        impl sea_orm::TryGetable for $type {
            fn try_get_by<I: sea_orm::ColIdx>(
                row: &sea_orm::QueryResult,
                index: I,
            ) -> Result<Self, sea_orm::TryGetError> {
                let read: fn($stored) -> Option<$type> = $read;
                let stored = <$stored as sea_orm::TryGetable>::try_get_by(row, index)?;
                read(stored).ok_or_else(|| sea_orm::DbErr::Type(format!("not a {}", stringify!($type))).into())
            }
        }

        impl sea_orm::sea_query::ValueType for $type {
            fn try_from(value: sea_orm::Value) -> Result<Self, sea_orm::sea_query::ValueTypeErr> {
                let read: fn($stored) -> Option<$type> = $read;
                read(<$stored as sea_orm::sea_query::ValueType>::try_from(value)?)
                    .ok_or(sea_orm::sea_query::ValueTypeErr)
            }

            fn type_name() -> String {
                stringify!($type).to_owned()
            }

            fn array_type() -> sea_orm::sea_query::ArrayType {
                $array
            }

            fn column_type() -> sea_orm::sea_query::ColumnType {
                $column
            }
        }

        impl sea_orm::sea_query::Nullable for $type {
            fn null() -> sea_orm::Value {
                <$stored as sea_orm::sea_query::Nullable>::null()
            }
        }

        impl sea_orm::IntoActiveValue<$type> for $type {
            fn into_active_value(self) -> sea_orm::ActiveValue<$type> {
                sea_orm::ActiveValue::Set(self)
            }
        }
    };
}

/// Stores a closed set of names, such as a role or a status, by its `Display` and `FromStr`.
/// `or`: what another name is read as; without, a row with one cannot be read.
macro_rules! text_column {
    ($type:ty) => {
        $crate::infrastructure::database::text_column! { $type, |text| text.parse().ok() }
    };
    ($type:ty, or $other:expr) => {
        $crate::infrastructure::database::text_column! { $type, |text| Some(text.parse().unwrap_or($other)) }
    };
    ($type:ty, $read:expr) => {
        $crate::infrastructure::database::column! {
            $type as String,
            sea_orm::sea_query::ColumnType::String(sea_orm::sea_query::StringLen::None),
            sea_orm::sea_query::ArrayType::String,
            |value| value.to_string(),
            $read
        }
    };
}

pub(crate) use {column, text_column};

macro_rules! id_columns {
    ($($type:ty),* $(,)?) => {
        $(
            column! { $type as Uuid, ColumnType::Uuid, ArrayType::Uuid, |id| id.as_uuid(), |id| Some(<$type>::from_uuid(id)) }

            impl TryFromU64 for $type {
                /// Refused: ids never come from an auto-increment column.
                fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                    Err(DbErr::ConvertFromU64(stringify!($type)))
                }
            }
        )*
    };
}

id_columns!(
    TenantId,
    UserId,
    RoleId,
    InvitationId,
    ApiKeyId,
    SessionId,
    AuditEventId,
    AuditCheckpointId,
    WorkflowId,
    WorkflowVersionId,
    TagId,
    ExecutionId,
    ExecutionJobId,
    WebhookId,
    QueuedWebhookId,
    WebhookRequestId,
    SubscriptionId,
    DeliveryId,
    TriggerId,
    WorkerId,
    ScheduleId,
    FiringId,
    CredentialId,
    OAuthFlowId,
    ConnectSessionId,
    DataTableId,
);

column! {
    Timestamp as i64, ColumnType::BigInteger, ArrayType::BigInt,
    |time| time.as_millis(), |millis| Some(Timestamp::from_millis(millis))
}
