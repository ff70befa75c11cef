//! The locale data behind JavaScript's `Intl`: ICU4X formatters over its compiled CLDR data, jiff's time zones.
//! The JavaScript half (`intl.js`, options and defaults) is in the prelude.

mod collation;
mod dates;
mod decimals;
mod fields;
mod habits;
mod locales;
mod numbers;
mod parts;
mod words;

pub(crate) use dates::milliseconds;

use rquickjs::{Ctx, Object, Result, function::Func};

/// Adds the functions to the object that the prelude's JavaScript calls the host by.
pub(crate) fn add_to(host: &Object<'_>) -> Result<()> {
    host.set("canonicalLocale", Func::from(locales::canonical))?;
    host.set("isKnownLocale", Func::from(locales::is_known))?;
    host.set("usesTwelveHours", Func::from(dates::uses_twelve_hours))?;
    host.set("weekInfo", Func::from(locales::week_info))?;
    host.set("dateFormat", Func::from(dates::formatter))?;
    host.set("numberFormat", Func::from(numbers::formatter))?;
    host.set("relativeFormat", Func::from(words::relative_formatter))?;
    host.set("listFormat", Func::from(words::format_list))?;
    host.set("plural", Func::from(words::plural))?;
    host.set("collator", Func::from(collation::collator))?;
    host.set("changeCase", Func::from(locales::change_case))?;
    Ok(())
}

/// Throws a RangeError.
fn range_error<T>(ctx: &Ctx<'_>, message: &str) -> Result<T> {
    Err(rquickjs::Exception::throw_range(ctx, message))
}
