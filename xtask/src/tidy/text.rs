//! Rules about the text of files: how a source begins, how long it may be, what it may not hold.

use super::{
    Finding, has_extension,
    lexer::{Kind, Token},
};

const LONGEST: usize = 500;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "helper", "types", "misc", "common"];

/// Words that put work off.
const PROMISES: [&str; 4] = ["FIXME", "TODO", "XXX", "HACK"];

/// Paths of the machine a file was written on.
const MACHINE: [&str; 2] = ["/root/", "/work/"];

/// Checks any text file.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if path.contains("/vendor/") {
        // Somebody else's text, kept as it came.
        return findings;
    }
    let is_generated = has_extension(path, "json") || has_extension(path, "lock");
    if !is_generated {
        for (index, line) in text.lines().enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                findings.push(Finding::new("white-space", path, index + 1, "the line ends in white space: remove it"));
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            findings.push(Finding::new("white-space", path, 0, "the file does not end with a line break: add one"));
        }
    }
    for (index, line) in text.lines().enumerate() {
        if let Some(place) = MACHINE.iter().find(|place| line.contains(**place)) {
            let message = format!("`{place}` is a path of somebody's machine: the project speaks of itself alone");
            findings.push(Finding::new("machine", path, index + 1, message));
        }
    }
    findings
}

/// Checks a Rust source.
pub(super) fn check_rust(path: &str, text: &str, tokens: &[Token<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !text.starts_with("//! ") {
        let message = "the first line is no `//!`: say what the file is and what it refuses to be";
        findings.push(Finding::new("page", path, 1, message));
    }
    let length = text.lines().count();
    if length > LONGEST {
        let message = format!("{length} lines, {LONGEST} are allowed: find the second subject and give it a file");
        findings.push(Finding::new("length", path, 0, message));
    }
    findings.extend(path_names(path));
    findings.extend(tokens.iter().flat_map(|token| comments(path, token)));
    findings.extend((0..tokens.len()).filter_map(|at| code(path, tokens.get(at..)?)));
    findings
}

fn path_names(path: &str) -> Option<Finding> {
    let inside = path.strip_prefix("src/common").unwrap_or(path);
    let name =
        inside.split('/').map(|step| step.strip_suffix(".rs").unwrap_or(step)).find(|step| is_empty_name(step))?;
    Some(Finding::new("names", path, 0, format!("`{name}` says nothing: name the module after what it is about")))
}

fn is_empty_name(name: &str) -> bool {
    EMPTY_NAMES.contains(&name)
}

/// Faults of a comment.
fn comments(path: &str, token: &Token<'_>) -> Option<Finding> {
    if !token.is_comment() {
        return None;
    }
    let mut words = token.text.split(|character: char| !character.is_alphanumeric());
    if let Some(promise) = words.find(|word| PROMISES.contains(word)) {
        let message = format!("`{promise}` puts work off: do it now, or leave it out and say nothing");
        return Some(Finding::new("promises", path, token.line, message));
    }
    let message = "this looks like commented-out code: delete it, git remembers";
    (token.kind == Kind::Comment && looks_like_code(token.text))
        .then(|| Finding::new("dead-code", path, token.line, message))
}

/// A guess that errs on the side of silence: a statement, an opened block, or an attribute.
fn looks_like_code(comment: &str) -> bool {
    let body = comment.trim_start_matches(['/', '*']).trim_end_matches(['/', '*']).trim();
    let begins = |words: &[&str]| words.iter().any(|word| body.starts_with(word));
    let statement = body.ends_with(';')
        && (body.contains(['=', '(']) || begins(&["use ", "let ", "return", "break;", "continue;", "pub "]));
    let block = body.ends_with('{')
        && begins(&[
            "fn ", "pub ", "if ", "for ", "while ", "loop ", "match ", "impl ", "struct ", "enum ", "mod ", "} ",
        ]);
    statement || block || begins(&["#[", "#!["]) || ["}", "};", "});", "})"].contains(&body)
}

/// Faults of the code that begins with the first of these tokens.
fn code(path: &str, tokens: &[Token<'_>]) -> Option<Finding> {
    let first = tokens.first()?;
    let follows = |expected: &[&str]| {
        expected.iter().zip(tokens.iter().skip(1)).filter(|(text, token)| token.is(text)).count() == expected.len()
    };
    let finding = |rule, message: &str| Some(Finding::new(rule, path, first.line, message));
    if ["todo", "unimplemented"].iter().any(|name| first.is(name)) && follows(&["!"]) {
        return finding("promises", "a stub that panics: write it, or leave the whole function out");
    }
    if first.is("#") && follows(&["[", "ignore"]) {
        return finding("tests", "an ignored test tests nothing: make it pass, or delete it");
    }
    if first.is("#") && (follows(&["[", "allow"]) || follows(&["!", "[", "allow"])) {
        return finding("allow", "use `#[expect(lint, reason = \"…\")]`, which complains when it is no longer needed");
    }
    if first.is("mod") && tokens.get(1).is_some_and(|name| is_empty_name(name.text)) && path != "src/lib.rs" {
        return finding("names", "the module's name says nothing: name it after what it is about");
    }
    if path.starts_with("src/") {
        return unscoped(path, tokens);
    }
    None
}

/// Reads of the ORM that clippy cannot name, and that know nothing of tenants.
fn unscoped(path: &str, tokens: &[Token<'_>]) -> Option<Finding> {
    let [first, second, third, ..] = tokens else { return None };
    let loads_entity = first.text.ends_with("Entity") && second.is("::") && third.is("load");
    let loaders = ["load_one", "load_many", "load_many_to_many"];
    let loads_related = first.is(".") && loaders.iter().any(|loader| second.is(loader)) && third.is("(");
    // `flag.load(Ordering::Relaxed)` is another thing.
    let argument = tokens.get(3).map_or("", |token| token.text);
    let loads =
        first.is(".") && second.is("load") && third.is("(") && !matches!(argument, "Ordering" | "atomic" | "std");
    let is_data = ["repository", "entities", "database"].iter().any(|name| path.contains(name));
    (loads_entity || loads_related || loads && is_data).then(|| {
        let message = "the entity loader reads rows of every tenant: query through `scoped(tenant)`";
        Finding::new("scoped", path, second.line, message)
    })
}
