//! What users see when a request fails: n8n's texts by status and by network error, the vendor's words beside them.

use millrace_model::{ExecutionError, Object, Str, Value};

use super::{decode_text, header, header_object};
use crate::{HttpError, HttpResponse};

/// Why a request gave nothing to go on with.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// An answer with a status other than 2xx.
    Status { status: u16, status_text: Str, headers: Object, body: Value },
    /// No answer.
    Network(HttpError),
    /// The node's own refusal.
    Node(ExecutionError),
}

impl Failure {
    /// The failure that an answer with an error status is.
    pub(crate) fn of_response(response: &HttpResponse) -> Failure {
        let text = decode_text(&response.body, header(response, "content-type").unwrap_or_default());
        Failure::Status {
            status: response.status,
            status_text: response.status_text.clone(),
            headers: header_object(response),
            body: Value::from_json(&text).unwrap_or_else(|_| Value::from(text)),
        }
    }

    /// What the HTTP library of n8n says: `404 - "<body as JSON>"`, or the network error.
    pub(crate) fn raw_message(&self) -> String {
        match self {
            Failure::Status { status, body, .. } => format!("{status} - {}", raw_body(body)),
            Failure::Network(error) => error.message.clone(),
            Failure::Node(error) => error.message.to_string(),
        }
    }

    /// The error as a JSON value, for items that go on with it: as the HTTP library of n8n gives it, or (`plain`) as
    /// n8n itself raises it while following pages.
    pub(crate) fn to_value(&self, now_ms: i64, plain: bool) -> Value {
        let message = Value::from(self.raw_message());
        let library = if plain { "Error" } else { "AxiosError" };
        match self {
            Failure::Status { status, status_text, headers, body } => {
                let code = if *status < 500 { "ERR_BAD_REQUEST" } else { "ERR_BAD_RESPONSE" };
                let response = Object::from([
                    ("headers", headers.clone().into()),
                    ("status", u32::from(*status).into()),
                    ("statusText", status_text.clone().into()),
                ]);
                Value::from(Object::from([
                    ("message", message),
                    ("name", library.into()),
                    ("code", code.into()),
                    ("status", u32::from(*status).into()),
                    ("statusCode", u32::from(*status).into()),
                    ("error", body.clone()),
                    ("isAxiosError", true.into()),
                    ("response", response.into()),
                ]))
            }
            Failure::Network(error) => {
                Value::from(Object::from([("message", message), ("name", library.into()), ("code", error.code.into())]))
            }
            Failure::Node(error) => {
                let description = error.description.clone().map_or(Value::Null, Value::from);
                Value::from(Object::from([
                    ("message", message),
                    ("timestamp", now_ms.into()),
                    ("name", error.name.clone().into()),
                    ("description", description),
                    ("context", error.context.clone().into()),
                ]))
            }
        }
    }
}

/// The error of a node whose request failed.
pub(crate) fn api_error(failure: &Failure) -> ExecutionError {
    let (code, body) = match failure {
        Failure::Node(error) => return error.clone(),
        Failure::Network(error) => (Str::from(error.code), Value::Undefined),
        Failure::Status { status, body, .. } => (millrace_model::format_number(f64::from(*status)), body.clone()),
    };
    let raw = failure.raw_message();
    let description = vendor_message(&body, 0).unwrap_or_else(|| raw.clone().into());
    let message = message_of(&code).map_or_else(|| Str::from(raw.as_str()), Str::from);
    let mut error = ExecutionError::api(message.clone()).describe(description);
    error.http_code = Some(code);
    if message != raw {
        error.messages.push(raw.into());
    }
    if !body.is_nullish() {
        error.context.insert("data", body);
    }
    error
}

/// The body as the raw message quotes it: JSON text of the text that came.
fn raw_body(body: &Value) -> String {
    match body {
        Value::String(_) => body.to_json(),
        value => Value::from(value.to_json()).to_json(),
    }
}

/// Fields in which vendors put what went wrong, in the order they are tried.
const MESSAGE_FIELDS: [&str; 24] = [
    "cause",
    "error",
    "message",
    "Message",
    "msg",
    "messages",
    "description",
    "reason",
    "detail",
    "details",
    "errors",
    "errorMessage",
    "errorMessages",
    "ErrorMessage",
    "error_message",
    "_error_message",
    "errorDescription",
    "error_description",
    "error_summary",
    "error_info",
    "title",
    "text",
    "field",
    "err",
];

/// Fields in which vendors nest what went wrong.
const NESTING_FIELDS: [&str; 5] = ["error", "err", "response", "body", "data"];

const MAX_DEPTH: usize = 8;

/// The vendor's words in the body of an error answer.
fn vendor_message(body: &Value, depth: usize) -> Option<Str> {
    if depth > MAX_DEPTH {
        return None;
    }
    match body {
        Value::String(text) if depth == 0 => (!text.is_empty()).then(|| text.clone()),
        Value::Object(_) => {
            let direct = MESSAGE_FIELDS.iter().filter_map(|field| body.get(field)).find_map(|value| match value {
                Value::String(text) if !text.is_empty() => Some(text.clone()),
                Value::Number(number) => Some(millrace_model::format_number(*number)),
                Value::Array(values) => joined(values, depth),
                Value::Object(_) => vendor_message(value, depth + 1),
                _ => None,
            });
            direct.or_else(|| {
                NESTING_FIELDS
                    .iter()
                    .filter_map(|field| body.get(field))
                    .find_map(|value| vendor_message(value, depth + 1))
            })
        }
        _ => None,
    }
}

fn joined(values: &[Value], depth: usize) -> Option<Str> {
    let texts = values.iter().filter_map(|value| match value {
        Value::String(text) => Some(text.to_string()),
        value => vendor_message(value, depth + 1).map(|text| text.to_string()),
    });
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then(|| texts.join(" | ").into())
}

/// The text for a status or network code that n8n users know.
fn message_of(code: &str) -> Option<&'static str> {
    Some(match code {
        "ECONNREFUSED" => "The service refused the connection - perhaps it is offline",
        "ECONNRESET" => {
            "The connection to the server was closed unexpectedly, perhaps it is offline. You can retry the request \
             immediately or wait and retry later."
        }
        "ENOTFOUND" => {
            "The connection cannot be established, this usually occurs due to an incorrect host (domain) value"
        }
        "ETIMEDOUT" => "The connection timed out, consider setting the 'Retry on Fail' option in the node settings",
        "ECONNABORTED" => "The connection was aborted, perhaps the server is offline",
        "EHOSTUNREACH" => "The host is unreachable, perhaps the server is offline",
        "EAI_AGAIN" => "The DNS server returned an error, perhaps the server is offline",
        "EADDRNOTAVAIL" => "The address is not available, ensure that you have the right IP address",
        "400" => "Bad request - please check your parameters",
        "401" => "Authorization failed - please check your credentials",
        "402" => "Payment required - perhaps check your payment details?",
        "403" => "Forbidden - perhaps check your credentials?",
        "404" => "The resource you are requesting could not be found",
        "405" => "Method not allowed - please check you are using the right HTTP method",
        "429" => "The service is receiving too many requests from you",
        "500" => "The service was not able to process your request",
        "502" => "Bad gateway - the service failed to handle your request",
        "503" => {
            "Service unavailable - try again later or consider setting this node to retry automatically (in the node \
             settings)"
        }
        "504" => "Gateway timed out - perhaps try again later?",
        code if code.len() == 3 && code.starts_with('4') => {
            "Your request is invalid or could not be processed by the service"
        }
        code if code.len() == 3 && code.starts_with('5') => "The service failed to process your request",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, body: &str) -> ExecutionError {
        let body = Value::from_json(body).unwrap();
        api_error(&Failure::Status { status, status_text: "x".into(), headers: Object::new(), body })
    }

    #[test]
    fn finds_the_vendors_words() {
        let table = [
            (r#"{"message": "no such user"}"#, "no such user"),
            (r#"{"error": {"message": "nested"}}"#, "nested"),
            (r#"{"errors": [{"message": "one"}, "two"]}"#, "one | two"),
            (r#"{"data": {"detail": "deep"}}"#, "deep"),
            (r#""plain text""#, "plain text"),
            (r#"{}"#, r#"404 - "{}""#),
        ];
        for (body, description) in table {
            assert_eq!(status(404, body).description.as_deref(), Some(description), "{body}");
        }
    }

    #[test]
    fn says_what_the_status_means() {
        let error = status(404, r#"{"message": "gone"}"#);
        assert_eq!(error.name, "NodeApiError");
        assert_eq!(error.message, "The resource you are requesting could not be found");
        assert_eq!(error.http_code.as_deref(), Some("404"));
        assert_eq!(error.messages, [r#"404 - "{\"message\":\"gone\"}""#]);
        assert_eq!(status(418, "{}").message, "Your request is invalid or could not be processed by the service");
        assert_eq!(status(599, "{}").message, "The service failed to process your request");
    }

    #[test]
    fn names_network_errors() {
        let error = api_error(&Failure::Network(HttpError {
            code: "ECONNREFUSED",
            message: "connect ECONNREFUSED 127.0.0.1:1".into(),
        }));
        assert_eq!(error.message, "The service refused the connection - perhaps it is offline");
        assert_eq!(error.description.as_deref(), Some("connect ECONNREFUSED 127.0.0.1:1"));
        assert_eq!(error.http_code.as_deref(), Some("ECONNREFUSED"));
    }
}
