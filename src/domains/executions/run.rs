//! Drives one attempt from its beginning to its end or its pause, and has the outcome stored. Survives whatever goes wrong
//! inside: a defect ends the execution, not the process.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use millrace_engine::{Outcome, Run, Status as EngineStatus, Step};
use millrace_expression::{Clock, Globals};
use millrace_model::{ExecutionError, Object, Value};
use millrace_nodes::registry;
use millrace_runner::{Data, Limits, Replay, Runner, outcome_of};
use serde::ser::{Serialize, SerializeMap, Serializer};
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, Ended};
use super::attempt::{Attempt, Fate};
use super::dto::ExecutionUsageResponse;
use super::error::Error;
use super::executor::Executor;
use super::host::TenantHost;
use super::journal::Recorder;
use super::live::Listed;
use super::model::{Mode, Status};
use super::repository as rows;
use super::writer::{Committed, Write, WriteError};
use super::{answers, callers, failure, labels, pauses, payload, recovery, redaction, usage};
use crate::common::Timestamp;
use crate::domains::tenants::Settings;

/// Longest error text kept beside the row, in characters.
const MAX_ERROR: usize = 1000;

/// How an attempt ended.
pub(super) struct Concluded {
    pub run: Run,
    pub outcome: Outcome,
    pub status: Status,
    /// The row as it is now.
    pub row: rows::Row,
    pub is_kept: bool,
    /// Resolves when it is stored; `None`: nothing is to be stored.
    pub committed: Option<Committed>,
    /// Until it is stored it is still this process's.
    pub listed: Listed,
}

/// Runs an attempt to its end, stores it, answers whoever waits, and does what follows from the outcome.
pub(super) async fn drive(executor: &Executor, attempt: Arc<Attempt>) {
    let Some(mut concluded) = execute(executor, &attempt, &CancellationToken::new()).await else { return };
    if let Some(committed) = concluded.committed.take()
        && !is_committed(executor, &attempt, committed).await
    {
        return;
    }
    attempt.announce_end();
    drop(concluded.listed);
    if executor.0.events.is_attended(attempt.row.tenant_id) {
        executor.0.telling.changed(&attempt.row);
    }
    attempt.send_response(executor).await;
    if concluded.status == Status::Waiting {
        pauses::paused(executor, &attempt, &concluded.row).await;
        return;
    }
    let Concluded { run, outcome, status, row, is_kept, .. } = concluded;
    callers::called_ended(executor, &row).await;
    attempt.answer(executor, Answer::Ended(Box::new(Ended::of_run(row, is_kept, &outcome, &run)))).await;
    failure::follow_up(executor, &attempt, status, &outcome).await;
}

/// Waits until the outcome is stored. `false`: it does not count, or could not be stored, which then is what is stored.
async fn is_committed(executor: &Executor, attempt: &Attempt, committed: Committed) -> bool {
    match committed.wait().await {
        Ok(()) => return true,
        Err(WriteError::Superseded) => left(executor, attempt).await,
        Err(WriteError::Refused(reason)) => {
            abandon(executor, attempt, &format!("It could not be stored: {reason}")).await
        }
        // The process is ending; another goes on from the journal.
        Err(WriteError::Unavailable) => {}
    }
    false
}

/// Another process has the execution: whoever waits for it here goes on waiting.
async fn left(executor: &Executor, attempt: &Attempt) {
    tracing::warn!(execution = %attempt.row.id, "another process has taken over an execution");
    keep_caller(executor, attempt).await;
}

/// Whoever waits for an execution that does not run here any more goes on waiting.
pub(super) async fn keep_caller(executor: &Executor, attempt: &Attempt) {
    if let Some(caller) = attempt.take_caller()
        && let Err(error) = answers::expect(executor, attempt.row.tenant_id, attempt.row.id, caller).await
    {
        tracing::error!(execution = %attempt.row.id, %error, "an answer from another process will not be heard");
    }
}

/// Runs an attempt to its end and hands the outcome to the writer. `None`: there is no outcome here. A defect ended it,
/// and that is recorded; or another process goes on with it.
pub(super) async fn execute(
    executor: &Executor,
    attempt: &Arc<Attempt>,
    cancel: &CancellationToken,
) -> Option<Concluded> {
    let listed = executor.0.live.list(attempt, cancel);
    let running = AssertUnwindSafe(run_and_conclude(executor, attempt, listed)).catch_unwind();
    let error = match running.await {
        Ok(Ok(concluded)) => return concluded,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "a defect in the server".to_owned(),
    };
    tracing::error!(execution = %attempt.row.id, error, "an execution could not be run to its end");
    abandon(executor, attempt, &error).await;
    None
}

async fn run_and_conclude(
    executor: &Executor,
    attempt: &Arc<Attempt>,
    listed: Listed,
) -> Result<Option<Concluded>, Error> {
    let (parts, started, cancel) = (&executor.0, Instant::now(), listed.cancel.clone());
    executor.introduce(attempt).await;
    attempt.binaries.belong(parts.keeper.as_ref(), attempt.row.id);
    let globals = globals(executor, attempt);
    let host = TenantHost::new(executor.clone(), Arc::clone(attempt), cancel.clone());
    let runner = Runner {
        compiled: &attempt.program.compiled,
        host: &host,
        globals: &globals,
        observer: &Recorder { attempt, executor },
        limits: limits(executor, attempt),
        cancel,
        replay: Replay::default(),
    };
    let mut options = attempt.options();
    if attempt.program.uses_static_data {
        options.static_data = static_data(executor, attempt).await?;
    }
    let mut run = match attempt.begin.earlier.is_empty() {
        true => runner.run(attempt.start(), options).await,
        false => runner.go_on(attempt.rebuilt(options)).await,
    };
    let mut outcome = outcome_of(&mut run);
    let was_stored = attempt.close().await;
    match attempt.fate() {
        Fate::Own => {}
        Fate::PutAside => {
            attempt.binaries.keep().await?;
            outcome = Outcome { status: EngineStatus::Waiting, last_node: run.last_node(), error: None };
        }
        Fate::HandedOn if outcome.status != EngineStatus::Canceled => {}
        Fate::HandedOn => {
            // Nothing of one that is not stored has been seen, and who waits for it is refused.
            if was_stored {
                recovery::hand_on(executor, &attempt.row).await?;
            }
            return Ok(None);
        }
        Fate::Lost => {
            left(executor, attempt).await;
            return Ok(None);
        }
    }
    if attempt.program.uses_static_data && attempt.row.mode.is_production() {
        if was_stored && !parts.lease.is_valid() && recovery::check_owner(executor, attempt).await.is_err() {
            left(executor, attempt).await;
            return Ok(None);
        }
        save_static_data(executor, attempt, run.static_data()).await;
    }
    let status = status_of(&outcome);
    if status == Status::Success && found_no_news(attempt, &run) {
        let committed = Some(parts.writer.finish(Write::Erase(Box::new(attempt.row.clone()))).await?);
        let row = row_of(executor, attempt, &mut run, &outcome);
        return Ok(Some(Concluded { run, outcome, status, row, is_kept: false, committed, listed }));
    }
    executor.meter(attempt, status, started);
    metrics::counter!("millrace_executions_total", "mode" => attempt.row.mode.as_str(), "status" => status.as_str())
        .increment(1);
    let row = row_of(executor, attempt, &mut run, &outcome);
    // A caller that is itself taken up again may look for the outcome of what it called.
    let is_sought = attempt.row.parent_id.is_some() && attempt.row.attempt > 1;
    let is_kept = status == Status::Waiting || is_sought || is_kept(executor, attempt, status);
    let write = if is_kept {
        let custom = lock(&globals.custom_data).clone();
        let redacted = redaction::fields(attempt.program.workflow());
        if !custom.is_empty() {
            drop(parts.writer.finish(Write::Label(labels::of_custom_data(&row, &custom, &redacted))).await?);
        }
        let wall = parts.clock.now().since(row.started_at.unwrap_or(row.created_at));
        let usage = usage::of(&run, &attempt.begin.traffic, u64::try_from(wall.as_millis()).unwrap_or(u64::MAX));
        let recorded = Recorded { attempt, run: &run, outcome: &outcome, custom: &custom, usage };
        let data = encoded(&recorded, &redacted)?;
        // What failed can be repeated from where it failed; who called it may have to be given what the record hides.
        let with_state = status != Status::Success || (is_sought && !redacted.is_empty());
        let (row, payload) = (Box::new(row.clone()), Some(attempt.payload(Some(data), with_state)?));
        Some(if was_stored { Write::Settle(row, payload) } else { Write::Put(row, payload) })
    } else {
        Some(if was_stored { Write::Discard(Box::new(row.clone())) } else { Write::Forget(Box::new(row.clone())) })
            .filter(|_| was_stored || parts.events.is_attended(row.tenant_id))
    };
    if !is_kept && attempt.binaries.were_kept() {
        rows::doom(&parts.database.write(row.tenant_id), row.tenant_id, [row.id]).await?;
    }
    let committed = match write {
        Some(write) if !was_stored && attempt.is_awaited() => match parts.writer.accept(write) {
            Ok(committed) => Some(committed),
            Err(_) => return Ok(None),
        },
        Some(write) => Some(parts.writer.finish(write).await?),
        None => None,
    };
    Ok(Some(Concluded { run, outcome, status, row, is_kept, committed, listed }))
}

/// Whether it was begun to look for news, and there were none: nothing happened, and nothing is counted or kept.
fn found_no_news(attempt: &Attempt, run: &Run) -> bool {
    let node = attempt.program.workflow().node(attempt.begin.node);
    let polls =
        registry::find(&node.kind).is_some_and(|found| registry::description(found).variant(node.version).polls());
    let outputs = run.data().of(attempt.begin.node).last().and_then(|run| run.outputs.as_ref());
    polls && outputs.into_iter().flatten().flatten().all(|items| items.is_empty())
}

/// The record as it is stored, without these fields.
fn encoded(recorded: &Recorded<'_>, redacted: &[String]) -> Result<Vec<u8>, serde_json::Error> {
    if redacted.is_empty() {
        return payload::encode(recorded);
    }
    let mut record = serde_json::to_value(recorded)?;
    redaction::hide(&mut record, redacted);
    payload::encode(&record)
}

/// Records that an attempt ended without an outcome.
async fn abandon(executor: &Executor, attempt: &Attempt, error: &str) {
    let row = rows::Row {
        status: Status::Error,
        owner: None,
        stopped_at: Some(executor.0.clock.now()),
        error: Some(shortened(error)),
        waits_for: None,
        ..attempt.row.clone()
    };
    // What was done so far stays, for its timeline and a retry.
    let payload = attempt.payload(None, true).ok();
    let stored = match executor.0.writer.finish(Write::Settle(Box::new(row.clone()), payload)).await {
        Ok(committed) => committed.wait().await,
        Err(error) => Err(error),
    };
    if let Err(error) = stored {
        // Who waits for it is not told of an end that nobody can read.
        tracing::error!(execution = %attempt.row.id, %error, "the end of an execution could not be stored");
        return;
    }
    callers::called_ended(executor, &row).await;
    let error = ExecutionError::new("WorkflowOperationError", error);
    let ended =
        Ended { row, is_kept: true, status: Status::Error, error: Some(Arc::new(error)), last: None, run_index: 0 };
    attempt.answer(executor, Answer::Ended(Box::new(ended))).await;
}

/// The row of an execution that ended or paused.
fn row_of(executor: &Executor, attempt: &Attempt, run: &mut Run, outcome: &Outcome) -> rows::Row {
    let status = status_of(outcome);
    let until = match run.next() {
        Step::Wait(pause) => pause.until.map(Timestamp::from_millis),
        Step::Execute(_) | Step::Done(_) => None,
    };
    rows::Row {
        status,
        owner: None,
        stopped_at: status.is_terminal().then(|| executor.0.clock.now()),
        wait_until: until,
        waits_for: attempt.waits_for(),
        last_node: run.last_node().map(|node| run.workflow().node(node).name.to_string()),
        error: outcome.error.as_ref().map(|error| shortened(&error.message)),
        ..attempt.row.clone()
    }
}

/// Do the workflow's settings, or else the tenant's, or else the server's, keep an execution that ended so?
fn is_kept(executor: &Executor, attempt: &Attempt, status: Status) -> bool {
    let (settings, config) = (&attempt.program.workflow().settings, &executor.0.config);
    let tenant = attempt.tenancy.settings();
    let is_kept = |own: Option<bool>, tenants: fn(&Settings) -> Option<bool>, server: bool| {
        own.or_else(|| tenant.and_then(tenants)).unwrap_or(server)
    };
    if attempt.row.mode == Mode::Manual
        && !is_kept(settings.save_manual, |tenant| tenant.save_manual, config.save_manual)
    {
        return false;
    }
    match status {
        Status::Success => is_kept(settings.save_data_success, |tenant| tenant.save_success, config.save_success),
        _ => is_kept(settings.save_data_error, |tenant| tenant.save_error, config.save_error),
    }
}

fn status_of(outcome: &Outcome) -> Status {
    match outcome.status {
        EngineStatus::Success => Status::Success,
        EngineStatus::Waiting => Status::Waiting,
        EngineStatus::Canceled => Status::Canceled,
        EngineStatus::Error | EngineStatus::Running => Status::Error,
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_ERROR).collect()
}

fn limits(executor: &Executor, attempt: &Attempt) -> Limits {
    let config = &executor.0.config;
    let server = (config.timeout_seconds > 0).then(|| Duration::from_secs(config.timeout_seconds));
    let own = attempt.program.workflow().settings.execution_timeout;
    let own = own.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let tenant = attempt.tenancy.settings().and_then(|settings| settings.execution_timeout_seconds);
    let timeout = [server, own, tenant.map(Duration::from_secs)].into_iter().flatten().min();
    let sandbox = millrace_expression::Limits {
        time: Duration::from_secs(config.script_seconds.max(1)),
        memory: config.script_memory_bytes,
        ..Default::default()
    };
    Limits { items: config.max_items, bytes: config.max_bytes, timeout, sandbox }
}

fn globals(executor: &Executor, attempt: &Attempt) -> Globals {
    let parts = &executor.0;
    let (id, address) = (attempt.row.id, &attempt.program.address);
    let tenant = attempt.tenancy.settings();
    Globals {
        execution_id: ecow::eco_format!("{id}"),
        mode: attempt.row.mode.as_str().into(),
        resume_url: ecow::eco_format!("{address}/webhook-waiting/{id}"),
        resume_form_url: ecow::eco_format!("{address}/form-waiting/{id}"),
        timezone: tenant.and_then(|settings| settings.timezone.as_deref()).unwrap_or(&parts.config.timezone).into(),
        env: Arc::clone(&parts.env),
        vars: Arc::default(),
        secrets: Arc::default(),
        custom_data: Arc::default(),
        clock: Clock::System,
    }
}

/// Name under which the static data of a workflow is remembered.
const STATIC_DATA: &str = "static";

async fn static_data(executor: &Executor, attempt: &Attempt) -> Result<Option<Object>, Error> {
    let (tenant, workflow) = (attempt.row.tenant_id, attempt.row.workflow_id);
    let kept = rows::recall(&executor.0.database.read(tenant), tenant, workflow, STATIC_DATA).await?;
    Ok(kept.and_then(|text| Value::from_json(&text).ok()).and_then(|value| value.as_object().cloned()))
}

async fn save_static_data(executor: &Executor, attempt: &Attempt, data: &Object) {
    let parts = &executor.0;
    let (tenant, workflow) = (attempt.row.tenant_id, attempt.row.workflow_id);
    let text = Value::Object(data.clone()).to_json();
    let saved =
        rows::remember(&parts.database.write(tenant), tenant, workflow, STATIC_DATA, text, parts.clock.now()).await;
    if let Err(error) = saved {
        tracing::error!(execution = %attempt.row.id, %error, "static data could not be saved");
    }
}

/// The record of a run in n8n's shape.
struct Recorded<'a> {
    attempt: &'a Attempt,
    run: &'a Run,
    outcome: &'a Outcome,
    custom: &'a Object,
    usage: ExecutionUsageResponse,
}

impl Serialize for Recorded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("data", &Data { run: self.run, outcome: self.outcome })?;
        if !self.custom.is_empty() {
            map.serialize_entry("customData", self.custom)?;
        }
        map.serialize_entry("usage", &self.usage)?;
        if let Some(document) = &self.attempt.program.inline {
            map.serialize_entry("workflowData", document)?;
        }
        map.end()
    }
}

fn lock(data: &Mutex<Object>) -> std::sync::MutexGuard<'_, Object> {
    data.lock().unwrap_or_else(PoisonError::into_inner)
}
