//! Rules of executions that need no server. What they do with a database is tested through the API, on both databases.

use millrace_model::Value;

use super::input;
use super::programs::Program;
use crate::common::{TenantId, WorkflowId, WorkflowVersionId};
use crate::domains::workflows::Document;

fn program(nodes: &str) -> Program {
    let document = Document::from_stored(format!(r#"{{"id":"old","nodes":{nodes},"connections":{{}}}}"#));
    let (tenant, workflow, version) = (TenantId::new(), WorkflowId::new(), WorkflowVersionId::new());
    Program::new(tenant, workflow, version, &document, "".into()).unwrap()
}

const NODES: &str = r#"[
    {"name":"Hook","type":"n8n-nodes-base.webhook","parameters":{"path":"p"}},
    {"name":"Manual","type":"n8n-nodes-base.manualTrigger"},
    {"name":"Off","type":"n8n-nodes-base.manualTrigger","disabled":true},
    {"name":"Plain","type":"n8n-nodes-base.noOp"}
]"#;

#[test]
fn input_becomes_items_of_the_trigger() {
    let program = program(NODES);
    for (event, input, node, items) in [
        (None, "null", "Manual", "[{}]"),
        (None, r#"{"a":1}"#, "Manual", r#"[{"a":1}]"#),
        (None, r#"[{"a":1},{"json":{"b":2}}]"#, "Manual", r#"[{"a":1},{"b":2}]"#),
        (Some("Manual"), r#"{"a":1}"#, "Manual", r#"[{"a":1}]"#),
        (Some("lead.created"), r#"{"a":1}"#, "Manual", r#"[{"a":1,"triggerEvent":"lead.created"}]"#),
        (Some("Plain"), "{}", "Manual", r#"[{"triggerEvent":"Plain"}]"#),
        (Some("Off"), "{}", "Manual", r#"[{"triggerEvent":"Off"}]"#),
        (Some("Hook"), r#"{"a":1}"#, "Hook", r#"[{"headers":{},"params":{},"query":{},"body":{"a":1}}]"#),
        (Some("Hook"), r#"{"body":{"a":1}}"#, "Hook", r#"[{"body":{"a":1}}]"#),
    ] {
        let start = input::start(&program, event, Some(Value::from_json(input).unwrap())).unwrap();
        assert_eq!(program.workflow().node(start.node).name, node, "{event:?} {input}");
        let found: Vec<String> = start.items.iter().map(|item| item.json.to_json()).collect();
        assert_eq!(format!("[{}]", found.join(",")), items, "{event:?} {input}");
    }
}

#[test]
fn input_that_is_no_object_is_refused() {
    let program = program(NODES);
    for input in ["1", "\"x\"", "[1]", "[[]]", "true"] {
        assert!(input::start(&program, None, Some(Value::from_json(input).unwrap())).is_err(), "{input}");
    }
}

#[test]
fn a_program_goes_by_its_id_here() {
    let program = program(NODES);
    assert_eq!(program.workflow().id, program.workflow.to_string());
    assert_eq!(program.alias.as_deref(), Some("old"));
    assert!(program.problems.is_empty(), "{:?}", program.problems);
}
