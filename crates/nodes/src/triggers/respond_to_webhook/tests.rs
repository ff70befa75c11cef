//! Respond to Webhook, by tables.

use crate::testing::{NOW_MS, Trial, World, shown, trial};

const ITEMS: &str =
    r#"[{"json": {"a": 1}, "binary": {"file": {"data": "aGk=", "mimeType": "text/css"}}}, {"json": {"a": 2}}]"#;

fn respond(parameters: &str) -> Trial {
    trial("respondToWebhook").version(1.0).parameters(parameters).input(ITEMS)
}

#[test]
fn answers_with_what_it_is_told() {
    let json = "application/json; charset=utf-8";
    let html = "text/html; charset=utf-8";
    let cases = [
        ("{}", 200, json, r#"{"a":1}"#),
        (r#"{"respondWith": "allIncomingItems"}"#, 200, json, r#"[{"a":1},{"a":2}]"#),
        (
            r#"{"respondWith": "firstIncomingItem", "options": {"responseKey": "x.y"}}"#,
            200,
            json,
            r#"{"x":{"y":{"a":1}}}"#,
        ),
        (r#"{"respondWith": "json", "responseBody": "={\"n\": {{ $json.a }}}"}"#, 200, json, r#"{"n":1}"#),
        (r#"{"respondWith": "json", "responseBody": {"m": 2}}"#, 200, json, r#"{"m":2}"#),
        (r#"{"respondWith": "text", "responseBody": "=a is {{ $json.a }}"}"#, 200, html, "a is 1"),
        (
            r#"{"respondWith": "text", "responseBody": "x", "options": {"responseCode": 201,
                "responseHeaders": {"entries": [{"name": "Content-Type", "value": "text/plain"}]}}}"#,
            201,
            "text/plain",
            "x",
        ),
        (r#"{"respondWith": "binary"}"#, 200, "text/css", "hi"),
        (r#"{"respondWith": "binary", "responseDataSource": "set", "inputFieldName": "file"}"#, 200, "text/css", "hi"),
    ];
    for (parameters, status, kind, body) in cases {
        let trial = respond(parameters);
        trial.output();
        let responses = trial.world.responses.lock().unwrap();
        let response = &responses[0];
        let found = response.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        assert_eq!((response.status, found), (status, Some(kind)), "{parameters}");
        assert_eq!(String::from_utf8_lossy(&response.body), body, "{parameters}");
    }
}

#[test]
fn answers_without_a_body() {
    for (parameters, status, location) in [
        (r#"{"respondWith": "noData"}"#, 200, None),
        (r#"{"respondWith": "redirect", "redirectURL": "https://example.com"}"#, 307, Some("https://example.com")),
        (r#"{"respondWith": "redirect", "redirectURL": "/x", "options": {"responseCode": 302}}"#, 302, Some("/x")),
    ] {
        let trial = respond(parameters);
        trial.output();
        let responses = trial.world.responses.lock().unwrap();
        let found = responses[0].headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value.as_str());
        assert_eq!((responses[0].status, found, responses[0].body.len()), (status, location, 0), "{parameters}");
    }
}

#[test]
fn signs_tokens() {
    let credential = r#"{"keyType": "passphrase", "secret": "s3cret", "algorithm": "HS256"}"#;
    let parameters = r#"{"respondWith": "jwt", "payload": "{\"sub\": \"ann\"}"}"#;
    let trial = respond(parameters).world(|world| world.credential("jwtAuth", credential));
    trial.output();
    let body = String::from_utf8_lossy(&trial.world.responses.lock().unwrap()[0].body).into_owned();
    let token = crate::testing::json(&body).get("token").unwrap().to_js_string();
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert!(token.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."), "{token}");
    assert_eq!(respond(parameters).fails().message, "Error signing JWT token");
}

#[test]
fn tells_its_answer_on_a_second_output() {
    let output = respond(r#"{"respondWith": "text", "responseBody": "x"}"#).version(1.3).run();
    assert_eq!(output.unwrap_err().message, "No Webhook node found in the workflow");
    for (version, parameters, outputs) in
        [(1.0, "{}", 1), (1.3, "{}", 2), (1.4, "{}", 1), (1.5, r#"{"enableResponseOutput": true}"#, 2)]
    {
        let parameters = crate::testing::json(parameters).as_object().unwrap().clone();
        assert_eq!(super::ports(version, &parameters).outputs, outputs, "{version}");
    }
}

#[test]
fn refuses_what_it_cannot_send() {
    let cases = [
        (r#"{"respondWith": "json", "responseBody": "{"}"#, "Invalid JSON in 'Response Body' field"),
        (r#"{"respondWith": "smoke"}"#, "The Response Data option \"smoke\" is not supported!"),
        (
            r#"{"respondWith": "binary", "responseDataSource": "set", "inputFieldName": "none"}"#,
            "The item has no binary field 'none' [item 0]",
        ),
    ];
    for (parameters, message) in cases {
        assert_eq!(respond(parameters).fails().message, message, "{parameters}");
        let going_on = respond(parameters).goes_on().output();
        assert!(shown(&going_on, 0).starts_with(r#"[{"error":"#), "{parameters}");
    }
    let none = trial("respondToWebhook").version(1.0).parameters(r#"{"respondWith": "binary"}"#).fails();
    assert_eq!(none.message, "No binary data exists on the first item!");
}

/// As n8n 2.8.4 answers the same nodes.
#[test]
fn sends_parts_where_its_caller_reads_parts() {
    let whole = |item: usize, content: &str| {
        let part = |kind: &str, content: &str| {
            let metadata = format!(
                r#"{{"nodeId":"n1","nodeName":"Node","itemIndex":{item},"runIndex":0,"timestamp":{}}}"#,
                NOW_MS
            );
            format!("{{\"type\":\"{kind}\"{content},\"metadata\":{metadata}}}\n")
        };
        let content = if content.is_empty() { String::new() } else { format!(",\"content\":{content}") };
        part("begin", "") + &part("item", &content) + &part("end", "")
    };
    let both = whole(0, r#""{\"a\":1}""#) + &whole(1, r#""{\"a\":2}""#);
    let cases = [
        ("{}", whole(0, r#""{\"a\":1}""#)),
        (r#"{"options": {"responseKey": "x"}}"#, whole(0, r#""{\"a\":1}""#)),
        (r#"{"respondWith": "allIncomingItems"}"#, both),
        (r#"{"respondWith": "text", "responseBody": "hello"}"#, whole(0, r#""hello""#)),
        (r#"{"respondWith": "text", "responseBody": ""}"#, whole(0, r#""""#)),
        (r#"{"respondWith": "text", "responseBody": "={{ 5 }}"}"#, whole(0, r#""5""#)),
        (r#"{"respondWith": "json", "responseBody": "{\"a\": 1, \"b\": [2]}"}"#, whole(0, r#""{\"a\":1,\"b\":[2]}""#)),
        (r#"{"respondWith": "json", "responseBody": "\"text\""}"#, whole(0, r#""text""#)),
        (r#"{"respondWith": "json", "responseBody": ""}"#, whole(0, "")),
        (r#"{"respondWith": "noData"}"#, String::new()),
        (r#"{"respondWith": "redirect", "redirectURL": "/x"}"#, String::new()),
        (r#"{"respondWith": "binary"}"#, String::new()),
        (r#"{"respondWith": "text", "responseBody": "x", "options": {"enableStreaming": false}}"#, String::new()),
        (
            r#"{"respondWith": "text", "responseBody": "x", "options": {"enableStreaming": "={{ false }}"}}"#,
            String::new(),
        ),
    ];
    for (parameters, parts) in cases {
        let trial = streaming(1.5, parameters);
        trial.output();
        assert_eq!(*trial.world.parts.lock().unwrap(), parts, "{parameters}");
        assert!(trial.world.responses.lock().unwrap().is_empty(), "{parameters}");
    }
    let old = streaming(1.4, r#"{"respondWith": "text", "responseBody": "x"}"#);
    old.output();
    assert_eq!(*old.world.parts.lock().unwrap(), "", "older versions send no parts");
}

fn streaming(version: f64, parameters: &str) -> Trial {
    let trial = trial("respondToWebhook").behind_webhook().version(version).parameters(parameters).input(ITEMS);
    trial.world(|world| World { streams: true, ..world })
}
