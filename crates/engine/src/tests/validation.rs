//! Which workflows can run, and where they begin.

use millrace_model::Node;

use super::graph::Graph;
use crate::{Kind, choose_start, choose_start_of_call, validate};

fn kind(node: &Node) -> Option<Kind> {
    match node.short_kind() {
        "plain" | "formTrigger" => Some(Kind::Regular),
        "schedule" | "manualTrigger" | "executeWorkflowTrigger" => Some(Kind::Trigger),
        "webhook" => Some(Kind::Webhook),
        "note" => Some(Kind::Annotation),
        _ => None,
    }
}

#[test]
fn names_every_problem() {
    let table = [
        ("S type=schedule -> A\nA", ""),
        ("W type=webhook", ""),
        ("A\nB", "/nodes workflow.no_trigger"),
        ("A\nS type=schedule off\nW type=webhook off", "/nodes/1/disabled workflow.trigger_disabled"),
        (
            "S type=schedule\nA type=none\nB type=other",
            "/nodes/1/type node.unknown_type, /nodes/2/type node.unknown_type",
        ),
        ("S type=schedule\nA type=none off", ""),
    ];
    for (text, expected) in table {
        let problems = validate(&Graph::new("v1", text).workflow, &kind);
        let problems: Vec<_> = problems.iter().map(|problem| format!("{} {}", problem.pointer, problem.code)).collect();
        assert_eq!(problems.join(", "), expected, "{text}");
    }
}

#[test]
fn chooses_where_to_begin() {
    let table = [
        ("A", Some(0)),
        ("N type=note\nA", Some(1)),
        ("A\nS type=schedule\nM type=manualTrigger", Some(1)),
        ("A\nS type=schedule off\nM type=manualTrigger", Some(2)),
        ("A\nF type=formTrigger\nW type=webhook", Some(1)),
        ("A\nW type=webhook", Some(1)),
        ("A\nB", None),
    ];
    for (text, expected) in table {
        let graph = Graph::new("v1", text);
        assert_eq!(choose_start(&graph.workflow, &kind).map(|node| node.0), expected, "{text}");
    }
    let called = Graph::new("v1", "M type=manualTrigger\nE type=executeWorkflowTrigger");
    assert_eq!(choose_start_of_call(&called.workflow).map(|node| node.0), Some(1));
    assert_eq!(choose_start_of_call(&Graph::new("v1", "M type=manualTrigger").workflow), None);
}
