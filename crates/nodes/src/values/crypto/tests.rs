//! Crypto, by tables.

use crate::testing::trial;

#[test]
fn hashes_and_signs_texts() {
    let table = [
        (r#"{"value": "hello"}"#, "5d41402abc4b2a76b9719d911017c592"),
        (
            r#"{"value": "hello", "type": "SHA256", "encoding": "base64"}"#,
            "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        ),
        (
            r#"{"action": "hmac", "type": "SHA256", "value": "msg", "secret": "key"}"#,
            "2d93cbc1be167bcb1637a4a23cbff01a7878f0c50ee833954ea5221bb1b8c628",
        ),
        (r#"{"action": "generate", "encodingType": "hex", "stringLength": 7}"#, "0b30557"),
        (r#"{"action": "generate", "encodingType": "uuid"}"#, "0b30557a-9fc4-4913-b85d-82a7ccf11b40"),
    ];
    for (parameters, expected) in table {
        assert_eq!(
            trial("crypto").version(1.0).parameters(parameters).gives(),
            format!(r#"[{{"data":"{expected}"}}]"#),
            "{parameters}"
        );
    }
    let nested = trial("crypto").parameters(r#"{"value": "hello", "dataPropertyName": "a.b"}"#).input(r#"[{"c": 1}]"#);
    assert_eq!(nested.gives(), r#"[{"c":1,"a.b":"5d41402abc4b2a76b9719d911017c592"}]"#);
}

#[test]
fn hashes_files() {
    let item = r#"[{"json": {}, "binary": {"doc": {"data": "aGVsbG8=", "mimeType": "text/plain"}}}]"#;
    let trial = trial("crypto").parameters(r#"{"binaryData": true, "binaryPropertyName": "doc"}"#).input(item);
    assert_eq!(trial.gives(), r#"[{"data":"5d41402abc4b2a76b9719d911017c592"}]"#);
}

#[test]
fn makes_random_text_of_the_length_asked_for() {
    for kind in ["ascii", "base64", "hex"] {
        let parameters = format!(r#"{{"action": "generate", "encodingType": "{kind}", "stringLength": 20}}"#);
        let given = trial("crypto").parameters(&parameters).output();
        let text = given.outputs[0].as_ref().unwrap()[0].json.get("data").unwrap().to_js_string();
        assert_eq!(text.chars().count(), 20, "{kind} {text:?}");
    }
}

/// A key made for this test with `openssl ecparam -genkey -name prime256v1`.
const EC_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
-----END PRIVATE KEY-----";

#[test]
fn signs_with_elliptic_keys() {
    let key = millrace_model::Value::from(EC_KEY).to_json();
    let parameters = format!(r#"{{"action": "sign", "algorithm": "RSA-SHA256", "value": "x", "privateKey": {key}}}"#);
    let first = trial("crypto").parameters(&parameters).gives();
    // A DER sequence, and the same one each time (RFC 6979).
    assert!(first.starts_with(r#"[{"data":"30"#), "{first}");
    assert_eq!(first, trial("crypto").parameters(&parameters).gives());
}

#[test]
fn says_what_is_wrong() {
    let table = [
        (r#"{"type": "CRC"}"#, "The algorithm CRC is not supported"),
        (r#"{"action": "sign", "algorithm": "RSA-SHA256", "privateKey": "x"}"#, "The private key could not be read"),
        (r#"{"action": "generate", "encodingType": "hex", "stringLength": 1e9}"#, "The length must be 0 to 1048576"),
        (
            r#"{"binaryData": true}"#,
            "This operation expects the node's input data to contain a binary file 'data', but none was found [item 0]",
        ),
    ];
    for (parameters, message) in table {
        assert_eq!(trial("crypto").parameters(parameters).fails().message, message);
    }
}
