//! HTTP Request: one request (or a series of pages) for each item. Reading parameters is in `fields` and `legacy`,
//! pages in `pagination`, turning answers into items in `response`.

mod fields;
mod legacy;
mod optimize;
mod pagination;
mod response;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use millrace_model::{ExecutionError, Item, Object, Value};

use super::http::{Authentication, Draft, Failure, api_error, send};
use crate::{Behaviour, Capability, HttpResponse, NodeContext, NodeResult, NodeType, Output, TlsIdentity};
use pagination::Pagination;
use response::ResponsePlan;

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.httpRequest", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Network]);

/// Requests under way at the same time where no batches are asked for.
const CONCURRENT: usize = 50;

/// What is to be done for one item.
struct Plan {
    draft: Draft,
    response: ResponsePlan,
    pagination: Option<Pagination>,
}

/// An answer; its body too, where pagination has already read it.
struct Reply {
    response: HttpResponse,
    body: Option<Value>,
}

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    run(context).boxed()
}

async fn run(context: &mut NodeContext<'_>) -> NodeResult {
    let count = context.items().len();
    let access = Access::of(context).await;
    let mut made = Vec::with_capacity(count);
    let mut start = 0;
    while start < count {
        let batch = Batch::of(context, start)?;
        if start > 0 && batch.interval > Duration::ZERO {
            context.host.sleep(batch.interval).await;
        }
        let end = count.min(start + batch.size);
        let mut plans = Vec::with_capacity(end - start);
        for item in start..end {
            plans.push(match &access {
                Ok(access) => plan(context, item).map(|plan| access.identify(keyed(context, item, plan))),
                Err(error) => Err(error.clone()),
            });
        }
        let authentication = access.as_ref().map_or(&Authentication::None, |access| &access.authentication);
        let replies = fetch_all(context, start, plans, authentication).await;
        for (item, reply) in (start..end).zip(replies) {
            finish(context, item, reply, &mut made)?;
        }
        start = end;
    }
    Ok(Output::items(made))
}

fn plan(context: &mut NodeContext<'_>, item: usize) -> Result<Plan, ExecutionError> {
    if context.version() >= 3.0 { fields::plan(context, item) } else { legacy::plan(context, item) }
}

/// Gives the request of an item a key that is the same when a crash makes it run again, so that its receiver can tell:
/// `<execution>-<node>-<run>-<item>`. The option `idempotencyKey` switches it off.
fn keyed(context: &NodeContext<'_>, item: usize, mut plan: Plan) -> Plan {
    let option = context.parameters.get("options").and_then(|options| options.get("idempotencyKey"));
    if option != Some(&Value::Bool(false)) {
        let (execution, node, run) = (&context.globals.execution_id, context.index.0, context.run_index);
        plan.draft.request.idempotency_key = Some(format!("{execution}-{node}-{run}-{item}").into());
    }
    plan
}

/// What one item gave: a refusal of its parameters, or its answers and how to read them.
enum Fetched {
    Refused(ExecutionError),
    Answered(ResponsePlan, Result<Vec<Reply>, Failure>),
}

/// Sends the requests of a batch: all at once, or one item after the other where there are pages to follow.
async fn fetch_all(
    context: &mut NodeContext<'_>,
    start: usize,
    plans: Vec<Result<Plan, ExecutionError>>,
    authentication: &Authentication,
) -> Vec<Fetched> {
    let paged = plans.iter().any(|plan| plan.as_ref().is_ok_and(|plan| plan.pagination.is_some()));
    if !paged {
        let host = context.host;
        return join_all(plans.into_iter().map(async |plan| match plan {
            Err(error) => Fetched::Refused(error),
            Ok(plan) => {
                let reply = send(host, plan.draft, authentication).await;
                let reply = reply.map(|response| vec![Reply { response, body: None }]);
                Fetched::Answered(plan.response, reply)
            }
        }))
        .await;
    }
    let mut fetched = Vec::with_capacity(plans.len());
    for (at, plan) in plans.into_iter().enumerate() {
        fetched.push(match plan {
            Err(error) => Fetched::Refused(error),
            Ok(Plan { draft, response, pagination: Some(pagination) }) => {
                let pages = pagination.fetch(context, start + at, draft, authentication, &response).await;
                Fetched::Answered(response, pages)
            }
            Ok(plan) => {
                let reply = send(context.host, plan.draft, authentication).await;
                Fetched::Answered(plan.response, reply.map(|response| vec![Reply { response, body: None }]))
            }
        });
    }
    fetched
}

/// Makes the items of one item's answers, or its error.
fn finish(
    context: &NodeContext<'_>,
    item: usize,
    fetched: Fetched,
    made: &mut Vec<Item>,
) -> Result<(), ExecutionError> {
    let goes_on = context.continue_on_fail();
    let error_item = |error: Value| Item::new(Object::from([("error", error)])).paired(item);
    let refused = |error: ExecutionError, made: &mut Vec<Item>| {
        if !goes_on {
            return Err(error.at_item(item));
        }
        made.push(error_item(error.message.into()));
        Ok(())
    };
    let (plan, replies) = match fetched {
        Fetched::Refused(error) => return refused(error, made),
        Fetched::Answered(plan, replies) => (plan, replies),
    };
    let paged = plan.paged;
    let replies = replies.and_then(|replies| match replies.first() {
        Some(reply) if !paged && !plan.never_error && !(200..300).contains(&reply.response.status) => {
            Err(Failure::of_response(&reply.response))
        }
        _ => Ok(replies),
    });
    match replies {
        Ok(replies) => match plan.items(context, item, replies) {
            Ok(items) => made.extend(items),
            Err(error) => refused(error, made)?,
        },
        Err(failure) if plan.with_status => {
            let error = stopped(&failure);
            let json = Object::from([("statusCode", 0.into()), ("error", error.message.into())]);
            made.push(Item::new(json).paired(item));
        }
        Err(failure) if goes_on => made.push(error_item(failure.to_value(context.host.now_ms(), paged))),
        Err(failure) => return Err(stopped(&failure).at_item(item)),
    }
    Ok(())
}

/// The error that ends the node; a server that is asked too often gets the advice to use batches.
fn stopped(failure: &Failure) -> ExecutionError {
    let error = api_error(failure);
    match failure {
        Failure::Status { status: 429, .. } => {
            error.describe("Try spacing your requests out using the batching settings under 'Options'")
        }
        _ => error,
    }
}

/// What the node's credentials give; the same for all items.
struct Access {
    authentication: Authentication,
    identity: Option<Arc<TlsIdentity>>,
}

impl Access {
    async fn of(context: &mut NodeContext<'_>) -> Result<Access, ExecutionError> {
        let identity = if context.flag("provideSslCertificates", 0)? {
            let data = context.host.credential(context.node(), "httpSslAuth").await?;
            Some(fields::tls_identity(&data))
        } else {
            None
        };
        let chosen = context.text("authentication", 0)?;
        let kind = match chosen.as_str() {
            "" | "none" => return Ok(Access { authentication: Authentication::None, identity }),
            "predefinedCredentialType" => context.text("nodeCredentialType", 0)?,
            "genericCredentialType" => context.text("genericAuthType", 0)?,
            legacy => legacy::credential_type(legacy).into(),
        };
        let data = context.host.credential(context.node(), &kind).await?;
        Ok(Access { authentication: Authentication::of(&kind, &data)?, identity })
    }

    fn identify(&self, mut plan: Plan) -> Plan {
        plan.draft.request.identity = self.identity.clone();
        plan
    }
}

/// How many requests go out together, and the pause between two such batches.
struct Batch {
    size: usize,
    interval: Duration,
}

impl Batch {
    fn of(context: &mut NodeContext<'_>, item: usize) -> Result<Batch, ExecutionError> {
        let (size, interval) = if context.version() >= 3.0 {
            ("options.batching.batch.batchSize", "options.batching.batch.batchInterval")
        } else {
            ("options.batchSize", "options.batchInterval")
        };
        let (size, interval) = (context.number(size, item)?, context.number(interval, item)?);
        let interval = interval.filter(|milliseconds| (0.0..=86_400_000.0).contains(milliseconds)).unwrap_or(0.0);
        let size = match size {
            Some(size) if interval > 0.0 => millrace_model::to_index(size.floor().max(1.0)).unwrap_or(CONCURRENT),
            _ => CONCURRENT,
        };
        Ok(Batch { size, interval: Duration::from_secs_f64(interval / 1000.0) })
    }
}
