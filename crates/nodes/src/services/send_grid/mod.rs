//! SendGrid: mail, contacts and lists by its Web API v3.

use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Node, Object, Str, Value, truthy};

use super::attachments;
use super::vendor_api::{Call, CallBody, Results, field, json, send};
use crate::{Behaviour, Capability, NodeContext, NodeHost, NodeResult, NodeType};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.sendGrid", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Network]);

const API: &str = "https://api.sendgrid.com/v3";

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    Box::pin(async move {
        let mut results = Results::new();
        for index in 0..context.items().len() {
            let made = request(context, index).await;
            results.add(context, index, made)?;
        }
        results.output()
    })
}

async fn request(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Value>, ExecutionError> {
    let (resource, operation) = (context.text("resource", index)?, context.text("operation", index)?);
    match (resource.as_str(), operation.as_str()) {
        ("mail", _) => send_mail(context, index).await,
        ("contact", "upsert") => upsert_contact(context, index).await,
        ("contact", "get") => get_contact(context, index).await,
        ("contact", "getAll") => get_contacts(context, index).await,
        ("contact", "delete") => {
            let ids = context.text("ids", index)?.replace(" ", "");
            let all = context.flag("deleteAll", index)?;
            let query = if all { "delete_all_contacts=true".to_owned() } else { format!("ids={}", encoded(&ids)) };
            answer(Door::of(context), "DELETE", &format!("/marketing/contacts?{query}"), CallBody::None)
                .await
                .map(|it| vec![it])
        }
        ("list", "create") => {
            let name = Object::from([("name", Value::from(context.text("name", index)?))]);
            answer(Door::of(context), "POST", "/marketing/lists", CallBody::Json(name.into())).await.map(|it| vec![it])
        }
        ("list", "update") => {
            let (id, name) = (context.text("listId", index)?, context.text("name", index)?);
            let body = Object::from([("name", Value::from(name))]);
            let path = format!("/marketing/lists/{}", encoded(&id));
            answer(Door::of(context), "PATCH", &path, CallBody::Json(body.into())).await.map(|it| vec![it])
        }
        ("list", "get" | "delete") => {
            let path = format!("/marketing/lists/{}", encoded(&context.text("listId", index)?));
            let method = if operation == "get" { "GET" } else { "DELETE" };
            let value = answer(Door::of(context), method, &path, CallBody::None).await?;
            Ok(vec![if method == "GET" { value } else { Object::from([("success", Value::from(true))]).into() }])
        }
        ("list", "getAll") => {
            let size = page_size(context, index)?;
            let value =
                answer(Door::of(context), "GET", &format!("/marketing/lists?page_size={size}"), CallBody::None).await?;
            Ok(value.get("result").and_then(Value::as_array).unwrap_or_default().to_vec())
        }
        _ => {
            let message = ecow::eco_format!("the operation \"{operation}\" of \"{resource}\" is not known");
            Err(ExecutionError::operation(message))
        }
    }
}

/// The way to the vendor: the host, and the node whose credential is used.
#[derive(Clone, Copy)]
struct Door<'a> {
    host: &'a dyn NodeHost,
    node: &'a Node,
}

impl<'a> Door<'a> {
    fn of(context: &NodeContext<'a>) -> Door<'a> {
        Door { host: context.host, node: context.node() }
    }
}

async fn answer(door: Door<'_>, method: &str, path: &str, body: CallBody) -> Result<Value, ExecutionError> {
    let credential = door.host.credential(door.node, "sendGridApi").await?;
    let authorization = format!("Bearer {}", field(&credential, "apiKey")?);
    Ok(json(&send(door.host, Call { method, url: format!("{API}{path}"), authorization, body }).await?))
}

async fn send_mail(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Value>, ExecutionError> {
    let body = mail(context, index)?;
    let credential = context.host.credential(context.node(), "sendGridApi").await?;
    let authorization = format!("Bearer {}", field(&credential, "apiKey")?);
    let call =
        Call { method: "POST", url: format!("{API}/mail/send"), authorization, body: CallBody::Json(body.into()) };
    let response = send(context.host, call).await?;
    let id = response.headers.iter().find(|(name, _)| name == "x-message-id").map(|(_, value)| value.clone());
    Ok(vec![Object::from([("messageId", id.into())]).into()])
}

/// The request body of `/mail/send`.
fn mail(context: &mut NodeContext<'_>, index: usize) -> Result<Object, ExecutionError> {
    let more = context.parameter("additionalFields", index)?;
    let option = |name: &str| more.get(name).filter(|value| truthy(value)).map(Value::to_js_string);
    let person = |email: &str, name: Option<Str>| {
        let mut person = Object::from([("email", Value::from(email.trim()))]);
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            person.insert("name", name);
        }
        Value::from(person)
    };
    let people = |list: &str| -> Vec<Value> {
        list.split(',').filter(|one| !one.trim().is_empty()).map(|one| person(one, None)).collect()
    };
    let mut envelope = Object::from([("to", Value::from(people(&context.text("toEmail", index)?)))]);
    for (field, name) in [("cc", "ccEmail"), ("bcc", "bccEmail")] {
        if let Some(list) = option(name) {
            envelope.insert(field, people(&list));
        }
    }
    if let Some(at) = more.get("sendAt").and_then(Value::as_str).and_then(|at| at.parse::<jiff::Timestamp>().ok()) {
        envelope.insert("send_at", at.as_second());
    }
    let from = person(&context.text("fromEmail", index)?, Some(context.text("fromName", index)?));
    let mut body = Object::from([("from", from), ("personalizations", Value::array([envelope.clone().into()]))]);
    if context.flag("dynamicTemplate", index)? {
        body.insert("template_id", context.text("templateId", index)?);
        let fields = context.parameter("dynamicTemplateFields.fields", index)?;
        let data = fields
            .as_array()
            .unwrap_or_default()
            .iter()
            .filter_map(|pair| Some((pair.get("key")?.to_js_string(), pair.get("value")?.clone())));
        envelope.insert("dynamic_template_data", data.collect::<Object>());
        body.insert("personalizations", Value::array([envelope.into()]));
    } else {
        body.insert("subject", context.text("subject", index)?);
        let content = Object::from([
            ("type", Value::from(context.text("contentType", index)?)),
            ("value", Value::from(context.text("contentValue", index)?)),
        ]);
        body.insert("content", Value::array([content.into()]));
    }
    if let Some(list) = option("replyToEmail") {
        body.insert("reply_to_list", people(&list));
    }
    if let Some(list) = option("categories") {
        body.insert("categories", Value::array(list.split(',').map(|name| Value::from(name.trim()))));
    }
    if let Some(pool) = option("ipPoolName") {
        body.insert("ip_pool_name", pool);
    }
    if more.get("enableSandbox").is_some_and(truthy) {
        let on = Object::from([("enable", Value::from(true))]);
        body.insert("mail_settings", Object::from([("sandbox_mode", on.into())]));
    }
    let attached = attachments(context, &option("attachments").unwrap_or_default(), index)?;
    if !attached.is_empty() {
        body.insert("attachments", attached);
    }
    Ok(body)
}

fn attachments(context: &NodeContext<'_>, names: &str, index: usize) -> Result<Vec<Value>, ExecutionError> {
    let attached = attachments::listed(context, names, index)?.into_iter().map(|file| {
        let fields =
            [("content", file.content.into()), ("filename", file.file_name.into()), ("type", file.mime_type.into())];
        Value::from(Object::from(fields))
    });
    Ok(attached.collect())
}

async fn upsert_contact(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Value>, ExecutionError> {
    let more = context.parameter("additionalFields", index)?;
    let mut contact = Object::from([("email", Value::from(context.text("email", index)?))]);
    let named = [
        ("firstName", "first_name"),
        ("lastName", "last_name"),
        ("city", "city"),
        ("country", "country"),
        ("postalCode", "postal_code"),
        ("stateProvinceRegion", "state_province_region"),
    ];
    for (from, to) in named {
        if let Some(value) = more.get(from).filter(|value| truthy(value)) {
            contact.insert(to, value.clone());
        }
    }
    if let Some(list) = more.get("alternateEmails").filter(|value| truthy(value)) {
        contact.insert(
            "alternate_emails",
            Value::array(list.to_js_string().split(',').map(|one| Value::from(one.trim()))),
        );
    }
    let address = more.pointer("addressUi.addressValues");
    for (from, to) in [("address1", "address_line_1"), ("address2", "address_line_2")] {
        if let Some(value) = address.and_then(|address| address.get(from)) {
            contact.insert(to, value.clone());
        }
    }
    let mut body = Object::from([("contacts", Value::array([contact.into()]))]);
    let lists = more.pointer("listIdsUi.listIdValues.listIds").or_else(|| more.get("listIds"));
    if let Some(lists) = lists.filter(|lists| matches!(lists, Value::Array(_))) {
        body.insert("list_ids", lists.clone());
    }
    answer(Door::of(context), "PUT", "/marketing/contacts", CallBody::Json(body.into())).await.map(|it| vec![it])
}

async fn get_contact(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Value>, ExecutionError> {
    if context.text("by", index)? == "email" {
        let email = context.text("email", index)?.replace("'", "\\'");
        let body = Object::from([("query", Value::from(format!("email LIKE '{email}'")))]);
        let found =
            answer(Door::of(context), "POST", "/marketing/contacts/search", CallBody::Json(body.into())).await?;
        return Ok(found.get("result").and_then(Value::as_array).unwrap_or_default().iter().take(1).cloned().collect());
    }
    let path = format!("/marketing/contacts/{}", encoded(&context.text("contactId", index)?));
    answer(Door::of(context), "GET", &path, CallBody::None).await.map(|it| vec![it])
}

async fn get_contacts(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Value>, ExecutionError> {
    let limit = page_size(context, index)?;
    let query = context.text("filters.query", index)?;
    let found = if query.is_empty() {
        answer(Door::of(context), "GET", "/marketing/contacts", CallBody::None).await?
    } else {
        let body = Object::from([("query", Value::from(query))]);
        answer(Door::of(context), "POST", "/marketing/contacts/search", CallBody::Json(body.into())).await?
    };
    Ok(found.get("result").and_then(Value::as_array).unwrap_or_default().iter().take(limit).cloned().collect())
}

fn page_size(context: &mut NodeContext<'_>, index: usize) -> Result<usize, ExecutionError> {
    if context.flag("returnAll", index)? {
        return Ok(1000);
    }
    Ok(context.number("limit", index)?.and_then(millrace_model::to_index).unwrap_or(100))
}

/// A path segment or query value, percent-encoded.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
