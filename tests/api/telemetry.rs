//! What is logged and measured says whose it was.

use serde_json::{Value, json};

use crate::support::{PASSWORD, Process, ServerProcess};
use crate::workflows::greeting;

struct Caller {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Caller {
    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body);
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn get(&self, path: &str) -> String {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        request.send().await.unwrap().text().await.unwrap()
    }
}

#[actix_web::test]
async fn requests_and_executions_are_logged_and_measured_for_their_tenant() {
    let server = ServerProcess::start(&[("LOG__FILTER", "millrace=debug")]);
    let http = reqwest::Client::builder().tls_backend_preconfigured(crate::sockets::trusting_nobody()).build().unwrap();
    let mut caller = Caller { http, url: format!("http://{}", server.address), token: String::new() };
    let register = json!({ "email": "ann@acme.example", "password": PASSWORD, "tenantName": "Acme" });
    let session = caller.post("/api/v1/auth/register", &register).await;
    caller.token = session["accessToken"].as_str().unwrap().to_owned();
    let me: Value = serde_json::from_str(&caller.get("/api/v1/auth/me").await).unwrap();
    let tenant = me["tenant"]["id"].as_str().unwrap();
    let line = loop {
        let line = server.wait_for("request");
        if line["route"] == "/api/v1/auth/me" {
            break line;
        }
    };
    assert_eq!(line["tenant"], tenant, "{line}");

    // A refusal, deep within: its line says whose it was.
    caller.get("/api/v1/workflows/01890a5d-ac96-774b-bcce-b302099a8057").await;
    let line = server.wait_for("request refused");
    assert_eq!(line["tenant"], tenant, "{line}");

    // A webhook has no credentials, but it has a tenant.
    let made = caller.post("/api/v1/workflows", &greeting("hello")).await;
    caller.post(&format!("/api/v1/workflows/{}/activate", made["id"].as_str().unwrap()), &json!({})).await;
    caller.post("/t/acme/webhook/hello", &json!({ "name": "Ann" })).await;
    let line = loop {
        let line = server.wait_for("request");
        if line["route"].as_str().is_some_and(|route| route.contains("webhook")) {
            break line;
        }
    };
    assert_eq!(line["tenant"], tenant, "{line}");
    let mut metrics = String::new();
    let found = |metrics: &str, series: &str, of: &str| {
        metrics.lines().any(|line| line.starts_with(series) && line.contains(tenant) && line.contains(of))
    };
    // An execution is counted after its caller has the answer.
    for _ in 0..500 {
        metrics = caller.get("/metrics").await;
        if found(&metrics, "millrace_tenant_executions_total", "ok") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(found(&metrics, "millrace_tenant_executions_total", "ok"), "{metrics}");
    assert!(found(&metrics, "millrace_tenant_requests_total", "refused"), "{metrics}");
}

#[actix_web::test]
async fn calls_of_webhooks_that_are_refused_are_counted_by_status() {
    let process = Process::start(&[("SERVER__WEBHOOK_BODY_LIMIT_BYTES", "1024")]).await;
    let counts = async || {
        let (_, metrics) = process.send("GET", "/metrics", None).await.unwrap();
        let metrics = String::from_utf8(metrics).unwrap();
        let lines = metrics.lines().filter_map(|line| line.strip_prefix("millrace_webhooks_refused_total"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    process.activate(greeting("hello")).await;
    let mut failing = greeting("fails");
    failing["nodes"][1] = json!({ "name": "Greet", "type": "n8n-nodes-base.stopAndError", "typeVersion": 1,
        "position": [200, 0], "parameters": { "errorMessage": "no" } });
    process.activate(failing).await;
    let call = async |path: &str, name: &str| {
        process.send("POST", &format!("/t/acme/{path}"), Some(json!({ "name": name }))).await.unwrap().0
    };
    assert_eq!(call("webhook/hello", "Ann").await, 200);
    // An execution began: that is no refusal, whatever came of it.
    assert_eq!(call("webhook/fails", "Ann").await, 500);
    assert_eq!(counts().await, [""; 0]);
    for path in ["webhook/other", "webhook-test/hello", "webhook-waiting/1", "form/hello", "form-waiting/1"] {
        assert_eq!(call(path, "Ann").await, 404, "{path}");
    }
    assert_eq!(call("webhook/hello", &"x".repeat(1024)).await, 413);
    let mut counted = counts().await;
    counted.sort_unstable();
    assert_eq!(counted, [r#"{status="404"} 5"#, r#"{status="413"} 1"#]);
}
