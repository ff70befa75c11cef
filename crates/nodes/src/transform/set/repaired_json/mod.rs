//! JSON as people and language models write it, read by the rules of the published `jsonrepair`: bare and oddly quoted
//! text, line breaks and quotes inside text, comments, code fences, Python's constants, missing commas, colons and ends.

mod signs;
#[cfg(test)]
mod tests;

use millrace_model::{Object, Value, parse_number};
use signs::{closes, is_address_letter, is_blank, is_delimiter, is_name, is_quote, separates};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 100;

/// The value that the text plainly means; `None` where that is not plain.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader { letters: text.chars().collect(), at: 0, depth: 0 };
    reader.fence(&["```", "[```", "{```"]);
    let mut value = reader.value()??;
    reader.fence(&["```", "```]", "```}"]);
    if reader.take(',') {
        reader.space();
    }
    if reader.starts_value() && reader.is_on_new_line() {
        value = reader.further_values(value)?;
    }
    while reader.take('}') || reader.take(']') {
        reader.space();
    }
    (reader.at >= reader.letters.len()).then_some(value)
}

struct Reader {
    letters: Vec<char>,
    at: usize,
    depth: usize,
}

/// What is found at a place: nothing that could be meant (the outer `None`), nothing at all, or a value.
type Found<T> = Option<Option<T>>;

/// Where a text whose end quote is missing ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Quote,
    /// At the first sign that separates values.
    Delimiter,
    Index(usize),
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn letter(&self, at: usize) -> Option<char> {
        self.letters.get(at).copied()
    }

    fn slice(&self, from: usize, to: usize) -> String {
        self.letters.get(from..to).unwrap_or_default().iter().collect()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn follows(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(offset, letter)| self.letter(self.at + offset) == Some(letter))
    }

    fn skip_while(&mut self, is_part: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&is_part) {
            self.at += 1;
        }
    }

    /// Skips blanks and comments.
    fn space(&mut self) {
        loop {
            self.skip_while(is_blank);
            if self.follows("/*") {
                self.at += 2;
                while self.at < self.letters.len() && !self.follows("*/") {
                    self.at += 1;
                }
                self.at = (self.at + 2).min(self.letters.len());
            } else if self.follows("//") {
                self.skip_while(|letter| letter != '\n');
            } else {
                return;
            }
        }
    }

    /// Skips a code fence and the language it names.
    fn fence(&mut self, forms: &[&str]) {
        self.space();
        if let Some(form) = forms.iter().find(|form| self.follows(form)) {
            self.at += form.chars().count();
            self.skip_while(is_name);
            self.space();
        }
    }

    fn starts_value(&self) -> bool {
        self.peek().is_some_and(|letter| {
            letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '[' | '{') || is_quote(letter)
        })
    }

    fn is_on_new_line(&self) -> bool {
        let before = self.letters.get(..self.at).unwrap_or_default();
        let before = before.iter().rev().find(|letter| !matches!(letter, ' ' | '\t' | '\r'));
        matches!(before, Some('\n' | ','))
    }

    /// Values on lines of their own are a list.
    fn further_values(&mut self, first: Value) -> Option<Value> {
        let mut values = vec![first];
        while let Some(value) = self.value()? {
            values.push(value);
            self.take(',');
        }
        Some(values.into())
    }

    fn value(&mut self) -> Found<Value> {
        self.space();
        let found = match self.peek() {
            None => None,
            Some('{') => Some(self.deeper(Reader::object)?),
            Some('[') => Some(self.deeper(Reader::array)?),
            _ => match self.text(End::Quote)? {
                Some(text) => Some(text.into()),
                None => match self.number()?.or_else(|| self.keyword()) {
                    Some(value) => Some(value),
                    None => self.bare(false)?,
                },
            },
        };
        self.space();
        Some(found)
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Reader) -> Option<Value>) -> Option<Value> {
        self.depth += 1;
        let value = if self.depth > MAX_DEPTH { None } else { read(self) };
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Option<Value> {
        let mut object = Object::new();
        self.at += 1;
        self.space();
        loop {
            self.take(',');
            self.space();
            if matches!(self.peek(), None | Some('}')) {
                break;
            }
            self.ellipsis();
            let key = match self.text(End::Quote)? {
                Some(key) => key,
                None => match self.bare(true)? {
                    Some(key) => key.to_js_string().to_string(),
                    None if matches!(self.peek(), None | Some('{' | '}' | '[' | ']')) => break,
                    None => return None,
                },
            };
            self.space();
            let colon = self.take(':');
            let is_cut = self.at >= self.letters.len();
            if !colon && !is_cut && !self.starts_value() {
                return None;
            }
            let value = match self.value()? {
                Some(value) => value,
                None if colon || is_cut => Value::Null,
                None => return None,
            };
            object.insert(key, value);
        }
        self.take('}');
        Some(object.into())
    }

    fn array(&mut self) -> Option<Value> {
        let mut values = Vec::new();
        self.at += 1;
        self.space();
        loop {
            self.take(',');
            self.space();
            if matches!(self.peek(), None | Some(']')) {
                break;
            }
            self.ellipsis();
            match self.value()? {
                Some(value) => values.push(value),
                None => break,
            }
        }
        self.take(']');
        Some(values.into())
    }

    fn ellipsis(&mut self) {
        if self.follows("...") {
            self.at += 3;
            self.space();
            self.take(',');
            self.space();
        }
    }

    /// Quoted text, and what `+` adds to it.
    fn text(&mut self, end: End) -> Found<String> {
        let is_escaped = self.take('\\');
        let Some(quote) = self.peek().filter(|letter| is_quote(*letter)) else { return Some(None) };
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            let Some(letter) = self.peek() else {
                let ends_with_delimiter = self.before(self.at).is_some_and(|(_, letter)| is_delimiter(letter));
                if end != End::Delimiter && ends_with_delimiter {
                    return self.again(start, End::Delimiter);
                }
                text.truncate(text.trim_end().len());
                return Some(Some(text));
            };
            if end == End::Index(self.at) {
                text.truncate(text.trim_end().len());
                return Some(Some(text));
            }
            if closes(quote, letter) {
                let at = self.at;
                self.at += 1;
                self.space();
                let is_end = self
                    .peek()
                    .is_none_or(|letter| is_delimiter(letter) || is_quote(letter) || letter.is_ascii_digit());
                if end == End::Delimiter || is_end {
                    return self.joined(text).map(Some);
                }
                match self.before(at) {
                    Some((comma, ',')) => return self.again(start, End::Index(comma)),
                    Some((_, letter)) if is_delimiter(letter) => return self.again(start, End::Delimiter),
                    _ => {}
                }
                text.push(letter);
                self.at = at + 1;
            } else if end == End::Delimiter && separates(letter) {
                if self.is_address(start + 1) {
                    let from = self.at;
                    self.skip_while(is_address_letter);
                    text.push_str(&self.slice(from, self.at));
                }
                text.truncate(text.trim_end().len());
                return self.joined(text).map(Some);
            } else if letter == '\\' {
                text.push_str(&self.escape()?);
            } else if letter < ' ' && !matches!(letter, '\n' | '\r' | '\t' | '\u{8}' | '\u{c}') {
                return None;
            } else {
                text.push(letter);
                self.at += 1;
            }
            if is_escaped {
                self.take('\\');
            }
        }
    }

    fn again(&mut self, start: usize, end: End) -> Found<String> {
        self.at = start;
        self.text(end)
    }

    /// The last letter before a place that is no blank.
    fn before(&self, place: usize) -> Option<(usize, char)> {
        let before = self.letters.get(..place)?.iter().enumerate().rev();
        before.map(|(at, letter)| (at, *letter)).find(|(_, letter)| !is_blank(*letter))
    }

    fn joined(&mut self, mut text: String) -> Option<String> {
        self.space();
        while self.take('+') {
            self.space();
            match self.text(End::Quote)? {
                Some(more) => text.push_str(&more),
                None => return None,
            }
        }
        Some(text)
    }

    /// An escape; one that JSON does not know is the letter alone.
    fn escape(&mut self) -> Option<String> {
        let letter = self.letter(self.at + 1);
        let known = match letter {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('u') => return self.code_units(),
            Some(other) => other,
            None => {
                self.at += 1;
                return Some(String::new());
            }
        };
        self.at += 2;
        Some(known.into())
    }

    /// `\uXXXX`, as many as follow each other: two may be one letter.
    fn code_units(&mut self) -> Option<String> {
        let mut units = Vec::new();
        while self.follows("\\u") {
            let digits = self.slice(self.at + 2, (self.at + 6).min(self.letters.len()));
            let is_whole = digits.len() == 4;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            self.at = if is_whole { self.at + 6 } else { self.letters.len() };
            units.extend(u16::from_str_radix(&digits, 16).ok().filter(|_| is_whole));
        }
        Some(String::from_utf16_lossy(&units))
    }

    fn number(&mut self) -> Found<Value> {
        let start = self.at;
        let found = self.number_end();
        let (true, text) = (found && self.at > start, self.slice(start, self.at)) else {
            self.at = start;
            return Some(None);
        };
        let digits = text.strip_prefix('-').unwrap_or(&text);
        if digits.starts_with('.') {
            return None;
        }
        let has_leading_zero = text.starts_with('0') && text.chars().nth(1).is_some_and(|digit| digit.is_ascii_digit());
        if has_leading_zero {
            return Some(Some(text.into()));
        }
        // What ends with a sign goes on with a zero.
        let text = if text.ends_with(|letter: char| letter.is_ascii_digit()) { text } else { text + "0" };
        Some(Some(Value::Number(parse_number(&text))))
    }

    /// Goes to the end of a number; says whether one is there.
    fn number_end(&mut self) -> bool {
        let is_digit = |letter: char| letter.is_ascii_digit();
        self.take('-');
        self.skip_while(is_digit);
        if self.take('.') && !self.ends_number() && !self.peek().is_some_and(is_digit) {
            return false;
        }
        self.skip_while(is_digit);
        if self.take('e') || self.take('E') {
            let _ = self.take('-') || self.take('+');
            self.skip_while(is_digit);
        }
        self.ends_number()
    }

    fn ends_number(&self) -> bool {
        self.peek().is_none_or(|letter| is_delimiter(letter) || is_blank(letter))
    }

    fn keyword(&mut self) -> Option<Value> {
        const WORDS: [(&str, Value); 6] = [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
            ("True", Value::Bool(true)),
            ("False", Value::Bool(false)),
            ("None", Value::Null),
        ];
        let (word, value) = WORDS.into_iter().find(|(word, _)| self.follows(word))?;
        let end = self.at + word.len();
        if self.letter(end).is_some_and(is_name) {
            return None;
        }
        self.at = end;
        Some(value)
    }

    /// Text without quotes, or what a call such as `callback(…)` holds.
    fn bare(&mut self, is_key: bool) -> Found<Value> {
        let start = self.at;
        if self.peek().is_some_and(|letter| is_name(letter) && !letter.is_ascii_digit()) {
            self.skip_while(is_name);
            let end = self.at;
            self.skip_while(is_blank);
            if self.take('(') {
                let value = self.deeper(|reader| reader.value().map(Option::unwrap_or_default))?;
                if self.take(')') {
                    self.take(';');
                }
                return Some(Some(value));
            }
            self.at = end;
        }
        self.skip_while(|letter| !(separates(letter) || is_quote(letter) || is_key && letter == ':'));
        if self.is_address(start) {
            self.skip_while(is_address_letter);
        }
        if self.at == start {
            return Some(None);
        }
        let text = self.slice(start, self.at);
        let text = text.trim_end_matches(is_blank);
        self.at = start + text.chars().count();
        // The end quote of a text that has no other.
        self.take('"');
        Some(Some(if text == "undefined" { Value::Null } else { text.into() }))
    }

    /// Does an address such as `https://` begin at `start` and reach this place?
    fn is_address(&self, start: usize) -> bool {
        const SCHEMES: [&str; 7] = ["http", "https", "mailto", "ftp", "file", "data", "irc"];
        let scheme = self.slice(start, self.at);
        self.follows("//") && scheme.strip_suffix(':').is_some_and(|scheme| SCHEMES.contains(&scheme))
    }
}
