//! Calls of webhooks: the request becomes items, the items an execution, the execution an answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use millrace_model::{BinaryData, ExecutionError, Item};
use millrace_nodes::webhook::{ReceivedRequest, ResponseData, ResponseMode, answer_on_receipt, items};
use millrace_runner::describe_binary;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use super::error::Error;
use super::gate::{Gate, Whose};
use super::guard::{Admission, Caller, Guard, Verdict};
use super::log::Log;
use super::queue::Schedule;
use super::receiver::Receiver;
use super::registry::{Registry, Route, TenantRoutes};
use super::reply::{self, Reply};
use super::route_table::Routed;
use super::sealing::Sealer;
use super::stored::Stored;
use super::streaming::Sink;
use crate::common::{Clock, ExecutionId, TenantId, Timestamp};
use crate::domains::executions::{self, Answer, Executor, Interest, Launch, Mode, Resumed};
use crate::domains::{audit, credentials, tenants, workflows};
use crate::infrastructure::cache::{Bucket, Cache};
use crate::infrastructure::config::Config;
use crate::infrastructure::database::Database;
use crate::infrastructure::database::idempotency::IdempotencyKeys;

/// Receives webhooks of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(super) database: Database,
    pub(super) audit: audit::Service,
    pub(super) tenants: tenants::Service,
    pub(super) executions: executions::Service,
    pub(super) registry: Registry,
    pub(super) gate: Gate,
    pub(super) sealer: Sealer,
    pub(super) public_url: Arc<str>,
    /// Longest memory of deliveries, in seconds.
    pub(super) longest_window: u64,
    pub(super) cache: Arc<dyn Cache>,
    pub(super) workflows: workflows::Service,
    pub(super) schedule: Arc<Schedule>,
    log: Log,
    log_kept: Duration,
    /// Something was queued.
    pub(super) queued: Arc<Notify>,
    limits: Arc<Limits>,
    pub(super) stored: Stored,
    /// How long an answer in parts waits for a caller who takes nothing.
    pub(super) reader_patience: Duration,
    /// A signed body is queued once a day.
    pub(super) refuses_replays: bool,
}

/// What the server allows to all webhooks.
struct Limits {
    /// Calls that are answered at the same time.
    places: Arc<Semaphore>,
    tenant: Option<Bucket>,
    address: Option<Bucket>,
}

/// What the service is made of.
pub struct Dependencies {
    pub database: Database,
    pub cache: Arc<dyn Cache>,
    pub clock: Arc<dyn Clock>,
    pub deliveries: IdempotencyKeys,
    pub audit: audit::Service,
    pub credentials: credentials::Service,
    pub tenants: tenants::Service,
    pub workflows: workflows::Service,
    pub executions: executions::Service,
    pub registry: Registry,
}

impl Service {
    pub fn new(config: &Config, dependencies: Dependencies) -> Service {
        let Dependencies {
            database,
            cache,
            clock,
            deliveries,
            audit,
            credentials,
            tenants,
            workflows,
            executions,
            registry,
        } = dependencies;
        let per_minute = |count: u32| (count > 0).then(|| Bucket::new(count, Duration::from_secs(60), count));
        Service {
            sealer: registry.sealer().clone(),
            stored: Stored::new(credentials),
            gate: Gate::new(
                Arc::clone(&cache),
                clock,
                deliveries,
                Duration::from_secs(config.executions.answer_timeout_seconds),
            ),
            schedule: Arc::new(Schedule::new(config)),
            queued: Arc::default(),
            log: Log::start(database.clone()),
            log_kept: Duration::from_secs(config.webhooks.log_keep_seconds),
            reader_patience: Duration::from_secs(config.webhooks.reader_timeout_seconds),
            refuses_replays: config.webhooks.queue_refuses_replays,
            cache,
            workflows,
            public_url: config.public_url().into(),
            longest_window: config.limits.idempotency_seconds,
            limits: Arc::new(Limits {
                places: Arc::new(Semaphore::new(config.webhooks.max_concurrent)),
                tenant: per_minute(config.webhooks.requests_per_minute),
                address: per_minute(config.webhooks.requests_per_minute_per_address),
            }),
            database,
            audit,
            tenants,
            executions,
            registry,
        }
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
        route.receiver(&self.registry, self.executor().programs()).await
    }

    pub(super) fn executor(&self) -> &Executor {
        self.executions.executor()
    }

    /// Requests older than this are not in the log any more.
    pub(super) fn log_horizon(&self) -> Timestamp {
        self.now().minus(self.log_kept)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.gate.now()
    }

    /// `https` or `http`, as callers reach this server.
    pub(super) fn scheme(&self) -> &str {
        self.public_url.split_once("://").map_or("http", |(scheme, _)| scheme)
    }

    /// Counts a call against what the server allows, and gives it a place among those that are being answered. For calls
    /// that have proved themselves: others take nobody's place.
    pub(super) async fn enter(&self, tenant: TenantId, address: Option<IpAddr>) -> Result<OwnedSemaphorePermit, Reply> {
        for (whose, bucket) in self.server_limits(address) {
            self.gate.take(tenant, whose, bucket).await?;
        }
        Arc::clone(&self.limits.places).try_acquire_owned().map_err(|_| reply::busy())
    }

    /// Answers a call: lets it in where something is set for the webhook, then runs the workflow.
    pub(super) async fn answer(
        &self,
        route: &Arc<Route>,
        receiver: &Receiver,
        caller: &Caller<'_>,
        request: ReceivedRequest,
        sink: Sink,
    ) -> Result<Reply, Reply> {
        let draft = match receiver.guard.as_ref().and_then(|guard| guard.draft(caller, &request, self.now())) {
            Some(draft) => Some(self.stored.hide(receiver, draft).await),
            None => None,
        };
        let answer = self.checked(route, receiver, caller, request, sink).await;
        if let Some(draft) = draft {
            let (Ok(reply) | Err(reply)) = &answer;
            self.log.write(draft, reply);
        }
        answer
    }

    async fn checked(
        &self,
        route: &Arc<Route>,
        receiver: &Receiver,
        caller: &Caller<'_>,
        mut request: ReceivedRequest,
        sink: Sink,
    ) -> Result<Reply, Reply> {
        self.let_in(receiver, caller, &mut request).await?;
        match &receiver.guard {
            Some(guard) => self.admitted(guard, route, caller, request, sink).await,
            None => {
                let _place = self.enter(route.tenant(), caller.address).await?;
                self.call(route, receiver, request, sink).await
            }
        }
    }

    /// Refuses whom the webhook's settings, or the credential its node names, keep out.
    pub(super) async fn let_in(
        &self,
        receiver: &Receiver,
        caller: &Caller<'_>,
        request: &mut ReceivedRequest,
    ) -> Result<(), Reply> {
        if let Some(guard) = &receiver.guard {
            guard.check_origin(caller, request)?;
        }
        self.stored.check(receiver, request, self.now()).await
    }

    /// A call from where calls may come from.
    pub(super) async fn admitted(
        &self,
        guard: &Guard,
        route: &Arc<Route>,
        caller: &Caller<'_>,
        mut request: ReceivedRequest,
        sink: Sink,
    ) -> Result<Reply, Reply> {
        let admission = match guard.admit(&self.gate, caller, &mut request).await? {
            Verdict::Admitted(admission) => admission,
            Verdict::Known(reply) => {
                // Only who sends it again is slowed down.
                for (whose, bucket) in self.limits_of_address(caller.address) {
                    self.gate.take(route.tenant(), whose, bucket).await?;
                }
                return Ok(reply);
            }
        };
        match self.enter(route.tenant(), caller.address).await {
            Ok(place) => self.settled(route, (admission, place), request, sink).await,
            Err(reply) => {
                admission.give_back(&self.gate).await;
                Err(reply)
            }
        }
    }

    /// Runs a call to its answer and settles it, even if the caller hangs up meanwhile: the same delivery that comes
    /// again is then known.
    async fn settled(
        &self,
        route: &Arc<Route>,
        (admission, place): (Admission, OwnedSemaphorePermit),
        request: ReceivedRequest,
        sink: Sink,
    ) -> Result<Reply, Reply> {
        let (service, route) = (self.clone(), Arc::clone(route));
        let answering = tokio::spawn(async move {
            let answer = match service.receiver(&route).await {
                Ok(receiver) => service.call(&route, receiver, request, sink).await,
                Err(error) => Err(error.into()),
            };
            let (Ok(reply) | Err(reply)) = &answer;
            admission.settle(&service.gate, reply).await;
            drop(place);
            answer
        });
        answering.await.unwrap_or_else(|_| Err(Reply::error(500, "Internal error", None)))
    }

    /// The limits that the server sets, as far as it sets any.
    pub(super) fn server_limits(&self, address: Option<IpAddr>) -> impl Iterator<Item = (Whose, Bucket)> + use<> {
        let of_tenant = self.limits.tenant.map(|bucket| (Whose::Tenant, bucket));
        self.limits_of_address(address).chain(of_tenant)
    }

    fn limits_of_address(&self, address: Option<IpAddr>) -> impl Iterator<Item = (Whose, Bucket)> + use<> {
        let of_address = self.limits.address.zip(address).map(|(bucket, address)| (Whose::Address(address), bucket));
        of_address.into_iter()
    }

    /// Runs the workflow behind a route, and answers as its webhook node says; in parts as they come through the sink.
    pub(super) async fn call(
        &self,
        route: &Route,
        receiver: &Receiver,
        mut request: ReceivedRequest,
        sink: Sink,
    ) -> Result<Reply, Reply> {
        if receiver.is_form() {
            return self.submit_form(receiver, request).await;
        }
        request.webhook_url = ecow::eco_format!("{}/webhook/{}", receiver.program.address, route.path());
        let (output, items) = received(&request, receiver)?;
        let launch = launch(receiver, output, items);
        if receiver.settings.response_mode == ResponseMode::OnReceived {
            let id = self.executor().submit(launch).await.map_err(Error::from)?;
            return Ok(Reply::from(answer_on_receipt(&receiver.settings)).about(id));
        }
        if receiver.streams() {
            let (id, parts) = self.executor().call_in_parts(launch).await.map_err(Error::from)?;
            return Ok(self.stream(receiver, parts, sink).await.about(id));
        }
        let (id, answer) = self.executor().call(launch, Interest::FirstAnswer).await.map_err(Error::from)?;
        self.reply(id, receiver, answer).await
    }

    /// Waits as long as the webhook says, else as the server does, and says what came of it.
    pub(super) async fn reply(
        &self,
        id: ExecutionId,
        receiver: &Receiver,
        answer: oneshot::Receiver<Answer>,
    ) -> Result<Reply, Reply> {
        let longest = receiver.guard.as_deref().and_then(Guard::answer_timeout);
        let answer = self.executor().answer((receiver.program.tenant, id), answer, longest).await;
        let reply = match answer.map_err(Error::from)? {
            Some(answer) if receiver.settings.response_data == ResponseData::FirstEntryBinary => {
                let answer = self.executions.with_bytes(answer, &receiver.settings.response_binary).await;
                Reply::of_answer(&receiver.settings, answer)
            }
            Some(answer) => Reply::of_answer(&receiver.settings, answer),
            None => Reply::pending(id, &self.public_url),
        };
        Ok(reply.about(id))
    }

    /// Goes on with an execution that waits for a call. `lets_in`: refuses callers that the node's options keep out.
    pub(super) async fn resume(
        &self,
        tenant: TenantId,
        (id, suffix): (&str, &str),
        mut request: ReceivedRequest,
        address: Option<IpAddr>,
        lets_in: impl FnOnce(&Receiver) -> Result<(), Reply>,
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
        let receiver = Receiver::new(Arc::clone(&waiting.program), waiting.node, None);
        if receiver.suffix != suffix.trim_matches('/') {
            return Err(unknown());
        }
        lets_in(&receiver)?;
        if !receiver.settings.methods.contains(&request.method) {
            let methods: Vec<String> = receiver.settings.methods.iter().map(ToString::to_string).collect();
            return Err(reply::other_methods(&request.method, &methods));
        }
        self.stored.check(&receiver, &mut request, self.now()).await?;
        let _place = self.enter(tenant, address).await?;
        request.webhook_url = ecow::eco_format!("{}/webhook-waiting/{id}", receiver.program.address);
        let (_, items) = received(&request, &receiver)?;
        let resumed = self.executions.resume(&waiting, Some(Arc::new(items))).await.map_err(Error::from)?;
        let Some(answer) = resumed else { return Err(reply::running(id)) };
        if receiver.settings.response_mode == ResponseMode::OnReceived {
            return Ok(Reply::from(answer_on_receipt(&receiver.settings)).about(parsed));
        }
        self.reply(parsed, &receiver, answer).await
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
