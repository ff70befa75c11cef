//! What is wrong with a document, and where.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One problem of a workflow document: a JSON pointer (RFC 6901), a stable code and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub pointer: String,
    pub code: String,
    pub message: String,
}

impl Problem {
    pub fn new(pointer: impl Into<String>, code: &str, message: impl Into<String>) -> Problem {
        Problem { pointer: pointer.into(), code: code.to_owned(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.pointer, self.message)
    }
}
