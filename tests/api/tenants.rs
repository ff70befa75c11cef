//! The caller's tenant, and which tenant an address means.

use serde_json::json;

use crate::support::TestServer;

#[actix_web::test]
async fn a_tenant_is_renamed_and_gets_host_names() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let body = json!({ "name": "Acme, Inc.", "hosts": ["Hooks.Acme.example", "b.example", "b.example"] });
    let changed = tenant.admin.patch("/api/v1/tenants/current", body).await.json(200);
    assert_eq!(changed["hosts"], json!(["b.example", "hooks.acme.example"]));
    assert_eq!((&changed["name"], &changed["slug"]), (&json!("Acme, Inc."), &json!("acme")));
    let same = tenant.viewer.get("/api/v1/tenants/current").await.json(200);
    assert_eq!(same, changed);
    let renamed = tenant.admin.patch("/api/v1/tenants/current", json!({ "name": "Acme" })).await.json(200);
    assert_eq!(renamed["hosts"], changed["hosts"], "what is left out stays");
    let event = &tenant.audit().await[0];
    assert_eq!((&event["before"]["name"], &event["after"]["name"]), (&json!("Acme, Inc."), &json!("Acme")));
}

#[actix_web::test]
async fn a_host_name_has_one_tenant() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let hosts = json!({ "hosts": ["hooks.example"] });
    acme.owner.patch("/api/v1/tenants/current", hosts.clone()).await.expect(200);
    globex.owner.patch("/api/v1/tenants/current", hosts).await.problem(409, "tenant_host_taken");
    for bad in ["a b", "hooks.example:8080", "", "x\r\ny"] {
        let body = json!({ "hosts": ["fine.example", bad] });
        acme.owner.patch("/api/v1/tenants/current", body).await.problem_at(422, "invalid_body", &["/hosts/1"]);
    }
}

#[actix_web::test]
async fn addresses_lead_to_tenants() {
    let server = TestServer::start().await;
    let tenants = &server.app.tenants;
    assert_eq!(tenants.find_by_host("anything.example").await.unwrap(), None);
    let acme = server.tenant("acme").await;
    assert_eq!(tenants.find_by_host("anything.example").await.unwrap(), Some(acme.id), "the only tenant");
    let globex = server.tenant("globex").await;
    assert_eq!(tenants.find_by_host("anything.example").await.unwrap(), None, "one of two");
    globex.owner.patch("/api/v1/tenants/current", json!({ "hosts": ["hooks.example"] })).await.expect(200);
    assert_eq!(tenants.find_by_host("HOOKS.example:8080").await.unwrap(), Some(globex.id));
    assert_eq!(tenants.find_by_slug("acme").await.unwrap(), Some(acme.id));
    assert_eq!(tenants.find_by_slug("nobody").await.unwrap(), None);
}
