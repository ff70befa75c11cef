//! What is kept of a credential and what is shown; every mistake is refused by its place.

use actix_web::HttpResponse;
use actix_web::http::Method;
use millrace::app::App;
use millrace::infrastructure::database::AcrossTenants;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use super::{REDACTED, create, server};
use crate::support::{Reply, TestServer, Vendor};

#[actix_web::test]
async fn a_credential_is_kept_and_its_secret_never_shown() {
    let server = TestServer::start().await;
    let owner = server.tenant("acme").await.owner;
    let body =
        json!({ "name": "Warehouse", "type": "httpBasicAuth", "data": { "user": "robot", "password": "hunter22" } });
    let made = owner.post("/api/v1/credentials", body).await.json(201);
    assert_eq!(made["data"], json!({ "user": "robot", "password": REDACTED }));
    assert_eq!((&made["type"], &made["status"]), (&json!("httpBasicAuth"), &json!("ready")));
    let path = format!("/api/v1/credentials/{}", made["id"].as_str().unwrap());
    assert_eq!(owner.get(&path).await.json(200), made);
    let list = owner.get("/api/v1/credentials?type=httpBasicAuth&name=WARE").await.json(200);
    assert_eq!(list["data"][0]["id"], made["id"]);
    assert!(list["data"][0].get("data").is_none());
    assert_eq!(owner.get("/api/v1/credentials?name=other").await.json(200)["data"], json!([]));
    assert_eq!(owner.delete(&path).await.json(200)["id"], made["id"]);
    owner.get(&path).await.problem(404, "credential_not_found");
}

#[actix_web::test]
async fn updates_keep_a_secret_where_its_mark_comes_back() {
    let server = server().await;
    let tenant = server.tenant("acme").await;
    let vendor = Vendor::start(|_| HttpResponse::Ok().json(json!({})));
    let id = create(&tenant.owner, "githubApi", json!({ "server": vendor.url, "accessToken": "token-one" })).await;
    let path = format!("/api/v1/credentials/{id}");
    let seen = async || {
        let tested = tenant.owner.post(&format!("{path}/test"), json!({})).await.json(200);
        assert_eq!(tested["status"], "OK", "{tested}");
        vendor.last().header("authorization").unwrap().to_owned()
    };
    assert_eq!(seen().await, "token token-one");
    let shown = tenant.owner.get(&path).await.json(200);
    let body = json!({ "name": "renamed", "data": shown["data"] });
    let replaced = tenant.owner.send(Method::PUT, &path, Some(body)).await.json(200);
    assert_eq!((&replaced["name"], &replaced["data"]), (&json!("renamed"), &shown["data"]));
    assert_eq!(seen().await, "token token-one");
    tenant.owner.patch(&path, json!({ "data": { "accessToken": "token-two" } })).await.expect(200);
    assert_eq!(seen().await, "token token-two");
    tenant.owner.patch(&path, json!({ "name": "again" })).await.expect(200);
    assert_eq!(seen().await, "token token-two");
    let body = json!({ "name": "x", "data": { "server": vendor.url } });
    tenant.owner.send(Method::PUT, &path, Some(body)).await.problem_at(422, "invalid_body", &["/data/accessToken"]);
}

#[actix_web::test]
async fn tests_tell_how_it_went_without_quoting_the_service() {
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    let vendor = Vendor::start(|asked| match asked.header("authorization") {
        Some("token good-token") => HttpResponse::Ok().json(json!({})),
        Some(other) => HttpResponse::Unauthorized().body(format!("who is {other}?")),
        None => HttpResponse::InternalServerError().finish(),
    });
    for (kind, data, status) in [
        ("githubApi", json!({ "server": vendor.url, "accessToken": "good-token" }), "OK"),
        ("githubApi", json!({ "server": vendor.url, "accessToken": "stale-token" }), "Error"),
        ("githubApi", json!({ "server": "http://127.0.0.1:1", "accessToken": "good-token" }), "Error"),
        ("githubApi", json!({ "server": "gopher://x", "accessToken": "good-token" }), "Error"),
        ("telegramApi", json!({ "baseUrl": vendor.url, "accessToken": "123:abc" }), "Error"),
        ("httpBasicAuth", json!({ "user": "u", "password": "p" }), "NotTestable"),
    ] {
        let id = create(&owner, kind, data.clone()).await;
        let tested = owner.post(&format!("/api/v1/credentials/{id}/test"), json!({})).await.json(200);
        assert_eq!(tested["status"], status, "{data} {tested}");
        assert!(!tested.to_string().contains("-token"), "{tested}");
    }
}

#[actix_web::test]
async fn types_and_their_schemas_are_told() {
    let server = TestServer::start().await;
    let owner = server.tenant("acme").await.owner;
    let types = owner.get("/api/v1/credential-types").await.json(200);
    let types = types["data"].as_array().unwrap();
    let slack = types.iter().find(|kind| kind["name"] == "slackApi").unwrap();
    assert_eq!(slack["authenticate"], "generic");
    assert_eq!(slack["rule"], json!({ "headers": { "Authorization": "Bearer {accessToken}" } }));
    let schema = owner.get("/api/v1/credentials/schema/httpBasicAuth").await.json(200);
    let text = json!({ "type": "string" });
    assert_eq!(
        schema,
        json!({ "additionalProperties": false, "type": "object", "properties": { "user": text, "password": text }, "required": [] })
    );
    let twilio = owner.get("/api/v1/credentials/schema/twilioApi").await.json(200);
    assert_eq!(twilio["required"], json!(["accountSid"]));
    assert_eq!(twilio["allOf"].as_array().unwrap().len(), 3);
    let unknown = owner.get("/api/v1/credentials/schema/slackapi").await.problem(404, "credential_type_not_found");
    assert!(unknown["detail"].as_str().unwrap().contains("slackApi"), "{unknown}");
}

#[actix_web::test]
async fn mistakes_are_refused_by_their_place() {
    let server = TestServer::start().await;
    let owner = server.tenant("acme").await.owner;
    let with = |change: Value| {
        let mut body = json!({ "name": "x", "type": "httpBasicAuth", "data": {} });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for (change, pointers) in [
        (json!({ "type": "httpBasicAut" }), vec!["/type"]),
        (json!({ "name": " " }), vec!["/name"]),
        (json!({ "data": { "user": "u", "passwort": "p" } }), vec!["/data/passwort"]),
        (json!({ "data": { "user": {}, "password": 7.5, "x": 1 } }), vec!["/data/user", "/data/x"]),
        (json!({ "data": "hunter22" }), vec!["/data"]),
        (json!({ "type": "slackApi" }), vec!["/data/accessToken"]),
        (json!({ "allowedHosts": ["ok.example", "https://x.example/"] }), vec!["/allowedHosts/1"]),
        (
            json!({ "data": { "allowedHttpRequestDomains": "domains", "allowedDomains": "a b" } }),
            vec!["/data/allowedDomains"],
        ),
        (json!({ "surplus": 1 }), vec!["/surplus"]),
        (json!({ "id": "" }), vec!["/id"]),
    ] {
        let reply = owner.post("/api/v1/credentials", with(change.clone())).await;
        assert!(!String::from_utf8_lossy(&reply.body).contains("hunter22"), "{change}");
        let found = pointers_of(reply);
        assert_eq!(found, pointers, "{change}");
    }
    let id = create(&owner, "httpBasicAuth", json!({ "user": "u" })).await;
    let path = format!("/api/v1/credentials/{id}");
    owner.patch(&path, json!({ "type": "slackApi" })).await.problem_at(422, "invalid_body", &["/type"]);
    owner.patch(&path, json!({ "allowedHosts": ["*"] })).await.problem_at(422, "invalid_body", &["/allowedHosts/0"]);
    let nobody = json!({ "workflows": ["01890a5d-ac96-774b-bcce-b302099a8057"], "nodeTypes": null });
    owner.post(&format!("{path}/share"), nobody).await.problem_at(422, "invalid_body", &["/workflows/0"]);
    let aliased = with(json!({ "id": "n8n-id" }));
    owner.post("/api/v1/credentials", aliased.clone()).await.expect(201);
    owner.post("/api/v1/credentials", aliased).await.problem(409, "credential_id_taken");
    owner.get("/api/v1/credentials/n8n-id").await.expect(200);
}

fn pointers_of(reply: Reply) -> Vec<String> {
    let problem = reply.problem(422, "invalid_body");
    let errors = problem["errors"].as_array().unwrap().iter();
    let mut pointers: Vec<_> = errors.map(|error| error["pointer"].as_str().unwrap().to_owned()).collect();
    pointers.dedup();
    pointers
}

#[actix_web::test]
async fn altered_and_swapped_rows_do_not_open() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let one = create(&acme.owner, "httpBasicAuth", json!({ "password": "first-secret" })).await;
    let two = create(&acme.owner, "httpBasicAuth", json!({ "password": "second-secret" })).await;
    let foreign = create(&globex.owner, "httpBasicAuth", json!({ "password": "foreign-secret" })).await;
    let database = server.app.database.write(AcrossTenants);
    let hex = |id: &str| match server.app.database.backend() {
        millrace::infrastructure::database::Backend::Sqlite => format!("x'{}'", id.replace('-', "")),
        _ => format!("'{id}'"),
    };
    let copy = |from: &str, to: &str| {
        format!(
            "UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE id = {}) WHERE id = {}",
            hex(from),
            hex(to)
        )
    };
    for from in [&two, &foreign] {
        database.execute_unprepared(&copy(from, &one)).await.unwrap();
        let problem = acme.owner.get(&format!("/api/v1/credentials/{one}")).await.problem(409, "credential_damaged");
        assert!(!problem.to_string().contains("-secret"), "{problem}");
    }
    acme.owner.get(&format!("/api/v1/credentials/{two}")).await.expect(200);
    // Entering the fields again mends it.
    let body = json!({ "name": "mended", "data": { "password": "third-secret" } });
    acme.owner.send(Method::PUT, &format!("/api/v1/credentials/{one}"), Some(body)).await.expect(200);
    acme.owner.get(&format!("/api/v1/credentials/{one}")).await.expect(200);
}

/// Changes a column of bytes in its last byte.
async fn flip(server: &TestServer, table: &str, column: &str, condition: &str) {
    let database = server.app.database.write(AcrossTenants);
    let backend = server.app.database.backend();
    let select = format!("SELECT {column} FROM {table} WHERE {condition}");
    let row = database.query_one_raw(Statement::from_string(backend, select)).await.unwrap().unwrap();
    let mut bytes: Vec<u8> = row.try_get("", column).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let update = format!("UPDATE {table} SET {column} = $1 WHERE {condition}");
    database.execute_raw(Statement::from_sql_and_values(backend, update, [bytes.into()])).await.unwrap();
}

#[actix_web::test]
async fn what_was_tampered_with_is_refused_and_nothing_of_it_told() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let id = create(&tenant.owner, "httpBasicAuth", json!({ "password": "first-secret" })).await;
    let path = format!("/api/v1/credentials/{id}");
    let damaged = async |what: &str| {
        for reply in [
            tenant.owner.get(&path).await,
            tenant.owner.patch(&path, json!({ "data": { "user": "u" } })).await,
            tenant.owner.post(&format!("{path}/test"), json!({})).await,
        ] {
            let problem = reply.problem(409, "credential_damaged");
            assert!(!problem.to_string().contains("-secret"), "{what} {problem}");
        }
    };
    flip(&server, "credentials", "sealed", "1 = 1").await;
    damaged("a byte").await;
    flip(&server, "credentials", "sealed", "1 = 1").await;
    tenant.owner.get(&path).await.expect(200);

    // Another version's key, though it is one of the tenant's, is another key.
    tenant.admin.post("/api/v1/credentials/keys/rotate", json!({})).await.expect(200);
    server.app.credentials.look_after_keys().await.unwrap();
    tenant.owner.get(&path).await.expect(200);
    let database = server.app.database.write(AcrossTenants);
    for version in [1, 99] {
        let swapped = format!("UPDATE credentials SET key_version = {version}");
        database.execute_unprepared(&swapped).await.unwrap();
        damaged("the version").await;
    }
    database.execute_unprepared("UPDATE credentials SET key_version = 2").await.unwrap();
    tenant.owner.get(&path).await.expect(200);

    // A wrapped key that was altered does not let a server start that has not opened it yet.
    flip(&server, "data_keys", "wrapped", "version = 2").await;
    database.execute_unprepared("DELETE FROM data_keys WHERE version = 1").await.unwrap();
    let error = App::build((*server.app.config).clone(), server.clock.clone()).await.map(drop).unwrap_err();
    assert!(format!("{error:?}").contains("Wrong"), "{error:?}");
    flip(&server, "data_keys", "wrapped", "version = 2").await;
    App::build((*server.app.config).clone(), server.clock.clone()).await.map(drop).unwrap();
}

#[actix_web::test]
async fn usage_names_the_workflows_and_nodes() {
    let server = TestServer::start().await;
    let tenant = server.tenant("acme").await;
    let id = create(&tenant.owner, "httpBasicAuth", json!({ "user": "u" })).await;
    let node = |reference: Value| super::workflow(super::http_request("http://x.example", "httpBasicAuth", reference));
    for (name, reference) in [
        ("by id", json!({ "id": id, "name": "whatever" })),
        ("by name", json!({ "id": "42", "name": "my httpBasicAuth" })),
        ("another", json!({ "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "my httpBasicAuth" })),
    ] {
        let mut document = node(reference);
        document["name"] = json!(name);
        tenant.owner.post("/api/v1/workflows", document).await.expect(201);
    }
    let usage = tenant.owner.get(&format!("/api/v1/credentials/{id}/usage")).await.json(200);
    let mut names: Vec<_> =
        usage["data"].as_array().unwrap().iter().map(|used| used["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["by id", "by name"]);
    assert_eq!(usage["data"][0]["nodes"], json!(["Then"]));
}
