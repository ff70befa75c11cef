//! `Intl.DateTimeFormat`: an instant in a zone, written as a language writes it, in the Gregorian calendar.

use icu_calendar::{Date, Gregorian};
use icu_datetime::{
    DateTimeFormatterPreferences, FixedCalendarDateTimeFormatter,
    fieldsets::{self, enums::CompositeFieldSet},
    preferences::HourCycle,
};
use icu_time::{
    Time, TimeZone as ZoneId, TimeZoneInfo, ZonedDateTime,
    zone::{IanaParser, UtcOffset, ZoneNameTimestamp, models::AtTime},
};
use jiff::{
    Timestamp, Zoned,
    tz::{Offset, TimeZone},
};
use rquickjs::{Ctx, Exception, Function, Object, Result};

use super::{
    fields::{Fields, Width},
    habits, locales,
    parts::{TextPart, collect, flatten},
    range_error,
};

type Formatter = FixedCalendarDateTimeFormatter<Gregorian, CompositeFieldSet>;
type Moment = ZonedDateTime<Gregorian, TimeZoneInfo<AtTime>>;

/// A function of milliseconds since the epoch that gives the date's parts, kind and text in turn. Options: `locale`,
/// `timeZone`, `wantedCycle` (h12, …) and the fields or styles of `Intl.DateTimeFormat`, defaults filled in.
pub(super) fn formatter<'js>(ctx: Ctx<'js>, wanted: Object<'js>) -> Result<Function<'js>> {
    let locale = locales::parse(&ctx, &wanted.get::<_, String>("locale")?)?;
    let mut preferences = DateTimeFormatterPreferences::from(&locale);
    preferences.hour_cycle = match wanted.get::<_, Option<String>>("wantedCycle")?.as_deref() {
        Some("h11") => Some(HourCycle::H11),
        Some("h12") => Some(HourCycle::H12),
        Some("h23" | "h24") => Some(HourCycle::H23),
        _ => preferences.hour_cycle,
    };
    let mut fields = Fields::read(&wanted)?;
    let (formatters, months) = fitting(preferences, &mut fields).or_else(|error| range_error(&ctx, &error))?;
    let weekdays = match fields.weekday {
        Some(width) => Some(weekday_names(preferences, width).or_else(|error| range_error(&ctx, &error))?),
        None => None,
    };
    let writer = Writer {
        zone: zone(&ctx, &wanted.get::<_, String>("timeZone")?)?,
        padded: habits::padded(&locale),
        at: habits::at(&locale),
        separator: if locale.id.language.as_str() == "en" { " " } else { ", " },
        short_hours: habits::has_short_hours(&locale),
        midnight_is_24: wanted.get::<_, Option<String>>("wantedCycle")?.as_deref() == Some("h24"),
        halves: habits::halves_of_the_day(&locale),
        fields,
        formatters,
        weekdays,
        months,
    };
    crate::prelude::made_function(&ctx);
    Function::new(ctx, move |ctx: Ctx<'js>, ms: f64| match writer.write(ms) {
        Some(parts) => Ok(flatten(parts)),
        None => Err(Exception::throw_range(&ctx, "Invalid time value")),
    })
}

/// The formatters of the wanted fields. Where a short month was wanted and the language's medium patterns have a
/// number in its place, the long patterns and the short names to put into them.
fn fitting(
    preferences: DateTimeFormatterPreferences,
    fields: &mut Fields,
) -> std::result::Result<(Vec<Formatter>, Option<Vec<String>>), String> {
    let make = |fields: &Fields| {
        let made = fields.sets().into_iter().map(|set| Formatter::try_new(preferences, set));
        made.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| error.to_string())
    };
    let formatters = make(fields)?;
    if fields.month != Some(Width::Short) || fields.has_style() {
        return Ok((formatters, None));
    }
    let sample = moment(&Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC)).ok_or("no sample date")?;
    let numeric = formatters
        .iter()
        .flat_map(|formatter| collect(&formatter.format(&sample)))
        .any(|part| part.kind == "month" && part.text.chars().all(char::is_numeric));
    if !numeric {
        return Ok((formatters, None));
    }
    fields.month = Some(Width::Long);
    let formatters = make(fields)?;
    fields.month = Some(Width::Short);
    let names = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(preferences, fieldsets::M::medium())
        .map_err(|error| error.to_string())?;
    let months = (1..=12).map(|month| {
        let day = Date::try_new_gregorian(2024, month, 1).map_err(|error| error.to_string())?;
        Ok::<String, String>(collect(&names.format(&day)).into_iter().map(|part| part.text).collect())
    });
    Ok((formatters, Some(months.collect::<std::result::Result<_, _>>()?)))
}

/// Does the language count hours to twelve?
pub(super) fn uses_twelve_hours(ctx: Ctx<'_>, tag: String) -> Result<bool> {
    let preferences = DateTimeFormatterPreferences::from(&locales::parse(&ctx, &tag)?);
    let time = fieldsets::T::hm();
    let formatter = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(preferences, time)
        .or_else(|error| range_error(&ctx, &error.to_string()))?;
    let noon = Time::try_new(13, 0, 0, 0).or_else(|error| range_error(&ctx, &error.to_string()))?;
    Ok(collect(&formatter.format(&noon)).iter().any(|part| part.kind == "dayPeriod"))
}

struct Writer {
    zone: TimeZone,
    fields: Fields,
    formatters: Vec<Formatter>,
    /// Names of the week's days from Monday, in the wanted width.
    weekdays: Option<Vec<String>>,
    padded: (bool, bool),
    short_hours: bool,
    midnight_is_24: bool,
    /// Names of the halves of the day where the data has only finer periods.
    halves: Option<[&'static str; 2]>,
    /// Short names of the months, where the language has no medium pattern with names.
    months: Option<Vec<String>>,
    at: Option<(&'static str, &'static str)>,
    /// Between field sets that have no pattern together.
    separator: &'static str,
}

impl Writer {
    fn write(&self, ms: f64) -> Option<Vec<TextPart>> {
        let zoned = Timestamp::from_millisecond(milliseconds(ms)?).ok()?.to_zoned(self.zone.clone());
        let moment = moment(&zoned)?;
        let mut parts = Vec::new();
        for formatter in &self.formatters {
            if !parts.is_empty() {
                parts.push(TextPart::new("literal", self.separator));
            }
            parts.extend(collect(&formatter.format(&moment)));
        }
        if self.fields.hour.is_none() && !self.fields.has_style() {
            self.write_minutes(&zoned, &mut parts);
        }
        if !self.fields.has_style() {
            for part in &mut parts {
                self.resize(part, &zoned);
            }
        }
        self.join_with_at(&mut parts);
        for part in &mut parts {
            if part.kind == "hour" && self.short_hours && self.fields.hour != Some(Width::TwoDigit) {
                pad(&mut part.text, Width::Numeric, false);
            }
            // V8 writes the narrow space before AM and PM as a plain one, for the sake of scripts that split there.
            part.text = part.text.replace('\u{202f}', " ");
            if part.kind == "hour" && self.midnight_is_24 && matches!(part.text.as_str(), "0" | "00") {
                "24".clone_into(&mut part.text);
            }
            if let (Some([am, pm]), "dayPeriod") = (self.halves, part.kind) {
                if zoned.hour() < 12 { am } else { pm }.clone_into(&mut part.text);
            }
        }
        Some(parts)
    }

    /// Minutes and seconds without the hour, which no field set has.
    fn write_minutes(&self, zoned: &Zoned, parts: &mut Vec<TextPart>) {
        let mut put = |kind, text: String, separator: &str| {
            if !parts.is_empty() {
                parts.push(TextPart::new("literal", separator));
            }
            parts.push(TextPart::new(kind, text));
        };
        let alone = self.fields.minute.is_none() || self.fields.second.is_none();
        let digits = |value: i8| if alone { value.to_string() } else { format!("{value:02}") };
        if self.fields.minute.is_some() {
            put("minute", digits(zoned.minute()), ", ");
        }
        if self.fields.second.is_some() {
            put("second", digits(zoned.second()), if alone { ", " } else { ":" });
        }
        if let Some(count) = self.fields.fraction {
            let text = format!("{:09}", zoned.subsec_nanosecond());
            put("fractionalSecond", text.chars().take(count.into()).collect(), ".");
        }
    }

    /// Brings a field to the wanted width: patterns have one width for each length of the whole.
    fn resize(&self, part: &mut TextPart, zoned: &Zoned) {
        let fields = &self.fields;
        let whole = fields.year.is_some() && fields.month.is_some() && fields.day.is_some();
        let digits_only = matches!(fields.month, Some(Width::Numeric | Width::TwoDigit));
        match (part.kind, fields) {
            ("weekday", Fields { .. }) => {
                let names = self.weekdays.as_deref().unwrap_or_default();
                let day = usize::try_from(zoned.weekday().to_monday_zero_offset()).unwrap_or_default();
                if let Some(name) = names.get(day) {
                    part.text.clone_from(name);
                }
            }
            ("month", Fields { month: Some(Width::Narrow), .. }) => narrow(&mut part.text),
            ("month", Fields { month: Some(Width::Short), .. }) => {
                let month = usize::try_from(zoned.month() - 1).unwrap_or_default();
                if let Some(name) = self.months.as_ref().and_then(|names| names.get(month)) {
                    part.text.clone_from(name);
                }
            }
            ("month", Fields { month: Some(width), .. }) if digits_only => {
                pad(&mut part.text, *width, self.padded.1 && fields.year.is_some());
            }
            ("day", Fields { day: Some(width), .. }) => {
                pad(&mut part.text, *width, self.padded.0 && whole && digits_only)
            }
            ("hour", Fields { hour: Some(Width::TwoDigit), .. }) => pad(&mut part.text, Width::TwoDigit, true),
            ("year", Fields { year: Some(Width::TwoDigit), .. }) => {
                let skip = part.text.chars().count().saturating_sub(2);
                part.text = part.text.chars().skip(skip).collect();
            }
            _ => {}
        }
    }

    /// A written-out date and its time are joined by a word in some languages.
    fn join_with_at(&self, parts: &mut [TextPart]) {
        let fields = &self.fields;
        let long = matches!(fields.date_style.as_deref(), Some("full" | "long"))
            || (fields.month == Some(Width::Long) && fields.day.is_some());
        let timed = fields.time_style.is_some() || fields.hour.is_some();
        let (Some((plain, at)), true) = (self.at, timed) else { return };
        // Long patterns that stand in for medium ones bring the word along; medium ones have none.
        let (from, to) = if self.months.is_some() { (at, plain) } else { (plain, at) };
        let hour = parts.iter().position(|part| matches!(part.kind, "hour" | "dayPeriod"));
        let glue = hour.and_then(|hour| parts.get_mut(hour.checked_sub(1)?));
        if let Some(glue) = glue.filter(|part| part.kind == "literal" && part.text == from && (long || from == at)) {
            to.clone_into(&mut glue.text);
        }
    }
}

/// A number as two digits, or without its leading zero; a language may want the zero kept.
fn pad(text: &mut String, width: Width, keep: bool) {
    if width == Width::TwoDigit {
        if text.chars().count() == 1 {
            text.insert(0, '0');
        }
    } else if !keep && text.chars().count() == 2 && text.starts_with('0') {
        text.remove(0);
    }
}

fn narrow(name: &mut String) {
    *name = name.chars().next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
}

fn weekday_names(preferences: DateTimeFormatterPreferences, width: Width) -> std::result::Result<Vec<String>, String> {
    let set = if width == Width::Long { fieldsets::E::long() } else { fieldsets::E::medium() };
    let formatter = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(preferences, set);
    let formatter = formatter.map_err(|error| error.to_string())?;
    // 2024-01-01 was a Monday.
    let days = (1..=7).map(|day| {
        let day = Date::try_new_gregorian(2024, 1, day).map_err(|error| error.to_string())?;
        let mut name = collect(&formatter.format(&day)).into_iter().map(|part| part.text).collect();
        if width == Width::Narrow {
            narrow(&mut name);
        }
        Ok(name)
    });
    days.collect()
}

/// The zone of a name: IANA, `UTC`, or an offset such as `+05:30`.
fn zone(ctx: &Ctx<'_>, name: &str) -> Result<TimeZone> {
    let offset = name.strip_prefix(['+', '-']).and_then(|rest| {
        let digits: Vec<i32> = rest.split(':').map(str::parse).collect::<std::result::Result<_, _>>().ok()?;
        let seconds = digits.first()? * 3600 + digits.get(1).unwrap_or(&0) * 60;
        Offset::from_seconds(if name.starts_with('-') { -seconds } else { seconds }).ok()
    });
    match offset {
        Some(offset) => Ok(TimeZone::fixed(offset)),
        None => TimeZone::get(name).or_else(|_| range_error(ctx, &format!("Invalid time zone specified: {name}"))),
    }
}

fn moment(zoned: &Zoned) -> Option<Moment> {
    let part = |value: i8| u8::try_from(value).ok();
    let id = match zoned.time_zone().iana_name() {
        Some("UTC" | "Etc/UTC" | "Etc/GMT") => ZoneId::from_iana_id("Etc/UTC"),
        Some(name) => IanaParser::new().parse(name),
        None => ZoneId::UNKNOWN,
    };
    let offset = UtcOffset::try_from_seconds(zoned.offset().seconds()).ok();
    Some(ZonedDateTime {
        date: Date::try_new_gregorian(zoned.year().into(), part(zoned.month())?, part(zoned.day())?).ok()?,
        time: Time::try_new(
            part(zoned.hour())?,
            part(zoned.minute())?,
            part(zoned.second())?,
            u32::try_from(zoned.subsec_nanosecond()).ok()?,
        )
        .ok()?,
        zone: id
            .with_offset(offset)
            .with_zone_name_timestamp(ZoneNameTimestamp::from_epoch_seconds(zoned.timestamp().as_second())),
    })
}

/// A JavaScript time value as whole milliseconds; `None` outside of what both `Date` and the calendar can hold.
#[expect(clippy::as_conversions, reason = "checked: within the range of JavaScript's Date, so within i64")]
pub(crate) fn milliseconds(ms: f64) -> Option<i64> {
    (ms.abs() <= 8.64e15).then_some(ms.floor() as i64)
}
