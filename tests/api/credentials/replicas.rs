//! Several processes on one database: of all that want a token renewed one renews it, a dead one is waited for no longer than
//! its turn lasts, and runs go on while keys are rotated.

use std::time::Duration;

use actix_web::HttpResponse;
use futures_util::future::{join, join_all};
use millrace::app::App;
use millrace::common::{Clock, Ctx, TenantId, WorkflowId};
use millrace::domains::credentials::Wanted;
use millrace::infrastructure::database::AcrossTenants;
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::oauth::{authorisation_server, connected};
use super::{create, http_request, run_workflow, server, workflow};
use crate::support::Vendor;

/// The access token that a node of the tenant's would get from this process.
async fn token(app: &App, tenant: TenantId) -> String {
    let node_type = "n8n-nodes-base.httpRequest";
    let wanted = Wanted { kind: "oAuth2Api", reference: None, node_type, workflow: WorkflowId::new() };
    let resolved = app.credentials.resolve(&Ctx::system(tenant), &wanted).await.unwrap();
    resolved.data.get("accessToken").and_then(|token| token.as_str()).unwrap().to_owned()
}

#[actix_web::test]
async fn processes_renew_a_token_once_between_them() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let authority = authorisation_server();
    connected(&server, &tenant, &authority.url).await;
    let other = App::build((*server.app.config).clone(), server.clock.clone()).await.unwrap();
    for round in 2..5 {
        server.clock.advance(Duration::from_secs(3590));
        let apps = [&server.app, &other, &server.app, &other, &other, &server.app];
        let tokens = join_all(apps.into_iter().map(|app| token(app, tenant.id))).await;
        assert!(tokens.iter().all(|token| *token == format!("token-{round}")), "{tokens:?}");
        assert_eq!(authority.asked().len(), round, "one of them asked");
    }
}

#[actix_web::test]
async fn a_process_that_died_at_it_is_waited_for_until_its_turn_is_over() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let authority = authorisation_server();
    connected(&server, &tenant, &authority.url).await;
    server.clock.advance(Duration::from_secs(3700));
    let turn = server.clock.now().plus(Duration::from_secs(30)).as_millis();
    let taken = format!("UPDATE credentials SET refreshing_until = {turn}");
    server.app.database.write(AcrossTenants).execute_unprepared(&taken).await.unwrap();
    let waiting = token(&server.app, tenant.id);
    let passing = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(authority.asked().len(), 1, "the turn is another's");
        server.clock.advance(Duration::from_secs(31));
    };
    assert_eq!(join(waiting, passing).await.0, "token-2");
    assert_eq!(authority.asked().len(), 2);
}

#[actix_web::test]
async fn runs_go_on_while_keys_are_rotated() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let vendor = Vendor::start(|_| HttpResponse::Ok().json(json!({})));
    let id = create(&tenant.owner, "httpBearerAuth", json!({ "token": "token-1" })).await;
    let document = workflow(http_request(&vendor.url, "httpBearerAuth", json!({ "id": id })));
    let made = tenant.owner.post("/api/v1/workflows", document).await.json(201);
    let runs = async {
        for _ in 0..5 {
            let some = (0..6).map(|_| run_workflow(&tenant.owner, made["id"].as_str().unwrap()));
            for execution in join_all(some).await {
                assert_eq!(execution["status"], "success", "{execution}");
            }
        }
    };
    let rotations = async {
        for _ in 0..5 {
            tenant.admin.post("/api/v1/credentials/keys/rotate", json!({})).await.expect(200);
            server.app.credentials.rotate_wrapping_key().await.unwrap();
            server.app.credentials.look_after_keys().await.unwrap();
        }
    };
    join(runs, rotations).await;
    assert_eq!(vendor.asked().len(), 30);
    assert!(vendor.asked().iter().all(|asked| asked.header("authorization") == Some("Bearer token-1")));
    let keys = tenant.admin.get("/api/v1/credentials/keys").await.json(200);
    assert_eq!((&keys["versions"][0]["version"], &keys["resealed"]), (&json!(6), &json!(1)), "{keys}");
}
