//! Workflows that call workflows.

use millrace_engine::Status;
use millrace_model::NodeIndex;

use super::stage::{Performance, chain, frozen, globals, message, options};
use crate::LocalHost;

async fn call(id: &str, files: &[(&str, &[&str])]) -> (Status, String) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, nodes) in files {
        std::fs::write(folder.path().join(name), chain(nodes).to_json()).expect("written");
    }
    let mut options = options();
    options.workflows = Some(folder.path().to_owned());
    let host = LocalHost::new(options, globals(frozen()));
    let document = chain(&["start", &format!(r#"calls {{"text": "{id}"}}"#)]);
    let (run, outcome) = Performance { host: Some(host), ..Performance::default() }.run(&document).await;
    let items =
        run.data().output(NodeIndex(1), 0, 0).map(|items| items.iter().map(|item| item.json.to_json()).collect());
    (outcome.status, items.map_or_else(|| message(&outcome), |items: Vec<String>| items.join(" ")))
}

#[tokio::test]
async fn give_the_items_of_the_last_node() {
    let child: &[&str] = &["executeWorkflowTrigger", r#"make {"count": 2, "text": "child"}"#];
    let expected = r#"{"text":"child"} {"text":"child"}"#;
    assert_eq!(call("child", &[("child.json", child)]).await, (Status::Success, expected.to_owned()));
}

#[tokio::test]
async fn fail_with_the_error_of_the_called_one() {
    let failing: &[&str] = &["executeWorkflowTrigger", r#"effect {"text": "fail"}"#];
    let itself: &[&str] = &["executeWorkflowTrigger", r#"calls {"text": "loop"}"#];
    let table: [(&str, &str, &[&str], &str); 5] = [
        ("child", "child.json", failing, "told to"),
        ("loop", "loop.json", itself, "Workflows call each other more than 50 levels deep"),
        ("none", "child.json", failing, "Workflow does not exist: \"none\""),
        ("../child", "child.json", failing, "Workflow does not exist: \"../child\""),
        ("plain", "plain.json", &["pass"], "Missing node to start execution"),
    ];
    for (id, name, nodes, expected) in table {
        assert_eq!(call(id, &[(name, nodes)]).await, (Status::Error, expected.to_owned()), "{id}");
    }
}
