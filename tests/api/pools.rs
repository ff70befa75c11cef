//! Pools of workers: pinned work goes to its pool and nowhere else, what has no worker waits and says so.

use std::process::Child;

use millrace::infrastructure::config::Config;
use serde_json::{Value, json};

use crate::fairness::working;
use crate::recovery::{chain, http};
use crate::support::{Process, Receiver, TestServer, TestTenant, administrator};
use crate::workflows::{activated, greeting};

fn pinned(mut workflow: Value, pool: &str) -> Value {
    workflow["settings"]["workerPool"] = json!(pool);
    workflow
}

fn with_pools(config: &mut Config) {
    config.queue.pools = vec!["gpu".to_owned(), "eu".to_owned()];
}

async fn call(server: &TestServer, path: &str) {
    server.visitor().post(&format!("/t/acme/webhook/{path}"), json!({})).await.expect(200);
}

/// The newest execution of a workflow.
async fn newest(tenant: &TestTenant, workflow: &str) -> Value {
    let page = tenant.viewer.get(&format!("/api/v1/executions?workflowId={workflow}&limit=1")).await.json(200);
    page["data"][0].clone()
}

#[actix_web::test]
async fn what_has_no_worker_waits_and_says_so() {
    let mut receiver = Receiver::start();
    let (server, shutdown) = working(4, with_pools).await;
    let acme = server.tenant("acme").await;
    let heavy = pinned(chain("heavy", vec![http("h", format!("{}/heavy", receiver.url))]), "gpu");
    let heavy = activated(&acme.developer, heavy).await;
    activated(&acme.developer, chain("light", vec![http("l", format!("{}/light", receiver.url))])).await;
    call(&server, "heavy").await;
    call(&server, "light").await;
    assert_eq!(receiver.next().await.path, "/light", "what is not pinned runs past it");
    let waiting = newest(&acme, &heavy).await;
    assert_eq!((&waiting["status"], &waiting["workerPool"]), (&json!("new"), &json!("gpu")));
    assert_eq!(waiting["hasWorker"], false);
    let read = acme.viewer.get(&format!("/api/v1/executions/{}", waiting["id"].as_str().unwrap())).await.json(200);
    assert_eq!(read["hasWorker"], false);
    let pools = acme.viewer.get("/api/v1/executions/pools").await.json(200);
    let figures = |at: usize| {
        let pool = &pools["data"][at];
        (pool["name"].clone(), pool["workers"].clone(), pool["slots"].clone(), pool["queued"].clone())
    };
    assert_eq!(figures(0), (json!("default"), json!(1), json!(4), json!(0)));
    assert_eq!(figures(1), (json!("gpu"), json!(0), json!(0), json!(1)));
    assert_eq!(pools["data"][1]["oldestQueuedAt"], waiting["createdAt"]);
    let globex = server.tenant("globex").await;
    let pools = globex.viewer.get("/api/v1/executions/pools").await.json(200);
    assert_eq!(pools["data"][1]["queued"], 0, "somebody else's work is not counted");
    let stop = format!("/api/v1/executions/{}/stop", waiting["id"].as_str().unwrap());
    acme.operator.post(&stop, json!({})).await.expect(200);
    assert_eq!(newest(&acme, &heavy).await["status"], "canceled");
    shutdown.cancel();
}

#[actix_web::test]
async fn a_named_pool_leaves_what_is_not_pinned_to_the_default_one() {
    let mut receiver = Receiver::start();
    let change = |config: &mut Config| {
        with_pools(config);
        config.executions.pool = "gpu".to_owned();
    };
    let (server, shutdown) = working(4, change).await;
    let acme = server.tenant("acme").await;
    let light = chain("light", vec![http("l", format!("{}/light", receiver.url))]);
    let light = activated(&acme.developer, light).await;
    let heavy = pinned(chain("heavy", vec![http("h", format!("{}/heavy", receiver.url))]), "gpu");
    activated(&acme.developer, heavy).await;
    call(&server, "light").await;
    call(&server, "heavy").await;
    assert_eq!(receiver.next().await.path, "/heavy");
    let waiting = newest(&acme, &light).await;
    assert_eq!((&waiting["workerPool"], &waiting["hasWorker"]), (&json!("default"), &json!(false)));
    shutdown.cancel();
}

#[actix_web::test]
async fn a_workflow_calls_another_in_its_own_pool() {
    let mut receiver = Receiver::start();
    let (server, shutdown) = working(4, with_pools).await;
    let acme = server.tenant("acme").await;
    let called = json!({ "name": "called", "nodes": [
        { "name": "Start", "type": "n8n-nodes-base.executeWorkflowTrigger", "typeVersion": 1, "position": [0, 0], "parameters": {} },
        http("c", format!("{}/called", receiver.url)) ],
        "connections": { "Start": { "main": [[{ "node": "c", "type": "main", "index": 0 }]] } },
        "settings": { "workerPool": "gpu" } });
    let called = acme.developer.post("/api/v1/workflows", called).await.json(201)["id"].as_str().unwrap().to_owned();
    let node = json!({ "name": "Call", "type": "n8n-nodes-base.executeWorkflow", "typeVersion": 1, "position": [0, 0],
        "parameters": { "source": "database", "workflowId": called } });
    activated(&acme.developer, chain("caller", vec![node])).await;
    call(&server, "caller").await;
    assert_eq!(receiver.next().await.path, "/called");
    assert_eq!(newest(&acme, &called).await["workerPool"], "default", "it runs where its caller does");
    shutdown.cancel();
}

#[actix_web::test]
async fn pools_that_there_are_not_are_refused() {
    let server = TestServer::with(with_pools).await;
    let acme = server.tenant("acme").await;
    let at = ["/settings/workerPool"];
    for wrong in [json!("tpu"), json!("GPU"), json!(""), json!(7), json!(["gpu"])] {
        let mut workflow = greeting("x");
        workflow["settings"]["workerPool"] = wrong.clone();
        acme.developer.post("/api/v1/workflows", workflow.clone()).await.problem_at(422, "workflow_invalid", &at);
        let listed = json!([greeting("a"), workflow]);
        let import = acme.developer.post("/api/v1/workflows/import", listed).await;
        import.problem_at(422, "workflow_invalid", &["/1/settings/workerPool"]);
    }
    let id = activated(&acme.developer, pinned(greeting("kept"), "gpu")).await;
    let update = acme.developer.put(&format!("/api/v1/workflows/{id}"), pinned(greeting("kept"), "tpu")).await;
    update.problem_at(422, "workflow_invalid", &at);
    let settings = |pool: &str| json!({ "settings": { "workerPool": pool } });
    acme.owner.patch("/api/v1/tenants/current", settings("tpu")).await.problem_at(422, "worker_pool_unknown", &at);
    acme.owner.patch("/api/v1/tenants/current", settings(&"x".repeat(41))).await.problem_at(422, "invalid_body", &at);
    acme.owner.patch("/api/v1/tenants/current", settings("eu")).await.expect(200);
    let admin = administrator(&server).await;
    let path = format!("/api/v1/admin/tenants/{}", acme.id);
    for (pools, pointer) in [(json!(["gpu", "tpu"]), "/limits/workerPools/1"), (json!([]), "/limits/workerPools")] {
        let plan = json!({ "plan": "x", "limits": { "workerPools": pools } });
        admin.patch(&path, plan).await.problem_at(422, "worker_pool_unknown", &[pointer]);
    }
}

#[actix_web::test]
async fn the_workflow_says_then_the_tenant_and_the_plan_wins() {
    let server = TestServer::with(with_pools).await;
    let acme = server.tenant("acme").await;
    let own = activated(&acme.developer, pinned(chain("own", Vec::new()), "gpu")).await;
    let any = activated(&acme.developer, chain("any", Vec::new())).await;
    let pools = async || {
        call(&server, "own").await;
        call(&server, "any").await;
        [newest(&acme, &own).await["workerPool"].clone(), newest(&acme, &any).await["workerPool"].clone()]
    };
    assert_eq!(pools().await, ["gpu", "default"]);
    acme.owner.patch("/api/v1/tenants/current", json!({ "settings": { "workerPool": "eu" } })).await.expect(200);
    assert_eq!(pools().await, ["gpu", "eu"]);
    let admin = administrator(&server).await;
    let plan = json!({ "plan": "dedicated", "limits": { "workerPools": ["eu"] } });
    admin.patch(&format!("/api/v1/admin/tenants/{}", acme.id), plan).await.expect(200);
    assert_eq!(pools().await, ["eu", "eu"]);
    let open = acme.viewer.get("/api/v1/executions/pools").await.json(200);
    let names: Vec<&str> = open["data"].as_array().unwrap().iter().map(|pool| pool["name"].as_str().unwrap()).collect();
    assert_eq!(names[0], "eu", "{open}");
    let mut refused = greeting("late");
    refused["settings"]["workerPool"] = json!("gpu");
    let refused = acme.developer.post("/api/v1/workflows", refused).await;
    refused.problem_at(422, "workflow_invalid", &["/settings/workerPool"]);
}

fn end(mut worker: Child) {
    worker.kill().unwrap();
    worker.wait().unwrap();
}

/// With a queue that processes share: the default one of PostgreSQL, and RabbitMQ.
#[actix_web::test]
async fn each_pool_has_workers_of_its_own() {
    if std::env::var("MILLRACE_TEST_POSTGRES_URL").is_err() {
        return;
    }
    let mut queues = vec![("postgres", String::new())];
    queues.extend(std::env::var("MILLRACE_TEST_AMQP_URL").ok().map(|url| ("rabbitmq", url)));
    for (backend, url) in queues {
        let settings = [
            ("SERVER__ROLES", "[\"api\"]"),
            ("QUEUE__BACKEND", backend),
            ("QUEUE__URL", &url),
            ("QUEUE__NAME", &format!("test-{}", uuid::Uuid::now_v7())),
            ("QUEUE__POOLS", "[\"gpu\"]"),
        ];
        let process = Process::start(&settings).await;
        let mut receiver = Receiver::start();
        let step = |name: &str| http(name, format!("{}/{name}", receiver.url));
        process.activate(chain("light", vec![step("light")])).await;
        process.activate(pinned(chain("heavy", vec![step("heavy")]), "gpu")).await;
        let (code, _, complained) = process.run(&["worker", "--pool", "tpu"]);
        assert!(code == 2 && complained.contains("queue.pools"), "{complained}");
        let light = process.beside(&["worker", "--port", "0", "--concurrency", "2"]);
        for path in ["heavy", "light", "heavy"] {
            let (status, _) = process.send("POST", &format!("/t/acme/webhook/{path}"), Some(json!({}))).await.unwrap();
            assert_eq!(status, 200);
        }
        assert_eq!(receiver.next().await.path, "/light", "{backend}");
        process.wait_for("success", 1).await;
        let queued = process.wait_for("new", 2).await;
        assert_eq!((&queued[0]["workerPool"], &queued[0]["hasWorker"]), (&json!("gpu"), &json!(false)), "{backend}");
        let heavy = process.beside(&["worker", "--port", "0", "--pool", "gpu", "--concurrency", "1"]);
        for _ in 0..2 {
            assert_eq!(receiver.next().await.path, "/heavy", "{backend}");
        }
        process.wait_for("success", 3).await;
        let pools = process.call("GET", "/api/v1/executions/pools", None).await;
        assert_eq!((&pools["data"][1]["workers"], &pools["data"][1]["slots"]), (&json!(1), &json!(1)), "{pools}");
        end(heavy);
        end(light);
    }
}
