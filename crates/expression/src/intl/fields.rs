//! The fields of a date that `Intl.DateTimeFormat` is asked for, and the ICU4X field sets that show them.

use icu_datetime::{
    fieldsets::{
        builder::{DateFields, FieldSetBuilder, ZoneStyle},
        enums::CompositeFieldSet,
    },
    options::{Length, SubsecondDigits, TimePrecision, YearStyle},
};
use rquickjs::{Object, Result};

/// How a field is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Width {
    Numeric,
    TwoDigit,
    Long,
    Short,
    Narrow,
}

/// The wanted fields; a style stands for a set of them.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) weekday: Option<Width>,
    pub(super) era: Option<Width>,
    pub(super) year: Option<Width>,
    pub(super) month: Option<Width>,
    pub(super) day: Option<Width>,
    pub(super) hour: Option<Width>,
    pub(super) minute: Option<Width>,
    pub(super) second: Option<Width>,
    pub(super) fraction: Option<u8>,
    pub(super) zone: Option<String>,
    pub(super) date_style: Option<String>,
    pub(super) time_style: Option<String>,
}

impl Fields {
    pub(super) fn read(wanted: &Object<'_>) -> Result<Fields> {
        let text = |name: &str| wanted.get::<_, Option<String>>(name);
        let width = |name: &str| Ok::<_, rquickjs::Error>(text(name)?.map(|width| read_width(&width)));
        Ok(Fields {
            weekday: width("weekday")?,
            era: width("era")?,
            year: width("year")?,
            month: width("month")?,
            day: width("day")?,
            hour: width("hour")?,
            minute: width("minute")?,
            second: width("second")?,
            fraction: wanted.get("fractionalSecondDigits")?,
            zone: text("timeZoneName")?,
            date_style: text("dateStyle")?,
            time_style: text("timeStyle")?,
        })
    }

    pub(super) fn has_style(&self) -> bool {
        self.date_style.is_some() || self.time_style.is_some()
    }

    /// The field sets to show one after the other; one, but for combinations that no locale has a pattern for.
    pub(super) fn sets(&self) -> Vec<CompositeFieldSet> {
        if self.has_style() { self.styled() } else { self.composed() }
    }

    fn styled(&self) -> Vec<CompositeFieldSet> {
        let mut builder = FieldSetBuilder::new();
        if let Some(style) = self.date_style.as_deref() {
            (builder.date_fields, builder.length) = match style {
                "full" => (Some(DateFields::YMDE), Some(Length::Long)),
                "long" => (Some(DateFields::YMD), Some(Length::Long)),
                "medium" => (Some(DateFields::YMD), Some(Length::Medium)),
                _ => (Some(DateFields::YMD), Some(Length::Short)),
            };
        }
        if let Some(style) = self.time_style.as_deref() {
            (builder.time_precision, builder.zone_style) = match style {
                "full" => (Some(TimePrecision::Second), Some(ZoneStyle::SpecificLong)),
                "long" => (Some(TimePrecision::Second), Some(ZoneStyle::SpecificShort)),
                "medium" => (Some(TimePrecision::Second), None),
                _ => (Some(TimePrecision::Minute), None),
            };
        }
        builder.build_composite().into_iter().collect()
    }

    fn composed(&self) -> Vec<CompositeFieldSet> {
        let dates = self.date_fields();
        let mut builders: Vec<FieldSetBuilder> = dates.iter().map(|fields| self.date(*fields)).collect();
        let time = self.precision();
        let zone = self.zone.as_deref().map(zone_style);
        // Months and years have no patterns with a time, and those of a lone weekday lack names in some languages.
        let joins = |fields: &DateFields| !fields.is_calendar_period() && *fields != DateFields::E;
        match builders.last_mut().filter(|_| dates.last().is_some_and(joins)) {
            Some(date) => (date.time_precision, date.zone_style) = (time, zone),
            None if time.is_some() || zone.is_some() => {
                let mut builder = FieldSetBuilder::new();
                (builder.time_precision, builder.zone_style) = (time, zone);
                builders.push(builder);
            }
            None => {}
        }
        builders.into_iter().filter_map(|builder| builder.build_composite().ok()).collect()
    }

    fn date(&self, fields: DateFields) -> FieldSetBuilder {
        let mut builder = FieldSetBuilder::new();
        builder.date_fields = Some(fields);
        builder.length = Some(match (self.month, self.weekday) {
            (Some(Width::Long), _) | (None, Some(Width::Long)) => Length::Long,
            (Some(Width::Numeric | Width::TwoDigit), _) => Length::Short,
            _ => Length::Medium,
        });
        let with_year = matches!(fields, DateFields::Y | DateFields::YM | DateFields::YMD | DateFields::YMDE);
        let year = if self.era.is_some() { YearStyle::WithEra } else { YearStyle::Full };
        builder.year_style = with_year.then_some(year);
        builder
    }

    /// The combination of fields, or the combinations it has to be split into.
    fn date_fields(&self) -> Vec<DateFields> {
        let year = self.year.or(self.era).is_some();
        let (month, day, weekday) = (self.month.is_some(), self.day.is_some(), self.weekday.is_some());
        match (year, month, day, weekday) {
            (true, true, true, true) => vec![DateFields::YMDE],
            (true, true, true, false) => vec![DateFields::YMD],
            (false, true, true, true) => vec![DateFields::MDE],
            (false, true, true, false) => vec![DateFields::MD],
            (false, false, true, true) => vec![DateFields::DE],
            (false, false, true, false) => vec![DateFields::D],
            (false, false, false, true) => vec![DateFields::E],
            (true, true, false, false) => vec![DateFields::YM],
            (false, true, false, false) => vec![DateFields::M],
            (true, false, false, false) => vec![DateFields::Y],
            (true, true, false, true) => vec![DateFields::YM, DateFields::E],
            (false, true, false, true) => vec![DateFields::M, DateFields::E],
            (true, false, false, true) => vec![DateFields::Y, DateFields::E],
            (true, false, true, false) => vec![DateFields::D, DateFields::Y],
            (true, false, true, true) => vec![DateFields::DE, DateFields::Y],
            (false, false, false, false) => Vec::new(),
        }
    }

    fn precision(&self) -> Option<TimePrecision> {
        self.hour?;
        Some(match (self.minute, self.second, self.fraction.and_then(SubsecondDigits::try_from_int)) {
            (_, _, Some(digits)) => TimePrecision::Subsecond(digits),
            (_, Some(_), None) => TimePrecision::Second,
            (Some(_), None, None) => TimePrecision::Minute,
            (None, None, None) => TimePrecision::Hour,
        })
    }
}

fn read_width(width: &str) -> Width {
    match width {
        "2-digit" => Width::TwoDigit,
        "long" => Width::Long,
        "short" => Width::Short,
        "narrow" => Width::Narrow,
        _ => Width::Numeric,
    }
}

fn zone_style(name: &str) -> ZoneStyle {
    match name {
        "long" => ZoneStyle::SpecificLong,
        "shortOffset" => ZoneStyle::LocalizedOffsetShort,
        "longOffset" => ZoneStyle::LocalizedOffsetLong,
        "shortGeneric" => ZoneStyle::GenericShort,
        "longGeneric" => ZoneStyle::GenericLong,
        _ => ZoneStyle::SpecificShort,
    }
}
