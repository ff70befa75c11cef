//! Execute Command: a command line on the machine that runs the workflow. Off unless the operator allows it.

use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Object, Value};

use super::vendor_api::Results;
use crate::{Behaviour, Capability, NodeContext, NodeResult, NodeType};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.executeCommand", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Commands]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    Box::pin(async move {
        let once = context.flag("executeOnce", 0)?;
        let count = if once { context.items().len().min(1) } else { context.items().len() };
        let mut results = Results::new();
        for index in 0..count {
            let made = run(context, index).await.map(|json| vec![json]);
            results.add(context, index, made)?;
        }
        results.output()
    })
}

async fn run(context: &mut NodeContext<'_>, index: usize) -> Result<Value, ExecutionError> {
    let command = context.text("command", index)?;
    let (code, output, errors) = context.host.run_command(&command).await?;
    if code != 0 {
        let message = ecow::eco_format!("Command failed: {command}\n{errors}");
        return Err(ExecutionError::operation(message));
    }
    let plain = |text: String| Value::from(text.trim().to_owned());
    Ok(Object::from([("exitCode", Value::from(code)), ("stderr", plain(errors)), ("stdout", plain(output))]).into())
}
