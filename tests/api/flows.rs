//! What workflows do with each other and with their callers: answers of their own, calls, failures, pauses.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::{Client, TestServer};
use crate::workflows::activated;

/// `[name, type, version, parameters]` for each node; each leads to the next.
pub(crate) fn chain(name: &str, nodes: &[(&str, &str, f64, Value)]) -> Value {
    let documents = nodes.iter().enumerate().map(|(at, (name, kind, version, parameters))| {
        json!({ "name": name, "type": format!("n8n-nodes-base.{kind}"), "typeVersion": version,
                "position": [at * 200, 0], "parameters": parameters })
    });
    let edge = |pair: &[(&str, &str, f64, Value)]| {
        (pair[0].0.to_owned(), json!({ "main": [[{ "node": pair[1].0, "type": "main", "index": 0 }]] }))
    };
    let connections: serde_json::Map<String, Value> = nodes.windows(2).map(edge).collect();
    json!({ "name": name, "nodes": documents.collect::<Vec<_>>(), "connections": connections,
            "settings": { "executionOrder": "v1" } })
}

/// The newest execution of a workflow once it is in this state.
pub(crate) async fn reached(client: &Client, workflow: &str, status: &str) -> Value {
    let path = format!("/api/v1/workflows/{workflow}/executions?includeData=true");
    for attempt in 0.. {
        let page = client.get(&path).await.json(200);
        if page["data"][0]["status"] == status {
            return page["data"][0].clone();
        }
        assert!(attempt < 500, "no execution gets {status}: {page}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Value::Null
}

fn hook(path: &str, mode: &str) -> Value {
    json!({ "httpMethod": "POST", "path": path, "responseMode": mode, "options": {} })
}

#[actix_web::test]
async fn a_node_answers_while_the_workflow_goes_on() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let respond = json!({ "respondWith": "json", "responseBody": "={{ { got: $json.body.n } }}",
        "options": { "responseCode": 201, "responseHeaders": { "entries": [{ "name": "X-Kind", "value": "own" }] } } });
    let workflow = chain(
        "Answering",
        &[
            ("Hook", "webhook", 2.0, hook("ask", "responseNode")),
            ("Answer", "respondToWebhook", 1.1, respond),
            ("After", "code", 2.0, json!({ "jsCode": "return [{ json: { after: true } }];" })),
        ],
    );
    let id = activated(&acme.developer, workflow).await;
    let reply = server.visitor().post("/t/acme/webhook/ask", json!({ "n": 5 })).await;
    assert_eq!(reply.header("x-kind"), Some("own"));
    assert_eq!(reply.json(201), json!({ "got": 5 }));
    let ended = reached(&acme.viewer, &id, "success").await;
    assert_eq!(ended["lastNodeExecuted"], "After");
}

#[actix_web::test]
async fn workflows_call_each_other_within_their_tenant() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let called = chain(
        "Called",
        &[
            ("When called", "executeWorkflowTrigger", 1.1, json!({ "inputSource": "passthrough" })),
            (
                "Double",
                "code",
                2.0,
                json!({ "jsCode": "return items.map((item) => ({ json: { n: item.json.n * 2 } }));" }),
            ),
        ],
    );
    let called = acme.developer.post("/api/v1/workflows/import", called).await.json(201);
    let called = called["id"].as_str().unwrap();
    let calling = |id: &str| {
        let id = json!({ "__rl": true, "mode": "id", "value": id });
        chain(
            "Calling",
            &[
                ("Begin", "manualTrigger", 1.0, json!({})),
                ("Call", "executeWorkflow", 1.2, json!({ "workflowId": id, "options": {} })),
            ],
        )
    };
    for (tenant, ended_as) in [(&acme, "success"), (&globex, "error")] {
        let imported = tenant.developer.post("/api/v1/workflows/import", calling(called)).await.json(201);
        let path = format!("/api/v1/workflows/{}/trigger", imported["id"].as_str().unwrap());
        let ended = tenant.operator.post(&path, json!({ "inputData": [{ "n": 1 }, { "n": 4 }], "wait": true })).await;
        let ended = ended.json(200);
        assert_eq!(ended["status"], ended_as, "{}", ended["data"]["resultData"]["error"]);
        if ended_as == "success" {
            let given = &ended["data"]["resultData"]["runData"]["Call"][0]["data"]["main"][0];
            assert_eq!((&given[0]["json"], &given[1]["json"]), (&json!({ "n": 2 }), &json!({ "n": 8 })));
            let inner = reached(&acme.viewer, called, "success").await;
            assert_eq!((&inner["mode"], &inner["parentExecutionId"]), (&json!("integrated"), &ended["id"]));
        } else {
            assert_eq!(ended["data"]["resultData"]["error"]["node"], "Call", "another tenant's workflow is not there");
        }
    }
}

#[actix_web::test]
async fn a_failure_starts_the_error_workflow() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let watching = chain("Watching", &[("On error", "errorTrigger", 1.0, json!({})), ("Note", "noOp", 1.0, json!({}))]);
    let watching = activated(&acme.developer, watching).await;
    let mut failing = chain(
        "Failing",
        &[
            ("Hook", "webhook", 2.0, hook("fail", "lastNode")),
            ("Stop", "stopAndError", 1.0, json!({ "errorMessage": "out of paper" })),
        ],
    );
    failing["settings"]["errorWorkflow"] = json!(watching);
    let failing = activated(&acme.developer, failing).await;
    server.visitor().post("/t/acme/webhook/fail", json!({})).await.json(500);
    let told = reached(&acme.viewer, &watching, "success").await;
    assert_eq!(told["mode"], "error");
    let item = &told["data"]["resultData"]["runData"]["Note"][0]["data"]["main"][0][0]["json"];
    assert_eq!(item["workflow"], json!({ "id": failing, "name": "Failing" }));
    assert_eq!(item["execution"]["lastNodeExecuted"], "Stop");
    assert_eq!(item["execution"]["error"]["message"], "out of paper");
}

#[actix_web::test]
async fn a_path_takes_several_methods_each_with_its_own_output() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let mut workflow = chain(
        "Methods",
        &[
            (
                "Hook",
                "webhook",
                2.0,
                json!({ "multipleMethods": true, "httpMethod": ["GET", "POST"], "path": "both",
            "responseMode": "lastNode", "options": { "allowedOrigins": "https://shop.example" } }),
            ),
            ("Got", "set", 3.4, json!({ "mode": "raw", "jsonOutput": "{\"by\": \"GET\"}", "options": {} })),
        ],
    );
    let mut posted = workflow["nodes"][1].clone();
    posted["name"] = json!("Posted");
    posted["parameters"]["jsonOutput"] = json!("{\"by\": \"POST\"}");
    workflow["nodes"].as_array_mut().unwrap().push(posted);
    let second = json!([{ "node": "Posted", "type": "main", "index": 0 }]);
    workflow["connections"]["Hook"]["main"].as_array_mut().unwrap().push(second);
    activated(&acme.developer, workflow).await;
    let visitor = server.visitor();
    assert_eq!(visitor.get("/t/acme/webhook/both").await.json(200), json!({ "by": "GET" }));
    assert_eq!(visitor.post("/t/acme/webhook/both", json!({})).await.json(200), json!({ "by": "POST" }));
    visitor.delete("/t/acme/webhook/both").await.json(404);

    let asking = |origin: &str| {
        let browser = visitor.with("origin", origin).with("access-control-request-method", "POST");
        let browser = browser.with("access-control-request-headers", "content-type");
        async move { browser.send(Method::OPTIONS, "/t/acme/webhook/both", None).await.expect(204) }
    };
    let allowed = asking("https://shop.example").await;
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(allowed.header("access-control-allow-headers"), Some("content-type"));
    for method in ["OPTIONS", "GET", "POST"] {
        assert!(allowed.header("access-control-allow-methods").unwrap().contains(method), "{method}");
    }
    assert_eq!(asking("https://other.example").await.header("access-control-allow-origin"), None);
    let called = visitor.with("origin", "https://shop.example").post("/t/acme/webhook/both", json!({})).await;
    assert_eq!(called.header("access-control-allow-origin"), Some("https://shop.example"));
}

#[actix_web::test]
async fn a_pause_ends_when_its_address_is_called_once() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let workflow = chain(
        "Pausing",
        &[
            ("Hook", "webhook", 2.0, hook("order", "responseNode")),
            (
                "Ticket",
                "respondToWebhook",
                1.1,
                json!({ "respondWith": "json", "options": {},
            "responseBody": "={{ { approve: $execution.resumeUrl } }}" }),
            ),
            ("Approval", "wait", 1.1, json!({ "resume": "webhook", "httpMethod": "POST", "options": {} })),
            (
                "Done",
                "set",
                3.4,
                json!({ "mode": "raw", "options": {},
            "jsonOutput": "={{ { by: $json.body.by, order: $('Hook').item.json.body.order } }}" }),
            ),
        ],
    );
    let id = activated(&acme.developer, workflow).await;
    let ticket = server.visitor().post("/t/acme/webhook/order", json!({ "order": 7 })).await.json(200);
    let address = ticket["approve"].as_str().unwrap();
    let (_, ticket) = address.split_once("/t/acme/webhook-waiting/").unwrap();
    let path = &format!("/t/acme/webhook-waiting/{ticket}");
    let waiting = reached(&acme.viewer, &id, "waiting").await;
    assert!(address.ends_with(waiting["id"].as_str().unwrap()), "{address}");
    let visitor = server.visitor();
    visitor.get(path).await.json(404);
    visitor.post("/t/acme/webhook-waiting/01890a5d-ac96-774b-bcce-b302099a8057", json!({})).await.json(404);
    visitor.post(path, json!({ "by": "Ann" })).await.expect(200);
    let ended = reached(&acme.viewer, &id, "success").await;
    let done = &ended["data"]["resultData"]["runData"]["Done"][0]["data"]["main"][0][0]["json"];
    assert_eq!(done, &json!({ "by": "Ann", "order": 7 }));
    visitor.post(path, json!({ "by": "Bob" })).await.json(409);
}

#[actix_web::test]
async fn a_resume_address_has_the_suffix_of_its_node() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let parameters = json!({ "resume": "webhook", "httpMethod": "POST", "options": { "webhookSuffix": "approve" } });
    let nodes = [("Hook", "webhook", 2.0, hook("order", "onReceived")), ("Approval", "wait", 1.1, parameters)];
    let id = activated(&acme.developer, chain("Approval", &nodes)).await;
    server.visitor().post("/t/acme/webhook/order", json!({})).await.expect(200);
    let waiting = reached(&acme.viewer, &id, "waiting").await;
    let path = format!("/t/acme/webhook-waiting/{}", waiting["id"].as_str().unwrap());
    for wrong in ["", "/reject", "/approve/all"] {
        server.visitor().post(&format!("{path}{wrong}"), json!({})).await.json(404);
    }
    server.visitor().post(&format!("{path}/approve"), json!({})).await.expect(200);
    reached(&acme.viewer, &id, "success").await;
}

#[actix_web::test]
async fn a_pause_ends_for_those_alone_whom_its_node_lets_in() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let data = json!({ "name": "X-Token", "value": "hush" });
    let credential = json!({ "name": "approvers", "type": "httpHeaderAuth", "data": data });
    let credential = acme.developer.post("/api/v1/credentials", credential).await.json(201)["id"].clone();
    for (name, node) in [
        ("credential", json!({ "incomingAuthentication": "headerAuth" })),
        ("address", json!({ "options": { "ipWhitelist": "198.51.100.1" } })),
        ("bots", json!({ "options": { "ignoreBots": true } })),
    ] {
        let mut parameters = json!({ "resume": "webhook", "httpMethod": "POST", "options": {} });
        parameters.as_object_mut().unwrap().extend(node.as_object().unwrap().clone());
        let mut workflow =
            chain(name, &[("Hook", "webhook", 2.0, hook(name, "onReceived")), ("Approval", "wait", 1.1, parameters)]);
        let used = json!({ "httpHeaderAuth": { "id": credential, "name": "approvers" } });
        workflow["nodes"][1]["credentials"] = used;
        let id = activated(&acme.developer, workflow).await;
        server.visitor().post(&format!("/t/acme/webhook/{name}"), json!({})).await.expect(200);
        let waiting = reached(&acme.viewer, &id, "waiting").await;
        let path = format!("/t/acme/webhook-waiting/{}", waiting["id"].as_str().unwrap());
        let bot = server.visitor().with("user-agent", "examplebot/1.0");
        bot.post(&path, json!({})).await.expect(403);
        if name != "address" {
            server.visitor().with("x-token", "hush").post(&path, json!({})).await.expect(200);
            reached(&acme.viewer, &id, "success").await;
        }
    }
}
