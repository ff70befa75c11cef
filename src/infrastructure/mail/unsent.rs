//! Where no mail server is configured: notes that there would have been a mail. The text, which may hold a secret link, shows
//! only to an operator who asks for it with the log filter `millrace::infrastructure::mail=trace`.

use async_trait::async_trait;

use super::{Error, Mailer, Message};

/// Sends nothing.
#[derive(Clone, Copy, Debug)]
pub struct UnsentMailer;

#[async_trait]
impl Mailer for UnsentMailer {
    async fn send(&self, message: &Message) -> Result<(), Error> {
        tracing::info!(to = message.to, subject = message.subject, "mail not sent: mail.url is empty");
        tracing::trace!(to = message.to, text = message.text, "the mail's text");
        Ok(())
    }

    fn is_configured(&self) -> bool {
        false
    }
}
