//! Webhooks, by tables.

use bytes::Bytes;
use millrace_model::{BinaryData, ExecutionError, Item, Object, Str, Value};

use super::{
    Authentication, ReceivedRequest, ResponseData, ResponseMode, Settings, answer_of_last_node, answer_on_receipt,
    items,
};

fn object(text: &str) -> Object {
    Value::from_json(text).unwrap_or_else(|error| panic!("{text}: {error}")).as_object().unwrap().clone()
}

fn settings(version: f64, parameters: &str) -> Settings {
    Settings::read(version, &object(parameters))
}

fn request(content_type: &str, query: &str, body: &[u8]) -> ReceivedRequest {
    ReceivedRequest {
        method: "POST".into(),
        headers: vec![("content-type".into(), content_type.into())],
        query: query.into(),
        body: Bytes::copy_from_slice(body),
        webhook_url: "https://host/webhook/x".into(),
        ..ReceivedRequest::default()
    }
}

/// Takes a request in; binaries come out as `name: media type file name bytes`.
fn receive(request: &ReceivedRequest, settings: &Settings) -> Result<(Object, Vec<String>), ExecutionError> {
    let mut store = |bytes: Bytes, name: Option<&str>, kind: Option<&str>| {
        let data = format!("{} {} {}", kind.unwrap_or("-"), name.unwrap_or("-"), String::from_utf8_lossy(&bytes));
        Ok(BinaryData { data: data.into(), ..BinaryData::default() })
    };
    let outputs = items(request, settings, &mut store)?;
    let item = outputs.into_iter().flatten().next().unwrap();
    let binaries =
        item.binary.iter().flat_map(|all| all.iter()).map(|(name, binary)| format!("{name}: {}", binary.data));
    Ok((item.json.as_object().unwrap().clone(), binaries.collect()))
}

#[test]
fn reads_bodies_by_their_type() {
    let cases = [
        ("application/json", r#"{"n": [1]}"#, r#"{"n":[1]}"#),
        ("application/json; charset=utf-8", "5", "5"),
        ("application/x-www-form-urlencoded", "a=1&b=x+y%21&b=2", r#"{"a":"1","b":["x y!","2"]}"#),
        ("text/plain", "hello", r#""hello""#),
        (
            "application/xml",
            r#"<Order id="7"><Item>a  b</Item><Item>c</Item></Order>"#,
            r#"{"order":{"$":{"id":"7"},"item":["a b","c"]}}"#,
        ),
        ("application/json", "", "{}"),
        ("", "", "{}"),
    ];
    for (kind, body, expected) in cases {
        let (json, binaries) = receive(&request(kind, "", body.as_bytes()), &settings(2.0, "{}")).unwrap();
        assert_eq!(json.get("body").unwrap().to_json(), expected, "{kind} {body}");
        assert!(binaries.is_empty(), "{kind} {body}");
        assert_eq!(json.get("executionMode"), Some(&"production".into()));
    }
    let error = receive(&request("application/json", "", b"{"), &settings(2.0, "{}")).unwrap_err();
    assert_eq!((error.message.as_str(), error.http_code.as_deref()), ("Failed to parse request body", Some("422")));
}

#[test]
fn reads_queries_with_brackets() {
    let cases = [
        ("a=1&b=two", r#"{"a":"1","b":"two"}"#),
        ("a=1&a=2", r#"{"a":["1","2"]}"#),
        ("a[]=1&a[]=2", r#"{"a":["1","2"]}"#),
        ("f[name]=x&f[sub][k]=y", r#"{"f":{"name":"x","sub":{"k":"y"}}}"#),
        ("a[0][n]=1&a[1][n]=2", r#"{"a":[{"n":"1"},{"n":"2"}]}"#),
        ("flag", r#"{"flag":""}"#),
        ("a%5Bb%5D=1", r#"{"a":{"b":"1"}}"#),
        ("a[=1&[b]=2", r#"{"a[":"1","[b]":"2"}"#),
        ("", "{}"),
    ];
    for (query, expected) in cases {
        let (json, _) = receive(&request("", query, b""), &settings(2.0, "{}")).unwrap();
        assert_eq!(json.get("query").unwrap().to_json(), expected, "{query}");
    }
}

#[test]
fn takes_files_and_raw_bodies_as_binaries() {
    let cases = [
        (2.0, "{}", "image/png", vec!["data: image/png - PNG"]),
        (2.0, r#"{"options": {"binaryPropertyName": "photo"}}"#, "image/png", vec!["photo: image/png - PNG"]),
        (2.0, r#"{"options": {"rawBody": true}}"#, "text/plain", vec!["data: text/plain - PNG"]),
        (1.0, r#"{"options": {"binaryData": true}}"#, "image/png", vec!["data: image/png - PNG"]),
        (1.0, "{}", "image/png", vec![]),
    ];
    for (version, parameters, kind, expected) in cases {
        let (_, binaries) = receive(&request(kind, "", b"PNG"), &settings(version, parameters)).unwrap();
        assert_eq!(binaries, expected, "{version} {parameters}");
    }
}

const FORM: &str = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--B\r\nContent-Disposition: form-data; \
    name=\"a\"\r\n\r\ntwo\r\n--B\r\nContent-Disposition: form-data; name=\"up[]\"; filename=\"x \\\"1\\\".txt\"\r\n\
    Content-Type: text/plain\r\n\r\nline\r\nend\r\n--B\r\nContent-Disposition: form-data; name=\"up[]\"; filename=y\r\n\r\n\r\n--B--\r\n";

#[test]
fn reads_forms() {
    let form = request("multipart/form-data; boundary=B", "", FORM.as_bytes());
    let (json, binaries) = receive(&form, &settings(2.0, "{}")).unwrap();
    assert_eq!(json.get("body").unwrap().to_json(), r#"{"a":["one","two"]}"#);
    assert_eq!(binaries, ["up0: text/plain x \"1\".txt line\r\nend", "up1: - y "]);
    let named = settings(2.0, r#"{"options": {"binaryPropertyName": "file"}}"#);
    let (_, binaries) = receive(&form, &named).unwrap();
    assert!(binaries[0].starts_with("file0: ") && binaries[1].starts_with("file1: "), "{binaries:?}");
    for (kind, body) in [
        ("multipart/form-data", "--B--"),
        ("multipart/form-data; boundary=B", "nothing"),
        ("multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none"),
        ("multipart/form-data; boundary=B", "--Bx"),
    ] {
        let error = receive(&request(kind, "", body.as_bytes()), &settings(2.0, "{}")).unwrap_err();
        assert_eq!(error.message, "Failed to parse request body", "{kind} {body}");
    }
}

#[test]
fn gives_each_method_its_output() {
    let settings = settings(2.0, r#"{"multipleMethods": true, "httpMethod": ["GET", "POST"]}"#);
    let mut store = |_: Bytes, _: Option<&str>, _: Option<&str>| Ok(BinaryData::default());
    let outputs = items(&request("", "", b""), &settings, &mut store).unwrap();
    assert_eq!(outputs.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn reads_settings() {
    let found = settings(
        2.0,
        r#"{"httpMethod": "post", "path": "/a/:id/", "authentication": "headerAuth", "responseMode": "lastNode",
            "responseData": "allEntries", "options": {"responseCode": {"values": {"responseCode": "customCode", "customCode": 418}},
            "responseHeaders": {"entries": [{"name": "X-A", "value": 1}, {"name": ""}]}, "ipWhitelist": "10.0.0.1, 10.0.0.2",
            "ignoreBots": true}}"#,
    );
    assert_eq!((found.methods.as_slice(), found.path.as_str()), (["POST".into()].as_slice(), "a/:id"));
    assert_eq!(found.authentication, Authentication::Header);
    assert_eq!((found.response_mode, found.response_data), (ResponseMode::LastNode, ResponseData::AllEntries));
    assert_eq!(found.response_code, 418);
    assert_eq!(found.response_headers, [(Str::from("x-a"), Str::from("1"))]);
    assert_eq!(found.ip_allow_list, ["10.0.0.1", "10.0.0.2"]);
    assert!(found.ignore_bots);
    let waiting = settings(1.1, r#"{"incomingAuthentication": "headerAuth"}"#);
    assert_eq!(waiting.authentication, Authentication::Header);
    let plain = settings(1.0, r#"{"responseCode": 204}"#);
    assert_eq!((plain.response_code, plain.methods.as_slice()), (204, ["GET".into()].as_slice()));
}

#[test]
fn answers_on_receipt() {
    let cases = [
        ("{}", r#"{"message":"Workflow was started"}"#),
        (r#"{"options": {"noResponseBody": true}}"#, ""),
        (r#"{"options": {"responseData": "<b>ok</b>"}}"#, "<b>ok</b>"),
    ];
    for (parameters, expected) in cases {
        let answer = answer_on_receipt(&settings(2.0, parameters));
        assert_eq!(String::from_utf8_lossy(&answer.body), expected, "{parameters}");
    }
}

#[test]
fn answers_with_data_of_the_last_node() {
    let load = |binary: &BinaryData| Ok(Bytes::copy_from_slice(binary.data.as_bytes()));
    let item = r#"{"json": {"a": {"b": "<p>"}}, "binary": {"data": {"data": "bytes", "mimeType": "image/gif"}}}"#;
    let list = [Item::from_value(&Value::from_json(item).unwrap())];
    let cases = [
        ("{}", r#"{"a":{"b":"<p>"}}"#, "application/json; charset=utf-8"),
        (r#"{"responseData": "allEntries"}"#, r#"[{"a":{"b":"<p>"}}]"#, "application/json; charset=utf-8"),
        (r#"{"options": {"responsePropertyName": "a.b"}}"#, "<p>", "text/html; charset=utf-8"),
        (r#"{"options": {"responseContentType": "text/xml", "responsePropertyName": "a.b"}}"#, "<p>", "text/xml"),
        (r#"{"responseData": "firstEntryBinary"}"#, "bytes", "image/gif"),
    ];
    for (parameters, body, kind) in cases {
        let answer = answer_of_last_node(&settings(2.0, parameters), &list, &load).unwrap();
        assert_eq!(String::from_utf8_lossy(&answer.body), body, "{parameters}");
        let found = answer.headers.iter().find(|(name, _)| name == "content-type").unwrap();
        assert_eq!(found.1, kind, "{parameters}");
    }
    let cases = [
        ("{}", "No item to return was found"),
        (r#"{"responseData": "firstEntryBinary"}"#, "No item was found to return"),
    ];
    for (parameters, message) in cases {
        assert_eq!(answer_of_last_node(&settings(2.0, parameters), &[], &load).unwrap_err().message, message);
    }
    let other = settings(2.0, r#"{"responseData": "firstEntryBinary", "responseBinaryPropertyName": "photo"}"#);
    let error = answer_of_last_node(&other, &list, &load).unwrap_err();
    assert_eq!(error.message, "The binary property 'photo' which should be returned does not exist");
}
