//! A thousand schedules, due every second for a minute, fired by two schedulers beside three API replicas: no firing is
//! missing, none is doubled, each has its execution. Once in peace; once with a scheduler and a replica killed halfway and
//! the other scheduler's clock two seconds ahead.

use std::time::Duration;

use sea_orm::DatabaseConnection;
use serde_json::json;

use crate::cluster::{Cluster, query};

/// Schedules beside those that are due.
const CROWD: u64 = 100_000;
/// From now until the first due time: long enough to make the schedules.
const LEAD: Duration = Duration::from_secs(90);
/// Firings of due times that the database's clock has not reached.
const EARLY: &str =
    "SELECT count(*) FROM schedule_firings WHERE due_at > extract(epoch FROM clock_timestamp()) * 1000 + 50";
/// How late a firing may be where nothing is killed.
const ON_TIME_MS: u64 = 1000;
/// How long the last firings may take to come.
const PATIENCE: Duration = Duration::from_secs(300);

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_in_peace() {
    run(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_with_a_kill_and_a_skewed_clock() {
    run(true).await;
}

async fn run(with_trouble: bool) {
    let (schedules, seconds) = (number("MILLRACE_CHAOS_SCHEDULES", 1000), number("MILLRACE_CHAOS_SECONDS", 60));
    let mut cluster = Cluster::new().await;
    let api = cluster.start("api,worker", &[]).await;
    let replica = cluster.start("api,worker", &[]).await;
    cluster.start("api,worker", &[]).await;
    let skew: &[(&str, &str)] = if with_trouble { &[("MILLRACE__CHAOS__CLOCK_SKEW_MS", "2000")] } else { &[] };
    cluster.start("scheduler", skew).await;
    let scheduler = cluster.start("scheduler", &[]).await;

    let token = cluster.tenant(api).await;
    let begin = make(&cluster, api, &token, schedules, seconds).await;
    eprintln!("{schedules} schedules are due every second from {begin} on, for {seconds} seconds");
    let database = cluster.database().await;
    crowd(&database).await;
    let expected = schedules * seconds;
    let deadline = begin + jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap()) + PATIENCE;
    let mut trouble_at =
        with_trouble.then(|| begin + jiff::SignedDuration::from_secs(i64::try_from(seconds / 2).unwrap()));
    while one(&database, "SELECT count(*) FROM schedule_firings").await < expected {
        assert!(jiff::Timestamp::now() < deadline, "firings are missing");
        assert_eq!(one(&database, EARLY).await, 0, "something fired before its time");
        if trouble_at.take_if(|at| jiff::Timestamp::now() >= *at).is_some() {
            cluster.kill(scheduler);
            cluster.kill(replica);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    check(&database, begin.as_millisecond(), schedules, seconds, !with_trouble).await;
}

/// Makes 100,000 schedules that are due another day, among which those that are due have to be found.
async fn crowd(database: &DatabaseConnection) {
    let columns = "tenant_id, workflow_id, version_id, origin, position, name, rule, zone, jitter_ms, overlap, misfire, \
                   catch_up_ms, pause_after, state, anchor, failures, revision, created_at, updated_at";
    let sql = format!(
        "INSERT INTO schedules (id, due_at, fire_at, {columns}) \
         SELECT gen_random_uuid(), due_at + 86400000 + n, due_at + 86400000 + n, {columns} \
         FROM (SELECT * FROM schedules LIMIT 1) one, generate_series(1, {CROWD}) n"
    );
    query(database, &sql).await;
    query(database, "ANALYZE schedules").await;
}

/// Makes the schedules and gives their first due time.
async fn make(cluster: &Cluster, api: usize, token: &str, schedules: u64, seconds: u64) -> jiff::Timestamp {
    let workflow = json!({
        "name": "Ticks",
        "nodes": [{ "name": "Hook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
                    "parameters": { "path": "ticks" } }],
        "connections": {}
    });
    let workflow = cluster.post(api, Some(token), "/workflows/import", workflow).await;
    let id = workflow["id"].as_str().unwrap();
    cluster.post(api, Some(token), &format!("/workflows/{id}/activate"), json!({})).await;
    let now = jiff::Timestamp::now() + jiff::SignedDuration::try_from(LEAD).unwrap();
    let begin = jiff::Timestamp::from_second(now.as_second()).unwrap();
    let end = begin + jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap() - 1);
    for number in 0..schedules {
        let body = json!({
            "workflowId": id, "name": format!("Tick {number}"), "cron": "* * * * * *", "timezone": "UTC",
            "startsAt": begin.to_string(), "endsAt": end.to_string(), "overlap": "allow", "misfire": "catchUp"
        });
        cluster.post(api, Some(token), "/schedules", body).await;
    }
    assert!(jiff::Timestamp::now() < begin, "the schedules were not made in time");
    begin
}

async fn check(database: &DatabaseConnection, begin: i64, schedules: u64, seconds: u64, in_peace: bool) {
    let end = begin + i64::try_from(seconds - 1).unwrap() * 1000;
    for (what, sql, expected) in [
        ("firings", "SELECT count(*) FROM schedule_firings".to_owned(), schedules * seconds),
        ("executions", "SELECT count(*) FROM executions".to_owned(), schedules * seconds),
        (
            "due times of their schedules, each once",
            format!(
                "SELECT count(DISTINCT (schedule_id, due_at)) FROM schedule_firings \
                 WHERE outcome = 'started' AND due_at BETWEEN {begin} AND {end} AND due_at % 1000 = 0"
            ),
            schedules * seconds,
        ),
        (
            "firings with an execution of their own",
            "SELECT count(DISTINCT e.id) FROM schedule_firings f JOIN executions e ON e.id = f.execution_id".to_owned(),
            schedules * seconds,
        ),
        ("schedules that ended", "SELECT count(*) FROM schedules WHERE state = 'ended'".to_owned(), schedules),
    ] {
        let found = one(database, &sql).await;
        eprintln!("{what}: {found}");
        assert_eq!(found, expected, "{what}");
    }
    let lateness = "SELECT percentile_disc(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP (ORDER BY fired_at - planned_at)::text AS ms \
                    FROM schedule_firings";
    let found: String = query(database, lateness).await[0].try_get("", "ms").unwrap();
    eprintln!("lateness in ms, p50, p99, worst: {found}");
    let late: Vec<u64> = found.trim_matches(['{', '}']).split(',').map(|ms| ms.parse().unwrap()).collect();
    assert!(!in_peace || late[1] <= ON_TIME_MS, "of 100 firings more than one is later than {ON_TIME_MS} ms: {found}");
}

async fn one(database: &DatabaseConnection, sql: &str) -> u64 {
    let count: i64 = query(database, sql).await[0].try_get("", "count").unwrap();
    u64::try_from(count).unwrap()
}
