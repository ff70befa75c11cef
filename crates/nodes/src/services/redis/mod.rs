//! Redis: reads and writes keys, lists and channels.

use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Object, Str, Value, truthy};

use super::vendor_api::Results;
use crate::dot_path;
use crate::{Behaviour, Capability, NodeContext, NodeHost, NodeResult, NodeType, Output, lenient};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.redis", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Network]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    Box::pin(async move {
        if lenient::is_given_a_message(context) {
            return Ok(Output::pass(context));
        }
        let credential = context.host.credential(context.node(), "redis").await?;
        let mut results = Results::new();
        for index in 0..context.items().len() {
            let made = operate(context, &credential, index).await.map(|json| vec![json]);
            results.add(context, index, made)?;
        }
        results.output()
    })
}

/// Runs one command; the answer is nil, a number, a text or a list.
async fn command(host: &dyn NodeHost, credential: &Object, words: Vec<Value>) -> Result<Value, ExecutionError> {
    let arguments = Object::from([("connection", Value::from(credential.clone())), ("command", Value::from(words))]);
    host.service("redis.command", arguments.into()).await
}

async fn operate(context: &mut NodeContext<'_>, credential: &Object, index: usize) -> Result<Value, ExecutionError> {
    let operation = context.text("operation", index)?;
    let input = context.items().get(index).and_then(|item| item.json.as_object()).cloned().unwrap_or_default();
    match operation.as_str() {
        "delete" => {
            let key = context.text("key", index)?;
            command(context.host, credential, vec!["DEL".into(), key.into()]).await?;
            Ok(input.into())
        }
        "get" => get(context, credential, index).await,
        "incr" => {
            let key = context.text("key", index)?;
            let count = command(context.host, credential, vec!["INCR".into(), key.clone().into()]).await?;
            if context.flag("expire", index)? {
                let ttl = context.parameter("ttl", index)?.to_js_string();
                command(context.host, credential, vec!["EXPIRE".into(), key.clone().into(), ttl.into()]).await?;
            }
            Ok(Object::from([(key.as_str(), count)]).into())
        }
        "info" => Ok(info(&command(context.host, credential, vec!["INFO".into()]).await?.to_js_string()).into()),
        "keys" => keys(context, credential, index).await,
        "llen" => {
            let list = context.text("list", index)?;
            let length = command(context.host, credential, vec!["LLEN".into(), list.clone().into()]).await?;
            Ok(Object::from([(list.as_str(), length)]).into())
        }
        "pop" => {
            let list = context.text("list", index)?;
            let verb = if context.flag("tail", index)? { "RPOP" } else { "LPOP" };
            let value = command(context.host, credential, vec![verb.into(), list.into()]).await?;
            let value = value.as_str().and_then(|text| Value::from_json(text).ok()).unwrap_or(value);
            named(context, "propertyName", index, value)
        }
        "publish" | "push" => {
            let tail = operation == "push" && context.flag("tail", index)?;
            let (verb, target, content) = match operation.as_str() {
                "publish" => ("PUBLISH", "channel", "messageData"),
                _ if tail => ("RPUSH", "list", "messageData"),
                _ => ("LPUSH", "list", "messageData"),
            };
            let (target, content) = (context.text(target, index)?, context.text(content, index)?);
            command(context.host, credential, vec![verb.into(), target.into(), content.into()]).await?;
            Ok(input.into())
        }
        "set" => {
            set(context, credential, index).await?;
            Ok(input.into())
        }
        _ => Err(ExecutionError::operation(ecow::eco_format!("the operation \"{operation}\" is not known"))),
    }
}

/// `{property: value}`, the property's dots meaning nested objects unless `options.dotNotation` is off.
fn named(context: &mut NodeContext<'_>, parameter: &str, index: usize, value: Value) -> Result<Value, ExecutionError> {
    let property = context.text(parameter, index)?;
    let mut json = Object::new();
    if context.parameter("options.dotNotation", index)? == Value::Bool(false) {
        json.insert(property, value);
    } else {
        dot_path::set(&mut json, &property, value)?;
    }
    Ok(json.into())
}

async fn get(context: &mut NodeContext<'_>, credential: &Object, index: usize) -> Result<Value, ExecutionError> {
    let (key, kind) = (context.text("key", index)?, context.text("keyType", index)?);
    let value = value_of(context.host, credential, &key, &kind).await?;
    named(context, "propertyName", index, value)
}

/// The value of a key, read as its kind: `string`, `hash`, `list`, `sets`, or `automatic` to ask the server.
async fn value_of(host: &dyn NodeHost, credential: &Object, key: &str, kind: &str) -> Result<Value, ExecutionError> {
    let asked: Str = if matches!(kind, "automatic" | "") {
        command(host, credential, vec!["TYPE".into(), key.into()]).await?.to_js_string()
    } else {
        kind.into()
    };
    let words = match asked.as_str() {
        "hash" => vec!["HGETALL".into(), key.into()],
        "list" => vec!["LRANGE".into(), key.into(), "0".into(), "-1".into()],
        "set" | "sets" => vec!["SMEMBERS".into(), key.into()],
        "none" => return Ok(Value::Null),
        _ => vec!["GET".into(), key.into()],
    };
    let value = command(host, credential, words).await?;
    if asked != "hash" {
        return Ok(value);
    }
    let pairs = value.as_array().unwrap_or_default().chunks_exact(2);
    let fields = pairs
        .filter_map(|pair| if let [name, value] = pair { Some((name.to_js_string(), value.clone())) } else { None });
    Ok(Value::Object(fields.collect()))
}

async fn keys(context: &mut NodeContext<'_>, credential: &Object, index: usize) -> Result<Value, ExecutionError> {
    let pattern = context.text("keyPattern", index)?;
    let found = command(context.host, credential, vec!["KEYS".into(), pattern.into()]).await?;
    if context.parameter("getValues", index)? == Value::Bool(false) {
        return Ok(Object::from([("keys", found)]).into());
    }
    let mut values = Object::new();
    for key in found.as_array().unwrap_or_default() {
        let key = key.to_js_string();
        let value = value_of(context.host, credential, &key, "automatic").await?;
        values.insert(key, value);
    }
    Ok(values.into())
}

async fn set(context: &mut NodeContext<'_>, credential: &Object, index: usize) -> Result<(), ExecutionError> {
    let (key, kind) = (context.text("key", index)?, context.text("keyType", index)?);
    let value = context.parameter("value", index)?;
    let kind = match (kind.as_str(), &value) {
        ("automatic" | "", Value::Array(_)) => "list",
        ("automatic" | "", Value::Object(_)) => "hash",
        ("automatic" | "", _) => "string",
        (kind, _) => kind,
    };
    let read = |value: &Value| match value {
        Value::String(text) => Value::from_json(text).unwrap_or_else(|_| value.clone()),
        other => other.clone(),
    };
    let mut words: Vec<Value> = match kind {
        "hash" => {
            let fields = read(&value);
            let Some(fields) = fields.as_object().filter(|fields| !fields.is_empty()) else {
                return Err(ExecutionError::operation("a hash is written from a JSON object with at least one field"));
            };
            let clear = command(context.host, credential, vec!["DEL".into(), key.clone().into()]);
            if context.parameters.get("valueIsJSON") == Some(&Value::Bool(false)) {
                clear.await?;
            }
            let pairs =
                fields.iter().flat_map(|(name, value)| [Value::from(name.clone()), value.to_js_string().into()]);
            std::iter::once(Value::from("HSET")).chain([key.clone().into()]).chain(pairs).collect()
        }
        "list" | "sets" => {
            let members = read(&value);
            let Some(members) = members.as_array().filter(|members| !members.is_empty()) else {
                return Err(ExecutionError::operation("a list or set is written from a JSON list that is not empty"));
            };
            let verb = if kind == "list" { "RPUSH" } else { "SADD" };
            if kind == "list" {
                command(context.host, credential, vec!["DEL".into(), key.clone().into()]).await?;
            }
            let members = members.iter().map(|member| Value::from(member.to_js_string()));
            [Value::from(verb), key.clone().into()].into_iter().chain(members).collect()
        }
        _ => {
            let text = match &value {
                Value::Object(_) | Value::Array(_) => value.to_json().into(),
                other => other.to_js_string(),
            };
            vec!["SET".into(), key.clone().into(), text.into()]
        }
    };
    command(context.host, credential, std::mem::take(&mut words)).await?;
    if truthy(&context.parameter("expire", index)?) {
        let ttl = context.parameter("ttl", index)?.to_js_string();
        command(context.host, credential, vec!["EXPIRE".into(), key.into(), ttl.into()]).await?;
    }
    Ok(())
}

/// The server's `INFO` as fields; numbers where the value is one, `a=1,b=2` as an object.
fn info(text: &str) -> Object {
    let number = |text: &str| text.parse::<f64>().map_or_else(|_| Value::from(text), Value::from);
    let lines = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':'));
    let fields = lines.map(|(name, value)| {
        let value = if value.contains('=') {
            let pairs = value.split(',').filter_map(|pair| pair.split_once('='));
            Value::Object(pairs.map(|(name, value)| (Str::from(name), number(value))).collect())
        } else {
            number(value)
        };
        (Str::from(name), value)
    });
    fields.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_lines_become_fields() {
        let text = "# Server\r\nredis_version:7.0.15\r\nuptime:12\r\ndb0:keys=3,expires=0\r\nbroken\r\n";
        let fields = Value::from(info(text)).to_json();
        assert_eq!(fields, r#"{"redis_version":"7.0.15","uptime":12,"db0":{"keys":3,"expires":0}}"#);
    }
}
