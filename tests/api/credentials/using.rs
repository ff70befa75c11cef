//! Nodes get a credential when they run: the one they name, if they may have it, for the hosts it is for.

use actix_web::HttpResponse;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{create, error_of, http_request, run, run_workflow, server, workflow};
use crate::support::Vendor;

fn agreeable() -> Vendor {
    Vendor::start(|_| HttpResponse::Ok().json(json!({ "done": true })))
}

#[actix_web::test]
async fn http_requests_authenticate_in_every_way() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let vendor = agreeable();
    let basic = format!("Basic {}", BASE64_STANDARD.encode("u:p"));
    for (kind, data, expected) in [
        ("httpBasicAuth", json!({ "user": "u", "password": "p" }), ("authorization", basic.as_str())),
        ("httpBearerAuth", json!({ "token": "t" }), ("authorization", "Bearer t")),
        ("httpHeaderAuth", json!({ "name": "x-key", "value": "v" }), ("x-key", "v")),
        ("httpCustomAuth", json!({ "json": "{\"headers\":{\"x-custom\":\"c\"}}" }), ("x-custom", "c")),
        (
            "oAuth2Api",
            json!({ "clientId": "c", "accessTokenUrl": "u", "authUrl": "a", "oauthTokenData": { "access_token": "tok" } }),
            ("authorization", "Bearer tok"),
        ),
    ] {
        let id = create(&owner, kind, data).await;
        let execution = run(&owner, workflow(http_request(&vendor.url, kind, json!({ "id": id, "name": "x" })))).await;
        assert_eq!(execution["status"], "success", "{kind} {execution}");
        assert_eq!(vendor.last().header(expected.0), Some(expected.1), "{kind}");
    }
    let id = create(&owner, "httpQueryAuth", json!({ "name": "key", "value": "q v" })).await;
    run(&owner, workflow(http_request(&vendor.url, "httpQueryAuth", json!({ "id": id })))).await;
    assert_eq!(vendor.last().path, "/?key=q%20v");
}

#[actix_web::test]
async fn digest_and_signed_requests_answer_their_servers() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let vendor = Vendor::start(|asked| match asked.header("authorization") {
        Some(answer) if answer.starts_with("Digest username=\"u\"") => HttpResponse::Ok().json(json!({})),
        Some(answer) if answer.starts_with("OAuth ") && answer.contains("oauth_signature=") => {
            HttpResponse::Ok().json(json!({}))
        }
        _ => HttpResponse::Unauthorized()
            .insert_header(("www-authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\""))
            .finish(),
    });
    for (kind, data) in [
        ("httpDigestAuth", json!({ "user": "u", "password": "p" })),
        (
            "oAuth1Api",
            json!({ "consumerKey": "k", "consumerSecret": "s", "oauthTokenData": { "oauth_token": "t", "oauth_token_secret": "ts" } }),
        ),
    ] {
        let id = create(&owner, kind, data).await;
        let execution = run(&owner, workflow(http_request(&vendor.url, kind, json!({ "id": id })))).await;
        assert_eq!(execution["status"], "success", "{kind} {execution}");
    }
}

#[actix_web::test]
async fn predefined_types_are_sent_by_their_rules() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let vendor = agreeable();
    let id = create(&owner, "anthropicApi", json!({ "apiKey": "key-1" })).await;
    let mut node = http_request(&vendor.url, "anthropicApi", json!({ "id": id }));
    node["parameters"]["authentication"] = json!("predefinedCredentialType");
    node["parameters"]["nodeCredentialType"] = json!("anthropicApi");
    let execution = run(&owner, workflow(node)).await;
    assert_eq!(execution["status"], "success", "{execution}");
    assert_eq!(vendor.last().header("x-api-key"), Some("key-1"));
}

#[actix_web::test]
async fn references_lead_to_the_tenants_own_or_nowhere() {
    let server = server().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let vendor = agreeable();
    let foreign = create(&globex.owner, "httpBearerAuth", json!({ "token": "globex-token" })).await;
    let own = create(&acme.owner, "httpBearerAuth", json!({ "token": "acme-token" })).await;
    let other_type = create(&acme.owner, "httpBasicAuth", json!({ "user": "u" })).await;
    let aliased =
        json!({ "id": "abc", "name": "exported", "type": "httpBearerAuth", "data": { "token": "alias-token" } });
    acme.owner.post("/api/v1/credentials", aliased).await.expect(201);
    for name in ["twice", "twice"] {
        let body = json!({ "name": name, "type": "httpBearerAuth", "data": { "token": "t" } });
        acme.owner.post("/api/v1/credentials", body).await.expect(201);
    }
    for (reference, outcome) in [
        (json!({ "id": own, "name": "x" }), Ok("Bearer acme-token")),
        (json!({ "id": "abc", "name": "x" }), Ok("Bearer alias-token")),
        (json!({ "id": "17", "name": "my httpBearerAuth" }), Ok("Bearer acme-token")),
        (json!({ "id": null, "name": "exported" }), Ok("Bearer alias-token")),
        (json!("exported"), Ok("Bearer alias-token")),
        (json!({ "id": foreign, "name": "my httpBearerAuth" }), Err("no credential with this id")),
        (json!({ "id": other_type, "name": "x" }), Err("is of the type httpBasicAuth")),
        (json!({ "id": "17", "name": "twice" }), Err("several credentials")),
        (json!({ "id": "17", "name": "nobody" }), Err("no credential with this id")),
        (json!({}), Err("no credential with this id")),
    ] {
        let before = vendor.asked().len();
        let execution =
            run(&acme.owner, workflow(http_request(&vendor.url, "httpBearerAuth", reference.clone()))).await;
        match outcome {
            Ok(header) => assert_eq!(vendor.last().header("authorization"), Some(header), "{reference} {execution}"),
            Err(message) => {
                assert!(error_of(&execution).contains(message), "{reference} {execution}");
                assert_eq!(vendor.asked().len(), before, "{reference}: nothing is sent");
            }
        }
    }
}

#[actix_web::test]
async fn a_node_that_names_none_takes_the_only_one_of_the_type() {
    let server = server().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let vendor = agreeable();
    create(&globex.owner, "httpBearerAuth", json!({ "token": "globex-token" })).await;
    let mut bare = http_request(&vendor.url, "httpBearerAuth", json!({}));
    bare["credentials"] = json!({});
    let document = workflow(bare);
    let error = error_of(&run(&acme.owner, document.clone()).await);
    assert!(error.contains("there is none of the type httpBearerAuth; create one"), "{error}");
    assert!(vendor.asked().is_empty(), "another tenant's is none");

    create(&acme.owner, "httpBasicAuth", json!({ "user": "u", "password": "p" })).await;
    let only = create(&acme.owner, "httpBearerAuth", json!({ "token": "acme-token" })).await;
    run(&acme.owner, document.clone()).await;
    assert_eq!(vendor.last().header("authorization"), Some("Bearer acme-token"));

    // That it is the only one gives nobody more than they may have.
    let asked = vendor.asked().len();
    let share = format!("/api/v1/credentials/{only}/share");
    acme.owner.post(&share, json!({ "workflows": [], "nodeTypes": null })).await.expect(200);
    assert!(error_of(&run(&acme.owner, document.clone()).await).contains("is not shared with this workflow"));
    acme.owner.post(&share, json!({ "workflows": null, "nodeTypes": null })).await.expect(200);

    create(&acme.owner, "httpBearerAuth", json!({ "token": "second-token" })).await;
    let error = error_of(&run(&acme.owner, document).await);
    assert!(error.contains("there are several of the type httpBearerAuth; choose one in the node"), "{error}");
    assert_eq!(vendor.asked().len(), asked, "nothing is sent");
}

#[actix_web::test]
async fn sharing_is_checked_where_the_credential_is_used() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let vendor = agreeable();
    let id = create(&owner, "httpBearerAuth", json!({ "token": "t" })).await;
    let document = workflow(http_request(&vendor.url, "httpBearerAuth", json!({ "id": id })));
    let (one, two) = (made(&owner, document.clone()).await, made(&owner, document.clone()).await);
    // A workflow that carries the same node inside a call: it runs for the workflow that calls.
    let inline = json!({
        "name": "Then", "type": "n8n-nodes-base.executeWorkflow", "typeVersion": 1.2, "position": [200, 0],
        "parameters": { "source": "parameter", "workflowJson": called(&document).to_string(), "options": {} }
    });
    let nested = made(&owner, workflow(inline)).await;
    let share = format!("/api/v1/credentials/{id}/share");
    for (body, may) in [
        (json!({ "workflows": null, "nodeTypes": null }), [true, true, true]),
        (json!({ "workflows": [one], "nodeTypes": null }), [true, false, false]),
        (json!({ "workflows": [one, nested], "nodeTypes": ["n8n-nodes-base.httpRequest"] }), [true, false, true]),
        (json!({ "workflows": null, "nodeTypes": ["n8n-nodes-base.slack"] }), [false, false, false]),
        (json!({ "workflows": [], "nodeTypes": null }), [false, false, false]),
    ] {
        owner.post(&share, body.clone()).await.expect(200);
        for (workflow, may) in [&one, &two, &nested].into_iter().zip(may) {
            let execution = run_workflow(&owner, workflow).await;
            let worked = execution["status"] == "success";
            assert_eq!(worked, may, "{body} {execution}");
            assert!(worked || error_of(&execution).contains("not shared"), "{execution}");
        }
    }
}

async fn made(client: &crate::support::Client, document: Value) -> String {
    client.post("/api/v1/workflows", document).await.json(201)["id"].as_str().unwrap().to_owned()
}

/// The same workflow, begun by a call.
fn called(document: &Value) -> Value {
    let mut document = document.clone();
    document["nodes"][0]["type"] = json!("n8n-nodes-base.executeWorkflowTrigger");
    document
}

#[actix_web::test]
async fn a_stored_workflow_that_is_called_uses_what_is_shared_with_itself() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let vendor = agreeable();
    let id = create(&owner, "httpBearerAuth", json!({ "token": "t" })).await;
    let document = workflow(http_request(&vendor.url, "httpBearerAuth", json!({ "id": id })));
    let inner = made(&owner, called(&document)).await;
    let calling = json!({
        "name": "Then", "type": "n8n-nodes-base.executeWorkflow", "typeVersion": 1.2, "position": [200, 0],
        "parameters": { "workflowId": { "__rl": true, "mode": "id", "value": inner }, "options": {} }
    });
    let outer = made(&owner, workflow(calling)).await;
    let share = format!("/api/v1/credentials/{id}/share");
    for (with, may) in [(json!([outer]), false), (json!([inner]), true), (json!([]), false), (json!(null), true)] {
        let before = vendor.asked().len();
        owner.post(&share, json!({ "workflows": with, "nodeTypes": null })).await.expect(200);
        let execution = run_workflow(&owner, &outer).await;
        assert_eq!(execution["status"] == "success", may, "{with} {execution}");
        assert!(may || error_of(&execution).contains("not shared"), "{execution}");
        assert_eq!(vendor.asked().len() - before, usize::from(may), "{with}");
    }
}

#[actix_web::test]
async fn a_credential_stays_on_its_hosts() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let target = agreeable();
    let away = target.url.replace("127.0.0.1", "localhost");
    let hop = away.clone();
    let hopping =
        Vendor::start(move |_| HttpResponse::TemporaryRedirect().insert_header(("location", hop.clone())).finish());
    let body = json!({ "name": "confined", "type": "httpHeaderAuth", "data": { "name": "x-any", "value": "v" }, "allowedHosts": ["127.0.0.1"] });
    let confined = owner.post("/api/v1/credentials", body).await.json(201)["id"].as_str().unwrap().to_owned();
    let reference = json!({ "id": confined });
    for url in [&away, &hopping.url] {
        let execution = run(&owner, workflow(http_request(url, "httpHeaderAuth", reference.clone()))).await;
        assert_eq!(execution["status"], "error", "{url} {execution}");
        assert!(execution.to_string().contains("may not be used with localhost"), "{execution}");
    }
    assert!(target.asked().is_empty());
    let execution = run(&owner, workflow(http_request(&target.url, "httpHeaderAuth", reference.clone()))).await;
    assert_eq!(execution["status"], "success", "{execution}");
    // The next node has no credential and goes where it likes.
    let mut document = workflow(http_request(&target.url, "httpHeaderAuth", reference));
    document["nodes"].as_array_mut().unwrap().push(json!({
        "name": "After", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "position": [400, 0],
        "parameters": { "url": away, "options": {} }
    }));
    document["connections"]["Then"] = json!({ "main": [[{ "node": "After", "type": "main", "index": 0 }]] });
    let execution = run(&owner, document).await;
    assert_eq!(execution["status"], "success", "{execution}");
}

#[actix_web::test]
async fn a_service_that_quotes_the_secret_does_not_write_it_into_the_record() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let vendor = Vendor::start(|asked| {
        let quoted = asked.header("x-key").unwrap_or_default().to_owned();
        HttpResponse::Forbidden().json(json!({ "message": format!("the key {quoted} is wrong") }))
    });
    let id = create(&owner, "httpHeaderAuth", json!({ "name": "x-key", "value": "PLANTED-quoted" })).await;
    let execution = run(&owner, workflow(http_request(&vendor.url, "httpHeaderAuth", json!({ "id": id })))).await;
    assert_eq!(vendor.last().header("x-key"), Some("PLANTED-quoted"));
    assert!(execution.to_string().contains("the key **hidden** is wrong"), "{execution}");
    assert!(!execution.to_string().contains("PLANTED-quoted"), "{execution}");
}

#[actix_web::test]
async fn nor_does_one_that_quotes_it_and_succeeds_while_other_tokens_pass() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let vendor = Vendor::start(|asked| {
        let quoted = asked.header("authorization").unwrap_or_default();
        HttpResponse::Ok()
            .insert_header(("x-quoted", quoted))
            .json(json!({ "access_token": "given-by-hand", "quoted": quoted, "path": asked.path }))
    });
    let secret = "PLANTED \"quoted\"";
    let id = create(&owner, "httpBasicAuth", json!({ "user": "ann", "password": secret })).await;
    let url = format!("{}/token", vendor.url);
    let mut document = workflow(http_request(&url, "httpBasicAuth", json!({ "id": id })));
    let by_hand = |name: &str, at: u32| {
        let header = json!({ "name": "Authorization", "value": "=Bearer {{ $('Then').item.json.access_token }}" });
        json!({
            "name": name, "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "position": [at, 0],
            "parameters": {
                "url": format!("{}/{name}", vendor.url), "sendHeaders": true,
                "headerParameters": { "parameters": [header] }, "options": {}
            }
        })
    };
    let nodes = document["nodes"].as_array_mut().unwrap();
    nodes.extend([by_hand("First", 400), by_hand("Second", 600)]);
    for (from, to) in [("Then", "First"), ("First", "Second")] {
        document["connections"][from] = json!({ "main": [[{ "node": to, "type": "main", "index": 0 }]] });
    }
    let execution = run(&owner, document).await;
    assert_eq!(execution["status"], "success", "{execution}");
    let record = execution.to_string();
    let encoded = BASE64_STANDARD.encode(format!("ann:{secret}"));
    assert!(!record.contains("PLANTED") && !record.contains(&encoded), "{execution}");
    assert!(record.contains("Basic **hidden**"), "{execution}");
    // What the service gave is the workflow's, however often it is given.
    assert_eq!(vendor.last().header("authorization"), Some("Bearer given-by-hand"));
    assert!(record.contains("\"access_token\":\"given-by-hand\""), "{execution}");
}
