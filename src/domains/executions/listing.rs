//! Lists of executions. One with data is bounded by bytes, so that it fits into memory whatever the executions hold.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::value::RawValue;

use super::dto::{ExecutionResponse, ListExecutionsQuery};
use super::error::{Error, UNREADABLE};
use super::payload::{self, Corrupt};
use super::repository::{self as rows, Row};
use super::service::Service;
use crate::common::{Ctx, ExecutionId, Page, WorkflowId};
use crate::domains::workflows;

/// Bytes of data after which a page ends.
const PAGE_BYTES: usize = 16 << 20;
/// Bytes, as they are stored, that are read at a time where there is more than one execution to read.
const READ_BYTES: i64 = 4 << 20;

/// The parts of an execution that lists without data leave out.
pub(super) type Details = IndexMap<String, Box<RawValue>>;

impl Service {
    /// Newest first.
    pub async fn list(&self, ctx: &Ctx, query: &ListExecutionsQuery) -> Result<Page<ExecutionResponse>, Error> {
        let workflow = match &query.workflow_id {
            None => None,
            Some(reference) => match self.workflows.resolve(ctx, reference).await {
                Ok(workflow) => Some(workflow),
                Err(workflows::Error::NotFound) => return Ok(Page { data: Vec::new(), next_cursor: None }),
                Err(error) => return Err(error.into()),
            },
        };
        self.page(ctx, workflow, query).await
    }

    /// Executions of one workflow, newest first.
    pub async fn list_of_workflow(
        &self,
        ctx: &Ctx,
        reference: &str,
        query: &ListExecutionsQuery,
    ) -> Result<Page<ExecutionResponse>, Error> {
        let workflow = self.workflows.resolve(ctx, reference).await?;
        self.page(ctx, Some(workflow), query).await
    }

    async fn page(
        &self,
        ctx: &Ctx,
        workflow: Option<WorkflowId>,
        query: &ListExecutionsQuery,
    ) -> Result<Page<ExecutionResponse>, Error> {
        let mut limit = query.limit.unwrap_or_default().get();
        let filter = rows::Filter {
            workflow,
            before: query.cursor.map(|cursor| ExecutionId::from_uuid(cursor.id())),
            limit,
            ..query.filter().rows(&[])
        };
        let found = rows::list(&self.database.read(ctx), ctx.tenant, &filter).await?;
        let mut details = Vec::new();
        if query.include_data {
            let shown = found.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
            details = self.details_of_page(ctx, found.get(..shown).unwrap_or_default()).await?;
            limit = u64::try_from(details.len()).unwrap_or(u64::MAX).max(1);
        }
        let mut details = details.into_iter();
        let mut page = Page::from_rows(
            found,
            limit,
            |row| row.id.as_uuid(),
            |row| {
                let response = ExecutionResponse::from_row(row);
                match details.next() {
                    None => response,
                    Some(Ok(details)) => ExecutionResponse { details, ..response },
                    Some(Err(_)) => ExecutionResponse { error_code: Some(UNREADABLE.code), ..response },
                }
            },
        );
        self.show_labels(ctx, &mut page.data).await?;
        self.show_workers(&mut page.data).await?;
        Ok(page)
    }

    /// The data of the first of these executions, as many as make a page: at least one, where there is any.
    async fn details_of_page(&self, ctx: &Ctx, rows: &[Row]) -> Result<Vec<Result<Details, Corrupt>>, Error> {
        let connection = self.database.read(ctx);
        let sizes = rows::data_sizes(&connection, ctx.tenant, rows.iter().map(|row| row.id)).await?;
        let (mut page, mut left, mut bytes) = (Vec::with_capacity(rows.len()), rows, 0);
        while !left.is_empty() && bytes < PAGE_BYTES {
            let (group, others) = left.split_at(together(left, &sizes));
            left = others;
            let data = rows::data(&connection, ctx.tenant, group.iter().map(|row| row.id)).await?;
            let mut data: HashMap<_, _> = data.into_iter().collect();
            for row in group {
                if bytes >= PAGE_BYTES {
                    break;
                }
                let details = self.details(row, data.remove(&row.id).flatten()).await;
                match &details {
                    Ok(details) => bytes += details.values().map(|value| value.get().len()).sum::<usize>(),
                    Err(error) => {
                        tracing::error!(execution = %row.id, %error, "the data of an execution cannot be read");
                    }
                }
                page.push(details);
            }
        }
        Ok(page)
    }

    /// The data of an execution, and the workflow as it was.
    pub(super) async fn details(&self, row: &Row, data: Option<Vec<u8>>) -> Result<Details, Corrupt> {
        let mut details = data.map(|data| payload::decode_as::<Details>(&data)).transpose()?.unwrap_or_default();
        // A workflow that was deleted meanwhile is not shown.
        if !details.contains_key("workflowData")
            && let Ok(document) = self.workflows.document(row.tenant_id, row.version_id).await
            && let Ok(raw) = RawValue::from_string(document.as_str().to_owned())
        {
            details.insert("workflowData".to_owned(), raw);
        }
        Ok(details)
    }
}

/// How many of these, the first ones, are read at a time: one at least.
fn together(rows: &[Row], sizes: &HashMap<ExecutionId, i64>) -> usize {
    let mut bytes = 0_i64;
    let small = rows.iter().take_while(|row| {
        bytes = bytes.saturating_add(sizes.get(&row.id).copied().unwrap_or_default());
        bytes <= READ_BYTES
    });
    small.count().max(1)
}
