//! Nodes that talk to a service, by tables: what they send, and what they make of the answer.

use millrace_model::Value;

use crate::testing::{Answer, World, json, trial};

/// Words of the commands that were sent to Redis.
fn commands(world: &World) -> Vec<String> {
    let sent = world.services.lock().unwrap();
    let words = |arguments: &Value| arguments.get("command").map(Value::to_json).unwrap_or_default();
    sent.iter()
        .map(|(name, arguments)| {
            assert_eq!(name, "redis.command");
            words(arguments)
        })
        .collect()
}

#[test]
fn redis_sends_commands() {
    let cases: [(&str, &[&str], &[&str], &str); 14] = [
        (r#"{"operation": "delete", "key": "k"}"#, &["1"], &[r#"["DEL","k"]"#], r#"[{"v":[1,"b"]}]"#),
        (
            r#"{"operation": "get", "key": "k", "keyType": "string", "propertyName": "a.b"}"#,
            &[r#""x""#],
            &[r#"["GET","k"]"#],
            r#"[{"a":{"b":"x"}}]"#,
        ),
        (
            r#"{"operation": "get", "key": "k", "propertyName": "a.b", "options": {"dotNotation": false}}"#,
            &[r#""list""#, r#"["p","q"]"#],
            &[r#"["TYPE","k"]"#, r#"["LRANGE","k","0","-1"]"#],
            r#"[{"a.b":["p","q"]}]"#,
        ),
        (
            r#"{"operation": "get", "key": "k", "keyType": "hash", "propertyName": "h"}"#,
            &[r#"["f","v","g","w"]"#],
            &[r#"["HGETALL","k"]"#],
            r#"[{"h":{"f":"v","g":"w"}}]"#,
        ),
        (
            r#"{"operation": "get", "key": "k", "propertyName": "h"}"#,
            &[r#""none""#],
            &[r#"["TYPE","k"]"#],
            r#"[{"h":null}]"#,
        ),
        (
            r#"{"operation": "incr", "key": "n", "expire": true, "ttl": 5}"#,
            &["3", "1"],
            &[r#"["INCR","n"]"#, r#"["EXPIRE","n","5"]"#],
            r#"[{"n":3}]"#,
        ),
        (r#"{"operation": "info"}"#, &[r#""redis_version:7\r\n""#], &[r#"["INFO"]"#], r#"[{"redis_version":7}]"#),
        (
            r#"{"operation": "keys", "keyPattern": "k*", "getValues": false}"#,
            &[r#"["k1"]"#],
            &[r#"["KEYS","k*"]"#],
            r#"[{"keys":["k1"]}]"#,
        ),
        (r#"{"operation": "llen", "list": "l"}"#, &["2"], &[r#"["LLEN","l"]"#], r#"[{"l":2}]"#),
        (
            r#"{"operation": "pop", "list": "l", "tail": true, "propertyName": "p"}"#,
            &[r#""{\"a\":1}""#],
            &[r#"["RPOP","l"]"#],
            r#"[{"p":{"a":1}}]"#,
        ),
        (
            r#"{"operation": "publish", "channel": "c", "messageData": "m"}"#,
            &["1"],
            &[r#"["PUBLISH","c","m"]"#],
            r#"[{"v":[1,"b"]}]"#,
        ),
        (
            r#"{"operation": "push", "list": "l", "messageData": "m", "tail": true}"#,
            &["1"],
            &[r#"["RPUSH","l","m"]"#],
            r#"[{"v":[1,"b"]}]"#,
        ),
        (
            r#"{"operation": "set", "key": "k", "value": "x", "keyType": "string", "expire": true, "ttl": 9}"#,
            &[r#""OK""#, "1"],
            &[r#"["SET","k","x"]"#, r#"["EXPIRE","k","9"]"#],
            r#"[{"v":[1,"b"]}]"#,
        ),
        (
            r#"{"operation": "set", "key": "k", "value": "={{ $json.v }}"}"#,
            &["0", "2"],
            &[r#"["DEL","k"]"#, r#"["RPUSH","k","1","b"]"#],
            r#"[{"v":[1,"b"]}]"#,
        ),
    ];
    for (parameters, answers, sent, expected) in cases {
        let trial =
            trial("redis").parameters(parameters).input(r#"[{"v": [1, "b"]}]"#).world(|world| world.serving(answers));
        assert_eq!(trial.gives(), expected, "{parameters}");
        assert_eq!(commands(&trial.world), sent, "{parameters}");
    }
    for (parameters, message) in [
        (r#"{"operation": "nope"}"#, "the operation \"nope\" is not known"),
        (
            r#"{"operation": "set", "key": "k", "keyType": "hash", "value": "{}"}"#,
            "a hash is written from a JSON object with at least one field",
        ),
        (
            r#"{"operation": "set", "key": "k", "keyType": "list", "value": "[]"}"#,
            "a list or set is written from a JSON list that is not empty",
        ),
    ] {
        assert_eq!(trial("redis").parameters(parameters).fails().message, message, "{parameters}");
    }
}

#[test]
fn send_email_hands_over_the_message() {
    let items = r#"[{"json": {}, "binary": {"f": {"data": "aGk=", "mimeType": "text/plain", "fileName": "a.txt"}}}]"#;
    let cases = [
        (
            2.1,
            r#"{"fromEmail": "a@x.org", "toEmail": "b@x.org", "subject": "S", "emailFormat": "both", "text": "T", "html": "<b>H</b>", "options": {"ccEmail": "c@x.org", "replyTo": "r@x.org", "attachments": "f", "appendAttribution": false}}"#,
            r#"{"from":"a@x.org","to":"b@x.org","subject":"S","cc":"c@x.org","replyTo":"r@x.org","text":"T","html":"<b>H</b>","attachments":[{"fileName":"a.txt","mimeType":"text/plain","data":"aGk="}],"allowUnauthorizedCerts":false}"#,
        ),
        (
            1.0,
            r#"{"fromEmail": "a@x.org", "toEmail": "b@x.org", "subject": "S", "text": "T", "options": {"allowUnauthorizedCerts": true}}"#,
            r#"{"from":"a@x.org","to":"b@x.org","subject":"S","text":"T","attachments":[],"allowUnauthorizedCerts":true}"#,
        ),
    ];
    for (version, parameters, expected) in cases {
        let trial = trial("emailSend").version(version).parameters(parameters).input(items);
        let trial = trial.world(|world| {
            world.credential("smtp", r#"{"host": "mail.x.org"}"#).serving(&[r#"{"accepted":["b@x.org"]}"#])
        });
        assert_eq!(trial.gives(), r#"[{"accepted":["b@x.org"]}]"#, "{parameters}");
        let sent = trial.world.services.lock().unwrap();
        let (name, arguments) = &sent[0];
        assert_eq!((name.as_str(), arguments.pointer("connection.host")), ("smtp.send", Some(&"mail.x.org".into())));
        assert_eq!(arguments.get("message").unwrap().to_json(), expected, "{parameters}");
    }
    let missing = r#"{"fromEmail": "a@x.org", "toEmail": "b@x.org", "options": {"attachments": "g"}}"#;
    let error = trial("emailSend").parameters(missing).input(items).fails();
    assert_eq!(error.message, "the item has no binary file 'g' to attach");
    assert_eq!(error.context.get("itemIndex"), Some(&0.into()));
}

#[test]
fn twilio_posts_forms() {
    let world = |world: World| {
        let credential = r#"{"authType": "authToken", "accountSid": "AC1", "authToken": "t"}"#;
        world.credential("twilioApi", credential).answering([Answer::json(201, r#"{"sid":"SM1"}"#)])
    };
    let cases = [
        (
            r#"{"resource": "sms", "from": "+1", "to": "+2", "message": "hi & bye"}"#,
            "Messages",
            "From=%2B1&To=%2B2&Body=hi+%26+bye",
        ),
        (
            r#"{"resource": "sms", "from": "+1", "to": "+2", "toWhatsapp": true, "message": "m", "options": {"statusCallback": "https://c"}}"#,
            "Messages",
            "From=whatsapp%3A%2B1&To=whatsapp%3A%2B2&Body=m&StatusCallback=https%3A%2F%2Fc",
        ),
        (
            r#"{"resource": "call", "operation": "make", "from": "+1", "to": "+2", "message": "a<b"}"#,
            "Calls",
            "From=%2B1&To=%2B2&Twiml=%3CResponse%3E%3CSay%3Ea%26lt%3Bb%3C%2FSay%3E%3C%2FResponse%3E",
        ),
    ];
    for (parameters, resource, body) in cases {
        let trial = trial("twilio").parameters(parameters).world(world);
        assert_eq!(trial.gives(), r#"[{"sid":"SM1"}]"#);
        let url = format!("https://api.twilio.com/2010-04-01/Accounts/AC1/{resource}.json");
        assert_eq!(trial.world.sent(), [("POST".to_owned(), url, body.to_owned())], "{parameters}");
        assert_eq!(trial.world.sent_header("authorization").unwrap(), "Basic QUMxOnQ=");
    }
    let refused = |world: World| {
        world
            .credential("twilioApi", r#"{"accountSid": "A", "authToken": "t"}"#)
            .answering([Answer::json(400, r#"{"message":"The 'To' number is not valid"}"#)])
    };
    let error = trial("twilio").parameters(r#"{"resource": "sms"}"#).world(refused).fails();
    assert_eq!(error.message, "400 - The 'To' number is not valid");
    let error = trial("twilio").parameters("{}").fails();
    assert_eq!(error.message, "the credential has no \"accountSid\"");
}

#[test]
fn send_grid_calls_its_api() {
    let cases = [
        (r#"{"resource": "list", "operation": "create", "name": "L"}"#, "POST", "/marketing/lists", r#"{"name":"L"}"#),
        (
            r#"{"resource": "list", "operation": "update", "listId": "a/b", "name": "M"}"#,
            "PATCH",
            "/marketing/lists/a%2Fb",
            r#"{"name":"M"}"#,
        ),
        (
            r#"{"resource": "contact", "operation": "delete", "ids": "1, 2"}"#,
            "DELETE",
            "/marketing/contacts?ids=1%2C2",
            "",
        ),
    ];
    for (parameters, method, path, body) in cases {
        let trial = trial("sendGrid").parameters(parameters).world(|world| {
            world.credential("sendGridApi", r#"{"apiKey": "k"}"#).answering([Answer::json(200, r#"{"id":"x"}"#)])
        });
        assert_eq!(trial.gives(), r#"[{"id":"x"}]"#, "{parameters}");
        let (sent_method, url, sent) = trial.world.sent().remove(0);
        assert_eq!(
            (sent_method.as_str(), url.as_str(), sent.as_str()),
            (method, format!("https://api.sendgrid.com/v3{path}").as_str(), body),
            "{parameters}"
        );
    }
    let parameters = r#"{"resource": "list", "operation": "nope"}"#;
    assert_eq!(
        trial("sendGrid").parameters(parameters).goes_on().gives(),
        r#"[{"error":"the operation \"nope\" of \"list\" is not known"}]"#
    );
}

#[test]
fn execute_command_runs_only_where_allowed() {
    let trial_of = || trial("executeCommand").parameters(r#"{"command": "ls"}"#).input("[{}, {}]");
    assert_eq!(trial_of().fails().message, "no commands here");
    let allowed = |code| {
        trial_of().world(|world| World { command_output: Some((code, " out \n".into(), "bad".into())), ..world })
    };
    assert_eq!(allowed(0).gives(), r#"[{"exitCode":0,"stderr":"bad","stdout":"out"}]"#, "once for all items");
    assert_eq!(allowed(2).fails().message, "Command failed: ls\nbad");
    assert_eq!(json(&allowed(2).goes_on().gives()), json(r#"[{"error":"Command failed: ls\nbad"}]"#));
}
