//! Tries a credential out: asks whom its type declares, and says in words that hold no secret how it went.

use std::sync::Arc;
use std::time::Duration;

use millrace_model::{Object, Str, Value};
use millrace_nodes::HttpRequest;
use serde_json::{Map, Value as Json};

use super::dto::TestResponse;
use super::error::Error;
use super::model::{Fields, Status};
use super::registry::{CredentialType, Test};
use super::repository as rows;
use super::service::{Service, kind_of};
use crate::common::{Ctx, Secret};
use crate::domains::audit::Change;
use crate::infrastructure::http_client::{Request, Response};
use crate::infrastructure::services::Reach;

const TIMEOUT: Duration = Duration::from_secs(15);

impl Service {
    /// Tries a credential out.
    pub async fn test(&self, ctx: &Ctx, reference: &str) -> Result<TestResponse, Error> {
        let row = self.row(ctx.tenant, reference).await?;
        let kind = kind_of(&row.kind)?;
        let outcome = self.try_out(row.clone(), kind).await?;
        let response = outcome.response(kind);
        let transaction = self.database.begin(ctx).await?;
        self.audit.record(&transaction, ctx, Change::new("credential.test", row.id).after(&response)).await?;
        transaction.commit().await?;
        Ok(response)
    }

    async fn try_out(&self, row: rows::Credential, kind: &CredentialType) -> Result<Outcome, Error> {
        // Where nobody has to be asked, another try may mend it.
        if row.status != Status::Ready && kind.asks_a_person(self.effective(&row, kind).await?.expose()) {
            return Ok(Outcome::Failed("the account is not connected".to_owned()));
        }
        let row = match kind.holds_access_token() {
            false => row,
            true => match self.proven(row).await {
                Ok(row) => row,
                Err(error @ (Error::Provider(_) | Error::NotConnected(_))) => {
                    return Ok(Outcome::Failed(error.to_string()));
                }
                Err(error) => return Err(error),
            },
        };
        let fields = self.effective(&row, kind).await?;
        match &kind.test {
            Some(Test::Request { url, expect }) => self.request(&row, kind, fields.expose(), url, expect).await,
            Some(Test::Service { service, arguments }) => self.call(&row, fields.expose(), service, arguments).await,
            // The authorisation server has just said so.
            None if kind.holds_access_token() => Ok(Outcome::Good),
            None => Ok(Outcome::NotTestable),
        }
    }

    async fn request(
        &self,
        row: &rows::Credential,
        kind: &CredentialType,
        fields: &Fields,
        url: &str,
        expect: &Map<String, Json>,
    ) -> Result<Outcome, Error> {
        let request = HttpRequest { method: "GET".into(), url: filled(url, fields), ..HttpRequest::default() };
        let seconds = self.clock.now().as_millis() / 1000;
        let request = millrace_nodes::authenticate(&kind.name, &object(fields), request, seconds);
        let Ok(request) = request else { return Ok(Outcome::Failed("its address is not an http address".to_owned())) };
        let answer = self.way(row.tenant_id).await?.send(outgoing(request, row)).await;
        Ok(match answer {
            Ok(answer) => judged(&answer, expect),
            Err(error) => Outcome::Failed(error.message),
        })
    }

    async fn call(
        &self,
        row: &rows::Credential,
        fields: &Fields,
        service: &str,
        arguments: &Map<String, Json>,
    ) -> Result<Outcome, Error> {
        let mut arguments: Object =
            arguments.iter().map(|(name, value)| (Str::from(name.as_str()), value_of(value))).collect();
        arguments.insert("connection", object(fields));
        let policy = Arc::clone(self.way(row.tenant_id).await?.policy());
        let reach = Reach { policy, hosts: super::resolve::hosts_of(row).into_iter().collect() };
        let called = tokio::time::timeout(TIMEOUT, self.services.call(&reach, service, &arguments.into())).await;
        Ok(match called {
            Ok(Ok(_)) => Outcome::Good,
            Ok(Err(failure)) => Outcome::Failed(failure.message),
            Err(_) => Outcome::Failed("the server does not answer".to_owned()),
        })
    }
}

enum Outcome {
    Good,
    Failed(String),
    NotTestable,
}

impl Outcome {
    fn response(self, kind: &CredentialType) -> TestResponse {
        match self {
            Outcome::Good => TestResponse { status: "OK", message: "Connection successful!".to_owned() },
            Outcome::Failed(message) => TestResponse { status: "Error", message },
            Outcome::NotTestable => {
                let message = format!("{} cannot be tried out without knowing what it opens", kind.display_name);
                TestResponse { status: "NotTestable", message }
            }
        }
    }
}

/// The answer's own words are not repeated: a service may quote what it was sent.
fn judged(answer: &Response, expect: &Map<String, Json>) -> Outcome {
    match answer.status {
        200..300 => {}
        401 | 403 => return Outcome::Failed(format!("the service refuses the credential ({})", answer.status)),
        status => return Outcome::Failed(format!("the service answers {status} {}", answer.reason)),
    }
    let body: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    match expect.iter().find(|(name, wanted)| body.get(name.as_str()) != Some(wanted)) {
        Some((name, wanted)) => Outcome::Failed(format!("the service's answer does not say \"{name}\": {wanted}")),
        None => Outcome::Good,
    }
}

/// A template with the credential's fields in place of their names.
fn filled(template: &str, fields: &Fields) -> String {
    let mut text = template.to_owned();
    for name in fields.0.keys() {
        let value = Secret::new(fields.text(name));
        text = text.replace(&format!("{{{name}}}"), value.expose().trim_end_matches('/'));
    }
    text
}

/// The fields as nodes take them.
pub(super) fn object(fields: &Fields) -> Object {
    fields.0.iter().map(|(name, value)| (Str::from(name.as_str()), value_of(value))).collect()
}

fn value_of(value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or_default()),
        Json::String(text) => text.as_str().into(),
        Json::Array(values) => Value::array(values.iter().map(value_of)),
        Json::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (Str::from(name.as_str()), value_of(value))).collect())
        }
    }
}

fn outgoing(request: HttpRequest, row: &rows::Credential) -> Request {
    let headers = request.headers.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Request {
        method: request.method.to_string(),
        url: request.url,
        headers: headers.collect(),
        timeout: Some(TIMEOUT),
        max_redirects: Some(3),
        allowed_hosts: super::resolve::hosts_of(row).into_iter().collect(),
        ..Request::default()
    }
}
