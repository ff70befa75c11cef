//! The one process of an embedded server is killed again and again: every execution ends, what was called is called again
//! only where a call was in flight, and random programs put out what they put out undisturbed. `cargo xtask chaos embedded`
//! and `cargo xtask chaos programs` do it at full size.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::recovery::{chain, http};
use crate::support::{Process, Receiver};

/// Executions that run at a time: at most so many calls are in flight at a kill.
pub(super) const CONCURRENCY: usize = 20;
const CALLERS: usize = 8;
const UNFINISHED: [&str; 3] = ["new", "running", "waiting"];

pub(super) fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// A server that gives no execution up, however often its process dies.
pub(super) async fn server() -> Process {
    let concurrency = CONCURRENCY.to_string();
    Process::start(&[("EXECUTIONS__CONCURRENCY", &concurrency), ("EXECUTIONS__MAX_CRASHES", "1000")]).await
}

/// Executions by state.
async fn states(process: &Process) -> BTreeMap<String, usize> {
    let (mut states, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let page = process.call("GET", &format!("/api/v1/executions?limit=250{cursor}"), None).await;
        for execution in page["data"].as_array().unwrap_or_else(|| panic!("{page}")) {
            *states.entry(execution["status"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return states,
        }
    }
}

/// Waits until every execution is over; gives their states.
pub(super) async fn all_over(process: &Process) -> BTreeMap<String, usize> {
    let end = Instant::now() + Duration::from_secs(600);
    loop {
        for state in UNFINISHED {
            // One page of one: reading all of them each time would be refused as too many requests.
            let path = format!("/api/v1/executions?status={state}&limit=1");
            while process.call("GET", &path, None).await["data"] != json!([]) {
                assert!(Instant::now() < end, "there are always some that are {state}");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        let found = states(process).await;
        // What was handed on meanwhile is new again.
        if UNFINISHED.iter().all(|state| !found.contains_key(*state)) {
            return found;
        }
    }
}

/// Those who call a webhook until so many calls were acknowledged, whether the server runs or not.
pub(super) struct Callers {
    pub(super) acknowledged: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<()>>,
}

impl Callers {
    pub(super) fn start(process: &Process, path: &str, executions: usize) -> Callers {
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let call = |_| {
            let (caller, acknowledged) = (process.caller(), Arc::clone(&acknowledged));
            let path = format!("/t/acme/webhook/{path}");
            actix_web::rt::spawn(async move {
                while acknowledged.load(Ordering::SeqCst) < executions {
                    match caller.send("POST", &path, Some(json!({}))).await {
                        Ok((200, _)) => drop(acknowledged.fetch_add(1, Ordering::SeqCst)),
                        _ => tokio::time::sleep(Duration::from_millis(20)).await,
                    }
                }
            })
        };
        let tasks = (0..CALLERS).map(call).collect();
        Callers { acknowledged, tasks }
    }

    /// Waits until they have called; gives how many calls were acknowledged.
    pub(super) async fn end(self) -> usize {
        for task in self.tasks {
            task.await.unwrap();
        }
        self.acknowledged.load(Ordering::SeqCst)
    }
}

/// Every execution of three calls ended well, and calls were repeated only where one was in flight at a kill.
pub(super) fn judge(
    receiver: &Receiver,
    over: &BTreeMap<String, usize>,
    accepted: usize,
    kills: usize,
    began: Instant,
) {
    let seconds = began.elapsed().as_secs_f64();
    let ended = over.values().sum::<usize>();
    assert_eq!(over.keys().collect::<Vec<_>>(), ["success"], "{over:?}");
    assert!(ended >= accepted, "{accepted} were acknowledged, {ended} are there");
    let mut keys: HashMap<String, usize> = HashMap::new();
    let (mut calls, mut repeated) = (0, 0);
    for (hit, count) in receiver.calls() {
        let execution = hit.key.rsplitn(4, '-').last().unwrap().to_owned();
        *keys.entry(execution).or_default() += 1;
        calls += count;
        repeated += count - 1;
    }
    assert_eq!(keys.len(), ended, "every execution called, and nobody else");
    assert!(keys.values().all(|calls| *calls == 3), "each of the three calls has a key of its own, at every try");
    let most = kills * CONCURRENCY;
    assert!(repeated <= most, "{repeated} repeated");
    println(&format!(
        "{ended} executions, {calls} calls, {kills} kills: {repeated} calls repeated (at most {most}), {seconds:.1} s"
    ));
}

#[actix_web::test]
async fn every_execution_ends_though_its_process_is_killed() {
    let executions = number("MILLRACE_CHAOS_EXECUTIONS", 60);
    let kills = number("MILLRACE_CHAOS_KILLS", if executions > 1000 { 20 } else { 2 });
    let receiver = Receiver::start();
    let mut process = server().await;
    let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
    process.activate(chain("steps", vec![step("a"), step("short/b"), step("c")])).await;
    let began = Instant::now();
    let callers = Callers::start(&process, "steps", executions);
    for kill in 1..=kills {
        while callers.acknowledged.load(Ordering::SeqCst) < executions * kill / (kills + 1) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        process.kill();
        process.restart(&["serve"]).await;
    }
    let accepted = callers.end().await;
    let over = all_over(&process).await;
    judge(&receiver, &over, accepted, kills, began);
}

#[expect(clippy::print_stdout, reason = "the figures of a full run")]
pub(super) fn println(text: &str) {
    println!("{text}");
}

/// The same numbers on every machine (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn node(name: &str, kind: &str, version: f64, parameters: Value) -> Value {
    json!({ "name": name, "type": format!("n8n-nodes-base.{kind}"), "typeVersion": version, "position": [0, 0],
        "parameters": parameters })
}

/// A workflow of random pieces, one behind the other: calls, scripts, branches that meet again, loops, pauses, failures.
fn program(random: &mut Random, path: &str, url: &str) -> Value {
    let mut workflow = chain(path, Vec::new());
    let (mut nodes, mut links) = (Vec::new(), Vec::new());
    let mut before = ("Webhook".to_owned(), 0);
    let mut link =
        |from: &(String, usize), to: &str, input: usize| links.push((from.0.clone(), from.1, to.to_owned(), input));
    let items = "return [0, 1, 2, 3, 4].map((n) => ({ json: { n } }))";
    nodes.push(node("Items", "code", 2.0, json!({ "jsCode": items })));
    link(&before, "Items", 0);
    before = ("Items".to_owned(), 0);
    for piece in 0..3 + random.below(4) {
        let name = |part: &str| format!("{part} {piece}");
        match random.below(6) {
            0 => {
                let mut call = http(&name("Call"), format!("{url}/short/{path}/{piece}"));
                call["parameters"]["options"] = json!({});
                nodes.push(call);
                link(&before, &name("Call"), 0);
                before = (name("Call"), 0);
            }
            1 => {
                let script = format!(
                    "return $input.all().map((item, n) => ({{ json: {{ n, from: {piece}, was: item.json }} }}))"
                );
                nodes.push(node(&name("Script"), "code", 2.0, json!({ "jsCode": script })));
                link(&before, &name("Script"), 0);
                before = (name("Script"), 0);
            }
            2 => {
                let condition = json!({ "number": [{ "value1": "={{ $itemIndex }}", "operation": "larger", "value2": random.below(4) }] });
                nodes.push(node(&name("If"), "if", 1.0, json!({ "conditions": condition })));
                nodes.push(http(&name("Then"), format!("{url}/{path}/{piece}")));
                nodes.push(node(&name("Else"), "noOp", 1.0, json!({})));
                nodes.push(node(&name("Merge"), "merge", 3.0, json!({ "mode": "append" })));
                link(&before, &name("If"), 0);
                link(&(name("If"), 0), &name("Then"), 0);
                link(&(name("If"), 1), &name("Else"), 0);
                link(&(name("Then"), 0), &name("Merge"), 0);
                link(&(name("Else"), 0), &name("Merge"), 1);
                before = (name("Merge"), 0);
            }
            3 => {
                nodes.push(node(&name("Loop"), "splitInBatches", 3.0, json!({ "batchSize": 2, "options": {} })));
                nodes.push(http(&name("Each"), format!("{url}/short/{path}/{piece}")));
                link(&before, &name("Loop"), 0);
                link(&(name("Loop"), 1), &name("Each"), 0);
                link(&(name("Each"), 0), &name("Loop"), 0);
                before = (name("Loop"), 0);
            }
            4 => {
                nodes.push(node(
                    &name("Wait"),
                    "wait",
                    1.1,
                    json!({ "amount": 1 + random.below(2), "unit": "seconds" }),
                ));
                link(&before, &name("Wait"), 0);
                before = (name("Wait"), 0);
            }
            _ => {
                let script =
                    format!("if ({} === 0) throw new Error('no {piece}'); return $input.all()", random.below(3));
                let mut fails = node(&name("Fails"), "code", 2.0, json!({ "jsCode": script }));
                if random.below(2) == 0 {
                    fails["onError"] = json!("continueRegularOutput");
                }
                nodes.push(fails);
                link(&before, &name("Fails"), 0);
                before = (name("Fails"), 0);
            }
        }
    }
    for node in nodes {
        workflow["nodes"].as_array_mut().unwrap().push(node);
    }
    let mut connections: BTreeMap<String, Vec<Vec<Value>>> = BTreeMap::new();
    for (from, output, to, input) in links {
        let outputs = connections.entry(from).or_default();
        outputs.resize(outputs.len().max(output + 1), Vec::new());
        outputs[output].push(json!({ "node": to, "type": "main", "index": input }));
    }
    workflow["connections"] = connections.into_iter().map(|(from, main)| (from, json!({ "main": main }))).collect();
    workflow
}

/// How an execution ended and what each run of each node put out: what does not depend on when it ran.
async fn story(process: &Process, id: &str) -> Value {
    let execution = process.call("GET", &format!("/api/v1/executions/{id}?includeData=true"), None).await;
    let runs = execution["data"]["resultData"]["runData"].as_object().unwrap_or_else(|| panic!("{execution}"));
    let shown = |run: &Value| json!([run["executionStatus"], run["data"], run["error"]["message"]]);
    // What a webhook puts out says how it was called.
    let runs = runs.iter().filter(|(name, _)| *name != "Webhook");
    let runs: serde_json::Map<String, Value> =
        runs.map(|(name, runs)| (name.clone(), runs.as_array().unwrap().iter().map(shown).collect())).collect();
    json!({ "status": execution["status"], "error": execution["error"], "runs": runs })
}

/// The newest execution of each workflow.
async fn stories(process: &Process, ids: &[String]) -> Vec<Value> {
    let mut found = Vec::new();
    for id in ids {
        let page = process.call("GET", &format!("/api/v1/executions?workflowId={id}&limit=1"), None).await;
        let newest = page["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{page}")).to_owned();
        found.push(story(process, &newest).await);
    }
    found
}

#[actix_web::test]
async fn random_programs_put_out_the_same_under_kills() {
    let programs = number("MILLRACE_CHAOS_PROGRAMS", 6);
    let kills = number("MILLRACE_CHAOS_KILLS", if programs > 50 { 20 } else { 3 });
    let seed = u64::try_from(number("MILLRACE_CHAOS_SEED", 0x5eed)).unwrap();
    let receiver = Receiver::start();
    let mut process = server().await;
    let mut random = Random(seed | 1);
    let (mut ids, mut documents) = (Vec::new(), Vec::new());
    for index in 0..programs {
        let document = program(&mut random, &format!("p{index}"), &receiver.url);
        ids.push(process.activate(document.clone()).await);
        documents.push(document);
    }
    let call_all = async |process: &Process| {
        for index in 0..programs {
            let (status, body) =
                process.send("POST", &format!("/t/acme/webhook/p{index}"), Some(json!({}))).await.unwrap();
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        }
    };
    call_all(&process).await;
    all_over(&process).await;
    let undisturbed = stories(&process, &ids).await;
    call_all(&process).await;
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(50 + random.below(400))).await;
        process.kill();
        process.restart(&["serve"]).await;
    }
    all_over(&process).await;
    let disturbed = stories(&process, &ids).await;
    for (index, (expected, found)) in undisturbed.iter().zip(&disturbed).enumerate() {
        assert_eq!(expected, found, "program {index} of seed {seed}: {}", documents[index]);
    }
    let ended = |state: &str| undisturbed.iter().filter(|story| story["status"] == state).count();
    println(&format!("{programs} programs ({} fail), {kills} kills: the same data", ended("error")));
}
