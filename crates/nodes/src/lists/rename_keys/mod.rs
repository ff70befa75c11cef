//! Rename Keys: gives fields other names, one by one or by pattern.

#[cfg(test)]
mod tests;

use millrace_model::{ExecutionError, Item, Object, Str, Value, truthy};

use crate::regular_expression::RegularExpression;
use crate::{NodeContext, NodeResult, NodeType, Output, dot_path};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.renameKeys", include_str!("description.json"), execute);

/// Deepest level that a pattern without a depth reaches.
const MAX_DEPTH: i32 = 128;

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let mut made = Vec::with_capacity(context.items().len());
    for (index, item) in context.items().iter().enumerate() {
        let renames = context.parameter("keys.key", index)?;
        let patterns = context.parameter("additionalOptions.regexReplacement.replacements", index)?;
        let mut json = item.json.as_object().cloned().unwrap_or_default();
        for rename in renames.as_array().unwrap_or_default() {
            rename_key(&item.json, &mut json, rename)?;
        }
        for pattern in patterns.as_array().unwrap_or_default() {
            let pattern = Pattern::of(pattern)?;
            json = pattern.rename(&json, pattern.depth)?;
        }
        made.push(Item { json: json.into(), ..item.clone() }.paired(index));
    }
    Ok(Output::items(made))
}

fn rename_key(original: &Value, json: &mut Object, rename: &Value) -> Result<(), ExecutionError> {
    let text = |name: &str| rename.get(name).map(Value::to_js_string).unwrap_or_default();
    let (from, to) = (text("currentKey"), text("newKey"));
    if from.is_empty() || to.is_empty() || from == to {
        return Ok(());
    }
    let Some(value) = dot_path::get(original, &from).filter(|value| !value.is_undefined()) else { return Ok(()) };
    dot_path::set(json, &to, value.clone())?;
    dot_path::unset(json, &from);
    Ok(())
}

struct Pattern {
    search: RegularExpression,
    replacement: Str,
    depth: i32,
}

impl Pattern {
    fn of(entry: &Value) -> Result<Pattern, ExecutionError> {
        let text = |name: &str| entry.get(name).map(Value::to_js_string).unwrap_or_default();
        let option = |name: &str| entry.get("options").and_then(|options| options.get(name)).cloned();
        let flags = if option("caseInsensitive").is_some_and(|flag| truthy(&flag)) { "i" } else { "" };
        let depth = option("depth").and_then(|depth| depth.as_f64()).filter(|depth| *depth >= 0.0);
        let depth = depth.and_then(millrace_model::to_index).and_then(|depth| i32::try_from(depth).ok());
        Ok(Pattern {
            search: RegularExpression::new(&text("searchRegex"), flags)?,
            replacement: text("replaceRegex"),
            depth: depth.unwrap_or(MAX_DEPTH).min(MAX_DEPTH),
        })
    }

    /// The object with its keys replaced, down to a depth.
    fn rename(&self, object: &Object, depth: i32) -> Result<Object, ExecutionError> {
        let mut renamed = Object::with_capacity(object.len());
        let mut moved = Vec::new();
        for (key, value) in object.iter() {
            let value = if depth == 0 { value.clone() } else { self.inside(value, depth - 1)? };
            let new = self.search.replace(key, &self.replacement)?;
            if new == *key {
                renamed.insert(key.clone(), value);
            } else {
                moved.push((Str::from(new), value));
            }
        }
        for (key, value) in moved {
            renamed.insert(key, value);
        }
        Ok(renamed)
    }

    fn inside(&self, value: &Value, depth: i32) -> Result<Value, ExecutionError> {
        Ok(match value {
            Value::Object(object) => self.rename(object, depth)?.into(),
            Value::Array(values) if depth > 0 => {
                let values: Result<Vec<Value>, ExecutionError> =
                    values.iter().map(|value| self.inside(value, depth - 1)).collect();
                values?.into()
            }
            other => other.clone(),
        })
    }
}
