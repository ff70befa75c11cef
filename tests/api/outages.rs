//! The disk is full, or the database is away: new work is refused, running work is kept, nothing acknowledged is lost.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fairness::working;
use crate::recovery::{chain, http};
use crate::support::{Process, Receiver, Way};
use crate::workflows::activated;

/// Calls until the answer is this; gives how often the answer was 200 before.
async fn until(process: &Process, status: u16) -> usize {
    let mut accepted = 0;
    for _ in 0..600 {
        match process.send("POST", "/t/acme/webhook/quick", Some(json!({}))).await {
            Ok((found, _)) if found == status => return accepted,
            Ok((200, _)) => accepted += 1,
            // Whatever else is said on the way.
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the answer is never {status}");
}

/// Longer than the call that is under way.
const SHORT: Duration = Duration::from_millis(1200);
/// Longer than a lease of three seconds.
const LONG: Duration = Duration::from_secs(5);

/// Work runs while `break_down` happens; afterwards new work is refused until `mend`, and then everything ends well.
async fn survive(process: &Process, lasting: Duration, break_down: impl FnOnce(&Process), mend: impl FnOnce(&Process)) {
    let mut receiver = Receiver::start();
    process.activate(chain("slow", vec![http("slow", format!("{}/slow/x", receiver.url))])).await;
    process.activate(chain("quick", Vec::new())).await;
    let (status, _) = process.send("POST", "/t/acme/webhook/slow", Some(json!({}))).await.unwrap();
    assert_eq!(status, 200);
    receiver.wait_for("/slow/x").await;
    break_down(process);
    let accepted = until(process, 503).await;
    // The call ends while nothing can be stored.
    tokio::time::sleep(lasting).await;
    mend(process);
    let more = until(process, 200).await;
    let ended = process.wait_for("success", accepted + more + 2).await;
    assert_eq!(receiver.counts("/slow/x"), [1], "what ran was kept, and not done again");
    assert!(ended.iter().all(|execution| execution["status"] == "success"));
    let left = process.call("GET", "/api/v1/executions?status=running", None).await;
    assert_eq!(left["data"], json!([]));
}

#[actix_web::test]
async fn a_full_disk_loses_nothing() {
    if std::env::var("MILLRACE_TEST_POSTGRES_URL").is_ok() {
        // The disk of a database server is not ours to fill.
        return;
    }
    for (lease, lasting) in [("30", SHORT), ("3", LONG)] {
        let process = Process::start(&[("EXECUTIONS__LEASE_SECONDS", lease)]).await;
        let fill = |process: &Process| process.limit_files("4096");
        survive(&process, lasting, fill, |process| process.limit_files("unlimited")).await;
    }
}

#[actix_web::test]
async fn a_process_that_stood_still_for_longer_than_its_lease_goes_on() {
    let mut receiver = Receiver::start();
    let process = Process::start(&[("EXECUTIONS__LEASE_SECONDS", "3")]).await;
    let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
    process.activate(chain("steps", vec![step("a"), step("slow/b"), step("c")])).await;
    let (status, _) = process.send("POST", "/t/acme/webhook/steps", Some(json!({}))).await.unwrap();
    assert_eq!(status, 200);
    receiver.wait_for("/slow/b").await;
    process.signal("STOP");
    tokio::time::sleep(LONG).await;
    process.signal("CONT");
    let ended = process.wait_for("success", 1).await;
    let timeline = format!("/api/v1/executions/{}/timeline", ended[0]["id"].as_str().unwrap());
    let timeline = process.call("GET", &timeline, None).await.to_string();
    assert!(!timeline.contains("\"died\""), "{timeline}");
    for path in ["/a", "/slow/b", "/c"] {
        assert_eq!(receiver.counts(path), [1], "{path}");
    }
}

#[actix_web::test]
async fn a_database_that_goes_away_and_comes_back_loses_nothing() {
    let Ok(server) = std::env::var("MILLRACE_TEST_POSTGRES_URL") else { return };
    let way = Way::to(&server, 5432).await;
    for (lease, lasting) in [("60", SHORT), ("3", LONG)] {
        let settings = [("DATABASE__ACQUIRE_TIMEOUT_SECONDS", "1"), ("EXECUTIONS__LEASE_SECONDS", lease)];
        let process = Process::behind(&settings, |url| way.by(url)).await;
        survive(&process, lasting, |_| way.set_open(false), |_| way.set_open(true)).await;
    }
}

/// Goes on for so many times 0.9 s, in memory: nothing leaves the process. Its caller waits for the end.
fn pondering(path: &str, times: usize) -> Value {
    let pause = |place: usize| {
        json!({ "name": format!("Pause {place}"), "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "position": [0, 0],
            "parameters": { "amount": 0.9, "unit": "seconds" } })
    };
    let mut workflow = chain(path, (0..times).map(pause).collect());
    workflow["nodes"][0]["parameters"]["responseMode"] = json!("lastNode");
    workflow
}

#[actix_web::test]
async fn who_waits_for_an_execution_that_cannot_be_stored_is_refused() {
    if std::env::var("MILLRACE_TEST_POSTGRES_URL").is_ok() {
        // The disk of a database server is not ours to fill.
        return;
    }
    let process = Process::start(&[("EXECUTIONS__ANSWER_TIMEOUT_SECONDS", "2")]).await;
    process.activate(pondering("ponder", 8)).await;
    process.activate(chain("quick", Vec::new())).await;
    let (status, answer) = process.send("POST", "/t/acme/webhook/ponder", Some(json!({}))).await.unwrap();
    assert_eq!(status, 202, "{}", String::from_utf8_lossy(&answer));
    process.limit_files("4096");
    let (status, answer) = process.send("POST", "/t/acme/webhook/ponder", Some(json!({}))).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(status == 503 && !answer.contains("executionId"), "{status} {answer}");
    process.limit_files("unlimited");
    until(&process, 200).await;
    // What was refused does not run on.
    process.wait_for("canceled", 1).await;
}

#[actix_web::test]
async fn who_waits_when_the_process_ends_is_not_told_of_what_is_not_stored() {
    if std::env::var("MILLRACE_TEST_POSTGRES_URL").is_ok() {
        return;
    }
    let mut process = Process::start(&[]).await;
    process.activate(pondering("ponder", 12)).await;
    process.limit_files("4096");
    let caller = process.caller();
    let call = async move { caller.send("POST", "/t/acme/webhook/ponder", Some(json!({}))).await };
    let call = actix_web::rt::spawn(call);
    // The run has begun by then, and could not be stored for lasting so long.
    tokio::time::sleep(SHORT).await;
    process.signal("TERM");
    let (status, answer) = call.await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(status == 503 && !answer.contains("executionId"), "{status} {answer}");
    process.terminate();
    process.restart(&["serve"]).await;
    let found = process.call("GET", "/api/v1/executions", None).await;
    assert_eq!(found["data"], json!([]), "nothing was promised, nothing is there");
}

#[actix_web::test]
async fn what_runs_when_the_process_ends_is_stored_nevertheless() {
    let (server, shutdown) = working(4, |config| config.server.shutdown_timeout_seconds = 60).await;
    let acme = server.tenant("acme").await;
    activated(&acme.developer, pondering("ponder", 4)).await;
    let visitor = server.visitor();
    let call = visitor.post("/t/acme/webhook/ponder", json!({}));
    let watched = async {
        // Long enough to begin, too short to be stored for that.
        tokio::time::sleep(Duration::from_millis(30)).await;
        shutdown.cancel();
        loop {
            let found = acme.viewer.get("/api/v1/executions").await.json(200);
            if let Some(status) = found["data"][0]["status"].as_str() {
                return status.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (answer, status) = futures_util::join!(call, watched);
    answer.expect(200);
    assert_eq!(status, "running", "lists show it before it is over");
}
