//! The few requests that set a server up.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A POST with a key; the answer as JSON.
pub(super) fn post(url: &str, key: &str, body: &str) -> Result<Value> {
    let request = ureq::post(url).header("X-API-Key", key).header("Content-Type", "application/json");
    let mut response = request.send(body).with_context(|| format!("POST {url}"))?;
    let text = response.body_mut().read_to_string()?;
    serde_json::from_str(&text).with_context(|| format!("POST {url} answered no JSON"))
}

/// A GET with a key; the time until the whole answer was there.
pub(super) fn timed_get(agent: &ureq::Agent, url: &str, key: &str) -> Result<Duration> {
    let begun = Instant::now();
    let mut response = agent.get(url).header("X-API-Key", key).call().with_context(|| format!("GET {url}"))?;
    response.body_mut().read_to_vec()?;
    Ok(begun.elapsed())
}

/// Calls a webhook again and again until it is answered with success.
pub(super) fn until_answered(url: &str, patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        let sent = ureq::post(url).header("Content-Type", "application/json").send(super::scenarios::BODY);
        match sent {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > deadline => bail!("{url} is not answered: {error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}
