//! What can go wrong with the audit log.

use crate::common::error::INTERNAL;
use crate::common::{Code, Coded};
use crate::infrastructure::database;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the audit log cannot be reached")]
    Database(#[from] database::Error),
    #[error("an event cannot be written")]
    Unwritable,
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::Database(error) => database::code_of(error),
            Error::Unwritable => INTERNAL,
        }
    }
}
