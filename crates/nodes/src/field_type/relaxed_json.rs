//! Objects as people write them in JavaScript: bare or single-quoted keys, single-quoted text, trailing commas.

use std::iter::Peekable;
use std::str::Chars;

use millrace_model::{Object, Value, parse_number};

/// Nesting up to which text is read.
const MAX_DEPTH: usize = 128;

/// Reads one object literal; `None` for anything else.
pub(super) fn parse_object(text: &str) -> Option<Value> {
    let mut reader = Reader { letters: text.chars().peekable() };
    reader.space();
    if reader.letters.peek() != Some(&'{') {
        return None;
    }
    let value = reader.value(0)?;
    reader.space();
    reader.letters.next().is_none().then_some(value)
}

struct Reader<'a> {
    letters: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn space(&mut self) {
        while self.letters.next_if(|letter| letter.is_whitespace()).is_some() {}
    }

    fn take(&mut self, wanted: char) -> bool {
        self.space();
        self.letters.next_if_eq(&wanted).is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.space();
        match self.letters.peek()? {
            '{' => self.object(depth),
            '[' => self.array(depth),
            '"' | '\'' => self.text().map(Value::from),
            _ => {
                let word = self.word();
                match word.as_str() {
                    "true" => Some(Value::Bool(true)),
                    "false" => Some(Value::Bool(false)),
                    "null" => Some(Value::Null),
                    "" => None,
                    number => Some(parse_number(number)).filter(|number| !number.is_nan()).map(Value::Number),
                }
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.letters.next();
        let mut object = Object::new();
        loop {
            if self.take('}') {
                return Some(object.into());
            }
            let key = match self.letters.peek()? {
                '"' | '\'' => self.text()?,
                _ => Some(self.word()).filter(|word| !word.is_empty())?,
            };
            if !self.take(':') {
                return None;
            }
            object.insert(key, self.value(depth + 1)?);
            if !self.take(',') {
                return self.take('}').then(|| object.into());
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.letters.next();
        let mut values = Vec::new();
        loop {
            if self.take(']') {
                return Some(values.into());
            }
            values.push(self.value(depth + 1)?);
            if !self.take(',') {
                return self.take(']').then(|| values.into());
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        let quote = self.letters.next()?;
        let mut text = String::new();
        loop {
            match self.letters.next()? {
                '\\' => match self.letters.next()? {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'b' => text.push('\u{8}'),
                    'f' => text.push('\u{c}'),
                    'u' => {
                        let digits: String = self.letters.by_ref().take(4).collect();
                        text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                    }
                    other => text.push(other),
                },
                letter if letter == quote => return Some(text),
                '\n' => return None,
                letter => text.push(letter),
            }
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(letter) =
            self.letters.next_if(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '$' | '.' | '-' | '+'))
        {
            word.push(letter);
        }
        word
    }
}
