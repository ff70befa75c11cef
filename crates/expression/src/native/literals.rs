//! Literals of JavaScript: numbers and strings, as far as they are beyond doubt.

use millrace_model::Str;

/// A decimal literal; `None` for other notations.
pub(super) fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    let octal = text.len() > 1 && text.starts_with('0') && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if plain && !octal { text.parse().ok() } else { None }
}

/// The text between the quotes; `None` where it has escapes of the rarer kinds.
pub(super) fn string(inner: &str) -> Option<Str> {
    if !inner.contains(['\\', '\r']) {
        return Some(inner.into());
    }
    let mut text = Str::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' => return None,
            '\\' => text.push(match letters.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                quoted @ ('\\' | '\'' | '"' | '`' | '/' | '$' | '{' | '}' | '.' | '-') => quoted,
                _ => return None,
            }),
            _ => text.push(letter),
        }
    }
    Some(text)
}
