//! What tenants may use: every limit is hit, usage is counted, and what is suspended or deleted stops.

use std::time::Duration;

use millrace::domains::tenants::Usage;
use millrace::infrastructure::database::{AcrossTenants, Backend};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::fairness::working;
use crate::recovery::{chain, http};
use crate::support::{Client, Receiver, TestServer, TestTenant, administrator};
use crate::workflows::{activated, greeting};

/// Gives a tenant a plan with this one limit.
async fn limit(admin: &Client, tenant: &TestTenant, limits: Value) {
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    let changed = admin.patch(&path, json!({ "plan": "tight", "limits": limits })).await.json(200);
    assert_eq!(changed["plan"], "tight");
}

async fn trigger(tenant: &TestTenant, id: &str) -> crate::support::Reply {
    tenant.owner.post(&format!("/api/v1/workflows/{id}/trigger"), json!({ "wait": true })).await
}

#[actix_web::test]
async fn workflows_are_limited_even_when_made_at_once() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    limit(&admin, &acme, json!({ "workflows": 2 })).await;
    let made = (0..5).map(|number| acme.developer.post("/api/v1/workflows", greeting(&format!("p{number}"))));
    let replies = futures_util::future::join_all(made).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 2);
    for reply in replies.into_iter().filter(|reply| reply.status != 201) {
        let problem = reply.problem(402, "plan_limit_workflows");
        assert!(problem["detail"].as_str().unwrap().contains("allows 2"), "{problem}");
    }
    let list = acme.developer.get("/api/v1/workflows").await.json(200);
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn active_workflows_are_limited() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    limit(&admin, &acme, json!({ "activeWorkflows": 1 })).await;
    let first = activated(&acme.developer, greeting("one")).await;
    let second = acme.developer.post("/api/v1/workflows", greeting("two")).await.json(201);
    let path = format!("/api/v1/workflows/{}/activate", second["id"].as_str().unwrap());
    acme.developer.post(&path, json!({})).await.problem(402, "plan_limit_active_workflows");
    acme.developer.post(&format!("/api/v1/workflows/{first}/deactivate"), json!({})).await.expect(200);
    acme.developer.post(&path, json!({})).await.expect(200);
}

#[actix_web::test]
async fn executions_of_a_month_are_limited() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let id = activated(&acme.developer, greeting("hello")).await;
    limit(&admin, &acme, json!({ "executionsPerMonth": 2 })).await;
    for _ in 0..2 {
        trigger(&acme, &id).await.expect(200);
    }
    trigger(&acme, &id).await.problem(402, "plan_limit_executions");
    let refused = server.visitor().post("/t/acme/webhook/hello", json!({})).await.json(402);
    assert!(refused["message"].as_str().unwrap().contains("executions"), "{refused}");
    let ended = acme.operator.get("/api/v1/executions?limit=1").await.json(200)["data"][0]["id"].clone();
    let again = format!("/api/v1/executions/{}/replay", ended.as_str().unwrap());
    acme.operator.post(&again, json!({})).await.problem(402, "plan_limit_executions");
    let part = acme.developer.post(&format!("/api/v1/workflows/{id}/run"), json!({})).await;
    part.problem(402, "plan_limit_executions");
    let usage = acme.viewer.get("/api/v1/tenants/current/usage").await.json(200);
    assert_eq!((&usage["month"]["executions"], &usage["limits"]["executionsPerMonth"]), (&json!(2), &json!(2)));
    // 31 January: the next day is another month. Tokens have expired by then.
    server.clock.advance(Duration::from_secs(86_400));
    limit(&crate::support::sign_in(&server, "owner@platform.example").await, &acme, json!({ "executionsPerMonth": 2 }))
        .await;
    server.visitor().post("/t/acme/webhook/hello", json!({})).await.expect(200);
}

/// What has not ended is in no count yet, and was begun all the same.
#[actix_web::test]
async fn executions_that_go_on_count_for_their_month() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let document = json!({
        "name": "x",
        "nodes": [
            { "name": "Start", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1 },
            { "name": "Wait", "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "parameters": { "resume": "webhook" } }
        ],
        "connections": { "Start": { "main": [[{ "node": "Wait", "type": "main", "index": 0 }]] } }
    });
    let workflow = acme.developer.post("/api/v1/workflows", document).await.json(201);
    let id = workflow["id"].as_str().unwrap();
    limit(&admin, &acme, json!({ "executionsPerMonth": 1 })).await;
    let path = format!("/api/v1/workflows/{id}/trigger");
    acme.operator.post(&path, json!({})).await.expect(202);
    // What was counted in memory is forgotten; the rows are not.
    limit(&admin, &acme, json!({ "executionsPerMonth": 1 })).await;
    trigger(&acme, id).await.problem(402, "plan_limit_executions");
}

#[actix_web::test]
async fn executions_at_the_same_time_are_limited() {
    let (server, shutdown) = working(8, |_| {}).await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let id = activated(&acme.developer, greeting("hello")).await;
    let mut receiver = Receiver::start();
    let slow = activated(&acme.developer, chain("slow", vec![http("Wait", format!("{}/slow/x", receiver.url))])).await;
    limit(&admin, &acme, json!({ "concurrentExecutions": 1 })).await;
    acme.owner.post(&format!("/api/v1/workflows/{slow}/trigger"), json!({})).await.expect(202);
    receiver.wait_for("/slow/x").await;
    let refused = trigger(&acme, &id).await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    refused.problem(429, "plan_limit_concurrency");
    let refused = server.visitor().post("/t/acme/webhook/hello", json!({})).await.expect(429);
    assert_eq!(refused.header("retry-after"), Some("1"));
    let running = async || acme.owner.get("/api/v1/executions?status=running").await.json(200)["data"].clone();
    while running().await != json!([]) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    trigger(&acme, &id).await.expect(200);
    shutdown.cancel();
}

#[actix_web::test]
async fn those_who_come_at_once_run_one_after_the_other() {
    let mut receiver = Receiver::start();
    let (server, shutdown) = working(8, |config| config.tenants.plan.concurrent_executions = 2).await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, chain("many", vec![http("s", format!("{}/short/x", receiver.url))])).await;
    let visitor = server.visitor();
    let calls = (0..8).map(|_| visitor.post("/t/acme/webhook/many", json!({})));
    let answers = futures_util::future::join_all(calls).await;
    let taken = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(taken > 0 && answers.iter().all(|answer| [200, 429].contains(&answer.status.as_u16())));
    for _ in 0..taken {
        receiver.next().await;
    }
    assert!(receiver.most_at_once() <= 2, "{}", receiver.most_at_once());
    shutdown.cancel();
}

#[actix_web::test]
async fn storage_is_limited() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let id = activated(&acme.developer, greeting("hello")).await;
    trigger(&acme, &id).await.expect(200);
    let usage = acme.viewer.get("/api/v1/tenants/current/usage").await.json(200);
    assert!(usage["month"]["storageBytes"].as_i64().unwrap() > 100, "{usage}");
    limit(&admin, &acme, json!({ "storageBytes": 100 })).await;
    trigger(&acme, &id).await.problem(402, "plan_limit_storage");
}

#[actix_web::test]
async fn requests_and_ai_are_limited() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    limit(&admin, &acme, json!({ "aiCostMicrosPerMonth": 1000 })).await;
    let tenants = &server.app.tenants;
    tenants.admit_ai(acme.id).await.unwrap();
    tenants.count(acme.id, Usage { ai_cost_micros: 1000, ..Usage::default() });
    assert!(tenants.admit_ai(acme.id).await.unwrap_err().to_string().contains("allows 1000"));
    tenants.store_counts().await.unwrap();
    limit(&admin, &acme, json!({ "aiCostMicrosPerMonth": 1000 })).await;
    assert!(tenants.admit_ai(acme.id).await.is_err(), "what is stored counts, too");
    limit(&admin, &acme, json!({ "apiRequestsPerMinute": 0 })).await;
    acme.viewer.get("/api/v1/auth/me").await.problem(429, "too_many_requests");
    limit(&admin, &acme, json!({ "apiRequestsPerMinute": 3 })).await;
    server.clock.advance(Duration::from_secs(60));
    for _ in 0..3 {
        acme.viewer.get("/api/v1/auth/me").await.expect(200);
    }
    acme.viewer.get("/api/v1/auth/me").await.problem(429, "too_many_requests");
}

#[actix_web::test]
async fn usage_is_counted_by_day() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let globex = server.tenant("globex").await;
    let id = activated(&acme.developer, greeting("hello")).await;
    for _ in 0..3 {
        trigger(&acme, &id).await.expect(200);
    }
    let mut slow = greeting("slow");
    slow["nodes"][1] = json!({ "name": "Greet", "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [200, 0],
        "parameters": { "jsCode": "const from = Date.now(); while (Date.now() - from < 30); throw new Error('no')" } });
    activated(&acme.developer, slow).await;
    server.clock.advance(Duration::from_secs(86_400));
    server.visitor().post("/t/acme/webhook/hello", json!({})).await.expect(200);
    server.visitor().post("/t/acme/webhook/slow", json!({})).await.expect(500);
    let owner = crate::support::sign_in(&server, "owner@acme.example").await;
    let usage = owner.get("/api/v1/tenants/current/usage").await.json(200);
    let days: Vec<_> = usage["days"].as_array().unwrap().iter().map(|day| (&day["day"], &day["executions"])).collect();
    assert_eq!(days, [(&json!("2025-02-01"), &json!(2)), (&json!("2025-01-31"), &json!(3))]);
    assert_eq!(usage["days"][1]["nodeRuns"], 6);
    assert_eq!((&usage["days"][0]["failedExecutions"], &usage["days"][1]["failedExecutions"]), (&json!(1), &json!(0)));
    assert!(usage["days"][0]["computeMs"].as_i64().unwrap() >= 25, "{usage}");
    assert_eq!(usage["month"]["executions"], 2, "the month has begun anew");
    for _ in 0..2 {
        server.app.tenants.meter_storage().await.unwrap();
    }
    let usage = owner.get("/api/v1/tenants/current/usage").await.json(200);
    assert_eq!(usage["days"][0]["storageBytes"], usage["month"]["storageBytes"], "what is stored is noted once a day");
    assert!(usage["days"][0]["storageBytes"].as_i64().unwrap() > 100, "{usage}");
    assert_eq!(usage["days"][1]["storageBytes"], 0);
    let today = owner.get("/api/v1/tenants/current/usage?days=1").await.json(200);
    assert_eq!(today["days"].as_array().unwrap().len(), 1);
    owner.get("/api/v1/tenants/current/usage?days=x").await.problem(422, "invalid_query");
    let stranger = crate::support::sign_in(&server, "owner@globex.example").await;
    let theirs = stranger.get("/api/v1/tenants/current/usage").await.json(200);
    assert!(theirs["days"].as_array().unwrap().iter().all(|day| day["executions"] == 0 && day["storageBytes"] == 0));
    assert_ne!(globex.id, acme.id);
}

#[actix_web::test]
async fn a_suspended_tenant_stops_and_says_so() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let id = activated(&acme.developer, greeting("hello")).await;
    let path = format!("/api/v1/admin/tenants/{}", acme.id);
    let suspended = admin.post(&format!("{path}/suspend"), json!({ "reason": "unpaid invoices" })).await.json(200);
    assert_eq!((&suspended["status"], &suspended["statusReason"]), (&json!("suspended"), &json!("unpaid invoices")));
    for client in [&acme.owner, &acme.api_key] {
        let problem = client.get("/api/v1/workflows").await.problem(403, "tenant_suspended");
        assert!(problem["detail"].as_str().unwrap().contains("unpaid invoices"));
    }
    trigger(&acme, &id).await.problem(403, "tenant_suspended");
    let refused = server.visitor().post("/t/acme/webhook/hello", json!({})).await.json(403);
    assert!(refused["message"].as_str().unwrap().contains("suspended"), "{refused}");
    admin.post(&format!("{path}/resume"), json!({})).await.expect(200);
    server.visitor().post("/t/acme/webhook/hello", json!({})).await.expect(200);
    trigger(&acme, &id).await.expect(200);
    let actions: Vec<_> = acme.audit().await.iter().map(|event| event["action"].clone()).collect();
    assert!(actions.contains(&json!("tenant.suspend")) && actions.contains(&json!("tenant.resume")), "{actions:?}");
}

#[actix_web::test]
async fn a_deleted_tenant_can_be_restored_until_nothing_is_left_of_it() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    for tenant in [&acme, &globex] {
        let id = activated(&tenant.developer, greeting("hello")).await;
        trigger(tenant, &id).await.expect(200);
    }
    let path = "/api/v1/tenants/current";
    let delete = async |body| acme.owner.send(actix_web::http::Method::DELETE, path, Some(body)).await;
    delete(json!({ "slug": "globex" })).await.problem_at(422, "invalid_body", &["/slug"]);
    acme.owner.post("/api/v1/tenants/current/restore", json!({})).await.problem(409, "tenant_not_deleting");
    let marked = delete(json!({ "slug": "acme" })).await.json(200);
    assert_eq!((&marked["status"], &marked["deleteAfter"]), (&json!("deleting"), &json!("2025-03-02T08:00:00.000Z")));
    acme.owner.get("/api/v1/workflows").await.problem(403, "forbidden");
    server.visitor().post("/t/acme/webhook/hello", json!({})).await.expect(409);
    assert_eq!(server.app.tenants.erase_due().await.unwrap(), 0);
    acme.admin.post("/api/v1/tenants/current/restore", json!({})).await.problem(403, "forbidden");
    acme.owner.post("/api/v1/tenants/current/restore", json!({})).await.expect(200);
    server.visitor().post("/t/acme/webhook/hello", json!({})).await.expect(200);
    delete(json!({ "slug": "acme" })).await.expect(200);
    server.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(server.app.tenants.erase_due().await.unwrap(), 1);
    let (mut left, mut kept) = (0, 0);
    for table in tenant_tables(&server).await {
        left += count(&server, &table, acme.id).await;
        kept += count(&server, &table, globex.id).await;
    }
    assert_eq!(left, 0);
    assert!(kept > 20, "{kept}");
    server.visitor().post("/t/acme/webhook/hello", json!({})).await.expect(404);
    server.visitor().post("/t/globex/webhook/hello", json!({})).await.expect(200);
}

#[actix_web::test]
async fn what_the_platform_deletes_only_the_platform_restores() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let path = format!("/api/v1/admin/tenants/{}", acme.id);
    let (own, restore) = ("/api/v1/tenants/current", "/api/v1/tenants/current/restore");
    admin.post(&format!("{path}/suspend"), json!({ "reason": "fraud" })).await.expect(200);
    admin.delete(&path).await.expect(200);
    acme.owner.post(restore, json!({})).await.problem(403, "tenant_deleted_by_platform");
    let again = acme.owner.send(actix_web::http::Method::DELETE, own, Some(json!({ "slug": "acme" }))).await;
    again.expect(200);
    acme.owner.post(restore, json!({})).await.problem(403, "tenant_deleted_by_platform");
    assert_eq!(admin.get(&path).await.json(200)["status"], "deleting");
    admin.post(&format!("{path}/resume"), json!({})).await.expect(200);
    let delete = acme.owner.send(actix_web::http::Method::DELETE, own, Some(json!({ "slug": "acme" }))).await;
    delete.expect(200);
    acme.owner.post(restore, json!({})).await.expect(200);
}

async fn tenant_tables(server: &TestServer) -> Vec<String> {
    let sql = match server.app.database.backend() {
        Backend::Postgres => {
            "SELECT table_name::text AS name FROM information_schema.columns WHERE table_schema = current_schema() \
             AND column_name = 'tenant_id'"
        }
        _ => {
            "SELECT t.name AS name FROM sqlite_master t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND c.name = 'tenant_id'"
        }
    };
    let database = server.app.database.read(AcrossTenants);
    let rows = database.query_all_raw(Statement::from_string(server.app.database.backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}

async fn count(server: &TestServer, table: &str, tenant: millrace::common::TenantId) -> i64 {
    let backend = server.app.database.backend();
    let sql = format!("SELECT count(*) AS count FROM {table} WHERE tenant_id = $1");
    let statement = Statement::from_sql_and_values(backend, sql, [tenant.into()]);
    let row = server.app.database.read(AcrossTenants).query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "count").unwrap()
}

#[actix_web::test]
async fn settings_are_checked_and_hold() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let path = "/api/v1/tenants/current";
    for (settings, pointer) in [
        (json!({ "timezone": "Mars/Olympus" }), "/settings/timezone"),
        (json!({ "egressAllow": ["ok.example", "a b"] }), "/settings/egressAllow"),
        (json!({ "auditRetentionDays": 1 }), "/settings/auditRetentionDays"),
        (json!({ "executionTimeoutSeconds": 0 }), "/settings/executionTimeoutSeconds"),
        (json!({ "colour": "red" }), "/settings/colour"),
    ] {
        let body = json!({ "settings": settings });
        acme.admin.patch(path, body).await.problem_at(422, "invalid_body", &[pointer]);
    }
    let settings =
        json!({ "settings": { "timezone": "Asia/Tokyo", "egressAllow": ["api.example.com", "*.x.example"] } });
    let changed = acme.admin.patch(path, settings).await.json(200);
    assert_eq!(changed["settings"]["timezone"], "Asia/Tokyo");
    let profile = server.app.tenants.profile(acme.id).await.unwrap();
    let public = "93.184.215.14".parse().unwrap();
    for (name, permitted) in [
        ("api.example.com", true),
        ("API.example.com.", true),
        ("a.x.example", true),
        ("x.example", false),
        ("evil.example", false),
    ] {
        assert_eq!(profile.egress.permits_host(Some(name), public), permitted, "{name}");
        assert_eq!(profile.egress.permits_name(name), permitted, "{name}");
    }
    let private = "127.0.0.1".parse().unwrap();
    assert!(!profile.egress.permits_host(Some("api.example.com"), private), "private networks stay closed");
    assert!(!profile.egress.permits_host(None, public), "an address that is not listed");
}

#[actix_web::test]
async fn names_that_imitate_others_are_refused_and_make_nothing() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let events = acme.audit().await.len();
    for name in ["Аcme", "Ac\u{200b}me", "\u{202e}emcA", "Acme\r\nX-Evil: 1", " "] {
        let register = json!({ "email": "new@evil.example", "password": crate::support::PASSWORD, "tenantName": name });
        server.visitor().post("/api/v1/auth/register", register).await.problem_at(
            422,
            "invalid_body",
            &["/tenantName"],
        );
        acme.owner.patch("/api/v1/tenants/current", json!({ "name": name })).await.problem_at(
            422,
            "invalid_body",
            &["/name"],
        );
    }
    assert_eq!(acme.audit().await.len(), events);
    let login = json!({ "email": "new@evil.example", "password": crate::support::PASSWORD });
    server.visitor().post("/api/v1/auth/login", login).await.problem(401, "wrong_login");
}
