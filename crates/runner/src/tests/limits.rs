//! What a run survives and what stops it.

use std::time::Duration;

use millrace_engine::Status;
use millrace_expression::Clock;
use millrace_model::NodeIndex;
use tokio_util::sync::CancellationToken;

use super::stage::{Performance, chain, message};
use crate::Limits;

#[tokio::test]
async fn a_panic_fails_the_node() {
    for node in ["panics", r#"effect {"text": "panic"}"#] {
        let (run, outcome) = Performance::default().run(&chain(&["start", node, "pass"])).await;
        assert_eq!(outcome.status, Status::Error, "{node}");
        assert_eq!(message(&outcome), "The node failed because of a defect in it");
        assert!(run.data().of(NodeIndex(2)).is_empty());
    }
}

#[tokio::test]
async fn an_unknown_type_fails_when_its_turn_comes() {
    let (run, outcome) = Performance::default().run(&chain(&["start", "unheardOf"])).await;
    assert_eq!(message(&outcome), "Unrecognized node type: test.unheardOf");
    assert_eq!(run.data().of(NodeIndex(0)).len(), 1);
}

#[tokio::test]
async fn too_many_items_or_bytes_end_the_run() {
    let table = [
        (r#"make {"count": 100}"#, Limits { items: 50, ..Limits::default() }, "more than 50 items"),
        (
            r#"make {"count": 3000, "text": "0123456789012345678901234567890123456789"}"#,
            Limits { bytes: 200_000, ..Limits::default() },
            "more than 0 MB",
        ),
    ];
    for (node, limits, expected) in table {
        let (run, outcome) =
            Performance { limits, ..Performance::default() }.run(&chain(&["start", node, "pass"])).await;
        assert_eq!(outcome.status, Status::Error);
        assert!(message(&outcome).ends_with(expected), "{}", message(&outcome));
        assert!(run.data().of(NodeIndex(2)).is_empty());
    }
}

#[tokio::test]
async fn the_time_limit_and_a_cancel_end_a_sleeping_node() {
    let limits = Limits { timeout: Some(Duration::from_millis(20)), ..Limits::default() };
    let performance = Performance { limits, clock: Clock::System, ..Performance::default() };
    let (_, outcome) = performance.run(&chain(&["start", "sleeps"])).await;
    assert_eq!(outcome.status, Status::Canceled);
    assert_eq!(message(&outcome), "The execution was cancelled because it timed out");

    let cancel = CancellationToken::new();
    let performance = Performance { cancel: cancel.clone(), clock: Clock::System, ..Performance::default() };
    let (document, later) = (chain(&["start", "sleeps"]), Duration::from_millis(20));
    let ((_, outcome), ()) = tokio::join!(performance.run(&document), async {
        tokio::time::sleep(later).await;
        cancel.cancel();
    });
    assert_eq!(
        (outcome.status, message(&outcome).as_str()),
        (Status::Canceled, "The execution was cancelled manually")
    );
}

#[tokio::test]
async fn a_frozen_clock_moves_on_at_once() {
    let (run, outcome) = Performance::default().run(&chain(&["start", "sleeps", "pass"])).await;
    assert_eq!(outcome.status, Status::Success);
    let record = run.data().of(NodeIndex(1)).first().expect("ran");
    assert_eq!((record.start_time, record.execution_time), (1_700_000_000_000, 60_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn scripts_leave_the_thread_to_others() {
    let document =
        chain(&["start", r#"make {"text": "={{ (() => { let n = 0; while (n < 3e6) n++; return n })() }}"}"#]);
    let other = tokio::spawn(async { 42 });
    let (run, outcome) = Performance::default().run(&document).await;
    assert_eq!(outcome.status, Status::Success, "{}", message(&outcome));
    let items = run.data().output(NodeIndex(1), 0, 0).expect("items");
    assert_eq!(items[0].json.get("text").and_then(|text| text.as_str()), Some("3000000"));
    assert_eq!(other.await.expect("ran"), 42);
}
