//! Two tenants side by side do anything in any order, and neither ever sees a byte of the other's.

use actix_web::http::Method;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{Client, Reply, TestServer, TestTenant};

/// One thing that a tenant does. `which` chooses among what there is, `foreign` among what the other has.
#[derive(Clone, Debug)]
struct Deed {
    kind: Kind,
    which: usize,
    foreign: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Create,
    Update,
    Activate,
    Trigger,
    CallWebhook,
    Read,
    Export,
    Delete,
    ReadExecution,
    RetryExecution,
    DeleteExecution,
    Rename,
    MakeKey,
    DeleteKey,
    MakeCredential,
    ReadCredential,
    TestCredential,
    DeleteCredential,
    ReadMember,
    RemoveMember,
    MakeOther,
    DeleteOther,
    List,
}

const KINDS: [Kind; 23] = [
    Kind::Create,
    Kind::Update,
    Kind::Activate,
    Kind::Trigger,
    Kind::CallWebhook,
    Kind::Read,
    Kind::Export,
    Kind::Delete,
    Kind::ReadExecution,
    Kind::RetryExecution,
    Kind::DeleteExecution,
    Kind::Rename,
    Kind::MakeKey,
    Kind::DeleteKey,
    Kind::MakeCredential,
    Kind::ReadCredential,
    Kind::TestCredential,
    Kind::DeleteCredential,
    Kind::ReadMember,
    Kind::RemoveMember,
    Kind::MakeOther,
    Kind::DeleteOther,
    Kind::List,
];

/// What is made by one request and deleted by its id.
const OTHERS: [&str; 4] = ["data-tables", "roles", "invitations", "schedules"];

/// Everything that lists anything.
const LISTS: [&str; 20] = [
    "workflows?limit=250",
    "executions?includeData=true&limit=250",
    "audit?limit=250",
    "audit?search=mark",
    "audit/export",
    "audit/export?format=csv",
    "audit/verify",
    "api-keys",
    "credentials?limit=250",
    "schedules?limit=250",
    "schedules/calendar",
    "schedules/conflicts",
    "invitations?limit=250",
    "data-tables?limit=250",
    "roles",
    "webhooks?limit=250",
    "users",
    "tenants/current",
    "tenants/current/usage",
    "auth/me",
];

fn deed() -> impl Strategy<Value = Deed> {
    (prop::sample::select(&KINDS[..]), 0..100_usize, prop::bool::weighted(0.3))
        .prop_map(|(kind, which, foreign)| Deed { kind, which, foreign })
}

/// A tenant, its mark, and what it has made.
struct Side {
    tenant: TestTenant,
    /// Stands in everything the tenant writes.
    mark: String,
    made: usize,
    has: Has,
}

/// The ids of what a tenant has.
#[derive(Clone, Default)]
struct Has {
    workflows: Vec<String>,
    executions: Vec<String>,
    keys: Vec<String>,
    credentials: Vec<String>,
    members: Vec<String>,
    /// With their collection: `roles/…`.
    others: Vec<String>,
}

impl Side {
    async fn new(server: &TestServer, name: &str) -> Side {
        let tenant = server.tenant(name).await;
        let page = tenant.owner.get("/api/v1/users").await.json(200);
        let id = |user: &Value| user["id"].as_str().unwrap().to_owned();
        let members = page["data"].as_array().unwrap().iter().filter(|user| user["role"] != "owner").map(id).collect();
        let mark = format!("mark-{name}-{}", uuid::Uuid::new_v4().simple());
        Side { tenant, mark, made: 0, has: Has { members, ..Has::default() } }
    }

    fn client(&self) -> &Client {
        if self.made.is_multiple_of(2) { &self.tenant.owner } else { &self.tenant.api_key }
    }

    /// What is posted to one of the [`OTHERS`].
    fn other(&self, collection: &str) -> Value {
        let name = format!("{} {}", self.mark, self.made);
        match collection {
            "data-tables" => json!({ "name": name, "columns": [{ "name": "x", "type": "string" }] }),
            "roles" => json!({ "name": name, "permissions": ["workflows:read"] }),
            "invitations" => json!({ "email": format!("{}-{}@else.example", self.mark, self.made), "role": "viewer" }),
            _ => json!({ "workflowId": self.has.workflows.last(), "name": name, "cron": "30 2 * * *" }),
        }
    }

    fn workflow(&self) -> Value {
        json!({
            "name": format!("{} {}", self.mark, self.made),
            "nodes": [
                { "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
                  "parameters": { "path": format!("hook-{}", self.made), "httpMethod": "POST", "responseMode": "lastNode" } },
                { "name": "Set", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [200, 0], "parameters": {
                    "assignments": { "assignments": [{ "id": "1", "name": "mark", "type": "string", "value": self.mark }] } } }
            ],
            "connections": { "Webhook": { "main": [[{ "node": "Set", "type": "main", "index": 0 }]] } },
            "tags": [{ "name": self.mark }]
        })
    }
}

fn pick(list: &[String], which: usize) -> Option<String> {
    list.get(which.checked_rem(list.len())?).cloned()
}

/// Does it; gives what came back.
async fn act(server: &TestServer, own: &mut Side, other: &Has, deed: &Deed) -> Option<Reply> {
    own.made += 1;
    let mark = own.mark.clone();
    let of = |mine: &[String], theirs: &[String]| pick(if deed.foreign { theirs } else { mine }, deed.which);
    let workflow = of(&own.has.workflows, &other.workflows);
    let execution = of(&own.has.executions, &other.executions);
    let client = own.client().clone();
    let reply = match deed.kind {
        Kind::Create => {
            let reply = client.post("/api/v1/workflows", own.workflow()).await;
            own.has.workflows.push(id_of(&reply)?);
            reply
        }
        Kind::Update => {
            let path = format!("/api/v1/workflows/{}", workflow?);
            client.send(Method::PUT, &path, Some(own.workflow())).await
        }
        Kind::Activate => client.post(&format!("/api/v1/workflows/{}/activate", workflow?), json!({})).await,
        Kind::Trigger => {
            let body = json!({ "wait": true, "inputData": { "text": mark } });
            let reply = client.post(&format!("/api/v1/workflows/{}/trigger", workflow?), body).await;
            own.has.executions.extend(id_of(&reply));
            reply
        }
        Kind::CallWebhook => {
            let path = format!("/t/{}/webhook/hook-{}", own.tenant.slug, deed.which % 12);
            server.visitor().post(&path, json!({ "text": mark })).await
        }
        Kind::Read => client.get(&format!("/api/v1/workflows/{}", workflow?)).await,
        Kind::Export => client.get(&format!("/api/v1/workflows/{}/export", workflow?)).await,
        Kind::Delete => client.delete(&format!("/api/v1/workflows/{}", workflow?)).await,
        Kind::ReadExecution => client.get(&format!("/api/v1/executions/{}?includeData=true", execution?)).await,
        Kind::RetryExecution => client.post(&format!("/api/v1/executions/{}/retry", execution?), json!({})).await,
        Kind::DeleteExecution => client.delete(&format!("/api/v1/executions/{}", execution?)).await,
        Kind::Rename => {
            let body = json!({ "name": mark, "hosts": [format!("{mark}.example")] });
            client.patch("/api/v1/tenants/current", body).await
        }
        Kind::MakeKey => {
            let reply = own.tenant.owner.post("/api/v1/api-keys", json!({ "name": mark })).await;
            own.has.keys.extend(id_of(&reply));
            reply
        }
        Kind::DeleteKey => client.delete(&format!("/api/v1/api-keys/{}", of(&own.has.keys, &other.keys)?)).await,
        Kind::MakeCredential => {
            let body = json!({ "name": mark, "type": "httpBasicAuth", "data": { "user": mark, "password": "p" } });
            let reply = client.post("/api/v1/credentials", body).await;
            own.has.credentials.extend(id_of(&reply));
            reply
        }
        Kind::ReadCredential | Kind::TestCredential | Kind::DeleteCredential => {
            let path = format!("/api/v1/credentials/{}", of(&own.has.credentials, &other.credentials)?);
            match deed.kind {
                Kind::ReadCredential => client.get(&path).await,
                Kind::TestCredential => client.post(&format!("{path}/test"), json!({})).await,
                _ => client.delete(&path).await,
            }
        }
        Kind::ReadMember | Kind::RemoveMember if !deed.foreign => client.get("/api/v1/users").await,
        Kind::ReadMember => {
            let path = format!("/api/v1/users/{}", pick(&other.members, deed.which)?);
            client.patch(&path, json!({ "role": "viewer" })).await
        }
        Kind::RemoveMember => client.delete(&format!("/api/v1/users/{}", pick(&other.members, deed.which)?)).await,
        Kind::MakeOther => {
            let collection = OTHERS[deed.which % OTHERS.len()];
            let reply = client.post(&format!("/api/v1/{collection}"), own.other(collection)).await;
            let id = id_of(&reply)?;
            if collection == "data-tables" {
                let rows = json!({ "data": [{ "x": mark }] });
                client.post(&format!("/api/v1/data-tables/{id}/rows"), rows).await.expect(200);
            }
            own.has.others.push(format!("{collection}/{id}"));
            reply
        }
        Kind::DeleteOther => client.delete(&format!("/api/v1/{}", of(&own.has.others, &other.others)?)).await,
        Kind::List => client.get(&format!("/api/v1/{}", LISTS[deed.which % LISTS.len()])).await,
    };
    Some(reply)
}

fn id_of(reply: &Reply) -> Option<String> {
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    Some(body["id"].as_str()?.to_owned())
}

/// What must not be in a reply to the other.
fn secrets(side: &Side) -> Vec<String> {
    let mut all = vec![side.mark.clone(), side.tenant.id.to_string()];
    let Has { workflows, executions, keys, credentials, others, members: _ } = &side.has;
    all.extend(workflows.iter().chain(executions).chain(keys).chain(credentials).cloned());
    all.extend(others.iter().filter_map(|other| Some(other.split_once('/')?.1.to_owned())));
    all
}

/// Whatever came back, nothing of the other is in it.
fn check(deed: &Deed, reply: &Reply, other: &Side) {
    assert!(reply.status.as_u16() < 500, "{deed:?}: {:?}", reply.body);
    let is_foreign = deed.foreign
        && !matches!(
            deed.kind,
            Kind::Create
                | Kind::CallWebhook
                | Kind::Rename
                | Kind::MakeKey
                | Kind::MakeCredential
                | Kind::MakeOther
                | Kind::List
        );
    if is_foreign {
        assert_eq!(reply.status, 404, "{deed:?}: {:?}", reply.body);
    }
    let text = format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.body));
    for secret in secrets(other) {
        assert!(!text.contains(&secret), "{deed:?} showed {secret}: {text}");
    }
}

/// Both do something at the same time, again and again.
async fn live_side_by_side(deeds: Vec<(Deed, Deed)>) {
    let server = TestServer::with(|config| {
        config.limits.api_requests_per_minute = 0;
        config.tenants.own_hosts = true;
    })
    .await;
    let (mut one, mut two) = (Side::new(&server, "acme").await, Side::new(&server, "globex").await);
    for (first, second) in &deeds {
        let (of_one, of_two) = (one.has.clone(), two.has.clone());
        let (first_reply, second_reply) =
            futures_util::future::join(act(&server, &mut one, &of_two, first), act(&server, &mut two, &of_one, second))
                .await;
        for (deed, reply, other) in [(first, first_reply, &two), (second, second_reply, &one)] {
            if let Some(reply) = reply {
                check(deed, &reply, other);
            }
        }
    }
    for (own, other) in [(&one, &two), (&two, &one)] {
        for list in LISTS {
            let reply = own.tenant.owner.get(&format!("/api/v1/{list}")).await.expect(200);
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            for secret in secrets(other) {
                assert!(!text.contains(&secret), "{list} showed {secret}");
            }
        }
        let verified = own.tenant.owner.get("/api/v1/audit/verify").await.json(200);
        assert_eq!(verified["intact"], true, "{verified}");
    }
}

#[test]
fn neither_of_two_tenants_sees_a_byte_of_the_others() {
    let config = Config { cases: 8, max_shrink_iters: 40, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&prop::collection::vec((deed(), deed()), 40..70), |deeds| {
        let lived = std::panic::AssertUnwindSafe(|| actix_web::rt::System::new().block_on(live_side_by_side(deeds)));
        std::panic::catch_unwind(lived).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            TestCaseError::fail(text.unwrap_or_else(|| "a panic without text".to_owned()))
        })
    });
    outcome.unwrap();
}
