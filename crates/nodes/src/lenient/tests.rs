//! Hand-written nodes and what they mean, by tables.

use millrace_model::{Node, Value, Workflow};

fn read(kind: &str, version: &str, parameters: &str) -> Option<String> {
    let document = format!(
        r#"{{"nodes": [{{"name": "N", "type": "n8n-nodes-base.{kind}"{version}, "parameters": {parameters}}}], "connections": {{}}}}"#
    );
    let workflow = Workflow::parse(&Value::from_json(&document).unwrap()).unwrap();
    let node: &Node = &workflow.nodes[0];
    super::parameters(node).map(|found| Value::from(found).to_json())
}

#[test]
fn reads_what_is_plainly_meant() {
    let table = [
        (
            "httpRequest",
            r#"{"url": "{{$env.A}}/x", "method": "POST", "body": {"id": "{{$json.id}}", "n": 1}, "headers": {"H": "b {{$json.t}}"}}"#,
            r#"{"url":"={{$env.A}}/x","requestMethod":"POST","jsonParameters":true,"headerParametersJson":{"H":"=b {{$json.t}}"},"bodyParametersJson":{"id":"={{$json.id}}","n":1}}"#,
        ),
        (
            "httpRequest",
            r#"{"requestOptions": {"url": "http://h", "method": "POST"}}"#,
            r#"{"url":"http://h","requestMethod":"POST","jsonParameters":true,"bodyParametersJson":"={{ $json }}"}"#,
        ),
        (
            "httpRequest",
            r#"{"url": "={{$json.u}}", "options": {"timeout": 5, "headers": {"A": "b"}}}"#,
            r#"{"url":"={{$json.u}}","options":{"timeout":5},"jsonParameters":true,"headerParametersJson":{"A":"b"}}"#,
        ),
        (
            "slack",
            r##"{"message": "n {{$json.n}}", "channel": "#c", "webhook": "http://w"}"##,
            r##"{"channel":"#c","text":"=n {{$json.n}}","webhookUrl":"http://w"}"##,
        ),
        ("slack", r#"{"message": "m"}"#, r#"{"text":"m","webhookUrl":"={{ $env.SLACK_WEBHOOK_URL }}"}"#),
        ("emailSend", r#"{"message": "m", "options": {"ccEmail": "c"}}"#, r#"{"options":{},"text":"m","ccEmail":"c"}"#),
        ("twilio", r#"{"resource": "message", "body": "b"}"#, r#"{"resource":"sms","message":"b"}"#),
        ("redis", r#"{"resource": "queue", "queue": "q"}"#, r#"{"resource":"queue","list":"q","operation":"pop"}"#),
        (
            "switch",
            r#"{"conditions": {"string": [{"value1": "={{$json.t}}", "operation": "equal", "value2": "e"}]}}"#,
            r#"{"mode":"rules","dataType":"string","value1":"={{$json.t}}","rules":{"rules":[{"output":0,"operation":"equal","value2":"e"}]},"fallbackOutput":1}"#,
        ),
    ];
    for (kind, given, meant) in table {
        assert_eq!(read(kind, "", given).as_deref(), Some(meant), "{kind} {given}");
    }
}

#[test]
fn leaves_everything_else_alone() {
    for (kind, version) in [("httpRequest", r#", "typeVersion": 1"#), ("set", ""), ("redis", ""), ("switch", "")] {
        assert_eq!(read(kind, version, r#"{"url": "{{ x }}"}"#), None, "{kind}");
    }
}
