//! Notifications: tells people by mail what they have to see to, and whoever follows a tenant's events what happens to
//! credentials. Says nothing that the audit log does not say.

mod followers;
mod mails;

pub use followers::Followers;
pub use mails::Mails;
