//! From JavaScript's pattern syntax (ECMA-262 §22.2.1 with Annex B) to that of the engine.

use super::class;

/// What `\w` matches in JavaScript: ASCII only.
pub(super) const WORD: &str = "0-9A-Za-z_";
/// What `\s` matches in JavaScript.
pub(super) const SPACE: &str =
    r"\t\n\x0B\x0C\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}";
const LINE_END: &str = r"[\n\r\x{2028}\x{2029}]";

/// The same pattern for the engine; the error is V8's reason.
pub(super) fn translate(pattern: &str, flags: &str) -> Result<String, &'static str> {
    let letters: Vec<char> = pattern.chars().collect();
    let mut translator = Translator {
        letters: &letters,
        at: 0,
        out: String::with_capacity(pattern.len() + 16),
        groups: count_groups(&letters),
        multiline: flags.contains('m'),
        dot_all: flags.contains('s'),
        unicode: flags.contains('u') || flags.contains('v'),
    };
    translator.pattern()?;
    let body = translator.out;
    let prefix = if flags.contains('i') { "(?i)" } else { "" };
    Ok(if flags.contains('y') { format!(r"{prefix}\A(?:{body})") } else { format!("{prefix}{body}") })
}

pub(super) struct Translator<'a> {
    letters: &'a [char],
    at: usize,
    pub(super) out: String,
    /// Capture groups in the whole pattern.
    groups: usize,
    multiline: bool,
    dot_all: bool,
    pub(super) unicode: bool,
}

impl Translator<'_> {
    pub(super) fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let letter = self.peek();
        self.at += 1;
        letter
    }

    fn pattern(&mut self) -> Result<(), &'static str> {
        let (mut depth, mut repeatable) = (0_usize, false);
        while let Some(letter) = self.next() {
            repeatable = match letter {
                '(' => {
                    self.group_start()?;
                    depth += 1;
                    false
                }
                ')' => {
                    depth = depth.checked_sub(1).ok_or("Unmatched ')'")?;
                    self.out.push(')');
                    true
                }
                '*' | '+' | '?' => self.quantifier(letter.to_string(), repeatable)?,
                '{' => match self.braces()? {
                    Some(quantifier) => self.quantifier(quantifier, repeatable)?,
                    None => {
                        self.literal('{');
                        true
                    }
                },
                letter => {
                    self.atom(letter)?;
                    !matches!(letter, '|' | '^' | '$')
                }
            };
        }
        if depth > 0 { Err("Unterminated group") } else { Ok(()) }
    }

    fn atom(&mut self, letter: char) -> Result<(), &'static str> {
        match letter {
            '[' => class::translate(self)?,
            ']' | '}' => self.literal(letter),
            '.' if self.dot_all => self.out.push_str("(?s:.)"),
            '.' => self.out.push_str(r"[^\n\r\x{2028}\x{2029}]"),
            '^' if self.multiline => self.out.push_str(&format!(r"(?:\A|(?<={LINE_END}))")),
            '^' => self.out.push_str(r"\A"),
            '$' if self.multiline => self.out.push_str(&format!(r"(?:\z|(?={LINE_END}))")),
            '$' => self.out.push_str(r"\z"),
            '\\' => self.escape()?,
            '|' => self.out.push('|'),
            letter => self.literal(letter),
        }
        Ok(())
    }

    fn group_start(&mut self) -> Result<(), &'static str> {
        self.out.push('(');
        if self.peek() != Some('?') {
            return Ok(());
        }
        self.at += 1;
        self.out.push('?');
        match self.next() {
            Some(kind @ (':' | '=' | '!')) => self.out.push(kind),
            Some('<') if matches!(self.peek(), Some('=' | '!')) => {
                self.out.push('<');
                let kind = self.next();
                self.out.extend(kind);
            }
            Some('<') => {
                let name = self.group_name().ok_or("Invalid capture group name")?;
                self.out.push_str(&format!("<{name}>"));
            }
            _ => return Err("Invalid group"),
        }
        Ok(())
    }

    fn group_name(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            match self.next()? {
                '>' if !name.is_empty() => return Some(name),
                letter if letter.is_alphanumeric() || letter == '_' => name.push(letter),
                _ => return None,
            }
        }
    }

    /// Writes a quantifier; what it makes cannot be repeated again.
    fn quantifier(&mut self, quantifier: String, repeatable: bool) -> Result<bool, &'static str> {
        if !repeatable {
            return Err("Nothing to repeat");
        }
        self.out.push_str(&quantifier);
        if self.peek() == Some('?') {
            self.at += 1;
            self.out.push('?');
        }
        Ok(false)
    }

    /// Reads `{n}`, `{n,}`, `{n,m}` behind the opening brace; `None` when the brace stands for itself.
    fn braces(&mut self) -> Result<Option<String>, &'static str> {
        let rest = self.letters.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|letter| *letter == '}') else { return Ok(None) };
        let inner: String = rest.iter().take(length).collect();
        let (least, most) = inner.split_once(',').map_or((inner.as_str(), None), |(least, most)| (least, Some(most)));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if least.is_empty() || !digits(least) || !most.is_none_or(digits) {
            return Ok(None);
        }
        let (from, to) = (least.parse::<u64>(), most.filter(|most| !most.is_empty()).map(str::parse::<u64>));
        if let (Ok(from), Some(Ok(to))) = (from, to)
            && from > to
        {
            return Err("numbers out of order in {} quantifier");
        }
        self.at += length + 1;
        Ok(Some(format!("{{{inner}}}")))
    }

    fn escape(&mut self) -> Result<(), &'static str> {
        let Some(letter) = self.next() else { return Err(r"\ at end of pattern") };
        match letter {
            'b' => self.out.push_str(&format!("(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))")),
            'B' => self.out.push_str(&format!("(?:(?<=[{WORD}])(?=[{WORD}])|(?<![{WORD}])(?![{WORD}]))")),
            '1'..='9' => self.back_reference(letter),
            'k' if self.peek() == Some('<') => {
                self.at += 1;
                let name = self.group_name().ok_or("Invalid named reference")?;
                self.out.push_str(&format!(r"\k<{name}>"));
            }
            letter => match self.class_escape(letter) {
                Some(class) => self.out.push_str(&class),
                None => {
                    let letter = self.character_escape(letter);
                    self.literal(letter);
                }
            },
        }
        Ok(())
    }

    fn back_reference(&mut self, first: char) {
        let mut number = first.to_digit(10).unwrap_or(0);
        while let Some(digit) = self.peek().and_then(|letter| letter.to_digit(10)) {
            let longer = number.saturating_mul(10).saturating_add(digit);
            if usize::try_from(longer).is_ok_and(|longer| longer > self.groups) {
                break;
            }
            number = longer;
            self.at += 1;
        }
        if usize::try_from(number).is_ok_and(|number| number <= self.groups) {
            self.out.push_str(&format!(r"(?:\{number})"));
        } else {
            self.literal(char::from_u32(number).filter(|_| number < 8).unwrap_or(first));
        }
    }

    /// `\d` and its kind, as a bracketed class.
    pub(super) fn class_escape(&mut self, letter: char) -> Option<String> {
        Some(match letter {
            'd' => "[0-9]".to_owned(),
            'D' => "[^0-9]".to_owned(),
            'w' => format!("[{WORD}]"),
            'W' => format!("[^{WORD}]"),
            's' => format!("[{SPACE}]"),
            'S' => format!("[^{SPACE}]"),
            'p' | 'P' if self.unicode && self.peek() == Some('{') => {
                let rest = self.letters.get(self.at..).unwrap_or_default();
                let length = rest.iter().position(|letter| *letter == '}')?;
                let name: String = rest.iter().take(length + 1).collect();
                self.at += length + 1;
                format!(r"[\{letter}{}]", name.replace("Script=", "sc=").replace("General_Category=", "gc="))
            }
            _ => return None,
        })
    }

    /// The character that an escape stands for.
    pub(super) fn character_escape(&mut self, letter: char) -> char {
        match letter {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'v' => '\u{b}',
            'f' => '\u{c}',
            '0' => '\0',
            'c' if self.peek().is_some_and(|letter| letter.is_ascii_alphabetic()) => {
                let code = self.next().map_or(0, u32::from) % 32;
                char::from_u32(code).unwrap_or('\0')
            }
            'x' => self.hexadecimal(2).and_then(char::from_u32).unwrap_or('x'),
            'u' => self.unicode_escape().unwrap_or('u'),
            letter => letter,
        }
    }

    fn unicode_escape(&mut self) -> Option<char> {
        if self.peek() == Some('{') {
            let rest = self.letters.get(self.at + 1..).unwrap_or_default();
            let length = rest.iter().position(|letter| *letter == '}')?;
            let digits: String = rest.iter().take(length).collect();
            let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)?;
            self.at += length + 2;
            return Some(code);
        }
        let high = self.hexadecimal(4)?;
        if (0xd800..0xdc00).contains(&high) && self.peek() == Some('\\') && self.peek_at(1) == Some('u') {
            self.at += 2;
            let low = self.hexadecimal(4).unwrap_or(0xdc00);
            return char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low & 0x3ff));
        }
        char::from_u32(high)
    }

    /// Reads exactly so many hexadecimal digits, or nothing.
    fn hexadecimal(&mut self, digits: usize) -> Option<u32> {
        let text: String = self.letters.get(self.at..self.at + digits)?.iter().collect();
        let valid = text.chars().all(|digit| digit.is_ascii_hexdigit());
        let code = u32::from_str_radix(&text, 16).ok().filter(|_| valid)?;
        self.at += digits;
        Some(code)
    }

    fn literal(&mut self, letter: char) {
        push_literal(&mut self.out, letter);
    }
}

/// Writes one character so that it stands for itself, in and outside of classes.
pub(super) fn push_literal(out: &mut String, letter: char) {
    if letter.is_ascii_alphanumeric() || !letter.is_ascii() {
        out.push(letter);
    } else {
        out.push_str(&format!(r"\x{:02x}", u32::from(letter)));
    }
}

/// Capture groups of a pattern: opening brackets that are no `(?:` and the like.
fn count_groups(letters: &[char]) -> usize {
    let (mut groups, mut escaped, mut in_class) = (0, false, false);
    for (at, letter) in letters.iter().enumerate() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let special = letters.get(at + 1) == Some(&'?');
                let named = letters.get(at + 2) == Some(&'<') && !matches!(letters.get(at + 3), Some('=' | '!'));
                groups += usize::from(!special || named);
            }
            _ => {}
        }
    }
    groups
}
