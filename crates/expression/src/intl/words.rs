//! Lists ("a, b, and c"), relative times ("in 3 days") and plural categories.

use fixed_decimal::Decimal;
use icu_experimental::relativetime::{
    RelativeTimeFormatter as Relative, RelativeTimeFormatterOptions, RelativeTimeFormatterPreferences, options::Numeric,
};
use icu_list::{
    ListFormatter, ListFormatterPreferences,
    options::{ListFormatterOptions, ListLength},
};
use icu_plurals::{PluralCategory, PluralRules, PluralRulesPreferences};
use rquickjs::{Ctx, Function, Result};

use super::{decimals, locales, parts, range_error};

/// Parts of a list, `element` and `literal`. Kinds: `conjunction`, `disjunction`, `unit`.
pub(super) fn format_list(
    ctx: Ctx<'_>,
    tag: String,
    kind: String,
    style: String,
    texts: Vec<String>,
) -> Result<Vec<String>> {
    let preferences = ListFormatterPreferences::from(&locales::parse(&ctx, &tag)?);
    let options = ListFormatterOptions::default().with_length(match style.as_str() {
        "short" => ListLength::Short,
        "narrow" => ListLength::Narrow,
        _ => ListLength::Wide,
    });
    let list = match kind.as_str() {
        "disjunction" => ListFormatter::try_new_or(preferences, options),
        "unit" => ListFormatter::try_new_unit(preferences, options),
        _ => ListFormatter::try_new_and(preferences, options),
    };
    let list = list.or_else(|error| range_error(&ctx, &error.to_string()))?;
    Ok(parts::flatten(parts::collect(&list.format(texts.iter()))))
}

/// The category of a number (decimal text): `zero`, `one`, `two`, `few`, `many`, `other`.
pub(super) fn plural(ctx: Ctx<'_>, tag: String, ordinal: bool, number: String) -> Result<&'static str> {
    let preferences = PluralRulesPreferences::from(&locales::parse(&ctx, &tag)?);
    let rules =
        if ordinal { PluralRules::try_new_ordinal(preferences) } else { PluralRules::try_new_cardinal(preferences) };
    let rules = rules.or_else(|error| range_error(&ctx, &error.to_string()))?;
    let number = decimals::parse(&number).unwrap_or_else(|| Decimal::from(0));
    Ok(match rules.category_for(&number) {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    })
}

/// A function of a number (decimal text) that gives its text in the unit (`second` … `year`).
pub(super) fn relative_formatter<'js>(
    ctx: Ctx<'js>,
    tag: String,
    unit: String,
    style: String,
    words: bool,
) -> Result<Function<'js>> {
    let preferences = RelativeTimeFormatterPreferences::from(&locales::parse(&ctx, &tag)?);
    let mut options = RelativeTimeFormatterOptions::default();
    options.numeric = Some(if words { Numeric::Auto } else { Numeric::Always });
    let make = match (unit.as_str(), style.as_str()) {
        ("second", "long") => Relative::try_new_long_second,
        ("second", "short") => Relative::try_new_short_second,
        ("second", _) => Relative::try_new_narrow_second,
        ("minute", "long") => Relative::try_new_long_minute,
        ("minute", "short") => Relative::try_new_short_minute,
        ("minute", _) => Relative::try_new_narrow_minute,
        ("hour", "long") => Relative::try_new_long_hour,
        ("hour", "short") => Relative::try_new_short_hour,
        ("hour", _) => Relative::try_new_narrow_hour,
        ("day", "long") => Relative::try_new_long_day,
        ("day", "short") => Relative::try_new_short_day,
        ("day", _) => Relative::try_new_narrow_day,
        ("week", "long") => Relative::try_new_long_week,
        ("week", "short") => Relative::try_new_short_week,
        ("week", _) => Relative::try_new_narrow_week,
        ("month", "long") => Relative::try_new_long_month,
        ("month", "short") => Relative::try_new_short_month,
        ("month", _) => Relative::try_new_narrow_month,
        ("quarter", "long") => Relative::try_new_long_quarter,
        ("quarter", "short") => Relative::try_new_short_quarter,
        ("quarter", _) => Relative::try_new_narrow_quarter,
        ("year", "long") => Relative::try_new_long_year,
        ("year", "short") => Relative::try_new_short_year,
        ("year", _) => Relative::try_new_narrow_year,
        _ => return range_error(&ctx, &format!("Invalid unit argument for format() '{unit}'")),
    };
    let relative = make(preferences, options).or_else(|error| range_error(&ctx, &error.to_string()))?;
    crate::prelude::made_function(&ctx);
    Function::new(ctx, move |number: String| {
        decimals::parse(&number).map(|number| relative.format(decimals::rounded(number, 0, 3)).to_string())
    })
}
