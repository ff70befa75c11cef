//! JWT, by tables.

use crate::testing::{NOW_MS, Trial, trial};

fn with_secret(parameters: &str) -> Trial {
    let credential = r#"{"keyType": "passphrase", "secret": "s3cret", "algorithm": "HS256"}"#;
    trial("jwt").parameters(parameters).world(|world| world.credential("jwtAuth", credential))
}

fn signed(claims: &str) -> String {
    let claims = millrace_model::Value::from(claims).to_json();
    let given = with_secret(&format!(r#"{{"useJson": true, "claimsJson": {claims}}}"#)).output();
    given.outputs[0].as_ref().unwrap()[0].json.get("token").unwrap().to_js_string().to_string()
}

#[test]
fn signs_and_verifies() {
    let token = signed(r#"{"sub": "me", "iat": 5}"#);
    let table = [
        (r#""operation": "verify""#, r#"[{"payload":{"sub":"me","iat":5}}]"#),
        (r#""operation": "decode""#, r#"[{"payload":{"sub":"me","iat":5}}]"#),
        (
            r#""operation": "decode", "options": {"complete": true}"#,
            r#"[{"header":{"alg":"HS256","typ":"JWT"},"payload":{"sub":"me","iat":5},"signature":"SIGNATURE"}]"#,
        ),
    ];
    for (more, expected) in table {
        let expected = expected.replace("SIGNATURE", token.rsplit('.').next().unwrap());
        assert_eq!(with_secret(&format!(r#"{{"token": "{token}", {more}}}"#)).gives(), expected, "{more}");
    }
}

#[test]
fn puts_claims_and_headers_in() {
    let parameters =
        r#"{"claims": {"audience": "a", "expiresIn": 60}, "options": {"kid": "k1"}, "headerClaims": "{\"x\": 1}"}"#;
    let given = with_secret(parameters).output();
    let token = given.outputs[0].as_ref().unwrap()[0].json.get("token").unwrap().to_js_string();
    let decoded =
        with_secret(&format!(r#"{{"operation": "decode", "token": "{token}", "options": {{"complete": true}}}}"#))
            .gives();
    let now = NOW_MS / 1000;
    let claims = format!(r#""payload":{{"audience":"a","expiresIn":60,"exp":{},"iat":{now}}}"#, now + 60);
    assert!(decoded.contains(&claims), "{decoded}");
    assert!(decoded.contains(r#""header":{"alg":"HS256","typ":"JWT","x":1,"kid":"k1"}"#), "{decoded}");
}

#[test]
fn refuses_bad_tokens() {
    let expired = signed(r#"{"exp": 1}"#);
    let early = signed(r#"{"nbf": 99999999999}"#);
    let good = signed("{}");
    let forged = format!("{}.{}", good.rsplit_once('.').unwrap().0, "AAAA");
    let table = [
        (expired.as_str(), "", "jwt expired"),
        (early.as_str(), "", "jwt not active"),
        (forged.as_str(), "", "invalid signature"),
        (good.as_str(), r#", "options": {"algorithm": "HS512"}"#, "invalid algorithm"),
        ("a.b", "", "jwt malformed"),
        ("a.b.c", "", "invalid token"),
        ("", "", "jwt must be provided"),
    ];
    for (token, more, message) in table {
        let parameters = format!(r#"{{"operation": "verify", "token": "{token}"{more}}}"#);
        assert_eq!(with_secret(&parameters).fails().message, message, "{token}");
    }
    let tolerant =
        format!(r#"{{"operation": "verify", "token": "{expired}", "options": {{"ignoreExpiration": true}}}}"#);
    assert!(with_secret(&tolerant).gives().contains(r#""exp":1"#));
    let bad_json = with_secret(r#"{"useJson": true, "claimsJson": "[1"}"#).fails().message;
    assert_eq!(bad_json, "The 'Payload Claims (JSON)' parameter must be a valid JSON object");
}
