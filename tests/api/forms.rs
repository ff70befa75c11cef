//! Forms: the page, what is sent with it, and what does not fit.

use actix_web::http::Method;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::flows::{chain, reached};
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

/// A trigger, a page that knows the answer before, and an end.
fn pages(ending: Value) -> Value {
    let page = json!({ "operation": "page", "options": { "formTitle": "=Thanks, {{ $json.Name }}" }, "formFields": { "values": [
        { "fieldLabel": "Colour", "fieldType": "dropdown", "requiredField": true,
          "fieldOptions": { "values": [{ "option": "red" }, { "option": "green" }] } },
        { "fieldLabel": "Paper", "fieldType": "file", "multipleFiles": false } ] } });
    let trigger = json!({ "path": "order", "formTitle": "Order", "options": {},
        "formFields": { "values": [{ "fieldLabel": "Name", "requiredField": true }] } });
    let both = json!({ "mode": "raw", "options": {}, "includeOtherFields": true,
        "jsonOutput": "={{ { who: $('Start').item.json.Name, colour: $json.Colour } }}" });
    chain(
        "Pages",
        &[
            ("Start", "formTrigger", 2.2, trigger),
            ("Second", "form", 1.0, page),
            ("Both", "set", 3.4, both),
            ("End", "form", 1.0, ending),
        ],
    )
}

fn location(reply: &Reply) -> String {
    let full = reply.header("location").unwrap();
    full.split_at(full.find("/t/acme").unwrap()).1.to_owned()
}

/// The ticket that a page carries.
fn ticket(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"form-page\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn submit_encoded(client: &Client, path: &str, body: String) -> Reply {
    client.send_raw(Method::POST, path, Some(("application/x-www-form-urlencoded", Bytes::from(body)))).await
}

#[actix_web::test]
async fn a_form_goes_on_page_by_page_to_its_end() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let ending = json!({ "operation": "completion", "respondWith": "text", "completionTitle": "=Bye {{ $json.who }}",
        "completionMessage": "=You chose {{ $json.colour }} <b>" });
    let id = activated(&acme.developer, pages(ending)).await;
    let visitor = server.visitor();
    let sent = submit(&visitor, "/t/acme/form/order", &[("field-0", "Ann")]).await.expect(303);
    let next = location(&sent);
    assert!(next.contains("/form-waiting/"), "{next}");
    let shown = visitor.get(&next).await.expect(200);
    assert!(shown.header("content-security-policy").unwrap().contains("default-src 'none'"));
    let page = text(&shown);
    assert!(page.contains("<h1>Thanks, Ann</h1>") && page.contains("<option value=\"green\""), "{page}");
    let address = next.split('?').next().unwrap();

    // What does not fit is shown again, with the name of its field, and the run stays where it is.
    for body in ["", "field-0=blue"] {
        let again = submit_encoded(&visitor, address, format!("form-page={}&{body}", ticket(&page))).await.expect(422);
        assert!(text(&again).contains("role=\"alert\">Colour: "), "{}", text(&again));
        assert_eq!(ticket(&text(&again)), ticket(&page));
    }
    let broken = Bytes::from_static(b"--B\r\nno headers");
    visitor.send_raw(Method::POST, address, Some(("multipart/form-data; boundary=B", broken))).await.json(422);
    assert_eq!(reached(&acme.viewer, &id, "waiting").await["lastNodeExecuted"], "Second");

    // As a browser sends it, with a file left out.
    let body = format!(
        "--B\r\nContent-Disposition: form-data; name=\"form-page\"\r\n\r\n{}\r\n\
         --B\r\nContent-Disposition: form-data; name=\"field-0\"\r\n\r\ngreen\r\n\
         --B\r\nContent-Disposition: form-data; name=\"field-1\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhi\r\n--B--\r\n",
        ticket(&page)
    );
    let posted = ("multipart/form-data; boundary=B", Bytes::from(body.clone()));
    let sent = visitor.send_raw(Method::POST, address, Some(posted)).await.expect(303);
    let again = ("multipart/form-data; boundary=B", Bytes::from(body));
    visitor.send_raw(Method::POST, address, Some(again)).await.expect(409);
    let end = visitor.get(&location(&sent)).await.expect(200);
    assert!(text(&end).contains("<h1>Bye Ann</h1><p>You chose green &lt;b&gt;</p>"), "{}", text(&end));
    let ended = reached(&acme.viewer, &id, "success").await;
    let second = &ended["data"]["resultData"]["runData"]["Second"][0]["data"]["main"][0][0];
    assert_eq!((&second["json"]["Colour"], &second["json"]["formMode"]), (&json!("green"), &json!("production")));
    assert_eq!(second["json"]["Paper"]["filename"], "a.txt");
    assert_eq!(second["binary"]["Paper"]["data"], "aGk=");

    // Once it is over the address is used up; others never were one.
    assert!(text(&visitor.get(address).await.expect(409)).contains("completed already"));
    submit(&visitor, address, &[("field-0", "red")]).await.expect(409);
    for forged in ["01890a5d-ac96-774b-bcce-b302099a8057", "..%2F", "1", "{{ 1 }}"] {
        let forged = format!("/t/acme/form-waiting/{}", forged.replace(['{', '}', ' '], "%20"));
        visitor.get(&forged).await.expect(404);
        submit(&visitor, &forged, &[("field-0", "red")]).await.expect(404);
    }
    server.tenant("globex").await;
    visitor.get(&address.replace("acme", "globex")).await.expect(404);
    visitor.delete(address).await.expect(404);
}

#[actix_web::test]
async fn forms_end_in_a_redirect_a_page_of_ones_own_or_a_file() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let visitor = server.visitor();
    let own = json!({ "operation": "completion", "respondWith": "showText", "responseText": "<h2>Own</h2>" });
    let away =
        json!({ "operation": "completion", "respondWith": "redirect", "redirectUrl": "https://mill.example/done" });
    let wrong = json!({ "operation": "completion", "respondWith": "redirect", "redirectUrl": "javascript:alert(1)" });
    for (at, ending) in [own, away, wrong].into_iter().enumerate() {
        let mut workflow = pages(ending);
        workflow["nodes"][0]["parameters"]["path"] = json!(format!("order-{at}"));
        activated(&acme.developer, workflow).await;
        let sent = submit(&visitor, &format!("/t/acme/form/order-{at}"), &[("field-0", "Ann")]).await.expect(303);
        let sent = submit(&visitor, location(&sent).split('?').next().unwrap(), &[("field-0", "red")]).await;
        match at {
            0 => {
                let end = visitor.get(&location(&sent)).await.expect(200);
                assert_eq!(text(&end), "<h2>Own</h2>");
                let policies: Vec<_> = end.headers.get_all("content-security-policy").collect();
                assert!(policies.iter().any(|policy| *policy == "sandbox"), "{policies:?}");
            }
            1 => {
                let end = visitor.get(&location(&sent)).await.expect(303);
                assert_eq!(end.header("location"), Some("https://mill.example/done"));
            }
            _ => assert!(text(&sent.expect(500)).contains("There was a problem submitting your form")),
        }
    }
}

#[actix_web::test]
async fn a_wait_for_a_form_goes_on_with_what_is_sent() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let hook = json!({ "httpMethod": "POST", "path": "ask", "responseMode": "responseNode", "options": {} });
    let answer =
        json!({ "respondWith": "json", "options": {}, "responseBody": "={{ { form: $execution.resumeFormUrl } }}" });
    let wait = json!({ "resume": "form", "formTitle": "=For {{ $json.body.who }}", "options": {},
        "formFields": { "values": [{ "fieldLabel": "Yes", "fieldType": "number", "requiredField": true }] } });
    let workflow = chain(
        "Asking",
        &[
            ("Hook", "webhook", 2.0, hook),
            ("Tell", "respondToWebhook", 1.1, answer),
            ("Ask", "wait", 1.1, wait),
            ("After", "noOp", 1.0, json!({})),
        ],
    );
    let id = activated(&acme.developer, workflow).await;
    let visitor = server.visitor();
    let told = visitor.post("/t/acme/webhook/ask", json!({ "who": "Bob" })).await.json(200);
    let form = told["form"].as_str().unwrap();
    let form = form.split_at(form.find("/t/acme").unwrap()).1;
    let page = text(&visitor.get(&format!("{form}?Yes=3")).await.expect(200));
    assert!(page.contains("<h1>For Bob</h1>") && page.contains("value=\"3\""), "{page}");
    // The address of a form is not one of a webhook.
    visitor.post(&form.replace("form-waiting", "webhook-waiting"), json!({})).await.json(404);
    let refused = submit(&visitor, form, &[("field-0", "many")]).await.expect(422);
    assert!(text(&refused).contains("Yes: &quot;many&quot; is not a number"), "{}", text(&refused));
    let done = submit_encoded(&visitor, form, "field-0=7".to_owned()).await.expect(200);
    assert!(text(&done).contains("Your response has been recorded"));
    let ended = reached(&acme.viewer, &id, "success").await;
    assert_eq!(ended["data"]["resultData"]["runData"]["After"][0]["data"]["main"][0][0]["json"]["Yes"], 7);
    visitor.get(form).await.expect(409);
}
