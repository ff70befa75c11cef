//! Nodes against what n8n was observed to do, and the check that every node type is tried in some table.

use std::path::Path;

use millrace_model::Value;

use super::{json, trial};
use crate::registry;

/// The text of all test files below a folder.
fn tests_below(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            tests_below(&path, text);
        } else if name.ends_with("tests.rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_node_type_has_cases() {
    let mut text = String::new();
    tests_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let short = |name: &'static str| name.rsplit('.').next().unwrap_or(name);
    let missing: Vec<&str> =
        registry::all().map(|kind| short(kind.name)).filter(|name| !text.contains(&format!("\"{name}\""))).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

/// Nodes with parameters and items written for this project, and what n8n (2.8) was observed to put out for them.
#[test]
fn nodes_give_what_n8n_gives() {
    let cases = json(include_str!("observed.json"));
    let mut wrong = String::new();
    for case in cases.as_array().unwrap() {
        let text = |value: &Value| value.to_json();
        let inputs: Vec<String> = case.get("inputs").and_then(Value::as_array).unwrap().iter().map(text).collect();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let node = case.get("node").unwrap().to_js_string();
        let trial = trial(&node).version(case.get("version").and_then(Value::as_f64).unwrap());
        let trial = trial.parameters(&case.get("parameters").unwrap().to_json()).inputs(&inputs).goes_on();
        let found = match trial.run() {
            Ok(output) => {
                let lists = output.outputs.iter().map(|items| {
                    let items = items.iter().flat_map(|items| items.iter());
                    Value::array(items.map(|item| item.json.clone()))
                });
                without_empty(Value::array(lists))
            }
            Err(error) => error.message.into(),
        };
        let expected = match case.get("error") {
            Some(message) => message.clone(),
            None => without_empty(case.get("outputs").unwrap().clone()),
        };
        if json(&found.to_json()) != expected {
            let (case, found) = (case.to_json(), found.to_json());
            wrong.push_str(&format!("{case}\n  n8n  {}\n  here {found}\n", expected.to_json()));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Outputs without the empty ones at the end.
fn without_empty(outputs: Value) -> Value {
    let mut outputs = outputs.as_array().unwrap_or_default().to_vec();
    while outputs.last().is_some_and(|items| items.as_array().is_none_or(<[Value]>::is_empty)) {
        outputs.pop();
    }
    outputs.into()
}
