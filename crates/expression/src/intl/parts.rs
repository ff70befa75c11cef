//! Formatted text as the list of typed parts that `formatToParts` gives.

use std::fmt::{Result, Write};

use writeable::{Part, PartsWrite, Writeable};

/// A piece of formatted text and what it stands for: `literal`, `month`, `integer`, …
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TextPart {
    pub(super) kind: &'static str,
    pub(super) text: String,
}

impl TextPart {
    pub(super) fn new(kind: &'static str, text: impl Into<String>) -> TextPart {
        TextPart { kind, text: text.into() }
    }
}

/// Kind and text of each part in turn, the form in which they go to JavaScript.
pub(super) fn flatten(parts: Vec<TextPart>) -> Vec<String> {
    parts.into_iter().flat_map(|part| [part.kind.to_owned(), part.text]).collect()
}

/// Writes a value and keeps its innermost parts.
pub(super) fn collect(value: &impl Writeable) -> Vec<TextPart> {
    let mut collector = Collector::default();
    let _never_fails = value.write_to_parts(&mut collector);
    collector.parts
}

#[derive(Default)]
struct Collector {
    parts: Vec<TextPart>,
    within: Vec<Part>,
}

impl Write for Collector {
    fn write_str(&mut self, text: &str) -> Result {
        if text.is_empty() {
            return Ok(());
        }
        let kind = self.within.last().map_or("literal", |part| part.value);
        match self.parts.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(text),
            _ => self.parts.push(TextPart::new(kind, text)),
        }
        Ok(())
    }
}

impl PartsWrite for Collector {
    type SubPartsWrite = Self;

    fn with_part(&mut self, part: Part, mut write: impl FnMut(&mut Self) -> Result) -> Result {
        // Digits inside of a date field belong to the field.
        let outer = self.within.last().copied().filter(|outer| outer.category == "datetime");
        self.within.push(outer.unwrap_or(part));
        let result = write(self);
        self.within.pop();
        result
    }
}
