//! Decimal numbers: reading JavaScript's text of a number and rounding it to wanted digits.

use fixed_decimal::{Decimal, SignedRoundingMode, UnsignedRoundingMode};

const HALF_UP: SignedRoundingMode = SignedRoundingMode::Unsigned(UnsignedRoundingMode::HalfExpand);

/// The number in a decimal text such as `-12.5` or `1e+21`.
pub(super) fn parse(text: &str) -> Option<Decimal> {
    let plain = text.replace("e+", "e");
    Decimal::try_from_str(&plain).ok()
}

/// Rounded half away from zero to at most `most` fraction digits, padded to at least `least`.
pub(super) fn rounded(number: Decimal, least: i16, most: i16) -> Decimal {
    let mut number = number.rounded_with_mode(-most, HALF_UP);
    number.absolute.trim_end();
    number.absolute.pad_end(-least);
    number
}

/// Rounded to at most `most` significant digits, padded to at least `least`.
pub(super) fn rounded_to_significant(number: Decimal, least: i16, most: i16) -> Decimal {
    let first = number.absolute.nonzero_magnitude_start();
    let mut number = number.rounded_with_mode(first - most + 1, HALF_UP);
    number.absolute.trim_end();
    number.absolute.pad_end((number.absolute.nonzero_magnitude_start() - least + 1).min(0));
    number
}
