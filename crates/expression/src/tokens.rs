//! JavaScript split into tokens, as far as the checks and rewriting of `rewrite` need it. No parser: whether the code is
//! valid is for the compiler to say.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Identifier or keyword.
    Name,
    Number,
    String,
    /// A piece of a template literal: from a backtick or `}` to the next `${` or backtick.
    Template,
    Regex,
    /// Operator or bracket, one to four characters.
    Mark,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// Byte offset in the source.
    pub(crate) start: usize,
}

impl Token<'_> {
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        self.kind == Kind::Mark && self.text == text
    }

    /// Does a template literal begin with this piece?
    pub(crate) fn opens_template(&self) -> bool {
        self.kind == Kind::Template && self.text.starts_with('`')
    }

    /// Does a template literal end with this piece?
    pub(crate) fn closes_template(&self) -> bool {
        self.kind == Kind::Template && !self.text.ends_with("${")
    }

    /// Could a value end with this token, so that `[`, `(` or `/` after it belongs to it?
    pub(crate) fn ends_value(&self) -> bool {
        match self.kind {
            Kind::Name => !is_operator_word(self.text),
            Kind::Number | Kind::String | Kind::Regex => true,
            Kind::Template => self.closes_template(),
            Kind::Mark => matches!(self.text, ")" | "]" | "}" | "++" | "--"),
        }
    }
}

/// Words after which an operand comes.
pub(crate) fn is_operator_word(word: &str) -> bool {
    matches!(
        word,
        "return"
            | "typeof"
            | "case"
            | "in"
            | "of"
            | "delete"
            | "void"
            | "instanceof"
            | "new"
            | "throw"
            | "else"
            | "do"
            | "yield"
            | "await"
            | "extends"
            | "const"
            | "let"
            | "var"
    )
}

/// Marks of more than one character, longest first.
const MARKS: [&str; 37] = [
    ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=", "||=", "??=", "=>", "==", "!=", "<=", ">=", "&&",
    "||", "??", "?.", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>", "**", "=", "{", "}", "#",
];

/// Splits a source; comments and white space are left out. `None` when a string, template, comment or regular expression
/// does not end.
pub(crate) fn tokenize(source: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    // For every open `${`: how many `{` are open inside it.
    let mut templates: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(rest) = source.get(at..) {
        let Some(first) = rest.chars().next() else { break };
        if first.is_whitespace() || first == '\u{feff}' {
            at += first.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(rest.len());
            continue;
        }
        if let Some(comment) = rest.strip_prefix("/*") {
            at += comment.find("*/")? + 4;
            continue;
        }
        let (kind, length) = match first {
            '"' | '\'' => (Kind::String, quoted(rest, first)?),
            '`' => (Kind::Template, template_piece(rest, &mut templates)?),
            '}' if templates.last() == Some(&0) => {
                templates.pop();
                (Kind::Template, template_piece(rest, &mut templates)?)
            }
            '/' if !tokens.last().is_some_and(Token::ends_value) => (Kind::Regex, regex(rest)?),
            '0'..='9' => (Kind::Number, number(rest)),
            '.' if rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit()) => (Kind::Number, number(rest)),
            _ if is_name_start(first) => (Kind::Name, name(rest)),
            _ => (Kind::Mark, mark(rest, first)),
        };
        let text = rest.get(..length)?;
        match (text, templates.last_mut()) {
            ("{", Some(open)) if kind == Kind::Mark => *open += 1,
            ("}", Some(open)) if kind == Kind::Mark => *open = open.saturating_sub(1),
            _ => {}
        }
        tokens.push(Token { kind, text, start: at });
        at += length;
    }
    templates.is_empty().then_some(tokens)
}

/// A string literal. Unlike JavaScript's it may go on over the end of a line; `rewrite` sees to that.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn template_piece(rest: &str, templates: &mut Vec<usize>) -> Option<usize> {
    let mut escaped = false;
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '`' => return Some(at + 1),
            '$' if letters.peek().is_some_and(|(_, next)| *next == '{') => {
                templates.push(0);
                return Some(at + 2);
            }
            _ => {}
        }
    }
    None
}

fn regex(rest: &str) -> Option<usize> {
    let (mut escaped, mut in_class) = (false, false);
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            '\n' | '\r' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => {
                let flags = rest.get(at + 1..)?;
                return Some(at + 1 + name(flags));
            }
            _ => {}
        }
    }
    None
}

fn number(rest: &str) -> usize {
    let mut previous = ' ';
    rest.find(|letter: char| {
        let exponent_sign = matches!(letter, '+' | '-') && matches!(previous, 'e' | 'E') && !rest.starts_with("0x");
        previous = letter;
        !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_') || exponent_sign)
    })
    .unwrap_or(rest.len())
}

fn is_name_start(letter: char) -> bool {
    letter.is_alphabetic() || matches!(letter, '$' | '_' | '\\')
}

fn name(rest: &str) -> usize {
    let mut escape = false;
    rest.find(|letter: char| {
        let part = letter.is_alphanumeric() || matches!(letter, '$' | '_' | '\\' | '\u{200c}' | '\u{200d}');
        let in_escape = escape && matches!(letter, '{' | '}');
        escape = letter == '\\' || (escape && letter != '}');
        !(part || in_escape)
    })
    .unwrap_or(rest.len())
}

fn mark(rest: &str, first: char) -> usize {
    // `a?.1:b` is a conditional, not an optional chain.
    let conditional = rest.starts_with("?.") && rest.chars().nth(2).is_some_and(|next| next.is_ascii_digit());
    if conditional {
        return 1;
    }
    MARKS.iter().find(|mark| rest.starts_with(**mark)).map_or_else(|| first.len_utf8(), |mark| mark.len())
}

/// The text a string literal or name stands for, with its escapes resolved. Unknown escapes stand for themselves.
pub(crate) fn unescape(text: &str) -> String {
    let mut letters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        let code = match letters.next() {
            Some('x') => hexadecimal(letters.by_ref().take(2).collect()),
            Some('u') => {
                let braced = letters.clone().next() == Some('{');
                if braced {
                    hexadecimal(letters.by_ref().skip(1).take_while(|digit| *digit != '}').collect())
                } else {
                    hexadecimal(letters.by_ref().take(4).collect())
                }
            }
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            Some('r') => Some('\r'),
            Some('\n') | None => None,
            Some(other) => Some(other),
        };
        plain.extend(code);
    }
    plain
}

fn hexadecimal(digits: String) -> Option<char> {
    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
}
