//! Starts executions: at once where a slot is free, else through the queue. Accepting never waits for a slot.

use std::sync::Arc;
use std::time::Duration;

use millrace_engine::{Event, NodeOutcome};
use millrace_model::{Items, NodeIndex, Object};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::answer::Answer;
use super::attempt::{Attempt, Begin};
use super::binaries::{Binaries, Keeper};
use super::error::Error;
use super::live::{Caller, Live};
use super::model::{Interest, Mode, Status};
use super::programs::{Program, Programs};
use super::recovery::Lease;
use super::repository::{self as rows, Row};
use super::tenancy::Stopped;
use super::timers::Timers;
use super::watching::Telling;
use super::writer::{Write, Writer};
use super::{answers, jobs, limits, parts, recovery, run, stopping, storing, workers};
use crate::common::{Clock, ExecutionId, TenantId, Timestamp, WorkerId};
use crate::domains::tenants::{Admission, Profile};
use crate::domains::{credentials, data_tables};
use crate::infrastructure::cache::Cache;
use crate::infrastructure::config;
use crate::infrastructure::database::Database;
use crate::infrastructure::events::Bus;
use crate::infrastructure::http_client::HttpClient;
use crate::infrastructure::queue::{Dispatch, Queue};
use crate::infrastructure::services::Services;
use crate::infrastructure::storage::Storage;

/// What a step of priority is worth: so many milliseconds of waiting.
const HEAD_START_MS: i64 = 60_000;

/// An execution to be started.
#[derive(Clone, Debug)]
pub struct Launch {
    pub program: Arc<Program>,
    pub mode: Mode,
    /// The node it begins with, and its items.
    pub node: NodeIndex,
    pub items: Items,
    /// The output of that node that takes the items; 0, but for webhooks with several methods.
    pub output: usize,
    /// Pinned nodes put out their pins instead of being executed.
    pub honour_pins: bool,
    pub parent: Option<ExecutionId>,
    pub retry_of: Option<ExecutionId>,
}

/// Starts and runs executions. Cheap to clone.
#[derive(Clone)]
pub struct Executor(pub(super) Arc<Parts>);

pub(super) struct Parts {
    pub database: Database,
    pub clock: Arc<dyn Clock>,
    pub writer: Writer,
    pub programs: Programs,
    pub stopped: Stopped,
    pub live: Live,
    /// Room for runs; none in a process that only accepts them.
    pub slots: Arc<Semaphore>,
    /// One execution at a time that was running when its process died.
    pub suspects: Semaphore,
    pub worker: WorkerId,
    pub lease: Lease,
    /// What wakes the sweep before its time.
    pub timers: Timers,
    pub cache: Arc<dyn Cache>,
    pub queue: Arc<dyn Queue>,
    /// Where what becomes of executions is told.
    pub events: Bus,
    pub telling: Telling,
    pub http: HttpClient,
    pub services: Services,
    /// None: binaries stay in the records.
    pub keeper: Option<Arc<Keeper>>,
    pub credentials: credentials::Service,
    pub data_tables: data_tables::Service,
    pub config: config::Executions,
    /// Values of `$env`: only what the operator allows.
    pub env: Arc<Object>,
    /// The address under which callers reach this server.
    pub public_url: Arc<str>,
    pub runtime: tokio::runtime::Handle,
    /// How long what runs may take to end after the shutdown began; then it is handed on.
    pub drain: Duration,
}

/// What an executor is made of.
pub struct Dependencies {
    pub database: Database,
    pub clock: Arc<dyn Clock>,
    pub cache: Arc<dyn Cache>,
    pub queue: Arc<dyn Queue>,
    pub events: Bus,
    pub http: HttpClient,
    /// Where large binaries go, and from how many bytes on.
    pub storage: Option<(Storage, usize)>,
    pub credentials: credentials::Service,
    pub data_tables: data_tables::Service,
    pub programs: Programs,
    pub config: config::Executions,
    /// Values of `$env`: only what the operator allows.
    pub env: Arc<Object>,
    /// The address under which callers reach this server.
    pub public_url: String,
    /// How long what runs may take to end after the shutdown began; then it is handed on.
    pub drain: Duration,
}

/// A start node hands its items to its first output. For another one the run begins behind it.
fn past_start(output: usize, items: &Items, now_ms: i64) -> Vec<Event> {
    if output == 0 {
        return Vec::new();
    }
    let mut outputs = vec![None; output];
    outputs.push(Some(Arc::clone(items)));
    let outcome = NodeOutcome { started_ms: now_ms, ..NodeOutcome::success(outputs) };
    vec![Event::Completed(Box::new(outcome))]
}

impl Executor {
    /// Starts the writer. `runs`: this process runs executions; without, it only accepts them.
    pub fn new(dependencies: Dependencies, runs: bool) -> Executor {
        let Dependencies {
            database,
            clock,
            cache,
            queue,
            events,
            http,
            storage,
            credentials,
            data_tables,
            programs,
            config,
            env,
            public_url,
            drain,
        } = dependencies;
        let keeper = storage.map(|(storage, inline_bytes)| {
            let (database, clock) = (database.clone(), Arc::clone(&clock));
            Arc::new(Keeper { storage, database, clock, inline_bytes })
        });
        let slots = if runs { config.concurrency.min(Semaphore::MAX_PERMITS) } else { 0 };
        Executor(Arc::new(Parts {
            writer: Writer::start(database.clone(), programs.tenants().clone(), events.clone(), Arc::clone(&clock)),
            programs,
            stopped: Stopped::default(),
            live: Live::default(),
            slots: Arc::new(Semaphore::new(slots)),
            suspects: Semaphore::new(1),
            worker: WorkerId::new(),
            lease: Lease::default(),
            timers: Timers::default(),
            drain,
            runtime: tokio::runtime::Handle::current(),
            public_url: public_url.into(),
            database,
            clock,
            telling: Telling::start(Arc::clone(&cache)),
            cache,
            queue,
            events,
            services: Services::new(&http),
            keeper,
            http,
            credentials,
            data_tables,
            config,
            env,
        }))
    }

    /// The present, in milliseconds since the epoch.
    pub fn now_ms(&self) -> i64 {
        self.0.clock.now().as_millis()
    }

    pub fn programs(&self) -> &Programs {
        &self.0.programs
    }

    /// Makes this process known as one that runs executions: what it has is somebody's. `alone`: no other process uses this
    /// database, so what others had is nobody's.
    pub async fn enlist(&self, alone: bool) -> Result<(), Error> {
        recovery::enlist(self, alone).await
    }

    /// Starts what goes on beside requests. All of it ends with the shutdown, once what runs is over or the time is up.
    pub fn start_background(&self, runs: bool, shutdown: &CancellationToken, tasks: &TaskTracker) {
        tasks.spawn(storing::watch(self.clone(), shutdown.clone()));
        tasks.spawn(jobs::watch(self.clone(), shutdown.clone()));
        tasks.spawn(stopping::listen(self.clone(), shutdown.clone()));
        tasks.spawn(answers::listen(self.clone(), shutdown.clone()));
        if runs {
            tasks.spawn(workers::work(self.clone(), shutdown.clone()));
        }
        tasks.spawn(self.clone().drain(shutdown.clone()));
    }

    /// Accepts an execution: it is durable when this returns, and runs as soon as there is room.
    pub async fn submit(&self, launch: Launch) -> Result<ExecutionId, Error> {
        let id = ExecutionId::new();
        self.submit_as(id, launch).await?;
        Ok(id)
    }

    /// The same, with an id that is given.
    pub(super) async fn submit_as(&self, id: ExecutionId, launch: Launch) -> Result<(), Error> {
        let admission = self.admit(launch.program.tenant, launch.mode).await?;
        let attempt = self.attempt(id, launch, 0, &admission.profile);
        let slot = self.slot(&attempt, &admission);
        self.accept(attempt, admission, slot, None).await
    }

    /// Starts an execution whose answer somebody waits for. Where a slot is free it runs at once and is stored when that
    /// is needed; else it is stored and queued first.
    pub async fn call(
        &self,
        launch: Launch,
        interest: Interest,
    ) -> Result<(ExecutionId, oneshot::Receiver<Answer>), Error> {
        if !self.0.writer.is_healthy() {
            return Err(Error::Overloaded);
        }
        let admission = self.admit(launch.program.tenant, launch.mode).await?;
        let id = ExecutionId::new();
        let (sender, answer) = oneshot::channel();
        let caller = Caller { answer: sender, interest, parts: None };
        let attempt = self.attempt(id, launch, 0, &admission.profile);
        attempt.binaries.keep().await?;
        match self.slot(&attempt, &admission) {
            Some(slot) => {
                let attempt = attempt.with_caller(Some(caller));
                attempt.tenancy.admitted(admission);
                self.spawn(attempt, Some(slot));
            }
            None => self.accept(attempt, admission, None, Some(caller)).await?,
        }
        Ok((id, answer))
    }

    /// Starts an execution whose answer somebody reads in parts. It is durable when this returns.
    pub async fn call_in_parts(&self, launch: Launch) -> Result<(ExecutionId, parts::Parts), Error> {
        let admission = self.admit(launch.program.tenant, launch.mode).await?;
        let id = ExecutionId::new();
        let (caller, parts) = parts::reader();
        let attempt = self.attempt(id, launch, 0, &admission.profile);
        let slot = self.slot(&attempt, &admission);
        self.accept(attempt, admission, slot, Some(caller)).await?;
        Ok((id, parts))
    }

    /// The same of an attempt that begins otherwise than its launch says. It is stored before this returns.
    pub(super) async fn call_with(&self, attempt: Attempt, begin: Begin) -> Result<oneshot::Receiver<Answer>, Error> {
        let (sender, answer) = oneshot::channel();
        let caller = Caller { answer: sender, interest: Interest::End, parts: None };
        self.start_with(attempt, begin, Some(caller)).await?;
        Ok(answer)
    }

    /// The same where nobody waits for the answer.
    pub(super) async fn submit_with(&self, attempt: Attempt, begin: Begin) -> Result<(), Error> {
        self.start_with(attempt, begin, None).await
    }

    /// The same for whoever has room, now or later.
    pub(super) async fn queue_with(&self, attempt: Attempt, begin: Begin) -> Result<(), Error> {
        self.0.programs.tenants().admit(attempt.row.tenant_id).await?;
        self.queue(attempt.beginning(begin), None).await
    }

    async fn start_with(&self, attempt: Attempt, begin: Begin, caller: Option<Caller>) -> Result<(), Error> {
        let admission = self.admit(attempt.row.tenant_id, attempt.row.mode).await?;
        let slot = self.slot(&attempt, &admission);
        self.accept(attempt.beginning(begin), admission, slot, caller).await
    }

    /// Waits for the answer of an execution as long as the configuration allows, or `longest` where that is less. `None`: it
    /// takes longer, and the execution is stored.
    pub async fn answer(
        &self,
        (tenant, id): (TenantId, ExecutionId),
        answer: oneshot::Receiver<Answer>,
        longest: Option<Duration>,
    ) -> Result<Option<Answer>, Error> {
        let configured = Duration::from_secs(self.0.config.answer_timeout_seconds);
        let longest = longest.map_or(configured, |longest| longest.min(configured));
        if let Ok(Ok(answer)) = tokio::time::timeout(longest, answer).await {
            return Ok(Some(answer));
        }
        self.require_stored(tenant, id).await?;
        Ok(None)
    }

    /// Before anybody is told of an execution that goes on: one that is not stored is stopped, and who began it is refused.
    pub async fn require_stored(&self, tenant: TenantId, id: ExecutionId) -> Result<(), Error> {
        let is_stored = match self.0.live.is_stored(id) {
            Some(is_stored) => is_stored,
            None => rows::find(&self.0.database.read(tenant), tenant, id).await?.is_some(),
        };
        if is_stored {
            return Ok(());
        }
        self.cancel(id);
        Err(Error::Overloaded)
    }

    /// Stores an execution, then runs it in the slot, or hands it to whoever has one.
    async fn accept(
        &self,
        attempt: Attempt,
        admission: Admission,
        slot: Option<OwnedSemaphorePermit>,
        caller: Option<Caller>,
    ) -> Result<(), Error> {
        attempt.binaries.keep().await?;
        match slot {
            Some(slot) => {
                attempt.tenancy.admitted(admission);
                self.begin(attempt.with_caller(caller), Some(slot)).await
            }
            None => self.queue(attempt, caller).await,
        }
    }

    /// Stores an execution and hands it to whoever has room.
    async fn queue(&self, attempt: Attempt, caller: Option<Caller>) -> Result<(), Error> {
        let id = attempt.row.id;
        attempt.binaries.keep().await?;
        let row = Row { status: Status::New, attempt: 0, owner: None, started_at: None, ..attempt.row.clone() };
        let payload = attempt.payload(None, true)?;
        if let Some(caller) = caller {
            answers::expect(self, row.tenant_id, id, caller).await?;
        }
        let stored = self.0.writer.accept(Write::Put(Box::new(row.clone()), Some(payload)));
        let stored = match stored {
            Ok(committed) => committed.wait().await,
            Err(error) => Err(error),
        };
        if let Err(error) = stored {
            self.0.live.take_caller(id);
            return Err(error.into());
        }
        self.enqueue(&row).await;
        Ok(())
    }

    /// Tells the workers of a stored execution. Where that fails the sweep finds it a little later.
    pub(super) async fn enqueue(&self, row: &Row) {
        let rank = row.created_at.as_millis().saturating_sub(HEAD_START_MS.saturating_mul(row.priority.into()));
        let dispatch = Dispatch { tenant: row.tenant_id, execution: row.id, rank };
        if let Err(error) = self.0.queue.publish(&row.pool, dispatch).await {
            tracing::warn!(execution = %row.id, %error, "the queue took no message; the sweep will find the execution");
        }
    }

    /// The first attempt at a new execution, for the pool that the workflow or its tenant is pinned to.
    pub(super) fn attempt(&self, id: ExecutionId, launch: Launch, depth: u32, profile: &Profile) -> Attempt {
        let pool = profile.pool(launch.program.pool.as_deref()).to_owned();
        self.attempt_for(id, pool, id, launch, depth)
    }

    /// The same for a pool that is given. What it makes of binaries belongs to `owner`.
    pub(super) fn attempt_for(
        &self,
        owner: ExecutionId,
        pool: String,
        id: ExecutionId,
        launch: Launch,
        depth: u32,
    ) -> Attempt {
        let now = self.0.clock.now();
        let concurrency_key = launch.program.concurrency_key(&launch.items);
        let row = Row {
            tenant_id: launch.program.tenant,
            id,
            workflow_id: launch.program.workflow,
            version_id: launch.program.version,
            mode: launch.mode,
            status: Status::Running,
            attempt: 1,
            owner: Some(self.0.worker),
            created_at: now,
            started_at: Some(now),
            stopped_at: None,
            wait_until: None,
            parent_id: launch.parent,
            retry_of: launch.retry_of,
            retry_success_id: None,
            last_node: None,
            error: None,
            crashes: 0,
            queued_at: Timestamp::default(),
            priority: launch.program.priority(),
            pool,
            concurrency_key,
            waits_for: None,
        };
        let binaries = Binaries::default();
        binaries.belong(self.0.keeper.as_ref(), owner);
        let items = binaries.stage_items(row.tenant_id, id, launch.items);
        let earlier = past_start(launch.output, &items, now.as_millis());
        let begin = Begin {
            node: launch.node,
            items,
            at_ms: now.as_millis(),
            honour_pins: launch.honour_pins,
            earlier,
            known: None,
            calls: Vec::new(),
            traffic: Arc::default(),
        };
        Attempt::new(row, launch.program, begin, depth).with_binaries(binaries)
    }

    /// Runs an attempt beside everything else.
    pub(super) fn spawn(&self, attempt: Attempt, slot: Option<OwnedSemaphorePermit>) -> Arc<Attempt> {
        let (executor, attempt) = (self.clone(), Arc::new(attempt));
        let started = Arc::clone(&attempt);
        self.0.runtime.spawn(async move {
            run::drive(&executor, Arc::clone(&attempt)).instrument(attempt.span()).await;
            attempt.end_unannounced();
            drop(slot);
            limits::release(&executor, &attempt.row, &attempt.program).await;
        });
        started
    }

    /// Whether this process runs executions of this pool.
    pub(super) fn works_for(&self, pool: &str) -> bool {
        self.0.config.pool == pool
    }

    /// A slot, if one is free right now and nobody waits for it. What is limited in number goes through the queue.
    fn slot(&self, attempt: &Attempt, admission: &Admission) -> Option<OwnedSemaphorePermit> {
        let plan = admission.profile.limits.concurrent_executions;
        let is_limited = limits::of(self, &attempt.program, attempt.row.mode, plan).is_some();
        if is_limited || !self.works_for(&attempt.row.pool) {
            return None;
        }
        Arc::clone(&self.0.slots).try_acquire_owned().ok()
    }

    /// Stops a run of this process. `false`: this process does not run it.
    pub(super) fn cancel(&self, id: ExecutionId) -> bool {
        self.0.live.cancel(id)
    }

    /// After the shutdown: nothing begins here any more; what runs gets its time to end, and is handed on where that is not
    /// enough.
    async fn drain(self, shutdown: CancellationToken) {
        shutdown.cancelled().await;
        self.0.slots.close();
        self.0.suspects.close();
        let over = async {
            while self.0.live.count() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::pin!(over);
        if tokio::time::timeout(self.0.drain, &mut over).await.is_err() {
            self.0.live.hand_on();
            over.await;
        }
        recovery::retire(&self).await;
    }
}
