//! The disk is full, or the database is away: new work is refused, running work is kept, nothing acknowledged is lost.

use std::time::Duration;

use serde_json::json;

use crate::recovery::{chain, http};
use crate::support::{Process, Receiver, Way};

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

/// Work runs while `break_down` happens; afterwards new work is refused until `mend`, and then everything ends well.
async fn survive(process: &Process, break_down: impl FnOnce(&Process), mend: impl FnOnce(&Process)) {
    let mut receiver = Receiver::start();
    process.activate(chain("slow", vec![http("slow", format!("{}/slow/x", receiver.url))])).await;
    process.activate(chain("quick", Vec::new())).await;
    let (status, _) = process.send("POST", "/t/acme/webhook/slow", Some(json!({}))).await.unwrap();
    assert_eq!(status, 200);
    receiver.wait_for("/slow/x").await;
    break_down(process);
    let accepted = until(process, 503).await;
    // The call ends while nothing can be stored.
    tokio::time::sleep(Duration::from_millis(1200)).await;
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
    let process = Process::start(&[]).await;
    survive(&process, |process| process.limit_files("4096"), |process| process.limit_files("unlimited")).await;
}

#[actix_web::test]
async fn a_database_that_goes_away_and_comes_back_loses_nothing() {
    let Ok(server) = std::env::var("MILLRACE_TEST_POSTGRES_URL") else { return };
    let way = Way::to(&server, 5432).await;
    let settings = [("DATABASE__ACQUIRE_TIMEOUT_SECONDS", "2"), ("EXECUTIONS__LEASE_SECONDS", "60")];
    let process = Process::behind(&settings, |url| way.by(url)).await;
    survive(&process, |_| way.set_open(false), |_| way.set_open(true)).await;
}
