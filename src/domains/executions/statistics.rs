//! How executions went: counts, success rates and durations, by workflow, by time and by node.

use std::collections::BTreeMap;
use std::time::Duration;

use super::dto::{
    BucketResponse, BucketSize, Durations, NodeStatistics, StatisticsQuery, StatisticsResponse, Tally,
    WorkflowStatistics, WorkflowStatisticsQuery, WorkflowStatisticsResponse,
};
use super::error::Error;
use super::model::Status;
use super::repository::{self as rows, Outcome};
use super::service::Service;
use super::timeline;
use crate::common::{Ctx, Timestamp, WorkflowId};

/// Executions counted at most.
const MOST: u64 = 100_000;
const DEFAULT_SPAN: Duration = Duration::from_secs(86_400);
/// Executions whose nodes are looked at, where the caller does not say.
const SAMPLE: u64 = 100;
/// More buckets help nobody.
const MOST_BUCKETS: i64 = 1000;

impl Service {
    /// Executions that were created in a span of time.
    pub async fn statistics(&self, ctx: &Ctx, query: &StatisticsQuery) -> Result<StatisticsResponse, Error> {
        let to = query.to.unwrap_or_else(|| self.executor().0.clock.now());
        let from = query.from.unwrap_or_else(|| to.minus(DEFAULT_SPAN));
        let size = query.bucket.map_or(0, BucketSize::millis);
        if from >= to || (size > 0 && (to.as_millis() - from.as_millis()) / size > MOST_BUCKETS) {
            return Err(Error::BadSpan);
        }
        let workflow = match &query.workflow_id {
            Some(reference) => Some(self.workflows.resolve(ctx, reference).await?),
            None => None,
        };
        let outcomes = rows::outcomes(&self.database.read(ctx), ctx.tenant, workflow, (from, to), MOST).await?;
        let is_complete = u64::try_from(outcomes.len()).unwrap_or(u64::MAX) < MOST;
        let mut whole = Counting::default();
        let mut workflows: BTreeMap<WorkflowId, Counting> = BTreeMap::new();
        let mut buckets: BTreeMap<i64, Counting> = BTreeMap::new();
        for outcome in &outcomes {
            whole.add(outcome);
            workflows.entry(outcome.workflow).or_default().add(outcome);
            if size > 0 {
                buckets.entry(outcome.created_at.as_millis().div_euclid(size) * size).or_default().add(outcome);
            }
        }
        Ok(StatisticsResponse {
            from,
            to,
            is_complete,
            total: whole.tally(),
            workflows: workflows
                .into_iter()
                .map(|(workflow_id, counting)| WorkflowStatistics { workflow_id, tally: counting.tally() })
                .collect(),
            buckets: buckets
                .into_iter()
                .map(|(at, counting)| BucketResponse { from: Timestamp::from_millis(at), tally: counting.tally() })
                .collect(),
        })
    }

    /// The nodes of a workflow, in its latest executions.
    pub async fn workflow_statistics(
        &self,
        ctx: &Ctx,
        reference: &str,
        query: &WorkflowStatisticsQuery,
    ) -> Result<WorkflowStatisticsResponse, Error> {
        let workflow = self.workflows.resolve(ctx, reference).await?;
        let limit = query.last.map_or(SAMPLE, |last| last.get());
        let filter = rows::Filter { workflow: Some(workflow), limit, ..rows::Filter::default() };
        let mut latest = rows::list(&self.database.read(ctx), ctx.tenant, &filter).await?;
        latest.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let payloads = rows::payloads(&self.database.read(ctx), ctx.tenant, latest.iter().map(|row| row.id)).await?;
        let mut nodes: BTreeMap<String, NodeCounting> = BTreeMap::new();
        let mut executions = 0;
        for data in payloads.into_iter().filter_map(|payload| payload.data) {
            let runs = match timeline::node_runs(&data) {
                Ok(runs) => runs,
                Err(error) => {
                    tracing::error!(%workflow, %error, "an execution is not counted: its data cannot be read");
                    continue;
                }
            };
            executions += 1;
            for event in runs {
                let counting = nodes.entry(event.node.unwrap_or_default()).or_default();
                counting.durations.extend(event.duration_ms);
                counting.errors += u64::from(event.status.as_deref() == Some("error"));
            }
        }
        let nodes = nodes.into_iter().map(|(node, counting)| NodeStatistics {
            node,
            runs: u64::try_from(counting.durations.len()).unwrap_or(u64::MAX),
            errors: counting.errors,
            duration_ms: durations(counting.durations),
        });
        Ok(WorkflowStatisticsResponse { executions, nodes: nodes.collect() })
    }
}

#[derive(Default)]
struct NodeCounting {
    durations: Vec<u64>,
    errors: u64,
}

#[derive(Default)]
struct Counting {
    tally: Tally,
    durations: Vec<u64>,
}

impl Counting {
    fn add(&mut self, outcome: &Outcome) {
        let tally = &mut self.tally;
        tally.executions += 1;
        match outcome.status {
            Status::Success => tally.success += 1,
            Status::Error => tally.error += 1,
            Status::Canceled => tally.canceled += 1,
            Status::Crashed => tally.crashed += 1,
            Status::New | Status::Running | Status::Waiting | Status::Unknown => tally.unfinished += 1,
        }
        if let (Some(started), Some(stopped)) = (outcome.started_at, outcome.stopped_at) {
            self.durations.push(u64::try_from(stopped.since(started).as_millis()).unwrap_or(u64::MAX));
        }
    }

    fn tally(self) -> Tally {
        let mut tally = self.tally;
        let ended = tally.success + tally.error + tally.crashed;
        let share = |part: u64| u32::try_from(part).map_or(f64::INFINITY, f64::from);
        tally.success_rate = (ended > 0).then(|| share(tally.success) / share(ended));
        tally.duration_ms = durations(self.durations);
        tally
    }
}

/// Percentiles by nearest rank. `None`: nothing has ended.
fn durations(mut all: Vec<u64>) -> Option<Durations> {
    all.sort_unstable();
    let rank = |percent: usize| {
        let at = all.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
        all.get(at).copied()
    };
    Some(Durations { p50: rank(50)?, p95: rank(95)?, p99: rank(99)?, max: *all.last()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_happened() {
        assert_eq!(durations(Vec::new()), None);
        assert_eq!(durations(vec![7]), Some(Durations { p50: 7, p95: 7, p99: 7, max: 7 }));
        assert_eq!(durations((1..=100).rev().collect()), Some(Durations { p50: 50, p95: 95, p99: 99, max: 100 }));
        assert_eq!(durations(vec![3, 1, 2]), Some(Durations { p50: 2, p95: 3, p99: 3, max: 3 }));
    }
}
