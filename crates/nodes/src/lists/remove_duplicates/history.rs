//! Items that earlier executions have seen: by values, or by a number or date that only grows.

use millrace_model::{ExecutionError, Item, Str, Value, parse_number, to_index};
use rustc_hash::FxHashSet;

use crate::field_type::DateTime;
use crate::{NodeContext, NodeResult, Output};

/// Keeps the items that are new, puts the others on the second output, and remembers.
pub(super) async fn remove_seen(context: &mut NodeContext<'_>) -> NodeResult {
    let key = storage_key(context)?;
    match context.text("logic", 0)?.as_str() {
        "removeItemsUpToStoredIncrementalKey" => up_to_stored(context, &format!("{key}:number"), read_number).await,
        "removeItemsUpToStoredDate" => up_to_stored(context, &format!("{key}:date"), read_date).await,
        _ => by_values(context, &format!("{key}:values")).await,
    }
}

/// Forgets what was seen.
pub(super) async fn clear(context: &mut NodeContext<'_>) -> NodeResult {
    let key = storage_key(context)?;
    for part in ["values", "number", "date"] {
        context.host.remember(&format!("{key}:{part}"), Value::Null).await?;
    }
    Ok(Output::pass(context))
}

/// Where this node, or the whole workflow, keeps its history.
fn storage_key(context: &mut NodeContext<'_>) -> Result<String, ExecutionError> {
    match context.text("options.scope", 0)?.as_str() {
        "" | "node" => {
            let node = context.node();
            let identity = if node.id.is_empty() { &node.name } else { &node.id };
            Ok(format!("seen:node:{identity}"))
        }
        "workflow" => Ok("seen:workflow".to_owned()),
        other => Err(ExecutionError::operation(format!(
            "The scope '{other}' is not supported. Please select either \"node\" or \"workflow\"."
        ))),
    }
}

async fn by_values(context: &mut NodeContext<'_>, key: &str) -> NodeResult {
    let items = context.items();
    let size = context.number("options.historySize", 0)?.and_then(to_index).unwrap_or(10_000);
    let mut values = Vec::with_capacity(items.len());
    for at in 0..items.len() {
        let value = context.parameter("dedupeValue", at)?;
        values.push(match value {
            Value::Object(_) | Value::Array(_) => Str::from(value.to_json()),
            value => value.to_js_string(),
        });
    }
    let stored = context.host.recall(key).await?.unwrap_or_default();
    let mut history: Vec<Str> = stored.as_array().unwrap_or_default().iter().map(Value::to_js_string).collect();
    let known: FxHashSet<&Str> = history.iter().collect();
    let (mut kept, mut discarded): (Vec<Item>, Vec<Item>) = (Vec::new(), Vec::new());
    let mut fresh = Vec::new();
    let mut added = FxHashSet::default();
    for (item, value) in items.iter().zip(&values) {
        if known.contains(value) {
            discarded.push(item.clone());
        } else {
            kept.push(item.clone());
            if added.insert(value) {
                fresh.push(value.clone());
            }
        }
    }
    if added.len() > size {
        return Err(ExecutionError::operation(
            "The number of items to be processed exceeds the maximum history size. Please increase the history size or \
             reduce the number of items to be processed.",
        ));
    }
    history.extend(fresh);
    let surplus = history.len().saturating_sub(size);
    history.drain(..surplus);
    let history = Value::array(history.into_iter().map(Value::from));
    context.host.remember(key, history).await?;
    Ok(Output::of(vec![kept, discarded]))
}

type Read = fn(&mut NodeContext<'_>, usize) -> Result<f64, ExecutionError>;

/// Items whose number is above the highest one of earlier executions.
async fn up_to_stored(context: &mut NodeContext<'_>, key: &str, read: Read) -> NodeResult {
    let items = context.items();
    let mut numbers = Vec::with_capacity(items.len());
    for at in 0..items.len() {
        numbers.push(read(context, at)?);
    }
    let stored = context.host.recall(key).await?.and_then(|stored| stored.as_f64());
    let mut highest = stored;
    let (mut kept, mut discarded): (Vec<Item>, Vec<Item>) = (Vec::new(), Vec::new());
    for (item, number) in items.iter().zip(numbers) {
        if stored.is_some_and(|stored| number <= stored) {
            discarded.push(item.clone());
            continue;
        }
        kept.push(item.clone());
        highest = Some(highest.map_or(number, |highest| highest.max(number)));
    }
    if let Some(highest) = highest {
        context.host.remember(key, highest.into()).await?;
    }
    Ok(Output::of(vec![kept, discarded]))
}

fn read_number(context: &mut NodeContext<'_>, at: usize) -> Result<f64, ExecutionError> {
    let value = context.parameter("incrementalDedupeValue", at)?;
    let number = match &value {
        Value::Number(number) => *number,
        Value::String(text) if !text.trim().is_empty() => parse_number(text),
        _ => f64::NAN,
    };
    if number.is_finite() {
        return Ok(number);
    }
    if value.is_nullish() {
        return Err(nothing().at_item(at));
    }
    let message = format!("The value '{}' is not a number. Please provide a number.", shown(&value));
    Err(ExecutionError::operation(message).at_item(at))
}

fn nothing() -> ExecutionError {
    ExecutionError::operation("The `Value to Dedupe` On is empty. Please provide a value.")
}

fn read_date(context: &mut NodeContext<'_>, at: usize) -> Result<f64, ExecutionError> {
    let value = context.parameter("dateDedupeValue", at)?;
    let milliseconds = match &value {
        Value::Number(number) => Some(*number),
        Value::String(text) => DateTime::parse(text, &context.zone())
            .map(|date| Value::from(date.as_millisecond()))
            .and_then(|time| time.as_f64()),
        _ => None,
    };
    milliseconds.filter(|milliseconds| milliseconds.is_finite()).ok_or_else(|| {
        if value.is_nullish() {
            return nothing().at_item(at);
        }
        let message = format!("The value '{}' is not a valid date. Please provide a valid date.", shown(&value));
        ExecutionError::operation(message).at_item(at)
    })
}

fn shown(value: &Value) -> Str {
    match value {
        Value::Object(_) => value.to_json().into(),
        value => value.to_js_string(),
    }
}
