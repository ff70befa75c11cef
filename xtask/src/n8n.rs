//! `cargo xtask n8n`: the test of the n8n client against a real n8n, where its set-up script has put it.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    arguments::Arguments,
    bench::n8n::shell,
    interrupt,
    process::{self, Daemon},
    report,
    scratch::Scratch,
    workspace,
};

const PORT: &str = "5688";
/// Of n8n's task runners; its usual one may be in use.
const BROKER_PORT: &str = "5687";
/// Starting and migrating an empty database takes half a minute on a slow machine.
const PATIENCE: Duration = Duration::from_secs(180);
const TEST: &str = "integrations::a_real_n8n";

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    arguments.finish()?;
    interrupt::listen()?;
    let scratch = Scratch::new("millrace-n8n")?;
    let start = format!(
        "export N8N_PORT={PORT} N8N_RUNNERS_BROKER_PORT={BROKER_PORT}; \
         exec node \"$(dirname \"$0\")/app/node_modules/n8n/bin/n8n\" start"
    );
    let log = scratch.path().join("log");
    let server = Daemon::spawn(&mut shell(scratch.path(), &start)?, &log, Signal::TERM)?;
    let url = format!("http://127.0.0.1:{PORT}");
    let key = set_up(&url).with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
    let mut command =
        workspace::cargo(&["test", "--workspace", "--locked", "--test", "api", "--", TEST, "--nocapture"]);
    command.env("MILLRACE_TEST_N8N_URL", format!("{url}/api/v1")).env("MILLRACE_TEST_N8N_KEY", key);
    report::progress(&process::describe(&command));
    let passed = process::run(&mut command)?.success();
    drop(server);
    Ok(passed)
}

/// Makes an owner, a key and two active workflows; gives the key.
fn set_up(url: &str) -> Result<String> {
    let owner =
        json!({ "email": "owner@acme.test", "password": "Correct-horse-1", "firstName": "Ann", "lastName": "Owner" });
    let deadline = Instant::now() + PATIENCE;
    let cookie = loop {
        match post(&format!("{url}/rest/owner/setup"), ("accept", "application/json"), &owner) {
            Ok((_, Some(cookie))) => break cookie,
            Ok((answer, None)) => bail!("the n8n made an owner and no login: {answer}"),
            Err(error) if Instant::now() > deadline => return Err(error.context("the n8n does not start")),
            Err(_) => thread::sleep(Duration::from_millis(500)),
        }
    };
    let scopes =
        ["workflow:list", "workflow:read", "workflow:create", "workflow:activate", "execution:list", "execution:read"];
    let wanted = json!({ "label": "millrace", "expiresAt": null, "scopes": scopes });
    let (made, _) = post(&format!("{url}/rest/api-keys"), ("cookie", &cookie), &wanted)?;
    let key = made.pointer("/data/rawApiKey").and_then(Value::as_str).context("the n8n made no key")?.to_owned();
    for path in ["leads", "other"] {
        let (made, _) = post(&format!("{url}/api/v1/workflows"), ("x-n8n-api-key", &key), &greeting(path))?;
        let id = made.get("id").and_then(Value::as_str).context("the n8n made no workflow")?;
        post(&format!("{url}/api/v1/workflows/{id}/activate"), ("x-n8n-api-key", &key), &json!({}))?;
    }
    Ok(key)
}

/// The answer, and the login it brings.
fn post(url: &str, header: (&str, &str), body: &Value) -> Result<(Value, Option<String>)> {
    let request = ureq::post(url).header(header.0, header.1).header("content-type", "application/json");
    let mut response = request.send(body.to_string()).with_context(|| format!("POST {url}"))?;
    let cookie = response.headers().get("set-cookie").and_then(|value| value.to_str().ok());
    let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
    let text = response.body_mut().read_to_string()?;
    Ok((serde_json::from_str(&text).with_context(|| format!("POST {url} answered no JSON"))?, cookie))
}

/// Greets whoever calls `/webhook/<path>`.
fn greeting(path: &str) -> Value {
    json!({
        "name": format!("Greeting at {path}"),
        "nodes": [
            { "id": "1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
              "webhookId": path,
              "parameters": { "httpMethod": "POST", "path": path, "responseMode": "lastNode", "options": {} } },
            { "id": "2", "name": "Greet", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [200, 0],
              "parameters": { "options": {}, "assignments": { "assignments": [
                  { "id": "1", "name": "greeting", "type": "string", "value": "=Hello {{ $json.body.name }}" }] } } }
        ],
        "connections": { "Webhook": { "main": [[{ "node": "Greet", "type": "main", "index": 0 }]] } },
        "settings": { "executionOrder": "v1" }
    })
}
