//! Schedule Trigger: begins runs at set times; its item says when.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use millrace_model::{Item, Object, Value};

use crate::{NodeContext, NodeResult, NodeType, Output, Role};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.scheduleTrigger", include_str!("description.json"), execute).role(Role::Trigger);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let nothing = matches!(context.items(), [item] if item.json.as_object().is_some_and(Object::is_empty));
    if !nothing {
        return Ok(Output::pass(context));
    }
    let json = moment(context.globals.clock.now_ms(), &context.zone());
    Ok(Output::items([Item::new(json).paired(0)]))
}

/// A moment in the words of this node's items.
pub(crate) fn moment(now_ms: i64, zone: &TimeZone) -> Object {
    let now = Timestamp::from_millisecond(now_ms).unwrap_or_default().to_zoned(zone.clone());
    let text = |format: &str| Value::from(now.strftime(format).to_string());
    let day = now.day();
    let ending = match (day % 10, day) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    let clock = now.strftime("%-I:%M:%S %P");
    let date = format!("{} {day}{ending} {}, {clock}", now.strftime("%B"), now.strftime("%Y"));
    let zone = format!("{} (UTC{})", zone.iana_name().unwrap_or("UTC"), now.strftime("%:z"));
    Object::from([
        ("timestamp", text("%Y-%m-%dT%H:%M:%S.%3f%:z")),
        ("Readable date", date.into()),
        ("Readable time", clock.to_string().into()),
        ("Day of week", text("%A")),
        ("Year", text("%Y")),
        ("Month", text("%B")),
        ("Day of month", text("%d")),
        ("Hour", text("%H")),
        ("Minute", text("%M")),
        ("Second", text("%S")),
        ("Timezone", zone.into()),
    ])
}
