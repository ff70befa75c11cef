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
        (forged.as_str(), "", "The JWT token can't be verified"),
        (good.as_str(), r#", "options": {"algorithm": "HS512"}"#, "invalid algorithm"),
        ("a.b", "", "Invalid input for 'Token' [item 0]"),
        ("..", "", "Invalid input for 'Token' [item 0]"),
        ("={{ null }}", "", "The JWT token was not provided"),
        ("a.b.c", "", "invalid token"),
        ("", "", "Invalid input for 'Token' [item 0]"),
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

/// A key made for these tests, in PEM as a JSON text holds it.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\\nMIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIB4BnsVj2BbmBKSqlF\\nXx8prTnijQny9fafkAwEK8ZBsgECxsCJMUWIQmFXqzyK9bDa1ind/iHAZ8m12mc2\\nUxxIKs6hgYkDgYYABAD/2peUToP9c73cbA1sCmpO3ap11HzNMPwhXwpWki1M3C1z\\nDKdQ1VItQrLUPHsP3kzsoB4+TJPdCEL0NTGhEMQLkgD7sgmFUCWfB54yZTrsoRBD\\njS2nfTvV9MQhjyueps4z1y5ad7P8ZE5IUpBtTwhAxTlW8JLQUFxFyGTk2W6F9prU\\nlQ==\\n-----END PRIVATE KEY-----";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\\nMIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQA/9qXlE6D/XO93GwNbApqTt2qddR8\\nzTD8IV8KVpItTNwtcwynUNVSLUKy1Dx7D95M7KAePkyT3QhC9DUxoRDEC5IA+7IJ\\nhVAlnweeMmU67KEQQ40tp3071fTEIY8rnqbOM9cuWnez/GROSFKQbU8IQMU5VvCS\\n0FBcRchk5Nluhfaa1JU=\\n-----END PUBLIC KEY-----";
/// Signed with it by another implementation.
const FOREIGN: &str = "eyJhbGciOiJFUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJtZSIsImlhdCI6NX0.AGs7mYYyFVv5iYZGf0P6wrRFOvZ_Cxw9eY3GXwopsCPHy8nKVWJSRn8tRT922mbCEKcnJIAu4iItvmu_TKXGetEcAOl07r282HSAtNTlOjdtyGSBv9a04xLgW8gbhSbak7mOO29RKbGBRqTiG4zKOYD2GRyTyQA8onV9Jk2PBFXnQ-V9";

#[test]
fn signs_and_verifies_with_p521() {
    let with_key = |parameters: &str| {
        let credential = format!(
            r#"{{"keyType": "pemKey", "privateKey": "{PRIVATE}", "publicKey": "{PUBLIC}", "algorithm": "ES512"}}"#
        );
        trial("jwt").parameters(parameters).world(|world| world.credential("jwtAuth", &credential))
    };
    let verify = |token: &str| with_key(&format!(r#"{{"operation": "verify", "token": "{token}"}}"#));
    assert_eq!(verify(FOREIGN).gives(), r#"[{"payload":{"sub":"me","iat":5}}]"#);
    let made = with_key(r#"{"useJson": true, "claimsJson": "{\"sub\": \"you\", \"iat\": 6}"}"#).output();
    let token = made.outputs[0].as_ref().unwrap()[0].json.get("token").unwrap().to_js_string();
    assert_eq!(verify(&token).gives(), r#"[{"payload":{"sub":"you","iat":6}}]"#);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = FOREIGN.rsplit_once('.').unwrap().1;
    for forged in
        [format!("{signed}.{other}"), format!("{signed}.{}", signature.split_at(1).1), format!("{signed}.AAAA")]
    {
        assert_eq!(verify(&forged).fails().message, "The JWT token can't be verified", "{forged}");
    }
    let weaker =
        with_key(&format!(r#"{{"operation": "verify", "token": "{FOREIGN}", "options": {{"algorithm": "HS256"}}}}"#));
    assert_eq!(weaker.fails().message, "invalid algorithm");
    let wrong = trial("jwt").parameters("{}").world(|world| {
        world.credential("jwtAuth", r#"{"keyType": "pemKey", "privateKey": "no key", "algorithm": "ES512"}"#)
    });
    assert_eq!(wrong.fails().message, "The private key of the credential could not be read");
}
