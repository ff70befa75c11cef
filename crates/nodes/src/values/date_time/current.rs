//! Version 2. The arithmetic and the formats are Luxon's, run in the sandbox.

use millrace_model::{ExecutionError, Item, Object, Str, Value, truthy};

use super::given::{Given, Moment};
use crate::NodeContext;

/// The JSON of the item that comes out.
pub(super) fn convert(context: &mut NodeContext<'_>, index: usize, item: &Item) -> Result<Object, ExecutionError> {
    let options = context.parameter("options", index)?.as_object().cloned().unwrap_or_default();
    let operation = context.text("operation", index)?;
    let value = match operation.as_str() {
        "addToDate" => shifted(context, index, 1.0)?,
        "subtractFromDate" => shifted(context, index, -1.0)?,
        "formatDate" => formatted(context, index, &options)?,
        "roundDate" => rounded(context, index)?,
        "getTimeBetweenDates" => difference(context, index, &options)?,
        "extractDate" => part(context, index)?,
        _ => now(context, index, &options)?,
    };
    let keep = options.get("includeInputFields").is_some_and(truthy);
    let mut json = if keep { item.json.as_object().cloned().unwrap_or_default() } else { Object::new() };
    json.insert(context.text("outputFieldName", index)?, value);
    Ok(json)
}

fn workflow_zone(context: &NodeContext<'_>) -> Str {
    context.workflow.settings.timezone.clone().unwrap_or_else(|| context.globals.timezone.clone())
}

fn moment(context: &mut NodeContext<'_>, path: &str, index: usize) -> Result<Moment, ExecutionError> {
    let zone = workflow_zone(context);
    Given::of(context, path, index)?.moment(context, index, Some(zone), None)
}

/// Evaluates a Luxon expression over `date` (the moment) and further names.
fn luxon(
    context: &mut NodeContext<'_>,
    index: usize,
    moment: &Moment,
    code: &str,
    mut names: Object,
) -> Result<Value, ExecutionError> {
    names.insert("$time", moment.milliseconds);
    names.insert("$zone", moment.zone.clone());
    let text = format!("={{{{ ((date) => {code})(DateTime.fromMillis($time, {{ zone: $zone }})) }}}}");
    context.resolve_with(&text.into(), index, &names)
}

fn now(context: &mut NodeContext<'_>, index: usize, options: &Object) -> Result<Value, ExecutionError> {
    let chosen = options.get("timezone").and_then(Value::as_str).filter(|zone| !zone.is_empty()).map(Str::from);
    let zone = chosen.unwrap_or_else(|| workflow_zone(context));
    if jiff::tz::TimeZone::get(&zone).is_err() {
        let message = format!("The timezone {zone} is not valid. Please check the timezone.");
        return Err(ExecutionError::operation(message));
    }
    let moment = Moment { milliseconds: super::given::whole(context.host.now_ms()), zone };
    let code = if context.flag("includeTime", index)? { "date.toISO()" } else { "date.startOf('day').toISO()" };
    luxon(context, index, &moment, code, Object::new())
}

fn shifted(context: &mut NodeContext<'_>, index: usize, sign: f64) -> Result<Value, ExecutionError> {
    let moment = moment(context, "magnitude", index)?;
    let names = Object::from([
        ("$unit", context.text("timeUnit", index)?.into()),
        ("$count", (duration(context, index)? * sign).into()),
    ]);
    luxon(context, index, &moment, "date.plus({ [$unit]: $count }).toISO()", names)
}

fn formatted(context: &mut NodeContext<'_>, index: usize, options: &Object) -> Result<Value, ExecutionError> {
    let given = Given::of(context, "date", index)?;
    if let Given::Other(value @ (Value::Null | Value::Undefined)) = given {
        return Ok(value);
    }
    let zone = options.get("timezone").is_some_and(truthy).then(|| workflow_zone(context));
    let from = options.get("fromFormat").and_then(Value::as_str).filter(|format| !format.is_empty()).map(Str::from);
    let moment = given.moment(context, index, zone, from)?;
    let mut format = context.text("format", index)?;
    if format == "custom" {
        format = context.text("customFormat", index)?;
    }
    luxon(context, index, &moment, "date.toFormat($format)", Object::from([("$format", format.into())]))
}

fn rounded(context: &mut NodeContext<'_>, index: usize) -> Result<Value, ExecutionError> {
    let moment = moment(context, "date", index)?;
    let (path, code) = match context.text("mode", index)?.as_str() {
        "roundUp" => ("to", "date.plus({ [$unit]: 1 }).startOf($unit).toISO()"),
        _ => ("toNearest", "date.startOf($unit).toISO()"),
    };
    let names = Object::from([("$unit", context.text(path, index)?.into())]);
    luxon(context, index, &moment, code, names)
}

fn difference(context: &mut NodeContext<'_>, index: usize, options: &Object) -> Result<Value, ExecutionError> {
    let start = moment(context, "startDate", index)?;
    let end = moment(context, "endDate", index)?;
    let units = context.parameter("units", index)?;
    if units.as_array().is_some_and(<[Value]>::is_empty) {
        return Err(ExecutionError::operation("Invalid unit undefined"));
    }
    let names = Object::from([("$end", end.milliseconds.into()), ("$endZone", end.zone.into()), ("$units", units)]);
    let read = if options.get("isoString").is_some_and(truthy) { "toISO" } else { "toObject" };
    let code = format!("DateTime.fromMillis($end, {{ zone: $endZone }}).diff(date, $units).{read}()");
    luxon(context, index, &start, &code, names)
}

fn part(context: &mut NodeContext<'_>, index: usize) -> Result<Value, ExecutionError> {
    let moment = moment(context, "date", index)?;
    let part = context.text("part", index)?;
    let part = if part == "week" { "weekNumber".into() } else { part };
    luxon(context, index, &moment, "date.get($part)", Object::from([("$part", part.into())]))
}

/// The number of units, in Luxon's words where it is none.
fn duration(context: &mut NodeContext<'_>, index: usize) -> Result<f64, ExecutionError> {
    let count = context.number("duration", index)?.unwrap_or(0.0);
    if count.is_nan() {
        let given = context.parameter("duration", index)?.to_js_string();
        return Err(ExecutionError::operation(format!("Invalid unit value {given}")));
    }
    Ok(count)
}
