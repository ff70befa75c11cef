//! The same events give the same state, also after a journey through JSON.

use super::graph::{Graph, trace};
use crate::{Event, Resume, Status};

#[test]
fn events_rebuild_a_run() {
    let text = "S emit=3 -> I L\nI at=0,0 first=1 outputs=2 -> A | M.1\nA fail=1 tries=2 -> M\nM -> W\nW wait -> Z\n\
                L at=0,9 loop=2 outputs=2 -> Z | B\nB soft=9 on=error -> L | L\nZ";
    let graph = Graph::new("v1", text);
    let (mut run, mut events) = (graph.start(), Vec::new());
    while graph.drive(&mut run, &mut events).is_none() {
        let resume = Resume { outputs: None, at_ms: 9000 };
        events.push(Event::Resumed(resume.clone()));
        run.resume(resume);
    }
    let journal = serde_json::to_string(&events).expect("JSON");
    for cut in 0..=events.len() {
        let mut again = graph.start();
        let replayed: Vec<Event> = serde_json::from_str(&journal).expect("events");
        replayed.into_iter().take(cut).for_each(|event| again.apply(event));
        while graph.drive(&mut again, &mut Vec::new()).is_none() {
            again.resume(Resume { outputs: None, at_ms: 9000 });
        }
        assert_eq!(trace(&again), trace(&run), "after {cut} events");
        assert_eq!(again.status(), Status::Success);
        let records = |run: &crate::Run| format!("{:?}", run.data());
        assert_eq!(records(&again), records(&run), "after {cut} events");
    }
}
