//! Another n8n: its workflows are taken over and triggered, and it may answer whatever it likes. Played on loopback; the real
//! one is asked by `cargo xtask n8n`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::HttpResponse;
use serde_json::{Value, json};

use crate::support::{Asked, Client, Reply, TestServer, Vendor};
use crate::workflows::greeting;

const KEY: &str = "n8n-key-of-acme";

async fn server() -> TestServer {
    TestServer::with(|config| {
        config.http_client.allow_private_networks = serde_json::from_value(json!(["127.0.0.0/8"])).unwrap();
        config.http_client.max_response_bytes = 1 << 20;
        config.http_client.timeout_seconds = 1;
    })
    .await
}

/// Keeps address and key; gives where the n8n is asked.
async fn connected(client: &Client, url: &str, key: &str) -> String {
    let body = json!({ "name": format!("n8n at {url}"), "type": "n8nApi", "data": { "baseUrl": url, "apiKey": key } });
    let made = client.post("/api/v1/credentials", body).await.json(201);
    format!("/api/v1/integrations/n8n/{}", made["id"].as_str().unwrap())
}

/// A workflow as the n8n shows it.
fn remote(id: &str, active: bool) -> Value {
    let mut workflow = greeting(id);
    workflow["id"] = json!(id);
    workflow["active"] = json!(active);
    workflow["updatedAt"] = json!("2025-01-31T08:00:00.000Z");
    workflow["shared"] = json!([{ "role": "workflow:owner" }]);
    workflow
}

fn json_of(value: &Value) -> HttpResponse {
    HttpResponse::Ok().json(value)
}

/// Answers as an n8n does whose workflows come two to a page; `broken` cannot be kept here.
fn pages(asked: &Asked) -> HttpResponse {
    if asked.header("x-n8n-api-key") != Some(KEY) {
        return HttpResponse::Unauthorized().json(json!({ "message": "unauthorized" }));
    }
    let mut broken = remote("broken", false);
    broken["connections"]["Webhook"]["main"][0][0]["node"] = json!("Nobody");
    let (path, query) = asked.path.split_once('?').unwrap_or((asked.path.as_str(), ""));
    match path {
        "/n8n/api/v1/workflows" if query.contains("cursor=two") => {
            json_of(&json!({ "data": [broken, remote("third", false)], "nextCursor": null }))
        }
        "/n8n/api/v1/workflows" => {
            json_of(&json!({ "data": [remote("first", true), remote("second", false)], "nextCursor": "two" }))
        }
        "/n8n/api/v1/workflows/second" => json_of(&remote("second", false)),
        _ => HttpResponse::NotFound().json(json!({ "message": "Not Found" })),
    }
}

#[actix_web::test]
async fn workflows_are_listed_and_taken_over() {
    let (vendor, server) = (Vendor::start(pages), server().await);
    let acme = server.tenant("acme").await;
    let at = connected(&acme.owner, &format!("{}/n8n/api/v1", vendor.url), KEY).await;
    let listed = acme.viewer.get(&format!("{at}/workflows?active=true&limit=2")).await.json(200);
    assert_eq!(vendor.last().path, "/n8n/api/v1/workflows?limit=2&active=true");
    let first = json!({ "id": "first", "name": "Greeting at first", "active": true, "nodes": 2,
        "updatedAt": "2025-01-31T08:00:00.000Z" });
    assert_eq!((&listed["data"][0], &listed["nextCursor"]), (&first, &json!("two")));
    let made = acme.developer.post(&format!("{at}/import"), json!({})).await.json(200);
    let ids: Vec<&str> = made["data"].as_array().unwrap().iter().map(|kept| kept["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["first", "second", "broken", "third"]);
    let problem = &made["data"][2]["problem"];
    assert_eq!(problem["code"], "workflow_invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/connections/Webhook/main/0/0/node");
    assert!(made["data"][2]["workflowId"].is_null());
    let kept = acme.viewer.get("/api/v1/workflows").await.json(200);
    assert_eq!(kept["data"].as_array().unwrap().len(), 3);
    assert!(kept["data"].as_array().unwrap().iter().all(|workflow| workflow["active"] == false));
    let again = acme.developer.post(&format!("{at}/import"), json!({ "workflowIds": ["second"] })).await.json(200);
    assert_eq!(again["data"][0]["workflowId"], made["data"][1]["workflowId"], "the same workflow");
    let first = made["data"][0]["workflowId"].as_str().unwrap();
    acme.developer.post(&format!("/api/v1/workflows/{first}/activate"), json!({})).await.expect(200);
    let answer = server.visitor().post("/t/acme/webhook/first", json!({ "name": "Ann" })).await.json(200);
    assert_eq!(answer["greeting"], "Hello Ann");
    let missing = acme.developer.post(&format!("{at}/import"), json!({ "workflowIds": ["nobody"] })).await;
    missing.problem(404, "n8n_not_found");
    let imports = acme.audit().await.into_iter().filter(|row| row["action"] == "integration.import").count();
    assert_eq!(imports, 3, "each try is in the log");
    let none = acme.developer.post(&format!("{at}/import"), json!({ "workflowIds": [] })).await;
    none.problem_at(422, "invalid_body", &["/workflowIds"]);
}

/// An n8n with one workflow, `leads`, which takes a few looks to end.
fn running() -> Vendor {
    let (calls, looks) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    Vendor::start(move |asked| {
        let execution = |id: usize, status: &str| {
            json!({ "id": id.to_string(), "finished": status == "success", "mode": "webhook", "status": status,
                "startedAt": "2025-01-31T08:00:00.000Z", "workflowId": "leads",
                "stoppedAt": if status == "success" { json!("2025-01-31T08:00:00.412Z") } else { Value::Null } })
        };
        let path = asked.path.split('?').next().unwrap();
        let called = calls.load(Ordering::SeqCst);
        match path {
            "/api/v1/workflows/leads" => json_of(&remote("leads", true)),
            "/api/v1/workflows/asleep" => json_of(&remote("asleep", false)),
            "/api/v1/workflows/mute" => json_of(&json!({ "id": "mute", "active": true, "nodes": [] })),
            "/webhook/leads" => {
                calls.fetch_add(1, Ordering::SeqCst);
                json_of(&json!({ "message": "Workflow was started", "echo": asked.json() }))
            }
            "/api/v1/executions" => {
                let mut all = vec![execution(41, "success")];
                if called > 0 {
                    let status = if looks.fetch_add(1, Ordering::SeqCst) < 2 { "running" } else { "success" };
                    all.insert(0, execution(42, status));
                }
                json_of(&json!({ "data": all, "nextCursor": "next" }))
            }
            "/api/v1/executions/42" => {
                let mut whole = execution(42, "success");
                whole["data"] = json!({ "resultData": { "runData": { "Greet": [] } } });
                json_of(&whole)
            }
            _ => HttpResponse::NotFound().json(json!({ "message": "Not Found" })),
        }
    })
}

#[actix_web::test]
async fn a_workflow_is_triggered_and_its_outcome_waited_for() {
    let (vendor, server) = (running(), server().await);
    let acme = server.tenant("acme").await;
    let at = connected(&acme.owner, &vendor.url, KEY).await;
    let trigger = async |workflow: &str, body: Value| {
        acme.operator.post(&format!("{at}/workflows/{workflow}/trigger"), body).await
    };
    let done = trigger("leads", json!({ "inputData": { "leadId": 7 }, "wait": true })).await.json(200);
    assert_eq!((&done["status"], &done["body"]["echo"]), (&json!(200), &json!({ "leadId": 7 })));
    assert_eq!((&done["execution"]["id"], &done["execution"]["status"]), (&json!("42"), &json!("success")));
    assert!(done["execution"]["data"]["resultData"]["runData"]["Greet"].is_array());
    let calls: Vec<Asked> = vendor.asked().into_iter().filter(|asked| asked.path == "/webhook/leads").collect();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].header("x-n8n-api-key"), None, "the key is for the API alone");
    let at_once = trigger("leads", json!({ "inputData": {}, "node": "Webhook" })).await.json(200);
    assert_eq!(at_once["execution"], Value::Null);
    trigger("asleep", json!({})).await.problem(409, "n8n_workflow_inactive");
    trigger("mute", json!({})).await.problem_at(422, "n8n_webhook_unknown", &["/node"]);
    trigger("leads", json!({ "node": "Greet" })).await.problem_at(422, "n8n_webhook_unknown", &["/node"]);
    trigger("nobody", json!({})).await.problem(404, "n8n_not_found");
    // A reference is one step of a path, whatever is in it.
    trigger("..%2F..%2Fwebhook%2Fleads", json!({})).await.problem(404, "n8n_not_found");
    let triggers = acme.audit().await.into_iter().filter(|row| row["action"] == "integration.trigger").count();
    assert_eq!(triggers, 2);
    let path = format!("{at}/executions?workflowId=leads&status=success&limit=5&cursor=a%20b");
    let page = acme.viewer.get(&path).await.json(200);
    assert_eq!(vendor.last().path, "/api/v1/executions?limit=5&workflowId=leads&status=success&cursor=a+b");
    assert_eq!((&page["data"][0]["id"], &page["nextCursor"]), (&json!("42"), &json!("next")));
    let one = acme.viewer.get(&format!("{at}/executions/42")).await.json(200);
    assert_eq!(one["data"]["resultData"]["runData"], json!({ "Greet": [] }));
    acme.viewer.get(&format!("{at}/executions/43")).await.problem(404, "n8n_not_found");
}

#[actix_web::test]
async fn whatever_answers_is_told_by_its_code_and_nothing_is_kept() {
    let vendor = Vendor::start(|asked| {
        let page = "<!doctype html><title>Sign in</title>";
        match asked.path.split('/').nth(1).unwrap() {
            "wrong" => HttpResponse::Unauthorized().json(json!({ "message": format!("unknown key {KEY}") })),
            "scope" => HttpResponse::Forbidden().json(json!({ "message": "Forbidden" })),
            "html" => HttpResponse::Ok().content_type("text/html").body(page),
            "gone" => HttpResponse::NotFound().content_type("text/html").body(page),
            "away" => HttpResponse::Found().insert_header(("location", "https://elsewhere.example/")).finish(),
            "down" => HttpResponse::BadGateway().body("down"),
            "empty" => HttpResponse::Ok().finish(),
            "text" => HttpResponse::Ok().body("hello"),
            "shape" => json_of(&json!({ "workflows": [] })),
            "rows" => json_of(&json!({ "data": [1, "two", { "name": "no id" }] })),
            "huge" => json_of(&json!({ "data": [], "filler": "x".repeat(2 << 20) })),
            "loop" => json_of(&json!({ "data": [remote("a", false)], "nextCursor": "again" })),
            "endless" => json_of(&json!({ "data": [], "nextCursor": uuid::Uuid::now_v7() })),
            "many" => {
                let all: Vec<Value> = (0..250).map(|at| json!({ "id": at.to_string() })).collect();
                json_of(&json!({ "data": all, "nextCursor": uuid::Uuid::now_v7() }))
            }
            _ => {
                std::thread::sleep(Duration::from_secs(3));
                HttpResponse::Ok().finish()
            }
        }
    });
    let server = server().await;
    let acme = server.tenant("acme").await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let own = |path: &str| format!("{}/{path}", vendor.url);
    let cases = [
        (own("wrong"), 409, "n8n_key_refused"),
        (own("scope"), 409, "n8n_key_refused"),
        (own("html"), 503, "n8n_answer_invalid"),
        (own("gone"), 503, "n8n_answer_invalid"),
        (own("away"), 503, "n8n_answer_invalid"),
        (own("down"), 503, "n8n_failed"),
        (own("empty"), 503, "n8n_answer_invalid"),
        (own("text"), 503, "n8n_answer_invalid"),
        (own("shape"), 503, "n8n_answer_invalid"),
        (own("rows"), 503, "n8n_answer_invalid"),
        (own("huge"), 503, "n8n_answer_too_large"),
        (own("loop"), 503, "n8n_answer_invalid"),
        (own("endless"), 503, "n8n_answer_invalid"),
        (own("many"), 422, "n8n_too_many_workflows"),
        (own("hangs"), 503, "n8n_timeout"),
        (format!("http://{nobody}"), 503, "n8n_unreachable"),
        ("not-an-address".to_owned(), 409, "n8n_address_invalid"),
        ("http://10.1.2.3".to_owned(), 409, "n8n_address_forbidden"),
    ];
    let quiet = |reply: &Reply| !String::from_utf8_lossy(&reply.body).contains(KEY);
    for (url, status, code) in cases {
        let at = connected(&acme.owner, &url, KEY).await;
        let reply = acme.developer.post(&format!("{at}/import"), json!({})).await;
        assert!(quiet(&reply), "{url}");
        assert_eq!(reply.status.as_u16(), status, "{url}: {:?}", reply.body);
        reply.problem(status, code);
    }
    let kept = acme.viewer.get("/api/v1/workflows").await.json(200);
    assert_eq!(kept["data"], json!([]));
}

#[actix_web::test]
async fn an_n8n_is_its_tenants_alone_and_a_credential_of_another_type_is_none() {
    let (vendor, server) = (running(), server().await);
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let at = connected(&acme.owner, &vendor.url, KEY).await;
    globex.owner.get(&format!("{at}/workflows")).await.problem(404, "credential_not_found");
    globex.owner.post(&format!("{at}/workflows/leads/trigger"), json!({})).await.problem(404, "credential_not_found");
    let other = json!({ "name": "x", "type": "httpBasicAuth", "data": { "user": "u" } });
    let other = acme.owner.post("/api/v1/credentials", other).await.json(201);
    let path = format!("/api/v1/integrations/n8n/{}/workflows", other["id"].as_str().unwrap());
    acme.owner.get(&path).await.problem(409, "credential_other_type");
    assert!(vendor.asked().is_empty(), "nothing was asked");
    let id = at.rsplit('/').next().unwrap();
    let tried = acme.owner.post(&format!("/api/v1/credentials/{id}/test"), json!({})).await.json(200);
    assert_eq!(tried["status"], "Error", "there is no list of workflows: {tried}");
}

/// The whole way against the n8n that `cargo xtask n8n` starts: it has a workflow `leads` that greets.
#[actix_web::test]
async fn a_real_n8n_hands_over_and_runs_its_workflows() {
    let (Ok(url), Ok(key)) = (std::env::var("MILLRACE_TEST_N8N_URL"), std::env::var("MILLRACE_TEST_N8N_KEY")) else {
        return;
    };
    let server = TestServer::with(|config| {
        config.http_client.allow_private_networks = serde_json::from_value(json!(["127.0.0.0/8"])).unwrap();
    })
    .await;
    let acme = server.tenant("acme").await;
    let at = connected(&acme.owner, &url, &key).await;
    let id = at.rsplit('/').next().unwrap();
    let tried = acme.owner.post(&format!("/api/v1/credentials/{id}/test"), json!({})).await.json(200);
    assert_eq!(tried["status"], "OK", "{tried}");
    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = acme.viewer.get(&format!("{at}/workflows?limit=1{cursor}")).await.json(200);
        names.extend(page["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    names.sort();
    assert_eq!(names, ["Greeting at leads", "Greeting at other"]);
    let made = acme.developer.post(&format!("{at}/import"), json!({})).await.json(200);
    assert!(made["data"].as_array().unwrap().iter().all(|kept| kept["workflowId"].is_string()), "{made}");
    let leads = made["data"].as_array().unwrap().iter().find(|kept| kept["name"] == "Greeting at leads").unwrap();
    let here = leads["workflowId"].as_str().unwrap();
    acme.developer.post(&format!("/api/v1/workflows/{here}/activate"), json!({})).await.expect(200);
    let own = server.visitor().post("/t/acme/webhook/leads", json!({ "name": "Ann" })).await.json(200);
    let path = format!("{at}/workflows/{}/trigger", leads["id"].as_str().unwrap());
    let body = json!({ "inputData": { "name": "Ann" }, "wait": true });
    let theirs = acme.operator.post(&path, body).await.json(200);
    assert_eq!((&theirs["status"], &theirs["body"]), (&json!(200), &own), "both greet alike: {theirs}");
    assert_eq!(theirs["execution"]["status"], "success", "{theirs}");
    let ran = &theirs["execution"]["data"]["resultData"]["runData"]["Greet"][0]["data"]["main"][0][0]["json"];
    assert_eq!(ran["greeting"], "Hello Ann", "{theirs}");
    let listed = acme.viewer.get(&format!("{at}/executions?limit=1")).await.json(200);
    assert_eq!(listed["data"][0]["id"], theirs["execution"]["id"], "{listed}");
    let wrong = connected(&acme.owner, &url, "wrong").await;
    acme.viewer.get(&format!("{wrong}/workflows")).await.problem(409, "n8n_key_refused");
}
