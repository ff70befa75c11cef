//! Lists of executions, and what statistics count.

use std::collections::HashMap;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::super::entities::{execution, label, payload};
use super::super::labels::Kind;
use super::super::model::{Mode, Status};
use super::Row;
use crate::common::{ExecutionId, TenantId, Timestamp, WorkflowId};
use crate::infrastructure::database::Scoped;

/// What a list of executions is narrowed by.
#[derive(Debug, Default)]
pub(in super::super) struct Filter {
    pub workflow: Option<WorkflowId>,
    /// Any of these; none: all.
    pub statuses: Vec<Status>,
    pub mode: Option<Mode>,
    /// Bears this tag.
    pub tag: Option<String>,
    /// The workflow set this name to this value.
    pub metadata: Option<(String, String)>,
    pub created_after: Option<Timestamp>,
    pub created_before: Option<Timestamp>,
    /// Only ids below this one.
    pub before: Option<ExecutionId>,
    pub limit: u64,
}

/// A row more than the limit, newest first: the extra one tells that there is another page.
pub(in super::super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    filter: &Filter,
) -> Result<Vec<Row>, DbErr> {
    let mut query =
        execution::Entity::scoped(tenant).order_by_desc(execution::Column::Id).limit(filter.limit.saturating_add(1));
    if let Some(workflow) = filter.workflow {
        query = query.filter(execution::Column::WorkflowId.eq(workflow));
    }
    query = match filter.statuses.as_slice() {
        [] => query,
        [Status::Unknown] => query.filter(execution::Column::Status.is_not_in(Status::ALL.iter().copied())),
        [status] => query.filter(execution::Column::Status.eq(*status)),
        several => query.filter(execution::Column::Status.is_in(several.iter().copied())),
    };
    query = match filter.mode {
        None => query,
        Some(Mode::Unknown) => query.filter(execution::Column::Mode.is_not_in(Mode::ALL.iter().copied())),
        Some(mode) => query.filter(execution::Column::Mode.eq(mode)),
    };
    if let Some(after) = filter.created_after {
        query = query.filter(execution::Column::CreatedAt.gte(after));
    }
    if let Some(before) = filter.created_before {
        query = query.filter(execution::Column::CreatedAt.lt(before));
    }
    let labelled = |kind: Kind, name: &str| {
        label::Entity::scoped(tenant)
            .select_only()
            .column(label::Column::ExecutionId)
            .filter(label::Column::Kind.eq(kind))
            .filter(label::Column::Name.eq(name))
    };
    if let Some(tag) = &filter.tag {
        query = query.filter(execution::Column::Id.in_subquery(labelled(Kind::Tag, tag).into_query()));
    }
    if let Some((name, value)) = &filter.metadata {
        let found = labelled(Kind::Metadata, name).filter(label::Column::Value.eq(value));
        query = query.filter(execution::Column::Id.in_subquery(found.into_query()));
    }
    if let Some(before) = filter.before {
        query = query.filter(execution::Column::Id.lt(before));
    }
    query.all(connection).await
}

/// What is kept of the data of executions.
pub(in super::super) async fn data(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: impl IntoIterator<Item = ExecutionId>,
) -> Result<Vec<(ExecutionId, Option<Vec<u8>>)>, DbErr> {
    let query = payload::Entity::scoped(tenant).filter(payload::Column::ExecutionId.is_in(ids));
    let columns = [payload::Column::ExecutionId, payload::Column::Data];
    query.select_only().columns(columns).into_tuple().all(connection).await
}

/// How many bytes that is for each; nothing of it is read.
pub(in super::super) async fn data_sizes(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: impl IntoIterator<Item = ExecutionId>,
) -> Result<HashMap<ExecutionId, i64>, DbErr> {
    let query = payload::Entity::scoped(tenant).filter(payload::Column::ExecutionId.is_in(ids));
    let size = Expr::cust("CAST(COALESCE(LENGTH(data), 0) AS BIGINT)");
    let query = query.select_only().column(payload::Column::ExecutionId).column_as(size, "bytes");
    Ok(query.into_tuple::<(ExecutionId, i64)>().all(connection).await?.into_iter().collect())
}

/// As much of an execution as statistics count.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Outcome {
    pub workflow: WorkflowId,
    pub status: Status,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
}

/// Executions that were created from the first time on and before the second, the latest first.
pub(in super::super) async fn outcomes(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflow: Option<WorkflowId>,
    (from, to): (Timestamp, Timestamp),
    limit: u64,
) -> Result<Vec<Outcome>, DbErr> {
    type Columns = (WorkflowId, Status, Timestamp, Option<Timestamp>, Option<Timestamp>);
    let mut query = execution::Entity::scoped(tenant)
        .select_only()
        .columns([
            execution::Column::WorkflowId,
            execution::Column::Status,
            execution::Column::CreatedAt,
            execution::Column::StartedAt,
            execution::Column::StoppedAt,
        ])
        .filter(execution::Column::CreatedAt.gte(from))
        .filter(execution::Column::CreatedAt.lt(to))
        .order_by_desc(execution::Column::CreatedAt)
        .limit(limit);
    if let Some(workflow) = workflow {
        query = query.filter(execution::Column::WorkflowId.eq(workflow));
    }
    let outcome = |(workflow, status, created_at, started_at, stopped_at)| Outcome {
        workflow,
        status,
        created_at,
        started_at,
        stopped_at,
    };
    Ok(query.into_tuple::<Columns>().all(connection).await?.into_iter().map(outcome).collect())
}
