//! The paths a source file names: `use` trees taken apart, and paths inside code, all made absolute within the crate.

use super::lexer::{Kind, Token};

/// A path such as `crate::common::Ctx` or `actix_web::web`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    /// Inside a module marked `#[cfg(test)]`.
    pub(super) in_test: bool,
}

impl Named {
    /// Whether the path begins with these segments.
    pub(super) fn starts_with(&self, prefix: &[&str]) -> bool {
        prefix.len() <= self.segments.len() && self.segments.iter().zip(prefix).all(|(segment, other)| segment == other)
    }

    pub(super) fn segment(&self, at: usize) -> Option<&str> {
        self.segments.get(at).map(String::as_str)
    }
}

/// All paths of two segments and more, and every `use`, in the order of the source. `code` holds no comments.
pub(super) fn paths(file: &str, code: &[Token<'_>]) -> Vec<Named> {
    let mut reader = Reader { code, at: 0, module: module_of(file), blocks: Vec::new(), found: Vec::new() };
    while let Some(token) = reader.peek(0) {
        reader.read(token);
    }
    reader.found
}

/// `src/domains/users/service.rs` is `crate::domains::users::service`.
fn module_of(file: &str) -> Vec<String> {
    let inside = file.rsplit_once("src/").map_or(file, |(_, inside)| inside);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let mut module = vec!["crate".to_owned()];
    module.extend(inside.split('/').map(str::to_owned));
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// What an opened brace belongs to.
struct Block {
    is_module: bool,
    is_test: bool,
}

struct Reader<'a> {
    code: &'a [Token<'a>],
    at: usize,
    module: Vec<String>,
    blocks: Vec<Block>,
    found: Vec<Named>,
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> Option<Token<'a>> {
        self.code.get(self.at + ahead).copied()
    }

    fn next_is(&self, ahead: usize, text: &str) -> bool {
        self.peek(ahead).is_some_and(|token| token.is(text))
    }

    fn read(&mut self, token: Token<'a>) {
        if token.is("use") && !self.next_is(1, "<") {
            self.at += 1;
            self.tree(&[]);
        } else if token.is("mod") && self.next_is(2, "{") {
            let is_test = self.follows_cfg_test();
            self.module.extend(self.peek(1).map(|name| name.text.to_owned()));
            self.blocks.push(Block { is_module: true, is_test });
            self.at += 3;
        } else if token.is("{") {
            self.blocks.push(Block { is_module: false, is_test: false });
            self.at += 1;
        } else if token.is("}") {
            if self.blocks.pop().is_some_and(|block| block.is_module) {
                self.module.pop();
            }
            self.at += 1;
        } else if token.kind == Kind::Word && self.next_is(1, "::") {
            let segments = self.plain();
            self.record(segments, token.line);
        } else {
            self.at += 1;
        }
    }

    /// `a::b::c`; stops before `::<` and `::{`.
    fn plain(&mut self) -> Vec<String> {
        let mut segments = Vec::new();
        while let Some(token) = self.peek(0).filter(|token| token.kind == Kind::Word) {
            segments.push(token.text.to_owned());
            self.at += 1;
            if !self.next_is(0, "::") || !self.peek(1).is_some_and(|next| next.kind == Kind::Word) {
                break;
            }
            self.at += 1;
        }
        segments
    }

    /// `a::{b, c::d}`, up to the comma, brace or semicolon behind it.
    fn tree(&mut self, prefix: &[String]) {
        if self.next_is(0, "::") {
            self.at += 1;
        }
        let line = self.peek(0).map_or(0, |token| token.line);
        let segments = [prefix, &self.plain()].concat();
        if self.next_is(0, "::") {
            self.at += 1;
        }
        if self.next_is(0, "{") {
            self.at += 1;
            while !self.next_is(0, "}") && self.peek(0).is_some() {
                let before = self.at;
                self.tree(&segments);
                // A comma, or something that is no Rust: go on either way.
                if self.next_is(0, ",") || self.at == before {
                    self.at += 1;
                }
            }
            self.at += 1;
            return;
        }
        while self.peek(0).is_some_and(|token| token.is("*") || token.is("as") || token.is("_")) {
            self.at += if self.next_is(0, "as") { 2 } else { 1 };
        }
        self.record(segments, line);
    }

    fn record(&mut self, segments: Vec<String>, line: usize) {
        let mut segments = segments.into_iter().peekable();
        let mut absolute = Vec::new();
        if segments.peek().is_some_and(|first| first == "self" || first == "super") {
            absolute.clone_from(&self.module);
            while let Some(step) = segments.next_if(|segment| segment == "self" || segment == "super") {
                if step == "super" {
                    absolute.pop();
                }
            }
        }
        absolute.extend(segments);
        if absolute.last().is_some_and(|last| last == "self") {
            absolute.pop();
        }
        let in_test = self.blocks.iter().any(|block| block.is_test);
        self.found.push(Named { segments: absolute, line, in_test });
    }

    /// Whether `#[cfg(test)]` stands just before the current token (or before its `pub`).
    fn follows_cfg_test(&self) -> bool {
        let before = self.code.get(..self.at).unwrap_or_default();
        let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
        before
            .windows(attribute.len())
            .rev()
            .take(5)
            .any(|window| window.iter().zip(attribute).all(|(token, text)| token.is(text)))
    }
}
