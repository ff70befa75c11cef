//! Following pages: a parameter that changes with each request, or a next URL that the answer holds.

use std::time::Duration;

use bytes::Bytes;
use millrace_model::{ExecutionError, Object, Value, truthy};

use super::super::http::{Authentication, Draft, DraftBody, Failure, Part, header, header_object, send};
use super::Reply;
use super::response::{Format, ResponsePlan};
use crate::{HttpResponse, NodeContext};

/// Most pages one item may fetch; a series that never completes ends here.
const MAX_PAGES: usize = 100_000;

/// How pages of one item are asked for. Expressions are resolved anew for each page.
pub(super) struct Pagination {
    next: Next,
    complete: Complete,
    max_requests: Option<Value>,
    interval: Value,
}

enum Next {
    /// Query, header and body fields to set.
    Parameters {
        query: Object,
        headers: Object,
        body: Object,
    },
    Url(Value),
}

enum Complete {
    WhenEmpty,
    OnStatus(Vec<u16>),
    /// Goes on while this expression is true.
    While(Value),
}

impl Pagination {
    /// Reads the option as written; `None` when there is none or it is switched off.
    pub(super) fn of(context: &NodeContext<'_>, item: usize) -> Result<Option<Pagination>, ExecutionError> {
        let raw = context.parameters.get("options").and_then(|options| options.pointer("pagination.pagination"));
        let Some(Value::Object(raw)) = raw else { return Ok(None) };
        let raw = raw.clone();
        let text = |name: &str| raw.get(name).and_then(Value::as_str).unwrap_or_default();
        let next = match text("paginationMode") {
            "" | "off" => return Ok(None),
            "responseContainsNextURL" => Next::Url(raw.get("nextURL").cloned().unwrap_or_default()),
            _ => parameters(&raw).map_err(|error| error.at_item(item))?,
        };
        let complete = match text("paginationCompleteWhen") {
            "receiveSpecificStatusCodes" => {
                let codes = text("statusCodesWhenComplete").split(',').filter_map(|code| code.trim().parse().ok());
                Complete::OnStatus(codes.collect())
            }
            "other" => Complete::While(going_on_while(text("completeExpression"))?),
            _ => Complete::WhenEmpty,
        };
        let limited = raw.get("limitPagesFetched").is_some_and(truthy);
        Ok(Some(Pagination {
            next,
            complete,
            max_requests: limited.then(|| raw.get("maxRequests").cloned().unwrap_or_default()),
            interval: raw.get("requestInterval").cloned().unwrap_or_default(),
        }))
    }

    /// All pages of an item.
    pub(super) async fn fetch(
        &self,
        context: &mut NodeContext<'_>,
        item: usize,
        draft: Draft,
        authentication: &Authentication,
        plan: &ResponsePlan,
    ) -> Result<Vec<Reply>, Failure> {
        let mut keys = Object::from([
            ("$request", request_object(&draft)),
            ("$response", Object::new().into()),
            ("$version", context.version().into()),
            ("$pageCount", 0.into()),
        ]);
        let mut replies = Vec::new();
        let mut repeats = Repeats::default();
        while replies.len() < MAX_PAGES {
            let page = self.page(context, item, &draft, &keys)?;
            let response = send(context.host, page, authentication).await?;
            let body = plan.body_of(&response);
            repeats.count(&response, item, plan.format == Format::File).map_err(Failure::Node)?;
            keys.insert("$response", response_object(&response, body.as_ref()));
            keys.insert("$pageCount", replies.len() + 1);
            let (status, fetched) = (response.status, replies.len() + 1);
            let failed = !(200..300).contains(&status);
            let failure = failed.then(|| Failure::of_response(&response));
            replies.push(Reply { response, body: body.clone() });
            let most = match &self.max_requests {
                Some(most) => resolve(context, most, item, &keys)?.as_f64().filter(|most| *most > 0.0),
                None => None,
            };
            if most.is_some_and(|most| f64::from(u32::try_from(fetched).unwrap_or(u32::MAX)) >= most) {
                break;
            }
            let more = self.goes_on(context, item, &keys, status, body.as_ref())?;
            let tolerated = !more && (plan.never_error || !matches!(self.complete, Complete::While(_)));
            if let Some(failure) = failure.filter(|_| !tolerated) {
                return Err(failure);
            }
            if !more {
                break;
            }
            let interval = resolve(context, &self.interval, item, &keys)?.as_f64().unwrap_or(0.0);
            if interval > 0.0 && interval <= 86_400_000.0 {
                context.host.sleep(Duration::from_secs_f64(interval / 1000.0)).await;
            }
        }
        Ok(replies)
    }

    /// The request of the next page.
    fn page(&self, context: &mut NodeContext<'_>, item: usize, draft: &Draft, keys: &Object) -> Result<Draft, Failure> {
        let mut page = draft.clone();
        let number = keys.get("$pageCount").and_then(Value::as_f64).unwrap_or_default();
        if let Some(key) = page.request.idempotency_key.as_mut().filter(|_| number > 0.0) {
            *key = format!("{key}-{number}").into();
        }
        match &self.next {
            Next::Url(url) => {
                let first = keys.get("$pageCount").and_then(Value::as_f64) == Some(0.0);
                let url = resolve(context, url, item, keys)?;
                match url {
                    Value::String(url) if !url.is_empty() => page.request.url = url.to_string(),
                    // Before the first answer there is no next URL yet.
                    Value::Undefined | Value::Null if first => {}
                    other => page.request.url = other.as_str().unwrap_or_default().to_owned(),
                }
            }
            Next::Parameters { query, headers, body } => {
                for (name, value) in resolved(context, query, item, keys)?.iter() {
                    page.query.insert(name.clone(), value.clone());
                }
                for (name, value) in resolved(context, headers, item, keys)?.iter() {
                    page.set_header(name.clone(), value.to_js_string());
                }
                let body = resolved(context, body, item, keys)?;
                if !body.is_empty() {
                    page.body = merged(page.body, &body);
                }
            }
        }
        if page.full_url().is_none() {
            let label = if matches!(self.next, Next::Url(_)) { "Next URL" } else { "URL" };
            let error = ExecutionError::operation(format!("'{}' is not a valid URL.", page.request.url));
            let advice = format!("Make sure the \"{label}\" parameter evaluates to a valid URL.");
            return Err(Failure::Node(error.describe(advice)));
        }
        Ok(page)
    }

    fn goes_on(
        &self,
        context: &mut NodeContext<'_>,
        item: usize,
        keys: &Object,
        status: u16,
        body: Option<&Value>,
    ) -> Result<bool, Failure> {
        Ok(match &self.complete {
            Complete::WhenEmpty => match body {
                Some(Value::Array(values)) => !values.is_empty(),
                Some(body) => truthy(body),
                None => true,
            },
            Complete::OnStatus(codes) => !codes.contains(&status),
            Complete::While(expression) => truthy(&resolve(context, expression, item, keys)?),
        })
    }
}

fn parameters(raw: &Object) -> Result<Next, ExecutionError> {
    let entries = raw.get("parameters").and_then(|parameters| parameters.get("parameters"));
    let entries = entries.and_then(Value::as_array).unwrap_or_default();
    let is_blank = |value: Option<&Value>| value.is_none_or(|value| value.is_nullish() || value.as_str() == Some(""));
    if let [only] = entries
        && is_blank(only.get("name"))
        && is_blank(only.get("value"))
    {
        return Err(ExecutionError::operation(
            "At least one entry with 'Name' and 'Value' filled must be included in 'Parameters' to use 'Update a \
             Parameter in Each Request' mode ",
        ));
    }
    let (mut query, mut headers, mut body) = (Object::new(), Object::new(), Object::new());
    for (at, entry) in entries.iter().enumerate() {
        let number = at + 1;
        if is_blank(entry.get("name")) {
            let message = format!("Parameter name must be set for parameter [{number}] in pagination settings");
            return Err(ExecutionError::operation(message));
        }
        if is_blank(entry.get("value")) {
            return Err(ExecutionError::operation(format!(
                "Some value must be provided for parameter [{number}] in pagination settings, omitting it will result \
                 in an infinite loop"
            )));
        }
        let target = match entry.get("type").and_then(Value::as_str) {
            Some("headers") => &mut headers,
            Some("body") => &mut body,
            _ => &mut query,
        };
        let name = entry.get("name").map(Value::to_js_string).unwrap_or_default();
        target.insert(name, entry.get("value").cloned().unwrap_or_default());
    }
    Ok(Next::Parameters { query, headers, body })
}

/// The opposite of a "complete" expression.
fn going_on_while(complete: &str) -> Result<Value, ExecutionError> {
    let inner = complete.trim().strip_prefix('=').map(str::trim);
    let inner = inner.and_then(|text| text.strip_prefix("{{")?.strip_suffix("}}"));
    match inner {
        Some(inner) if !inner.trim().is_empty() => Ok(format!("={{{{ !({inner}) }}}}").into()),
        _ => Err(ExecutionError::operation("Invalid or empty Complete Expression")),
    }
}

fn resolve(context: &mut NodeContext<'_>, value: &Value, item: usize, keys: &Object) -> Result<Value, Failure> {
    context.resolve_with(value, item, keys).map_err(|error| Failure::Node(error.at_item(item)))
}

fn resolved(context: &mut NodeContext<'_>, fields: &Object, item: usize, keys: &Object) -> Result<Object, Failure> {
    if fields.is_empty() {
        return Ok(Object::new());
    }
    Ok(resolve(context, &fields.clone().into(), item, keys)?.as_object().cloned().unwrap_or_default())
}

fn merged(body: DraftBody, changes: &Object) -> DraftBody {
    let put = |mut object: Object| {
        for (name, value) in changes.iter() {
            object.insert(name.clone(), value.clone());
        }
        object
    };
    match body {
        DraftBody::Form(fields) => DraftBody::Form(put(fields)),
        DraftBody::Json(Value::Object(fields)) => DraftBody::Json(put(fields).into()),
        DraftBody::None => DraftBody::Json(changes.clone().into()),
        DraftBody::Multipart(mut parts) => {
            for (name, value) in changes.iter() {
                parts.retain(|(part, _)| part != name);
                parts.push((name.clone(), Part::Field(value.clone())));
            }
            DraftBody::Multipart(parts)
        }
        other => other,
    }
}

fn request_object(draft: &Draft) -> Value {
    let headers =
        draft.request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect::<Object>();
    let body = match &draft.body {
        DraftBody::Json(body) => body.clone(),
        DraftBody::Form(fields) => fields.clone().into(),
        _ => Object::new().into(),
    };
    Value::from(Object::from([
        ("method", draft.request.method.clone().into()),
        ("uri", draft.request.url.clone().into()),
        ("url", draft.request.url.clone().into()),
        ("qs", draft.query.clone().into()),
        ("headers", headers.into()),
        ("body", body),
    ]))
}

fn response_object(response: &HttpResponse, body: Option<&Value>) -> Value {
    Value::from(Object::from([
        ("body", body.cloned().unwrap_or_else(|| Object::new().into())),
        ("headers", header_object(response).into()),
        ("statusCode", u32::from(response.status).into()),
    ]))
}

/// Notices a series that gets the same answer again and again.
#[derive(Default)]
struct Repeats {
    identical: u32,
    length: u64,
    /// The entity tag, else the body.
    content: Bytes,
}

impl Repeats {
    fn count(&mut self, response: &HttpResponse, item: usize, is_file: bool) -> Result<(), ExecutionError> {
        let tag = header(response, "etag").map(|tag| Bytes::from(tag.to_owned()));
        if is_file && tag.is_none() {
            return Ok(());
        }
        let length = header(response, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        if length != self.length {
            (self.identical, self.length) = (0, length);
            return Ok(());
        }
        let content = tag.unwrap_or_else(|| response.body.clone());
        self.identical = if content == self.content { self.identical + 1 } else { 0 };
        self.content = content;
        if self.identical > 2 {
            return Err(ExecutionError::operation("The returned response was identical 5x, so requests got stopped")
                .describe("Check if \"Pagination Completed When\" has been configured correctly.")
                .at_item(item));
        }
        Ok(())
    }
}
