//! What the JavaScript of the prelude cannot do itself: digests, base64, transliteration, time zones.

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use jiff::{Timestamp, tz::TimeZone};
use rquickjs::{Ctx, Object, Result, Value, function::Func};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::sources;
use crate::intl::{self, milliseconds};

/// The `load` function of the prelude's JavaScript: a part by its name, or `host`, the functions of this file.
pub(super) fn load<'js>(ctx: Ctx<'js>, name: String) -> Result<Value<'js>> {
    if name == "host" {
        return host(&ctx).map(Object::into_value);
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
