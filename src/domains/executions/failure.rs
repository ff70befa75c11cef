//! What follows from the end of an execution: the error workflow of one that failed, the mark on one that was retried.

use std::sync::Arc;

use millrace_engine::Outcome;
use millrace_model::{Item, NodeIndex, Object, Value, Workflow};

use super::attempt::Attempt;
use super::executor::{Executor, Launch};
use super::model::{Mode, Status};
use super::programs::Program;
use super::repository as rows;

const ERROR_TRIGGER: &str = "n8n-nodes-base.errorTrigger";

pub(super) async fn follow_up(executor: &Executor, attempt: &Attempt, status: Status, outcome: &Outcome) {
    if status == Status::Success
        && let Some(original) = attempt.row.retry_of
    {
        let parts = &executor.0;
        let marked = rows::set_retry_success(
            &parts.database.write(attempt.row.tenant_id),
            attempt.row.tenant_id,
            original,
            attempt.row.id,
        )
        .await;
        if let Err(error) = marked {
            tracing::warn!(execution = %original, %error, "a retried execution could not be marked");
        }
    }
    // An error workflow that fails calls no error workflow, or two of them could go on for ever.
    if status == Status::Error && attempt.row.mode.is_production() && attempt.row.mode != Mode::Error {
        run_error_workflow(executor, attempt, outcome).await;
    }
}

/// Starts the workflow that is to run when this one fails: the one its settings name, else itself where it has an error
/// trigger.
async fn run_error_workflow(executor: &Executor, attempt: &Attempt, outcome: &Outcome) {
    let failed = attempt.program.workflow();
    let program = match &failed.settings.error_workflow {
        Some(reference) => match executor.0.programs.production(attempt.row.tenant_id, reference).await {
            Ok(program) => program,
            Err(error) => {
                tracing::warn!(execution = %attempt.row.id, %reference, %error, "there is no such error workflow");
                return;
            }
        },
        None => Arc::clone(&attempt.program),
    };
    let Some(node) = error_trigger(program.workflow()) else { return };
    let launch = Launch {
        mode: Mode::Error,
        node,
        items: Arc::new(vec![description(executor, attempt, outcome)]),
        output: 0,
        honour_pins: false,
        parent: None,
        retry_of: None,
        program,
    };
    if let Err(error) = executor.submit(launch).await {
        tracing::error!(execution = %attempt.row.id, %error, "the error workflow could not be started");
    }
}

fn error_trigger(workflow: &Workflow) -> Option<NodeIndex> {
    workflow.indices().find(|index| {
        let node = workflow.node(*index);
        node.kind == ERROR_TRIGGER && !node.disabled
    })
}

/// What an error trigger puts out, as n8n describes a failed execution.
fn description(executor: &Executor, attempt: &Attempt, outcome: &Outcome) -> Item {
    let program: &Program = &attempt.program;
    let error = outcome.error.as_deref().map(|error| serde_json::to_value(error).unwrap_or_default());
    let mut execution = Object::from([
        ("id", Value::from(attempt.row.id.to_string())),
        ("url", Value::from(format!("{}/api/v1/executions/{}", executor.0.public_url, attempt.row.id))),
        ("error", error.map_or(Value::Null, Value::from)),
        ("mode", Value::from(attempt.row.mode.as_str())),
    ]);
    if let Some(last) = outcome.last_node {
        execution.insert("lastNodeExecuted", program.workflow().node(last).name.clone());
    }
    if let Some(original) = attempt.row.retry_of {
        execution.insert("retryOf", original.to_string());
    }
    let workflow = Object::from([
        ("id", Value::from(program.workflow.to_string())),
        ("name", Value::from(program.workflow().name.clone())),
    ]);
    Item::new(Object::from([("execution", Value::Object(execution)), ("workflow", Value::Object(workflow))]))
}
