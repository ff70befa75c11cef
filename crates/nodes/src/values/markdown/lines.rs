//! Markdown text as it grows: blocks ask for line breaks around them, the larger wish of two neighbours counts.

#[derive(Default)]
pub(super) struct Lines {
    text: String,
    /// Line breaks owed before the next text.
    owed: usize,
    /// Most line breaks in a row.
    most: usize,
}

impl Lines {
    pub(super) fn new(most: usize) -> Lines {
        Lines { most: most.max(1), ..Lines::default() }
    }

    /// Asks for at least so many line breaks before what comes next.
    pub(super) fn break_lines(&mut self, count: usize) {
        self.owed = self.owed.max(count.min(self.most));
    }

    /// Adds text of a line; blanks at the start of a line are left out.
    pub(super) fn push(&mut self, text: &str) {
        let at_start = self.owed > 0 || self.text.is_empty() || self.text.ends_with('\n');
        let text = if at_start { text.trim_start_matches([' ', '\t', '\n']) } else { text };
        if text.is_empty() {
            return;
        }
        self.settle();
        if self.text.ends_with(' ') {
            self.text.push_str(text.strip_prefix(' ').unwrap_or(text));
        } else {
            self.text.push_str(text);
        }
    }

    /// Adds text as it is.
    pub(super) fn push_verbatim(&mut self, text: &str) {
        self.settle();
        self.text.push_str(text);
    }

    fn settle(&mut self) {
        if self.owed > 0 && !self.text.is_empty() {
            let kept = self.text.trim_end_matches(' ').len();
            // Two blanks at the end of a line are a line break and stay.
            if !self.text.ends_with("  \n") {
                self.text.truncate(kept);
            }
            let there = self.text.len() - self.text.trim_end_matches('\n').len();
            let missing = self.owed.saturating_sub(there);
            self.text.push_str(&"\n".repeat(missing));
        }
        self.owed = 0;
    }

    pub(super) fn finish(self) -> String {
        self.text.trim_end().to_owned()
    }
}
