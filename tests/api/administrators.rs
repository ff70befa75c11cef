//! The platform's administrators: what they may, and that nobody else may it.

use serde_json::json;

use crate::support::{TestServer, administrator};

#[actix_web::test]
async fn administrators_work_on_all_tenants() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let list = admin.get("/api/v1/admin/tenants").await.json(200);
    let slugs: Vec<_> = list["data"].as_array().unwrap().iter().map(|tenant| tenant["slug"].clone()).collect();
    assert_eq!(slugs, ["acme", "platform"]);
    let page = admin.get("/api/v1/admin/tenants?limit=1").await.json(200);
    let rest = format!("/api/v1/admin/tenants?limit=1&cursor={}", page["nextCursor"].as_str().unwrap());
    assert_eq!(admin.get(&rest).await.json(200)["data"][0]["slug"], "platform");
    let made = admin.post("/api/v1/admin/tenants", json!({ "name": "Initech" })).await.json(201);
    assert_eq!((&made["slug"], &made["status"]), (&json!("initech"), &json!("active")));
    let again = json!({ "name": "Other", "slug": "initech" });
    admin.post("/api/v1/admin/tenants", again).await.problem(409, "tenant_slug_taken");
    let bad = json!({ "name": "Other", "slug": "NO" });
    admin.post("/api/v1/admin/tenants", bad).await.problem_at(422, "invalid_body", &["/slug"]);
    let path = format!("/api/v1/admin/tenants/{}", acme.id);
    assert_eq!(admin.get(&path).await.json(200)["name"], "acme");
    admin.get(&format!("{path}/usage")).await.expect(200);
    let deleting = admin.delete(&path).await.json(200);
    assert_eq!(deleting["status"], "deleting");
    admin.post(&format!("{path}/suspend"), json!({})).await.problem(409, "tenant_deleting");
    assert_eq!(admin.post(&format!("{path}/resume"), json!({})).await.json(200)["status"], "active");
    let unknown = "/api/v1/admin/tenants/01890a5d-ac96-774b-bcce-b302099a8057";
    admin.get(unknown).await.problem(404, "tenant_not_found");
    admin.patch(unknown, json!({ "plan": "x", "limits": {} })).await.problem(404, "tenant_not_found");
    // What administrators read is in their own log, each time.
    let read = admin.get("/api/v1/audit?action=administrator.read&limit=250").await.json(200);
    let read: Vec<_> = read["data"].as_array().unwrap().iter().map(|event| event["resourceId"].clone()).collect();
    for path in ["/api/v1/admin/tenants", path.as_str(), &format!("{path}/usage")] {
        assert!(read.contains(&json!(path)), "{path}: {read:?}");
    }
    // The tenant sees in its own log what was done to it.
    let event = &acme.audit().await[0];
    assert_eq!(event["action"], "tenant.resume");
}

#[actix_web::test]
async fn administrators_are_made_and_the_last_one_stays() {
    let server = TestServer::start().await;
    let (admin, acme) = (administrator(&server).await, server.tenant("acme").await);
    let path = "/api/v1/admin/administrators";
    let own = admin.get(path).await.json(200)["data"][0]["id"].as_str().unwrap().to_owned();
    admin.delete(&format!("{path}/{own}")).await.problem(409, "last_administrator");
    admin.post(path, json!({ "email": "nobody@acme.example" })).await.problem(404, "user_not_found");
    let second = admin.post(path, json!({ "email": "owner@acme.example" })).await.json(201);
    acme.owner.get(path).await.expect(200);
    acme.api_key.get(path).await.problem(403, "administrator_needed");
    let second = format!("{path}/{}", second["id"].as_str().unwrap());
    let own = format!("{path}/{own}");
    let (one, two) = tokio::join!(admin.delete(&second), acme.owner.delete(&own));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 204, "{statuses:?}");
    assert!([403, 409].contains(&statuses[1]), "{statuses:?}");
}
