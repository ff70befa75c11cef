//! Calls of webhooks: the request becomes items, the items an execution, the execution an answer.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use millrace_model::{BinaryData, ExecutionError, Item};
use millrace_nodes::webhook::{ReceivedRequest, ResponseMode, answer_on_receipt, items};
use millrace_runner::describe_binary;

use super::error::Error;
use super::receiver::Receiver;
use super::registry::{Registry, Route, TenantRoutes};
use super::reply::{self, Reply};
use super::route_table::Routed;
use crate::common::{ExecutionId, TenantId};
use crate::domains::executions::{self, Answer, Executor, Interest, Launch, Mode, Resumed};
use crate::domains::tenants;

/// Receives webhooks of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    tenants: tenants::Service,
    executions: executions::Service,
    registry: Registry,
    public_url: Arc<str>,
}

impl Service {
    pub fn new(
        tenants: tenants::Service,
        executions: executions::Service,
        registry: Registry,
        public_url: &str,
    ) -> Service {
        Service { tenants, executions, registry, public_url: public_url.into() }
    }

    /// The present, as forms record it (RFC 3339).
    pub(super) fn now(&self) -> String {
        let now = jiff::Timestamp::from_millisecond(self.executor().now_ms()).unwrap_or_default();
        format!("{now:.3}")
    }

    pub(super) async fn tenant_by_slug(&self, slug: &str) -> Result<Option<TenantId>, Error> {
        Ok(self.tenants.find_by_slug(slug).await?)
    }

    pub(super) async fn tenant_by_host(&self, host: &str) -> Result<Option<TenantId>, Error> {
        Ok(self.tenants.find_by_host(host).await?)
    }

    pub(super) async fn routes(&self, tenant: TenantId) -> Result<Arc<TenantRoutes>, Error> {
        self.registry.routes(tenant).await
    }

    pub(super) async fn receiver<'a>(&self, route: &'a Route) -> Result<&'a Receiver, Error> {
        route.receiver(self.executor().programs()).await
    }

    pub(super) fn executor(&self) -> &Executor {
        self.executions.executor()
    }

    /// Runs the workflow behind a route, and answers as its webhook node says.
    pub(super) async fn call(
        &self,
        route: &Route,
        receiver: &Receiver,
        mut request: ReceivedRequest,
    ) -> Result<Reply, Reply> {
        request.webhook_url = ecow::eco_format!("{}/webhook/{}", receiver.program.address, route.path());
        let (output, items) = received(&request, receiver)?;
        let launch = launch(receiver, output, items);
        if receiver.settings.response_mode == ResponseMode::OnReceived {
            self.executor().submit(launch).await.map_err(Error::from)?;
            return Ok(answer_on_receipt(&receiver.settings).into());
        }
        let (id, answer) = self.executor().call(launch, Interest::FirstAnswer).await.map_err(Error::from)?;
        Ok(self.reply(id, receiver, self.executor().answer(answer).await))
    }

    fn reply(&self, id: ExecutionId, receiver: &Receiver, answer: Option<Answer>) -> Reply {
        match answer {
            Some(answer) => Reply::of_answer(&receiver.settings, answer),
            None => Reply::pending(id, &self.public_url),
        }
    }

    /// Goes on with an execution that waits for a call.
    pub(super) async fn resume(
        &self,
        tenant: TenantId,
        id: &str,
        mut request: ReceivedRequest,
    ) -> Result<Reply, Reply> {
        self.tenants.profile(tenant).await.and_then(|profile| profile.require_active()).map_err(Error::from)?;
        let unknown = || reply::no_execution(id);
        let parsed: ExecutionId = id.parse().map_err(|_| unknown())?;
        let waiting = match self.executions.waiting(tenant, parsed).await.map_err(Error::from)? {
            Resumed::Waiting(waiting) => waiting,
            Resumed::Over => return Err(reply::finished(id)),
            Resumed::Running => return Err(reply::running(id)),
            Resumed::Unknown => return Err(unknown()),
        };
        if waiting.pause.resume.as_deref() != Some("webhook") {
            return Err(unknown());
        }
        let receiver = Receiver::new(Arc::clone(&waiting.program), waiting.node);
        if !receiver.settings.methods.contains(&request.method) {
            let methods: Vec<String> = receiver.settings.methods.iter().map(ToString::to_string).collect();
            return Err(reply::other_methods(&request.method, &methods));
        }
        request.webhook_url = ecow::eco_format!("{}/webhook-waiting/{id}", receiver.program.address);
        let (_, items) = received(&request, &receiver)?;
        let resumed = self.executions.resume(&waiting, Arc::new(items)).await.map_err(Error::from)?;
        let Some(answer) = resumed else { return Err(reply::running(id)) };
        if receiver.settings.response_mode == ResponseMode::OnReceived {
            return Ok(answer_on_receipt(&receiver.settings).into());
        }
        Ok(self.reply(parsed, &receiver, self.executor().answer(answer).await))
    }
}

/// A run that begins at a receiver's node.
pub(super) fn launch(receiver: &Receiver, output: usize, items: Vec<Item>) -> Launch {
    Launch {
        program: Arc::clone(&receiver.program),
        mode: Mode::Webhook,
        node: receiver.node,
        output,
        items: Arc::new(items),
        honour_pins: false,
        parent: None,
        retry_of: None,
    }
}

/// The items of a request, and the output of the node that takes them.
pub(super) fn received(request: &ReceivedRequest, receiver: &Receiver) -> Result<(usize, Vec<Item>), Reply> {
    let mut store =
        |bytes: bytes::Bytes, name: Option<&str>, kind: Option<&str>| -> Result<BinaryData, ExecutionError> {
            Ok(BinaryData { data: BASE64_STANDARD.encode(&bytes).into(), ..describe_binary(&bytes, name, kind) })
        };
    let outputs = items(request, &receiver.settings, &mut store)?;
    let taken = outputs.into_iter().enumerate().find(|(_, items)| !items.is_empty());
    Ok(taken.unwrap_or_default())
}
