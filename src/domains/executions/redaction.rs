//! Fields that are not to be kept: a workflow names them in its settings (`"redactFields": ["password", "card"]`), and the
//! record of an execution has a mark in their place, wherever they are in items. What a run needs to go on is kept.

use millrace_model::{Value, Workflow};

/// Stands where something is not shown; n8n's mark.
const HIDDEN: &str = "**hidden**";

/// Names of fields that the workflow wants hidden, in lower case.
pub(super) fn fields(workflow: &Workflow) -> Vec<String> {
    let listed = workflow.settings.document.get("redactFields").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_lowercase())).collect()
}

/// Hides them in a record; in what nodes put out and in what workflows wrote, whatever their values are.
pub(super) fn hide(record: &mut serde_json::Value, fields: &[String]) {
    match record {
        serde_json::Value::Array(list) => list.iter_mut().for_each(|value| hide(value, fields)),
        serde_json::Value::Object(object) => {
            for (name, value) in object {
                if fields.contains(&name.to_lowercase()) {
                    *value = HIDDEN.into();
                } else {
                    hide(value, fields);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_hidden_wherever_they_are() {
        let mut record = json!({ "a": [{ "Password": { "x": 1 }, "b": { "password": null, "c": 1 } }] });
        hide(&mut record, &["password".to_owned()]);
        assert_eq!(record, json!({ "a": [{ "Password": HIDDEN, "b": { "password": HIDDEN, "c": 1 } }] }));
    }
}
