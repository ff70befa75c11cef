//! What happens to one execution while somebody watches. Its node runs are told as they end, by whichever process runs it;
//! what was missed is read from its timeline. Nothing of this is on the way of an execution that nobody watches.

use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use rustc_hash::FxHashSet;
use tokio::sync::mpsc;

use super::dto::{TimelineEvent, TimelineKind};
use super::error::Error;
use super::executor::Executor;
use super::model::Status;
use super::repository::{self as rows, Row};
use super::timeline;
use crate::common::{ExecutionId, TenantId};
use crate::infrastructure::cache::{Cache, Key};

/// Longest time between two looks at an execution that is watched.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Messages on their way to watchers; more are dropped, and read from the timeline.
const ON_THE_WAY: usize = 1024;

/// The last that a watcher saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The run of a node, by its place in the order of all node runs.
    Node(u32),
    End,
}

impl FromStr for Seen {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Seen, Self::Err> {
        if text == "end" { Ok(Seen::End) } else { text.parse().map(Seen::Node) }
    }
}

/// Sends what watchers are told. Cheap to clone.
#[derive(Clone)]
pub(super) struct Telling(mpsc::Sender<(TenantId, ExecutionId, Bytes)>);

impl Telling {
    /// Starts the task that sends. It ends with the last `Telling`.
    pub(super) fn start(cache: Arc<dyn Cache>) -> Telling {
        let (sender, mut messages) = mpsc::channel::<(TenantId, ExecutionId, Bytes)>(ON_THE_WAY);
        tokio::spawn(async move {
            while let Some((tenant, id, message)) = messages.recv().await {
                if let Err(error) = cache.publish(&channel(tenant, id), message).await {
                    tracing::debug!(%error, "watchers of an execution look for themselves");
                }
            }
        });
        Telling(sender)
    }

    /// Tells of a node. Where too much is on the way already, watchers look for themselves.
    pub(super) fn node(&self, row: &Row, event: &TimelineEvent) {
        if let Ok(message) = serde_json::to_vec(event) {
            drop(self.0.try_send((row.tenant_id, row.id, message.into())));
        }
    }

    /// Tells that the execution stands differently.
    pub(super) fn changed(&self, row: &Row) {
        drop(self.0.try_send((row.tenant_id, row.id, Bytes::new())));
    }
}

struct Watch {
    executor: Executor,
    tenant: TenantId,
    id: ExecutionId,
    /// The state last told.
    status: Option<Status>,
    /// Node runs up to this one were seen before.
    after: Option<u32>,
    seen: FxHashSet<u32>,
    incidents: usize,
    messages: Option<BoxStream<'static, Bytes>>,
    ready: VecDeque<TimelineEvent>,
    is_over: bool,
}

/// Events of an execution from after what was seen, until it is over.
pub(super) async fn watch(
    executor: &Executor,
    row: Row,
    seen: Option<Seen>,
) -> Result<impl Stream<Item = TimelineEvent> + Send + use<>, Error> {
    executor.0.events.attend_live(row.tenant_id).await?;
    let mut watch = Watch {
        messages: executor.0.cache.subscribe(&channel(row.tenant_id, row.id)).await.ok(),
        executor: executor.clone(),
        tenant: row.tenant_id,
        id: row.id,
        status: None,
        after: seen.and_then(|seen| match seen {
            Seen::Node(last) => Some(last),
            Seen::End => None,
        }),
        seen: FxHashSet::default(),
        incidents: 0,
        ready: VecDeque::new(),
        is_over: seen == Some(Seen::End),
    };
    if !watch.is_over {
        watch.look(seen.is_some()).await?;
    }
    Ok(stream::unfold(watch, |mut watch| async { watch.next().await.map(|event| (event, watch)) }))
}

impl Watch {
    async fn next(&mut self) -> Option<TimelineEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            let heard = tokio::select! {
                () = self.executor.0.events.closing() => return None,
                () = tokio::time::sleep(LOOK_EVERY) => None,
                heard = hear(&mut self.messages) => heard,
            };
            let done = match heard.filter(|message| !message.is_empty()) {
                Some(message) => self.take(&message).await,
                None => self.look(true).await,
            };
            if let Err(error) = done {
                tracing::warn!(execution = %self.id, %error, "a watched execution cannot be read");
                return None;
            }
        }
    }

    /// Takes what the process that runs it tells. Where something before it was not told, it may be in the journal by now.
    async fn take(&mut self, message: &[u8]) -> Result<(), Error> {
        let Ok(event) = serde_json::from_slice::<TimelineEvent>(message) else { return Ok(()) };
        let next = self.seen.iter().max().copied().or(self.after).map_or(0, |last| last.saturating_add(1));
        if event.kind == TimelineKind::Node && event.execution_index.is_some_and(|index| index > next) {
            self.status = None;
            self.look(true).await?;
        }
        self.add(event);
        Ok(())
    }

    /// A node run is told once.
    fn add(&mut self, event: TimelineEvent) {
        let is_news = match (event.kind, event.execution_index) {
            (TimelineKind::Node, Some(index)) => {
                self.after.is_none_or(|after| index > after) && self.seen.insert(index)
            }
            _ => true,
        };
        if is_news {
            self.ready.push_back(event);
        }
    }

    /// Reads how the execution stands. `goes_on`: what came before its present state was told.
    async fn look(&mut self, goes_on: bool) -> Result<(), Error> {
        let connection = self.executor.0.database.read(self.tenant);
        let Some(row) = rows::find(&connection, self.tenant, self.id).await? else {
            self.is_over = true;
            return Ok(());
        };
        if self.status == Some(row.status) && !self.is_over {
            return Ok(());
        }
        self.status = Some(row.status);
        self.is_over = row.status.is_terminal();
        let told_before = |kind| goes_on && matches!(kind, TimelineKind::Created | TimelineKind::Started);
        let mut incidents = 0;
        for event in timeline::of(&self.executor, row).await? {
            let is_incident = matches!(event.kind, TimelineKind::Died | TimelineKind::HandedOn);
            incidents += usize::from(is_incident);
            if (is_incident && incidents <= self.incidents) || told_before(event.kind) {
                continue;
            }
            self.add(event);
        }
        self.incidents = self.incidents.max(incidents);
        Ok(())
    }
}

/// The next message; for ever where there is no subscription, nothing where it has ended.
async fn hear(messages: &mut Option<BoxStream<'static, Bytes>>) -> Option<Bytes> {
    let heard = match messages {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    };
    if heard.is_none() {
        *messages = None;
    }
    heard
}

fn channel(tenant: TenantId, id: ExecutionId) -> Key {
    Key::tenant(tenant, "progress", &id.to_string())
}
