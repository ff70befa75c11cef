//! Version 1: formats and arithmetic as Moment.js has them.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use millrace_model::{ExecutionError, Item, Object, Str, Value};

use super::given::{Given, timestamp};
use super::moment;
use crate::NodeContext;
use crate::field_type::DateTime;

/// The JSON of the item that comes out.
pub(super) fn convert(context: &mut NodeContext<'_>, index: usize, item: &Item) -> Result<Object, ExecutionError> {
    let mut json = item.json.as_object().cloned().unwrap_or_default();
    let options = context.parameter("options", index)?.as_object().cloned().unwrap_or_default();
    let given = Given::of(context, "value", index)?;
    let given = match given {
        Given::Other(value) if value.is_undefined() || value.as_str() == Some("") => return Ok(json),
        Given::Other(Value::Null) => Given::Other(0.into()),
        given => given,
    };
    let text = match context.text("action", index)?.as_str() {
        "calculate" => calculated(context, index, given, &options)?,
        _ => formatted(context, index, given, &options)?,
    };
    let name = context.text("dataPropertyName", index)?;
    json.insert(name, text);
    Ok(json)
}

fn option(options: &Object, name: &str) -> Option<Str> {
    options.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(Str::from)
}

fn formatted(
    context: &mut NodeContext<'_>,
    index: usize,
    given: Given,
    options: &Object,
) -> Result<String, ExecutionError> {
    let from_format = option(options, "fromFormat");
    let (from_zone, to_zone) = (option(options, "fromTimezone"), option(options, "toTimezone"));
    let zoned = from_zone.is_some() || to_zone.is_some();
    let unrecognized = || {
        ExecutionError::operation("The date input format could not be recognized. Please set the \"From Format\" field")
    };
    let reading_zone = match (&from_zone, zoned) {
        (Some(name), _) => named(name)?,
        (None, true) => context.zone(),
        (None, false) => TimeZone::UTC,
    };
    let moment = match given {
        Given::Luxon { milliseconds, .. } => at(milliseconds, TimeZone::UTC),
        Given::Other(value) => match (timestamp(&value), &from_format) {
            (Some(milliseconds), _) => at(milliseconds, TimeZone::UTC),
            (None, Some(format)) => {
                let now = now(context, &reading_zone);
                let parsed = moment::parse(&value.to_js_string(), format, &now, false);
                let Some(parsed) = parsed else { return Ok("Invalid date".into()) };
                Some(parsed)
            }
            (None, None) => read(&value, &reading_zone),
        },
    };
    let moment = moment.ok_or_else(unrecognized)?;
    let shown_in = match (&to_zone, zoned) {
        (Some(name), _) => named(name)?,
        (None, true) => context.zone(),
        (None, false) => moment.time_zone().clone(),
    };
    let chosen = context.text("toFormat", index)?;
    let format = if chosen.is_empty() { "YYYY-MM-DDTHH:mm:ssZ".into() } else { chosen };
    Ok(moment::format(&moment.with_time_zone(shown_in), &format))
}

fn calculated(
    context: &mut NodeContext<'_>,
    index: usize,
    given: Given,
    options: &Object,
) -> Result<String, ExecutionError> {
    let date = match (given, option(options, "fromFormat")) {
        (Given::Luxon { milliseconds, .. }, _) => at(milliseconds, TimeZone::UTC),
        (Given::Other(value), Some(format)) => {
            let now = now(context, &TimeZone::UTC);
            let parsed = moment::parse(&value.to_js_string(), &format, &now, true);
            Some(parsed.ok_or_else(|| {
                ExecutionError::operation(
                    "Date input cannot be parsed. Please recheck the value and the \"From Format\" field.",
                )
            })?)
        }
        (Given::Other(Value::Number(number)), None) => at(number, TimeZone::UTC),
        (Given::Other(value), None) => read(&value, &TimeZone::UTC),
    };
    let date = date.ok_or_else(|| {
        ExecutionError::operation("Unrecognized date input. Please specify a format in the \"From Format\" field.")
    })?;
    let count = context.number("duration", index)?.unwrap_or(0.0);
    let count = if context.text("operation", index)? == "subtract" { -count } else { count };
    let unit = context.text("timeUnit", index)?;
    let span = span(&unit, count).ok_or_else(|| ExecutionError::operation(format!("Unknown time unit: {unit}")))?;
    let moved = date.checked_add(span).map_err(|_| ExecutionError::operation("The date is out of range"))?;
    Ok(moment::format(&moved.with_time_zone(TimeZone::UTC), "YYYY-MM-DDTHH:mm:ss.SSS[Z]"))
}

/// So many units; fractions of units of time count, those of days and longer are rounded, as Moment.js does.
#[expect(clippy::as_conversions, reason = "rounded, and jiff refuses what is out of range")]
fn span(unit: &str, count: f64) -> Option<Span> {
    let whole = count.round() as i64;
    let milliseconds = |each: f64| Span::new().try_milliseconds((count * each).round() as i64).ok();
    match unit.trim_end_matches('s') {
        "year" => Span::new().try_years(whole).ok(),
        "quarter" => Span::new().try_months(whole.checked_mul(3)?).ok(),
        "month" => Span::new().try_months(whole).ok(),
        "week" => Span::new().try_weeks(whole).ok(),
        "day" => Span::new().try_days(whole).ok(),
        "hour" => milliseconds(3_600_000.0),
        "minute" => milliseconds(60_000.0),
        "second" => milliseconds(1000.0),
        "millisecond" => milliseconds(1.0),
        _ => None,
    }
}

/// A date without a format: ISO in the zone given, other forms in UTC.
fn read(value: &Value, zone: &TimeZone) -> Option<Zoned> {
    let text = value.as_str()?;
    let is_iso = text.bytes().take(4).all(|byte| byte.is_ascii_digit()) && text.as_bytes().get(4) == Some(&b'-');
    let reading_zone = if is_iso { zone.clone() } else { TimeZone::UTC };
    let parsed = DateTime::parse(text, &reading_zone)?;
    at(super::given::whole(parsed.as_millisecond()), zone.clone())
}

#[expect(clippy::as_conversions, reason = "out of range and NaN become values that jiff refuses or 0")]
fn at(milliseconds: f64, zone: TimeZone) -> Option<Zoned> {
    Timestamp::from_millisecond(milliseconds as i64).ok().map(|timestamp| timestamp.to_zoned(zone))
}

fn now(context: &NodeContext<'_>, zone: &TimeZone) -> Zoned {
    let timestamp = Timestamp::from_millisecond(context.host.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.to_zoned(zone.clone())
}

fn named(zone: &str) -> Result<TimeZone, ExecutionError> {
    TimeZone::get(zone)
        .map_err(|_| ExecutionError::operation(format!("The timezone {zone} is not valid. Please check the timezone.")))
}
