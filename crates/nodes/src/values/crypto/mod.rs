//! Crypto: hashes, keyed hashes, signatures and random text.

mod signature;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item, Object, Value, to_index};

use super::digest::{Hash, hex};
use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.crypto", include_str!("description.json"), Behaviour::Effect(execute));

/// Longest random text, in characters.
const MAX_LENGTH: usize = 1 << 20;

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        let secrets = if context.version() >= 2.0 && context.node().credentials.contains_key("crypto") {
            context.host.credential(context.node(), "crypto").await?
        } else {
            Object::new()
        };
        let mut made = Vec::with_capacity(context.items().len());
        for (index, item) in context.items().iter().enumerate() {
            match compute(context, index, item, &secrets) {
                Ok(item) => made.push(item.paired(index)),
                Err(error) => made.push(context.failed_item(error, index)?),
            }
        }
        Ok(Output::items(made))
    }
    .boxed()
}

fn compute(context: &mut NodeContext<'_>, index: usize, item: &Item, secrets: &Object) -> Result<Item, ExecutionError> {
    let text = match context.text("action", index)?.as_str() {
        "generate" => generated(context, index)?,
        "hmac" => {
            let hash = hash(&context.text("type", index)?)?;
            let secret = secret(context, "secret", "hmacSecret", index, secrets)?;
            let keyed = hash.keyed(secret.as_bytes(), &input(context, index)?);
            encoded(context, index, &keyed)?
        }
        "sign" => {
            let hash = hash(&context.text("algorithm", index)?)?;
            let key = secret(context, "privateKey", "signPrivateKey", index, secrets)?;
            let signature = signature::sign(&key, hash, context.text("value", index)?.as_bytes())?;
            encoded(context, index, &signature)?
        }
        _ => {
            let hash = hash(&context.text("type", index)?)?;
            let digest = hash.of(&input(context, index)?);
            encoded(context, index, &digest)?
        }
    };
    let mut json = item.json.as_object().cloned().unwrap_or_default();
    json.insert(context.text("dataPropertyName", index)?, text);
    Ok(Item { json: json.into(), binary: item.binary.clone(), ..Item::default() })
}

fn hash(name: &str) -> Result<Hash, ExecutionError> {
    Hash::named(name).ok_or_else(|| ExecutionError::operation(format!("The algorithm {name} is not supported")))
}

/// A secret of the credential, else of the parameter.
fn secret(
    context: &mut NodeContext<'_>,
    parameter: &str,
    field: &str,
    index: usize,
    secrets: &Object,
) -> Result<millrace_model::Str, ExecutionError> {
    match secrets.get(field) {
        Some(Value::String(secret)) => Ok(secret.clone()),
        _ => context.text(parameter, index),
    }
}

/// The text, or the bytes of the file, that is hashed.
fn input(context: &mut NodeContext<'_>, index: usize) -> Result<Bytes, ExecutionError> {
    if !context.flag("binaryData", index)? {
        return Ok(context.text("value", index)?.to_string().into());
    }
    let property = context.text("binaryPropertyName", index)?;
    crate::files::load(context, &property, index)
}

fn encoded(context: &mut NodeContext<'_>, index: usize, bytes: &[u8]) -> Result<String, ExecutionError> {
    Ok(match context.text("encoding", index)?.as_str() {
        "base64" => STANDARD.encode(bytes),
        _ => hex(bytes),
    })
}

fn generated(context: &mut NodeContext<'_>, index: usize) -> Result<String, ExecutionError> {
    let kind = context.text("encodingType", index)?;
    if kind == "uuid" {
        let mut bytes = [0u8; 16];
        context.host.random(&mut bytes);
        return Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string());
    }
    let length = context.number("stringLength", index)?.and_then(to_index).filter(|length| *length <= MAX_LENGTH);
    let length = length.ok_or_else(|| ExecutionError::operation(format!("The length must be 0 to {MAX_LENGTH}")))?;
    let mut bytes = vec![0u8; length];
    context.host.random(&mut bytes);
    let text = match kind.as_str() {
        "base64" => STANDARD.encode(&bytes).replace(['+', '/', '='], ""),
        "ascii" => bytes.iter().map(|byte| char::from(byte & 0x7f)).collect(),
        _ => hex(&bytes),
    };
    Ok(text.chars().take(length).collect())
}
