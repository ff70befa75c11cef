//! A real browser: headless Chromium, driven over WebDriver (W3C). Only where `MILLRACE_TEST_BROWSER` is set, as
//! `cargo xtask test` does once it has seen to the browser.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace::infrastructure::config::Config;
use millrace::infrastructure::http_client::{Body, EgressPolicy, HttpClient, Request};
use serde_json::{Value, json};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);
/// Key of element references, fixed by the standard.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with an empty profile. Methods panic when the page is not what was expected.
pub(crate) struct Browser {
    session: String,
    http: HttpClient,
    policy: Arc<EgressPolicy>,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// May tests use a browser here?
    pub(crate) fn is_there() -> bool {
        std::env::var_os("MILLRACE_TEST_BROWSER").is_some()
    }

    pub(crate) async fn start() -> Browser {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap());
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "chromedriver does not start");
            if let Some((_, port)) = line.trim_end().trim_end_matches('.').split_once("successfully on port ") {
                break port.to_owned();
            }
        };
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let profile = tempfile::tempdir().unwrap();
        let http = HttpClient::new(Config::defaults().unwrap().http_client).unwrap();
        let policy = Arc::new(EgressPolicy::unrestricted());
        let mut browser =
            Browser { session: format!("http://127.0.0.1:{port}/session"), http, policy, driver, _profile: profile };
        let folder = format!("--user-data-dir={}", browser._profile.path().display());
        let switches = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-dev-shm-usage \
            --disable-background-networking --disable-component-update --disable-sync";
        let switches: Vec<&str> = switches.split_whitespace().chain([folder.as_str()]).collect();
        let options = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": switches } } } });
        let made = browser.call("POST", "", options).await.unwrap();
        browser.session = format!("{}/{}", browser.session, made["sessionId"].as_str().unwrap());
        browser
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Result<Value, Value> {
        let body = if method == "POST" { Body::Bytes(body.to_string().into()) } else { Body::None };
        let request = Request {
            method: method.to_owned(),
            url: format!("{}{path}", self.session),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body,
            timeout: Some(Duration::from_secs(60)),
            ..Request::default()
        };
        let answer = self.http.send(&self.policy, request).await.unwrap();
        let value = serde_json::from_slice::<Value>(&answer.body).unwrap()["value"].clone();
        if answer.status == 200 { Ok(value) } else { Err(value) }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.call("POST", "/url", json!({ "url": url })).await.unwrap();
    }

    pub(crate) async fn address(&self) -> String {
        self.call("GET", "/url", Value::Null).await.unwrap().as_str().unwrap().to_owned()
    }

    /// Runs a script that returns a value, or a promise of one.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", json!({ "script": script, "args": [] })).await.unwrap()
    }

    /// The text of the page, once it holds this.
    pub(crate) async fn sees(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let shown = self.run("return document.body ? document.body.innerText : ''").await;
            let shown = shown.as_str().unwrap_or_default().to_owned();
            if shown.contains(text) {
                return shown;
            }
            assert!(begun.elapsed() < PATIENCE, "{text:?} does not appear at {}: {shown}", self.address().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Clicks what a CSS selector finds, once it is there.
    pub(crate) async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.call("POST", &format!("/element/{element}/click"), json!({})).await.unwrap();
    }

    pub(crate) async fn enter(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.call("POST", &format!("/element/{element}/value"), json!({ "text": text })).await.unwrap();
    }

    async fn element(&self, selector: &str) -> String {
        let begun = Instant::now();
        loop {
            let search = json!({ "using": "css selector", "value": selector });
            match self.call("POST", "/element", search).await {
                Ok(found) => return found[ELEMENT].as_str().unwrap().to_owned(),
                Err(error) if begun.elapsed() > PATIENCE => panic!("{selector}: {error} at {}", self.address().await),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Closes it.
    pub(crate) async fn quit(self) {
        self.call("DELETE", "", Value::Null).await.unwrap();
    }

    /// Logs in at the provider and agrees.
    pub(crate) async fn agree_at_provider(&self, account: &str) {
        self.enter("input[name=login]", account).await;
        self.enter("input[name=password]", "any").await;
        self.click("button[type=submit]").await;
        self.sees("Authorize").await;
        self.click("button[type=submit]").await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to end, the driver takes the browser with it.
        drop(Command::new("kill").arg(self.driver.id().to_string()).status());
        drop(self.driver.wait());
    }
}
