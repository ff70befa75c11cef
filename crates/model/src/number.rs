//! Numbers as JavaScript reads and writes them.

use crate::Str;

/// JavaScript's `String(number)` (ECMA-262 Number::toString).
pub fn format_number(value: f64) -> Str {
    let mut buffer = ryu_js::Buffer::new();
    buffer.format(value).into()
}

/// JavaScript's `Number(text)`: surrounding white space allowed, empty is 0, hexadecimal, octal and binary
/// prefixes, `Infinity`; anything else is NaN.
pub fn parse_number(text: &str) -> f64 {
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
    let radix = |digits: &str, radix| {
        if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
            return f64::NAN;
        }
        digits.chars().fold(0.0, |sum, digit| sum * f64::from(radix) + f64::from(digit.to_digit(radix).unwrap_or(0)))
    };
    match text {
        "" => return 0.0,
        "Infinity" | "+Infinity" => return f64::INFINITY,
        "-Infinity" => return f64::NEG_INFINITY,
        _ => {}
    }
    if let Some((prefix, digits)) = text.split_at_checked(2) {
        match prefix {
            "0x" | "0X" => return radix(digits, 16),
            "0o" | "0O" => return radix(digits, 8),
            "0b" | "0B" => return radix(digits, 2),
            _ => {}
        }
    }
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if numeric { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// A whole, non-negative number as an index; `None` for fractions, negatives, NaN and more than 2⁵³.
#[expect(clippy::as_conversions, reason = "checked: whole, not negative and within 2^53")]
pub fn to_index(value: f64) -> Option<usize> {
    ((0.0..=9_007_199_254_740_992.0).contains(&value) && value.fract() == 0.0).then_some(value as usize)
}
