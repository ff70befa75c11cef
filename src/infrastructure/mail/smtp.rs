//! SMTP (RFC 5321) through lettre: connections are kept and shared, TLS trusts Mozilla's and the system's certificates.

use std::time::Duration;

use async_trait::async_trait;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use url::Url;
use uuid::Uuid;

use super::{ConfigError, Error, Mailer, Message};
use crate::infrastructure::config;

/// Sends over the operator's mail server.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpMailer {
    pub fn new(config: &config::Mail) -> Result<SmtpMailer, ConfigError> {
        let url = config.url.expose();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(ConfigError::Url)?
            .timeout(Some(Duration::from_secs(config.timeout_seconds)));
        if let Some(tls) = tls(url)? {
            builder = builder.tls(tls);
        }
        Ok(SmtpMailer { transport: builder.build(), from: config.from.parse().map_err(ConfigError::From)? })
    }

    fn compose(&self, message: &Message) -> Result<lettre::Message, Error> {
        let refused = |error: &dyn std::error::Error| Error::Refused(error.to_string().into());
        let builder = lettre::Message::builder()
            .from(self.from.clone())
            .to(message.to.parse().map_err(|error: lettre::address::AddressError| refused(&error))?)
            .subject(one_line(&message.subject))
            .message_id(Some(format!("<{}@{}>", Uuid::now_v7(), self.from.email.domain())))
            .header(AutoSubmitted);
        let composed = match &message.html {
            None => builder.singlepart(SinglePart::plain(message.text.clone())),
            Some(html) => builder.multipart(MultiPart::alternative_plain_html(message.text.clone(), html.clone())),
        };
        composed.map_err(|error| refused(&error))
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, message: &Message) -> Result<(), Error> {
        let composed = self.compose(message)?;
        match self.transport.send(composed).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(Error::Refused(error.into())),
            Err(error) => Err(Error::Unavailable(error.into())),
        }
    }

    fn is_configured(&self) -> bool {
        true
    }
}

/// What the URL asks for, with the system's certificates trusted beside Mozilla's: mail servers are often one's own.
fn tls(url: &str) -> Result<Option<Tls>, ConfigError> {
    let Ok(url) = Url::parse(url) else { return Ok(None) };
    let asked = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    let mode: fn(TlsParameters) -> Tls = match (url.scheme(), asked.as_deref()) {
        ("smtps", _) => Tls::Wrapper,
        ("smtp", Some("required")) => Tls::Required,
        _ => return Ok(None),
    };
    let mut parameters = TlsParameters::builder(url.host_str().unwrap_or_default().to_owned());
    for certificate in rustls_native_certs::load_native_certs().certs {
        if let Ok(certificate) = Certificate::from_der(certificate.to_vec()) {
            parameters = parameters.add_root_certificate(certificate);
        }
    }
    Ok(Some(mode(parameters.build().map_err(ConfigError::Url)?)))
}

/// A line break would begin another header.
fn one_line(text: &str) -> String {
    text.split(|letter: char| letter.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Tells other programs not to answer (RFC 3834).
#[derive(Clone, Copy, Debug)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<AutoSubmitted, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(AutoSubmitted::name(), "auto-generated".to_owned())
    }
}
