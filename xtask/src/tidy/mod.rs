//! `cargo xtask tidy`: the rules of the house as code. A finding names the rule and the way out of it.
//! Refuses to know what rustfmt and clippy already check.

mod allowed;
mod documents;
mod layers;
mod lexer;
mod manifests;
mod paths;
mod purity;
mod schemas;
mod text;

use std::{fmt, fs, path::Path, process::Command};

use anyhow::{Context as _, Result};

use self::{allowed::ALLOWED, lexer::Token};
use crate::{process, report, workspace};

/// Checks every file that git knows or would add; true when nothing was found.
pub(crate) fn run() -> Result<bool> {
    let root = workspace::root();
    let mut findings = manifests::check(&workspace::metadata()?);
    let files = files(&root)?;
    let mut schemas = Vec::new();
    for path in &files {
        if let Ok(text) = fs::read_to_string(root.join(path)) {
            findings.extend(check(path, &text, &files));
            if path.starts_with("src/") {
                schemas.extend(schemas::declared(path, &lexer::tokens(&text)));
            }
        }
    }
    findings.extend(schemas::check(schemas));
    findings.extend(documents::check(&fs::read_to_string(root.join(documents::ARCHITECTURE)).unwrap_or_default()));
    let findings = allowed::without(findings, ALLOWED);
    for finding in &findings {
        report::line(&finding.to_string());
    }
    report::progress(&format!("tidy looked at {} files and found {} faults", files.len(), findings.len()));
    Ok(findings.is_empty())
}

/// Everything that is wrong with one file. `files` are all paths of the project.
fn check(path: &str, text: &str, files: &[String]) -> Vec<Finding> {
    let mut findings = text::check(path, text);
    if has_extension(path, "rs") {
        let tokens = lexer::tokens(text);
        findings.extend(text::check_rust(path, text, &tokens));
        let code: Vec<Token<'_>> = tokens.into_iter().filter(|token| !token.is_comment()).collect();
        let uses = paths::paths(path, &code);
        findings.extend(layers::check(path, &uses, files));
        findings.extend(purity::check(path, &uses));
    }
    findings
}

/// A rule that was broken, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    rule: &'static str,
    path: String,
    /// Counted from 1; 0 when it is about the file as a whole.
    line: usize,
    message: String,
}

impl Finding {
    fn new(rule: &'static str, path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { rule, path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, path, line, message } = self;
        match line {
            0 => write!(formatter, "{path}: [{rule}] {message}"),
            line => write!(formatter, "{path}:{line}: [{rule}] {message}"),
        }
    }
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|other| other == extension)
}

/// Paths relative to the root, with `/`, of what is or would be committed.
fn files(root: &Path) -> Result<Vec<String>> {
    let mut command = Command::new("git");
    command.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]).current_dir(root);
    let list = process::capture(&mut command).context("tidy looks at the files that git lists")?;
    Ok(list.split('\0').filter(|path| root.join(path).is_file()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
