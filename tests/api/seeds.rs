//! Workflows written by hand, for a job board: imported exactly as printed in its handbook, run from the trigger to the last
//! call, on both sides of their branches.

use actix_web::http::Method;
use bytes::Bytes;
use millrace::infrastructure::config::Role;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{TestServer, TestTenant, Vendors};

const LINKEDIN: &str = include_str!("data/linkedin-job-scraper.json");
const AUTO_APPLY: &str = include_str!("data/auto-apply-to-jobs.json");
const NOTIFICATIONS: &str = include_str!("data/multi-channel-notifications.json");
const HEALTH: &str = include_str!("data/system-health-check.json");

/// What the handbook's helpers would be, had it defined them: a list of `<li>title|company</li>`.
const HELPERS: &str = "const parseJobElements = (html) => [...html.matchAll(/<li>(.*?)<\\/li>/g)].map((found) => found[1].split('|'));\n\
    const extractTitle = (element) => element[0];\nconst extractCompany = (element) => element[1];\n\
    const [extractLocation, extractDescription, extractPostedDate, extractJobUrl] = Array(4).fill(() => null);\n";

const VARIABLES: [(&str, &str); 9] = [
    ("API_BASE_URL", "{vendors}/internal"),
    ("API_TOKEN", "t-api"),
    ("AI_SERVICE_URL", "{vendors}/ai"),
    ("AI_SERVICE_TOKEN", "t-ai"),
    ("SLACK_WEBHOOK_URL", "{vendors}/slack"),
    ("PUSH_NOTIFICATION_URL", "{vendors}/push"),
    ("TWILIO_PHONE_NUMBER", "+15550100"),
    ("USER_SERVICE_URL", "{vendors}/users"),
    ("JOB_SERVICE_URL", "http://127.0.0.1:1"),
];

async fn house(vendors: &Vendors) -> (TestServer, TestTenant) {
    let server = TestServer::with(|config| vendors.introduce(config, &VARIABLES)).await;
    let tenant = server.tenant("jobs").await;
    (server, tenant)
}

/// Imports a document as it is printed; gives the answer.
async fn import(tenant: &TestTenant, document: &str) -> Value {
    let body = Some(("application/json", Bytes::copy_from_slice(document.as_bytes())));
    tenant.developer.send_raw(Method::POST, "/api/v1/workflows/import", body).await.json(201)
}

/// Triggers a workflow and waits for its end; gives the execution.
async fn run(tenant: &TestTenant, workflow: &Value, input: Value) -> Value {
    let path = format!("/api/v1/workflows/{}/trigger", workflow["id"].as_str().unwrap());
    tenant.operator.post(&path, json!({ "inputData": input, "wait": true })).await.json(200)
}

/// Names of the nodes that ran, in order, each as often as it did.
fn order(execution: &Value) -> Vec<String> {
    let runs = execution["data"]["resultData"]["runData"].as_object().unwrap();
    let mut order: Vec<(u64, &String)> = runs
        .iter()
        .flat_map(|(name, runs)| {
            runs.as_array().unwrap().iter().map(move |run| (run["executionIndex"].as_u64().unwrap(), name))
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, name)| name.clone()).collect()
}

fn nothing(_: &crate::support::Received) -> (u16, Value) {
    (404, json!({}))
}

#[actix_web::test]
async fn documents_come_back_as_they_were_and_say_what_was_read_into_them() {
    let vendors = Vendors::start(nothing).await;
    let (_server, tenant) = house(&vendors).await;
    for (document, warnings) in [
        (LINKEDIN, &[][..]),
        (AUTO_APPLY, &["connections.inferred"]),
        (NOTIFICATIONS, &["connections.inferred"]),
        (HEALTH, &["connections.inferred"]),
    ] {
        let imported = import(&tenant, document).await;
        let name = &imported["name"];
        assert_eq!(imported["problems"], json!([]), "{name}");
        let found: Vec<&str> =
            imported["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect();
        assert_eq!(found, warnings, "{name}");
        let path = format!("/api/v1/workflows/{}", imported["id"].as_str().unwrap());
        let exported = tenant.viewer.get(&format!("{path}/export")).await.expect(200);
        let minified: Box<serde_json::value::RawValue> = serde_json::from_str(document).unwrap();
        let text = String::from_utf8(exported.body.to_vec()).unwrap();
        let without_space = |text: &str| text.split_ascii_whitespace().collect::<String>();
        assert_eq!(without_space(&text), without_space(minified.get()), "{name}");
        let given: Value = serde_json::from_str(document).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), given, "{name}");
    }
}

#[actix_web::test]
async fn connections_are_read_from_where_the_nodes_stand() {
    let vendors = Vendors::start(nothing).await;
    let (_server, tenant) = house(&vendors).await;
    let imported = import(&tenant, HEALTH).await;
    let warning = &imported["warnings"][0];
    assert_eq!(warning["pointer"], "/connections");
    for edge in [
        "\"Check Service Health\" → \"Check Status\"",
        "\"Check Status\" → \"Aggregate Results\"",
        "\"Check Status\" (output 1) → \"Alert on Failure\"",
    ] {
        assert!(warning["message"].as_str().unwrap().contains(edge), "{warning}");
    }
    assert_eq!(imported["connections"], json!({}), "the document stays as it was");
}

#[actix_web::test]
async fn a_helper_that_is_nowhere_is_named_with_its_place() {
    let vendors = Vendors::start(|_| (200, "<li>Engineer|Acme</li>".into())).await;
    let (_server, tenant) = house(&vendors).await;
    let workflow = import(&tenant, LINKEDIN).await;
    let ended = run(&tenant, &workflow, json!(null)).await;
    assert_eq!(ended["status"], "error");
    assert_eq!(order(&ended), ["Schedule Trigger", "Fetch LinkedIn Jobs", "Parse Job Data"]);
    let error = &ended["data"]["resultData"]["error"];
    assert_eq!(error["node"], "Parse Job Data");
    assert_eq!(error["message"], "parseJobElements is not defined [Line 6]");
    assert_eq!(error["description"], "ReferenceError at line 6, column 21");
    let asked = vendors.received("www.linkedin.com/jobs/search");
    assert_eq!(asked.len(), 1, "over HTTPS, under its own name");
}

#[actix_web::test]
async fn scraped_jobs_are_saved_and_either_outcome_is_told() {
    let vendors = Vendors::start(|request| match request.url.as_str() {
        url if url.contains("linkedin") => (200, "<ul><li>Engineer|Acme</li><li>Writer|Broken</li></ul>".into()),
        url if url.contains("/jobs/bulk") && request.body["company"] == "Broken" => {
            (500, json!({ "message": "the database is away" }))
        }
        url if url.contains("/jobs/bulk") => (201, json!({ "count": 1 })),
        _ => (200, "ok".into()),
    })
    .await;
    let (_server, tenant) = house(&vendors).await;
    let mut document: Value = serde_json::from_str(LINKEDIN).unwrap();
    let code = format!("{HELPERS}{}", document["nodes"][2]["parameters"]["functionCode"].as_str().unwrap());
    document["nodes"][2]["parameters"]["functionCode"] = code.into();
    let workflow = import(&tenant, &document.to_string()).await;
    let ended = run(&tenant, &workflow, json!(null)).await;
    assert_eq!(ended["status"], "success", "{}", ended["data"]["resultData"]["error"]);
    assert_eq!(order(&ended)[3..], ["Save to Database", "Check Save Success", "Notify Success", "Notify Error"]);
    let saved = vendors.received("/internal/api/v1/jobs/bulk");
    assert_eq!(saved.len(), 2);
    assert!(saved.iter().all(|request| request.method == "POST" && request.authorization == "Bearer t-api"));
    let job = json!({ "title": "Engineer", "company": "Acme", "location": null, "description": null,
                      "postedDate": null, "url": null, "source": "linkedin" });
    assert!(saved.iter().any(|request| request.body == job), "{saved:?}");
    let told: Vec<Value> = vendors.received("/slack").into_iter().map(|request| request.body).collect();
    assert_eq!(told[0], json!({ "channel": "#job-scraping", "text": "Successfully scraped 1 jobs from LinkedIn" }));
    assert_eq!(told[1]["channel"], "#alerts");
    let text = told[1]["text"].as_str().unwrap();
    assert_eq!(text, "Error scraping LinkedIn jobs: The service was not able to process your request");
}

#[actix_web::test]
async fn services_that_are_down_raise_an_alarm_and_the_others_are_summed_up() {
    let vendors = Vendors::start(|request| match request.url.as_str() {
        url if url.contains("/ai/health") => (503, json!({ "name": "AI Service" })),
        url if url.contains("/health") => (200, json!({ "name": "fine", "responseTime": 3 })),
        _ => (200, "ok".into()),
    })
    .await;
    let (_server, tenant) = house(&vendors).await;
    let workflow = import(&tenant, HEALTH).await;
    let ended = run(&tenant, &workflow, json!(null)).await;
    assert_eq!(ended["status"], "success", "{}", ended["data"]["resultData"]["error"]);
    let runs = &ended["data"]["resultData"]["runData"];
    let summed = &runs["Aggregate Results"][0]["data"]["main"][0][0]["json"]["healthCheck"];
    assert_eq!(summed.as_array().unwrap().len(), 2, "{summed}");
    assert_eq!((&summed[0]["status"], &summed[0]["responseTime"]), (&json!("healthy"), &json!(3)));
    let alarms: Vec<Value> =
        vendors.received("/slack").into_iter().map(|request| request.body["text"].clone()).collect();
    // The document names services by their place, `$node[…]`: in n8n, too, that is the place among the items of the alarm.
    assert_eq!(alarms, ["🚨 Service API Gateway is down! Status: 0", "🚨 Service User Service is down! Status: 503"]);
}

#[actix_web::test]
async fn variables_that_are_not_allowed_are_not_there() {
    let vendors = Vendors::start(|_| (200, json!({}))).await;
    let server = TestServer::with(|config| vendors.introduce(config, &[("API_BASE_URL", "{vendors}")])).await;
    let tenant = server.tenant("jobs").await;
    let workflow = import(&tenant, HEALTH).await;
    let ended = run(&tenant, &workflow, json!(null)).await;
    let services = &ended["data"]["resultData"]["runData"]["Get Service URLs"][0]["data"]["main"][0];
    let urls: Vec<&str> =
        services.as_array().unwrap().iter().map(|item| item["json"]["url"].as_str().unwrap()).collect();
    let gateway = format!("{}/health", vendors.url);
    assert_eq!(urls, [gateway.as_str(), "undefined/health", "undefined/health", "undefined/health"]);
}

/// What the AI service and the internal API answer to an application.
fn applying(request: &crate::support::Received) -> (u16, Value) {
    let matching =
        |id: u64| json!({ "id": id, "cvId": "c1", "matchScore": 0.9, "canAutoApply": true, "source": "linkedin" });
    match request.url.as_str() {
        url if url.contains("/cv/c1") => (200, json!({ "cv": "Ann's", "criteria": "remote" })),
        url if url.contains("/job-match") && request.body["criteria"] == "remote" => {
            let mut matches: Vec<Value> = (1..=6).map(matching).collect();
            matches.push(json!({ "id": 7, "matchScore": 0.2, "canAutoApply": true }));
            (200, json!({ "matches": matches }))
        }
        url if url.contains("/auto-apply") => {
            (200, json!({ "jobId": request.body["jobId"], "applicationStatus": "sent", "userId": "u1" }))
        }
        url if url.contains("/applications") => (201, json!({ "userEmail": "ann@example.com" })),
        _ => (500, json!({ "message": "no" })),
    }
}

#[actix_web::test]
async fn applications_are_sent_in_batches_and_recorded() {
    let vendors = Vendors::start(applying).await;
    let (server, tenant) = house(&vendors).await;
    let workflow = import(&tenant, AUTO_APPLY).await;
    let activate = format!("/api/v1/workflows/{}/activate", workflow["id"].as_str().unwrap());
    tenant.developer.post(&activate, json!({})).await.expect(200);
    // Waiting between the applications leaves the run to a worker.
    let shutdown = CancellationToken::new();
    drop(server.app.start_background(&[Role::Worker], &shutdown));
    let call = json!({ "cvId": "c1", "userToken": "t-user" });
    server.visitor().post("/t/jobs/webhook/auto-apply", call).await.expect(200);
    let ended = ended(&server, &tenant, &workflow).await;
    assert_eq!(vendors.received("/cv/c1")[0].authorization, "Bearer t-user");
    assert_eq!(vendors.received("/job-match")[0].authorization, "Bearer t-ai");
    assert_eq!(vendors.received("/job-match")[0].body, json!({ "cv": "Ann's", "criteria": "remote" }));
    let sent: Vec<Value> =
        vendors.received("/auto-apply").into_iter().map(|request| request.body["jobId"].clone()).collect();
    assert_eq!(sent.len(), 5, "the first batch: {sent:?}");
    let recorded = vendors.received("/internal/api/v1/applications");
    assert_eq!(recorded.len(), 5);
    assert_eq!(recorded[0].body["status"], "sent");
    // No mail server is known here: the mail says so, and nothing before it is lost.
    assert_eq!((&ended["status"], &ended["lastNodeExecuted"]), (&json!("error"), &json!("Send Notification")));
    assert_eq!(ended["data"]["resultData"]["error"]["name"], "CredentialsError");
    shutdown.cancel();
}

#[actix_web::test]
async fn a_service_that_fails_ends_the_application_and_is_named() {
    let vendors = Vendors::start(|request| match request.url.as_str() {
        url if url.contains("/cv/") => (200, json!({ "cv": "Ann's" })),
        _ => (503, json!({ "message": "the model is loading" })),
    })
    .await;
    let (_server, tenant) = house(&vendors).await;
    let workflow = import(&tenant, AUTO_APPLY).await;
    let ended = run(&tenant, &workflow, json!({ "cvId": "c1" })).await;
    assert_eq!((&ended["status"], &ended["lastNodeExecuted"]), (&json!("error"), &json!("Find Matching Jobs")));
    let error = &ended["data"]["resultData"]["error"];
    assert_eq!((&error["httpCode"], &error["node"]), (&json!("503"), &json!("Find Matching Jobs")));
    assert!(error.to_string().contains("the model is loading"), "{error}");
}

#[actix_web::test]
async fn a_message_for_the_queue_takes_the_branch_of_its_kind() {
    let vendors = Vendors::start(|_| (200, json!({}))).await;
    let (_server, tenant) = house(&vendors).await;
    let workflow = import(&tenant, NOTIFICATIONS).await;
    for (kind, next, credential) in [("email", "Send Email", "smtp"), ("sms", "Send SMS", "twilioApi")] {
        let message = json!({ "type": kind, "id": "n1", "recipient": "+15550101", "message": "Hello" });
        let ended = run(&tenant, &workflow, message).await;
        assert_eq!(order(&ended), ["Queue Trigger", "Check Notification Type", next]);
        let error = &ended["data"]["resultData"]["error"];
        assert_eq!((&error["name"], &error["node"]), (&json!("CredentialsError"), &json!(next)));
        assert!(error["message"].as_str().unwrap().contains(credential), "{error}");
    }
    let unfed = run(&tenant, &workflow, json!(null)).await;
    assert_eq!(unfed["lastNodeExecuted"], "Queue Trigger", "without a message it asks the queue");
}

#[actix_web::test]
async fn the_scripts_that_deploy_and_back_up_find_what_they_ask_for() {
    let vendors = Vendors::start(nothing).await;
    let (server, tenant) = house(&vendors).await;
    let key = tenant.owner.post("/api/v1/api-keys", json!({ "name": "backup" })).await.json(201);
    let script = server.bearer(key["key"].as_str().unwrap());
    for document in [LINKEDIN, AUTO_APPLY, NOTIFICATIONS, HEALTH] {
        let body = Some(("application/json", Bytes::copy_from_slice(document.as_bytes())));
        script.send_raw(Method::POST, "/api/v1/workflows/import", body).await.expect(201);
    }
    let all = script.get("/api/v1/workflows").await.json(200);
    let ids: Vec<&str> =
        all["data"].as_array().unwrap().iter().map(|workflow| workflow["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 4);
    for id in ids {
        let saved = script.get(&format!("/api/v1/workflows/{id}")).await.json(200);
        assert!(saved["nodes"].as_array().unwrap().len() > 4, "{saved}");
        let restored = script.post("/api/v1/workflows/import", saved.clone()).await.json(201);
        assert_eq!(restored["nodes"], saved["nodes"]);
    }
}

/// The one execution of a workflow, when it is over. The clock goes on meanwhile, for nodes that wait.
async fn ended(server: &TestServer, tenant: &TestTenant, workflow: &Value) -> Value {
    let path = format!("/api/v1/workflows/{}/executions?includeData=true", workflow["id"].as_str().unwrap());
    for attempt in 0.. {
        let page = tenant.api_key.get(&path).await.json(200);
        if page["data"][0]["stoppedAt"].is_string() {
            return page["data"][0].clone();
        }
        assert!(attempt < 1500, "the execution does not end: {page}");
        server.clock.advance(std::time::Duration::from_secs(1));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Value::Null
}
