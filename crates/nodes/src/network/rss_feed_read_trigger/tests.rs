//! RSS Feed Trigger against a played server.

use crate::testing::{Answer, Trial, trial};

/// A day before and a day after the trials' present, 2024-05-06.
const FEED: &str = "<rss><channel>\
    <item><title>new</title><pubDate>Tue, 07 May 2024 00:00:00 GMT</pubDate></item>\
    <item><title>old</title><pubDate>Sun, 05 May 2024 00:00:00 GMT</pubDate></item></channel></rss>";

fn poll(mode: &str) -> Trial {
    let answer = Answer::new(200, "application/xml", FEED.as_bytes());
    let mut trial = trial("rssFeedReadTrigger").parameters(r#"{"feedUrl": "http://h/f"}"#);
    trial.globals.mode = mode.into();
    trial.globals.execution_id = "e1".into();
    trial.world(|world| world.answering([answer]))
}

fn titles(trial: &Trial) -> usize {
    trial.gives().matches("\"title\"").count()
}

#[test]
fn an_entry_is_new_once() {
    let mut trial = poll("trigger");
    assert!(trial.gives().contains("\"title\":\"new\""));
    assert_eq!(titles(&trial), 1, "a run that is repeated sees the same again");
    trial.globals.execution_id = "e2".into();
    assert_eq!(titles(&trial), 0);
}

#[test]
fn a_run_by_hand_shows_an_entry_and_remembers_nothing() {
    let mut trial = poll("manual");
    assert_eq!(titles(&trial), 1);
    trial.globals.mode = "trigger".into();
    assert_eq!(titles(&trial), 1);
}

#[test]
fn says_what_is_wrong() {
    let nowhere = trial("rssFeedReadTrigger");
    assert_eq!(nowhere.fails().message, "The parameter \"URL\" has to be set!");
}
