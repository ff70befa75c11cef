//! Places and limits are the same for every address that begins a run or goes on with one: webhooks, test addresses, waiting
//! addresses and forms.

use std::time::Duration;

use actix_web::http::Method;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::recovery::{chain, http};
use crate::support::{Client, Receiver, Reply, TestServer, TestTenant};
use crate::workflows::activated;

/// A form that is answered when its run ends.
fn form(path: &str, nodes: Vec<Value>) -> Value {
    let mut workflow = chain(path, nodes);
    workflow["nodes"][0] = json!({ "name": "Webhook", "type": "n8n-nodes-base.formTrigger", "typeVersion": 2.2,
        "position": [0, 0], "parameters": { "path": path, "formTitle": "F", "responseMode": "lastNode", "options": {},
        "formFields": { "values": [{ "fieldLabel": "Name" }] } } });
    workflow
}

/// A webhook answered by the last node.
fn answering(path: &str, nodes: Vec<Value>) -> Value {
    let mut workflow = chain(path, nodes);
    workflow["nodes"][0]["parameters"]["responseMode"] = json!("lastNode");
    workflow
}

fn held() -> Value {
    json!({ "name": "Hold", "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "position": [0, 0],
        "parameters": { "resume": "webhook", "httpMethod": "POST", "responseMode": "lastNode", "options": {} } })
}

fn page() -> Value {
    json!({ "name": "Page", "type": "n8n-nodes-base.form", "typeVersion": 1, "position": [0, 0], "parameters": {
        "formFields": { "values": [{ "fieldLabel": "More" }] }, "options": {} } })
}

async fn submit(visitor: &Client, path: &str) -> Reply {
    let body = "--B\r\nContent-Disposition: form-data; name=\"field-0\"\r\n\r\nAnn\r\n--B--\r\n";
    visitor
        .send_raw(Method::POST, path, Some(("multipart/form-data; boundary=B", Bytes::from_static(body.as_bytes()))))
        .await
}

/// A server, and executions that wait there: for a call, and for a page.
struct Stage {
    server: TestServer,
    acme: TestTenant,
    receiver: Receiver,
    tried: String,
    waiting: String,
    paged: String,
}

/// Where somebody calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    Webhook,
    Test,
    Waiting,
    Form,
    WaitingForm,
}

const ALL: [Address; 5] = [Address::Webhook, Address::Test, Address::Waiting, Address::Form, Address::WaitingForm];

impl Stage {
    async fn set(change: impl FnOnce(&mut millrace::infrastructure::config::Config)) -> Stage {
        let server = TestServer::with(|config| {
            config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()];
            change(config);
        })
        .await;
        let (acme, receiver) = (server.tenant("acme").await, Receiver::start());
        let gate = || http("Gate", format!("{}/gate/x", receiver.url));
        activated(&acme.developer, answering("hook", vec![gate()])).await;
        activated(&acme.developer, form("form", vec![gate()])).await;
        let tried = acme.developer.post("/api/v1/workflows/import", answering("tried", vec![gate()])).await.json(201);
        let mut stage = Stage {
            tried: tried["id"].as_str().unwrap().to_owned(),
            waiting: String::new(),
            paged: String::new(),
            server,
            acme,
            receiver,
        };
        let gate = http("Gate", format!("{}/gate/x", stage.receiver.url));
        let waits = activated(&stage.acme.developer, chain("waits", vec![held(), gate.clone()])).await;
        let pages = activated(&stage.acme.developer, form("pages", vec![page(), gate])).await;
        stage.visitor().post("/t/acme/webhook/waits", json!({})).await.expect(200);
        submit(&stage.visitor(), "/t/acme/form/pages").await.expect(303);
        stage.waiting = stage.stopped(&waits).await;
        stage.paged = stage.stopped(&pages).await;
        stage
    }

    /// The execution of a workflow that has come to where it waits.
    async fn stopped(&self, workflow: &str) -> String {
        let list = format!("/api/v1/workflows/{workflow}/executions?status=waiting");
        for _ in 0..400 {
            let page = self.acme.viewer.get(&list).await.json(200);
            if let Some(id) = page["data"][0]["id"].as_str() {
                return id.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it does not wait");
    }

    fn visitor(&self) -> Client {
        self.server.visitor()
    }

    /// Somebody calls there, for a test call as soon as somebody listens.
    fn call(&self, address: Address) -> impl Future<Output = Reply> + 'static {
        let (visitor, operator) = (self.visitor(), self.acme.operator.clone());
        let (waiting, paged, tried) = (self.waiting.clone(), self.paged.clone(), self.tried.clone());
        async move {
            match address {
                Address::Webhook => visitor.post("/t/acme/webhook/hook", json!({})).await,
                Address::Waiting => visitor.post(&format!("/t/acme/webhook-waiting/{waiting}"), json!({})).await,
                Address::Form => submit(&visitor, "/t/acme/form/form").await,
                Address::WaitingForm => visitor.get(&format!("/t/acme/form-waiting/{paged}")).await,
                Address::Test => {
                    let listen = format!("/api/v1/workflows/{tried}/listen?seconds=30");
                    actix_web::rt::spawn(async move { operator.get(&listen).await });
                    loop {
                        let reply = visitor.post("/t/acme/webhook-test/tried", json!({})).await;
                        if reply.status != 404 {
                            return reply;
                        }
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
            }
        }
    }
}

#[actix_web::test]
async fn who_is_answered_at_any_address_has_a_place_that_nobody_else_gets() {
    for holder in ALL {
        // A page is shown at once.
        if holder == Address::WaitingForm {
            continue;
        }
        let mut stage = Stage::set(|config| config.webhooks.max_concurrent = 1).await;
        let answered = actix_web::rt::spawn(stage.call(holder));
        stage.receiver.wait_for("/gate/x").await;
        for other in ALL.into_iter().filter(|other| *other != holder) {
            let refused = stage.call(other).await;
            assert_eq!(
                (refused.status.as_u16(), refused.header("retry-after")),
                (503, Some("1")),
                "{other:?} beside {holder:?}"
            );
        }
        stage.visitor().get("/t/acme/form/form").await.expect(503);
        stage.receiver.open_gate();
        answered.await.unwrap().expect(200);
        stage.call(Address::WaitingForm).await.expect(200);
    }
}

#[actix_web::test]
async fn calls_of_every_address_count_against_what_the_tenant_may() {
    // Two began what waits; the other calls are the first of their kind.
    let stage = Stage::set(|config| config.webhooks.requests_per_minute = 3).await;
    stage.call(Address::WaitingForm).await.expect(200);
    for address in ALL {
        assert_eq!(stage.call(address).await.status.as_u16(), 429, "{address:?}");
    }
    stage.visitor().get("/t/acme/form/form").await.expect(429);
    stage.server.clock.advance(Duration::from_secs(20));
    stage.call(Address::WaitingForm).await.expect(200);
    stage.call(Address::Webhook).await.expect(429);
}
