//! Schedules that come with workflows: one for each rule of an enabled trigger node, kept through versions so that saving
//! a workflow does not set its clocks back. An inactive workflow's schedules lie dormant.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use millrace_model::{NodeIndex, Problem};
use millrace_nodes::{NodeType, registry, schedule as rules};
use millrace_runner::{BuiltIn, Compiled};

use super::definition::find_zone;
use super::model::{Origin, State};
use super::repository::{self as rows, Row};
use super::rule::Rule;
use super::service::blank;
use super::timetable::Timetable;
use crate::common::{Clock, Ctx, ScheduleId, TenantId, Timestamp, WorkflowId};
use crate::domains::workflows::{Activation, Refusal, WorkflowHooks};
use crate::infrastructure::database::{self, Transaction};

/// Keeps the schedules of workflows in step with what is in production.
pub struct Activations {
    clock: Arc<dyn Clock>,
    /// The zone of workflows that name none.
    default_zone: Arc<str>,
}

/// A rule of a trigger node.
struct Wanted {
    node: String,
    position: i32,
    rule: String,
}

impl Activations {
    pub fn new(clock: Arc<dyn Clock>, default_zone: &str) -> Activations {
        Activations { clock, default_zone: default_zone.into() }
    }

    async fn disarm(&self, ctx: &Ctx, transaction: &Transaction, workflow: WorkflowId) -> Result<(), database::Error> {
        for mut row in rows::lock_of_workflow(transaction, ctx.tenant, workflow).await? {
            row.version_id = None;
            row.disarm(if row.state == State::Active { State::Dormant } else { row.state });
            rows::update(transaction, row).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl WorkflowHooks for Activations {
    async fn activating(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        activation: &Activation<'_>,
    ) -> Result<(), Refusal> {
        let now = self.clock.now();
        let zone = zone_of(activation, &self.default_zone);
        let mut wanted = wanted(activation, &zone, now).map_err(Refusal::Invalid)?;
        let mut gone = Vec::new();
        for mut row in rows::lock_of_workflow(transaction, ctx.tenant, activation.workflow).await? {
            if row.origin == Origin::Workflow {
                let is_it =
                    |wanted: &Wanted| Some(&wanted.node) == row.node.as_ref() && wanted.position == row.position;
                let Some(at) = wanted.iter().position(is_it) else {
                    gone.push(row.id);
                    continue;
                };
                let wanted = wanted.swap_remove(at);
                if row.rule != wanted.rule || row.zone != zone {
                    (row.rule, row.zone, row.anchor) = (wanted.rule, zone.clone(), now);
                    row.last_due_at = None;
                    row.disarm(if row.state == State::Paused { State::Paused } else { State::Dormant });
                }
            }
            row.version_id = Some(activation.version);
            if row.state == State::Dormant {
                row.arm(now).map_err(|error| database::Error::Custom(error.to_string()))?;
            }
            row.updated_at = now;
            rows::update(transaction, row).await?;
        }
        rows::delete(transaction, ctx.tenant, &gone).await?;
        let mut new = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let mut row = Row {
                id: ScheduleId::new(),
                tenant_id: ctx.tenant,
                workflow_id: activation.workflow,
                version_id: Some(activation.version),
                name: wanted.node.chars().take(128).collect(),
                node: Some(wanted.node),
                position: wanted.position,
                rule: wanted.rule,
                zone: zone.clone(),
                anchor: now,
                created_at: now,
                updated_at: now,
                ..blank(Origin::Workflow)
            };
            row.arm(now).map_err(|error| database::Error::Custom(error.to_string()))?;
            new.push(row);
        }
        Ok(rows::insert(transaction, new).await?)
    }

    async fn deactivating(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        workflow: WorkflowId,
    ) -> Result<(), database::Error> {
        self.disarm(ctx, transaction, workflow).await
    }

    async fn deleting(
        &self,
        ctx: &Ctx,
        transaction: &Transaction,
        workflow: WorkflowId,
    ) -> Result<(), database::Error> {
        let own = rows::lock_of_workflow(transaction, ctx.tenant, workflow).await?;
        let ids: Vec<ScheduleId> = own.iter().map(|row| row.id).collect();
        rows::delete(transaction, ctx.tenant, &ids).await
    }

    /// Schedulers look for what is due by themselves.
    async fn settled(&self, _: TenantId, _: WorkflowId) {}
}

/// The workflow's zone, or else the server's.
fn zone_of(activation: &Activation<'_>, default: &str) -> String {
    let own = activation.parsed.settings.timezone.as_deref().filter(|zone| !zone.is_empty() && *zone != "DEFAULT");
    own.unwrap_or(default).to_owned()
}

/// The rules of all enabled trigger nodes; what is wrong with any of them refuses the activation.
fn wanted(activation: &Activation<'_>, zone: &str, now: Timestamp) -> Result<Vec<Wanted>, Vec<Problem>> {
    let compiled = Compiled::new(Arc::new(activation.parsed.clone()), &BuiltIn);
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for index in activation.parsed.indices() {
        let node = activation.parsed.node(index);
        if node.disabled {
            continue;
        }
        let rules = match rules_of(&compiled, index, spread(activation.workflow, &node.name)) {
            Ok(rules) => rules,
            Err(message) => {
                problems.push(problem(index, message));
                continue;
            }
        };
        for (position, rule) in (0..).zip(rules) {
            let rule = Rule::from(rule);
            match check(&rule, zone, now) {
                Ok(()) => found.push(Wanted { node: node.name.to_string(), position, rule: rule.to_json() }),
                Err(message) => problems.push(problem(index, message)),
            }
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn rules_of(compiled: &Compiled, index: NodeIndex, spread: u64) -> Result<Vec<rules::Rule>, String> {
    let parameters = &compiled.node(index).parameters;
    match compiled.workflow().node(index).kind.as_str() {
        "n8n-nodes-base.scheduleTrigger" => Ok(rules::of_schedule_trigger(parameters, spread)),
        "n8n-nodes-base.cron" => Ok(rules::of_cron(parameters, spread)),
        "n8n-nodes-base.interval" => {
            rules::of_interval_node(parameters).map(|rule| vec![rule]).map_err(|error| error.message.to_string())
        }
        kind => {
            let polls = |node: &'static NodeType| {
                registry::description(node).variant(compiled.workflow().node(index).version).polls()
            };
            let is_poll = registry::find(kind).is_some_and(polls);
            Ok(if is_poll { rules::of_polls(parameters, spread) } else { Vec::new() })
        }
    }
}

fn check(rule: &Rule, zone: &str, now: Timestamp) -> Result<(), String> {
    let zone = find_zone(zone).map_err(|fault| format!("the time zone \"{zone}\" {}", fault.message))?;
    let timetable = Timetable::new(rule, zone, now).map_err(|fault| fault.to_string())?;
    match timetable.next(now, None) {
        Some(_) => Ok(()),
        None => Err("the times of this rule never come".to_owned()),
    }
}

fn problem(node: NodeIndex, message: String) -> Problem {
    Problem::new(format!("/nodes/{}/parameters", node.0), "schedule.rule_not_valid", message)
}

/// Chooses what the user left open, such as the second, so that not all workflows fire at once.
fn spread(workflow: WorkflowId, node: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (workflow, node).hash(&mut hasher);
    hasher.finish()
}
