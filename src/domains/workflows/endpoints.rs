//! The webhook endpoints a workflow asks for: method and path of each webhook node. Pure; who serves them is not known here.

use millrace_model::{Node, NodeIndex, Problem, Str, Value, Workflow};

/// Methods a webhook node may listen to.
const METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];
const MAX_PATH: usize = 512;

/// The type of nodes that are begun by a form.
pub const FORM_TRIGGER: &str = "n8n-nodes-base.formTrigger";
/// What stands before the path of a form in the table of routes.
pub const FORM_PATH: &str = "form/";

/// One method and path that begins the workflow at a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub node: NodeIndex,
    pub method: Str,
    /// Without leading slash; segments that begin with `:` are parameters.
    pub path: Str,
    /// Position of the method in the node's list: where a node listens to several methods, each has its own output.
    pub output: usize,
}

/// Endpoints of all enabled webhook nodes, in the order of the nodes, and what is wrong with the others.
pub fn webhook_endpoints(workflow: &Workflow) -> (Vec<Endpoint>, Vec<Problem>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for index in workflow.indices() {
        let node = workflow.node(index);
        if node.disabled || !matches!(node.kind.as_str(), "n8n-nodes-base.webhook" | FORM_TRIGGER) {
            continue;
        }
        let path = match path_of(node) {
            Ok(path) if node.kind == FORM_TRIGGER => {
                // The page, and what is sent with it.
                let form = |method: &str| Endpoint {
                    node: index,
                    method: method.into(),
                    path: ecow::eco_format!("{FORM_PATH}{path}"),
                    output: 0,
                };
                found.extend(["GET", "POST"].map(form));
                continue;
            }
            Ok(path) => path,
            Err(problem) => {
                problems.push(problem.within(index));
                continue;
            }
        };
        match methods_of(node) {
            Ok(methods) => found.extend(methods.into_iter().enumerate().map(|(output, method)| Endpoint {
                node: index,
                method,
                path: path.clone(),
                output,
            })),
            Err(problem) => problems.push(problem.within(index)),
        }
    }
    (found, problems)
}

/// The list that a node takes messages from: a Redis node written by hand, in front of everything, that names one. It is
/// a trigger though its type is none.
pub fn queue_of(workflow: &Workflow, index: NodeIndex) -> Option<String> {
    let node = workflow.node(index);
    let is_first = workflow.connections.inputs(index).iter().all(Vec::is_empty);
    let is_written_by_hand = !node.document.contains_key("typeVersion");
    let is_queue = node.raw_parameter("resource").and_then(Value::as_str) == Some("queue");
    if node.kind != "n8n-nodes-base.redis" || node.disabled || !is_first || !is_written_by_hand || !is_queue {
        return None;
    }
    Some(node.raw_parameter("queue").map(|queue| queue.to_js_string().trim().to_owned()).unwrap_or_default())
}

struct Fault {
    parameter: &'static str,
    code: &'static str,
    message: String,
}

impl Fault {
    fn within(self, node: NodeIndex) -> Problem {
        Problem::new(format!("/nodes/{}/parameters/{}", node.0, self.parameter), self.code, self.message)
    }
}

/// The path under which the node is called: its own, or the node's webhook id where it has none. Paths with parameters
/// get the webhook id in front, as in n8n, so that two workflows' patterns cannot meet.
fn path_of(node: &Node) -> Result<Str, Fault> {
    let fault = |code, message: &str| Fault { parameter: "path", code, message: message.to_owned() };
    let text = match node.raw_parameter("path") {
        None | Some(Value::Null | Value::Undefined) => "",
        Some(Value::String(text)) => text.trim().trim_matches('/'),
        Some(_) => return Err(fault("webhook.path_not_text", "the path of a webhook is text")),
    };
    if text.starts_with('=') {
        return Err(fault("webhook.path_expression", "the path of a webhook cannot be an expression"));
    }
    let own_id = node.webhook_id.as_deref().filter(|id| !id.is_empty());
    let has_parameters = text.split('/').any(|segment| segment.starts_with(':'));
    let path = match (text, own_id) {
        ("", None) => return Err(fault("webhook.path_missing", "a webhook needs a path")),
        ("", Some(id)) => Str::from(id),
        (text, Some(id)) if has_parameters => ecow::eco_format!("{id}/{text}"),
        (text, _) => Str::from(text),
    };
    if path.len() > MAX_PATH || path.chars().any(char::is_control) {
        let message = format!("the path of a webhook has at most {MAX_PATH} bytes and no control characters");
        return Err(fault("webhook.path_not_valid", &message));
    }
    Ok(path)
}

fn methods_of(node: &Node) -> Result<Vec<Str>, Fault> {
    let multiple = node.raw_parameter("multipleMethods").and_then(Value::as_bool).unwrap_or(false);
    let given: Vec<&str> = match node.raw_parameter("httpMethod") {
        None | Some(Value::Null | Value::Undefined) if multiple => vec!["GET", "POST"],
        None | Some(Value::Null | Value::Undefined) => vec!["GET"],
        Some(Value::String(method)) => vec![method],
        Some(Value::Array(methods)) => methods.iter().filter_map(Value::as_str).collect(),
        Some(_) => Vec::new(),
    };
    let mut methods: Vec<Str> = Vec::with_capacity(given.len());
    for method in given {
        let method = Str::from(method.to_ascii_uppercase());
        if !METHODS.contains(&method.as_str()) {
            let message = format!("\"{method}\" is not one of {}", METHODS.join(", "));
            return Err(Fault { parameter: "httpMethod", code: "webhook.method_unknown", message });
        }
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    if methods.is_empty() {
        let message = "a webhook listens to at least one method".to_owned();
        return Err(Fault { parameter: "httpMethod", code: "webhook.method_missing", message });
    }
    Ok(methods)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(nodes: &str) -> Vec<String> {
        let document = Value::from_json(&format!(r#"{{"nodes":{nodes}}}"#)).unwrap();
        let (endpoints, problems) = webhook_endpoints(&Workflow::parse(&document).unwrap());
        let endpoints = endpoints
            .iter()
            .map(|found| format!("{} {} -> {}/{}", found.method, found.path, found.node.0, found.output));
        endpoints.chain(problems.iter().map(|problem| format!("{} {}", problem.pointer, problem.code))).collect()
    }

    fn node(fields: &str, parameters: &str) -> String {
        format!(r#"[{{"name":"W","type":"n8n-nodes-base.webhook"{fields},"parameters":{parameters}}}]"#)
    }

    #[test]
    fn endpoints_follow_the_parameters() {
        for (fields, parameters, expected) in [
            ("", r#"{"path":"a","httpMethod":"POST"}"#, vec!["POST a -> 0/0"]),
            ("", r#"{"path":"/a/b/"}"#, vec!["GET a/b -> 0/0"]),
            (r#","webhookId":"id-1""#, "{}", vec!["GET id-1 -> 0/0"]),
            (r#","webhookId":"id-1""#, r#"{"path":"u/:id"}"#, vec!["GET id-1/u/:id -> 0/0"]),
            ("", r#"{"path":"u/:id"}"#, vec!["GET u/:id -> 0/0"]),
            (r#","disabled":true"#, r#"{"path":"a"}"#, vec![]),
            (
                "",
                r#"{"path":"a","multipleMethods":true,"httpMethod":["GET","PUT"]}"#,
                vec!["GET a -> 0/0", "PUT a -> 0/1"],
            ),
            ("", "{}", vec!["/nodes/0/parameters/path webhook.path_missing"]),
            (
                r#","type":"n8n-nodes-base.formTrigger""#,
                r#"{"path":"a"}"#,
                vec!["GET form/a -> 0/0", "POST form/a -> 0/0"],
            ),
            ("", r#"{"path":5}"#, vec!["/nodes/0/parameters/path webhook.path_not_text"]),
            ("", r#"{"path":"={{ 1 }}"}"#, vec!["/nodes/0/parameters/path webhook.path_expression"]),
            ("", r#"{"path":"a\nb"}"#, vec!["/nodes/0/parameters/path webhook.path_not_valid"]),
            ("", r#"{"path":"a","httpMethod":"BREW"}"#, vec!["/nodes/0/parameters/httpMethod webhook.method_unknown"]),
            ("", r#"{"path":"a","httpMethod":[]}"#, vec!["/nodes/0/parameters/httpMethod webhook.method_missing"]),
        ] {
            assert_eq!(described(&node(fields, parameters)), expected, "{fields} {parameters}");
        }
    }
}
