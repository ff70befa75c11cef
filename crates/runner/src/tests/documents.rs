//! The result document, and what the command line accepts.

use millrace_engine::Status;
use millrace_model::{Item, Object, Value};
use tokio_util::sync::CancellationToken;

use super::stage::{Performance, chain, frozen, options};
use crate::{Document, LocalExecution, Unobserved};

#[tokio::test]
async fn has_n8ns_shape() {
    let (run, outcome) = Performance::default().run(&chain(&["start", r#"effect {"text": "fail"}"#])).await;
    let document = serde_json::to_string(&Document { run: &run, outcome: &outcome, mode: "manual" }).expect("JSON");
    let expected = concat!(
        r#"{"status":"error","finished":false,"mode":"manual","data":{"resultData":{"#,
        r#""error":{"name":"NodeOperationError","message":"told to","node":"N1"},"lastNodeExecuted":"N1","runData":{"#,
        r#""N0":[{"startTime":1700000000000,"executionIndex":0,"source":[],"executionTime":0,"executionStatus":"success","#,
        r#""itemsIn":1,"itemsOut":1,"#,
        r#""data":{"main":[[{"json":{},"pairedItem":{"item":0}}]]}}],"#,
        r#""N1":[{"startTime":1700000000000,"executionIndex":1,"#,
        r#""source":[{"previousNode":"N0","previousNodeOutput":0,"previousNodeRun":0}],"#,
        r#""executionTime":0,"executionStatus":"error","itemsIn":1,"itemsOut":0,"#,
        r#""error":{"name":"NodeOperationError","message":"told to","node":"N1"}}]}}}}"#,
    );
    assert_eq!(document, expected);
}

fn execution(document: Value) -> LocalExecution {
    LocalExecution {
        document,
        input: None,
        mode: "manual".into(),
        timezone: "UTC".into(),
        clock: frozen(),
        honour_pins: false,
        options: options(),
    }
}

#[tokio::test]
async fn of_two_nodes_with_one_name_the_last_counts() {
    let mut document = chain(&["start", r#"make {"text": "last"}"#]);
    let twin = chain(&["start", r#"make {"text": "first"}"#]);
    let twins = [twin.pointer("nodes.1"), document.pointer("nodes.0"), document.pointer("nodes.1")];
    let twins: Vec<Value> = twins.into_iter().flatten().cloned().collect();
    document.as_object_mut().expect("an object").insert("nodes", twins);
    let run = execution(document).run(&Unobserved, CancellationToken::new()).await;
    let (run, outcome) = run.expect("runs");
    assert_eq!(outcome.status, Status::Success);
    let made = run.workflow().find("N1").and_then(|node| run.data().output(node, 0, 0)).expect("items");
    assert_eq!(made[0].json, Value::Object(Object::from([("text", "last".into())])));
}

#[tokio::test]
async fn takes_input_and_names_problems() {
    let mut with_input = execution(chain(&["start"]));
    with_input.input = Some(vec![Item::empty(), Item::empty()]);
    let (run, _) = with_input.run(&Unobserved, CancellationToken::new()).await.expect("runs");
    assert_eq!(run.data().output(millrace_model::NodeIndex(0), 0, 0).map(|items| items.len()), Some(2));

    for (document, code) in [
        (Value::Null, "workflow.not_an_object"),
        (chain(&["pass", "pass"]), "workflow.no_trigger"),
        (Value::from_json(r#"{"nodes": [{"name": 5}]}"#).expect("JSON"), "node.name_missing"),
    ] {
        let problems = execution(document).run(&Unobserved, CancellationToken::new()).await.expect_err("problems");
        assert_eq!(problems.first().map(|problem| problem.code.as_str()), Some(code));
    }
}
