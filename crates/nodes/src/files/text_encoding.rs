//! Text in the encodings that n8n's file nodes offer, by the names they use (`utf8`, `windows1256`, `iso88591`, …).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{EncoderResult, Encoding};
use millrace_model::ExecutionError;

const BOM: char = '\u{feff}';

/// Decodes bytes; what is malformed becomes U+FFFD. Without a name the encoding is UTF-8 where the bytes are valid
/// UTF-8, else guessed from their statistics.
pub(super) fn decode(bytes: &[u8], name: Option<&str>, strip_bom: bool) -> Result<String, ExecutionError> {
    let name = name.unwrap_or_else(|| detect(bytes));
    let text = match plain(name).as_str() {
        "base64" => STANDARD.encode(bytes),
        "hex" => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        "binary" | "latin1" | "iso88591" => bytes.iter().copied().map(char::from).collect(),
        _ => encoding(name)?.decode_without_bom_handling(bytes).0.into_owned(),
    };
    Ok(match text.strip_prefix(BOM) {
        Some(rest) if strip_bom => rest.to_owned(),
        _ => text,
    })
}

fn detect(bytes: &[u8]) -> &'static str {
    if std::str::from_utf8(bytes).is_ok() {
        return "utf-8";
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, chardetng::Utf8Detection::Allow).name()
}

/// Encodes text; what the encoding cannot hold becomes `?`.
pub(super) fn encode(text: &str, name: &str, add_bom: bool) -> Result<Vec<u8>, ExecutionError> {
    let marked;
    let text = if add_bom && plain(name).starts_with("utf") {
        marked = format!("{BOM}{text}");
        &marked
    } else {
        text
    };
    Ok(match plain(name).as_str() {
        "utf16le" | "utf16" | "ucs2" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "base64" => STANDARD.decode(text.trim()).map_err(|_| ExecutionError::operation("the text is not base64"))?,
        "hex" => unhex(text.trim()).ok_or_else(|| ExecutionError::operation("the text is not hexadecimal"))?,
        "ascii" | "usascii" => narrow(text, 0x7f),
        "binary" | "latin1" | "iso88591" => narrow(text, 0xff),
        _ => with_table(text, encoding(name)?),
    })
}

fn narrow(text: &str, highest: u32) -> Vec<u8> {
    let byte = |letter: char| u8::try_from(u32::from(letter)).ok().filter(|byte| u32::from(*byte) <= highest);
    text.chars().map(|letter| byte(letter).unwrap_or(b'?')).collect()
}

fn with_table(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    let (mut encoder, mut bytes, mut rest) = (encoding.new_encoder(), Vec::with_capacity(text.len() + 16), text);
    loop {
        bytes.reserve(rest.len() + 16);
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut bytes, true);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            EncoderResult::InputEmpty => return bytes,
            EncoderResult::Unmappable(_) => bytes.push(b'?'),
            EncoderResult::OutputFull => {}
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| if let [high, low] = pair { Some(digit(*high)? * 16 + digit(*low)?) } else { None }).collect()
}

/// A name without case and punctuation.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The encoding of a name: as WHATWG writes it, or run together (`windows1256`, `iso885915`, `cp437` is not there).
fn encoding(name: &str) -> Result<&'static Encoding, ExecutionError> {
    let plain = plain(name);
    let number =
        |prefix: &str| plain.strip_prefix(prefix).filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let spelled = match plain.as_str() {
        "" | "utf8" => "utf-8".to_owned(),
        "utf16" | "ucs2" => "utf-16le".to_owned(),
        "utf16le" => "utf-16le".to_owned(),
        "utf16be" => "utf-16be".to_owned(),
        "eucjp" => "euc-jp".to_owned(),
        "euckr" => "euc-kr".to_owned(),
        "shiftjis" | "sjis" => "shift_jis".to_owned(),
        "koi8r" | "koi8u" => plain.replace("koi8", "koi8-"),
        _ => match (number("windows").or_else(|| number("cp")), number("iso8859")) {
            (Some(page), _) => format!("windows-{page}"),
            (_, Some(part)) => format!("iso-8859-{part}"),
            _ => name.to_owned(),
        },
    };
    let found = Encoding::for_label(spelled.as_bytes()).or_else(|| Encoding::for_label(name.as_bytes()));
    found.ok_or_else(|| ExecutionError::operation(ecow::eco_format!("the encoding \"{name}\" is not known")))
}
