//! Sends mail through a tenant's own SMTP server (RFC 5321), with TLS as its credential says.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, Mailboxes, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use millrace_model::{Object, Value};

use super::{CONNECT_TIMEOUT, Failure, Reach, address, flag, port, text};

/// `{connection, message: {from, to, cc, bcc, replyTo, subject, text, html, attachments: [{fileName, mimeType, data}]}}`.
/// Gives `{accepted, rejected, envelope, messageId, response}`.
pub(super) async fn send(reach: &Reach, connection: &Object, arguments: &Value) -> Result<Value, Failure> {
    let empty = Object::new();
    let parts = arguments.get("message").and_then(Value::as_object).unwrap_or(&empty);
    let message = compose(parts)?;
    let transport = transport(reach, connection, flag(parts, "allowUnauthorizedCerts")).await?;
    let envelope = message.envelope().clone();
    let id = message.headers().get_raw("Message-ID").unwrap_or_default().to_owned();
    let answer = transport.send(message).await.map_err(|error| failed(&error))?;
    let to: Vec<Value> = envelope.to().iter().map(|address| address.to_string().into()).collect();
    let from = envelope.from().map(ToString::to_string).unwrap_or_default();
    let envelope = Object::from([("from", Value::from(from)), ("to", Value::from(to.clone()))]);
    let answer: Vec<String> = answer.message().map(str::to_owned).collect();
    Ok(Object::from([
        ("accepted", Value::from(to)),
        ("rejected", Value::from(Vec::<Value>::new())),
        ("envelope", envelope.into()),
        ("messageId", id.into()),
        ("response", answer.join(" ").into()),
    ])
    .into())
}

/// Greets the server and signs in, without sending anything.
pub(super) async fn verify(reach: &Reach, connection: &Object) -> Result<Value, Failure> {
    let transport = transport(reach, connection, false).await?;
    match transport.test_connection().await {
        Ok(true) => Ok(true.into()),
        Ok(false) => Err(Failure::new("The mail server does not answer")),
        Err(error) => Err(failed(&error)),
    }
}

async fn transport(
    reach: &Reach,
    connection: &Object,
    any_certificate: bool,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, Failure> {
    let host = text(connection, "host", "");
    if host.is_empty() {
        return Err(Failure::new("The SMTP credential has no host"));
    }
    let secure = connection.get("secure").and_then(Value::as_bool).unwrap_or(true);
    let found = address::resolve(reach, host, port(connection, if secure { 465 } else { 587 })?).await?;
    let tls = || {
        let parameters = TlsParameters::builder(host.to_owned()).dangerous_accept_invalid_certs(any_certificate);
        parameters.build().map_err(|error| failed(&error))
    };
    let tls = match (secure, flag(connection, "disableStartTls")) {
        (true, _) => Tls::Wrapper(tls()?),
        (false, true) => Tls::None,
        (false, false) => Tls::Opportunistic(tls()?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(found.ip().to_string())
        .port(found.port())
        .tls(tls)
        .timeout(Some(CONNECT_TIMEOUT * 3));
    let (user, password) = (text(connection, "user", ""), text(connection, "password", ""));
    if !user.is_empty() {
        builder = builder.credentials(Credentials::new(user.to_owned(), password.to_owned()));
    }
    let own_name = text(connection, "hostName", "");
    if !own_name.is_empty() {
        builder = builder.hello_name(ClientId::Domain(own_name.to_owned()));
    }
    Ok(builder.build())
}

fn compose(parts: &Object) -> Result<Message, Failure> {
    let from: Mailbox = match addresses(parts, "from")?.into_iter().next() {
        Some(from) => from,
        None => return Err(Failure::new("The e-mail has no sender").describe("Fill in \"From Email\"")),
    };
    let mut message = Message::builder().from(from).subject(text(parts, "subject", "")).message_id(None);
    let mut anybody = false;
    for (name, kind) in [("to", 0), ("cc", 1), ("bcc", 2), ("replyTo", 3)] {
        for mailbox in addresses(parts, name)? {
            anybody |= kind < 3;
            message = match kind {
                0 => message.to(mailbox),
                1 => message.cc(mailbox),
                2 => message.bcc(mailbox),
                _ => message.reply_to(mailbox),
            };
        }
    }
    if !anybody {
        return Err(Failure::new("The e-mail has no recipient").describe("Fill in \"To Email\""));
    }
    let (plain, html) = (parts.get("text").and_then(Value::as_str), parts.get("html").and_then(Value::as_str));
    let body = match (plain, html) {
        (Some(plain), Some(html)) => MultiPart::alternative_plain_html(plain.to_owned(), html.to_owned()),
        (None, Some(html)) => MultiPart::mixed().singlepart(SinglePart::html(html.to_owned())),
        (plain, None) => MultiPart::mixed().singlepart(SinglePart::plain(plain.unwrap_or_default().to_owned())),
    };
    let attachments = parts.get("attachments").and_then(Value::as_array).unwrap_or_default();
    let built = if attachments.is_empty() {
        message.multipart(body)
    } else {
        let mut whole = MultiPart::mixed().multipart(body);
        for attachment in attachments {
            whole = whole.singlepart(attached(attachment)?);
        }
        message.multipart(whole)
    };
    built.map_err(|error| failed(&error))
}

fn attached(attachment: &Value) -> Result<SinglePart, Failure> {
    let field = |name: &str| attachment.get(name).and_then(Value::as_str).unwrap_or_default();
    let bytes = BASE64_STANDARD.decode(field("data")).map_err(|_| Failure::new("An attachment is not valid base64"))?;
    let kind = ContentType::parse(field("mimeType")).unwrap_or(ContentType::TEXT_PLAIN);
    Ok(Attachment::new(field("fileName").to_owned()).body(bytes, kind))
}

/// Addresses as people write them: `Ann <ann@example.org>, bob@example.org`.
fn addresses(parts: &Object, name: &str) -> Result<Vec<Mailbox>, Failure> {
    let written = text(parts, name, "").trim().trim_end_matches([',', ';']).replace(';', ",");
    if written.is_empty() {
        return Ok(Vec::new());
    }
    let parsed: Result<Mailboxes, _> = written.parse();
    parsed.map(|mailboxes| mailboxes.into_iter().collect()).map_err(|_| {
        Failure::new(format!("\"{written}\" is not a list of e-mail addresses"))
            .describe(format!("Correct the field \"{name}\": addresses are separated by commas"))
    })
}

fn failed(error: &dyn std::error::Error) -> Failure {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(found) = cause {
        causes.push(found.to_string());
        cause = found.source();
    }
    let failure = Failure::new(error.to_string());
    if causes.is_empty() { failure } else { failure.describe(causes.join(": ")) }
}
