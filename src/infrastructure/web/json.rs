//! JSON bodies: read within the limit, refused with a pointer to the mistake. The only way a body enters a handler.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use validator::Validate;

use super::problem::{BAD_REQUEST, BODY_TIMEOUT, BODY_TOO_LARGE};
use crate::common::error::INVALID_BODY;
use crate::common::validate::{field_errors, pointer_token};
use crate::common::{Code, FieldError, Kind, Problem};

/// A JSON body that was read and validated; as an answer, a 200 with a JSON body.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A JSON body that may be left out; one that is there is read like any other.
#[derive(Debug)]
pub struct OptionalJson<T>(pub Option<T>);

impl<T> Json<T> {
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// The largest body a handler reads, and how long it waits for all of it; set per scope with `app_data`.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimit {
    pub bytes: usize,
    pub time: Duration,
}

impl Default for BodyLimit {
    fn default() -> BodyLimit {
        BodyLimit { bytes: 1 << 20, time: Duration::from_secs(60) }
    }
}

/// Objects and arrays may nest this deep, as deep as serde_json reads; deeper documents exhaust stacks and help nobody.
const MAX_NESTING: usize = 127;

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Json<T>, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let body = read_body(&request, payload).await?;
            parse(&body).map(Json)
        })
    }
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for OptionalJson<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<OptionalJson<T>, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let body = read_limited(&request, payload).await?;
            if body.is_empty() {
                return Ok(OptionalJson(None));
            }
            check_type(&request)?;
            parse(&body).map(Some).map(OptionalJson)
        })
    }
}

impl<T: Serialize> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        HttpResponse::Ok().json(self.0)
    }
}

/// A body of any type as it came, within the limit: for callers whose signature covers the bytes.
#[derive(Clone, Debug)]
pub struct RawBody(pub Bytes);

impl FromRequest for RawBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<RawBody, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move { read_limited(&request, payload).await.map(RawBody) })
    }
}

async fn read_body(request: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    check_type(request)?;
    read_limited(request, payload).await
}

fn check_type(request: &HttpRequest) -> Result<(), Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.is_some_and(is_json) {
        return Ok(());
    }
    Err(Problem::of(UNSUPPORTED_MEDIA_TYPE).with_detail("send the body as application/json"))
}

/// The whole body, within the scope's limit.
pub(super) async fn read_limited(request: &HttpRequest, mut payload: Payload) -> Result<Bytes, Problem> {
    check_announced_size(request)?;
    let BodyLimit { bytes, time } = body_limit(request);
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| Problem::of(BAD_REQUEST).with_detail(error.to_string()))?;
            if body.len() + chunk.len() > bytes {
                return Err(too_large(bytes));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    tokio::time::timeout(time, reading).await.unwrap_or_else(|_| Err(Problem::of(BODY_TIMEOUT)))
}

/// Refuses a body that is announced to be over the limit, before anything else is done with the request.
pub(super) fn check_announced_size(request: &HttpRequest) -> Result<(), Problem> {
    let BodyLimit { bytes, .. } = body_limit(request);
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match announced.and_then(|text| text.parse::<usize>().ok()) {
        Some(length) if length > bytes => Err(too_large(bytes)),
        _ => Ok(()),
    }
}

fn body_limit(request: &HttpRequest) -> BodyLimit {
    request.app_data::<web::Data<BodyLimit>>().map_or_else(BodyLimit::default, |data| ***data)
}

fn too_large(limit: usize) -> Problem {
    Problem::of(BODY_TOO_LARGE).with_detail(format!("at most {limit} bytes are read"))
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Bytes to a valid `T`: encoding, nesting, syntax, shape, rules, in this order.
fn parse<T: DeserializeOwned + Validate>(body: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Problem::of(INVALID_UTF8).with_detail(format!("the byte at offset {} is not UTF-8", error.valid_up_to()))
    })?;
    check_nesting(body)?;
    if wants_object::<T>() && text.trim_ascii_start().starts_with('[') {
        let error = FieldError::new("", "wrong_type", "invalid type: list, expected an object");
        return Err(Problem::of(INVALID_BODY).with_errors(vec![error]));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value: T = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| explain(&error))?;
    deserializer.end().map_err(|error| Problem::of(MALFORMED_JSON).with_detail(error.to_string()))?;
    value.validate().map_err(|errors| Problem::of(INVALID_BODY).with_errors(field_errors(&errors)))?;
    Ok(value)
}

/// Is `T` a struct? serde would fill its fields from a list by position, too. `T` says what it is before it reads anything.
fn wants_object<T: DeserializeOwned>() -> bool {
    T::deserialize(Kindless).is_err_and(|Asked { for_struct }| for_struct)
}

/// Has nothing to read; only tells what it was asked for.
struct Kindless;

#[derive(Debug, thiserror::Error)]
#[error("asked for a struct: {for_struct}")]
struct Asked {
    for_struct: bool,
}

impl serde::de::Error for Asked {
    fn custom<M: std::fmt::Display>(_: M) -> Asked {
        Asked { for_struct: false }
    }
}

impl<'de> Deserializer<'de> for Kindless {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked { for_struct: false })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        Err(Asked { for_struct: true })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Refuses documents nested 128 deep or deeper before anything recursive sees them. One pass, no allocation.
pub fn check_nesting(body: &[u8]) -> Result<(), Problem> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in body {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(Problem::of(NESTED_TOO_DEEP)
                .with_detail(format!("objects and arrays may nest at most {MAX_NESTING} deep")));
        }
    }
    Ok(())
}

fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if !inner.is_data() {
        return Problem::of(MALFORMED_JSON).with_detail(inner.to_string());
    }
    let text = inner.to_string();
    // serde_json appends the position to the text; the pointer says it better.
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let mut pointer = String::new();
    for segment in error.path() {
        use serde_path_to_error::Segment;
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", pointer_token(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let (code, named_field) = classify(message);
    if let Some(field) = named_field {
        let step = format!("/{}", pointer_token(field));
        if !pointer.ends_with(&step) {
            pointer.push_str(&step);
        }
    }
    Problem::of(INVALID_BODY).with_errors(vec![FieldError::new(pointer, code, message)])
}

/// serde's findings as stable codes, and the field they speak of where that is not part of the path.
fn classify(message: &str) -> (&'static str, Option<&str>) {
    let quoted = || message.split('`').nth(1);
    if message.starts_with("unknown field") {
        ("unknown_field", quoted())
    } else if message.starts_with("missing field") {
        ("missing_field", quoted())
    } else if message.starts_with("duplicate field") {
        ("duplicate_field", quoted())
    } else if message.starts_with("invalid type") || message.starts_with("invalid length") {
        ("wrong_type", None)
    } else if message.starts_with("unknown variant") {
        ("unknown_variant", None)
    } else {
        ("invalid_value", None)
    }
}

const UNSUPPORTED_MEDIA_TYPE: Code =
    Code::new(Kind::UnsupportedMediaType, "unsupported_media_type", "The body's type is not supported");
const INVALID_UTF8: Code = Code::new(Kind::BadRequest, "invalid_utf8", "The body is not UTF-8");
const MALFORMED_JSON: Code = Code::new(Kind::BadRequest, "malformed_json", "The body is not JSON");
const NESTED_TOO_DEEP: Code = Code::new(Kind::BadRequest, "nested_too_deep", "The document nests too deep");

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Body {
        #[validate(length(min = 1))]
        display_name: String,
        #[serde(default)]
        #[expect(dead_code, reason = "read by serde only")]
        steps: Vec<Step>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Step {
        #[expect(dead_code, reason = "read by serde only")]
        count: u8,
    }

    #[test]
    fn mistakes_are_found_by_pointer() {
        for (body, pointer, code) in [
            (r#"{"displayName":1}"#, "/displayName", "wrong_type"),
            (r#"{}"#, "/displayName", "missing_field"),
            (r#"{"displayName":"a","extra":1}"#, "/extra", "unknown_field"),
            (r#"{"displayName":"a","displayName":"b"}"#, "/displayName", "duplicate_field"),
            (r#"{"displayName":"a","steps":[{"count":1},{"count":300}]}"#, "/steps/1/count", "invalid_value"),
            (r#"{"displayName":"a","steps":[{"count":1,"x/y":0}]}"#, "/steps/0/x~1y", "unknown_field"),
            (r#"{"displayName":""}"#, "/displayName", "length"),
            (r#"[]"#, "", "wrong_type"),
            (r#" ["a"]"#, "", "wrong_type"),
            (r#"["a",[{"count":1}]]"#, "", "wrong_type"),
        ] {
            let problem = parse::<Body>(body.as_bytes()).unwrap_err();
            assert_eq!(problem.code, INVALID_BODY, "{body}");
            let found: Vec<_> = problem.errors.iter().map(|error| (error.pointer.as_str(), &*error.code)).collect();
            assert_eq!(found, [(pointer, code)], "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_told_apart() {
        let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
        for (body, code) in [
            (&b"{"[..], MALFORMED_JSON),
            (b"", MALFORMED_JSON),
            (b"{\"displayName\":\"a\"} trailing", MALFORMED_JSON),
            (b"{\"displayName\":\"\xff\"}", INVALID_UTF8),
            (deep.as_bytes(), NESTED_TOO_DEEP),
        ] {
            assert_eq!(parse::<Body>(body).unwrap_err().code, code);
        }
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        let body = format!(r#"{{"a":"{}\"{}"}}"#, "[".repeat(500), "{".repeat(500));
        assert!(check_nesting(body.as_bytes()).is_ok());
        assert!(check_nesting("[".repeat(127).as_bytes()).is_ok());
    }
}
