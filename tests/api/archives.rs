//! A tenant's archive: everything of it, nothing of another's, recorded.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::{Value, json};

use crate::support::{TestServer, TestTenant};
use crate::workflows::{activated, greeting};

async fn archive(tenant: &TestTenant) -> BTreeMap<String, Vec<u8>> {
    let reply = tenant.owner.get("/api/v1/tenants/current/export").await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/gzip"));
    assert!(reply.header("content-disposition").unwrap().contains("acme.tar.gz"));
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&reply.body[..]));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    });
    entries.collect()
}

#[actix_web::test]
async fn an_archive_holds_everything_of_its_tenant() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    activated(&globex.developer, greeting("secret-of-globex")).await;
    let id = activated(&acme.developer, greeting("hello")).await;
    for number in 0..23 {
        let body = json!({ "wait": true, "inputData": { "name": format!("run {number}") } });
        acme.owner.post(&format!("/api/v1/workflows/{id}/trigger"), body).await.expect(200);
    }
    let credential =
        json!({ "name": "mine", "type": "httpBasicAuth", "data": { "user": "ann", "password": "PLANTED-archive" } });
    acme.owner.post("/api/v1/credentials", credential).await.expect(201);
    let schedule = crate::scheduling::body(&id, json!({ "cron": "17 3 * * *" }));
    acme.owner.post("/api/v1/schedules", schedule).await.expect(201);
    let files = archive(&acme).await;
    let tenant: Value = serde_json::from_slice(&files["tenant.json"]).unwrap();
    assert_eq!(tenant["slug"], "acme");
    let workflow: Value = serde_json::from_slice(&files[&format!("workflows/{id}.json")]).unwrap();
    assert_eq!(workflow["nodes"].as_array().unwrap().len(), 2);
    let lines = |folder: &str| {
        let of_folder = files.iter().filter(|(path, _)| path.starts_with(folder));
        of_folder.map(|(_, content)| String::from_utf8(content.clone()).unwrap()).collect::<String>()
    };
    assert_eq!(lines("executions/").lines().count(), 23);
    assert!(lines("executions/").contains("run 22"));
    assert!(lines("audit/").lines().count() > 20);
    assert!(lines("members/").contains("viewer@acme.example"));
    let all = files.values().map(|content| String::from_utf8_lossy(content).into_owned()).collect::<String>();
    assert!(!all.contains("globex"), "another tenant's data");
    assert!(lines("credentials/").contains("\"ann\"") && lines("schedules/").contains("17 3 * * *"));
    assert!(!all.contains("PLANTED-archive"), "a secret");
    assert_eq!(acme.audit().await[0]["action"], "tenant.export");
    acme.developer.get("/api/v1/tenants/current/export").await.problem(403, "forbidden");
}
