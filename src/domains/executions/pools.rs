//! Pools of workers as callers and operators see them: who works for a pool, and what waits where nobody does.

use std::collections::HashSet;

use super::dto::{ExecutionResponse, PoolResponse, PoolsResponse};
use super::error::Error;
use super::executor::Executor;
use super::model::Status;
use super::repository as rows;
use super::service::Service;
use crate::common::Ctx;
use crate::infrastructure::database::{self, AcrossTenants};

impl Service {
    /// Pools that the tenant may use, and any other in which something of its waits.
    pub async fn pools(&self, ctx: &Ctx) -> Result<PoolsResponse, Error> {
        let parts = &self.executor().0;
        let open = parts.programs.tenants().open_pools(ctx.tenant).await?;
        let living = rows::living(&self.database.read(AcrossTenants), parts.clock.now()).await?;
        let mut queued = rows::queued(&self.database.read(ctx), ctx.tenant).await?;
        let mut data: Vec<PoolResponse> = Vec::new();
        let names: Vec<String> = open.names().map(str::to_owned).collect();
        let others = queued.iter().map(|queued| queued.pool.clone()).filter(|pool| !open.has(pool));
        for name in names.iter().cloned().chain(others.collect::<Vec<_>>()) {
            let pool = living.get(&name).copied().unwrap_or_default();
            let place = queued.iter().position(|queued| queued.pool == name);
            let waiting = place.map(|place| queued.swap_remove(place));
            data.push(PoolResponse {
                workers: pool.workers,
                slots: pool.slots,
                queued: waiting.as_ref().map_or(0, |waiting| waiting.executions),
                oldest_queued_at: waiting.map(|waiting| waiting.oldest),
                name,
            });
        }
        Ok(PoolsResponse { data })
    }

    /// Says of those that are queued whether anybody could take them.
    pub(super) async fn show_workers(&self, executions: &mut [ExecutionResponse]) -> Result<(), database::Error> {
        if executions.iter().all(|execution| execution.status != Status::New) {
            return Ok(());
        }
        let now = self.executor().0.clock.now();
        let living = rows::living(&self.database.read(AcrossTenants), now).await?;
        for execution in executions.iter_mut().filter(|execution| execution.status == Status::New) {
            execution.has_worker = Some(living.contains_key(&execution.worker_pool));
        }
        Ok(())
    }
}

/// Pools that were found to have executions and no worker.
#[derive(Default)]
pub(super) struct Deserted(HashSet<String>);

impl Deserted {
    /// Tells metrics and log of pools with executions and without workers.
    pub(super) async fn look(&mut self, executor: &Executor) -> Result<(), Error> {
        let parts = &executor.0;
        let found = rows::stranded(&parts.database.read(AcrossTenants), parts.clock.now()).await?;
        let gauge = |pool: &str| metrics::gauge!("millrace_executions_without_worker", "pool" => pool.to_owned());
        for pool in self.0.drain() {
            gauge(&pool).set(0);
        }
        for stranded in found {
            let executions = stranded.executions;
            gauge(&stranded.pool).set(i32::try_from(executions).unwrap_or(i32::MAX));
            tracing::warn!(pool = stranded.pool, executions, "executions wait for a pool that has no worker");
            self.0.insert(stranded.pool);
        }
        Ok(())
    }
}
