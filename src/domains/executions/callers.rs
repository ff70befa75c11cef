//! Callers that wait for what they called: put aside as at a Wait node, without memory or worker, and queued again by the end
//! of what they wait for. They go on from their journal with the node that calls, which is then answered from the record.

use super::error::Error;
use super::executor::Executor;
use super::repository::{self as rows, Row};
use crate::common::{ExecutionId, TenantId};
use crate::infrastructure::database::AcrossTenants;

/// Callers queued again in one sweep.
const SWEEP: u64 = 500;

/// A caller was put aside just now: what it waits for may be over already.
pub(super) async fn put_aside(executor: &Executor, caller: &Row) {
    let Some(called) = caller.waits_for else { return };
    let found = rows::find(&executor.0.database.read(caller.tenant_id), caller.tenant_id, called).await;
    let woken = match found {
        Ok(Some(row)) if !row.status.is_terminal() => return,
        Ok(_) => wake(executor, caller.tenant_id, caller.id, called).await,
        Err(error) => Err(error.into()),
    };
    complain(caller.id, woken);
}

/// An execution is over: whoever waits for it goes on.
pub(super) async fn called_ended(executor: &Executor, called: &Row) {
    if let Some(caller) = called.parent_id {
        complain(caller, wake(executor, called.tenant_id, caller, called.id).await);
    }
}

fn complain(caller: ExecutionId, woken: Result<(), Error>) {
    if let Err(error) = woken {
        tracing::warn!(execution = %caller, %error, "a caller goes on a little later, when the sweep finds it");
    }
}

async fn wake(executor: &Executor, tenant: TenantId, caller: ExecutionId, called: ExecutionId) -> Result<(), Error> {
    let parts = &executor.0;
    let connection = parts.database.write(tenant);
    if rows::wake(&connection, tenant, caller, called, parts.clock.now()).await?
        && let Some(row) = rows::find(&connection, tenant, caller).await?
    {
        executor.enqueue(&row).await;
    }
    Ok(())
}

/// Wakes callers whose process, or that of what they called, died in the moment between.
pub(super) async fn sweep(executor: &Executor) -> Result<(), Error> {
    for row in rows::waiting_in_vain(&executor.0.database.read(AcrossTenants), SWEEP).await? {
        if let Some(called) = row.waits_for {
            wake(executor, row.tenant_id, row.id, called).await?;
        }
    }
    Ok(())
}
