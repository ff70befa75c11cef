//! Listening for one trigger, as long as this process holds it. What was heard becomes executions in the transaction that
//! says how far the trigger has got; where that cannot be, it is heard again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use millrace_model::{Item, Object, Value};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::super::error::Error;
use super::super::repository::triggers::{self as rows, Trigger};
use super::Kind;
use super::finished::Awaited;
use super::service::Triggers;
use super::source::Source;
use crate::common::error::chain;
use crate::common::{Coded, Ctx};
use crate::domains::credentials::{self, Wanted};
use crate::domains::executions::{Launch, Mode, Prepared};
use crate::infrastructure::database;
use crate::infrastructure::services::{Failure, Reach, RedisQueue, hear};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// After this time a connection is made anew, so that changes of its credential count.
pub(super) const RECONNECT: Duration = Duration::from_secs(600);
/// How long a queue is asked for a message in one go.
const PATIENCE: Duration = Duration::from_secs(5);
/// Messages taken from a queue in one go.
const BATCH: usize = 50;
const MAX_ERROR: usize = 1000;

/// Why it is not listened any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("another process holds the trigger")]
    Lost,
    #[error(transparent)]
    Source(#[from] Failure),
    #[error(transparent)]
    Credential(#[from] credentials::Error),
    #[error(transparent)]
    Own(#[from] Error),
}

impl From<database::Error> for Fault {
    fn from(error: database::Error) -> Fault {
        Fault::Own(error.into())
    }
}

/// A trigger that this process holds, and how it stands.
pub(super) struct Listener {
    pub triggers: Triggers,
    pub row: Trigger,
}

/// Listens until it is told to stop, or has lost the trigger; goes on after whatever goes wrong.
pub(super) async fn listen(triggers: Triggers, row: Trigger, stop: CancellationToken) {
    let mut listener = Listener { triggers, row };
    let mut pause = FIRST_PAUSE;
    loop {
        let began = Instant::now();
        let fault = match stop.run_until_cancelled(Box::pin(listener.hear())).await {
            None | Some(Err(Fault::Lost)) => return,
            Some(Ok(())) => continue,
            Some(Err(fault)) => fault,
        };
        if began.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        if let Err(Fault::Lost) = listener.fail(&fault).await {
            return;
        }
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

impl Listener {
    /// `Ok`: the connection is to be made anew.
    async fn hear(&mut self) -> Result<(), Fault> {
        let source = serde_json::from_str(&self.row.source).map_err(|error| Failure::new(error.to_string()))?;
        match source {
            Source::RedisQueue { queue, from_tail } => self.take_from_queue(&queue, from_tail).await,
            Source::RedisChannel { patterns, parses_json, only_message } => {
                self.hear_channels(&patterns, parses_json, only_message).await
            }
            Source::Mailbox(mailbox) => self.watch_mailbox(&mailbox).await,
            Source::Finished { workflows, statuses } => self.follow_ends(&Awaited { workflows, statuses }).await,
        }
    }

    async fn take_from_queue(&mut self, queue: &str, from_tail: bool) -> Result<(), Fault> {
        let (reach, credential) = self.credential("redis").await?;
        let holder = self.row.id.to_string();
        let mut source = RedisQueue::open(&self.triggers.http, &reach, &credential, queue, &holder, from_tail).await?;
        // What was begun but not settled there: its process died in between.
        let mut begun: Vec<String> =
            self.row.state.as_deref().and_then(|state| serde_json::from_str(state).ok()).unwrap_or_default();
        source.recover(|message| take_out(&mut begun, &fingerprint(message))).await?;
        self.forget_begun().await?;
        self.is_well().await?;
        let opened = Instant::now();
        while opened.elapsed() < RECONNECT {
            let messages = source.take(BATCH, PATIENCE).await?;
            if messages.is_empty() {
                continue;
            }
            let begun: Vec<String> = messages.iter().map(|message| fingerprint(message)).collect();
            let heard = messages.iter().map(|message| vec![item(message)]).collect();
            self.begin(heard, Some(json!(begun).to_string())).await?;
            source.settle(&messages).await?;
            self.forget_begun().await?;
        }
        Ok(())
    }

    /// Nothing is in hand any more: messages taken from now on are others, even where they are equal.
    async fn forget_begun(&mut self) -> Result<(), Fault> {
        match self.row.state.take() {
            Some(_) => self.note().await,
            None => Ok(()),
        }
    }

    async fn hear_channels(&mut self, patterns: &[String], parses: bool, only_message: bool) -> Result<(), Fault> {
        let (reach, credential) = self.credential("redis").await?;
        let mut said = hear(&self.triggers.http, &reach, &credential, patterns).await?;
        self.is_well().await?;
        let opened = Instant::now();
        while let Some(left) = RECONNECT.checked_sub(opened.elapsed()) {
            let Ok(message) = tokio::time::timeout(left, said.next()).await else { break };
            let (channel, message) = message.ok_or_else(|| Failure::new("The Redis server closed the connection"))?;
            let text = String::from_utf8_lossy(&message).into_owned();
            let parsed = if parses { Value::from_json(&text).ok() } else { None };
            let mut json = Object::from([("message", parsed.unwrap_or_else(|| text.into()))]);
            if !only_message {
                json.insert("channel", channel);
            }
            self.begin(vec![vec![Item::new(json)]], None).await?;
        }
        Ok(())
    }

    /// The credential that the node names, and where it may be used; where it names none, the tenant's only one of the type.
    pub(super) async fn credential(&self, kind: &str) -> Result<(Reach, Object), Fault> {
        let (triggers, row, ctx) = (&self.triggers, &self.row, Ctx::system(self.row.tenant_id));
        let program = self.program().await?;
        let node = program.workflow().find(&row.node).ok_or_else(|| Error::NodeGone(row.node.clone()))?;
        let node = program.workflow().node(node);
        let reference = node.credentials.get(kind);
        let wanted = Wanted { kind, reference, node_type: &node.kind, workflow: row.workflow_id };
        let found = triggers.credentials.resolve(&ctx, &wanted).await?;
        let profile = triggers.tenants.profile(row.tenant_id).await;
        let policy = Arc::clone(&profile.map_err(|error| Error::Execution(error.into()))?.egress);
        Ok((Reach { policy, hosts: found.allowed_hosts.into_iter().collect() }, found.data))
    }

    async fn program(&self) -> Result<Arc<crate::domains::executions::Program>, Fault> {
        let row = &self.row;
        let version = row.version_id.ok_or(Error::Dormant)?;
        let programs = self.triggers.executions.executor().programs();
        let program = programs.version(row.tenant_id, row.workflow_id, version).await.map_err(Error::from)?;
        Ok(program.runnable().map_err(Error::from)?)
    }

    /// Begins an execution for each list of items, and notes how far the trigger has got: both or neither.
    pub(super) async fn begin(&mut self, heard: Vec<Vec<Item>>, state: Option<String>) -> Result<(), Fault> {
        let now = self.triggers.clock.now();
        let last_began_at = if heard.is_empty() { self.row.last_began_at } else { Some(now) };
        let row = Trigger { state, failures: 0, error: None, last_began_at, ..self.row.clone() };
        let prepared = self.prepare(heard).await?;
        let executor = self.triggers.executions.executor();
        let transaction = self.triggers.database.begin(row.tenant_id).await?;
        if !rows::advance(&transaction, &row, now).await? {
            return Err(Fault::Lost);
        }
        executor.store_within(&transaction, &prepared).await?;
        transaction.commit().await?;
        metrics::counter!("millrace_trigger_runs_total", "kind" => row.kind.as_str())
            .increment(u64::try_from(prepared.len()).unwrap_or(u64::MAX));
        executor.announce(prepared);
        self.row = row;
        Ok(())
    }

    async fn prepare(&self, heard: Vec<Vec<Item>>) -> Result<Vec<Prepared>, Fault> {
        if heard.is_empty() {
            return Ok(Vec::new());
        }
        let executor = self.triggers.executions.executor();
        let program = self.program().await?;
        let node = program.workflow().find(&self.row.node).ok_or_else(|| Error::NodeGone(self.row.node.clone()))?;
        let mode = if self.row.kind == Kind::Finished { Mode::Internal } else { Mode::Trigger };
        let mut prepared = Vec::with_capacity(heard.len());
        for items in heard {
            let launch = Launch {
                program: Arc::clone(&program),
                mode,
                node,
                items: Arc::new(items),
                output: 0,
                honour_pins: false,
                parent: None,
                retry_of: None,
            };
            prepared.push(executor.prepare(launch).await.map_err(Error::from)?);
        }
        Ok(prepared)
    }

    /// It listens: what went wrong before is over.
    pub(super) async fn is_well(&mut self) -> Result<(), Fault> {
        if self.row.failures == 0 {
            return Ok(());
        }
        (self.row.failures, self.row.error) = (0, None);
        self.note().await
    }

    async fn fail(&mut self, fault: &Fault) -> Result<(), Fault> {
        let told = told(fault);
        tracing::warn!(trigger = %self.row.id, error = chain(fault), "a trigger cannot listen; trying again");
        self.row.failures = self.row.failures.saturating_add(1);
        self.row.error = Some(told.chars().take(MAX_ERROR).collect());
        self.note().await
    }

    async fn note(&self) -> Result<(), Fault> {
        let (triggers, row) = (&self.triggers, &self.row);
        match rows::advance(&triggers.database.write(row.tenant_id), row, triggers.clock.now()).await? {
            true => Ok(()),
            false => Err(Fault::Lost),
        }
    }
}

/// What a tenant is told. Of our own faults that is nothing; the log has them.
fn told(fault: &Fault) -> String {
    let known = match fault {
        Fault::Lost => None,
        Fault::Source(Failure { message, description }) => match description {
            Some(description) => Some(format!("{message}: {description}")),
            None => Some(message.clone()),
        },
        Fault::Credential(error) => error.detail(),
        Fault::Own(error) => error.detail(),
    };
    known.unwrap_or_else(|| "the server failed".to_owned())
}

/// An object's fields are the item's; anything else is its `message`.
fn item(message: &[u8]) -> Item {
    let text = String::from_utf8_lossy(message);
    match Value::from_json(&text) {
        Ok(Value::Object(json)) => Item::new(json),
        Ok(other) => Item::new(Object::from([("message", other)])),
        Err(_) => Item::new(Object::from([("message", Value::from(text.into_owned()))])),
    }
}

fn fingerprint(message: &[u8]) -> String {
    Sha256::digest(message).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Takes one occurrence out. `false`: there is none.
fn take_out(known: &mut Vec<String>, one: &str) -> bool {
    let at = known.iter().position(|other| other == one);
    at.map(|at| known.swap_remove(at)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_items() {
        for (message, expected) in [
            (r#"{"type":"email"}"#, r#"{"type":"email"}"#),
            ("[1]", r#"{"message":[1]}"#),
            ("7", r#"{"message":7}"#),
            ("hello", r#"{"message":"hello"}"#),
            ("", r#"{"message":""}"#),
        ] {
            assert_eq!(item(message.as_bytes()).json.to_json(), expected);
        }
        assert_eq!(item(&[0xff]).json.to_json(), "{\"message\":\"\u{fffd}\"}");
    }

    #[test]
    fn what_was_begun_twice_is_settled_twice_and_no_more() {
        let mut begun = vec![fingerprint(b"a"), fingerprint(b"b"), fingerprint(b"a")];
        let settled = [b"a", b"a", b"a", b"c"].map(|message| take_out(&mut begun, &fingerprint(message)));
        assert_eq!(settled, [true, true, false, false]);
    }
}
