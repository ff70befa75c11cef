//! Recognises a value that an AI agent fills in: a lone `$fromAI(…)` call with literal arguments.

/// Is this text (without its `=`) one call of `$fromAI` with literals only, `{{ }}` and comments allowed around it?
pub(super) fn is_call(text: &str) -> bool {
    let mut text = text.trim();
    if let Some(inner) = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
        text = inner.trim();
    }
    while let Some(rest) = text.strip_prefix("/*") {
        let Some((_, after)) = rest.split_once("*/") else { return false };
        text = after.trim_start();
    }
    let Some(rest) = ["$fromAI", "$fromAi", "$fromai"].iter().find_map(|name| text.strip_prefix(name)) else {
        return false;
    };
    let Some(arguments) = rest.trim_start().strip_prefix('(').and_then(|rest| rest.trim_end().strip_suffix(')')) else {
        return false;
    };
    literals_only(arguments)
}

fn literals_only(arguments: &str) -> bool {
    let mut letters = arguments.chars().peekable();
    let mut word = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' | '`' => {
                let mut closed = false;
                while let Some(inner) = letters.next() {
                    match inner {
                        '\\' => {
                            letters.next();
                        }
                        '$' if letter == '`' && letters.peek() == Some(&'{') => return false,
                        _ if inner == letter => {
                            closed = true;
                            break;
                        }
                        _ => {}
                    }
                }
                if !closed {
                    return false;
                }
            }
            ',' => {
                if !is_literal(&std::mem::take(&mut word)) {
                    return false;
                }
            }
            letter if letter.is_whitespace() => {}
            letter => word.push(letter),
        }
    }
    is_literal(&word)
}

/// An unquoted argument; empty where a string stood.
fn is_literal(word: &str) -> bool {
    matches!(word, "" | "true" | "false" | "null" | "undefined") || word.parse::<f64>().is_ok()
}
