//! Test calls: somebody listens at a workflow's test addresses, the first call to one of them runs the newest version by
//! hand, and the listener is told what happens. A listener and the call may meet on different replicas.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use millrace_nodes::webhook::{ReceivedRequest, ResponseMode, answer_on_receipt};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::error::Error;
use super::receiver::Receiver;
use super::reply::{self, Reply};
use super::repository::listeners::{self as rows, Listener};
use super::route_table::{Lookup, RouteTable, Routed};
use super::service::{Service, received};
use super::streaming::Sink;
use crate::common::{Ctx, ExecutionId, TenantId, WebhookId};
use crate::domains::audit::Change;
use crate::domains::executions::{Answer, Interest, Launch, Mode, Parts};
use crate::domains::workflows::{FORM_TRIGGER, webhook_endpoints};
use crate::infrastructure::cache::Key;

/// How often the end of a run is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long after its call a run is watched.
const WATCHED: Duration = Duration::from_secs(60);

/// Something a listener is told: a name, and JSON.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub name: String,
    pub data: Value,
}

/// Who calls a test address, and how.
pub(super) struct TestCall<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub address: Option<IpAddr>,
}

/// How the run of a test call is answered.
enum Begun {
    OnReceipt,
    Whole(oneshot::Receiver<Answer>),
    InParts(Parts),
}

impl Routed for Listener {
    fn method(&self) -> &str {
        &self.method
    }

    fn path(&self) -> &str {
        &self.path
    }
}

impl Service {
    /// Listens to one call at a workflow's test addresses. The receiver ends after `listening` and `timeout`, or after
    /// `listening`, `received`, `answered` and `finished`. Dropping it ends the listening.
    pub(super) async fn listen(&self, ctx: &Ctx, reference: &str, seconds: u64) -> Result<mpsc::Receiver<Told>, Error> {
        let program = self.executor().programs().newest(ctx.tenant, reference).await?.runnable()?;
        let (mut found, problems) = webhook_endpoints(program.workflow());
        found.retain(|endpoint| program.workflow().node(endpoint.node).kind != FORM_TRIGGER);
        if found.is_empty() || !problems.is_empty() {
            return Err(Error::NothingToListenTo);
        }
        let (call, life) = (Uuid::now_v7(), Duration::from_secs(seconds));
        let expires_at = self.gate.now().plus(life);
        let listening: Vec<Listener> = found
            .iter()
            .map(|endpoint| Listener {
                id: WebhookId::new(),
                tenant_id: ctx.tenant,
                method: endpoint.method.to_string(),
                path: endpoint.path.to_string(),
                workflow_id: program.workflow,
                version_id: program.version,
                node: program.workflow().node(endpoint.node).name.to_string(),
                call,
                output: i32::try_from(endpoint.output).unwrap_or_default(),
                expires_at,
            })
            .collect();
        let address = &program.address;
        let endpoints = listening.iter().map(|row| {
            json!({ "node": row.node, "method": row.method, "url": format!("{address}/webhook-test/{}", row.path) })
        });
        let begun = json!({ "endpoints": endpoints.collect::<Vec<_>>(), "expiresAt": expires_at });
        // Subscribed first: what a call tells is then not lost.
        let messages = self.cache.subscribe(&channel(ctx.tenant, call)).await?;
        let transaction = self.database.begin(ctx).await?;
        rows::insert(&transaction, listening).await?;
        self.audit.record(&transaction, ctx, Change::new("webhook.listen", program.workflow)).await?;
        transaction.commit().await?;
        let (sender, receiver) = mpsc::channel(8);
        let (service, ctx) = (self.clone(), ctx.clone());
        tokio::spawn(async move {
            let begun = Told { name: "listening".to_owned(), data: begun };
            if sender.send(begun).await.is_ok() {
                service.tell(&ctx, messages, life, &sender).await;
            }
            if let Err(error) = rows::take(&service.database.write(&ctx), ctx.tenant, call).await {
                tracing::debug!(%error, "a listener's row stays until it expires");
            }
        });
        Ok(receiver)
    }

    async fn tell(
        &self,
        ctx: &Ctx,
        mut messages: BoxStream<'static, Bytes>,
        life: Duration,
        listener: &mpsc::Sender<Told>,
    ) {
        let deadline = tokio::time::sleep(life);
        tokio::pin!(deadline);
        let mut execution: Option<ExecutionId> = None;
        loop {
            let message = tokio::select! {
                () = listener.closed() => return,
                () = &mut deadline => None,
                message = messages.next() => message,
            };
            let told = message.and_then(|message| serde_json::from_slice::<Value>(&message).ok());
            let Some(mut told) = told else {
                let _ = listener.send(Told { name: "timeout".to_owned(), data: json!({}) }).await;
                return;
            };
            let name = told.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let data = told.get_mut("data").map(Value::take).unwrap_or_default();
            let id = data.get("executionId").and_then(Value::as_str).and_then(|id| id.parse().ok());
            execution = execution.or(id);
            if name == "received" {
                // The call is there: now the run has as long as it takes.
                deadline.as_mut().reset(tokio::time::Instant::now() + WATCHED);
            }
            let is_last = name == "answered";
            if listener.send(Told { name, data }).await.is_err() {
                return;
            }
            if is_last {
                break;
            }
        }
        if let Some(execution) = execution {
            let data = self.end_of(ctx, execution).await;
            let _ = listener.send(Told { name: "finished".to_owned(), data }).await;
        }
    }

    /// The execution with its data, when it is over or waits; as far as it is, when that takes too long.
    async fn end_of(&self, ctx: &Ctx, id: ExecutionId) -> Value {
        let deadline = tokio::time::Instant::now() + WATCHED;
        loop {
            // An execution that is not kept cannot be shown.
            let Ok(execution) = self.executions.get(ctx, id, true).await else { return json!({ "id": id }) };
            let rests = execution.stopped_at.is_some() || execution.wait_till.is_some();
            if rests || tokio::time::Instant::now() >= deadline {
                return serde_json::to_value(&execution).unwrap_or_default();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// A call of a test address: taken by the one who listens, if there is one. `lets_in`: refuses callers that the node's
    /// options keep out.
    pub(super) async fn call_test(
        &self,
        tenant: TenantId,
        TestCall { method, path, address }: TestCall<'_>,
        read: impl AsyncFnOnce(Vec<(Box<str>, String)>) -> Result<ReceivedRequest, Reply>,
        lets_in: impl FnOnce(&Receiver) -> Result<(), Reply>,
        sink: Sink,
    ) -> Result<Reply, Reply> {
        let all = rows::list(&self.database.read(tenant), tenant, self.gate.now()).await.map_err(Error::from)?;
        let (listener, parameters) = match RouteTable::new(all).find(method, path) {
            Lookup::Found { route, parameters } => (route, parameters),
            Lookup::OtherMethods(methods) => return Err(reply::other_methods(method, &methods)),
            Lookup::Unknown => return Err(reply::nobody_listens(method, path)),
        };
        let mut request = read(parameters).await?;
        let programs = self.executor().programs();
        let program = programs.version(tenant, listener.workflow_id, listener.version_id).await.map_err(Error::from)?;
        let program = program.runnable().map_err(Error::from)?;
        let node = program.workflow().find(&listener.node).ok_or(Error::NodeGone)?;
        let receiver = Receiver::new(program, node, None);
        lets_in(&receiver)?;
        self.stored.check(&receiver, &mut request, self.now()).await?;
        let _place = self.enter(tenant, address).await?;
        (request.test, request.webhook_url) =
            (true, ecow::eco_format!("{}/webhook-test/{}", receiver.program.address, listener.path));
        let (output, items) = received(&request, &receiver)?;
        if !rows::take(&self.database.write(tenant), tenant, listener.call).await.map_err(Error::from)? {
            return Err(reply::nobody_listens(method, path));
        }
        let launch = Launch {
            program: Arc::clone(&receiver.program),
            mode: Mode::Manual,
            node,
            output,
            items: Arc::new(items),
            honour_pins: true,
            parent: None,
            retry_of: None,
        };
        let channel = channel(tenant, listener.call);
        let begun = match receiver.settings.response_mode {
            ResponseMode::OnReceived => self.executor().submit(launch).await.map(|id| (id, Begun::OnReceipt)),
            ResponseMode::Streaming => {
                self.executor().call_in_parts(launch).await.map(|(id, parts)| (id, Begun::InParts(parts)))
            }
            ResponseMode::LastNode | ResponseMode::ResponseNode => {
                let begun = self.executor().call(launch, Interest::FirstAnswer).await;
                begun.map(|(id, answer)| (id, Begun::Whole(answer)))
            }
        };
        let (id, begun) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                let refusal = Reply::from(Error::from(error));
                self.tell_listener(&channel, "answered", &request, None, Some(&refusal)).await;
                return Err(refusal);
            }
        };
        self.tell_listener(&channel, "received", &request, Some(id), None).await;
        let reply = match begun {
            Begun::OnReceipt => Reply::from(answer_on_receipt(&receiver.settings)).about(id),
            Begun::Whole(answer) => self.reply(id, &receiver, answer).await.unwrap_or_else(|refusal| refusal),
            Begun::InParts(parts) => self.stream(&receiver, parts, sink).await.about(id),
        };
        self.tell_listener(&channel, "answered", &request, Some(id), Some(&reply)).await;
        Ok(reply)
    }

    async fn tell_listener(
        &self,
        channel: &Key,
        name: &str,
        request: &ReceivedRequest,
        execution: Option<ExecutionId>,
        reply: Option<&Reply>,
    ) {
        let data = match reply {
            None => json!({ "executionId": execution, "method": request.method, "url": request.webhook_url }),
            Some(reply) => {
                let headers = reply.headers.iter().map(|(name, value)| (name.to_string(), json!(value)));
                let headers: serde_json::Map<String, Value> = headers.collect();
                let body = String::from_utf8_lossy(&reply.body);
                json!({ "executionId": execution, "status": reply.status, "headers": headers, "body": body })
            }
        };
        let message = json!({ "name": name, "data": data }).to_string();
        if let Err(error) = self.cache.publish(channel, message.into()).await {
            tracing::warn!(%error, "a listener was not told of its test call");
        }
    }
}

fn channel(tenant: TenantId, call: Uuid) -> Key {
    Key::tenant(tenant, "webhook-listener", &call.to_string())
}
