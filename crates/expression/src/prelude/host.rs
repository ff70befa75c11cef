//! What the JavaScript of the prelude cannot do itself: digests, base64, transliteration, time zones.

use std::cell::Cell;

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use jiff::{Timestamp, tz::TimeZone};
use rquickjs::{Ctx, Function, JsLifetime, Object, Result, Value, function::Func};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::sources;
use crate::intl::{self, milliseconds};

/// The functions of this file and of `intl`, made once in each engine: what is made later is lost when the engine is set
/// back, and may not belong to Rust.
#[derive(JsLifetime)]
struct Host<'js> {
    load: Function<'js>,
    functions: Object<'js>,
    /// Held so that no code can make the engine free them.
    _each: Vec<Value<'js>>,
    /// Were further functions made, such as formatters?
    made_functions: Cell<bool>,
}

/// Makes them, where that was not done.
pub(crate) fn prepare(ctx: &Ctx<'_>) -> Result<()> {
    if ctx.userdata::<Host<'_>>().is_some() {
        return Ok(());
    }
    let functions = host(ctx)?;
    let each = functions.props::<String, Value<'_>>().map(|entry| Ok(entry?.1)).collect::<Result<_>>()?;
    let load = Function::new(ctx.clone(), load)?;
    let host = Host { load, functions, _each: each, made_functions: Cell::new(false) };
    ctx.store_userdata(host).map(drop).map_err(|_| rquickjs::Error::Unknown)
}

/// Says that a function of Rust was made that only the engine's memory knows of.
pub(crate) fn made_function(ctx: &Ctx<'_>) {
    if let Some(host) = ctx.userdata::<Host<'_>>() {
        host.made_functions.set(true);
    }
}

/// Was one made?
pub(crate) fn has_made_functions(ctx: &Ctx<'_>) -> bool {
    ctx.userdata::<Host<'_>>().is_none_or(|host| host.made_functions.get())
}

pub(super) fn load_function<'js>(ctx: &Ctx<'js>) -> Result<Function<'js>> {
    prepare(ctx)?;
    let host = ctx.userdata::<Host<'js>>().ok_or(rquickjs::Error::Unknown)?;
    Ok(host.load.clone())
}

/// The `load` function of the prelude's JavaScript: a part by its name, or `host`, the functions of this file.
fn load<'js>(ctx: Ctx<'js>, name: String) -> Result<Value<'js>> {
    if name == "host" {
        let host = ctx.userdata::<Host<'js>>().ok_or(rquickjs::Error::Unknown)?;
        return Ok(host.functions.clone().into_value());
    }
    sources::load(&ctx, &name)
}

fn host<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    host.set("digest", Func::from(digest))?;
    host.set("base64Encode", Func::from(|text: String| STANDARD_BASE64.encode(text)))?;
    host.set("base64Decode", Func::from(base64_decode))?;
    host.set("transliterate", Func::from(|text: String| transliterated(&text)))?;
    host.set("systemZone", Func::from(system_zone))?;
    host.set("zoneExists", Func::from(|zone: String| TimeZone::get(&zone).is_ok()))?;
    host.set("zoneOffset", Func::from(zone_offset))?;
    intl::add_to(&host)?;
    Ok(host)
}

/// Hexadecimal digest of the text in UTF-8; `undefined` for an algorithm that n8n does not have.
fn digest(algorithm: String, text: String) -> Option<String> {
    Some(match algorithm.as_str() {
        "md5" => hex::<md5::Md5>(&text),
        "sha1" => hex::<sha1::Sha1>(&text),
        "sha224" => hex::<Sha224>(&text),
        "sha256" => hex::<Sha256>(&text),
        "sha384" => hex::<Sha384>(&text),
        "sha512" => hex::<Sha512>(&text),
        "sha3" => hex::<sha3::Sha3_512>(&text),
        _ => return None,
    })
}

fn hex<D: Digest>(text: &str) -> String {
    let mut digits = String::with_capacity(128);
    for byte in D::digest(text) {
        for digit in [byte >> 4, byte & 15] {
            digits.extend(char::from_digit(digit.into(), 16));
        }
    }
    digits
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD_BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const URL_BASE64: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Decodes either alphabet, skips anything that belongs to neither, and reads the bytes as UTF-8.
fn base64_decode(text: String) -> String {
    let url = text.contains(['-', '_']);
    let mut clean: String =
        text.chars().filter(|letter| letter.is_ascii_alphanumeric() || "+/-_".contains(*letter)).collect();
    if clean.len() % 4 == 1 {
        clean.pop();
    }
    let bytes =
        if url { URL_BASE64.decode(clean.replace('+', "-").replace('/', "_")) } else { STANDARD_BASE64.decode(clean) };
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

/// The zone of the process, which `Date` works in.
fn system_zone() -> String {
    match TimeZone::system().iana_name() {
        None | Some("Etc/UTC") => "UTC".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// Minutes east of UTC at an instant (milliseconds since the epoch); NaN where there is no such zone or instant.
fn zone_offset(zone: String, ms: f64) -> f64 {
    let seconds = || {
        let at = Timestamp::from_millisecond(milliseconds(ms)?).ok()?;
        Some(TimeZone::get(&zone).ok()?.to_offset(at).seconds())
    };
    seconds().map_or(f64::NAN, |seconds| f64::from(seconds) / 60.0)
}

/// ASCII for each character, a question mark where there is none (accents that stand alone, emoji).
fn transliterated(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\u{300}'..='\u{36f}' | '\u{10000}'.. => plain.push('?'),
            '€' => plain.push_str("EU"),
            '™' => plain.push_str("(tm)"),
            letter => plain.push(letter),
        }
    }
    deunicode::deunicode_with_tofu(&plain, "?")
}
