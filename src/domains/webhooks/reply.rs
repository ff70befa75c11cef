//! Answers to callers of webhooks, as plain data: the workflow's own, or in n8n's words what became of it. Pure.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use millrace_model::{BinaryData, ExecutionError, Str};
use millrace_nodes::WebhookResponse;
use millrace_nodes::webhook::{ResponseMode, Settings, answer_of_last_node};
use serde_json::json;

use super::error::Error;
use crate::common::{ExecutionId, Kind, Problem};
use crate::domains::executions::{Answer, Ended, Status};

/// What a caller is sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reply {
    pub status: u16,
    pub headers: Vec<(Str, Str)>,
    pub body: Bytes,
    /// The execution it tells of; for the log.
    pub execution: Option<ExecutionId>,
}

impl Reply {
    /// What the caller was told of when to try again.
    pub(super) fn retry_after(&self) -> Duration {
        let header = self.headers.iter().find(|(name, _)| name == "retry-after");
        Duration::from_secs(header.and_then(|(_, seconds)| seconds.parse().ok()).unwrap_or(1))
    }

    /// Says which execution it tells of.
    #[must_use]
    pub(super) fn about(self, execution: ExecutionId) -> Reply {
        Reply { execution: Some(execution), ..self }
    }

    /// Something went wrong: `{"code", "message", "hint"?}`.
    pub(super) fn error(status: u16, message: &str, hint: Option<&str>) -> Reply {
        let mut body = json!({ "code": status, "message": message });
        if let (Some(hint), Some(fields)) = (hint, body.as_object_mut()) {
            fields.insert("hint".to_owned(), hint.into());
        }
        Reply::json(status, body.to_string())
    }

    fn json(status: u16, body: impl Into<Bytes>) -> Reply {
        let headers = vec![("content-type".into(), "application/json; charset=utf-8".into())];
        Reply { status, headers, body: body.into(), execution: None }
    }

    /// What became of an execution.
    pub(super) fn of_answer(settings: &Settings, answer: Answer) -> Reply {
        let ended = match answer {
            Answer::Responded(response) => return response.into(),
            Answer::Ended(ended) => ended,
        };
        if ended.status != Status::Success {
            return Reply::failed(&ended);
        }
        if settings.response_mode != ResponseMode::LastNode {
            // The run ended without reaching a node that answers.
            return Reply::json(200, r#"{"message":"Workflow executed successfully"}"#);
        }
        let items = ended.last.as_ref().map_or(&[][..], |(_, items)| items.as_slice());
        match answer_of_last_node(settings, items, &load) {
            Ok(response) => response.into(),
            Err(error) => Reply::error(500, &error.message, None),
        }
    }

    /// It takes too long to wait for: where to look for the outcome.
    pub(super) fn pending(id: ExecutionId, public_url: &str) -> Reply {
        let url = format!("{public_url}/api/v1/executions/{id}");
        let body = json!({ "message": "Workflow is still running", "executionId": id, "executionUrl": url });
        let mut reply = Reply::json(202, body.to_string());
        reply.headers.push(("location".into(), url.into()));
        reply
    }

    fn failed(ended: &Ended) -> Reply {
        let message = match ended.status {
            Status::Canceled => "Workflow was stopped",
            _ => "Error in workflow",
        };
        Reply::json(500, json!({ "message": message, "executionId": ended.id() }).to_string())
    }
}

impl From<WebhookResponse> for Reply {
    fn from(response: WebhookResponse) -> Reply {
        Reply { status: response.status, headers: response.headers, body: response.body, execution: None }
    }
}

fn load(binary: &BinaryData) -> Result<Bytes, ExecutionError> {
    let bytes = BASE64_STANDARD.decode(binary.data.as_bytes());
    bytes.map(Bytes::from).map_err(|_| ExecutionError::operation("The binary data cannot be read"))
}

/// A request that cannot be made into items.
impl From<ExecutionError> for Reply {
    fn from(error: ExecutionError) -> Reply {
        let status = error.http_code.as_deref().and_then(|code| code.parse().ok()).unwrap_or(500);
        Reply::error(status, &error.message, error.description.as_deref())
    }
}

/// No route takes the path.
pub(super) fn not_registered(method: &str, path: &str) -> Reply {
    let message = format!("The requested webhook \"{method} {path}\" is not registered.");
    let hint = "Activate the workflow that has this webhook: only active workflows are called. \
                Its answer of the API lists the addresses of its webhooks.";
    Reply::error(404, &message, Some(hint))
}

/// No listener takes the path.
pub(super) fn nobody_listens(method: &str, path: &str) -> Reply {
    let message = format!("The requested webhook \"{method} {path}\" is not registered.");
    let hint = "Nobody listens to a test call: GET /api/v1/workflows/{id}/listen first. It listens to one call.";
    Reply::error(404, &message, Some(hint))
}

/// The path is taken, but not with this method.
pub(super) fn other_methods(method: &str, methods: &[String]) -> Reply {
    let others = methods.join(" or ");
    let message =
        format!("This webhook is not registered for {method} requests. Did you mean to make a {others} request?");
    Reply::error(404, &message, None)
}

pub(super) fn no_tenant(slug: Option<&str>, host: &str) -> Reply {
    match slug {
        Some(slug) => Reply::error(404, &format!("There is no tenant \"{slug}\"."), None),
        None => {
            let message = format!("The host \"{host}\" is no tenant's.");
            Reply::error(404, &message, Some("Call the webhook as /t/{tenant}/webhook/{path}."))
        }
    }
}

pub(super) fn no_execution(id: &str) -> Reply {
    Reply::error(404, &format!("The execution \"{id}\" does not exist or does not wait for a call."), None)
}

pub(super) fn finished(id: &str) -> Reply {
    Reply::error(409, &format!("The execution \"{id}\" has finished already."), None)
}

pub(super) fn running(id: &str) -> Reply {
    Reply::error(409, &format!("The execution \"{id}\" is running already."), None)
}

/// The signature does not count.
pub(super) fn unsigned(reason: &str) -> Reply {
    Reply::error(401, "The signature of the request does not count", Some(reason))
}

pub(super) fn too_many(wait: Duration) -> Reply {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let mut reply = Reply::error(429, "Too many requests", Some(&format!("Try again in {seconds} s.")));
    reply.headers.push(("retry-after".into(), ecow::eco_format!("{seconds}")));
    reply
}

/// More calls are being answered than the webhook, or the server, takes at a time.
pub(super) fn busy() -> Reply {
    let mut reply = Reply::error(503, "Too many requests at the same time", None);
    reply.headers.push(("retry-after".into(), "1".into()));
    reply
}

/// The same delivery is being worked on.
pub(super) fn in_progress() -> Reply {
    let mut reply = Reply::error(409, "The same delivery is being worked on", None);
    reply.headers.push(("retry-after".into(), "1".into()));
    reply
}

/// The delivery's id came before with another body.
pub(super) fn other_delivery() -> Reply {
    Reply::error(422, "The id of this delivery belongs to another body", Some("Give each delivery an id of its own."))
}

impl From<Error> for Reply {
    fn from(error: Error) -> Reply {
        let problem = Problem::from(error);
        match problem.code.kind {
            Kind::Unavailable => {
                let mut reply = Reply::error(503, "The server takes no executions at the moment", None);
                reply.headers.push(("retry-after".into(), "1".into()));
                reply
            }
            // The tenant is suspended, or at a limit of its plan.
            Kind::PlanLimit | Kind::Forbidden | Kind::Conflict | Kind::TooManyRequests => {
                let status = problem.code.kind.status().as_u16();
                let mut reply = Reply::error(status, problem.code.title, problem.detail.as_deref());
                if problem.code.kind == Kind::TooManyRequests {
                    reply.headers.push(("retry-after".into(), "1".into()));
                }
                reply
            }
            Kind::Invalid => Reply::error(500, "The workflow cannot run", problem.detail.as_deref()),
            _ => Reply::error(500, "Internal error", None),
        }
    }
}
