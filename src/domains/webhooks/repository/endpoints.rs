//! Queries of webhook nodes and what is set for them.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::super::entities::{endpoint, route};
use crate::common::{TenantId, Timestamp, WebhookId, WorkflowId};
use crate::infrastructure::database::Scoped;

pub(in super::super) type Endpoint = endpoint::Model;

/// What a list of webhooks is narrowed by.
#[derive(Debug, Default)]
pub(in super::super) struct Filter {
    pub workflow: Option<WorkflowId>,
    /// Only ids below this one.
    pub before: Option<WebhookId>,
    pub limit: u64,
}

/// Newest first; one row more than the limit when there are more.
pub(in super::super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    filter: &Filter,
) -> Result<Vec<Endpoint>, DbErr> {
    let mut query = endpoint::Entity::scoped(tenant).order_by_desc(endpoint::Column::Id).limit(filter.limit + 1);
    if let Some(workflow) = filter.workflow {
        query = query.filter(endpoint::Column::WorkflowId.eq(workflow));
    }
    if let Some(before) = filter.before {
        query = query.filter(endpoint::Column::Id.lt(before));
    }
    query.all(connection).await
}

pub(in super::super) async fn find(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: WebhookId,
) -> Result<Option<Endpoint>, DbErr> {
    endpoint::Entity::scoped(tenant).filter(endpoint::Column::Id.eq(id)).one(connection).await
}

/// Those of a workflow.
pub(in super::super) async fn of_workflow(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflow: WorkflowId,
) -> Result<Vec<Endpoint>, DbErr> {
    endpoint::Entity::scoped(tenant).filter(endpoint::Column::WorkflowId.eq(workflow)).all(connection).await
}

/// Routes of the workflows in production that these webhooks belong to.
pub(in super::super) async fn routes(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflows: impl IntoIterator<Item = WorkflowId>,
) -> Result<Vec<route::Model>, DbErr> {
    route::Entity::scoped(tenant)
        .filter(route::Column::WorkflowId.is_in(workflows))
        .order_by_asc(route::Column::Method)
        .all(connection)
        .await
}

pub(in super::super) async fn insert(connection: &impl ConnectionTrait, row: Endpoint) -> Result<(), DbErr> {
    endpoint::Entity::insert(row.into_active_model()).exec_without_returning(connection).await.map(drop)
}

/// Takes over what a new version of the workflow says of the node.
pub(in super::super) async fn update_node(connection: &impl ConnectionTrait, row: &Endpoint) -> Result<(), DbErr> {
    endpoint::Entity::update_scoped(row.tenant_id)
        .col_expr(endpoint::Column::NodeKey, Expr::value(row.node_key.as_str()))
        .col_expr(endpoint::Column::Node, Expr::value(row.node.as_str()))
        .col_expr(endpoint::Column::Path, Expr::value(row.path.as_str()))
        .col_expr(endpoint::Column::IsForm, Expr::value(row.is_form))
        .filter(endpoint::Column::Id.eq(row.id))
        .exec(connection)
        .await
        .map(drop)
}

/// Replaces what is set, provided that nobody did so since `seen`. `false`: somebody was faster.
pub(in super::super) async fn update_settings(
    connection: &impl ConnectionTrait,
    row: &Endpoint,
    seen: Timestamp,
) -> Result<bool, DbErr> {
    let updated = endpoint::Entity::update_scoped(row.tenant_id)
        .col_expr(endpoint::Column::Settings, Expr::value(row.settings.as_str()))
        .col_expr(endpoint::Column::Secrets, Expr::value(row.secrets.clone()))
        .col_expr(endpoint::Column::UpdatedAt, Expr::value(row.updated_at))
        .filter(endpoint::Column::Id.eq(row.id))
        .filter(endpoint::Column::UpdatedAt.eq(seen))
        .exec(connection)
        .await?;
    Ok(updated.rows_affected == 1)
}
