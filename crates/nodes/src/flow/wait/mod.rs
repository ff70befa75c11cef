//! Wait: goes on after a time, at a moment, or when its resume URL is called.

mod deadline;
#[cfg(test)]
mod tests;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output, Wait};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.wait", include_str!("description.json"), Behaviour::Effect(execute));

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        let resume = context.text("resume", 0)?;
        if matches!(resume.as_str(), "webhook" | "form") {
            let until = deadline::limit(context)?;
            let wait = Wait { until, resume: Some(resume) };
            return Ok(Output { wait: Some(wait), ..Output::pass(context) });
        }
        let until = if resume == "specificTime" { deadline::moment(context)? } else { deadline::after(context)? };
        let left = u64::try_from(until.saturating_sub(context.host.now_ms())).unwrap_or(0);
        let left = Duration::from_millis(left);
        if context.host.holds(left) {
            context.host.sleep(left).await;
            return Ok(Output::pass(context));
        }
        Ok(Output { wait: Some(Wait { until: Some(until), resume: None }), ..Output::pass(context) })
    }
    .boxed()
}
