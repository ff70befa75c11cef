//! TOTP: time-based one-time passwords (RFC 6238).

#[cfg(test)]
mod tests;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item, Object, Value, to_index};

use super::digest::Hash;
use crate::network::http::field;
use crate::{Behaviour, NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.totp", include_str!("description.json"), Behaviour::Effect(execute));

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        let credential = context.host.credential(context.node(), "totpApi").await?;
        if !field(&credential, "label").contains(':') {
            return Err(ExecutionError::operation("Malformed label - expected `issuer:username`"));
        }
        let secret = base32(&field(&credential, "secret"))
            .ok_or_else(|| ExecutionError::operation("The secret of the credential is not base32 text"))?;
        let mut made = Vec::with_capacity(context.items().len());
        for index in 0..context.items().len() {
            made.push(Item::new(password(context, index, &secret)?).paired(index));
        }
        Ok(Output::items(made))
    }
    .boxed()
}

fn password(context: &mut NodeContext<'_>, index: usize, secret: &[u8]) -> Result<Object, ExecutionError> {
    let options = context.parameter("options", index)?.as_object().cloned().unwrap_or_default();
    let number = |name: &str, default: usize| {
        options.get(name).and_then(Value::as_f64).and_then(to_index).filter(|number| *number > 0).unwrap_or(default)
    };
    let name = options.get("algorithm").and_then(Value::as_str).unwrap_or("SHA1");
    let hash = Hash::named(name)
        .ok_or_else(|| ExecutionError::operation(format!("The algorithm {name} is not supported")).at_item(index))?;
    let digits = u32::try_from(number("digits", 6).min(9)).unwrap_or(6);
    let period = i64::try_from(number("period", 30)).unwrap_or(30);
    let seconds = context.host.now_ms().div_euclid(1000);
    let token = one_time_password(hash, secret, seconds.div_euclid(period), digits);
    let remaining = period - seconds.rem_euclid(period);
    Ok(Object::from([("token", token.into()), ("secondsRemaining", remaining.into())]))
}

/// The password of a counter (RFC 4226 §5.3).
fn one_time_password(hash: Hash, secret: &[u8], counter: i64, digits: u32) -> String {
    let keyed = hash.keyed(secret, &counter.to_be_bytes());
    let offset = usize::from(keyed.last().copied().unwrap_or(0) & 15);
    let bytes = keyed.get(offset..offset + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).unwrap_or_default();
    let code = (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 10u32.pow(digits);
    format!("{code:0width$}", width = usize::try_from(digits).unwrap_or(6))
}

/// Bytes of base32 text (RFC 4648 §6), blanks and case not counting.
fn base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for letter in text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-' && *letter != '=') {
        let value = match letter.to_ascii_uppercase() {
            letter @ 'A'..='Z' => u32::from(letter) - u32::from('A'),
            digit @ '2'..='7' => u32::from(digit) - u32::from('2') + 26,
            _ => return None,
        };
        bits = (bits << 5) | value;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).unwrap_or(0));
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}
