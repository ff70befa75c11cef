//! Queries of the domain: workflows, their versions, their tags. Every one names its tenant.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::entities::{tag, version, workflow, workflow_tag};
use crate::common::{TagId, TenantId, Timestamp, WorkflowId, WorkflowVersionId};
use crate::infrastructure::database::Scoped;

pub(super) type Workflow = workflow::Model;
pub(super) type Version = version::Model;
pub(super) type Tag = tag::Model;

/// What a list of workflows is narrowed by.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub active: Option<bool>,
    /// Part of the name, in any case.
    pub name: Option<String>,
    /// Names of tags, all of which a workflow must bear.
    pub tags: Vec<String>,
    /// Only ids below this one.
    pub before: Option<WorkflowId>,
    pub limit: u64,
}

/// A row more than the limit, newest first: the extra one tells that there is another page.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    filter: &Filter,
) -> Result<Vec<Workflow>, DbErr> {
    let mut query =
        workflow::Entity::scoped(tenant).order_by_desc(workflow::Column::Id).limit(filter.limit.saturating_add(1));
    if let Some(active) = filter.active {
        let column = workflow::Column::ActiveVersionId;
        query = query.filter(if active { column.is_not_null() } else { column.is_null() });
    }
    if let Some(name) = &filter.name {
        let pattern = LikeExpr::new(format!("%{}%", escaped(&name.to_lowercase()))).escape('\\');
        query = query.filter(Expr::expr(Func::lower(Expr::col(workflow::Column::Name))).like(pattern));
    }
    for name in &filter.tags {
        let bearing = Query::select()
            .column((workflow_tag::Entity, workflow_tag::Column::WorkflowId))
            .from(workflow_tag::Entity)
            .inner_join(
                tag::Entity,
                Expr::col((tag::Entity, tag::Column::Id)).equals((workflow_tag::Entity, workflow_tag::Column::TagId)),
            )
            .and_where(Expr::col((tag::Entity, tag::Column::TenantId)).eq(tenant))
            .and_where(Expr::col((tag::Entity, tag::Column::Name)).eq(name.as_str()))
            .to_owned();
        query = query.filter(workflow::Column::Id.in_subquery(bearing));
    }
    if let Some(before) = filter.before {
        query = query.filter(workflow::Column::Id.lt(before));
    }
    query.all(connection).await
}

/// `%` and `_` taken literally in a LIKE pattern.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// By our id, else by the id it was exported under elsewhere.
pub(super) async fn find(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    reference: &str,
) -> Result<Option<Workflow>, DbErr> {
    let alias = workflow::Column::Alias.eq(reference);
    let Ok(id) = reference.parse::<WorkflowId>() else {
        return workflow::Entity::scoped(tenant).filter(alias).one(connection).await;
    };
    let either = Condition::any().add(workflow::Column::Id.eq(id)).add(alias);
    let found = workflow::Entity::scoped(tenant).filter(either).all(connection).await?;
    let (own, aliased): (Vec<_>, Vec<_>) = found.into_iter().partition(|workflow| workflow.id == id);
    Ok(own.into_iter().chain(aliased).next())
}

/// The same, and nobody else changes the row until the transaction is over.
pub(super) async fn lock(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: WorkflowId,
) -> Result<Option<Workflow>, DbErr> {
    workflow::Entity::scoped(tenant).filter(workflow::Column::Id.eq(id)).lock_exclusive().one(connection).await
}

/// Whose workflow it is.
pub(super) async fn tenant_of(connection: &impl ConnectionTrait, id: WorkflowId) -> Result<Option<TenantId>, DbErr> {
    let row = workflow::Entity::across_tenants().filter(workflow::Column::Id.eq(id)).one(connection).await?;
    Ok(row.map(|row| row.tenant_id))
}

pub(super) async fn insert(connection: &impl ConnectionTrait, row: Workflow) -> Result<(), DbErr> {
    workflow::Entity::insert(workflow::ActiveModel::from(row).reset_all())
        .exec_without_returning(connection)
        .await
        .map(drop)
}

/// Writes the row's present state, provided that its current version is still `expected`. `false`: somebody was faster.
pub(super) async fn update(
    connection: &impl ConnectionTrait,
    row: &Workflow,
    expected: WorkflowVersionId,
) -> Result<bool, DbErr> {
    let changes = workflow::ActiveModel {
        name: Set(row.name.clone()),
        alias: Set(row.alias.clone()),
        version_id: Set(row.version_id),
        active_version_id: Set(row.active_version_id),
        trigger_count: Set(row.trigger_count),
        updated_at: Set(row.updated_at),
        ..Default::default()
    };
    let result = workflow::Entity::update_scoped(row.tenant_id)
        .set(changes)
        .filter(workflow::Column::Id.eq(row.id))
        .filter(workflow::Column::VersionId.eq(expected))
        .exec(connection)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Removes a workflow with its versions and its tags.
pub(super) async fn delete(connection: &impl ConnectionTrait, tenant: TenantId, id: WorkflowId) -> Result<(), DbErr> {
    workflow_tag::Entity::delete_scoped(tenant)
        .filter(workflow_tag::Column::WorkflowId.eq(id))
        .exec(connection)
        .await?;
    version::Entity::delete_scoped(tenant).filter(version::Column::WorkflowId.eq(id)).exec(connection).await?;
    workflow::Entity::delete_scoped(tenant).filter(workflow::Column::Id.eq(id)).exec(connection).await.map(drop)
}

pub(super) async fn insert_version(connection: &impl ConnectionTrait, row: Version) -> Result<(), DbErr> {
    version::Entity::insert(version::ActiveModel::from(row).reset_all())
        .exec_without_returning(connection)
        .await
        .map(drop)
}

pub(super) async fn version(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: WorkflowVersionId,
) -> Result<Option<Version>, DbErr> {
    version::Entity::scoped(tenant).filter(version::Column::Id.eq(id)).one(connection).await
}

pub(super) async fn versions(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: impl IntoIterator<Item = WorkflowVersionId>,
) -> Result<HashMap<WorkflowVersionId, Version>, DbErr> {
    let rows = version::Entity::scoped(tenant).filter(version::Column::Id.is_in(ids)).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Tags of each of the workflows, by name.
pub(super) async fn tags_of(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    workflows: &[WorkflowId],
) -> Result<HashMap<WorkflowId, Vec<Tag>>, DbErr> {
    let links = workflow_tag::Entity::scoped(tenant)
        .filter(workflow_tag::Column::WorkflowId.is_in(workflows.iter().copied()))
        .all(connection)
        .await?;
    if links.is_empty() {
        return Ok(HashMap::new());
    }
    let tags = tag::Entity::scoped(tenant)
        .filter(tag::Column::Id.is_in(links.iter().map(|link| link.tag_id)))
        .order_by_asc(tag::Column::Name)
        .all(connection)
        .await?;
    let mut of_workflow: HashMap<WorkflowId, Vec<Tag>> = HashMap::new();
    for tag in &tags {
        for link in links.iter().filter(|link| link.tag_id == tag.id) {
            of_workflow.entry(link.workflow_id).or_default().push(tag.clone());
        }
    }
    Ok(of_workflow)
}

/// Replaces the tags of a workflow; tags that do not exist yet are made.
pub(super) async fn set_tags(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: WorkflowId,
    names: &[String],
    now: Timestamp,
) -> Result<(), DbErr> {
    workflow_tag::Entity::delete_scoped(tenant)
        .filter(workflow_tag::Column::WorkflowId.eq(id))
        .exec(connection)
        .await?;
    if names.is_empty() {
        return Ok(());
    }
    let mut known = tag::Entity::scoped(tenant)
        .filter(tag::Column::Name.is_in(names.iter().map(String::as_str)))
        .all(connection)
        .await?;
    for name in names {
        if !known.iter().any(|tag| tag.name == *name) {
            let row = Tag { id: TagId::new(), tenant_id: tenant, name: name.clone(), created_at: now, updated_at: now };
            tag::ActiveModel::from(row.clone()).reset_all().insert(connection).await?;
            known.push(row);
        }
    }
    let links = known.iter().map(|tag| workflow_tag::ActiveModel {
        workflow_id: Set(id),
        tag_id: Set(tag.id),
        tenant_id: Set(tenant),
    });
    workflow_tag::Entity::insert_many(links).exec_without_returning(connection).await.map(drop)
}

/// How many workflows the tenant has, or has in production.
pub(super) async fn count(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    only_active: bool,
) -> Result<u64, DbErr> {
    let mut select = workflow::Entity::scoped(tenant);
    if only_active {
        select = select.filter(workflow::Column::ActiveVersionId.is_not_null());
    }
    PaginatorTrait::count(select, connection).await
}

/// Workflows whose newest version holds one of these texts, with that version.
pub(super) async fn mentioning(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    texts: &[String],
) -> Result<Vec<(Workflow, String)>, DbErr> {
    let mut any = Condition::any();
    for text in texts {
        any = any.add(version::Column::Document.like(LikeExpr::new(format!("%{}%", escaped(text))).escape('\\')));
    }
    let current = Query::select()
        .column(workflow::Column::VersionId)
        .from(workflow::Entity)
        .and_where(workflow::Column::TenantId.eq(tenant))
        .to_owned();
    let found = version::Entity::scoped(tenant)
        .filter(version::Column::Id.in_subquery(current))
        .filter(any)
        .all(connection)
        .await?;
    let ids = found.iter().map(|version| version.workflow_id);
    let rows = workflow::Entity::scoped(tenant).filter(workflow::Column::Id.is_in(ids)).all(connection).await?;
    let with_document = |row: Workflow| {
        let version = found.iter().find(|version| version.workflow_id == row.id)?;
        Some((row, version.document.clone()))
    };
    Ok(rows.into_iter().filter_map(with_document).collect())
}

/// Those of the ids that are workflows of the tenant.
pub(super) async fn known(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    ids: &[WorkflowId],
) -> Result<Vec<WorkflowId>, DbErr> {
    workflow::Entity::scoped(tenant)
        .select_only()
        .column(workflow::Column::Id)
        .filter(workflow::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(connection)
        .await
}
