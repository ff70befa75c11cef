//! The log of a webhook as its tenant reads it, and replays of what is in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use millrace_model::{Object, Str, Value};
use millrace_nodes::webhook::ReceivedRequest;

use super::dto_requests::{
    ListWebhookRequestsQuery, ReplayRequests, ReplayResponse, ReplayedResponse, WebhookRequestResponse,
};
use super::error::Error;
use super::log::Message;
use super::repository::requests::{self as rows, Filter, Logged};
use super::route_table::{Lookup, below};
use super::service::Service;
use super::streaming::Sink;
use crate::common::{Ctx, Page, WebhookId, WebhookRequestId};
use crate::domains::audit::Change;
use crate::domains::workflows::FORM_PATH;

/// Requests that are replayed by one call at most.
const MOST_REPLAYS: u64 = 1000;
/// Replays begin within this time of the first.
const LONGEST: Duration = Duration::from_secs(60);
/// Replays that run at the same time.
const AT_ONCE: usize = 16;

impl Service {
    /// Requests of a webhook, newest first, without headers and bodies.
    pub async fn list_requests(
        &self,
        ctx: &Ctx,
        id: WebhookId,
        query: &ListWebhookRequestsQuery,
    ) -> Result<Page<WebhookRequestResponse>, Error> {
        let webhook = self.endpoint(ctx, id).await?;
        let limit = query.limit.unwrap_or_default().get();
        let filter = Filter {
            status: query.status,
            outcome: query.outcome,
            since: query.since,
            until: query.until,
            text: query.text.clone().filter(|text| !text.is_empty()),
            before: query.cursor.map(|cursor| WebhookRequestId::from_uuid(cursor.id())),
            limit,
        };
        let found = rows::list(&self.database.read(ctx), ctx.tenant, webhook.id, &filter).await?;
        Ok(Page::from_rows(found, limit, |row| row.id.as_uuid(), |row| WebhookRequestResponse::new(&row, false)))
    }

    /// One request with its headers and bodies, as far as they are kept.
    pub async fn get_request(
        &self,
        ctx: &Ctx,
        id: WebhookId,
        request: WebhookRequestId,
    ) -> Result<WebhookRequestResponse, Error> {
        let found = rows::find_all(&self.database.read(ctx), ctx.tenant, id, &[request]).await?;
        found.first().map(|row| WebhookRequestResponse::new(row, true)).ok_or(Error::RequestNotFound)
    }

    /// Runs the workflow again for requests that are in the log, oldest first. Nobody is asked for proof: who may replay
    /// may run the workflow.
    pub async fn replay(&self, ctx: &Ctx, id: WebhookId, given: ReplayRequests) -> Result<ReplayResponse, Error> {
        let webhook = self.endpoint(ctx, id).await?;
        let connection = &self.database.read(ctx);
        let mut ids = match given.requests {
            Some(ids) => ids,
            None => {
                let filter = Filter {
                    outcome: given.outcome,
                    since: given.since,
                    until: given.until,
                    limit: MOST_REPLAYS,
                    ..Filter::default()
                };
                let found = rows::list(connection, ctx.tenant, webhook.id, &filter).await?;
                found.into_iter().map(|row| row.id).collect()
            }
        };
        ids.sort_unstable();
        ids.dedup();
        ids.truncate(usize::try_from(MOST_REPLAYS).unwrap_or(usize::MAX));
        let count = ids.len();
        self.record(ctx, Change::new("webhook.replay", id).after(&serde_json::json!({ "requests": count }))).await?;
        let mut replayed = Vec::with_capacity(count);
        let deadline = Instant::now() + LONGEST;
        for some in ids.chunks(AT_ONCE) {
            if Instant::now() > deadline {
                replayed.extend(some.iter().map(|id| not_replayed(*id, "it took too long: replay what is left")));
                continue;
            }
            // Bodies may be large: a few at a time.
            let found = rows::find_all(connection, ctx.tenant, webhook.id, some).await?;
            replayed.extend(join_all(found.iter().map(|row| self.replay_one(ctx, row))).await);
        }
        Ok(ReplayResponse { data: replayed })
    }

    async fn replay_one(&self, ctx: &Ctx, row: &Logged) -> ReplayedResponse {
        let failed = |error: &str| not_replayed(row.id, error);
        let message = Message::unpack(&row.request);
        let Some(body) = message.bytes() else { return failed("its body was not kept") };
        let (path, query) = row.target.split_once('?').unwrap_or((&row.target, ""));
        let form = || below(path, "/form/").map(|path| format!("{FORM_PATH}{path}"));
        let hook = below(path, "/webhook/").map(str::to_owned);
        let path = hook.or_else(form).unwrap_or_default();
        let routes = match self.routes(ctx.tenant).await {
            Ok(routes) => routes,
            Err(error) => return failed(&error.to_string()),
        };
        let Lookup::Found { route, parameters } = routes.table.find(&row.method, &path) else {
            return failed("no active workflow has its path any more");
        };
        let receiver = match self.receiver(&route).await {
            Ok(receiver) => receiver,
            Err(error) => return failed(&error.to_string()),
        };
        let parameters = parameters.into_iter().map(|(name, value)| (Str::from(&*name), Value::from(value)));
        let request = ReceivedRequest {
            method: row.method.as_str().into(),
            headers: message.headers,
            params: parameters.collect::<Object>(),
            query: query.into(),
            body,
            ..ReceivedRequest::default()
        };
        let (Ok(reply) | Err(reply)) = self.call(&Arc::clone(&route), receiver, request, Sink::default()).await;
        ReplayedResponse { request_id: row.id, status: Some(reply.status), execution_id: reply.execution, error: None }
    }
}

fn not_replayed(request_id: WebhookRequestId, error: &str) -> ReplayedResponse {
    ReplayedResponse { request_id, status: None, execution_id: None, error: Some(error.to_owned()) }
}
