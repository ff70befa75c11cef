//! JavaScript regular expressions on a bounded engine: linear where the pattern allows it, else with a limit on
//! backtracking, so that no pattern can hang a run.

mod class;
mod replace;
#[cfg(test)]
mod tests;
mod translate;

use fancy_regex::{Regex, RegexBuilder};
use millrace_model::{ExecutionError, Str};
use rustc_hash::FxHashMap;

/// Steps a pattern with look-around or back references may take on one text.
const BACKTRACK_LIMIT: usize = 1_000_000;
/// Bytes a compiled pattern may take.
const SIZE_LIMIT: usize = 4 << 20;

/// Patterns that a node may keep compiled.
const MAX_PATTERNS: usize = 64;

/// Compiled patterns by their text, for nodes that match many items against few patterns.
#[derive(Debug, Default)]
pub(crate) struct Patterns(FxHashMap<Str, RegularExpression>);

impl Patterns {
    /// Does the pattern (`/p/flags` or bare) occur in the text?
    pub(crate) fn is_match(&mut self, pattern: &str, text: &str) -> Result<bool, ExecutionError> {
        if !self.0.contains_key(pattern) {
            if self.0.len() >= MAX_PATTERNS {
                self.0.clear();
            }
            self.0.insert(pattern.into(), RegularExpression::parse(pattern)?);
        }
        self.0.get(pattern).map_or(Ok(false), |compiled| compiled.is_match(text))
    }
}

/// A compiled JavaScript pattern.
#[derive(Debug)]
pub(crate) struct RegularExpression {
    compiled: Regex,
    /// Does the flag `g` ask for every match?
    global: bool,
    /// As written, for errors.
    source: String,
}

impl RegularExpression {
    /// As `new RegExp(pattern, flags)`; the error is a `SyntaxError` with V8's words.
    pub(crate) fn new(pattern: &str, flags: &str) -> Result<RegularExpression, ExecutionError> {
        let known = flags.chars().all(|flag| "dgimsuvy".contains(flag));
        let repeated = flags.chars().enumerate().any(|(at, flag)| flags.chars().skip(at + 1).any(|next| next == flag));
        if !known || repeated {
            let message = format!("Invalid flags supplied to RegExp constructor '{flags}'");
            return Err(ExecutionError::new("SyntaxError", message));
        }
        let source = format!("/{pattern}/{flags}");
        let invalid = |reason: &str| {
            ExecutionError::new("SyntaxError", format!("Invalid regular expression: {source}: {reason}"))
        };
        let translated = translate::translate(pattern, flags).map_err(invalid)?;
        let compiled = RegexBuilder::new(&translated)
            .backtrack_limit(BACKTRACK_LIMIT)
            .delegate_size_limit(SIZE_LIMIT)
            .build()
            .map_err(|_| invalid("Invalid or too large pattern"))?;
        Ok(RegularExpression { compiled, global: flags.contains('g'), source })
    }

    /// Reads `/pattern/flags`; anything else is a pattern without flags.
    pub(crate) fn parse(text: &str) -> Result<RegularExpression, ExecutionError> {
        let delimited = text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
        match delimited {
            Some((pattern, flags)) if flags.chars().all(|flag| "gimusy".contains(flag)) && !pattern.contains('\n') => {
                RegularExpression::new(pattern, flags)
            }
            _ => RegularExpression::new(text, ""),
        }
    }

    /// Does the pattern occur in the text?
    pub(crate) fn is_match(&self, text: &str) -> Result<bool, ExecutionError> {
        self.compiled.is_match(text).map_err(|_| self.too_complex())
    }

    fn too_complex(&self) -> ExecutionError {
        let message = format!("The regular expression {} takes too long on this text", self.source);
        ExecutionError::operation(message)
    }
}
