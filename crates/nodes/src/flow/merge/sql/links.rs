//! Which items a row of a result comes from: asked of the database itself where the query allows it, as n8n does.

use std::sync::LazyLock;

use regex::Regex;

/// Name of the column with a row's place in its input.
pub(super) const PLACE: &str = "pairedItem";

pub(super) enum Links {
    /// Totals: rows of no item in particular.
    None,
    /// All columns: the places come with them.
    Star,
    /// Chosen columns: the query that asks for the places too.
    Chosen(String),
    /// It cannot be said: all items.
    Unknown,
}

static TOTALS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\bgroup\s+by\b|\b(?:count|sum|avg|min|max|total|group_concat)\s*\(").ok());
static FROM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)\bfrom\b").ok());
static START: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)^\s*select\s+").ok());
static COMBINED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:union|intersect|except|distinct|with)\b|;\s*\S").ok());

impl Links {
    pub(super) fn of(query: &str, inputs: usize) -> Links {
        let fits = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_some_and(|pattern| pattern.is_match(text));
        let start = START.as_ref().and_then(|start| start.find(query));
        let (Some(start), false) = (start, fits(&COMBINED, query)) else { return Links::Unknown };
        if fits(&TOTALS, query) || !fits(&FROM, query) {
            return Links::None;
        }
        let rest = query.get(start.end()..).unwrap_or_default();
        if rest.starts_with('*') {
            return Links::Star;
        }
        let named = |number: &usize| {
            let table = Regex::new(&format!(r"(?i)\b(?:from|join|,)\s*input{number}\b"));
            table.is_ok_and(|table| table.is_match(query))
        };
        let places: Vec<String> =
            (1..=inputs).filter(named).map(|number| format!("input{number}.\"{PLACE}\"")).collect();
        if places.is_empty() { Links::Unknown } else { Links::Chosen(format!("SELECT {}, {rest}", places.join(", "))) }
    }

    pub(super) fn query(&self) -> Option<&str> {
        match self {
            Links::Chosen(query) => Some(query),
            _ => None,
        }
    }
}
