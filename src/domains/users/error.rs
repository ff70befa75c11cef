//! What can go wrong with people and their roles.

use crate::common::error::{INTERNAL, INVALID_BODY};
use crate::common::{Code, Coded, FieldError, Kind, Permissions};
use crate::domains::tenants;
use crate::infrastructure::{crypto, database};

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
    #[error("there is no such role")]
    RoleNotFound,
    #[error("another role has this name")]
    RoleNameTaken,
    #[error("members have this role, or are invited to it")]
    RoleInUse,
    #[error("a role cannot hold a permission that its maker lacks")]
    BeyondOwnPermissions { missing: Permissions },
    #[error("the invitation does not exist, was used or taken back, or has expired")]
    InvitationNotFound,
    #[error("the address is a member's already")]
    AlreadyMember,
    #[error("the password is too short or too long")]
    PasswordLength { minimum: usize, maximum: usize },
    #[error(transparent)]
    Tenant(#[from] tenants::Error),
    #[error(transparent)]
    Password(#[from] crypto::PasswordError),
    #[error(transparent)]
    Random(#[from] crypto::RandomError),
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
            Error::RoleNotFound => Code::new(Kind::NotFound, "role_not_found", "No such role"),
            Error::RoleNameTaken => Code::new(Kind::Conflict, "role_name_taken", "The name is taken"),
            Error::RoleInUse => Code::new(Kind::Conflict, "role_in_use", "The role is in use"),
            Error::BeyondOwnPermissions { .. } => {
                Code::new(Kind::Forbidden, "beyond_own_permissions", "More than the caller may do")
            }
            Error::InvitationNotFound => Code::new(Kind::NotFound, "invitation_not_found", "No such invitation"),
            Error::AlreadyMember => Code::new(Kind::Conflict, "already_member", "A member already"),
            Error::PasswordLength { .. } => INVALID_BODY,
            Error::Tenant(error) => error.code(),
            Error::Password(_) | Error::Random(_) => INTERNAL,
            Error::RoleTooHigh => Code::new(Kind::Forbidden, "role_too_high", "Not permitted for this role"),
            Error::Database(error) => database::code_of(error),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Error::PasswordLength { minimum, maximum } => {
                let message = format!("must be between {minimum} and {maximum} characters long");
                vec![FieldError::new("/password", "length", message)]
            }
            Error::BeyondOwnPermissions { missing } => {
                let list = missing.iter().map(|permission| permission.as_str()).collect::<Vec<_>>().join(", ");
                vec![FieldError::new("/permissions", "beyond_own_permissions", format!("the caller lacks {list}"))]
            }
            _ => Vec::new(),
        }
    }
}
