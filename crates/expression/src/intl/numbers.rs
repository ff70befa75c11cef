//! `Intl.NumberFormat`: plain numbers, percentages, currencies, units and compact notation.

use fixed_decimal::{Decimal, SignDisplay};
use icu_decimal::{
    CompactDecimalFormatter, DecimalFormatter,
    options::{DecimalFormatterOptions, GroupingStrategy},
};
use icu_experimental::{
    dimension::{
        currency::{CurrencyType, formatter::CurrencyFormatter, options::CurrencyUsage},
        percent::{formatter::PercentFormatter, options::PercentFormatterOptions},
        units::{
            categorized_formatter::CategorizedFormatter,
            options::{UnitsFormatterOptions, Width},
        },
    },
    measure::category::Duration,
};
use icu_locale_core::Locale;
use rquickjs::{Ctx, Function, Object, Result};
use writeable::Writeable;

use super::{
    decimals, locales,
    parts::{TextPart, collect, flatten},
    range_error,
};

/// A function of a number (decimal text) that gives its parts, kind and text in turn. Options are those of
/// `resolvedOptions()`, `locale` among them.
pub(super) fn formatter<'js>(ctx: Ctx<'js>, wanted: Object<'js>) -> Result<Function<'js>> {
    let digits = Digits::read(&wanted)?;
    let locale = locales::parse(&ctx, &wanted.get::<_, String>("locale")?)?;
    let grouping = match wanted.get::<_, String>("useGrouping")?.as_str() {
        "false" => GroupingStrategy::Never,
        "always" => GroupingStrategy::Always,
        "min2" => GroupingStrategy::Min2,
        _ => GroupingStrategy::Auto,
    };
    let plain = DecimalFormatter::try_new((&locale).into(), DecimalFormatterOptions::from(grouping))
        .or_else(|error| range_error(&ctx, &error.to_string()))?;
    let frame = Frame::read(&ctx, &wanted, &locale)?;
    crate::prelude::made_function(&ctx);
    Function::new(ctx, move |number: String| {
        let Some(number) = decimals::parse(&number) else { return Vec::new() };
        let number = digits.apply(frame.scale(number));
        flatten(frame.around(&plain, &number))
    })
}

/// How many digits are shown, and which signs.
struct Digits {
    integers: i16,
    fraction: (i16, i16),
    significant: Option<(i16, i16)>,
    sign: SignDisplay,
}

impl Digits {
    fn read(wanted: &Object<'_>) -> Result<Digits> {
        let significant: Option<i16> = wanted.get("maximumSignificantDigits")?;
        Ok(Digits {
            integers: wanted.get("minimumIntegerDigits")?,
            fraction: match wanted.get("maximumFractionDigits")? {
                Some(most) => (wanted.get("minimumFractionDigits")?, most),
                None => (0, 3),
            },
            significant: match significant {
                Some(most) => Some((wanted.get("minimumSignificantDigits")?, most)),
                None => None,
            },
            sign: match wanted.get::<_, String>("signDisplay")?.as_str() {
                "always" => SignDisplay::Always,
                "never" => SignDisplay::Never,
                "exceptZero" => SignDisplay::ExceptZero,
                "negative" => SignDisplay::Negative,
                _ => SignDisplay::Auto,
            },
        })
    }

    fn apply(&self, number: Decimal) -> Decimal {
        let mut number = match self.significant {
            Some((least, most)) => decimals::rounded_to_significant(number, least, most),
            None => decimals::rounded(number, self.fraction.0, self.fraction.1),
        };
        number.absolute.pad_start(self.integers);
        number.apply_sign_display(self.sign);
        number
    }
}

/// What stands around the digits. Each formats the number with its own digits, which are then replaced by ours.
enum Frame {
    Plain,
    Percent(PercentFormatter<DecimalFormatter>),
    Currency(CurrencyFormatter<DecimalFormatter>),
    Unit(CategorizedFormatter<Duration>),
    Compact(CompactDecimalFormatter),
}

impl Frame {
    fn read(ctx: &Ctx<'_>, wanted: &Object<'_>, locale: &Locale) -> Result<Frame> {
        let text = |name: &str| wanted.get::<_, Option<String>>(name).map(Option::unwrap_or_default);
        let made = match text("style")?.as_str() {
            "percent" => {
                PercentFormatter::try_new(locale.into(), PercentFormatterOptions::default()).map(Frame::Percent)
            }
            "currency" => {
                let currency = currency(ctx, &text("currency")?)?;
                let usage = match text("currencySign")?.as_str() {
                    "accounting" => CurrencyUsage::Accounting,
                    _ => CurrencyUsage::Standard,
                };
                match text("currencyDisplay")?.as_str() {
                    "code" => CurrencyFormatter::try_new_code(locale.into(), currency, usage.into()),
                    "name" => CurrencyFormatter::try_new_name(locale.into(), currency),
                    "narrowSymbol" => CurrencyFormatter::try_new_symbol_narrow(locale.into(), currency, usage.into()),
                    _ => CurrencyFormatter::try_new_symbol(locale.into(), currency, usage.into()),
                }
                .map(Frame::Currency)
            }
            "unit" => {
                let width = match text("unitDisplay")?.as_str() {
                    "long" => Width::Long,
                    "narrow" => Width::Narrow,
                    _ => Width::Short,
                };
                return unit(ctx, locale, &text("unit")?, width);
            }
            _ if text("notation")? == "compact" => match text("compactDisplay")?.as_str() {
                "long" => CompactDecimalFormatter::try_new_long(locale.into(), Default::default()),
                _ => CompactDecimalFormatter::try_new_short(locale.into(), Default::default()),
            }
            .map(Frame::Compact),
            _ => return Ok(Frame::Plain),
        };
        made.or_else(|error| range_error(ctx, &error.to_string()))
    }

    fn scale(&self, number: Decimal) -> Decimal {
        match self {
            Frame::Percent(_) => Decimal::new(number.sign, number.absolute.multiplied_pow10(2)),
            _ => number,
        }
    }

    fn around(&self, plain: &DecimalFormatter, number: &Decimal) -> Vec<TextPart> {
        let digits = || collect(&plain.format(number));
        match self {
            Frame::Plain => digits(),
            Frame::Percent(percent) => frame(&percent.format(number), "percentSign", digits()),
            Frame::Currency(currency) => frame(&currency.format_fixed_decimal(number), "currency", digits()),
            Frame::Unit(unit) => frame(&unit.format_fixed_decimal(number), "unit", digits()),
            Frame::Compact(compact) => compact_parts(&compact.format(number).write_to_string()),
        }
    }
}

/// The text before and after the digits of `whole`, around `digits` without their own sign.
fn frame(whole: &impl Writeable, kind: &'static str, digits: Vec<TextPart>) -> Vec<TextPart> {
    let whole = whole.write_to_string();
    let (before, _, after) = split_at_digits(&whole);
    let mut parts = surround(before, kind);
    parts.extend(digits.into_iter().filter(|part| !matches!(part.kind, "minusSign" | "plusSign")));
    parts.extend(surround(after, kind));
    parts
}

/// The text before the first digit, from there to the last one, and after it.
fn split_at_digits(text: &str) -> (&str, &str, &str) {
    let Some((before, rest)) = text.find(char::is_numeric).and_then(|at| text.split_at_checked(at)) else {
        return (text, "", "");
    };
    let end = rest.rfind(char::is_numeric).and_then(|at| Some(at + rest.get(at..)?.chars().next()?.len_utf8()));
    let (digits, after) = end.and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    (before, digits, after)
}

/// Signs, spaces and the symbol of `kind` as parts.
fn surround(text: &str, kind: &'static str) -> Vec<TextPart> {
    let mut parts: Vec<TextPart> = Vec::new();
    for letter in text.chars() {
        let part = match letter {
            '-' | '\u{2212}' => "minusSign",
            '+' => "plusSign",
            '(' | ')' | ' ' | '\u{a0}' | '\u{202f}' => "literal",
            _ => kind,
        };
        // A space inside of a name ("US dollars") belongs to it.
        match parts.last_mut() {
            Some(last) if last.kind == part => last.text.push(letter),
            _ => parts.push(TextPart::new(part, letter)),
        }
    }
    parts
}

fn compact_parts(text: &str) -> Vec<TextPart> {
    let (before, digits, after) = split_at_digits(text);
    let mut parts = surround(before, "compact");
    parts.push(TextPart::new("integer", digits));
    parts.extend(surround(after, "compact"));
    parts
}

fn currency(ctx: &Ctx<'_>, code: &str) -> Result<CurrencyType> {
    let value = code.to_ascii_lowercase().parse::<icu_locale_core::extensions::unicode::Value>().ok();
    match value.and_then(|value| CurrencyType::try_from(value).ok()) {
        Some(currency) => Ok(currency),
        None => range_error(ctx, &format!("Invalid currency code : {code}")),
    }
}

fn unit(ctx: &Ctx<'_>, locale: &Locale, name: &str, width: Width) -> Result<Frame> {
    let unit = match name {
        "year" => Duration::year(),
        "month" => Duration::month(),
        "week" => Duration::week(),
        "day" => Duration::day(),
        "hour" => Duration::hour(),
        "minute" => Duration::minute(),
        "second" => Duration::second(),
        "millisecond" => Duration::millisecond(),
        _ => return range_error(ctx, &format!("Invalid unit argument for Intl.NumberFormat() '{name}'")),
    };
    CategorizedFormatter::try_new_outlier(locale.into(), unit, UnitsFormatterOptions::from(width))
        .map(Frame::Unit)
        .or_else(|error| range_error(ctx, &error.to_string()))
}
