//! Character classes: `[a-z\d]`, `[^]` and what else stands between brackets.

use super::translate::{Translator, push_literal};

/// One member of a class.
enum Member {
    One(char),
    Set(String),
}

/// Translates a class behind its opening bracket.
pub(super) fn translate(translator: &mut Translator<'_>) -> Result<(), &'static str> {
    const UNTERMINATED: &str = "Unterminated character class";
    let negated = translator.peek() == Some('^');
    if negated {
        translator.next();
    }
    let mut body = String::new();
    while let Some(first) = member(translator).ok_or(UNTERMINATED)? {
        let ranged = translator.peek() == Some('-') && translator.peek_at(1).is_some_and(|next| next != ']');
        if !ranged {
            push(&mut body, first);
            continue;
        }
        translator.next();
        let last = member(translator).ok_or(UNTERMINATED)?;
        match (first, last) {
            (Member::One(first), Some(Member::One(last))) => {
                if first > last {
                    return Err("Range out of order in character class");
                }
                push_literal(&mut body, first);
                body.push('-');
                push_literal(&mut body, last);
            }
            (first, last) => {
                push(&mut body, first);
                push_literal(&mut body, '-');
                if let Some(last) = last {
                    push(&mut body, last);
                }
            }
        }
    }
    translator.out.push_str(&match (body.is_empty(), negated) {
        (true, true) => "(?s:.)".to_owned(),
        (true, false) => "(?!)".to_owned(),
        (false, true) => format!("[^{body}]"),
        (false, false) => format!("[{body}]"),
    });
    Ok(())
}

/// The next member; `Some(None)` at the closing bracket, `None` at the end of the pattern.
fn member(translator: &mut Translator<'_>) -> Option<Option<Member>> {
    Some(Some(match translator.next()? {
        ']' => return Some(None),
        '\\' => match translator.next()? {
            'b' => Member::One('\u{8}'),
            letter => match translator.class_escape(letter) {
                Some(set) => Member::Set(set),
                None => Member::One(translator.character_escape(letter)),
            },
        },
        letter => Member::One(letter),
    }))
}

fn push(body: &mut String, member: Member) {
    match member {
        Member::One(letter) => push_literal(body, letter),
        Member::Set(set) => body.push_str(&set),
    }
}
