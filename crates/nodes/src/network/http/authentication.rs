//! Authentication of outgoing requests by the data of a credential.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millrace_model::{ExecutionError, Object, Str, Value};

use super::{Draft, DraftBody, Failure, aws_signature, digest, field, oauth1, oauth2, predefined};
use crate::{HttpRequest, HttpResponse, NodeHost};

/// How a request proves who sends it.
#[derive(Clone, Debug, Default)]
pub(crate) enum Authentication {
    #[default]
    None,
    /// Headers, query fields and body fields that are simply added.
    Fields(Fields),
    /// Answers the server's challenge (RFC 7616).
    Digest {
        user: Str,
        password: Str,
    },
    OAuth1(oauth1::Keys),
    /// A signature over the whole request.
    Aws(aws_signature::Keys),
    OAuth2(oauth2::Grant),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub headers: Vec<(Str, Str)>,
    pub query: Object,
    pub body: Object,
}

impl Authentication {
    /// The authentication that a credential of this type stands for.
    pub(crate) fn of(kind: &str, data: &Object) -> Result<Authentication, ExecutionError> {
        let header = |name: &str, value: String| {
            Authentication::Fields(Fields { headers: vec![(name.into(), value.into())], ..Fields::default() })
        };
        Ok(match kind {
            "httpBasicAuth" => header("Authorization", basic(&field(data, "user"), &field(data, "password"))),
            "httpBearerAuth" => header("Authorization", format!("Bearer {}", field(data, "token"))),
            "httpHeaderAuth" => header(&field(data, "name"), field(data, "value").to_string()),
            "httpQueryAuth" => {
                let mut query = Object::new();
                query.insert(field(data, "name"), field(data, "value"));
                Authentication::Fields(Fields { query, ..Fields::default() })
            }
            "httpDigestAuth" => Authentication::Digest { user: field(data, "user"), password: field(data, "password") },
            "httpCustomAuth" => Authentication::Fields(custom(data)?),
            "aws" | "s3" => Authentication::Aws(aws_signature::Keys::of(kind, data)),
            "googleApi" => Authentication::OAuth2(oauth2::Grant::of(data)),
            _ if kind.ends_with("OAuth1Api") || kind == "oAuth1Api" => Authentication::OAuth1(oauth1::Keys::of(data)),
            _ if kind.contains("OAuth2") || kind == "oAuth2Api" => Authentication::OAuth2(oauth2::Grant::of(data)),
            _ => Authentication::Fields(predefined::fields(kind, data)),
        })
    }

    /// The request with what this adds to it beforehand; what takes an exchange with the server adds nothing.
    fn added_to(&self, request: HttpRequest, seconds: i64) -> Result<HttpRequest, ExecutionError> {
        let mut draft = Draft { request, ..Draft::default() };
        if let Authentication::OAuth2(grant) = self
            && let Some(token) = grant.access_token()
        {
            grant.apply(&mut draft, &token);
        }
        self.apply(&mut draft);
        let request = draft.encode().ok_or_else(|| invalid_url_error(&draft))?;
        match self {
            Authentication::Aws(keys) => keys.sign(request, seconds).ok_or_else(|| invalid_url_error(&draft)),
            _ => Ok(request),
        }
    }

    fn apply(&self, draft: &mut Draft) {
        let Authentication::Fields(fields) = self else { return };
        for (name, value) in fields.headers.iter().filter(|(name, _)| !name.is_empty()) {
            draft.set_header(name.clone(), value.clone());
            draft.request.private_headers.push(name.clone());
        }
        for (name, value) in fields.query.iter() {
            draft.query.insert(name.clone(), value.clone());
        }
        if fields.body.is_empty() {
            return;
        }
        if matches!(draft.body, DraftBody::None) {
            draft.body = DraftBody::Json(Object::new().into());
        }
        if let DraftBody::Json(Value::Object(body)) | DraftBody::Form(body) = &mut draft.body {
            for (name, value) in fields.body.iter() {
                body.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Sends a request with its authentication: a challenge is answered and an expired token renewed, once.
/// Answers with an error status come back as answers.
pub(crate) async fn send(
    host: &dyn NodeHost,
    mut draft: Draft,
    authentication: &Authentication,
) -> Result<HttpResponse, Failure> {
    authentication.apply(&mut draft);
    match authentication {
        Authentication::None | Authentication::Fields(_) => exchange(host, &draft).await,
        Authentication::Digest { user, password } => {
            let first = exchange(host, &draft).await?;
            let challenge = super::header(&first, "www-authenticate").unwrap_or_default();
            let url = draft.full_url().ok_or_else(|| invalid_url(&draft))?;
            let mut nonce = [0u8; 8];
            host.random(&mut nonce);
            let answer = digest::answer(challenge, user, password, &draft.request.method, &url, &nonce);
            match answer {
                Some(answer) if first.status == 401 => {
                    draft.set_header("Authorization", answer);
                    exchange(host, &draft).await
                }
                _ => Ok(first),
            }
        }
        Authentication::OAuth1(keys) => {
            let url = draft.full_url().ok_or_else(|| invalid_url(&draft))?;
            let mut nonce = [0u8; 16];
            host.random(&mut nonce);
            let header = keys.sign(&draft, &url, &nonce, host.now_ms() / 1000);
            draft.set_header("Authorization", header);
            exchange(host, &draft).await
        }
        Authentication::Aws(keys) => {
            let request = draft.encode().and_then(|request| keys.sign(request, host.now_ms() / 1000));
            host.http(request.ok_or_else(|| invalid_url(&draft))?).await.map_err(Failure::Network)
        }
        Authentication::OAuth2(grant) => with_token(host, draft, grant).await,
    }
}

async fn with_token(host: &dyn NodeHost, mut draft: Draft, grant: &oauth2::Grant) -> Result<HttpResponse, Failure> {
    let token = match grant.access_token() {
        Some(token) => token,
        None => renewed(host, grant).await?,
    };
    grant.apply(&mut draft, &token);
    let first = exchange(host, &draft).await?;
    if first.status != 401 {
        return Ok(first);
    }
    let token = match grant.kept_by_host() {
        Some(id) => {
            let data = host.renew_credential(&id, &token).await.map_err(Failure::Node)?;
            oauth2::Grant::of(&data).access_token().unwrap_or_default()
        }
        None if grant.can_renew() => renewed(host, grant).await?,
        None => return Ok(first),
    };
    grant.apply(&mut draft, &token);
    exchange(host, &draft).await
}

/// A new access token from the authorisation server.
async fn renewed(host: &dyn NodeHost, grant: &oauth2::Grant) -> Result<Str, Failure> {
    let request = grant.token_request().ok_or_else(|| {
        Failure::Node(
            ExecutionError::operation("OAuth credentials not connected")
                .describe("The credential holds no access token. Connect the account again"),
        )
    })?;
    let response = exchange(host, &request).await?;
    let token = grant.read_token(&response);
    token.ok_or_else(|| Failure::of_response(&response))
}

async fn exchange(host: &dyn NodeHost, draft: &Draft) -> Result<HttpResponse, Failure> {
    let request = draft.encode().ok_or_else(|| invalid_url(draft))?;
    host.http(request).await.map_err(Failure::Network)
}

fn invalid_url(draft: &Draft) -> Failure {
    Failure::Node(invalid_url_error(draft))
}

fn invalid_url_error(draft: &Draft) -> ExecutionError {
    let message = format!("Invalid URL: {}. URL must start with \"http\" or \"https\".", draft.request.url);
    ExecutionError::operation(message)
}

/// A request without a body, as a credential of this type authenticates it: for trying out whether the credential works.
/// `seconds`: now, since the epoch.
pub fn authenticate(
    kind: &str,
    data: &Object,
    request: HttpRequest,
    seconds: i64,
) -> Result<HttpRequest, ExecutionError> {
    Authentication::of(kind, data)?.added_to(request, seconds)
}

pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// The JSON of a custom credential: `headers`, `body` and `qs`.
fn custom(data: &Object) -> Result<Fields, ExecutionError> {
    let invalid = || ExecutionError::operation("Invalid Custom Auth JSON");
    let json = match data.get("json") {
        Some(Value::Object(json)) => Value::Object(json.clone()),
        Some(Value::String(text)) => Value::from_json(text).map_err(|_| invalid())?,
        _ => return Err(invalid()),
    };
    let part = |name: &str| json.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let headers = part("headers").iter().map(|(name, value)| (name.clone(), value.to_js_string())).collect();
    Ok(Fields { headers, query: part("qs"), body: part("body") })
}
