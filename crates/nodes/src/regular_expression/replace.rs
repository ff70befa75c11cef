//! JavaScript's `text.replace(pattern, replacement)`.

use fancy_regex::Captures;
use millrace_model::ExecutionError;

use super::RegularExpression;

impl RegularExpression {
    /// The text with the first match (every match, with the flag `g`) replaced; `$1`, `$<name>`, `$&`, `` $` ``, `$'`
    /// and `$$` in the replacement stand for what JavaScript says they stand for.
    pub(crate) fn replace(&self, text: &str, replacement: &str) -> Result<String, ExecutionError> {
        let mut replaced = String::with_capacity(text.len());
        let mut end = 0;
        for captures in self.compiled.captures_iter(text) {
            let captures = captures.map_err(|_| self.too_complex())?;
            let Some(whole) = captures.get(0) else { continue };
            replaced.push_str(text.get(end..whole.start()).unwrap_or_default());
            expand(&mut replaced, replacement, &captures, text);
            end = whole.end();
            if !self.global {
                break;
            }
        }
        replaced.push_str(text.get(end..).unwrap_or_default());
        Ok(replaced)
    }
}

fn expand(replaced: &mut String, replacement: &str, captures: &Captures<'_, str>, text: &str) {
    let (start, end) = captures.get(0).map_or((0, 0), |whole| (whole.start(), whole.end()));
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        replaced.push_str(before);
        let (value, after) = match after.chars().next() {
            Some('$') => ("$", after.strip_prefix('$').unwrap_or_default()),
            Some('&') => (text.get(start..end).unwrap_or_default(), after.strip_prefix('&').unwrap_or_default()),
            Some('`') => (text.get(..start).unwrap_or_default(), after.strip_prefix('`').unwrap_or_default()),
            Some('\'') => (text.get(end..).unwrap_or_default(), after.strip_prefix('\'').unwrap_or_default()),
            Some('<') => named(captures, after).unwrap_or(("$", after)),
            _ => numbered(captures, after).unwrap_or(("$", after)),
        };
        replaced.push_str(value);
        rest = after;
    }
    replaced.push_str(rest);
}

/// `<name>` behind a `$`, and what follows it.
fn named<'t>(captures: &Captures<'t, str>, after: &'t str) -> Option<(&'t str, &'t str)> {
    let (name, after) = after.strip_prefix('<')?.split_once('>')?;
    Some((captures.name(name).map_or("", |group| group.as_str()), after))
}

/// One or two digits behind a `$` that number a group, and what follows them.
fn numbered<'t>(captures: &Captures<'t, str>, after: &'t str) -> Option<(&'t str, &'t str)> {
    [2, 1].into_iter().find_map(|digits| {
        let (number, after) = after.split_at_checked(digits)?;
        let number: usize = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
        let exists = (1..captures.len()).contains(&number);
        exists.then(|| (captures.get(number).map_or("", |group| group.as_str()), after))
    })
}
