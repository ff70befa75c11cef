//! Markdown to HTML. The grammar is CommonMark's; tags, blanks, header ids and options are those of Showdown.

use std::fmt::Write as _;

use millrace_model::{ExecutionError, Object, Value, truthy};
use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use rustc_hash::FxHashMap;

/// Deepest nesting of quotes and lists: the lines of a quote are rewritten for every quote around it.
const MAX_DEPTH: usize = 100;

/// What Showdown's options switch.
#[derive(Default)]
struct Style {
    new_window: bool,
    auto_link: bool,
    line_breaks: bool,
    header_ids: HeaderIds,
    header_start: u8,
    table_ids: bool,
    literal_emails: bool,
}

#[derive(Default)]
enum HeaderIds {
    #[default]
    Plain,
    /// Words joined by dashes.
    GitHub,
    Raw,
    Off,
}

pub(super) fn convert(markdown: &str, options: &Object) -> Result<String, ExecutionError> {
    let flag = |name: &str| options.get(name).is_some_and(truthy);
    let style = Style {
        new_window: flag("openLinksInNewWindow"),
        auto_link: flag("simplifiedAutoLink"),
        line_breaks: flag("simpleLineBreaks"),
        header_ids: match (flag("noHeaderId"), flag("ghCompatibleHeaderId"), flag("rawHeaderId")) {
            (true, ..) => HeaderIds::Off,
            (_, true, _) => HeaderIds::GitHub,
            (.., true) => HeaderIds::Raw,
            _ => HeaderIds::Plain,
        },
        header_start: match options.get("headerLevelStart").and_then(Value::as_f64) {
            Some(level) if (1.0..=6.0).contains(&level) => {
                u8::try_from(millrace_model::to_index(level.floor()).unwrap_or(1)).unwrap_or(1)
            }
            _ => 1,
        },
        table_ids: flag("tablesHeaderId"),
        literal_emails: matches!(options.get("encodeEmails"), Some(Value::Bool(false))),
    };
    let mut grammar = Options::empty();
    for (name, option) in [
        ("tables", Options::ENABLE_TABLES),
        ("strikethrough", Options::ENABLE_STRIKETHROUGH),
        ("tasklists", Options::ENABLE_TASKLISTS),
    ] {
        grammar.set(option, flag(name));
    }
    let mut writer = Writer {
        style,
        prefix: options.get("prefixHeaderId").and_then(Value::as_str).unwrap_or_default().to_owned(),
        html: String::new(),
        ids: FxHashMap::default(),
        heading: None,
        lists: Vec::new(),
        alignments: Vec::new(),
        cell: 0,
        in_head: false,
        in_code: false,
        image: None,
        links: 0,
        quotes: Vec::new(),
    };
    for event in Parser::new_ext(markdown, grammar) {
        writer.event(event);
        if writer.quotes.len() + writer.lists.len() > MAX_DEPTH {
            let message = format!("The Markdown nests quotes and lists more than {MAX_DEPTH} levels deep");
            return Err(ExecutionError::operation(message));
        }
    }
    let body = writer.html.trim_end();
    if flag("completeHTMLDocument") {
        return Ok(format!(
            "<!DOCTYPE HTML>\n<html>\n<head>\n<meta charset=\"utf-8\">\n</head>\n<body>\n{body}\n</body>\n</html>"
        ));
    }
    Ok(body.to_owned())
}

struct Writer {
    style: Style,
    /// Put before header ids.
    prefix: String,
    html: String,
    ids: FxHashMap<String, usize>,
    /// Where the text of the open heading begins, and its plain text.
    heading: Option<(usize, String)>,
    /// For each open list: has its open item paragraphs?
    lists: Vec<bool>,
    alignments: Vec<Alignment>,
    cell: usize,
    in_head: bool,
    in_code: bool,
    /// Address, title and alternative text of the open image.
    image: Option<(String, String, String)>,
    links: usize,
    /// Where the insides of open quotes begin.
    quotes: Vec<usize>,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(tag) => self.close(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => {
                let _ = write!(self.html, "<code>{}</code>", escaped_code(&text));
                self.note(&text);
            }
            Event::Html(html) | Event::InlineHtml(html) => self.html.push_str(&html),
            Event::SoftBreak if self.style.line_breaks => self.html.push_str("<br />\n"),
            Event::SoftBreak => self.html.push('\n'),
            Event::HardBreak => self.html.push_str("<br />\n"),
            Event::Rule => {
                self.fresh_line();
                self.html.push_str("<hr />\n");
            }
            Event::TaskListMarker(done) => {
                let mark = if done { " checked" } else { "" };
                if let Some(start) = self.html.strip_suffix("<li>").map(str::len) {
                    self.html.truncate(start);
                    self.html.push_str("<li class=\"task-list-item\" style=\"list-style-type: none;\">");
                }
                let _ = write!(
                    self.html,
                    "<input type=\"checkbox\" disabled style=\"margin: 0px 0.35em 0.25em -1.6em; vertical-align: \
                     middle;\"{mark}> "
                );
            }
            _ => {}
        }
    }

    /// Keeps text for the header id or the image it stands in.
    fn note(&mut self, text: &str) {
        if let Some((_, heading)) = &mut self.heading {
            heading.push_str(text);
        }
        if let Some((.., alternative)) = &mut self.image {
            alternative.push_str(text);
        }
    }

    fn text(&mut self, text: &str) {
        self.note(text);
        if self.image.is_some() {
            return;
        }
        if self.in_code {
            self.html.push_str(&escaped_code(text));
            return;
        }
        let text = escaped(&text.replace("...", "…"));
        if self.style.auto_link && self.links == 0 {
            let linked = linked(&text, self.style.new_window);
            self.html.push_str(&linked);
        } else {
            self.html.push_str(&text);
        }
    }

    fn fresh_line(&mut self) {
        if !self.html.is_empty() && !self.html.ends_with('\n') && !self.html.ends_with('>') {
            self.html.push('\n');
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => {
                if let Some(loose) = self.lists.last_mut() {
                    *loose = true;
                }
                self.html.push_str("<p>");
            }
            Tag::Heading { .. } => self.heading = Some((self.html.len(), String::new())),
            Tag::BlockQuote(_) => {
                self.html.push_str("<blockquote>\n");
                self.quotes.push(self.html.len());
            }
            Tag::CodeBlock(kind) => {
                self.in_code = true;
                let language = match &kind {
                    CodeBlockKind::Fenced(info) => info.split_whitespace().next().unwrap_or_default().to_owned(),
                    CodeBlockKind::Indented => String::new(),
                };
                if language.is_empty() {
                    self.html.push_str("<pre><code>");
                } else {
                    let language = escaped_code(&language);
                    let _ = write!(self.html, "<pre><code class=\"{language} language-{language}\">");
                }
            }
            Tag::List(first) => {
                self.lists.push(false);
                match first {
                    Some(1) => self.html.push_str("<ol>\n"),
                    Some(first) => {
                        let _ = writeln!(self.html, "<ol start=\"{first}\">");
                    }
                    None => self.html.push_str("<ul>\n"),
                }
            }
            Tag::Item => self.html.push_str("<li>"),
            Tag::Emphasis => self.html.push_str("<em>"),
            Tag::Strong => self.html.push_str("<strong>"),
            Tag::Strikethrough => self.html.push_str("<del>"),
            Tag::Link { link_type, dest_url, title, .. } => self.open_link(link_type, &dest_url, &title),
            Tag::Image { dest_url, title, .. } => {
                self.image = Some((dest_url.to_string(), title.to_string(), String::new()));
            }
            Tag::Table(alignments) => {
                self.alignments = alignments;
                self.html.push_str("<table>\n");
            }
            Tag::TableHead => {
                (self.in_head, self.cell) = (true, 0);
                self.html.push_str("<thead>\n<tr>\n");
            }
            Tag::TableRow => {
                self.cell = 0;
                self.html.push_str("<tr>\n");
            }
            Tag::TableCell => self.open_cell(),
            _ => {}
        }
    }

    fn open_cell(&mut self) {
        let name = if self.in_head { "th" } else { "td" };
        let style = match self.alignments.get(self.cell) {
            Some(Alignment::Left) => " style=\"text-align:left;\"",
            Some(Alignment::Center) => " style=\"text-align:center;\"",
            Some(Alignment::Right) => " style=\"text-align:right;\"",
            _ => "",
        };
        self.cell += 1;
        let _ = write!(self.html, "<{name}{style}>");
        if self.in_head && self.style.table_ids {
            self.heading = Some((self.html.len(), String::new()));
        }
    }

    fn open_link(&mut self, kind: LinkType, address: &CowStr<'_>, title: &CowStr<'_>) {
        self.links += 1;
        let address = match kind {
            LinkType::Email if self.style.literal_emails => format!("mailto:{address}"),
            LinkType::Email => encoded(&format!("mailto:{address}")),
            _ => escaped_attribute(address),
        };
        let _ = write!(self.html, "<a href=\"{address}\"");
        if !title.is_empty() {
            let _ = write!(self.html, " title=\"{}\"", escaped_attribute(title));
        }
        if self.style.new_window {
            self.html.push_str(" rel=\"noopener noreferrer\" target=\"_blank\"");
        }
        self.html.push('>');
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.html.push_str(if self.lists.is_empty() { "</p>\n" } else { "</p>" }),
            TagEnd::Heading(level) => self.close_heading(level),
            TagEnd::BlockQuote(_) => self.close_quote(),
            TagEnd::CodeBlock => {
                self.in_code = false;
                self.html.push_str("</code></pre>\n");
            }
            TagEnd::List(ordered) => {
                self.lists.pop();
                if !self.lists.is_empty() {
                    self.html.truncate(self.html.trim_end().len());
                }
                self.html.push_str(if ordered { "</ol>" } else { "</ul>" });
                if self.lists.is_empty() {
                    self.html.push('\n');
                }
            }
            TagEnd::Item => {
                self.html.truncate(self.html.trim_end().len());
                self.html.push_str("</li>\n");
            }
            TagEnd::Emphasis => self.html.push_str("</em>"),
            TagEnd::Strong => self.html.push_str("</strong>"),
            TagEnd::Strikethrough => self.html.push_str("</del>"),
            TagEnd::Link => {
                self.links = self.links.saturating_sub(1);
                self.html.push_str("</a>");
            }
            TagEnd::Image => self.close_image(),
            TagEnd::Table => self.html.push_str("</tbody>\n</table>\n"),
            TagEnd::TableHead => {
                self.in_head = false;
                self.html.push_str("</tr>\n</thead>\n<tbody>\n");
            }
            TagEnd::TableRow => self.html.push_str("</tr>\n"),
            TagEnd::TableCell if self.in_head => {
                if let Some((start, text)) = self.heading.take() {
                    let id = format!(" id=\"{}\"", lower_joined(&text, '_'));
                    self.html.insert_str(start.saturating_sub(1), &id);
                }
                self.html.push_str("</th>\n");
            }
            TagEnd::TableCell => self.html.push_str("</td>\n"),
            _ => {}
        }
    }

    fn close_image(&mut self) {
        let Some((address, title, alternative)) = self.image.take() else { return };
        let _ = write!(
            self.html,
            "<img src=\"{}\" alt=\"{}\"",
            escaped_attribute(&address),
            escaped_attribute(&alternative)
        );
        if !title.is_empty() {
            let _ = write!(self.html, " title=\"{}\"", escaped_attribute(&title));
        }
        self.html.push_str(" />");
    }

    /// Lines of a quote are indented.
    fn close_quote(&mut self) {
        let inner = self.html.split_off(self.quotes.pop().unwrap_or(self.html.len()));
        let mut verbatim = false;
        for line in inner.trim_end().lines() {
            if !verbatim && !line.is_empty() {
                self.html.push_str("  ");
            }
            verbatim = (verbatim || line.contains("<pre>")) && !line.contains("</pre>");
            self.html.push_str(line);
            self.html.push('\n');
        }
        self.html.push_str("</blockquote>\n");
    }

    fn close_heading(&mut self, level: HeadingLevel) {
        let Some((start, text)) = self.heading.take() else { return };
        let level = match level {
            HeadingLevel::H1 => 1,
            HeadingLevel::H2 => 2,
            HeadingLevel::H3 => 3,
            HeadingLevel::H4 => 4,
            HeadingLevel::H5 => 5,
            HeadingLevel::H6 => 6,
        };
        let level = (level + self.style.header_start - 1).min(6);
        let id = match self.style.header_ids {
            HeaderIds::Off => None,
            HeaderIds::Plain => {
                Some(text.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect())
            }
            HeaderIds::GitHub => Some(lower_joined(&text, '-')),
            HeaderIds::Raw => Some(text.replace(' ', "-").replace(['"', '\'', '<', '>'], "-")),
        };
        let attribute = match id {
            None => String::new(),
            Some(id) => {
                let id = format!("{}{}", self.prefix, id.to_lowercase());
                let seen = self.ids.entry(id.clone()).or_insert(0);
                let unique = if *seen == 0 { id } else { format!("{id}-{seen}") };
                *seen += 1;
                format!(" id=\"{unique}\"")
            }
        };
        self.html.insert_str(start, &format!("<h{level}{attribute}>"));
        let _ = writeln!(self.html, "</h{level}>");
    }
}

/// Words in lower case joined by a sign.
fn lower_joined(text: &str, sign: char) -> String {
    let kept = text.trim().chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { sign } else { letter }).collect::<String>().to_lowercase()
}

/// Turns addresses in escaped text into links.
fn linked(text: &str, new_window: bool) -> String {
    let target = if new_window { " rel=\"noopener noreferrer\" target=\"_blank\"" } else { "" };
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let address = word.trim_end();
        let is_address = ["http://", "https://", "ftp://"].iter().any(|scheme| address.starts_with(scheme));
        if !is_address {
            return word.to_owned();
        }
        let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        let rest = word.strip_prefix(address).unwrap_or_default();
        format!("<a href=\"{address}\"{target}>{address}</a>{rest}")
    });
    words.collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn escaped_code(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn escaped_attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// Every letter as a character reference, which hides addresses from simple collectors.
fn encoded(text: &str) -> String {
    text.chars().map(|letter| format!("&#{};", u32::from(letter))).collect()
}
