//! RSS Feed Trigger: looks for new entries of a feed at its poll times. What it has seen it keeps with the run that saw it,
//! so that a run which is repeated after a crash sees the same again.

#[cfg(test)]
mod tests;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use millrace_model::{ExecutionError, Item, Object, Value};

use super::rss_feed_read::fetch;
use crate::{Behaviour, Capability, NodeContext, NodeResult, NodeType, Output, Role};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.rssFeedReadTrigger", include_str!("description.json"), Behaviour::Effect(execute))
        .role(Role::Trigger)
        .needs(&[Capability::Network]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        let url = context.text("feedUrl", 0)?;
        let entries = fetch(context.host, &url, false, &[]).await?;
        if context.globals.mode == "manual" {
            let newest = entries.into_iter().next().ok_or_else(|| ExecutionError::operation("The feed is empty"))?;
            return Ok(Output::items([Item::new(newest).paired(0)]));
        }
        let key = format!("poll:{}", context.node().name);
        let kept = context.host.recall(&key).await?.unwrap_or_default();
        let since = since(&kept, &context.globals.execution_id, context.host.now_ms());
        let (mut last, mut new) = (since, Vec::new());
        for entry in entries {
            let Some(at) = date_of(&entry).filter(|at| *at > since) else { continue };
            last = last.max(at);
            new.push(Item::new(entry).paired(0));
        }
        let seen = Object::from([
            ("by", Value::from(context.globals.execution_id.clone())),
            ("since", since.to_string().into()),
            ("last", last.to_string().into()),
        ]);
        context.host.remember(&key, seen.into()).await?;
        Ok(Output::items(new))
    }
    .boxed()
}

/// Entries after this one count: those that the poll before this one has not seen.
fn since(kept: &Value, execution: &str, now_ms: i64) -> Timestamp {
    let is_repeated = kept.get("by").and_then(Value::as_str) == Some(execution);
    let known = kept.get(if is_repeated { "since" } else { "last" }).and_then(Value::as_str);
    let now = || Timestamp::from_millisecond(now_ms).unwrap_or_default();
    known.and_then(|text| text.parse().ok()).unwrap_or_else(now)
}

fn date_of(entry: &Object) -> Option<Timestamp> {
    entry.get("isoDate").and_then(Value::as_str)?.parse().ok()
}
