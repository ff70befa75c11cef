//! Names in the OpenAPI document: two types of one name there would be one, and the document would lie about the other.

use std::collections::BTreeMap;

use super::{Finding, lexer::Token};

/// A type's name in the document, and where it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schema {
    name: String,
    path: String,
    line: usize,
}

/// The types of a file that derive `ToSchema`: by `#[schema(as = Name)]`, else by their own names.
pub(super) fn declared(path: &str, code: &[Token<'_>]) -> Vec<Schema> {
    let mut found = Vec::new();
    let (mut derives, mut given): (bool, Option<&str>) = (false, None);
    let mut rest = code;
    while let Some((token, after)) = rest.split_first() {
        match after {
            [open, word, ..] if token.is("#") && open.is("[") => {
                let length = attribute(after);
                let (inside, behind) = after.split_at(length);
                derives |= word.is("derive") && inside.iter().any(|token| token.is("ToSchema"));
                if word.is("schema") {
                    given = inside.windows(3).find_map(|three| match three {
                        [name, equals, value] if name.is("as") && equals.is("=") => Some(value.text),
                        _ => given,
                    });
                }
                rest = behind;
                continue;
            }
            [name, ..] if derives && (token.is("struct") || token.is("enum")) => {
                let schema =
                    Schema { name: given.unwrap_or(name.text).to_owned(), path: path.to_owned(), line: name.line };
                found.push(schema);
                (derives, given) = (false, None);
            }
            _ => {}
        }
        rest = after;
    }
    found
}

/// How many tokens an attribute takes, from its `[` to the `]` that closes it.
fn attribute(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        if token.is("[") {
            depth += 1;
        } else if token.is("]") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return index + 1;
            }
        }
    }
    tokens.len()
}

/// Names that more than one type has.
pub(super) fn check(declared: Vec<Schema>) -> Vec<Finding> {
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    let mut findings = Vec::new();
    for Schema { name, path, line } in declared {
        match first.get(&name) {
            Some(other) => {
                let message =
                    format!("{other} has a schema {name}, too: give this one a name of its own by #[schema(as = …)]");
                findings.push(Finding::new("schemas", &path, line, message));
            }
            None => drop(first.insert(name, path)),
        }
    }
    findings
}
