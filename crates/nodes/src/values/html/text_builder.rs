//! Text laid out in blocks and lines of at most 80 letters, as html-to-text lays it out: blocks ask for line breaks
//! before and after them, the larger wish of two neighbours counts.

/// Letters of a line.
const LINE: usize = 80;
/// Least width of a line in nested blocks.
const NARROWEST: usize = 20;

/// White space of HTML 4; a no-break space is a letter.
fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n' | '\u{c}' | '\u{200b}')
}

/// What is being built.
pub(super) struct TextBuilder {
    frames: Vec<Frame>,
}

struct Frame {
    kind: FrameKind,
    raw: String,
    inline: Inline,
    /// Line breaks owed before the next text.
    stashed: usize,
    leading: usize,
    width: usize,
    preformatted: bool,
}

enum FrameKind {
    Block,
    List { prefix_width: usize },
    Item { prefix: String },
}

impl TextBuilder {
    pub(super) fn new() -> TextBuilder {
        TextBuilder { frames: vec![Frame::new(FrameKind::Block, 0, LINE)] }
    }

    fn top(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::new(FrameKind::Block, 0, LINE));
        }
        match self.frames.last_mut() {
            Some(frame) => frame,
            None => unreachable!("a frame was pushed just above"),
        }
    }

    pub(super) fn add_text(&mut self, text: &str, upper: bool) {
        let frame = self.top();
        if frame.preformatted {
            frame.raw.push_str(text);
            return;
        }
        if text.is_empty() || (frame.stashed > 0 && text.chars().all(is_blank)) {
            return;
        }
        if frame.stashed > 0 {
            frame.inline.start_lines(frame.stashed);
            frame.stashed = 0;
        }
        frame.inline.add(text, upper);
    }

    pub(super) fn add_line_break(&mut self) {
        let frame = self.top();
        if frame.preformatted {
            frame.raw.push('\n');
        } else {
            frame.inline.start_lines(1);
        }
    }

    pub(super) fn open_block(&mut self, leading: usize, reserved: usize, preformatted: bool) {
        let width = self.top().width.saturating_sub(reserved).max(NARROWEST);
        let preformatted = preformatted || self.top().preformatted;
        self.frames.push(Frame { preformatted, ..Frame::new(FrameKind::Block, leading, width) });
    }

    pub(super) fn close_block(&mut self, trailing: usize, change: impl FnOnce(String) -> String) {
        let Some(block) = self.frames.pop() else { return };
        let (leading, trailing) = (block.leading, block.stashed.max(trailing));
        let text = change(block.text());
        self.top().add_block(&text, leading, trailing);
    }

    pub(super) fn open_list(&mut self, leading: usize, prefix_width: usize) {
        let width = self.top().width;
        self.frames.push(Frame::new(FrameKind::List { prefix_width }, leading, width));
    }

    pub(super) fn close_list(&mut self, trailing: usize) {
        let Some(list) = self.frames.pop() else { return };
        let leading = list.leading;
        let text = list.text();
        if !text.is_empty() {
            self.top().add_block(&text, leading, trailing);
        }
    }

    pub(super) fn open_item(&mut self, prefix: &str) {
        let top = self.top();
        let reserved = match top.kind {
            FrameKind::List { prefix_width } => prefix_width.max(prefix.len()),
            _ => prefix.len(),
        };
        let width = top.width.saturating_sub(reserved).max(NARROWEST);
        self.frames.push(Frame::new(FrameKind::Item { prefix: prefix.to_owned() }, 1, width));
    }

    pub(super) fn close_item(&mut self) {
        let Some(item) = self.frames.pop() else { return };
        let FrameKind::Item { prefix } = &item.kind else { return };
        let prefix = prefix.clone();
        let list = self.top();
        let width = match list.kind {
            FrameKind::List { prefix_width } => prefix_width.max(prefix.len()),
            _ => prefix.len(),
        };
        let (leading, trailing) = (item.leading, item.stashed.max(1));
        let indent = format!("\n{}", " ".repeat(width));
        let text = format!("{prefix:width$}{}", item.text().replace('\n', &indent));
        list.add_block(&text, leading, trailing);
    }

    pub(super) fn finish(mut self) -> String {
        while self.frames.len() > 1 {
            self.close_block(0, |text| text);
        }
        self.frames.pop().map(Frame::text).unwrap_or_default()
    }
}

impl Frame {
    fn new(kind: FrameKind, leading: usize, width: usize) -> Frame {
        let inline = Inline::new(width);
        Frame { kind, raw: String::new(), inline, stashed: 0, leading, width, preformatted: false }
    }

    fn text(self) -> String {
        if self.inline.is_empty() { self.raw } else { self.raw + &self.inline.text() }
    }

    fn add_block(&mut self, text: &str, leading: usize, trailing: usize) {
        let inline = std::mem::replace(&mut self.inline, Inline::new(self.width));
        if !inline.is_empty() {
            self.raw.push_str(&inline.text());
        }
        let breaks = self.stashed.max(leading);
        if self.raw.is_empty() {
            self.leading = breaks;
        } else {
            self.raw.push_str(&"\n".repeat(breaks));
        }
        self.raw.push_str(text);
        self.stashed = trailing;
    }
}

/// Words in lines.
struct Inline {
    lines: Vec<String>,
    line: String,
    /// Letters of the line so far.
    length: usize,
    words: usize,
    width: usize,
    space_owed: bool,
}

impl Inline {
    fn new(width: usize) -> Inline {
        Inline { lines: Vec::new(), line: String::new(), length: 0, words: 0, width, space_owed: false }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.words == 0
    }

    fn text(mut self) -> String {
        self.lines.push(self.line);
        self.lines.join("\n")
    }

    fn start_lines(&mut self, count: usize) {
        self.lines.push(std::mem::take(&mut self.line));
        self.lines.extend((1..count).map(|_| String::new()));
        (self.length, self.words) = (0, 0);
    }

    /// Adds text with its white space shrunk; words that touch the text before join its last word.
    fn add(&mut self, text: &str, upper: bool) {
        let mut spaced = self.space_owed || text.starts_with(is_blank);
        let mut any = false;
        for word in text.split(is_blank).filter(|word| !word.is_empty()) {
            let word = if upper { word.to_uppercase() } else { word.to_owned() };
            if spaced || any {
                self.push(&word);
            } else {
                self.join(&word);
            }
            any = true;
            spaced = true;
        }
        self.space_owed = (self.space_owed && !any) || text.ends_with(is_blank);
    }

    fn push(&mut self, word: &str) {
        let length = word.chars().count();
        let cost = length + usize::from(self.words > 0);
        if self.words > 0 && self.length + cost > self.width {
            self.start_lines(1);
            return self.push(word);
        }
        if self.words > 0 {
            self.line.push(' ');
        }
        self.line.push_str(word);
        self.length += cost;
        self.words += 1;
    }

    /// Takes the last word back and adds it again with what follows it.
    fn join(&mut self, word: &str) {
        if self.words == 0 {
            return self.push(word);
        }
        let (before, last) = match self.line.rsplit_once(' ') {
            Some((before, last)) => (before.to_owned(), last.to_owned()),
            None => (String::new(), std::mem::take(&mut self.line)),
        };
        self.words -= 1;
        self.length = before.chars().count();
        self.line = before;
        self.push(&format!("{last}{word}"));
    }
}
