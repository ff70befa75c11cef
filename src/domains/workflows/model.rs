//! What the domain checks of a workflow before it keeps it, and before it lets it run. Pure.

use std::collections::BTreeSet;

use millrace_model::{NodeIndex, Problem, Str, Workflow};
use millrace_nodes::{Role, inferred_connections};
use millrace_runner::Compiled;

use super::document::Document;
use super::endpoints::{queue_of, webhook_endpoints};
use crate::domains::tenants::OpenPools;

/// Longest name and longest tag, in characters; n8n's limit for names.
pub(super) const MAX_NAME: usize = 128;
/// Longest id taken over from elsewhere, in bytes.
const MAX_ALIAS: usize = 255;
const NO_TRIGGER: &str = "workflow.no_trigger";
/// Name of an imported workflow that has none.
const DEFAULT_NAME: &str = "My workflow";

/// A document that may be kept: it can be read, and its nodes and connections fit together. Whether it can run is
/// another question: a workflow with a node type that is not known here is kept, so that it can be mended here.
#[derive(Debug)]
pub(super) struct Checked {
    pub document: Document,
    pub parsed: Workflow,
    pub name: String,
    /// The id it goes by elsewhere.
    pub alias: Option<String>,
    pub tags: Vec<String>,
    /// The document has a list of tags, be it empty.
    pub names_tags: bool,
}

impl Checked {
    /// Checks a document of a tenant that may use these pools. Problems carry `pointer` in front of their own.
    pub(super) fn new(
        document: Document,
        pointer: &str,
        name_required: bool,
        pools: &OpenPools,
    ) -> Result<Checked, Vec<Problem>> {
        let mut problems = Vec::new();
        let parsed = document.parse().map_err(|found| under(pointer, found))?;
        let name = match parsed.name.trim() {
            "" if name_required => {
                problems.push(Problem::new("/name", "workflow.name_missing", "a workflow needs a name"));
                String::new()
            }
            "" => DEFAULT_NAME.to_owned(),
            name => name.to_owned(),
        };
        check_text("/name", &name, MAX_NAME, &mut problems);
        let alias = Some(parsed.id.as_str()).filter(|id| !id.is_empty()).map(str::to_owned);
        if let Some(alias) = &alias {
            check_text("/id", alias, MAX_ALIAS, &mut problems);
        }
        let pool = parsed.settings.document.get("workerPool").filter(|pool| !pool.is_nullish());
        if pool.is_some_and(|pool| pool.as_str().is_none_or(|name| !pools.has(name))) {
            problems.push(Problem::new("/settings/workerPool", "worker_pool_unknown", pools.advice()));
        }
        let tags = tag_names(&document, &mut problems);
        if problems.is_empty() {
            let names_tags = tags.is_some();
            Ok(Checked { document, parsed, name, alias, tags: tags.unwrap_or_default(), names_tags })
        } else {
            Err(under(pointer, problems))
        }
    }
}

/// What keeps a workflow from running: unknown node types, disabled triggers and the like. One without a trigger runs
/// when it is called; see `warnings_of`.
pub fn problems_of(compiled: &Compiled) -> Vec<Problem> {
    let mut problems = compiled.problems();
    if compiled.entry().is_some() {
        problems.retain(|problem| problem.code != NO_TRIGGER);
    }
    problems
}

/// What a person should know who has just handed in the workflow, although it can run.
pub(super) fn warnings_of(parsed: &Workflow, compiled: &Compiled) -> Vec<Problem> {
    let mut warnings = Vec::new();
    let inferred = inferred_connections(parsed);
    if !inferred.is_empty() {
        let name = |index: NodeIndex| &parsed.node(index).name;
        let edges = inferred.iter().map(|edge| match edge.output {
            0 => format!("\"{}\" → \"{}\"", name(edge.source), name(edge.target)),
            output => format!("\"{}\" (output {output}) → \"{}\"", name(edge.source), name(edge.target)),
        });
        let message = format!(
            "the document names no connections; they were read from where its nodes stand: {}",
            edges.collect::<Vec<_>>().join(", ")
        );
        warnings.push(Problem::new("/connections", "connections.inferred", message));
    }
    let listens = parsed.indices().any(|index| queue_of(parsed, index).is_some());
    if !listens && compiled.start().is_none() && compiled.entry().is_some() {
        let message = "the workflow has no trigger node: it runs only when it is triggered over the API";
        warnings.push(Problem::new("/nodes", NO_TRIGGER, message));
    }
    warnings
}

/// What keeps a workflow from being in production, besides [`problems_of`].
pub(super) fn activation_problems(parsed: &Workflow) -> Vec<Problem> {
    let (_, mut problems) = webhook_endpoints(parsed);
    if trigger_count(parsed) == 0 {
        let message = "nothing can begin this workflow: activate a trigger or webhook node";
        problems.push(Problem::new("/nodes", NO_TRIGGER, message));
    }
    problems
}

/// Enabled nodes that begin runs without a person.
pub(super) fn trigger_count(parsed: &Workflow) -> usize {
    let begins = |kind: &Str| {
        kind != "n8n-nodes-base.manualTrigger"
            && millrace_nodes::registry::find(kind)
                .is_some_and(|found| matches!(found.role, Role::Trigger | Role::Webhook))
    };
    let triggers = parsed.nodes.iter().filter(|node| !node.disabled && begins(&node.kind)).count();
    triggers + parsed.indices().filter(|index| queue_of(parsed, *index).is_some()).count()
}

/// Names in the document's `tags`: objects with a name as n8n exports them, or bare names. `None`: it has no such list.
fn tag_names(document: &Document, problems: &mut Vec<Problem>) -> Option<Vec<String>> {
    let tags = document.field::<Vec<serde_json::Value>>("tags")?;
    let mut names = BTreeSet::new();
    for (at, tag) in tags.iter().enumerate() {
        let name = tag.as_str().or_else(|| tag.get("name").and_then(serde_json::Value::as_str));
        let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else { continue };
        check_text(&format!("/tags/{at}"), name, MAX_NAME, problems);
        names.insert(name.to_owned());
    }
    Some(names.into_iter().collect())
}

fn check_text(pointer: &str, text: &str, longest: usize, problems: &mut Vec<Problem>) {
    if text.chars().count() > longest {
        problems.push(Problem::new(pointer, "length", format!("must be at most {longest} characters long")));
    }
    if text.chars().any(char::is_control) {
        problems.push(Problem::new(pointer, "control_characters", "must not hold control characters"));
    }
}

fn under(pointer: &str, problems: Vec<Problem>) -> Vec<Problem> {
    let moved =
        problems.into_iter().map(|problem| Problem { pointer: format!("{pointer}{}", problem.pointer), ..problem });
    moved.collect()
}
