//! What can go wrong with data tables, and the stable codes of it.

use crate::common::error::{Code, Coded, FieldError, INTERNAL, INVALID_BODY, Kind};
use crate::infrastructure::database;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no data table with this id")]
    NotFound,
    #[error("Data table with name \"{0}\" not found")]
    NameNotFound(String),
    #[error("Data table with name '{0}' already exists")]
    NameTaken(String),
    #[error("{}", .0.first().map(|error| error.message.as_ref()).unwrap_or("the data does not fit the table"))]
    Invalid(Vec<FieldError>),
    #[error("at most {0}")]
    Full(&'static str),
    #[error("the stored columns or rows cannot be read")]
    Unreadable(#[from] serde_json::Error),
    #[error("a node asked for \"{0}\", which data tables do not do")]
    UnknownCall(String),
    #[error(transparent)]
    Database(#[from] database::Error),
}

const NOT_FOUND: Code = Code::new(Kind::NotFound, "data_table_not_found", "No such data table");
const NAME_TAKEN: Code = Code::new(Kind::Conflict, "data_table_name_taken", "The name is taken");
const FULL: Code = Code::new(Kind::Conflict, "data_table_full", "There is no more room");

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound | Error::NameNotFound(_) => NOT_FOUND,
            Error::NameTaken(_) => NAME_TAKEN,
            Error::Invalid(_) => INVALID_BODY,
            Error::Full(_) => FULL,
            Error::Unreadable(_) | Error::UnknownCall(_) => INTERNAL,
            Error::Database(error) => database::code_of(error),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Error::Invalid(faults) => faults.clone(),
            _ => Vec::new(),
        }
    }
}

impl Error {
    /// One thing that does not fit.
    pub(super) fn invalid(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Error {
        Error::Invalid(vec![FieldError::new(pointer, code, message)])
    }
}
