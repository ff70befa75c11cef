//! HTTP Request against a played server, by tables.

use crate::testing::{Answer, Trial, shown, trial};

fn get(parameters: &str, answer: Answer) -> Trial {
    trial("httpRequest").parameters(parameters).world(|world| world.answering([answer]))
}

fn ok() -> Answer {
    Answer::json(200, r#"{"ok": true}"#)
}

#[test]
fn sends_what_the_parameters_say() {
    let table = [
        (4.2, r#"{"url": "http://h/p?x=1"}"#, "GET", "http://h/p?x=1", ""),
        (
            4.2,
            r#"{"url": "http://h", "sendQuery": true, "queryParameters": {"parameters": [{"name": "a", "value": "={{ [1, 2] }}"}]}}"#,
            "GET",
            "http://h/?a%5B%5D=1&a%5B%5D=2",
            "",
        ),
        (
            4.3,
            r#"{"url": "http://h", "sendQuery": true, "queryParameters": {"parameters": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]},
                "options": {"queryParameterArrays": "repeat"}}"#,
            "GET",
            "http://h/?a=1&a=2",
            "",
        ),
        (
            4.2,
            r#"{"url": "http://h", "sendQuery": true, "specifyQuery": "json", "jsonQuery": "{\"q\": [1]}", "options": {"queryParameterArrays": "indices"}}"#,
            "GET",
            "http://h/?q%5B0%5D=1",
            "",
        ),
        (
            4.2,
            r#"{"method": "POST", "url": "http://h", "sendBody": true, "bodyParameters": {"parameters": [{"name": "a", "value": "={{ true }}"}]}}"#,
            "POST",
            "http://h/",
            r#"{"a":true}"#,
        ),
        (
            4.2,
            r#"{"method": "PUT", "url": "http://h", "sendBody": true, "specifyBody": "json", "jsonBody": "={{ { n: $json.n } }}"}"#,
            "PUT",
            "http://h/",
            r#"{"n":7}"#,
        ),
        (
            4.2,
            r#"{"method": "POST", "url": "http://h", "sendBody": true, "contentType": "form-urlencoded", "bodyParameters": {"parameters": [{"name": "a b", "value": "c&d"}]}}"#,
            "POST",
            "http://h/",
            "a%20b=c%26d",
        ),
        (
            4.2,
            r#"{"method": "POST", "url": "http://h", "sendBody": true, "contentType": "form-urlencoded", "specifyBody": "string", "body": "a=1&b=2"}"#,
            "POST",
            "http://h/",
            "a=1&b=2",
        ),
        (
            4.2,
            r#"{"method": "POST", "url": "http://h", "sendBody": true, "contentType": "raw", "rawContentType": "text/xml", "body": "<a/>"}"#,
            "POST",
            "http://h/",
            "<a/>",
        ),
        (
            4.2,
            r#"{"method": "POST", "url": "http://h", "sendBody": true, "contentType": "multipart-form-data", "bodyParameters": {"parameters": [{"name": "a", "value": "1"}]}}"#,
            "POST",
            "http://h/",
            "a=1 None None;",
        ),
        (
            1.0,
            r#"{"requestMethod": "POST", "url": "http://h", "bodyParametersUi": {"parameter": [{"name": "a", "value": "1"}]},
                "queryParametersUi": {"parameter": [{"name": "q", "value": "2"}]}}"#,
            "POST",
            "http://h/?q=2",
            r#"{"a":"1"}"#,
        ),
        (
            2.0,
            r#"{"requestMethod": "PATCH", "url": "http://h", "jsonParameters": true, "bodyParametersJson": "{\"a\": [1]}", "options": {"bodyContentType": "form-urlencoded"}}"#,
            "PATCH",
            "http://h/",
            "a%5B%5D=1",
        ),
    ];
    for (version, parameters, method, url, body) in table {
        let trial = get(parameters, ok()).version(version).input(r#"[{"n": 7}]"#);
        assert_eq!(trial.gives(), r#"[{"ok":true}]"#, "{parameters}");
        assert_eq!(trial.world.sent(), [(method.into(), url.into(), body.into())], "{parameters}");
    }
}

#[test]
fn sends_headers_and_credentials() {
    let table = [
        (r#"{"name": "X-Up", "value": "v"}"#, "none", "", "x-up", "v"),
        ("", "none", "", "user-agent", "n8n"),
        ("", "httpBasicAuth", r#"{"user": "u", "password": "p"}"#, "Authorization", "Basic dTpw"),
        ("", "httpBearerAuth", r#"{"token": "t"}"#, "Authorization", "Bearer t"),
        ("", "httpHeaderAuth", r#"{"name": "X-Key", "value": "k"}"#, "X-Key", "k"),
        ("", "httpCustomAuth", r#"{"json": "{\"headers\": {\"X-C\": \"c\"}}"}"#, "X-C", "c"),
        ("", "oAuth2Api", r#"{"oauthTokenData": {"access_token": "tok"}}"#, "Authorization", "Bearer tok"),
    ];
    for (header, kind, data, name, value) in table {
        let authentication = if kind == "none" { "none" } else { "genericCredentialType" };
        let parameters = format!(
            r#"{{"url": "http://h", "authentication": "{authentication}", "genericAuthType": "{kind}", "sendHeaders": true,
                "headerParameters": {{"parameters": [{header}]}}}}"#
        );
        let data = if data.is_empty() { "{}" } else { data };
        let trial = get(&parameters, ok()).world(|world| world.credential(kind, data));
        trial.output();
        assert_eq!(trial.world.sent_header(name).as_deref(), Some(value), "{kind} {header}");
    }
}

#[test]
fn reads_answers() {
    let auto = r#"{"url": "http://h/f.txt"}"#;
    let format = |format: &str, more: &str| {
        format!(
            r#"{{"url": "http://h", "options": {{"response": {{"response": {{"responseFormat": "{format}"{more}}}}}}}}}"#
        )
    };
    let full = format("json", r#", "fullResponse": true"#);
    let table = [
        (auto.to_owned(), Answer::json(200, "[1, {\"a\": 2}]"), r#"[1,{"a":2}]"#),
        (auto.to_owned(), Answer::json(200, "null"), r#"[{}]"#),
        (auto.to_owned(), Answer::new(200, "text/html", b"<p>"), r#"[{"data":"<p>"}]"#),
        (auto.to_owned(), Answer::new(200, "text/plain; charset=latin1", b"caf\xe9"), r#"[{"data":"café"}]"#),
        (auto.to_owned(), Answer::new(204, "text/plain", b""), r#"[{}]"#),
        (format("text", r#", "outputPropertyName": "body""#), ok(), r#"[{"body":"{\"ok\": true}"}]"#),
        (format("json", ""), Answer::new(200, "text/plain", b"{\"a\": 1}"), r#"[{"a":1}]"#),
        (
            full,
            Answer::json(200, "[]"),
            r#"[{"body":[],"headers":{"content-type":"application/json"},"statusCode":200,"statusMessage":"OK"}]"#,
        ),
        (format("json", r#", "neverError": true"#), Answer::json(404, r#"{"m": 1}"#), r#"[{"m":1}]"#),
    ];
    for (parameters, answer, expected) in table {
        assert_eq!(get(&parameters, answer).gives(), expected, "{parameters}");
    }
}

#[test]
fn reads_files() {
    let parameters = r#"{"url": "http://h/a/pic.png?x=1", "options": {"response": {"response": {"responseFormat": "file", "outputPropertyName": "pic"}}}}"#;
    let output = get(parameters, Answer::new(200, "image/png", b"PNG")).input(r#"[{"keep": 1}]"#).output();
    let item = &output.outputs[0].as_ref().unwrap()[0];
    let binary = &item.binary.as_ref().unwrap()["pic"];
    assert_eq!((binary.file_name.as_deref(), binary.mime_type.as_str()), (Some("pic.png"), "image/png"));
    assert_eq!(item.json.to_json(), r#"{"keep":1}"#);
    let named = Answer::new(200, "application/pdf", b"x")
        .header("content-disposition", "attachment; filename*=UTF-8''a%20b.pdf");
    let output = get(r#"{"url": "http://h/"}"#, named).output();
    let item = &output.outputs[0].as_ref().unwrap()[0];
    assert_eq!(item.binary.as_ref().unwrap()["data"].file_name.as_deref(), Some("a b.pdf"));
}

#[test]
fn fails_in_words_that_help() {
    let url = r#"{"url": "http://h"}"#;
    let json = r#"{"url": "http://h", "options": {"response": {"response": {"responseFormat": "json"}}}}"#;
    let bad_body = r#"{"method": "POST", "url": "http://h", "sendBody": true, "specifyBody": "json", "jsonBody": "{"}"#;
    let table = [
        (url, Answer::json(404, r#"{"message": "no"}"#), "The resource you are requesting could not be found"),
        (url, Answer::json(429, "{}"), "The service is receiving too many requests from you"),
        (url, Answer::failing("ECONNREFUSED", "connect"), "The service refused the connection - perhaps it is offline"),
        (
            json,
            Answer::new(200, "text/html", b"<p>"),
            "Response body is not valid JSON. Change \"Response Format\" to \"Text\"",
        ),
        (bad_body, ok(), "The value in the \"JSON Body\" field is not valid JSON"),
        (r#"{"url": "h/p"}"#, ok(), "Invalid URL: h/p. URL must start with \"http\" or \"https\"."),
        (r#"{"url": "={{ 5 }}"}"#, ok(), "URL parameter must be a string, got number"),
    ];
    for (parameters, answer, message) in table {
        let error = get(parameters, answer).fails();
        assert_eq!(error.message, message, "{parameters}");
        assert_eq!(error.context.get("itemIndex"), Some(&0.into()), "{parameters}");
    }
}

#[test]
fn goes_on_with_the_error_when_told_to() {
    let trial = get(r#"{"url": "http://h"}"#, Answer::json(500, r#""down""#)).goes_on();
    let output = trial.output();
    let error = output.outputs[0].as_ref().unwrap()[0].json.get("error").unwrap().clone();
    assert_eq!(error.get("message").unwrap().as_str(), Some(r#"500 - "down""#));
    assert_eq!(error.get("statusCode").unwrap().as_f64(), Some(500.0));
    let refused = get(r#"{"url": "nowhere"}"#, ok()).goes_on().gives();
    assert!(refused.starts_with(r#"[{"error":"Invalid URL: nowhere."#), "{refused}");
}

#[test]
fn renews_a_token_once() {
    let credential = r#"{"accessTokenUrl": "http://h/token", "clientId": "i", "clientSecret": "s",
        "oauthTokenData": {"access_token": "old", "refresh_token": "r"}}"#;
    let parameters =
        r#"{"url": "http://h/x", "authentication": "genericCredentialType", "genericAuthType": "oAuth2Api"}"#;
    let answers = [Answer::json(401, "{}"), Answer::json(200, r#"{"access_token": "new"}"#), ok()];
    let trial = trial("httpRequest")
        .parameters(parameters)
        .world(|world| world.credential("oAuth2Api", credential).answering(answers));
    assert_eq!(trial.gives(), r#"[{"ok":true}]"#);
    let sent = trial.world.sent();
    assert_eq!(sent[1], ("POST".into(), "http://h/token".into(), "refresh_token=r&grant_type=refresh_token".into()));
    assert_eq!(trial.world.sent_header("authorization").as_deref(), Some("Bearer new"));
}

#[test]
fn answers_a_digest_challenge() {
    let parameters =
        r#"{"url": "http://h/x", "authentication": "genericCredentialType", "genericAuthType": "httpDigestAuth"}"#;
    let challenge = Answer::json(401, "{}").header("www-authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"");
    let trial = trial("httpRequest").parameters(parameters).world(|world| {
        world.credential("httpDigestAuth", r#"{"user": "u", "password": "p"}"#).answering([challenge, ok()])
    });
    assert_eq!(trial.gives(), r#"[{"ok":true}]"#);
    let header = trial.world.sent_header("authorization").unwrap();
    assert!(header.starts_with("Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/x\", response=\""), "{header}");
}

fn paged(pagination: &str, more: &str) -> String {
    format!(r#"{{"url": "http://h/list", "options": {{"pagination": {{"pagination": {pagination}}}{more}}}}}"#)
}

#[test]
fn follows_pages() {
    let page = |body: &str| Answer::json(200, body).header("next", "http://h/list?after=1");
    let pages = || [page(r#"[{"i":1}]"#), page(r#"[{"i":2}]"#), page("[]")];
    let counting = r#"{"parameters": {"parameters": [{"name": "page", "value": "={{ $pageCount + 1 }}"}]}}"#;
    let limited = r#"{"parameters": {"parameters": [{"name": "page", "value": "={{ $pageCount }}"}]}, "limitPagesFetched": true, "maxRequests": 2}"#;
    let next = r#"{"paginationMode": "responseContainsNextURL", "nextURL": "={{ $response.headers.next }}"}"#;
    let until = r#"{"parameters": {"parameters": [{"type": "headers", "name": "x", "value": "={{ $pageCount }}"}]},
        "paginationCompleteWhen": "other", "completeExpression": "={{ $response.body[0].i === 2 }}", "requestInterval": 5}"#;
    let table = [
        (counting, 3, "http://h/list?page=3"),
        (limited, 2, "http://h/list?page=1"),
        (next, 3, "http://h/list?after=1"),
        (until, 2, "http://h/list"),
    ];
    for (pagination, requests, last) in table {
        let trial = trial("httpRequest").parameters(&paged(pagination, "")).world(|world| world.answering(pages()));
        assert_eq!(trial.gives(), r#"[{"i":1},{"i":2}]"#, "{pagination}");
        let sent = trial.world.sent();
        assert_eq!((sent.len(), sent.last().unwrap().1.as_str()), (requests, last), "{pagination}");
    }
}

#[test]
fn stops_at_the_statuses_that_mean_the_end() {
    let pagination = r#"{"parameters": {"parameters": [{"name": "p", "value": "={{ $pageCount }}"}]},
        "paginationCompleteWhen": "receiveSpecificStatusCodes", "statusCodesWhenComplete": "404, 410"}"#;
    let trial_of = |end: Answer| {
        trial("httpRequest")
            .parameters(&paged(pagination, ""))
            .world(|world| world.answering([Answer::json(200, r#"[{"i":1}]"#), end]))
    };
    assert_eq!(trial_of(Answer::json(410, "[]")).gives(), r#"[{"i":1}]"#);
    assert_eq!(trial_of(Answer::json(500, "[]")).fails().http_code.as_deref(), Some("500"));
}

#[test]
fn notices_pages_that_never_change() {
    let endless = r#"{"parameters": {"parameters": [{"name": "p", "value": "x"}]}}"#;
    let trial = trial("httpRequest")
        .parameters(&paged(endless, ""))
        .world(|world| world.answering([Answer::json(200, r#"[{"i":1}]"#)]));
    assert_eq!(trial.fails().message, "The returned response was identical 5x, so requests got stopped");
}

#[test]
fn pauses_between_batches() {
    let parameters =
        r#"{"url": "http://h", "options": {"batching": {"batch": {"batchSize": 2, "batchInterval": 100}}}}"#;
    let trial = get(parameters, ok()).input("[{}, {}, {}, {}, {}]");
    assert_eq!(shown(&trial.output(), 0).matches("ok").count(), 5);
    assert_eq!(trial.world.slept.lock().unwrap().as_millis(), 200);
}

#[test]
fn less_of_an_answer_goes_on_when_asked() {
    let page =
        "<html><body><nav>menu</nav><main><p>One</p><p class=\"ad\">Buy</p><p>Two &amp; three</p></main></body></html>";
    let list = r#"{"meta": 1, "data": [{"a": 1, "b": {"c": 2, "d": 3}}, {"a": 4}]}"#;
    for (content_type, body, more, expected) in [
        ("application/json", list, r#""dataField": "data""#, r#"[{"a":1,"b":{"c":2,"d":3}},{"a":4}]"#),
        (
            "application/json",
            list,
            r#""dataField": "data", "fieldsToInclude": "selected", "fields": "a, b.c""#,
            r#"[{"a":1,"b":{"c":2}},{"a":4}]"#,
        ),
        ("application/json", list, r#""fieldsToInclude": "except", "fields": "data""#, r#"[{"meta":1}]"#),
        ("application/json", "[1]", r#""dataField": "nowhere""#, "[1]"),
        (
            "text/html",
            page,
            r#""responseType": "html", "cssSelector": "p.ad""#,
            r#"[{"data":"<p class=\"ad\">Buy</p>"}]"#,
        ),
        (
            "text/html",
            page,
            r#""responseType": "html", "cssSelector": "main", "onlyContent": true, "elementsToOmit": ".ad""#,
            r#"[{"data":"One Two & three"}]"#,
        ),
        (
            "text/html",
            page,
            r#""responseType": "html", "onlyContent": true, "truncateResponse": true, "maxLength": 6"#,
            r#"[{"data":"menu O"}]"#,
        ),
        (
            "text/plain",
            "grüße",
            r#""responseType": "text", "truncateResponse": true, "maxLength": 3"#,
            r#"[{"data":"grü"}]"#,
        ),
        ("text/plain", "long", r#""responseType": "text""#, r#"[{"data":"long"}]"#),
    ] {
        let trial = trial("httpRequest")
            .parameters(&format!(r#"{{"url": "http://h", "optimizeResponse": true, {more}}}"#))
            .world(|world| world.answering([Answer::new(200, content_type, body.as_bytes())]));
        assert_eq!(trial.gives(), expected, "{more}");
    }
    let wrong = trial("httpRequest")
        .parameters(r#"{"url": "http://h", "optimizeResponse": true, "responseType": "html", "cssSelector": ">>"}"#);
    assert_eq!(wrong.fails().message, "The CSS selector \">>\" is not valid");
}
