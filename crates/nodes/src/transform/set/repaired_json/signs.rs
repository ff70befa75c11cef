//! What single letters may mean in repaired JSON.

pub(super) fn is_blank(letter: char) -> bool {
    matches!(
        letter,
        ' ' | '\n' | '\t' | '\r' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

pub(super) fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$')
}

pub(super) fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\u{201c}' | '\u{201d}' | '\'' | '\u{2018}' | '\u{2019}' | '`' | '\u{b4}')
}

/// Does a quote end what another began?
pub(super) fn closes(quote: char, letter: char) -> bool {
    match quote {
        '"' | '\'' => letter == quote,
        '\u{201c}' | '\u{201d}' => matches!(letter, '"' | '\u{201c}' | '\u{201d}'),
        _ => matches!(letter, '\'' | '\u{2018}' | '\u{2019}' | '`' | '\u{b4}'),
    }
}

/// Signs beside which a quote is an end, or a number ends.
pub(super) fn is_delimiter(letter: char) -> bool {
    separates(letter) || matches!(letter, ':' | '(' | ')')
}

/// Signs that end text without quotes.
pub(super) fn separates(letter: char) -> bool {
    matches!(letter, ',' | '[' | ']' | '/' | '{' | '}' | '\n' | '+')
}

pub(super) fn is_address_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-._~:/?#@!$&'()*+;=".contains(letter)
}
