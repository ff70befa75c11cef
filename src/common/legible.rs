//! Names that people tell apart by looking: no invisible letters, no letters dressed up as others. A part of what UTS #39
//! asks for: one script among those that look alike, and no compatibility letters.

use validator::ValidationError;

/// Scripts whose letters are mistaken for each other's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Cherokee,
}

/// For names by which tenants know each other.
pub fn legible(text: &str) -> Result<(), ValidationError> {
    super::validate::visible_text(text)?;
    if text.chars().any(is_invisible) {
        let message = "must not hold invisible characters or such that change the direction of writing";
        return Err(ValidationError::new("invisible_characters").with_message(message.into()));
    }
    if text.chars().any(is_dressed_up) {
        let message = "must not hold letters that only look like others: full-width, mathematical or enclosed ones";
        return Err(ValidationError::new("confusable").with_message(message.into()));
    }
    let mut scripts = text.chars().filter_map(script);
    let first = scripts.next();
    if scripts.any(|script| Some(script) != first) {
        let message = "must not mix letters of Latin, Greek, Cyrillic, Armenian or Cherokee, which look alike";
        return Err(ValidationError::new("confusable").with_message(message.into()));
    }
    Ok(())
}

fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn is_dressed_up(letter: char) -> bool {
    matches!(letter,
        '\u{2100}'..='\u{214f}' | '\u{2460}'..='\u{24ff}' | '\u{ff01}'..='\u{ff5e}' | '\u{1d400}'..='\u{1d7ff}'
        | '\u{1f100}'..='\u{1f1e5}')
}

fn script(letter: char) -> Option<Script> {
    match letter {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Some(Script::Latin),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(Script::Greek),
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' => Some(Script::Cyrillic),
        '\u{530}'..='\u{58f}' => Some(Script::Armenian),
        '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Some(Script::Cherokee),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_by_looking() {
        for (name, code) in [
            ("Acme, Inc.", None),
            ("Ačme Übergröße 2", None),
            ("Яндекс", None),
            ("名前 Ltd", None),
            ("Ελλάδα", None),
            ("Acme 🚀", None),
            ("Аcme", Some("confusable")),
            ("Αcme", Some("confusable")),
            ("Ａcme", Some("confusable")),
            ("𝐀cme", Some("confusable")),
            ("Ac\u{200b}me", Some("invisible_characters")),
            ("\u{202e}emcA", Some("invisible_characters")),
            ("\u{feff}", Some("invisible_characters")),
            ("  ", Some("blank")),
            ("a\r\nX-Evil: 1", Some("control_characters")),
        ] {
            let found = legible(name).err().map(|error| error.code.into_owned());
            assert_eq!(found.as_deref(), code, "{name:?}");
        }
    }
}
