//! Takes secrets out of what is recorded. Response types hold none; this is the second lock, for the day one does.

use serde_json::Value;

const REDACTED: &str = "[redacted]";
/// Parts of field names, in lower case, whose values are secrets.
const SECRET: [&str; 10] = [
    "password",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "cookie",
    "apikey",
    "privatekey",
    "credentialdata",
    "recoverycodes",
];
/// Endings of names that only speak about a secret: `apiKeyId`, `tokenExpiresAt`, `passwordSet`.
const HARMLESS: [&str; 6] = ["id", "at", "set", "type", "count", "length"];

/// Replaces the values of fields that are named like secrets, however deep.
pub(super) fn redact(mut value: Value) -> Value {
    clean(&mut value);
    value
}

fn clean(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if is_secret(name) && !matches!(field, Value::Null | Value::Bool(_) | Value::Number(_)) {
                    *field = REDACTED.into();
                } else {
                    clean(field);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(clean),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    SECRET.iter().any(|part| plain.contains(part)) && !HARMLESS.iter().any(|ending| plain.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let recorded = redact(json!({
            "name": "x", "password": "p", "apiKeyId": "k", "tokenExpiresAt": "t", "hasSecret": true,
            "list": [{ "client_secret": "s", "X-API-Key": ["k"] }], "accessToken": { "a": 1 }, "secret": null
        }));
        let expected = json!({
            "name": "x", "password": REDACTED, "apiKeyId": "k", "tokenExpiresAt": "t", "hasSecret": true,
            "list": [{ "client_secret": REDACTED, "X-API-Key": REDACTED }], "accessToken": REDACTED, "secret": null
        });
        assert_eq!(recorded, expected);
    }
}
