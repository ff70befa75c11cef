//! Texts that depend on a language. The expected ones are what Node writes.

use super::check;

#[test]
fn dates() {
    const AT: &str = "new Date(1715951109070)";
    let rows = [
        ("'en-US', { timeZone: 'America/New_York' }", "5/17/2024, 9:05:09 AM"),
        ("'en-US', { dateStyle: 'full', timeStyle: 'short', timeZone: 'UTC' }", "Friday, May 17, 2024 at 1:05 PM"),
        ("'de-DE', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'Europe/Berlin' }", "17.05.2024, 15:05:09"),
        ("'de-DE', { month: 'short', day: 'numeric', year: 'numeric', timeZone: 'UTC' }", "17. Mai 2024"),
        ("'fr-FR', { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' }", "vendredi 17 mai"),
        ("'en-GB', { timeZone: 'Europe/London' }", "17/05/2024, 14:05:09"),
        ("'ja-JP', { dateStyle: 'long', timeZone: 'UTC' }", "2024年5月17日"),
        ("'en-US', { month: '2-digit', day: '2-digit', year: '2-digit', timeZone: 'UTC' }", "05/17/24"),
        ("'en-US', { hour: '2-digit', minute: '2-digit', hour12: false, timeZone: 'UTC' }", "13:05"),
        ("'en-US', { timeStyle: 'long', timeZone: 'America/New_York' }", "9:05:09 AM EDT"),
        ("'en-US', { weekday: 'short', hour: 'numeric', timeZone: 'UTC' }", "Fri 1 PM"),
        ("'en-US', { minute: '2-digit', second: '2-digit', timeZone: 'UTC' }", "05:09"),
        ("'xx', { month: 'long', timeZone: 'UTC' }", "May"),
        ("'sv-SE', { timeZone: '+05:30' }", "2024-05-17 18:35:09"),
    ];
    for (arguments, expected) in rows {
        check(&[(&format!("{AT}.toLocaleString({arguments})"), &format!("{expected:?}"))]);
    }
    check(&[
        ("new Date(NaN).toLocaleDateString()", "\"Invalid Date\""),
        (
            "new Date(0).toLocaleString('en', { timeZone: 'Nowhere/Land' })",
            "!RangeError: Invalid time zone specified: Nowhere/Land",
        ),
        ("new Date(0).toLocaleString('not a tag')", "!RangeError: Incorrect locale information provided: not a tag"),
        (
            "new Intl.DateTimeFormat('en-US', { timeZone: 'UTC' }).formatToParts(0).map((part) => part.type + part.value).join('|')",
            "\"month1|literal/|day1|literal/|year1970\"",
        ),
        ("Intl.DateTimeFormat('de').resolvedOptions().locale", "\"de\""),
    ]);
}

#[test]
fn luxon_in_other_languages() {
    check(&[
        ("DateTime.fromISO('2024-05-17').setLocale('fr').toFormat('cccc d LLLL yyyy')", "\"vendredi 17 mai 2024\""),
        ("DateTime.fromFormat('17 mai 2024', 'd LLLL yyyy', { locale: 'fr' }).toISODate()", "\"2024-05-17\""),
        (
            "DateTime.fromISO('2024-05-17T13:05').setLocale('de').toLocaleString(DateTime.DATETIME_MED)",
            "\"17. Mai 2024, 13:05\"",
        ),
        (
            "DateTime.fromISO('2024-05-17T13:05').toLocaleString(DateTime.DATETIME_FULL)",
            "\"May 17, 2024 at 1:05 PM EDT\"",
        ),
        (
            "DateTime.fromISO('2024-05-17').minus({ weeks: 2 }).setLocale('es').toRelative({ base: DateTime.fromISO('2024-05-17') })",
            "\"hace 14 días\"",
        ),
        (
            "Duration.fromObject({ hours: 2, minutes: 1 }).reconfigure({ locale: 'de' }).toHuman()",
            "\"2 Stunden und 1 Minute\"",
        ),
        ("DateTime.fromISO('2024-05-17').startOf('week', { useLocaleWeeks: true }).toISODate()", "\"2024-05-12\""),
    ]);
}

#[test]
fn numbers() {
    check(&[
        ("extend(1234567.891, 'format', [])", "\"1,234,567.891\""),
        ("extend(1234.5, 'format', ['de-DE', { style: 'currency', currency: 'EUR' }])", "\"1.234,50\u{a0}€\""),
        (
            "(1234.5).toLocaleString('en-US', { style: 'currency', currency: 'USD', maximumFractionDigits: 0 })",
            "\"$1,235\"",
        ),
        ("(-1234.5).toLocaleString('ja-JP', { style: 'currency', currency: 'JPY' })", "\"-￥1,235\""),
        ("(0.256).toLocaleString('en', { style: 'percent', maximumFractionDigits: 1 })", "\"25.6%\""),
        ("(1.005).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })", "\"1.01\""),
        ("(123456).toLocaleString('en-IN', { maximumSignificantDigits: 3 })", "\"1,23,000\""),
        ("(1234567).toLocaleString('en', { notation: 'compact' })", "\"1.2M\""),
        (
            "[NaN, -Infinity, -0, 1e21].map((number) => number.toLocaleString('en'))",
            "[\"NaN\",\"-∞\",\"-0\",\"1,000,000,000,000,000,000,000\"]",
        ),
        (
            "(5).toLocaleString('en', { style: 'currency' })",
            "!TypeError: Currency code is required with currency style.",
        ),
        (
            "(5).toLocaleString('en', { maximumFractionDigits: 200 })",
            "!RangeError: maximumFractionDigits value is out of range.",
        ),
        (
            "new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' }).formatToParts(-1234.5).map((part) => part.type).join()",
            "\"minusSign,currency,integer,group,integer,decimal,fraction\"",
        ),
    ]);
}

#[test]
fn words_and_order() {
    check(&[
        ("new Intl.ListFormat('en').format(['a', 'b', 'c'])", "\"a, b, and c\""),
        ("new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(-1, 'days')", "\"yesterday\""),
        ("new Intl.PluralRules('pl').select(3)", "\"few\""),
        ("['b', 'a', 'Z', 'ä', 'A'].sort((left, right) => left.localeCompare(right)).join('')", "\"aAäbZ\""),
        ("['a10', 'a2'].sort(new Intl.Collator('en', { numeric: true }).compare).join()", "\"a2,a10\""),
        ("'a'.localeCompare('Á', 'en', { sensitivity: 'base' })", "0"),
        ("['istanbul'.toLocaleUpperCase('tr'), 'istanbul'.toLocaleUpperCase()]", "[\"İSTANBUL\",\"ISTANBUL\"]"),
        ("new Intl.Locale('de-Latn-AT').region", "\"AT\""),
    ]);
}
