//! What every expression and script finds in its context: n8n's extension methods and functions, Luxon, Intl.
//! Everything is loaded on first touch, so a context that uses none of it pays for a few dozen property definitions.

pub mod bytecode;
mod host;
mod names;
mod sources;
#[cfg(test)]
mod tests;

pub use names::{EXTENSION_NAMES, is_extension};

use rquickjs::{Ctx, Function, Object, Result};

pub(crate) use host::{has_made_functions, made_function, prepare};

/// Puts the library's names into a fresh context. The context needs every intrinsic but `Eval`.
pub fn install(ctx: &Ctx<'_>) -> Result<()> {
    install_with(ctx, ctx.globals())
}

/// The same for a context whose built-ins `Object`, `Reflect`, `Proxy` and `Function` are to be taken from `natives`.
pub fn install_with<'js>(ctx: &Ctx<'js>, natives: Object<'js>) -> Result<()> {
    let install: Function = sources::load(ctx, "core")?;
    install.call((host::load_function(ctx)?, ctx.globals(), natives))
}

/// Sets the zone of dates that name none: an IANA name.
pub fn set_zone(ctx: &Ctx<'_>, zone: &str) -> Result<()> {
    let set: Function = ctx.globals().get("__setZone")?;
    set.call((zone,))
}

/// Makes `Date` and Luxon take the present from `now`, a function that returns milliseconds since the epoch.
pub fn set_clock<'js>(ctx: &Ctx<'js>, now: Function<'js>) -> Result<()> {
    let set: Function = ctx.globals().get("__setNow")?;
    set.call((now,))
}
