//! Elements by CSS selector, with the extensions that jQuery users know: `:first`, `:last`, `:eq(n)`, `:contains(x)`.

use millrace_model::ExecutionError;
use scraper::{ElementRef, Html, Selector};

/// A selector that CSS itself defines.
pub(super) fn parse(text: &str) -> Result<Selector, ExecutionError> {
    Selector::parse(text).map_err(|_| ExecutionError::operation(format!("The CSS selector \"{text}\" is not valid")))
}

/// The elements of a document that a selector names, in document order.
pub(super) fn select<'d>(html: &'d Html, selector: &str) -> Result<Vec<ElementRef<'d>>, ExecutionError> {
    let selector = selector.trim();
    if selector.is_empty() {
        return Ok(Vec::new());
    }
    let Some((before, filter, after)) = extension(selector) else {
        return Ok(html.select(&parse(selector)?).collect());
    };
    let before = if before.trim().is_empty() { "*" } else { before };
    let found: Vec<ElementRef<'d>> = html.select(&parse(before)?).collect();
    narrowed(filter.apply(found), after)
}

/// Elements below some others, or those themselves when nothing more is said.
fn narrowed<'d>(found: Vec<ElementRef<'d>>, rest: &str) -> Result<Vec<ElementRef<'d>>, ExecutionError> {
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok(found);
    }
    let (path, filter, after) = match extension(rest) {
        Some((path, filter, after)) => (path, Some(filter), after),
        None => (rest, None, ""),
    };
    let below = if path.trim().is_empty() {
        found
    } else {
        let selector = parse(&format!(":scope {path}"))?;
        found.iter().flat_map(|element| element.select(&selector)).collect()
    };
    match filter {
        Some(filter) => narrowed(filter.apply(below), after),
        None => Ok(below),
    }
}

enum Filter {
    First,
    Last,
    /// Counted from the end when negative.
    At(i64),
    Contains(String),
}

impl Filter {
    fn apply<'d>(&self, mut found: Vec<ElementRef<'d>>) -> Vec<ElementRef<'d>> {
        let at = |found: &[ElementRef<'d>], index: Option<usize>| {
            index.and_then(|index| found.get(index).copied()).into_iter().collect()
        };
        match self {
            Filter::First => at(&found, Some(0)),
            Filter::Last => at(&found, found.len().checked_sub(1)),
            Filter::At(index) => {
                let index = match usize::try_from(*index) {
                    Ok(index) => Some(index),
                    Err(_) => usize::try_from(index.unsigned_abs()).ok().and_then(|back| found.len().checked_sub(back)),
                };
                at(&found, index)
            }
            Filter::Contains(text) => {
                found.retain(|element| element.text().collect::<String>().contains(text.as_str()));
                found
            }
        }
    }
}

/// The first extension in a selector, with what stands before and after it.
fn extension(selector: &str) -> Option<(&str, Filter, &str)> {
    let first = selector.match_indices(':').find_map(|(at, _)| {
        let (before, rest) = selector.split_at_checked(at)?;
        let (filter, after) = filter(rest)?;
        Some((before, filter, after))
    })?;
    // Within a list of selectors the extension would belong to one of them only; CSS decides then.
    (!first.0.contains(',')).then_some(first)
}

fn filter(text: &str) -> Option<(Filter, &str)> {
    for (name, filter) in [(":first", Filter::First), (":last", Filter::Last)] {
        if let Some(after) = text.strip_prefix(name)
            && !after.starts_with(|letter: char| letter == '-' || letter.is_alphanumeric())
        {
            return Some((filter, after));
        }
    }
    if let Some((index, after)) = text.strip_prefix(":eq(").and_then(|rest| rest.split_once(')')) {
        return Some((Filter::At(index.trim().parse().ok()?), after));
    }
    let (words, after) = text.strip_prefix(":contains(")?.split_once(')')?;
    Some((Filter::Contains(words.trim().trim_matches(['"', '\'']).to_owned()), after))
}
