//! What a tenant's settings mean for its executions, where a workflow says nothing else.

use serde_json::{Value, json};

use crate::fairness::working;
use crate::recovery::{chain, http};
use crate::support::{Client, Receiver, TestServer, TestTenant};
use crate::workflows::{activated, greeting};

async fn set(tenant: &TestTenant, settings: Value) {
    tenant.owner.patch("/api/v1/tenants/current", json!({ "settings": settings })).await.expect(200);
}

async fn recorded(client: &Client, workflow: &str) -> usize {
    let path = format!("/api/v1/executions?workflowId={workflow}");
    client.get(&path).await.json(200)["data"].as_array().unwrap().len()
}

fn failing(path: &str) -> Value {
    let mut document = greeting(path);
    document["nodes"][1] = json!({ "name": "Greet", "type": "n8n-nodes-base.stopAndError", "typeVersion": 1,
        "position": [200, 0], "parameters": { "errorMessage": "no" } });
    document
}

#[actix_web::test]
async fn what_is_kept_of_executions() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    set(&acme, json!({ "saveSuccess": false, "saveError": false, "saveManual": false })).await;
    for (tenant, kept) in [(&acme, 0), (&globex, 1)] {
        let call = async |path: &str, status: u16| {
            let path = format!("/t/{}/webhook/{path}", tenant.slug);
            server.visitor().post(&path, json!({ "name": "Ann" })).await.expect(status);
        };
        let good = activated(&tenant.developer, greeting("good")).await;
        call("good", 200).await;
        assert_eq!(recorded(&tenant.viewer, &good).await, kept, "{}: a success", tenant.slug);
        let bad = activated(&tenant.developer, failing("bad")).await;
        call("bad", 500).await;
        assert_eq!(recorded(&tenant.viewer, &bad).await, kept, "{}: a failure", tenant.slug);
        let run = format!("/api/v1/workflows/{good}/run");
        tenant.operator.post(&run, json!({ "wait": true })).await.expect(200);
        assert_eq!(recorded(&tenant.viewer, &good).await, 2 * kept, "{}: by hand", tenant.slug);
    }
    // What the workflow says comes first.
    let mut own = greeting("own");
    own["settings"]["saveDataSuccessExecution"] = json!("all");
    let own = activated(&acme.developer, own).await;
    server.visitor().post("/t/acme/webhook/own", json!({ "name": "Ann" })).await.expect(200);
    assert_eq!(recorded(&acme.viewer, &own).await, 1);
}

#[actix_web::test]
async fn which_time_zone_it_is() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    set(&acme, json!({ "timezone": "Asia/Tokyo" })).await;
    let asking = |path: &str| {
        let mut document = greeting(path);
        document["nodes"][1]["parameters"]["assignments"]["assignments"][0]["value"] = json!("={{ $now.zoneName }}");
        document
    };
    let mut own = asking("own");
    own["settings"]["timezone"] = json!("America/Lima");
    for (document, zone) in [(asking("tenants"), "Asia/Tokyo"), (own, "America/Lima")] {
        let path = format!("/t/acme/webhook/{}", document["nodes"][0]["parameters"]["path"].as_str().unwrap());
        activated(&acme.developer, document).await;
        assert_eq!(server.visitor().post(&path, json!({})).await.json(200)["greeting"], zone);
    }
}

#[actix_web::test]
async fn how_long_an_execution_may_take() {
    let mut receiver = Receiver::start();
    let (server, shutdown) = working(4, |_| {}).await;
    let acme = server.tenant("acme").await;
    set(&acme, json!({ "executionTimeoutSeconds": 1 })).await;
    let id = activated(&acme.developer, chain("long", vec![http("a", format!("{}/never/a", receiver.url))])).await;
    server.visitor().post("/t/acme/webhook/long", json!({})).await.expect(200);
    receiver.wait_for("/never/a").await;
    let path = format!("/api/v1/executions?workflowId={id}&status=canceled");
    for _ in 0..1000 {
        if acme.viewer.get(&path).await.json(200)["data"] != json!([]) {
            shutdown.cancel();
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it goes on: {}", acme.viewer.get("/api/v1/executions").await.json(200));
}
