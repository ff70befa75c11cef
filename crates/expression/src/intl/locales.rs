//! Language tags: well-formedness, which ones have data, weeks and letter case.

use icu_calendar::{
    types::Weekday,
    week::{WeekInformation, WeekPreferences},
};
use icu_casemap::CaseMapper;
use icu_locale_core::Locale;
use rquickjs::{Ctx, Result};

use super::range_error;

/// Languages with data of their own; a request for any other gives the default locale, as in browsers and Node.
const LANGUAGES: &[&str] = &[
    "af", "am", "ar", "as", "az", "be", "bg", "bn", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "eu",
    "fa", "fi", "fil", "fr", "ga", "gl", "gu", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "km",
    "kn", "ko", "ky", "lo", "lt", "lv", "mk", "ml", "mn", "mr", "ms", "my", "nb", "ne", "nl", "nn", "no", "or", "pa",
    "pl", "ps", "pt", "ro", "ru", "sd", "si", "sk", "sl", "sq", "sr", "sv", "sw", "ta", "te", "th", "tk", "tr", "uk",
    "ur", "uz", "vi", "yue", "zh", "zu",
];

/// The locale a tag names.
pub(super) fn parse(ctx: &Ctx<'_>, tag: &str) -> Result<Locale> {
    Locale::try_from_str(tag).or_else(|_| range_error(ctx, &format!("Incorrect locale information provided: {tag}")))
}

/// The tag in its canonical form; RangeError where it is not well-formed.
pub(super) fn canonical(ctx: Ctx<'_>, tag: String) -> Result<String> {
    parse(&ctx, &tag).map(|locale| locale.to_string())
}

/// Is there data for the tag's language?
pub(super) fn is_known(ctx: Ctx<'_>, tag: String) -> Result<bool> {
    Ok(LANGUAGES.contains(&parse(&ctx, &tag)?.id.language.as_str()))
}

/// First day of the week (1 is Monday), minimal days in the year's first week, then the days of the week-end.
pub(super) fn week_info(ctx: Ctx<'_>, tag: String) -> Result<Vec<u32>> {
    let locale = parse(&ctx, &tag)?;
    let week = WeekInformation::try_new(WeekPreferences::from(&locale))
        .or_else(|error| range_error(&ctx, &error.to_string()))?;
    // CLDR: ISO's four days in Europe and where ISO weeks are in use, one elsewhere.
    let minimal = if week.first_weekday == Weekday::Monday { 4 } else { 1 };
    Ok([number(week.first_weekday), minimal].into_iter().chain(week.weekend().map(number)).collect())
}

fn number(day: Weekday) -> u32 {
    match day {
        Weekday::Monday => 1,
        Weekday::Tuesday => 2,
        Weekday::Wednesday => 3,
        Weekday::Thursday => 4,
        Weekday::Friday => 5,
        Weekday::Saturday => 6,
        Weekday::Sunday => 7,
    }
}

/// Upper or lower case by the language's rules (Turkish and Azeri i, Lithuanian dots, Greek accents).
pub(super) fn change_case(ctx: Ctx<'_>, text: String, upper: bool, tag: String) -> Result<String> {
    let language = parse(&ctx, &tag)?.id;
    let mapper = CaseMapper::new();
    let changed =
        if upper { mapper.uppercase_to_string(&text, &language) } else { mapper.lowercase_to_string(&text, &language) };
    Ok(changed.into_owned())
}
