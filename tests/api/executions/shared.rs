//! An API and two workers on PostgreSQL, RabbitMQ and Redis: a worker is killed every two seconds and each server goes away
//! once. Every execution ends, and calls are repeated only where one was in flight at a kill. `cargo xtask chaos shared` does it
//! at full size, and restarts the servers, where here the way to them breaks.

use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::killed::{CONCURRENCY, Callers, all_over, judge, number};
use crate::recovery::{chain, http};
use crate::support::{Process, Receiver, Way};

const KILL_EVERY: Duration = Duration::from_secs(2);
/// How long a server stays away; shorter than a lease.
const AWAY: Duration = Duration::from_secs(2);

/// A server goes away once: it is restarted by whoever can, or else out of reach for a while.
async fn take_away(name: &str, way: &Way) {
    let Some(requests) = std::env::var_os("MILLRACE_CHAOS_RESTARTS") else {
        way.set_open(false);
        tokio::time::sleep(AWAY).await;
        return way.set_open(true);
    };
    let request = std::path::Path::new(&requests).join(name);
    std::fs::write(&request, "").unwrap();
    while request.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn worker(process: &Process) -> Child {
    process.beside(&["worker", "--port", "0", "--concurrency", &CONCURRENCY.to_string()])
}

/// Kills one worker after the other, each at least once and until everything is over; gives how often.
async fn kill(process: &Process, workers: &mut [Child], over: &AtomicBool) -> usize {
    let mut kills = 0;
    while kills < workers.len() || !over.load(Ordering::SeqCst) {
        tokio::time::sleep(KILL_EVERY).await;
        let place = kills % workers.len();
        workers[place].kill().unwrap();
        workers[place].wait().unwrap();
        workers[place] = worker(process);
        kills += 1;
    }
    kills
}

#[actix_web::test]
async fn every_execution_ends_though_workers_are_killed_and_servers_go_away() {
    let server = |name: &str| std::env::var(format!("MILLRACE_TEST_{name}_URL")).ok();
    let (Some(postgres), Some(broker), Some(redis)) = (server("POSTGRES"), server("AMQP"), server("REDIS")) else {
        return;
    };
    let executions = number("MILLRACE_CHAOS_SHARED", 60);
    let ways = [Way::to(&postgres, 5432).await, Way::to(&broker, 5672).await, Way::to(&redis, 6379).await];
    let settings = [
        ("SERVER__ROLES", "[\"api\"]"),
        ("QUEUE__BACKEND", "rabbitmq"),
        ("QUEUE__URL", &ways[1].by(&broker)),
        ("QUEUE__NAME", &format!("test-{}", uuid::Uuid::now_v7())),
        ("CACHE__URL", &ways[2].by(&redis)),
        ("EXECUTIONS__MAX_CRASHES", "1000"),
        ("EXECUTIONS__LEASE_SECONDS", "6"),
        ("DATABASE__ACQUIRE_TIMEOUT_SECONDS", "2"),
    ];
    let process = Process::behind(&settings, |url| ways[0].by(url)).await;
    let receiver = Receiver::start();
    let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
    process.activate(chain("steps", vec![step("a"), step("short/b"), step("c")])).await;
    let mut workers = [worker(&process), worker(&process)];
    let began = Instant::now();
    let callers = Callers::start(&process, "steps", executions);
    let is_over = AtomicBool::new(false);
    let ending = async {
        for (turn, (name, way)) in (1..).zip(["postgres", "rabbitmq", "redis"].into_iter().zip(&ways)) {
            while callers.acknowledged.load(Ordering::SeqCst) < executions * turn / (ways.len() + 1) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            take_away(name, way).await;
        }
        let accepted = callers.end().await;
        let over = all_over(&process).await;
        is_over.store(true, Ordering::SeqCst);
        (accepted, over)
    };
    let (kills, (accepted, over)) = tokio::join!(kill(&process, &mut workers, &is_over), ending);
    judge(&receiver, &over, accepted, kills, began);
    for worker in &mut workers {
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
}
