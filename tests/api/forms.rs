//! Forms: the page, what is sent with it, and what does not fit.

use actix_web::http::Method;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::support::{Client, Reply, TestServer};
use crate::workflows::activated;

fn survey(path: &str, options: Value) -> Value {
    json!({
        "name": "Survey",
        "nodes": [
            { "name": "Form", "type": "n8n-nodes-base.formTrigger", "typeVersion": 2.2, "position": [0, 0], "parameters": {
                "path": path, "formTitle": "How <was> it?", "options": options,
                "formFields": { "values": [
                    { "fieldLabel": "Name", "requiredField": true },
                    { "fieldLabel": "Stars", "fieldType": "number" } ] } } },
            { "name": "Keep", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [200, 0],
              "parameters": { "options": {}, "assignments": { "assignments": [
                  { "id": "1", "name": "kept", "type": "string", "value": "={{ $json.Name }} {{ $json.Stars + 1 }}" }] } } }
        ],
        "connections": { "Form": { "main": [[{ "node": "Keep", "type": "main", "index": 0 }]] } },
        "settings": { "executionOrder": "v1" }
    })
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

async fn submit(client: &Client, path: &str, fields: &[(&str, &str)]) -> Reply {
    let parts = fields
        .iter()
        .map(|(name, value)| format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    let body = parts.collect::<String>() + "--B--\r\n";
    client.send_raw(Method::POST, path, Some(("multipart/form-data; boundary=B", Bytes::from(body)))).await
}

#[actix_web::test]
async fn a_submission_begins_a_run() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let id = activated(&acme.developer, survey("feedback", json!({}))).await;
    let visitor = server.visitor();
    let page = visitor.get("/t/acme/form/feedback").await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert!(text(&page).contains("How &lt;was&gt; it?") && text(&page).contains("name=\"field-1\""), "{}", text(&page));
    let done = submit(&visitor, "/t/acme/form/feedback", &[("field-0", "Ann {{ 1 + 1 }}"), ("field-1", "4")]).await;
    assert!(text(&done.expect(200)).contains("Your response has been recorded"));
    let path = format!("/api/v1/workflows/{id}/executions?includeData=true");
    let mut runs = Value::Null;
    for _ in 0..200 {
        let page = acme.viewer.get(&path).await.json(200);
        runs = page["data"][0]["data"]["resultData"]["runData"].clone();
        if runs["Keep"].is_array() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let item = &runs["Form"][0]["data"]["main"][0][0]["json"];
    assert_eq!(
        (&item["Name"], &item["Stars"], &item["formMode"]),
        (&json!("Ann {{ 1 + 1 }}"), &json!(4), &json!("production"))
    );
    assert!(item["submittedAt"].as_str().is_some());
    // What people send is data: it is never evaluated.
    assert_eq!(runs["Keep"][0]["data"]["main"][0][0]["json"]["kept"], "Ann {{ 1 + 1 }} 5");
}

#[actix_web::test]
async fn what_does_not_fit_is_shown_again() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let id = activated(&acme.developer, survey("feedback", json!({}))).await;
    let visitor = server.visitor();
    for (fields, message) in [
        (vec![], "This field is required"),
        (vec![("field-0", "Ann"), ("field-1", "<b>")], "&quot;&lt;b&gt;&quot; is not a number"),
    ] {
        let page = submit(&visitor, "/t/acme/form/feedback", &fields).await.expect(422);
        assert!(text(&page).contains(message), "{}", text(&page));
    }
    let none = acme.viewer.get(&format!("/api/v1/workflows/{id}/executions")).await.json(200);
    assert_eq!(none["data"], json!([]));
}

#[actix_web::test]
async fn forms_and_webhooks_have_addresses_of_their_own() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let options = json!({ "respondWithOptions": { "values": { "respondWith": "redirect", "redirectUrl": "https://mill.example/thanks" } } });
    activated(&acme.developer, survey("feedback", options)).await;
    let visitor = server.visitor();
    visitor.get("/t/acme/webhook/form/feedback").await.expect(404);
    visitor.get("/t/acme/form/other").await.expect(404);
    visitor.get("/t/globex/form/feedback").await.expect(404);
    let gone = submit(&visitor, "/t/acme/form/feedback", &[("field-0", "Ann")]).await.expect(303);
    assert_eq!(gone.header("location"), Some("https://mill.example/thanks"));
}

#[actix_web::test]
async fn a_form_has_the_settings_of_a_webhook_and_asks_for_the_credential_it_names() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let data = json!({ "user": "ann", "password": "hush" });
    let credential = json!({ "name": "Guests", "type": "httpBasicAuth", "data": data });
    let credential = acme.developer.post("/api/v1/credentials", credential).await.json(201);
    let mut document = survey("feedback", json!({}));
    document["nodes"][0]["parameters"]["authentication"] = json!("basicAuth");
    document["nodes"][0]["credentials"] = json!({ "httpBasicAuth": { "id": credential["id"], "name": "Guests" } });
    let workflow = activated(&acme.developer, document).await;
    let page = acme.viewer.get(&format!("/api/v1/webhooks?workflowId={workflow}")).await.json(200);
    let form = &page["data"][0];
    assert!(form["url"].as_str().unwrap().ends_with("/t/acme/form/feedback"), "{form}");
    assert_eq!(form["testUrl"], json!(null));
    let path = format!("/api/v1/webhooks/{}", form["id"].as_str().unwrap());
    let limit = json!({ "settings": { "rateLimit": { "requests": 1, "seconds": 60 } } });
    acme.developer.send(Method::PUT, &path, Some(limit)).await.expect(200);
    acme.developer.post(&format!("{path}/test"), json!({})).await.problem(409, "webhook_is_form");
    let fields = [("field-0", "Ann"), ("field-1", "4")];
    server.visitor().get("/t/acme/form/feedback").await.expect(401);
    submit(&server.visitor(), "/t/acme/form/feedback", &fields).await.expect(401);
    let guest = server.visitor().with("authorization", "Basic YW5uOmh1c2g=");
    guest.get("/t/acme/form/feedback").await.expect(200);
    submit(&guest, "/t/acme/form/feedback", &fields).await.expect(200);
    submit(&guest, "/t/acme/form/feedback", &fields).await.expect(429);
}
