//! HTTP of what happens while somebody looks on: one execution, or all of a tenant.

use actix_web::http::header;
use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse, get};
use futures_util::StreamExt;

use super::super::dto::{EventsPage, FollowEventsQuery, TimelineEvent, TimelineKind, WatchExecutionQuery};
use super::super::service::Service;
use crate::common::permission::grants::ExecutionsRead;
use crate::common::{ExecutionId, Problem};
use crate::infrastructure::web::{Can, Frame, Guarded, NotFound, event_stream, is_upgrade, text_stream};

type Answer<T> = Result<T, Problem>;

/// Watch an execution
///
/// Server-sent events: what happened to it so far, then what happens, until it is over. Named and shaped as in its timeline
/// (`created`, `started`, `node-started`, `node`, `died`, `handed-on`, `resumes`, `ended`). Node runs have their place in
/// the order of all node runs as id, the end has `end`: sent as `Last-Event-ID`, what came before is left out. A stream ends after a quarter of an hour.
#[utoipa::path(
    tag = "executions",
    params(
        ("id" = ExecutionId, Path, description = "Id of the execution."),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event seen."),
        WatchExecutionQuery
    ),
    responses(
        (status = 200, description = "The events.", body = String, content_type = "text/event-stream",
         example = json!("id: 0\nevent: node\ndata: {\"type\":\"node\",\"node\":\"Webhook\"}\n\n")),
        Guarded<ExecutionsRead>, NotFound
    )
)]
#[get("/executions/{id}/events")]
pub(in super::super) async fn watch_execution(
    ctx: Can<ExecutionsRead>,
    id: Path<ExecutionId>,
    query: Query<WatchExecutionQuery>,
    request: HttpRequest,
    executions: Data<Service>,
) -> Answer<HttpResponse> {
    let events = executions.watch(&ctx, *id, last_event_id(&request, query.last_event_id.as_deref())).await?;
    Ok(event_stream(events.map(frame)))
}

/// Follow the tenant's events
///
/// Everything of `execution.*` (and of what else the caller may see) as it happens: as a WebSocket, as server-sent events for
/// who accepts `text/event-stream`, and for everybody else a page of what is there. Each comes once and in order; who sends
/// the id of the last one seen, as `Last-Event-ID` or in the query, gets what came since, provided that it listened within
/// the last hour. A stream ends after a quarter of an hour: connect again, with the last id. A web page names the protocols `millrace` and `bearer.TOKEN` in place of the header `Authorization`.
#[utoipa::path(
    tag = "executions",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The last event seen."),
        FollowEventsQuery
    ),
    responses(
        (status = 200, description = "Events that are there, oldest first.", body = EventsPage),
        (status = 101, description = "The WebSocket: a text with one event after the other."),
        Guarded<ExecutionsRead>
    )
)]
#[get("/events")]
pub(in super::super) async fn follow_events(
    ctx: Can<ExecutionsRead>,
    query: Query<FollowEventsQuery>,
    request: HttpRequest,
    body: Payload,
    executions: Data<Service>,
) -> Answer<HttpResponse> {
    let last = last_event_id(&request, query.last_event_id.as_deref());
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_upgrade(&request) && !accepted.contains("text/event-stream") {
        return Ok(HttpResponse::Ok().json(executions.events(&ctx, last, query.types.as_deref()).await?));
    }
    let events = executions.follow(&ctx, last, query.types.as_deref()).await?;
    if is_upgrade(&request) {
        return text_stream(&request, body, events.map(|event| serde_json::to_string(&event).unwrap_or_default()));
    }
    Ok(event_stream(events.map(|event| Frame {
        id: Some(event.id.clone()),
        event: event.kind.clone(),
        data: serde_json::to_string(&event).unwrap_or_default(),
    })))
}

/// The header of browsers that connect again, else the query.
fn last_event_id<'a>(request: &'a HttpRequest, query: Option<&'a str>) -> Option<&'a str> {
    let header = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    header.or(query).filter(|id| !id.is_empty())
}

fn frame(event: TimelineEvent) -> Frame {
    let id = match event.kind {
        TimelineKind::Node => event.execution_index.map(|index| index.to_string()),
        TimelineKind::Ended => Some("end".to_owned()),
        _ => None,
    };
    Frame { id, event: event.kind.to_string(), data: serde_json::to_string(&event).unwrap_or_default() }
}
