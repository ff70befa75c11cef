//! Wait: goes on after a time, at a moment, or when its resume URL is called.

#[cfg(test)]
mod tests;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::deadline;
use crate::form::shown_form;
use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output, Wait};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.wait", include_str!("description.json"), Behaviour::Effect(execute));

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        let resume = context.text("resume", 0)?;
        if matches!(resume.as_str(), "webhook" | "form") {
            let until = deadline::limit(context)?;
            let shows = if resume == "form" { Some(shown_form(context)?) } else { None };
            let wait = Wait { until, resume: Some(resume), shows };
            return Ok(Output { wait: Some(wait), ..Output::pass(context) });
        }
        let until = if resume == "specificTime" { deadline::moment(context)? } else { deadline::after(context)? };
        let left = u64::try_from(until.saturating_sub(context.host.now_ms())).unwrap_or(0);
        let left = Duration::from_millis(left);
        if context.host.holds(left) {
            context.host.sleep(left).await;
            return Ok(Output::pass(context));
        }
        Ok(Output { wait: Some(Wait { until: Some(until), ..Wait::default() }), ..Output::pass(context) })
    }
    .boxed()
}
