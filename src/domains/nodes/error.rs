//! What can go wrong with node types.

use crate::common::{Code, Coded, Kind};

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("there is no node type \"{name}\"{}", hint(.similar))]
    NotFound { name: String, similar: Vec<&'static str> },
    #[error("not a cursor of this list")]
    BadCursor,
}

fn hint(similar: &[&'static str]) -> String {
    match similar {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(" or ")),
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound { .. } => Code::new(Kind::NotFound, "node_type_not_found", "No such node type"),
            Error::BadCursor => Code::new(Kind::Invalid, "invalid_query", "A query parameter is not valid"),
        }
    }
}
