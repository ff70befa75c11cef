//! Rust source as tokens: enough to tell code from comments and literals. Knows no grammar.

/// A piece of source that is no white space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Of its first character, counted from 1.
    pub(super) line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    /// `::` or a single character.
    Punctuation,
    /// A string, a character, a number or a lifetime.
    Literal,
    /// `// …` and `/* … */`.
    Comment,
    /// `/// …`, `//! …`, `/** … */`, `/*! … */`.
    Documentation,
}

impl Token<'_> {
    pub(super) fn is_comment(&self) -> bool {
        matches!(self.kind, Kind::Comment | Kind::Documentation)
    }

    /// Whether it is this name, keyword or punctuation.
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Punctuation) && self.text == text
    }
}

/// Cuts a source into tokens. Source that is no Rust gives some tokens too, never an error.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = match first {
            _ if first.is_whitespace() => (None, first.len_utf8()),
            '/' => comment(rest),
            '\'' => (Some(Kind::Literal), quote(rest)),
            _ => match string(rest) {
                Some(length) => (Some(Kind::Literal), length),
                None if is_word(first) && !first.is_ascii_digit() => (Some(Kind::Word), word(rest)),
                None if first.is_ascii_digit() => (Some(Kind::Literal), word(rest)),
                None if rest.starts_with("::") => (Some(Kind::Punctuation), 2),
                None => (Some(Kind::Punctuation), first.len_utf8()),
            },
        };
        let Some((text, after)) = rest.split_at_checked(length.max(1)) else { break };
        tokens.extend(kind.map(|kind| Token { kind, text, line }));
        line += text.matches('\n').count();
        rest = after;
    }
    tokens
}

fn comment(rest: &str) -> (Option<Kind>, usize) {
    if rest.starts_with("//") {
        let length = rest.find('\n').unwrap_or(rest.len());
        let documentation = rest.starts_with("//!") || rest.starts_with("///") && !rest.starts_with("////");
        return (Some(if documentation { Kind::Documentation } else { Kind::Comment }), length);
    }
    if !rest.starts_with("/*") {
        return (Some(Kind::Punctuation), 1);
    }
    let documentation = rest.starts_with("/*!") || rest.starts_with("/**") && !rest.starts_with("/**/");
    let (mut depth, mut before) = (0_usize, ' ');
    let mut length = rest.len();
    for (at, character) in rest.char_indices() {
        match (before, character) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth = depth.saturating_sub(1),
            _ => {
                before = character;
                continue;
            }
        }
        // Neither character of a pair belongs to the next one.
        before = ' ';
        if depth == 0 {
            length = at + 1;
            break;
        }
    }
    (Some(if documentation { Kind::Documentation } else { Kind::Comment }), length)
}

/// The length of a string literal with its prefix (`b`, `c`, `r#`, …); `None` when none begins here.
fn string(rest: &str) -> Option<usize> {
    let unprefixed = rest.trim_start_matches(['b', 'c']);
    let (raw, body) = unprefixed.strip_prefix('r').map_or((false, unprefixed), |body| (true, body));
    let prefix = rest.len() - body.len();
    if prefix > 2 {
        return None;
    }
    let hashes = if raw { body.len() - body.trim_start_matches('#').len() } else { 0 };
    let (_, quoted) = body.split_at_checked(hashes)?;
    let inside = quoted.strip_prefix('"')?;
    let opening = prefix + hashes + 1;
    if raw {
        let closing = format!("\"{}", "#".repeat(hashes));
        return Some(inside.find(&closing).map_or(rest.len(), |at| opening + at + closing.len()));
    }
    Some(closing(inside, '"').map_or(rest.len(), |at| opening + at))
}

/// The length of a character literal or a lifetime.
fn quote(rest: &str) -> usize {
    let inside = rest.strip_prefix('\'').unwrap_or_default();
    let mut characters = inside.chars();
    match (characters.next(), characters.next()) {
        (Some('\\'), _) => closing(inside, '\'').map_or(rest.len(), |at| at + 1),
        (Some(one), Some('\'')) => one.len_utf8() + 2,
        _ => 1 + word(inside),
    }
}

/// The offset behind the first `end` that no backslash escapes.
fn closing(inside: &str, end: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in inside.char_indices() {
        if character == end && !escaped {
            return Some(at + character.len_utf8());
        }
        escaped = character == '\\' && !escaped;
    }
    None
}

fn word(rest: &str) -> usize {
    rest.find(|character| !is_word(character)).unwrap_or(rest.len())
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
