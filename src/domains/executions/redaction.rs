//! Fields that are not to be kept: a workflow names them in its settings (`"redactFields": ["password", "card"]`), and the
//! record of an execution has a mark in their place, wherever they are in items. What a run needs to go on is kept.

use millrace_model::Workflow;
use serde_json::Value;

/// Stands where something is not shown; n8n's mark.
const HIDDEN: &str = "**hidden**";

/// Names of fields that the workflow wants hidden, in lower case.
pub(super) fn fields(workflow: &Workflow) -> Vec<String> {
    let listed = workflow.settings.document.get("redactFields").and_then(millrace_model::Value::as_array);
    listed.into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_lowercase())).collect()
}

/// Hides them in the record of an execution: in the items of nodes, in what errors say of items, and in what workflows
/// wrote on it; whatever their values are. Nodes and the parts of the record keep their names.
pub(super) fn hide(record: &mut Value, fields: &[String]) {
    let Some(record) = record.as_object_mut() else { return };
    if let Some(custom) = record.get_mut("customData") {
        hide_within(custom, fields);
    }
    let Some(result) = record.get_mut("data").and_then(|data| data.get_mut("resultData")) else { return };
    if let Some(error) = result.get_mut("error") {
        hide_in_error(error, fields);
    }
    let runs = result.get_mut("runData").and_then(Value::as_object_mut);
    for run in runs.into_iter().flat_map(|runs| runs.values_mut()).filter_map(Value::as_array_mut).flatten() {
        if let Some(error) = run.get_mut("error") {
            hide_in_error(error, fields);
        }
        let outputs = run.pointer_mut("/data/main").and_then(Value::as_array_mut);
        for item in outputs.into_iter().flatten().filter_map(Value::as_array_mut).flatten() {
            if let Some(json) = item.get_mut("json") {
                hide_within(json, fields);
            }
            if let Some(error) = item.get_mut("error") {
                hide_in_error(error, fields);
            }
        }
    }
}

fn hide_in_error(error: &mut Value, fields: &[String]) {
    if let Some(context) = error.get_mut("context") {
        hide_within(context, fields);
    }
}

fn hide_within(value: &mut Value, fields: &[String]) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| hide_within(value, fields)),
        Value::Object(object) => {
            for (name, value) in object {
                if fields.contains(&name.to_lowercase()) {
                    *value = HIDDEN.into();
                } else {
                    hide_within(value, fields);
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
    fn fields_are_hidden_wherever_they_are_in_items() {
        let item =
            |password: Value| json!({ "json": { "Password": password, "b": [{ "password": password, "c": 1 }] } });
        let record = |password: Value| {
            // Nodes and parts of the record may be called as a field is.
            json!({
                "data": { "resultData": {
                    "error": { "message": "no", "context": { "password": password } },
                    "lastNodeExecuted": "password",
                    "runData": { "password": [{ "data": { "main": [null, [item(password.clone())]] }, "json": "kept" }] }
                } },
                "customData": { "password": password, "other": "x" },
                "usage": { "password": 1 }
            })
        };
        let mut hidden = record(json!({ "x": 1 }));
        hide(&mut hidden, &["password".to_owned()]);
        assert_eq!(hidden, record(HIDDEN.into()));
        let mut whole = record(json!(1));
        hide(&mut whole, &["data".to_owned(), "json".to_owned(), "main".to_owned(), "rundata".to_owned()]);
        assert_eq!(whole, record(json!(1)));
    }
}
