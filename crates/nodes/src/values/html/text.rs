//! The text of an element as a reader would see it, by the rules of html-to-text: headings in capitals, links and
//! images with their addresses in brackets, lists with bullets or numbers.

use ego_tree::NodeRef;
use scraper::{ElementRef, Node, Selector};

use super::text_builder::TextBuilder;

/// Deepest nesting that is followed.
const MAX_DEPTH: usize = 256;

/// The text of what is inside an element; of the `body` alone when there is one.
pub(super) fn of(element: ElementRef<'_>, skipped: &[Selector]) -> String {
    let mut walk = Walk { builder: TextBuilder::new(), skipped, upper: 0 };
    let body = element.descendent_elements().find(|inner| inner.value().name() == "body" && *inner != element);
    walk.children(*body.unwrap_or(element), 0);
    walk.builder.finish()
}

struct Walk<'s> {
    builder: TextBuilder,
    skipped: &'s [Selector],
    /// Number of headings around the text.
    upper: usize,
}

impl Walk<'_> {
    fn children(&mut self, node: NodeRef<'_, Node>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for child in node.children() {
            match child.value() {
                Node::Text(text) => self.builder.add_text(text, self.upper > 0),
                Node::Element(_) => {
                    if let Some(element) = ElementRef::wrap(child) {
                        self.element(element, depth + 1);
                    }
                }
                // What a template holds.
                Node::Fragment => self.children(child, depth + 1),
                _ => {}
            }
        }
    }

    fn element(&mut self, element: ElementRef<'_>, depth: usize) {
        if self.skipped.iter().any(|selector| selector.matches(&element)) {
            return;
        }
        match element.value().name() {
            "script" | "style" => {}
            "br" => self.builder.add_line_break(),
            "a" => self.anchor(element, depth),
            "img" => self.image(element),
            "hr" => {
                self.builder.open_block(2, 0, false);
                self.builder.add_text(&"-".repeat(80), false);
                self.builder.close_block(2, |text| text);
            }
            "h1" | "h2" | "h3" => self.heading(element, depth, 3),
            "h4" | "h5" | "h6" => self.heading(element, depth, 2),
            "p" | "table" => self.block(element, depth, 2),
            "article" | "aside" | "div" | "footer" | "form" | "header" | "main" | "nav" | "section" => {
                self.block(element, depth, 1);
            }
            "pre" => {
                self.builder.open_block(2, 0, true);
                self.children(*element, depth);
                self.builder.close_block(2, |text| text);
            }
            "blockquote" => {
                self.builder.open_block(2, 2, false);
                self.children(*element, depth);
                self.builder.close_block(2, |text| {
                    let lines: Vec<String> =
                        text.trim_matches('\n').split('\n').map(|line| format!("> {line}")).collect();
                    lines.join("\n")
                });
            }
            "ul" => self.list(element, depth, |_| " * ".to_owned()),
            "ol" => {
                let first = element.attr("start").and_then(|start| start.parse::<usize>().ok()).unwrap_or(1);
                let style = element.attr("type").unwrap_or("1").to_owned();
                self.list(element, depth, |at| format!(" {}. ", number(first + at, &style)));
            }
            _ => self.children(*element, depth),
        }
    }

    fn block(&mut self, element: ElementRef<'_>, depth: usize, breaks: usize) {
        self.builder.open_block(breaks, 0, false);
        self.children(*element, depth);
        self.builder.close_block(breaks, |text| text);
    }

    fn heading(&mut self, element: ElementRef<'_>, depth: usize, leading: usize) {
        self.builder.open_block(leading, 0, false);
        self.upper += 1;
        self.children(*element, depth);
        self.upper -= 1;
        self.builder.close_block(2, |text| text);
    }

    fn anchor(&mut self, element: ElementRef<'_>, depth: usize) {
        self.children(*element, depth);
        let address = element.attr("href").unwrap_or_default();
        let address = address.strip_prefix("mailto:").unwrap_or(address);
        if address.is_empty() || address.starts_with('#') {
            return;
        }
        let has_text = element.text().any(|text| !text.trim().is_empty());
        if has_text {
            self.builder.add_text(&format!(" [{address}]"), false);
        } else {
            self.builder.add_text(address, false);
        }
    }

    fn image(&mut self, element: ElementRef<'_>) {
        let (name, address) = (element.attr("alt").unwrap_or_default(), element.attr("src").unwrap_or_default());
        let text = match (name, address) {
            (name, "") => name.to_owned(),
            ("", address) => format!("[{address}]"),
            (name, address) => format!("{name} [{address}]"),
        };
        self.builder.add_text(&text, false);
    }

    fn list(&mut self, element: ElementRef<'_>, depth: usize, prefix: impl Fn(usize) -> String) {
        let nested = element.parent().and_then(ElementRef::wrap).is_some_and(|parent| parent.value().name() == "li");
        let breaks = if nested { 1 } else { 2 };
        let mut count = 0;
        let mut items = Vec::new();
        for child in element.children() {
            let is_blank = child.value().as_text().is_some_and(|text| text.trim().is_empty());
            let is_item = ElementRef::wrap(child).is_some_and(|child| child.value().name() == "li");
            if is_item {
                let mark = prefix(count);
                items.push((child, if nested { mark.trim_start().to_owned() } else { mark }));
                count += 1;
            } else if !is_blank && !child.value().is_comment() {
                items.push((child, String::new()));
            }
        }
        if items.is_empty() {
            return;
        }
        let widest = items.iter().map(|(_, prefix)| prefix.len()).max().unwrap_or(0);
        self.builder.open_list(breaks, widest);
        for (child, prefix) in items {
            self.builder.open_item(&prefix);
            match (child.value().as_text(), ElementRef::wrap(child)) {
                (Some(text), _) => self.builder.add_text(text, self.upper > 0),
                (None, Some(element)) => self.element(element, depth + 1),
                (None, None) => {}
            }
            self.builder.close_item();
        }
        self.builder.close_list(breaks);
    }
}

/// The number of a list item in the style of its list.
fn number(number: usize, style: &str) -> String {
    match style {
        "a" => letters(number),
        "A" => letters(number).to_uppercase(),
        "i" => roman(number).to_lowercase(),
        "I" => roman(number),
        _ => number.to_string(),
    }
}

fn letters(mut number: usize) -> String {
    let mut text = String::new();
    while number > 0 {
        let digit = u8::try_from((number - 1) % 26).unwrap_or(0);
        text.insert(0, char::from(b'a' + digit));
        number = (number - 1) / 26;
    }
    text
}

fn roman(mut number: usize) -> String {
    const NUMERALS: [(usize, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if number > 4000 {
        return number.to_string();
    }
    let mut text = String::new();
    for (value, numeral) in NUMERALS {
        while number >= value {
            text.push_str(numeral);
            number -= value;
        }
    }
    text
}
