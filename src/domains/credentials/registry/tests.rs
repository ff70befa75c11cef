//! Every type is complete, and each sort of mistake is found by its pointer.

use serde_json::{Map, Value, json};

use super::{Authenticate, Test, all, check, close_to, find};

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn the_types_that_workflows_name_are_there() {
    let needed = "httpBasicAuth httpHeaderAuth httpQueryAuth httpDigestAuth httpBearerAuth httpCustomAuth jwtAuth oAuth1Api \
        oAuth2Api smtp imap postgres mySql redis slackApi slackOAuth2Api twilioApi sendGridApi aws s3 googleApi \
        googleOAuth2Api googleSheetsOAuth2Api gmailOAuth2 githubApi openAiApi anthropicApi googlePalmApi openRouterApi \
        ollamaApi telegramApi discordWebhookApi influxDbApi elasticsearchApi notionApi stripeApi";
    for name in needed.split_whitespace() {
        assert!(find(name).is_some(), "{name}");
    }
    assert!(all().count() > 100);
}

#[test]
fn every_type_says_what_it_takes_and_how_it_is_used() {
    for kind in all() {
        assert!(!kind.display_name.is_empty(), "{}", kind.name);
        assert!(kind.fields.iter().any(|field| field.secret), "{} has no secret", kind.name);
        for field in &kind.fields {
            let twice = kind.fields.iter().filter(|other| other.name == field.name).count() > 1;
            assert!(!twice, "{} has {} twice", kind.name, field.name);
            assert!(field.show.keys().all(|name| kind.field(name).is_some()), "{}.{}", kind.name, field.name);
            assert_eq!(
                field.kind == super::FieldKind::Options,
                !field.options.is_empty(),
                "{}.{}",
                kind.name,
                field.name
            );
        }
        if kind.authenticate == Authenticate::Generic {
            let rules = millrace_nodes::authentication_rules();
            assert!(rules.get(&kind.name).is_some(), "nothing says how {} authenticates", kind.name);
        }
        if let Some(Test::Request { url, .. }) = &kind.test {
            for name in super::placeholders(url) {
                assert!(kind.field(name).is_some(), "the test of {} names {name}", kind.name);
            }
        }
    }
}

/// What cannot be tried out is known by name: what opens nothing by itself, or no one knows where.
#[test]
fn every_type_with_a_server_of_its_own_can_be_tried_out() {
    let cannot = |name: &str| find(name).unwrap().test.is_none() && !find(name).unwrap().holds_access_token();
    let declared = "slackApi twilioApi sendGridApi aws s3 googleApi oAuth2Api slackOAuth2Api gmailOAuth2 githubApi openAiApi \
        anthropicApi googlePalmApi openRouterApi ollamaApi telegramApi discordWebhookApi influxDbApi elasticsearchApi smtp \
        imap postgres redis";
    for name in declared.split_whitespace() {
        assert!(!cannot(name), "{name}");
    }
    for name in ["httpBasicAuth", "httpHeaderAuth", "jwtAuth", "mySql", "crypto", "totpApi"] {
        assert!(cannot(name), "{name}");
    }
}

#[test]
fn types_inherit_and_fix_fields() {
    let sheets = find("googleSheetsOAuth2Api").unwrap();
    assert!(sheets.holds_access_token());
    assert_eq!(sheets.fixed["accessTokenUrl"], "https://oauth2.googleapis.com/token");
    assert!(sheets.field("authUrl").unwrap().hidden && !sheets.field("clientId").unwrap().hidden);
    assert!(find("slackOAuth2Api").unwrap().field("scope").unwrap().default == "chat:write");
}

#[test]
fn mistakes_are_found_by_pointer() {
    for (kind, data, expected) in [
        ("httpBasicAuth", json!({ "user": "u", "password": "p" }), vec![]),
        ("httpBasicAuth", json!({ "user": "u", "pass/word": "p" }), vec![("/data/pass~1word", "unknown_field")]),
        ("httpBasicAuth", json!({ "user": ["u"] }), vec![("/data/user", "wrong_type")]),
        ("slackApi", json!({}), vec![("/data/accessToken", "missing_field")]),
        ("slackApi", json!({ "accessToken": "  " }), vec![("/data/accessToken", "missing_field")]),
        ("slackApi", json!({ "accessToken": "={{ $secrets.env.X }}" }), vec![]),
        (
            "smtp",
            json!({ "host": "h", "port": "many", "secure": "yes" }),
            vec![("/data/port", "wrong_type"), ("/data/secure", "wrong_type")],
        ),
        ("smtp", json!({ "host": "h", "port": "587" }), vec![]),
        ("jwtAuth", json!({ "keyType": "stone" }), vec![("/data/keyType", "unknown_variant")]),
        ("jwtAuth", json!({ "keyType": "pemKey" }), vec![]),
        ("jwtAuth", json!({}), vec![("/data/secret", "missing_field")]),
        (
            "twilioApi",
            json!({ "accountSid": "AC", "authType": "apiKey", "apiKeySid": "SK" }),
            vec![("/data/apiKeySecret", "missing_field")],
        ),
        ("httpCustomAuth", json!({ "json": "{" }), vec![("/data/json", "wrong_type")]),
        ("httpCustomAuth", json!({ "json": "{\"headers\": {}}" }), vec![]),
        (
            "oAuth2Api",
            json!({ "clientId": "c" }),
            vec![("/data/accessTokenUrl", "missing_field"), ("/data/authUrl", "missing_field")],
        ),
        ("oAuth2Api", json!({ "clientId": "c", "accessTokenUrl": "u", "grantType": "clientCredentials" }), vec![]),
        ("gmailOAuth2", json!({ "clientId": "c", "clientSecret": "s" }), vec![]),
        ("notionApi", json!({ "apiKey": "k", "domain": "x" }), vec![]),
        ("notionApi", json!({ "apiKey": { "k": 1 } }), vec![("/data/apiKey", "wrong_type")]),
        (
            "slackApi",
            json!({ "accessToken": "t", "allowedHttpRequestDomains": "domains", "allowedDomains": 5 }),
            vec![("/data/allowedDomains", "wrong_type")],
        ),
    ] {
        let found = check(find(kind).unwrap(), &map(data.clone()));
        let found: Vec<_> = found.iter().map(|error| (error.pointer.as_str(), &*error.code)).collect();
        assert_eq!(found, expected, "{kind} {data}");
    }
}

#[test]
fn messages_hold_no_values() {
    let data = map(json!({ "accessToken": { "hunter2": 1 }, "hunter": "hunter2" }));
    for error in check(find("slackApi").unwrap(), &data) {
        assert!(!error.message.contains("hunter2"), "{error:?}");
    }
}

#[test]
fn close_names_are_suggested() {
    assert!(close_to("slackapi").contains(&"slackApi"));
    assert!(close_to("zzzzzz").is_empty());
}
