//! The caller's tenant, and which tenant an address means.

use serde_json::json;

use crate::support::{TestServer, administrator};

/// Where tenants name their hosts themselves.
async fn open_server() -> TestServer {
    TestServer::with(|config| {
        config.tenants.own_hosts = true;
        config.server.public_url = "https://millrace.example".to_owned();
    })
    .await
}

#[actix_web::test]
async fn a_tenant_is_renamed_and_gets_host_names() {
    let server = open_server().await;
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
    let server = open_server().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let hosts = json!({ "hosts": ["hooks.example"] });
    acme.owner.patch("/api/v1/tenants/current", hosts.clone()).await.expect(200);
    globex.owner.patch("/api/v1/tenants/current", hosts).await.problem(409, "tenant_host_taken");
    for bad in
        ["a b", "hooks.example:8080", "", "x\r\ny", "localhost", "a.localhost", "127.0.0.1", "10", "millrace.example"]
    {
        let body = json!({ "hosts": ["fine.example", bad] });
        acme.owner.patch("/api/v1/tenants/current", body).await.problem_at(422, "invalid_body", &["/hosts/1"]);
    }
}

#[actix_web::test]
async fn addresses_lead_to_tenants() {
    let server = open_server().await;
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

/// Whoever can become a tenant could else take the webhooks of somebody else's host, or of the server's own.
#[actix_web::test]
async fn host_names_are_given_by_administrators() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let own = "/api/v1/tenants/current";
    let claim = acme.owner.patch(own, json!({ "hosts": ["hooks.globex.example"] })).await;
    claim.problem(403, "tenant_host_not_open");
    let path = format!("/api/v1/admin/tenants/{}/hosts", acme.id);
    let hosts = json!({ "hosts": ["a.acme.example", "b.acme.example"] });
    assert_eq!(admin.put(&path, hosts.clone()).await.json(200)["hosts"], hosts["hosts"]);
    acme.owner.put(&path, hosts.clone()).await.problem(403, "administrator_needed");
    let bad = json!({ "hosts": ["a.acme.example", "192.0.2.1"] });
    admin.put(&path, bad).await.problem_at(422, "invalid_body", &["/hosts/1"]);
    assert_eq!(server.app.tenants.find_by_host("b.acme.example").await.unwrap(), Some(acme.id));
    let fewer = json!({ "hosts": ["a.acme.example"], "name": "Acme" });
    assert_eq!(acme.owner.patch(own, fewer).await.json(200)["hosts"], json!(["a.acme.example"]));
    acme.owner.patch(own, hosts).await.problem(403, "tenant_host_not_open");
    let actions: Vec<_> = acme.audit().await.iter().map(|event| event["action"].clone()).collect();
    assert!(actions.contains(&json!("tenant.setHosts")), "{actions:?}");
}

#[actix_web::test]
async fn a_slug_is_changed_and_stays_one_tenants() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let own = "/api/v1/tenants/current";
    // Looked for in vain, and remembered as nobody's.
    assert_eq!(server.app.tenants.find_by_slug("acme-two").await.unwrap(), None);
    assert_eq!(acme.owner.patch(own, json!({ "slug": "acme-two" })).await.json(200)["slug"], "acme-two");
    assert_eq!(server.app.tenants.find_by_slug("acme-two").await.unwrap(), Some(acme.id));
    assert_eq!(server.app.tenants.find_by_slug("acme").await.unwrap(), None);
    globex.owner.patch(own, json!({ "slug": "acme-two" })).await.problem(409, "tenant_slug_taken");
    globex.owner.patch(own, json!({ "slug": "NO" })).await.problem_at(422, "invalid_body", &["/slug"]);
}
