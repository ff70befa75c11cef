//! Execute Workflow, by tables.

use bytes::Bytes;
use millrace_model::{ExecutionError, Item, Object};

use crate::testing::{Trial, World, links, shown, trial};
use crate::{CallSource, CallWait};

const ITEMS: &str = r#"[{"n": 1}, {"n": 2}]"#;

fn call(parameters: &str) -> Trial {
    trial("executeWorkflow").parameters(parameters).input(ITEMS)
}

#[test]
fn names_the_workflow() {
    let cases = [
        (1.0, r#"{"workflowId": "w1"}"#, "w1"),
        (1.1, r#"{"workflowId": {"__rl": true, "mode": "id", "value": "w2"}}"#, "w2"),
        (1.3, r#"{"workflowId": {"__rl": true, "mode": "id", "value": "=w{{ $json.n }}"}}"#, "w1"),
        (1.3, r#"{"workflowId": 7}"#, "7"),
    ];
    for (version, parameters, expected) in cases {
        let trial = call(parameters).version(version);
        trial.output();
        let calls = trial.world.calls.lock().unwrap();
        assert!(
            matches!(&calls[0].source, CallSource::Id(id) if id == expected),
            "{parameters}: {:?}",
            calls[0].source
        );
        assert_eq!(calls[0].items.len(), 2, "{parameters}");
    }
    assert!(call(r#"{"workflowId": ""}"#).fails().message.starts_with("No information about the workflow"));
}

#[test]
fn takes_documents_from_elsewhere() {
    let document = r#"{"nodes": []}"#;
    let with_file = |world: World| {
        world.files.lock().unwrap().insert("/w.json".into(), Bytes::from(document));
        world
    };
    let trial = call(r#"{"source": "localFile", "workflowPath": "/w.json"}"#).world(with_file);
    trial.output();
    assert!(
        matches!(&trial.world.calls.lock().unwrap()[0].source, CallSource::Document(found) if found.to_json() == r#"{"nodes":[]}"#)
    );
    let trial = call(r#"{"source": "parameter", "workflowJson": "{\"nodes\": []}"}"#);
    trial.output();
    assert!(matches!(&trial.world.calls.lock().unwrap()[0].source, CallSource::Document(_)));
    assert_eq!(
        call(r#"{"source": "parameter", "workflowJson": "{"}"#).fails().message,
        "The JSON of the workflow is not valid JSON"
    );
    assert_eq!(
        call(r#"{"source": "localFile", "workflowPath": "/none"}"#).fails().message,
        "The file \"/none\" could not be found, [item 0]"
    );
}

#[test]
fn runs_once_or_for_each() {
    let two = |world: World| World {
        call_result: Some(Ok(vec![
            vec![Item::empty(), Item::empty()],
            vec![Item::new(Object::from([("x", 1.into())]))],
        ])),
        ..world
    };
    let once = call(r#"{"workflowId": "w"}"#).world(two).output();
    assert_eq!((links(&once, 0), links(&once, 1)), (vec![vec![0], vec![1]], vec![vec![0, 1]]));
    let trial = call(r#"{"workflowId": "w", "mode": "each"}"#).world(two);
    let each = trial.output();
    assert_eq!((links(&each, 0), links(&each, 1)), (vec![vec![0], vec![0], vec![1], vec![1]], vec![vec![0], vec![1]]));
    let calls = trial.world.calls.lock().unwrap();
    assert_eq!(calls.iter().map(|call| call.items.len()).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn goes_on_without_the_result_where_told() {
    let trial = call(r#"{"workflowId": "w", "options": {"waitForSubWorkflow": false}}"#);
    assert_eq!(trial.gives(), r#"[{"n":1},{"n":2}]"#);
    assert_eq!(trial.world.calls.lock().unwrap()[0].wait, CallWait::No);
}

#[test]
fn maps_its_items() {
    let parameters = r#"{"workflowId": "w", "workflowInputs": {"mappingMode": "defineBelow", "attemptToConvertTypes": true,
        "value": {"double": "={{ $json.n * 2 }}", "text": "5"},
        "schema": [{"id": "double", "type": "number"}, {"id": "text", "type": "number"}, {"id": "n", "removed": true}]}}"#;
    assert_eq!(call(parameters).gives(), r#"[{"double":2,"text":5},{"double":4,"text":5}]"#);
    let wrong = parameters.replace(r#""5""#, r#""five""#);
    let error = call(&wrong).fails();
    assert_eq!(error.message, "Invalid input for 'text' [item 0]");
}

#[test]
fn passes_failures_on() {
    let failing = |world: World| World { call_result: Some(Err(ExecutionError::operation("broken"))), ..world };
    assert_eq!(call(r#"{"workflowId": "w"}"#).world(failing).fails().message, "broken");
    let each = call(r#"{"workflowId": "w", "mode": "each"}"#).world(failing).fails();
    assert_eq!((each.name.as_str(), each.message.as_str()), ("NodeOperationError", "broken"));
    let throwing = |world: World| World { call_result: Some(Err(ExecutionError::new("Error", "broken"))), ..world };
    let each = call(r#"{"workflowId": "w", "mode": "each"}"#).world(throwing).fails();
    assert_eq!(
        (each.message.as_str(), each.description.as_deref()),
        ("Error executing workflow with item at index 0", Some("broken"))
    );
    let going_on = call(r#"{"workflowId": "w", "mode": "each"}"#).world(failing).goes_on().output();
    assert_eq!(shown(&going_on, 0), r#"[{"error":"broken"},{"error":"broken"}]"#);
    let going_on = call(r#"{"workflowId": "w"}"#).world(failing).goes_on().output();
    assert_eq!((shown(&going_on, 0).as_str(), links(&going_on, 0)), (r#"[{"error":"broken"}]"#, vec![vec![0, 1]]));
}
