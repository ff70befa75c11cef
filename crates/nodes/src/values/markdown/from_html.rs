//! HTML to Markdown, with the conventions and options of node-html-markdown.

use ego_tree::NodeRef;
use millrace_model::{ExecutionError, Object, Str, Value, truthy};
use scraper::{ElementRef, Node};

use super::lines::Lines;
use crate::field_list;
use crate::regular_expression::RegularExpression;
use crate::values::html::document;

/// Deepest nesting that is followed.
const MAX_DEPTH: usize = 256;

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 33] = [
    "address",
    "article",
    "aside",
    "body",
    "canvas",
    "center",
    "dd",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "html",
    "main",
    "nav",
    "noscript",
    "p",
    "section",
    "summary",
    "details",
];

/// Elements whose inside is never shown.
const HIDDEN: [&str; 11] =
    ["head", "title", "script", "style", "template", "noembed", "iframe", "object", "audio", "video", "svg"];

/// Elements that have a form of their own, which `ignore` does not take away.
const FORMED: [&str; 28] = [
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "pre",
    "s",
    "strike",
    "strong",
    "table",
    "td",
    "th",
    "tr",
    "ul",
    "tbody",
];

struct Style {
    bullet: Str,
    fence: Str,
    fenced: bool,
    emphasis: Str,
    strong: Str,
    ignored: Vec<Str>,
    blocks: Vec<Str>,
    keep_data_images: bool,
    references: bool,
    most_breaks: usize,
    escape: (RegularExpression, Str),
    line_start: (RegularExpression, Str),
    replacements: Vec<(RegularExpression, Str)>,
}

pub(super) fn convert(html: &str, options: &Object) -> Result<String, ExecutionError> {
    let style = Style::of(options)?;
    let document = document::parse(html)?;
    let mut walk = Walk { lines: Lines::new(style.most_breaks), style, links: Vec::new() };
    walk.children(document.tree.root(), Place::default(), 0)?;
    let Walk { lines, links, .. } = walk;
    let mut text = lines.finish();
    if begins_with_blank(html) {
        text.insert_str(0, " \n\n");
    }
    for (at, link) in links.iter().enumerate() {
        text.push_str(&format!("{}[{}]: {link}", if at == 0 { "\n\n" } else { "\n" }, at + 1));
    }
    Ok(text)
}

/// White space before the first element of a document shows as a blank.
fn begins_with_blank(html: &str) -> bool {
    let is_declaration = html.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype"));
    let rest = match html.split_once('>') {
        Some((_, rest)) if is_declaration => rest,
        _ => html,
    };
    rest.starts_with(char::is_whitespace) && rest.trim_start().starts_with('<')
}

impl Style {
    fn of(options: &Object) -> Result<Style, ExecutionError> {
        let text = |name: &str, usual: &str| {
            let given = options.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            Str::from(given.unwrap_or(usual))
        };
        let pair = |name: &str, pattern: &str, replacement: &str| {
            let given = options.get(name).and_then(|option| option.get("value"));
            let part = |key: &str| given.and_then(|value| value.get(key)?.as_str()).map(Str::from);
            let pattern = part("pattern").unwrap_or_else(|| pattern.into());
            Ok::<_, ExecutionError>((
                RegularExpression::new(&pattern, "gm")?,
                part("replacement").unwrap_or_else(|| replacement.into()),
            ))
        };
        let mut replacements = Vec::new();
        let given = options.get("textReplace").and_then(|option| option.get("values")).and_then(Value::as_array);
        for entry in given.unwrap_or_default() {
            let part = |key: &str| entry.get(key).map(Value::to_js_string).unwrap_or_default();
            replacements.push((RegularExpression::new(&part("pattern"), "gm")?, part("replacement")));
        }
        let breaks = options.get("maxConsecutiveNewlines").and_then(Value::as_f64).and_then(millrace_model::to_index);
        Ok(Style {
            bullet: text("bulletMarker", "*"),
            fence: text("codeFence", "```"),
            fenced: text("codeBlockStyle", "fence") != "indented",
            emphasis: text("emDelimiter", "_"),
            strong: text("strongDelimiter", "**"),
            ignored: field_list::split(&text("ignore", "")),
            blocks: field_list::split(&text("blockElements", "")),
            keep_data_images: options.get("keepDataImages").is_some_and(truthy),
            references: options.get("useLinkReferenceDefinitions").is_some_and(truthy),
            most_breaks: breaks.unwrap_or(3),
            escape: pair("globalEscape", r"[\\`*_~\[\]]", r"\$&")?,
            line_start: pair("lineStartEscape", r"^(\s*?)((?:\+\s)|(?:[=>-])|(?:#{1,6}\s))", r"$1\$2")?,
            replacements,
        })
    }
}

/// Where in the document a node stands.
#[derive(Clone, Copy, Default)]
struct Place {
    preformatted: bool,
    /// Depth of lists around it.
    list_depth: usize,
}

struct Walk {
    lines: Lines,
    style: Style,
    /// Addresses that are put at the end.
    links: Vec<String>,
}

impl Walk {
    fn children(&mut self, node: NodeRef<'_, Node>, place: Place, depth: usize) -> Result<(), ExecutionError> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        for child in node.children() {
            if let Some(text) = child.value().as_text() {
                self.text(text, place)?;
            } else if let Some(element) = ElementRef::wrap(child) {
                self.element(element, place, depth + 1)?;
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str, place: Place) -> Result<(), ExecutionError> {
        if place.preformatted {
            self.lines.push_verbatim(text);
            return Ok(());
        }
        let mut shown = String::new();
        if text.starts_with(char::is_whitespace) {
            shown.push(' ');
        }
        shown.push_str(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        if text.ends_with(char::is_whitespace) && !shown.ends_with(' ') {
            shown.push(' ');
        }
        let (pattern, replacement) = &self.style.escape;
        shown = pattern.replace(&shown, replacement)?;
        let (pattern, replacement) = &self.style.line_start;
        shown = pattern.replace(&shown, replacement)?;
        for (pattern, replacement) in &self.style.replacements {
            shown = pattern.replace(&shown, replacement)?;
        }
        self.lines.push(&shown);
        Ok(())
    }

    fn element(&mut self, element: ElementRef<'_>, place: Place, depth: usize) -> Result<(), ExecutionError> {
        let name = element.value().name();
        let ignored = self.style.ignored.iter().any(|ignored| ignored.eq_ignore_ascii_case(name));
        if HIDDEN.contains(&name) || (ignored && !FORMED.contains(&name)) {
            return Ok(());
        }
        match name {
            "br" => self.lines.push_verbatim("  \n"),
            "hr" => {
                self.lines.break_lines(2);
                self.lines.push("---");
                self.lines.break_lines(2);
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name.as_bytes().get(1).map_or(1, |digit| usize::from(digit.saturating_sub(b'0')));
                let title = self.inside(element, place, depth)?;
                self.lines.break_lines(2);
                if !title.is_empty() {
                    self.lines.push(&format!("{} {}", "#".repeat(level), title.replace('\n', " ")));
                }
                self.lines.break_lines(2);
            }
            "strong" | "b" => self.surround(element, place, depth, |style| style.strong.clone())?,
            "em" | "i" => self.surround(element, place, depth, |style| style.emphasis.clone())?,
            "del" | "s" | "strike" => self.surround(element, place, depth, |_| "~~".into())?,
            "a" => self.link(element, place, depth)?,
            "img" => self.image(element),
            "code" | "kbd" | "samp" | "tt" if !place.preformatted => {
                let code: String = element.text().collect();
                let ticks = if code.contains('`') { "``" } else { "`" };
                self.lines.push(&format!("{ticks}{code}{ticks}"));
            }
            "pre" => self.code_block(element),
            "ul" | "ol" => self.list(element, place, depth)?,
            "blockquote" => {
                let text = self.inside(element, place, depth)?;
                self.lines.break_lines(2);
                let quoted: Vec<String> = text.lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
                self.lines.push_verbatim(&quoted.join("\n"));
                self.lines.break_lines(2);
            }
            "table" => self.table(element, place, depth)?,
            _ if BLOCKS.contains(&name) || self.style.blocks.iter().any(|block| block.eq_ignore_ascii_case(name)) => {
                self.lines.break_lines(2);
                self.children(*element, place, depth)?;
                self.lines.break_lines(2);
            }
            _ => self.children(*element, place, depth)?,
        }
        Ok(())
    }

    /// The Markdown of what is inside an element, on its own.
    fn inside(&mut self, element: ElementRef<'_>, place: Place, depth: usize) -> Result<String, ExecutionError> {
        let outer = std::mem::replace(&mut self.lines, Lines::new(self.style.most_breaks));
        let result = self.children(*element, place, depth);
        let inner = std::mem::replace(&mut self.lines, outer);
        result.map(|()| inner.finish())
    }

    /// Puts a sign around text; blanks stay outside.
    fn surround(
        &mut self,
        element: ElementRef<'_>,
        place: Place,
        depth: usize,
        sign: impl Fn(&Style) -> Str,
    ) -> Result<(), ExecutionError> {
        let text = self.inside(element, place, depth)?;
        let raw: String = element.text().collect();
        let blank = |is: bool| if is { " " } else { "" };
        let (before, after) = (blank(raw.starts_with(char::is_whitespace)), blank(raw.ends_with(char::is_whitespace)));
        let sign = sign(&self.style);
        let text = text.trim();
        if !text.is_empty() {
            self.lines.push(&format!("{before}{sign}{text}{sign}{after}"));
        }
        Ok(())
    }

    fn link(&mut self, element: ElementRef<'_>, place: Place, depth: usize) -> Result<(), ExecutionError> {
        let text = self.inside(element, place, depth)?;
        let Some(address) = element.attr("href") else {
            self.lines.push(&text);
            return Ok(());
        };
        let raw: String = element.text().collect();
        let blank = |is: bool| if is { " " } else { "" };
        let (before, after) = (blank(raw.starts_with(char::is_whitespace)), blank(raw.ends_with(char::is_whitespace)));
        let title = element.attr("title").map(|title| format!(" \"{}\"", title.replace('"', "\\\"")));
        let title = title.unwrap_or_default();
        let shown = if text.is_empty() {
            return Ok(());
        } else if title.is_empty() && raw.trim() == address {
            format!("<{address}>")
        } else if self.style.references {
            let entry = format!("{address}{title}");
            let number = match self.links.iter().position(|link| *link == entry) {
                Some(at) => at + 1,
                None => {
                    self.links.push(entry);
                    self.links.len()
                }
            };
            format!("[{text}][{number}]")
        } else {
            format!("[{text}]({}{title})", escaped_address(address))
        };
        self.lines.push(&format!("{before}{shown}{after}"));
        Ok(())
    }

    fn image(&mut self, element: ElementRef<'_>) {
        let address = element.attr("src").unwrap_or_default();
        if address.is_empty() || (address.starts_with("data:") && !self.style.keep_data_images) {
            return;
        }
        let title = element.attr("title").map(|title| format!(" \"{}\"", title.replace('"', "\\\"")));
        let alternative = element.attr("alt").unwrap_or_default();
        self.lines.push(&format!("![{alternative}]({}{})", escaped_address(address), title.unwrap_or_default()));
    }

    fn code_block(&mut self, element: ElementRef<'_>) {
        let code: String = element.text().collect();
        let code = code.trim_matches('\n');
        let language = element.descendent_elements().find_map(|inner| {
            let classes: Vec<&str> = inner.value().classes().collect();
            classes.iter().find_map(|class| class.strip_prefix("language-")).map(str::to_owned)
        });
        self.lines.break_lines(2);
        if self.style.fenced {
            let fence = &self.style.fence;
            self.lines.push_verbatim(&format!("{fence}{}\n{code}\n{fence}", language.unwrap_or_default()));
        } else {
            let indented: Vec<String> = code.lines().map(|line| format!("    {line}")).collect();
            self.lines.push_verbatim(&indented.join("\n"));
        }
        self.lines.break_lines(2);
    }

    fn list(&mut self, element: ElementRef<'_>, place: Place, depth: usize) -> Result<(), ExecutionError> {
        let ordered = element.value().name() == "ol";
        let breaks = if place.list_depth == 0 { 2 } else { 1 };
        let inner = Place { list_depth: place.list_depth + 1, ..place };
        let first = element.attr("start").and_then(|start| start.parse::<usize>().ok()).unwrap_or(1);
        self.lines.break_lines(breaks);
        for (number, item) in (first..).zip(element.child_elements()) {
            let text = self.inside(item, inner, depth + 1)?;
            let mark = if ordered { format!("{number}.") } else { self.style.bullet.to_string() };
            let indent = if ordered { "   " } else { "  " };
            let text = text.trim().replace('\n', &format!("\n{indent}"));
            self.lines.break_lines(1);
            self.lines.push_verbatim(&format!("{mark} {text}"));
        }
        self.lines.break_lines(breaks);
        Ok(())
    }

    fn table(&mut self, element: ElementRef<'_>, place: Place, depth: usize) -> Result<(), ExecutionError> {
        let mut rows = Vec::new();
        for row in element.descendent_elements().filter(|inner| inner.value().name() == "tr") {
            let mut cells = Vec::new();
            for cell in row.child_elements() {
                cells.push(self.inside(cell, place, depth + 1)?.replace('\n', " ").replace('|', "\\|"));
            }
            rows.push(cells);
        }
        let widest = rows.iter().map(Vec::len).max().unwrap_or(0);
        if widest == 0 {
            return Ok(());
        }
        let mut widths = vec![3; widest];
        for row in &mut rows {
            row.resize(widest, String::new());
            for (width, cell) in widths.iter_mut().zip(row.iter()) {
                *width = (*width).max(cell.chars().count());
            }
        }
        self.lines.break_lines(2);
        for (at, row) in rows.iter().enumerate() {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            self.lines.break_lines(1);
            self.lines.push_verbatim(&format!("| {} |", cells.join(" | ")));
            if at == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                self.lines.break_lines(1);
                self.lines.push_verbatim(&format!("| {} |", rule.join(" | ")));
            }
        }
        self.lines.break_lines(2);
        Ok(())
    }
}

fn escaped_address(address: &str) -> String {
    address.replace('(', "%28").replace(')', "%29").replace(' ', "%20")
}
