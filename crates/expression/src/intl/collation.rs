//! Comparing strings as people of a language order them.

use std::cmp::Ordering;

use icu_collator::{
    CollatorBorrowed, CollatorPreferences,
    options::{AlternateHandling, CaseLevel, CollatorOptions, Strength},
    preferences::{CollationCaseFirst, CollationNumericOrdering},
};
use rquickjs::{Ctx, Function, Object, Result};

use super::{locales, range_error};

/// A function of two strings that gives -1, 0 or 1. Options: `locale`, `sensitivity`, `numeric`, `caseFirst`,
/// `ignorePunctuation`, all resolved.
pub(super) fn collator<'js>(ctx: Ctx<'js>, wanted: Object<'js>) -> Result<Function<'js>> {
    let locale = locales::parse(&ctx, &wanted.get::<_, String>("locale")?)?;
    let mut preferences = CollatorPreferences::from(&locale);
    if wanted.get::<_, bool>("numeric")? {
        preferences.numeric_ordering = Some(CollationNumericOrdering::True);
    }
    preferences.case_first = match wanted.get::<_, String>("caseFirst")?.as_str() {
        "upper" => Some(CollationCaseFirst::Upper),
        "lower" => Some(CollationCaseFirst::Lower),
        _ => preferences.case_first,
    };
    let mut options = CollatorOptions::default();
    (options.strength, options.case_level) = match wanted.get::<_, String>("sensitivity")?.as_str() {
        "base" => (Some(Strength::Primary), None),
        "accent" => (Some(Strength::Secondary), None),
        "case" => (Some(Strength::Primary), Some(CaseLevel::On)),
        _ => (Some(Strength::Tertiary), None),
    };
    if wanted.get::<_, bool>("ignorePunctuation")? {
        options.alternate_handling = Some(AlternateHandling::Shifted);
    }
    let collator = CollatorBorrowed::try_new(preferences, options)
        .or_else(|error| range_error(&ctx, &format!("no collation for {locale}: {error}")))?;
    crate::prelude::made_function(&ctx);
    Function::new(ctx, move |left: String, right: String| match collator.compare(&left, &right) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    })
}
