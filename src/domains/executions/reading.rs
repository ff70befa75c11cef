//! Parts of an execution's data: which nodes ran, the items of one output, what it used.

use super::dto::{
    ExecutionNodesResponse, ExecutionUsageResponse, ItemsPage, ListItemsQuery, NodeRunResponse, NodeRunsResponse,
};
use super::error::Error;
use super::records;
use super::service::Service;
use crate::common::{Ctx, Cursor, ExecutionId, Timestamp};

impl Service {
    /// The nodes that ran, in the order in which they first did.
    pub async fn nodes(&self, ctx: &Ctx, id: ExecutionId) -> Result<ExecutionNodesResponse, Error> {
        let row = self.row(ctx, id).await?;
        let record = records::so_far(self.executor(), &row).await?;
        let mut nodes: Vec<NodeRunsResponse> = record.data.result_data.run_data.into_iter().map(node).collect();
        nodes.sort_by_key(|node| node.runs.first().map(|run| run.execution_index));
        Ok(ExecutionNodesResponse { data: nodes })
    }

    /// Items that a run of a node put out.
    pub async fn items(
        &self,
        ctx: &Ctx,
        id: ExecutionId,
        node: &str,
        query: &ListItemsQuery,
    ) -> Result<ItemsPage, Error> {
        let row = self.row(ctx, id).await?;
        let mut record = records::so_far(self.executor(), &row).await?;
        let runs = record.data.result_data.run_data.remove(node).ok_or(Error::NodeDidNotRun)?;
        let run = runs.get(query.run.unwrap_or_default()).ok_or(Error::NodeDidNotRun)?;
        let items = run.outputs().get(query.output.unwrap_or_default()).and_then(Option::as_ref);
        let items = items.map_or(&[][..], Vec::as_slice);
        let begin = query.cursor.map_or(0, |cursor| usize::try_from(cursor.id().as_u128()).unwrap_or(usize::MAX));
        let limit = usize::try_from(query.limit.unwrap_or_default().get()).unwrap_or(usize::MAX);
        let page = items.iter().skip(begin).take(limit).map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
        let end = begin.saturating_add(page.len());
        let next = u128::try_from(end).ok().filter(|_| end < items.len());
        let next_cursor = next.map(|next| Cursor::after(uuid::Uuid::from_u128(next)));
        Ok(ItemsPage { data: page, total: items.len(), next_cursor })
    }

    /// What it used, once it is over or put aside.
    pub async fn usage(&self, ctx: &Ctx, id: ExecutionId) -> Result<ExecutionUsageResponse, Error> {
        let row = self.row(ctx, id).await?;
        let record = records::find(self.executor(), &row).await?;
        let usage = record.and_then(|record| record.usage).ok_or(Error::NoData)?;
        Ok(serde_json::from_str(usage.get())?)
    }
}

fn node((name, runs): (String, Vec<records::NodeRecord>)) -> NodeRunsResponse {
    let runs = runs.into_iter().map(|run| NodeRunResponse {
        execution_index: run.execution_index,
        started_at: Timestamp::from_millis(run.start_time),
        duration_ms: run.execution_time,
        status: run.execution_status,
        items_in: run.items_in,
        items_out: run.outputs().iter().map(|items| items.as_ref().map_or(0, Vec::len)).collect(),
        error: run.error.map(|error| error.message.to_string()),
    });
    NodeRunsResponse { node: name, runs: runs.collect() }
}
