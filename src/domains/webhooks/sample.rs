//! Calls of a webhook that try it out, made by the server itself, with the proof its senders have to give.

use std::collections::BTreeMap;

use millrace_model::{Object, Str, Value};
use millrace_nodes::webhook::ReceivedRequest;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::dto::{TestWebhook, TestWebhookResponse};
use super::error::Error;
use super::guard::Caller;
use super::repository::endpoints;
use super::route_table::{Lookup, Routed};
use super::service::Service;
use super::signature::Sample;
use super::streaming::Sink;
use crate::common::{Ctx, ExecutionId, FieldError, WebhookId};
use crate::domains::audit::Change;

impl Service {
    /// Calls an active webhook, and tells how it was answered.
    pub async fn test(&self, ctx: &Ctx, id: WebhookId, test: TestWebhook) -> Result<TestWebhookResponse, Error> {
        let row = self.endpoint(ctx, id).await?;
        if row.is_form {
            return Err(Error::IsForm);
        }
        let routes = endpoints::routes(&self.database.read(ctx), ctx.tenant, [row.workflow_id]).await?;
        let methods: Vec<String> =
            routes.into_iter().filter(|route| route.node == row.node).map(|route| route.method).collect();
        let Some(first) = methods.first() else { return Err(Error::NotActive) };
        let method = test.method.map_or_else(|| first.clone(), |method| method.to_ascii_uppercase());
        if !methods.contains(&method) {
            let message = format!("the webhook listens to {}", methods.join(", "));
            return Err(Error::Invalid(vec![FieldError::new("/method", "unknown_variant", message)]));
        }
        let path = concrete(&row.path, &test.params);
        let table = self.routes(ctx.tenant).await?;
        let Lookup::Found { route, parameters } = table.table.find(&method, &path) else {
            return Err(Error::NotActive);
        };
        let receiver = self.receiver(&route).await?;
        let body = test.body.unwrap_or_else(|| serde_json::json!({})).to_string();
        let mut url = format!("{}/webhook/{path}", self.base(ctx).await?);
        let query = receiver.guard.as_ref().and_then(|guard| guard.query_of(body.as_bytes()));
        if let Some(query) = &query {
            url = format!("{url}?{query}");
        }
        let content_type: (Str, Str) = ("content-type".into(), "application/json".into());
        let parameters = parameters.into_iter().map(|(name, value)| (Str::from(&*name), Value::from(value)));
        let mut request = ReceivedRequest {
            method: method.as_str().into(),
            headers: vec![content_type.clone()],
            params: parameters.collect::<Object>(),
            query: query.unwrap_or_default().as_str().into(),
            body: body.into(),
            ..ReceivedRequest::default()
        };
        let mut shown = vec![content_type];
        if let Some(guard) = &receiver.guard {
            let delivery = ExecutionId::new().to_string();
            let (signed, credentials) = guard.prove(&Sample {
                id: &delivery,
                at: self.gate.now().as_seconds(),
                url: &url,
                content_type: "application/json",
                body: &request.body,
            });
            shown.extend(signed.iter().cloned());
            request.headers.extend(signed.into_iter().chain(credentials));
        }
        self.record(ctx, Change::new("webhook.test", id)).await?;
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let (host, _) = rest.split_once('/').unwrap_or_default();
        let target = rest.get(host.len()..).unwrap_or_default();
        let caller = Caller { address: ctx.address, host, target, scheme, is_proxied: false, is_sample: true };
        let answer = match &receiver.guard {
            None => self.call(&route, receiver, request, Sink::default()).await,
            Some(guard) => self.admitted(guard, &route, &caller, request, Sink::default()).await,
        };
        let (Ok(reply) | Err(reply)) = answer;
        Ok(TestWebhookResponse {
            method: route.method().to_owned(),
            headers: shown.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            status: reply.status,
            body: String::from_utf8_lossy(&reply.body).into_owned(),
            url,
        })
    }

    /// Notes something that changed nothing in this domain's tables.
    pub(super) async fn record(&self, ctx: &Ctx, change: Change) -> Result<(), Error> {
        let transaction = self.database.begin(ctx).await?;
        self.audit.record(&transaction, ctx, change).await?;
        Ok(transaction.commit().await?)
    }
}

/// A path with values in place of its parameters.
fn concrete(path: &str, values: &BTreeMap<String, String>) -> String {
    let segments = path.split('/').map(|segment| match segment.strip_prefix(':') {
        Some(name) if !name.is_empty() => {
            let value = values.get(name).map_or("sample", String::as_str);
            utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
        }
        _ => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}
