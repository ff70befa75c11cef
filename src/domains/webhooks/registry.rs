//! Keeps the routes of active workflows: in the database, where activation changes them, and in memory, where requests
//! find them without a query. Other replicas learn of a change by a message, or by looking for changes now and then.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use millrace_model::Problem;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::endpoints::{read_secrets, read_settings};
use super::error::{Error, PATH_TAKEN};
use super::guard::Guard;
use super::receiver::Receiver;
use super::repository::{self as rows, Row, endpoints, queue};
use super::route_table::{RouteTable, Routed};
use super::sealing::Sealer;
use crate::common::{Clock, Ctx, Secret, TenantId, WebhookId, WorkflowId};
use crate::domains::executions::Programs;
use crate::domains::workflows::{
    Activation, Document, Endpoint, FORM_TRIGGER, Refusal, WorkflowHooks, webhook_endpoints,
};
use crate::infrastructure::cache::{Cache, Key};
use crate::infrastructure::database::{self, AcrossTenants, Database, Transaction};

/// How often changes made by other replicas are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Clocks of replicas may differ by so much.
const CLOCK_SKEW: Duration = Duration::from_secs(60);
const MOST_EVENTS: usize = 100;
const MAX_EVENT: usize = 255;

/// A route in memory.
#[derive(Debug)]
pub(super) struct Route {
    row: Row,
    /// What it leads to; made ready by the first request.
    receiver: OnceCell<Receiver>,
}

impl Routed for Route {
    fn method(&self) -> &str {
        &self.row.method
    }

    fn path(&self) -> &str {
        &self.row.path
    }
}

impl Route {
    /// The node behind the route, and what is set for it.
    pub(super) async fn receiver(&self, registry: &Registry, programs: &Programs) -> Result<&Receiver, Error> {
        let make = || async {
            let row = &self.row;
            let program = programs.version(row.tenant_id, row.workflow_id, row.version_id).await?.runnable()?;
            let node = program.workflow().find(&row.node).ok_or(Error::NodeGone)?;
            let guard = registry.guard(row).await?;
            Ok(Receiver::new(program, node, guard))
        };
        self.receiver.get_or_try_init(make).await
    }

    pub(super) fn tenant(&self) -> TenantId {
        self.row.tenant_id
    }
}

/// Routes of a tenant, as of an epoch.
#[derive(Debug)]
pub(super) struct TenantRoutes {
    epoch: i64,
    pub table: RouteTable<Route>,
}

/// The routes of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    database: Database,
    clock: Arc<dyn Clock>,
    cache: Arc<dyn Cache>,
    sealer: Sealer,
    tenants: Arc<RwLock<HashMap<TenantId, Arc<TenantRoutes>, rustc_hash::FxBuildHasher>>>,
}

impl Registry {
    /// `key`: encrypts the secrets of webhooks.
    pub fn new(database: Database, clock: Arc<dyn Clock>, cache: Arc<dyn Cache>, key: &Secret<[u8; 32]>) -> Registry {
        Registry { database, clock, cache, sealer: Sealer::new(key), tenants: Arc::default() }
    }

    pub(super) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// What is set for the webhook of a route.
    async fn guard(&self, route: &Row) -> Result<Option<Guard>, Error> {
        let of_workflow =
            endpoints::of_workflow(&self.database.read(route.tenant_id), route.tenant_id, route.workflow_id).await?;
        // Routes from before there were such rows have none until their workflow is activated again.
        let Some(row) = of_workflow.into_iter().find(|row| row.node == route.node) else { return Ok(None) };
        Guard::new(row.tenant_id, row.id, &read_settings(&row)?, read_secrets(&self.sealer, &row)?)
    }

    /// Reads a tenant's routes again, and has the other replicas do so.
    pub(super) async fn changed(&self, tenant: TenantId) {
        self.refresh(tenant).await;
        if let Err(error) = self.cache.publish(&channel(), Bytes::from(tenant.to_string())).await {
            tracing::warn!(%error, "other replicas were not told of changed webhook routes; they will look");
        }
    }

    /// The tenant's routes; from memory, once they were read.
    pub(super) async fn routes(&self, tenant: TenantId) -> Result<Arc<TenantRoutes>, Error> {
        let known = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        match known {
            Some(routes) => Ok(routes),
            None => self.load(tenant).await,
        }
    }

    async fn load(&self, tenant: TenantId) -> Result<Arc<TenantRoutes>, Error> {
        let connection = &self.database.read(tenant);
        // The epoch first: a change between the two queries is then seen as news, and read again.
        let epoch = rows::epoch(connection, tenant).await?;
        let rows = rows::list(connection, tenant).await?;
        let table = RouteTable::new(rows.into_iter().map(|row| Route { row, receiver: OnceCell::new() }));
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        // Requests that come at the same time read at the same time; all of them go on with what one of them read, so that
        // they count against the same limits.
        match tenants.get(&tenant) {
            Some(known) if known.epoch >= epoch => Ok(Arc::clone(known)),
            _ => {
                let routes = Arc::new(TenantRoutes { epoch, table });
                tenants.insert(tenant, Arc::clone(&routes));
                Ok(routes)
            }
        }
    }

    /// Reads a tenant's routes again, where they are in memory.
    async fn refresh(&self, tenant: TenantId) {
        let is_known = self.tenants.read().unwrap_or_else(PoisonError::into_inner).contains_key(&tenant);
        if !is_known {
            return;
        }
        if let Err(error) = self.load(tenant).await {
            tracing::error!(%tenant, %error, "webhook routes could not be read again");
            // Better slow than wrong: the next request reads them.
            self.tenants.write().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
        }
    }

    /// Finds the rows of the workflow's webhook nodes again, or makes them: by the node's id (its name where it has none),
    /// else by its path. So what is set for a webhook outlives a new name, a new path and a deactivation.
    async fn keep_endpoints(
        &self,
        transaction: &Transaction,
        tenant: TenantId,
        activation: &Activation<'_>,
        found: &[Endpoint],
    ) -> Result<(), database::Error> {
        let mut known = endpoints::of_workflow(transaction, tenant, activation.workflow).await?;
        let mut nodes: Vec<_> = found.iter().map(|endpoint| (endpoint.node, &endpoint.path)).collect();
        nodes.dedup();
        let wanted = nodes.into_iter().map(|(index, path)| {
            let node = activation.parsed.node(index);
            let key = if node.id.is_empty() { &node.name } else { &node.id };
            (key.to_string(), node.name.to_string(), path.to_string(), node.kind == FORM_TRIGGER)
        });
        let wanted: Vec<_> = wanted.collect();
        let mut renamed = Vec::new();
        for (node_key, node, path, is_form) in wanted {
            match known.iter().position(|row| row.node_key == node_key) {
                Some(at) => {
                    let row = known.swap_remove(at);
                    if (&row.node, &row.path, row.is_form) != (&node, &path, is_form) {
                        let row = endpoints::Endpoint { node, path, is_form, ..row };
                        endpoints::update_node(transaction, &row).await?;
                    }
                }
                None => renamed.push((node_key, node, path, is_form)),
            }
        }
        for (node_key, node, path, is_form) in renamed {
            if let Some(at) = known.iter().position(|row| row.path == path && row.is_form == is_form) {
                let row = known.swap_remove(at);
                endpoints::update_node(transaction, &endpoints::Endpoint { node_key, node, ..row }).await?;
                continue;
            }
            let now = self.clock.now();
            let row = endpoints::Endpoint {
                id: WebhookId::new(),
                tenant_id: tenant,
                workflow_id: activation.workflow,
                node_key,
                node,
                path,
                is_form,
                settings: "{}".to_owned(),
                secrets: None,
                created_at: now,
                updated_at: now,
            };
            endpoints::insert(transaction, row).await?;
        }
        Ok(())
    }

    /// Follows the changes of other replicas until the shutdown.
    pub async fn follow(self, shutdown: CancellationToken) {
        let mut since = self.clock.now().minus(CLOCK_SKEW).as_millis();
        while !shutdown.is_cancelled() {
            let mut messages = match self.cache.subscribe(&channel()).await {
                Ok(messages) => messages,
                Err(error) => {
                    tracing::warn!(%error, "changes of webhook routes cannot be heard; looking for them");
                    futures_util::stream::pending().boxed()
                }
            };
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    message = messages.next() => match message {
                        Some(message) => self.hear(&message).await,
                        None => break,
                    },
                    () = tokio::time::sleep(LOOK_EVERY) => since = self.look(since).await,
                }
            }
        }
    }

    async fn hear(&self, message: &Bytes) {
        let tenant = std::str::from_utf8(message).ok().and_then(|text| text.parse().ok());
        if let Some(tenant) = tenant {
            self.refresh(tenant).await;
        }
    }

    /// Reads again what changed since then; gives from when on to look next.
    async fn look(&self, since: i64) -> i64 {
        let now = self.clock.now().minus(CLOCK_SKEW).as_millis();
        let changed = match rows::changed_since(&self.database.read(AcrossTenants), since).await {
            Ok(changed) => changed,
            Err(error) => {
                tracing::warn!(%error, "changes of webhook routes could not be looked for");
                return since;
            }
        };
        for (tenant, epoch) in changed {
            let known = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
            if known.is_some_and(|routes| routes.epoch != epoch) {
                self.refresh(tenant).await;
            }
        }
        now
    }
}

fn channel() -> Key {
    Key::global("webhooks", "changed")
}

#[async_trait]
impl WorkflowHooks for Registry {
    /// Registers the endpoints of a version in place of those the workflow had.
    async fn activating(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        activation: &Activation<'_>,
    ) -> Result<(), Refusal> {
        let (found, mut problems) = webhook_endpoints(activation.parsed);
        problems.extend(settings_problems(activation));
        let events = trigger_events(activation.document).unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        if !problems.is_empty() {
            return Err(Refusal::Invalid(problems));
        }
        let now = self.clock.now();
        let wanted: Vec<Row> = found
            .iter()
            .map(|endpoint| Row {
                id: WebhookId::new(),
                tenant_id: ctx.tenant,
                method: endpoint.method.to_string(),
                path: endpoint.path.to_string(),
                shape: shape(&endpoint.path),
                workflow_id: activation.workflow,
                version_id: activation.version,
                node: activation.parsed.node(endpoint.node).name.to_string(),
                output: i32::try_from(endpoint.output).unwrap_or_default(),
                created_at: now,
            })
            .collect();
        if !wanted.is_empty() {
            let taken = rows::conflicting(transaction, ctx.tenant, activation.workflow, &wanted).await?;
            refuse_conflicts(&found, &wanted, &taken)?;
        }
        queue::set_events(transaction, ctx.tenant, activation.workflow, &events).await?;
        self.keep_endpoints(transaction, ctx.tenant, activation, &found).await?;
        rows::delete(transaction, ctx.tenant, activation.workflow).await?;
        rows::insert(transaction, wanted).await.map_err(taken_meanwhile)?;
        Ok(rows::touch(transaction, ctx.tenant, now).await?)
    }

    async fn deactivating(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        workflow: WorkflowId,
    ) -> Result<(), database::Error> {
        queue::set_events(transaction, ctx.tenant, workflow, &[]).await?;
        rows::delete(transaction, ctx.tenant, workflow).await?;
        rows::touch(transaction, ctx.tenant, self.clock.now()).await
    }

    async fn settled(&self, tenant: TenantId, _: WorkflowId) {
        self.changed(tenant).await;
    }
}

/// The path with its parameters' names left out: two patterns that differ in names only take the same requests.
fn shape(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.strip_prefix(':') {
        Some(name) if !name.is_empty() => ":",
        _ => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The events that the document wants to be run for.
fn trigger_events(document: &Document) -> Result<Vec<String>, Problem> {
    #[derive(serde::Deserialize)]
    struct Wants {
        #[serde(default, rename = "triggerEvents")]
        trigger_events: Option<Vec<String>>,
    }
    let wrong = || {
        let message = format!("a list of up to {MOST_EVENTS} names of events, each of 1 to {MAX_EVENT} bytes");
        Problem::new("/triggerEvents", "webhook.events_not_valid", message)
    };
    let wants: Wants = serde_json::from_str(document.as_str()).map_err(|_| wrong())?;
    let mut events = wants.trigger_events.unwrap_or_default();
    events.sort();
    events.dedup();
    let is_name = |event: &String| !event.trim().is_empty() && event.len() <= MAX_EVENT;
    if events.len() <= MOST_EVENTS && events.iter().all(is_name) { Ok(events) } else { Err(wrong()) }
}

fn settings_problems(activation: &Activation<'_>) -> Vec<Problem> {
    let compiled = millrace_runner::Compiled::new(Arc::new(activation.parsed.clone()), &millrace_runner::BuiltIn);
    let webhooks = activation.parsed.indices().filter(|index| {
        let node = activation.parsed.node(*index);
        !node.disabled && matches!(node.kind.as_str(), "n8n-nodes-base.webhook" | FORM_TRIGGER)
    });
    webhooks.flat_map(|index| Receiver::problems(&compiled, index)).collect()
}

/// Another activation took one of the paths at the same time.
fn taken_meanwhile(error: database::Error) -> Refusal {
    if !database::is_unique_violation(&error) {
        return error.into();
    }
    let message = "another workflow that is being activated takes one of its webhook paths".to_owned();
    Refusal::Conflict { code: PATH_TAKEN, message, problems: Vec::new() }
}

/// Refuses endpoints that another workflow has, or that stand twice in this one.
fn refuse_conflicts(endpoints: &[Endpoint], wanted: &[Row], taken: &[Row]) -> Result<(), Refusal> {
    let mut problems = Vec::new();
    for (at, (endpoint, row)) in endpoints.iter().zip(wanted).enumerate() {
        let same = |other: &&Row| other.method == row.method && other.shape == row.shape;
        let owner =
            taken.iter().find(same).map(|other| format!("workflow {} (node \"{}\")", other.workflow_id, other.node));
        let twin =
            wanted.iter().take(at).find(same).map(|other| format!("the node \"{}\" of this workflow", other.node));
        if let Some(owner) = owner.or(twin) {
            let message = format!("{} /{} is taken by {owner}", row.method, row.path);
            let pointer = format!("/nodes/{}/parameters/path", endpoint.node.0);
            problems.push(Problem::new(pointer, PATH_TAKEN.code, message));
        }
    }
    match problems.first() {
        None => Ok(()),
        Some(first) => Err(Refusal::Conflict { code: PATH_TAKEN, message: first.message.clone(), problems }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parameters_do_not_count() {
        for (path, expected) in [("a/b", "a/b"), ("u/:id/x", "u/:/x"), (":a/:b", ":/:"), ("a/:", "a/:"), ("", "")] {
            assert_eq!(shape(path), expected);
        }
    }
}
