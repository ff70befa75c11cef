//! What languages do with dates that ICU4X's patterns do not say: zeros kept or dropped, words between date and time.

use icu_locale_core::Locale;

/// Does the language write 9:05, not 09:05, though it counts to 24?
pub(super) fn has_short_hours(locale: &Locale) -> bool {
    SHORT_HOURS.contains(&locale.id.language.as_str())
}

/// Names of the halves of the day, for languages whose data prefers finer periods ("morgens").
pub(super) fn halves_of_the_day(locale: &Locale) -> Option<[&'static str; 2]> {
    match locale.id.language.as_str() {
        "de" => Some(["AM", "PM"]),
        "zh" | "yue" => Some(["上午", "下午"]),
        _ => None,
    }
}

/// Languages whose all-number dates keep the zero of (day, month). Source: CLDR's `yMd` skeletons.
pub(super) fn padded(locale: &Locale) -> (bool, bool) {
    const BOTH: &[&str] = &[
        "af", "as", "az", "fr", "ga", "hr", "hu", "hy", "it", "kk", "ky", "lt", "mn", "ne", "ps", "pt", "ro", "ru",
        "sd", "sv", "tk", "tr", "uk", "uz", "zu",
    ];
    let region = locale.id.region.map(|region| region.as_str().to_owned()).unwrap_or_default();
    match locale.id.language.as_str() {
        "en" => match region.as_str() {
            "AU" | "CA" | "GB" | "ZA" | "SG" => (true, true),
            "NZ" => (false, true),
            _ => (false, false),
        },
        "es" => (region == "CL", region == "CL"),
        "bg" | "lv" | "pl" => (false, true),
        language => (BOTH.contains(&language), BOTH.contains(&language)),
    }
}

/// The glue of CLDR's `atTime` patterns where it differs from the plain one, as (plain, at).
pub(super) fn at(locale: &Locale) -> Option<(&'static str, &'static str)> {
    Some(match locale.id.language.as_str() {
        "en" => (", ", " at "),
        "de" => (", ", " um "),
        "fr" => (" ", " à "),
        "es" => (", ", ", "),
        "pt" => (", ", " às "),
        "it" => (", ", " alle ore "),
        "nl" => (", ", " om "),
        "da" | "nb" | "no" => (" ", " kl. "),
        "sv" => (" ", " kl. "),
        "pl" => (", ", " "),
        "ru" => (", ", " в "),
        "uk" => (", ", " о "),
        _ => return None,
    })
}

/// Source: CLDR's time formats.
const SHORT_HOURS: &[&str] = &["bg", "ca", "cs", "es", "fa", "fi", "he", "hu", "ja", "lo", "my", "ps", "sk"];
