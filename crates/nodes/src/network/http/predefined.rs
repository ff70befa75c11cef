//! Credentials of services whose requests only need fixed fields: a header, a query field, a body field. The rules are
//! data (`predefined.json`), so that a service is one line.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millrace_model::{Object, Str, Value};

use super::authentication::Fields;
use super::field;

/// Credential type to `{"headers" | "query" | "body": {name: template}}`. In a template `{name}` is a field of the
/// credential and `{basic:a:b}` the base64 of two fields joined by a colon.
static RULES: LazyLock<Object> = LazyLock::new(|| {
    let rules = Value::from_json(include_str!("predefined.json")).unwrap_or_default();
    rules.as_object().cloned().unwrap_or_default()
});

/// All rules, by credential type.
pub fn authentication_rules() -> &'static Object {
    &RULES
}

/// The fields that a credential of this type adds; a type without a rule is guessed from its fields. A template that
/// names an empty field adds nothing.
pub(super) fn fields(kind: &str, data: &Object) -> Fields {
    let Some(rule) = RULES.get(kind) else { return guessed(data) };
    let part = |name: &str| {
        let templates = rule.get(name).and_then(Value::as_object);
        let templates = templates.into_iter().flat_map(Object::iter);
        templates.filter_map(|(name, template)| Some((fill(name, data)?, fill(template.as_str()?, data)?)))
    };
    let object = |name: &str| part(name).map(|(name, value)| (name, Value::from(value))).collect();
    Fields { headers: part("headers").collect(), query: object("query"), body: object("body") }
}

/// A bearer token, if the credential has a field that is plainly one.
fn guessed(data: &Object) -> Fields {
    let token = ["accessToken", "apiToken", "apiKey", "token"].into_iter().map(|name| field(data, name));
    match token.into_iter().find(|token| !token.is_empty()) {
        Some(token) => {
            Fields { headers: vec![("Authorization".into(), format!("Bearer {token}").into())], ..Fields::default() }
        }
        None => Fields::default(),
    }
}

fn fill(template: &str, data: &Object) -> Option<Str> {
    let mut text = Str::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        match name.strip_prefix("basic:").and_then(|names| names.split_once(':')) {
            Some((user, password)) => {
                let pair = format!("{}:{}", literal_or_field(user, data), literal_or_field(password, data));
                text.push_str(&STANDARD.encode(pair));
            }
            None => text.push_str(Some(field(data, name)).filter(|value| !value.is_empty())?.as_str()),
        }
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

/// `'x'` is the text x, anything else a field.
fn literal_or_field(name: &str, data: &Object) -> Str {
    match name.strip_prefix('\'').and_then(|name| name.strip_suffix('\'')) {
        Some(literal) => literal.into(),
        None => field(data, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_rules() {
        let data = Object::from([("accessToken", "t1".into()), ("apiKey", "k1".into()), ("user", "u".into())]);
        let table = [
            ("slackApi", "Authorization", "Bearer t1"),
            ("openAiApi", "Authorization", "Bearer k1"),
            ("anthropicApi", "x-api-key", "k1"),
            ("someUnknownApi", "Authorization", "Bearer t1"),
        ];
        for (kind, name, value) in table {
            let fields = fields(kind, &data);
            assert!(fields.headers.contains(&(name.into(), value.into())), "{kind}: {:?}", fields.headers);
        }
    }

    #[test]
    fn empty_fields_add_nothing() {
        let data = Object::from([("apiKey", "k1".into()), ("organizationId", "".into())]);
        assert_eq!(fields("openAiApi", &data).headers.len(), 1);
        assert!(fields("ollamaApi", &Object::new()).headers.is_empty());
    }

    #[test]
    fn every_rule_is_well_formed() {
        assert!(RULES.len() > 30);
        for (kind, rule) in RULES.iter() {
            let rule = rule.as_object().unwrap();
            assert!(
                !rule.is_empty() && rule.keys().all(|key| ["headers", "query", "body"].contains(&key.as_str())),
                "{kind}"
            );
        }
    }

    #[test]
    fn joins_user_and_password() {
        let data = Object::from([("accountSid", "AC".into()), ("authToken", "x".into())]);
        let fields = fields("twilioApi", &data);
        assert_eq!(fields.headers, [("Authorization".into(), format!("Basic {}", STANDARD.encode("AC:x")).into())]);
    }
}
