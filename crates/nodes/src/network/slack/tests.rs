//! Slack against a played server, by tables.

use crate::testing::{Answer, trial};

#[test]
fn posts_through_a_webhook() {
    let parameters = r##"{"text": "n is {{ 1 }}", "channel": "#c", "webhookUrl": "http://hooks/x"}"##;
    let trial = trial("slack")
        .version(1.0)
        .parameters(parameters)
        .world(|world| world.answering([Answer::new(200, "text/html", b"ok")]));
    assert_eq!(trial.gives(), r#"[{"ok":true,"response":"ok"}]"#);
    let body = r##"{"channel":"#c","text":"n is {{ 1 }}"}"##;
    assert_eq!(trial.world.sent(), [("POST".into(), "http://hooks/x".into(), body.into())]);
}

#[test]
fn posts_by_the_web_api() {
    let credential = r#"{"accessToken": "xoxb", "baseUrl": "http://slack/api/"}"#;
    let trial = trial("slack")
        .parameters(r#"{"channelId": {"__rl": true, "mode": "id", "value": "C1"}, "text": "hi", "otherOptions": {"mrkdwn": true}}"#)
        .world(|world| world.credential("slackApi", credential).answering([Answer::json(200, r#"{"ok": true, "ts": "1"}"#)]));
    assert_eq!(trial.gives(), r#"[{"ok":true,"ts":"1"}]"#);
    assert_eq!(trial.world.sent()[0].1, "http://slack/api/chat.postMessage");
    assert_eq!(trial.world.sent_header("authorization").as_deref(), Some("Bearer xoxb"));
}

#[test]
fn says_what_went_wrong() {
    assert_eq!(trial("slack").fails().message, "No Slack credential and no webhook URL is set");
    let refused = |answer: Answer| {
        trial("slack")
            .parameters(r#"{"text": "x"}"#)
            .world(|world| world.credential("slackApi", r#"{"accessToken": "t"}"#).answering([answer]))
    };
    let error = refused(Answer::json(200, r#"{"ok": false, "error": "invalid_auth"}"#)).fails();
    assert_eq!(error.message, "Slack error response: \"invalid_auth\"");
    assert_eq!(refused(Answer::json(500, "{}")).fails().http_code.as_deref(), Some("500"));
}
