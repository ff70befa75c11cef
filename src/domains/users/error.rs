//! What can go wrong with people and their roles.

use crate::common::{Code, Coded, Kind};
use crate::infrastructure::database;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the tenant has no such member")]
    NotFound,
    #[error("another account has this e-mail address")]
    EmailTaken,
    #[error("the tenant would be left without an owner")]
    LastOwner,
    #[error("the platform would be left without an administrator")]
    LastAdministrator,
    #[error("this needs a role that the caller does not hold")]
    RoleTooHigh,
    #[error("the users cannot be reached")]
    Database(#[from] database::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::NotFound => Code::new(Kind::NotFound, "user_not_found", "No such member"),
            Error::EmailTaken => Code::new(Kind::Conflict, "email_taken", "The e-mail address is taken"),
            Error::LastOwner => Code::new(Kind::Conflict, "last_owner", "A tenant needs an owner"),
            Error::LastAdministrator => {
                Code::new(Kind::Conflict, "last_administrator", "The platform needs an administrator")
            }
            Error::RoleTooHigh => Code::new(Kind::Forbidden, "role_too_high", "Not permitted for this role"),
            Error::Database(error) => database::code_of(error),
        }
    }
}
