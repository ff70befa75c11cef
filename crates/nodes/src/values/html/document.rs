//! Reads HTML that somebody else wrote: what would grow without bound is refused while it is read.

use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Parser, QualName, driver, local_name, ns};
use millrace_model::ExecutionError;
use scraper::{Html, HtmlTreeSink};

/// Elements within elements, twice what browsers keep; the parser looks through all that are open at each one that begins.
const MOST_NESTED: usize = 1000;
/// Elements, texts and comments of one document.
const MOST_NODES: usize = 4_000_000;
/// Read at once, in bytes; so much may be made of it that it cannot be larger.
const CHUNK: usize = 256;

/// A whole page.
pub(crate) fn parse(text: &str) -> Result<Html, ExecutionError> {
    read(driver::parse_document(HtmlTreeSink::new(Html::new_document()), driver::ParseOpts::default()), text)
}

/// What stands within the body of a page.
pub(crate) fn parse_fragment(text: &str) -> Result<Html, ExecutionError> {
    let around = QualName::new(None, ns!(html), local_name!("body"));
    let sink = HtmlTreeSink::new(Html::new_fragment());
    read(driver::parse_fragment(sink, driver::ParseOpts::default(), around, Vec::new(), false), text)
}

fn read(mut parser: Parser<HtmlTreeSink>, text: &str) -> Result<Html, ExecutionError> {
    let mut seen = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.ceil_char_boundary(CHUNK));
        parser.process(StrTendril::from_slice(chunk));
        rest = after;
        let html = parser.tokenizer.sink.sink.0.borrow();
        let nodes = html.tree.nodes();
        let count = nodes.len();
        if count > MOST_NODES {
            return Err(too_large(&format!("has more than {MOST_NODES} elements and texts")));
        }
        if nodes.rev().take(count - seen).any(|node| node.ancestors().nth(MOST_NESTED).is_some()) {
            return Err(too_large(&format!("nests elements more than {MOST_NESTED} deep")));
        }
        seen = count;
    }
    Ok(parser.finish())
}

fn too_large(how: &str) -> ExecutionError {
    ExecutionError::operation(format!("The HTML cannot be read: it {how}"))
}
