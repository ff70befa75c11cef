//! Notifications: tells people by mail what they have to see to. Says nothing that the audit log does not say; whoever wants
//! more than that listens to events.

mod mails;

pub use mails::Mails;
