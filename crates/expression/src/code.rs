//! Tokens with their brackets paired: the questions `rewrite` asks about an expression's shape, and edits of its text.

use crate::tokens::{Kind, Token, is_operator_word};

/// The tokens of an expression whose brackets match.
pub(crate) struct Code<'a> {
    pub(crate) tokens: &'a [Token<'a>],
    /// For every bracket and template the index of its partner; for other tokens their own index.
    pairs: Vec<usize>,
}

impl<'a> Code<'a> {
    /// `None` when brackets do not match.
    pub(crate) fn new(tokens: &'a [Token<'a>]) -> Option<Code<'a>> {
        pair_brackets(tokens).map(|pairs| Code { tokens, pairs })
    }

    pub(crate) fn before(&self, at: usize) -> Option<&Token<'a>> {
        self.tokens.get(at.checked_sub(1)?)
    }

    pub(crate) fn after(&self, at: usize) -> Option<&Token<'a>> {
        self.tokens.get(at + 1)
    }

    /// The other bracket of a pair.
    pub(crate) fn partner(&self, at: usize) -> usize {
        self.pairs.get(at).copied().unwrap_or(at)
    }

    /// Is this name read from something (`.name`, `?.name`)?
    pub(crate) fn is_property(&self, at: usize) -> bool {
        self.before(at).is_some_and(|mark| mark.is(".") || mark.is("?."))
    }

    /// Does this `[` read a property, rather than make an array?
    pub(crate) fn is_member_bracket(&self, open: usize) -> bool {
        self.before(open).is_some_and(|token| token.ends_value() || token.is("?."))
    }

    /// Is this `[` around a computed name of an object literal, pattern or class?
    pub(crate) fn is_computed_name(&self, open: usize) -> bool {
        let before = self.before(open).is_some_and(|mark| mark.is("{") || mark.is(",") || mark.kind == Kind::Name);
        before && self.after(self.partner(open)).is_some_and(|mark| mark.is(":") || mark.is("("))
    }

    /// Is the key in these brackets anything but one literal?
    pub(crate) fn is_dynamic_key(&self, open: usize) -> bool {
        let literal = self.after(open).is_some_and(|key| {
            matches!(key.kind, Kind::Number | Kind::String)
                || (key.kind == Kind::Template && key.opens_template() && key.closes_template())
        });
        !(literal && self.partner(open) == open + 2)
    }

    /// Does a call follow this token?
    pub(crate) fn is_called(&self, at: usize) -> bool {
        match self.after(at) {
            Some(open) if open.is("(") => true,
            Some(chain) if chain.is("?.") => self.after(at + 1).is_some_and(|open| open.is("(")),
            _ => false,
        }
    }

    /// Is the name or key at `at` read from the variable `Object`?
    pub(crate) fn is_read_from_object(&self, at: usize) -> bool {
        let object = at.checked_sub(2).and_then(|object| self.tokens.get(object));
        let owner = object.is_some_and(|token| token.kind == Kind::Name && token.text == "Object");
        owner && self.before(at).is_some_and(|mark| mark.is(".") || mark.is("?.") || mark.is("["))
    }

    /// Is the key at `at` in a destructuring pattern, rather than in an object literal?
    pub(crate) fn in_pattern(&self, at: usize) -> bool {
        let Some(open) = self.enclosing(at) else { return false };
        let close = self.partner(open);
        match self.after(close) {
            Some(next) if next.is("=") => true,
            Some(next) if next.is(")") => self.after(close + 1).is_some_and(|mark| mark.is("=>") || mark.is("{")),
            Some(next) => next.kind == Kind::Name && matches!(next.text, "of" | "in"),
            None => false,
        }
    }

    fn enclosing(&self, at: usize) -> Option<usize> {
        let mut position = at;
        while let Some(previous) = position.checked_sub(1) {
            let partner = self.partner(previous);
            if partner > previous {
                return Some(previous);
            }
            position = partner.min(previous);
        }
        None
    }

    /// Where the receiver of the property whose dot is at `dot` begins (byte offset), and whether `?.` may cut it short.
    pub(crate) fn receiver(&self, dot: usize) -> Option<(usize, bool)> {
        let mut cut_short = false;
        let mut at = dot.checked_sub(1)?;
        loop {
            let token = self.tokens.get(at)?;
            if !token.ends_value() {
                return None;
            }
            let first = self.partner(at).min(at);
            let link = first.checked_sub(1).and_then(|before| self.tokens.get(before));
            let Some(link) = link else { return Some((self.tokens.get(first)?.start, cut_short)) };
            let grouping = self.tokens.get(first).is_some_and(|token| token.kind != Kind::Name);
            if link.is(".") || link.is("?.") {
                cut_short |= link.is("?.");
                at = first.checked_sub(2)?;
            } else if grouping && link.ends_value() && !is_statement_word(link) {
                // A call, a computed property or a tagged template: what it applies to stands before it.
                at = first - 1;
            } else {
                let constructed = link.kind == Kind::Name && link.text == "new";
                let start = if constructed { link } else { self.tokens.get(first)? };
                return Some((start.start, cut_short));
            }
        }
    }

    /// Makes what follows a call that may be cut short part of the same chain.
    pub(crate) fn keep_cutting_short(&self, close: usize) -> Option<Edit> {
        let next = self.after(close)?;
        match next.text {
            "." => {
                let rewritten = self.tokens.get(close + 2).is_some_and(|name| crate::prelude::is_extension(name.text))
                    && self.is_called(close + 2);
                (!rewritten).then(|| Edit::replace(next.start, 1, "?."))
            }
            "[" | "(" if next.kind == Kind::Mark => Some(Edit::append(next.start, "?.")),
            _ => None,
        }
    }

    /// Byte offsets of the commas directly within a bracket.
    pub(crate) fn commas_within(&self, open: usize) -> Vec<usize> {
        let close = self.partner(open);
        let (mut at, mut commas) = (open + 1, Vec::new());
        while at < close {
            if let Some(comma) = self.tokens.get(at).filter(|token| token.is(",")) {
                commas.push(comma.start);
            }
            at = self.partner(at).max(at) + 1;
        }
        commas
    }

    /// Byte offset of the last of several statements; `None` when there is only one.
    pub(crate) fn last_statement(&self) -> Option<usize> {
        let (mut at, mut last, mut pending) = (0, None, false);
        while let Some(token) = self.tokens.get(at) {
            if token.is(";") {
                pending = true;
            } else if pending {
                (last, pending) = (Some(token.start), false);
            }
            at = self.partner(at).max(at) + 1;
        }
        last
    }
}

/// Words after which a parenthesis is no call.
fn is_statement_word(token: &Token<'_>) -> bool {
    token.kind == Kind::Name
        && (is_operator_word(token.text) || matches!(token.text, "if" | "while" | "for" | "switch" | "catch" | "await"))
}

fn pair_brackets(tokens: &[Token<'_>]) -> Option<Vec<usize>> {
    let mut pairs: Vec<usize> = (0..tokens.len()).collect();
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let expected = match (token.kind, token.text) {
            (Kind::Template, _) => {
                match (token.opens_template(), token.closes_template()) {
                    (true, false) => open.push((at, "`")),
                    (false, false) if open.last().is_none_or(|(_, kind)| *kind != "`") => return None,
                    _ => {}
                }
                if token.opens_template() || !token.closes_template() {
                    continue;
                }
                "`"
            }
            (Kind::Mark, "(" | "[" | "{") => {
                open.push((at, token.text));
                continue;
            }
            (Kind::Mark, ")") => "(",
            (Kind::Mark, "]") => "[",
            (Kind::Mark, "}") => "{",
            _ => continue,
        };
        let (first, kind) = open.pop()?;
        if kind != expected {
            return None;
        }
        if let Some(slot) = pairs.get_mut(first) {
            *slot = at;
        }
        if let Some(slot) = pairs.get_mut(at) {
            *slot = first;
        }
    }
    open.is_empty().then_some(pairs)
}

/// A change of the source at a byte offset. At one place, edits of lower order come first.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    at: usize,
    order: i64,
    delete: usize,
    text: String,
}

impl Edit {
    pub(crate) fn insert_outermost(at: usize, text: &str) -> Edit {
        Edit { at, order: i64::MIN, delete: 0, text: text.into() }
    }

    /// Inserts before a receiver; of several at one place, the one whose call comes last is the outermost.
    pub(crate) fn insert_before(at: usize, call: usize, text: &str) -> Edit {
        Edit { at, order: -i64::try_from(call).unwrap_or(i64::MAX), delete: 0, text: text.into() }
    }

    pub(crate) fn append(at: usize, text: &str) -> Edit {
        Edit { at, order: i64::MAX - 1, delete: 0, text: text.into() }
    }

    pub(crate) fn replace(at: usize, delete: usize, text: impl Into<String>) -> Edit {
        Edit { at, order: i64::MAX, delete, text: text.into() }
    }
}

/// The source with the edits made.
pub(crate) fn apply(source: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.at, edit.order));
    let mut result = String::with_capacity(source.len() + edits.len() * 16);
    let mut at = 0;
    for edit in edits {
        if edit.at > at {
            result.push_str(source.get(at..edit.at).unwrap_or_default());
            at = edit.at;
        }
        result.push_str(&edit.text);
        at = at.max(edit.at + edit.delete);
    }
    result.push_str(source.get(at..).unwrap_or_default());
    result
}
