//! Mail from the server to people: over the operator's SMTP server, or only noted in the log where none is configured.
//! Goes to that one server whatever a tenant's egress policy says; mail that workflows send is not its business.

mod smtp;
#[cfg(test)]
mod tests;
mod unsent;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::common::error::chain;
use crate::common::{Code, Coded, Kind};
use crate::infrastructure::config;

pub use smtp::SmtpMailer;
pub use unsent::UnsentMailer;

/// How long after a failed try the next one comes.
const PAUSES: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(15), Duration::from_secs(120)];

/// Sends mail. One implementation per way out; tests have one that keeps what it is given.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands the mail to the server that delivers it. Whether it arrives is not known.
    async fn send(&self, message: &Message) -> Result<(), Error>;

    /// Whether anything leaves this process; false where no mail server is configured.
    fn is_configured(&self) -> bool;
}

/// One mail to one person. Not printable: its text often holds a secret link.
#[derive(Clone)]
pub struct Message {
    /// An address, `ann@acme.example`, or one with a name, `Ann <ann@acme.example>`.
    pub to: String,
    /// One line.
    pub subject: String,
    /// What every reader can show.
    pub text: String,
    /// The same for readers that show HTML.
    pub html: Option<String>,
}

impl Message {
    pub fn new(to: impl Into<String>, subject: impl Into<String>, text: impl Into<String>) -> Message {
        Message { to: to.into(), subject: subject.into(), text: text.into(), html: None }
    }

    #[must_use]
    pub fn with_html(mut self, html: impl Into<String>) -> Message {
        self.html = Some(html.into());
        self
    }
}

/// The mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Trying again does not help.
    #[error("the mail cannot be sent to this address")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Worth another try.
    #[error("the mail server does not take mail")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Error::Refused(_) => Code::new(Kind::Invalid, "mail_refused", "The mail cannot be sent"),
            Error::Unavailable(_) => Code::new(Kind::Unavailable, "mail_unavailable", "No mail can be sent"),
        }
    }
}

/// The configuration of mail cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("mail.from is not an address")]
    From(#[source] lettre::address::AddressError),
    #[error("mail.url cannot be used")]
    Url(#[source] lettre::transport::smtp::Error),
}

/// What the configuration asks for; says in the log when that is nothing.
pub fn open(config: &config::Mail) -> Result<Arc<dyn Mailer>, ConfigError> {
    if config.url.expose().is_empty() {
        tracing::warn!("mail.url is empty: mails (invitations, password resets) are noted in the log, not sent");
        return Ok(Arc::new(UnsentMailer));
    }
    Ok(Arc::new(SmtpMailer::new(config)?))
}

/// Sends without making the caller wait, so that an answer does not tell by its time whether there was a mail to send.
/// Tries a few times; what the server has not taken by then, or when this process ends, is lost and noted in the log.
pub fn send_in_background(mailer: Arc<dyn Mailer>, message: Message) {
    tokio::spawn(async move {
        for pause in PAUSES {
            match mailer.send(&message).await {
                Ok(()) => return,
                Err(error @ Error::Refused(_)) => return give_up(&message, &error),
                Err(error) => tracing::info!(cause = chain(&error), ?pause, "a mail was not taken; trying again"),
            }
            tokio::time::sleep(pause).await;
        }
        if let Err(error) = mailer.send(&message).await {
            give_up(&message, &error);
        }
    });
}

fn give_up(message: &Message, error: &Error) {
    tracing::warn!(to = message.to, subject = message.subject, cause = chain(error), "a mail was not sent");
}
