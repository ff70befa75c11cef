//! How many executions of a tenant or of a workflow may run at a time, in all processes together. Such executions always
//! go through the queue: a claim that would be one too many is not made, and the end of a run wakes the next one of each pool.
//! Workflows that others call are not counted: their callers are.

use super::error::Error;
use super::executor::Executor;
use super::model::Mode;
use super::programs::Program;
use super::repository::{self as rows, Row};
use super::workers;
use crate::common::TenantId;

/// What applies to an execution; at least one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Concurrency {
    tenant: Option<u64>,
    workflow: Option<u64>,
}

/// What became of a claim.
pub(super) enum Claimed {
    Row(Box<Row>),
    /// Somebody else has it, or it is over.
    Nothing,
    /// As many run as may.
    Full,
}

/// What applies to the executions of a program; `None`: no limit does. `plan`: what the tenant's plan allows.
pub(super) fn of(executor: &Executor, program: &Program, mode: Mode, plan: Option<u64>) -> Option<Concurrency> {
    if mode == Mode::Integrated {
        return None;
    }
    let configured = Some(executor.0.config.tenant_concurrency).filter(|limit| *limit > 0);
    let tenant = [configured, plan].into_iter().flatten().min();
    let workflow = program.concurrency;
    (tenant.is_some() || workflow.is_some()).then_some(Concurrency { tenant, workflow })
}

/// What the tenant's plan allows. Where it cannot be read, the configured limit alone holds.
pub(super) async fn of_plan(executor: &Executor, tenant: TenantId) -> Option<u64> {
    let profile = executor.0.programs.tenants().profile(tenant).await;
    profile.ok().and_then(|profile| profile.limits.concurrent_executions)
}

/// Claims a queued execution unless as many run already as may.
pub(super) async fn claim(executor: &Executor, row: &Row, limit: Concurrency) -> Result<Claimed, Error> {
    let parts = &executor.0;
    let tenant = row.tenant_id;
    let transaction = parts.database.begin(tenant).await?;
    rows::hold_claims(&transaction, tenant).await?;
    for (most, like) in [(limit.tenant, None), (limit.workflow, Some(row))] {
        let Some(most) = most else { continue };
        if rows::running(&transaction, tenant, like).await? >= most {
            return Ok(Claimed::Full);
        }
    }
    workers::claim(executor, transaction, row, i32::MAX).await
}

/// An execution runs no more: who could not begin because of it, now can.
pub(super) async fn release(executor: &Executor, row: &Row, program: &Program) {
    let plan = of_plan(executor, row.tenant_id).await;
    let Some(limit) = of(executor, program, row.mode, plan) else { return };
    let connection = executor.0.database.read(row.tenant_id);
    let waiting = [(limit.tenant, None), (limit.workflow, Some(row))];
    for like in waiting.into_iter().filter_map(|(most, like)| most.map(|_| like)) {
        match rows::next_queued(&connection, row.tenant_id, like).await {
            Ok(next) => {
                for row in &next {
                    executor.enqueue(row).await;
                }
            }
            Err(error) => tracing::warn!(%error, "the next execution could not be looked for; the sweep finds it"),
        }
    }
}
