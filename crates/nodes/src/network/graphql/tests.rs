//! GraphQL against a played server, by tables.

use crate::testing::{Answer, Trial, trial};

fn query(parameters: &str, answer: Answer) -> Trial {
    trial("graphql").parameters(parameters).world(|world| world.answering([answer]))
}

#[test]
fn asks() {
    let ok = || Answer::json(200, r#"{"data": {"a": 1}}"#);
    let table = [
        (r#"{"endpoint": "http://h/g", "query": "{ a }", "requestFormat": "graphql"}"#, "POST", "http://h/g", "{ a }"),
        (
            r#"{"endpoint": "http://h/g", "query": "{ a }", "requestFormat": "json", "variables": "{\"n\": 1}", "operationName": "Q"}"#,
            "POST",
            "http://h/g",
            r#"{"query":"{ a }","variables":{"n":1},"operationName":"Q"}"#,
        ),
        (
            r#"{"endpoint": "http://h/g", "query": "{ a }", "requestMethod": "GET"}"#,
            "GET",
            "http://h/g?query=%7B%20a%20%7D",
            "",
        ),
    ];
    for (parameters, method, url, body) in table {
        let trial = query(parameters, ok());
        assert_eq!(trial.gives(), r#"[{"data":{"a":1}}]"#, "{parameters}");
        assert_eq!(trial.world.sent(), [(method.into(), url.into(), body.into())], "{parameters}");
    }
}

#[test]
fn fails_on_errors() {
    let parameters = r#"{"endpoint": "http://h/g", "query": "{ a }"}"#;
    let answer = || Answer::json(200, r#"{"errors": [{"message": "one"}, {"message": "two"}]}"#);
    assert_eq!(query(parameters, answer()).fails().message, "one, two");
    assert_eq!(query(parameters, answer()).goes_on().gives(), r#"[{"error":"one, two"}]"#);
    assert_eq!(query(parameters, Answer::json(503, "{}")).fails().http_code.as_deref(), Some("503"));
}
