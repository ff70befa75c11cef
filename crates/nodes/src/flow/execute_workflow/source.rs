//! Which workflow is called: one of the tenant's by id, or a document from a parameter, a file or a URL.

use millrace_model::{ExecutionError, Str, Value};

use crate::{CallSource, HttpRequest, NodeContext};

pub(super) async fn of(context: &mut NodeContext<'_>, at: usize) -> Result<CallSource, ExecutionError> {
    match context.text("source", at)?.as_str() {
        "parameter" => {
            let text = context.parameter("workflowJson", at)?;
            document(text, "The JSON of the workflow is not valid JSON").map(CallSource::Document)
        }
        "localFile" => {
            let path = context.text("workflowPath", at)?;
            let bytes = context.host.read_file(&path).await.map_err(|error| {
                ExecutionError::operation(format!("The file \"{path}\" could not be found, [item {at}]"))
                    .describe(error.message)
                    .at_item(at)
            })?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            document(text.into(), "The file content is not valid JSON").map(CallSource::Document)
        }
        "url" => {
            let url = context.text("workflowUrl", at)?;
            let request = HttpRequest {
                method: "GET".into(),
                url: url.to_string(),
                follow_redirects: true,
                headers: vec![("accept".into(), "application/json,text/*;q=0.99".into())],
                ..HttpRequest::default()
            };
            let response = context.host.http(request).await;
            let response = response.map_err(|error| ExecutionError::api(error.message).at_item(at))?;
            if !(200..300).contains(&response.status) {
                let message = format!("The workflow could not be fetched: the server answered {}", response.status);
                return Err(ExecutionError::api(message).at_item(at));
            }
            let text = String::from_utf8_lossy(&response.body).into_owned();
            document(text.into(), "The file content is not valid JSON").map(CallSource::Document)
        }
        _ => id(context.parameter("workflowId", at)?).map(CallSource::Id),
    }
}

/// The id that a text, a number or a resource locator holds.
fn id(value: Value) -> Result<Str, ExecutionError> {
    let value = match value {
        Value::Object(locator) => locator.get("value").cloned().unwrap_or_default(),
        other => other,
    };
    let id = if value.is_nullish() { Str::new() } else { value.to_js_string() };
    if id.is_empty() {
        return Err(ExecutionError::operation(
            "No information about the workflow to execute found. Please provide either the \"id\" or \"code\"!",
        ));
    }
    Ok(id)
}

fn document(value: Value, message: &str) -> Result<Value, ExecutionError> {
    match value {
        Value::String(text) => {
            Value::from_json(&text).map_err(|error| ExecutionError::operation(message).describe(error.to_string()))
        }
        other => Ok(other),
    }
}
