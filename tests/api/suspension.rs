//! A tenant that is stopped stops: nothing of it begins, goes on or is done outside, until it may work again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fairness::working;
use crate::recovery::{chain, http, wait};
use crate::scheduling::{history, schedule, workflow};
use crate::support::{Client, Receiver, TestServer, TestTenant, administrator};
use crate::workflows::activated;

async fn call(server: &TestServer, tenant: &TestTenant, path: &str) {
    server.visitor().post(&format!("/t/{}/webhook/{path}", tenant.slug), json!({})).await.expect(200);
}

async fn suspend(admin: &Client, tenant: &TestTenant) {
    let path = format!("/api/v1/admin/tenants/{}/suspend", tenant.id);
    admin.post(&path, json!({ "reason": "unpaid invoices" })).await.expect(200);
}

async fn resume(admin: &Client, tenant: &TestTenant) {
    admin.post(&format!("/api/v1/admin/tenants/{}/resume", tenant.id), json!({})).await.expect(200);
}

/// The tenant's only execution, once it is in this state.
async fn in_state(tenant: &TestTenant, status: &str) -> Value {
    for _ in 0..1000 {
        let found = tenant.viewer.get(&format!("/api/v1/executions?status={status}")).await.json(200);
        if let Some(execution) = found["data"].as_array().unwrap().first() {
            let path = format!("/api/v1/executions/{}?includeData=true", execution["id"].as_str().unwrap());
            return tenant.viewer.get(&path).await.json(200);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no execution is {status}");
}

#[actix_web::test]
async fn what_waited_goes_on_when_its_tenant_does() {
    let mut receiver = Receiver::start();
    let (server, shutdown) = working(4, |_| {}).await;
    let (admin, acme, globex) =
        (administrator(&server).await, server.tenant("acme").await, server.tenant("globex").await);
    for tenant in [&acme, &globex] {
        let then = http("Then", format!("{}/{}", receiver.url, tenant.slug));
        activated(&tenant.developer, chain("later", vec![wait(60), then])).await;
        call(&server, tenant, "later").await;
        in_state(tenant, "waiting").await;
    }
    suspend(&admin, &acme).await;
    server.clock.advance(Duration::from_secs(120));
    // Both were due at the same moment.
    receiver.wait_for("/globex").await;
    in_state(&globex, "success").await;
    assert!(receiver.counts("/acme").is_empty(), "a suspended tenant's execution went on");
    resume(&admin, &acme).await;
    // Those that nobody took are looked for after a while.
    server.clock.advance(Duration::from_secs(20));
    receiver.wait_for("/acme").await;
    in_state(&acme, "success").await;
    shutdown.cancel();
}

#[actix_web::test]
async fn what_runs_does_nothing_more() {
    let mut receiver = Receiver::start();
    let (server, shutdown) = working(4, |_| {}).await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let steps = ["slow/a", "b"].map(|name| http(name, format!("{}/{name}", receiver.url)));
    activated(&acme.developer, chain("steps", steps.to_vec())).await;
    call(&server, &acme, "steps").await;
    receiver.wait_for("/slow/a").await;
    suspend(&admin, &acme).await;
    // Members are turned away meanwhile: the platform's figures say when it has ended.
    let usage = format!("/api/v1/admin/tenants/{}/usage", acme.id);
    for _ in 0..1000 {
        if admin.get(&usage).await.json(200)["month"]["failedExecutions"] == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    resume(&admin, &acme).await;
    let ended = in_state(&acme, "error").await;
    let error = ended["data"]["resultData"]["error"].to_string();
    assert!(error.contains("the tenant is suspended: unpaid invoices") && error.contains("\"b\""), "{error}");
    assert!(receiver.counts("/b").is_empty());
    shutdown.cancel();
}

#[actix_web::test]
async fn schedules_say_why_they_began_nothing() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let then = json!({ "name": "Then", "type": "n8n-nodes-base.noOp", "typeVersion": 1, "position": [200, 0],
        "parameters": {} });
    let path = schedule(&acme, &workflow(&acme, then).await, json!({ "cron": "* * * * *" })).await;
    suspend(&admin, &acme).await;
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(server.app.schedules.fire_everything_due().await.unwrap(), 1);
    resume(&admin, &acme).await;
    let firing = history(&acme.viewer, &path).await.remove(0);
    assert_eq!(firing["outcome"], "failed", "{firing}");
    assert!(firing["reason"].as_str().unwrap().contains("the tenant is suspended: unpaid invoices"), "{firing}");
    assert_eq!(acme.viewer.get("/api/v1/executions").await.json(200)["data"], json!([]));
}
