//! Answers in parts: lines of JSON, sent while the run goes on, as n8n's callers read them.

use bytes::Bytes;
use millrace_model::{ExecutionError, Node, Object, Str, Value};

use crate::NodeContext;

/// What a part is of a text that a node writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    Begin,
    /// A piece of the text.
    Item,
    End,
}

impl PartKind {
    fn name(self) -> &'static str {
        match self {
            PartKind::Begin => "begin",
            PartKind::Item => "item",
            PartKind::End => "end",
        }
    }
}

impl NodeContext<'_> {
    /// Sends a part of the answer: `{type, content?, metadata: {nodeId, nodeName, itemIndex, runIndex, timestamp}}`. Waits
    /// while the caller has much unread; nothing happens where nobody reads parts.
    pub async fn send_part(&mut self, kind: PartKind, item: usize, content: Option<Str>) -> Result<(), ExecutionError> {
        if !self.host.streams() {
            return Ok(());
        }
        let mut metadata = whose(self.node());
        metadata.insert("itemIndex", item);
        metadata.insert("runIndex", self.run_index);
        metadata.insert("timestamp", self.host.now_ms());
        self.host.send_part(line(kind.name(), content.map(Value::from), metadata)).await
    }

    /// Sends a text that is there already: its beginning, all of it, its end.
    pub async fn send_whole(&mut self, item: usize, content: Option<Str>) -> Result<(), ExecutionError> {
        self.send_part(PartKind::Begin, item, None).await?;
        self.send_part(PartKind::Item, item, content).await?;
        self.send_part(PartKind::End, item, None).await
    }
}

/// The last part of an answer whose run failed: `{type: "error", content, metadata: {nodeId, nodeName, runIndex, itemIndex}}`.
/// As in n8n the content is the error's description, or null: callers are strangers. `failed`: the node, and its run.
pub fn error_part(error: Option<&ExecutionError>, failed: Option<(&Node, usize)>) -> Bytes {
    let description = error.and_then(|error| error.description.clone());
    let item = error.and_then(|error| error.context.get("itemIndex")).filter(|item| !item.is_nullish()).cloned();
    let mut metadata = Object::new();
    if let Some((node, run)) = failed {
        metadata = whose(node);
        metadata.insert("runIndex", run);
        metadata.insert("itemIndex", item.unwrap_or(Value::Number(0.0)));
    }
    line("error", Some(description.map_or(Value::Null, Value::from)), metadata)
}

fn whose(node: &Node) -> Object {
    Object::from([("nodeId", node.id.clone().into()), ("nodeName", node.name.clone().into())])
}

fn line(kind: &str, content: Option<Value>, metadata: Object) -> Bytes {
    let mut part = Object::from([("type", kind.into())]);
    if let Some(content) = content {
        part.insert("content", content);
    }
    part.insert("metadata", metadata);
    let mut line = Value::from(part).to_json();
    line.push('\n');
    line.into()
}
