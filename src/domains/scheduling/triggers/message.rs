//! Mail (RFC 5322, MIME) as items, with the fields that n8n's trigger gives. Pure.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mail_parser::{Address, MessageParser, MimeHeaders};
use millrace_model::{BinaryData, Item, Object, Value};
use millrace_runner::describe_binary;

use super::source::{Format, Mailbox};
use crate::infrastructure::services::Message;

/// Headers that stand beside the others in the simple form.
const TOP: [&str; 5] = ["cc", "date", "from", "subject", "to"];

/// The item of a message.
pub(super) fn item(message: &Message, wanted: &Mailbox) -> Item {
    if wanted.format == Format::Raw {
        let raw = String::from_utf8_lossy(&message.bytes).into_owned();
        return Item::new(Object::from([("raw", Value::from(raw))]));
    }
    let Some(parsed) = MessageParser::default().parse(&message.bytes[..]) else {
        return Item::new(Object::from([("attributes", Value::from(attributes(message)))]));
    };
    let mut json = match wanted.format {
        Format::Resolved => resolved(&parsed),
        _ => simple(&parsed),
    };
    json.insert("attributes", attributes(message));
    let mut item = Item::new(json);
    if wanted.format == Format::Resolved || wanted.attachments {
        let binaries = parsed.attachments().enumerate().map(|(at, part)| {
            let kind = part.content_type().map(|kind| match kind.subtype() {
                Some(subtype) => format!("{}/{subtype}", kind.ctype()),
                None => kind.ctype().to_owned(),
            });
            let bytes = part.contents();
            let described = describe_binary(bytes, part.attachment_name(), kind.as_deref());
            let binary = BinaryData { data: BASE64_STANDARD.encode(bytes).into(), ..described };
            (ecow::eco_format!("{}{at}", wanted.prefix), binary)
        });
        let binaries: indexmap::IndexMap<_, _> = binaries.collect();
        if !binaries.is_empty() {
            item.binary = Some(Arc::new(binaries));
        }
    }
    item
}

fn attributes(message: &Message) -> Object {
    let mut attributes = Object::from([("uid", Value::from(message.uid))]);
    if message.is_cut {
        attributes.insert("truncated", true);
    }
    attributes
}

fn simple(parsed: &mail_parser::Message<'_>) -> Object {
    let mut json = Object::new();
    json.insert("textHtml", text(parsed.html_bodies().next().and_then(|part| part.text_contents())));
    json.insert("textPlain", text(parsed.text_bodies().next().and_then(|part| part.text_contents())));
    let mut metadata = Object::new();
    for (name, value) in headers(parsed) {
        if TOP.contains(&name.as_str()) {
            json.insert(name, value);
        } else {
            metadata.insert(name, value);
        }
    }
    json.insert("metadata", metadata);
    json
}

fn resolved(parsed: &mail_parser::Message<'_>) -> Object {
    let headers: Object = headers(parsed).map(|(name, value)| (name.into(), value.into())).collect();
    let mut json = Object::from([("headers", Value::from(headers))]);
    for (name, found) in [
        ("from", parsed.from()),
        ("to", parsed.to()),
        ("cc", parsed.cc()),
        ("bcc", parsed.bcc()),
        ("replyTo", parsed.reply_to()),
    ] {
        if let Some(found) = found {
            json.insert(name, people(found));
        }
    }
    json.insert("subject", text(parsed.subject()));
    if let Some(id) = parsed.message_id() {
        json.insert("messageId", format!("<{id}>"));
    }
    let at = parsed.date().and_then(|date| jiff::Timestamp::from_second(date.to_timestamp()).ok());
    if let Some(at) = at {
        json.insert("date", format!("{at:.3}"));
    }
    json.insert("text", text(parsed.body_text(0).as_deref()));
    if let Some(html) = parsed.body_html(0) {
        json.insert("html", html.into_owned());
    }
    json
}

/// Names in lower case; encoded words in them are read.
fn headers<'m>(parsed: &'m mail_parser::Message<'_>) -> impl Iterator<Item = (String, String)> + 'm {
    parsed.headers_raw().map(|(name, raw)| {
        let name = name.to_ascii_lowercase();
        let value = match name.as_str() {
            "subject" => parsed.subject().unwrap_or_default().to_owned(),
            "from" => written(parsed.from()),
            "to" => written(parsed.to()),
            "cc" => written(parsed.cc()),
            _ => raw.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        (name, value)
    })
}

/// People as `{"value": [{"address", "name"}], "text"}`.
fn people(found: &Address<'_>) -> Object {
    let one = |person: &mail_parser::Addr<'_>| {
        Value::from(Object::from([("address", text(person.address())), ("name", text(person.name()))]))
    };
    let value = Value::array(found.iter().map(one));
    Object::from([("value", value), ("text", written(Some(found)).into())])
}

fn written(found: Option<&Address<'_>>) -> String {
    let one = |person: &mail_parser::Addr<'_>| match (person.name(), person.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (None, Some(address)) => address.to_owned(),
        (name, None) => name.unwrap_or_default().to_owned(),
    };
    found.map(|found| found.iter().map(one).collect::<Vec<_>>().join(", ")).unwrap_or_default()
}

fn text(found: Option<&str>) -> Value {
    found.unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const MAIL: &str = "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\nTo: ann@example.org, Bob <bob@example.org>\r\n\
        Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\nDate: Fri, 31 Jan 2025 08:00:00 +0000\r\nMessage-ID: <m1@example.org>\r\n\
        X-Priority: 3\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n\
        --B\r\nContent-Type: text/plain\r\n\r\nHello\r\n--B\r\nContent-Type: text/csv; name=\"a.csv\"\r\n\
        Content-Disposition: attachment; filename=\"a.csv\"\r\n\r\n1,2\r\n--B--\r\n";

    fn made(bytes: &[u8], format: Format, attachments: bool) -> Item {
        let wanted = Mailbox {
            name: "INBOX".to_owned(),
            format,
            marks_read: true,
            attachments,
            prefix: "attachment_".to_owned(),
            query: "UNSEEN".to_owned(),
            remembers: true,
            reconnect_minutes: 60,
        };
        item(&Message { uid: 7, bytes: Bytes::copy_from_slice(bytes), is_cut: false }, &wanted)
    }

    #[test]
    fn the_simple_form_has_texts_and_the_most_important_headers() {
        let json = made(MAIL.as_bytes(), Format::Simple, false).json;
        let at = |name: &str| json.get(name).map(Value::to_json).unwrap_or_default();
        assert_eq!(at("subject"), "\"Grüße\"");
        assert_eq!(at("from"), "\"Jörg <joerg@example.org>\"");
        assert_eq!(at("to"), "\"ann@example.org, Bob <bob@example.org>\"");
        assert_eq!(at("textPlain"), "\"Hello\"");
        assert_eq!(at("attributes"), r#"{"uid":7}"#);
        assert!(at("metadata").contains("\"x-priority\":\"3\""), "{}", at("metadata"));
        let with = made(MAIL.as_bytes(), Format::Simple, true).binary.unwrap();
        let binary = with.get("attachment_0").unwrap();
        assert_eq!((binary.file_name.as_deref(), binary.mime_type.as_str()), (Some("a.csv"), "text/csv"));
    }

    #[test]
    fn the_resolved_form_has_everything() {
        let item = made(MAIL.as_bytes(), Format::Resolved, false);
        assert!(item.binary.is_some());
        let text = item.json.to_json();
        assert!(text.contains(r#""from":{"value":[{"address":"joerg@example.org","name":"Jörg"}]"#), "{text}");
        assert!(
            text.contains(r#""messageId":"<m1@example.org>""#) && text.contains("2025-01-31T08:00:00.000Z"),
            "{text}"
        );
    }

    #[test]
    fn any_bytes_make_an_item() {
        for bytes in
            [&b""[..], b"\xff\xfe", b"no header at all", b"Content-Type: multipart/mixed; boundary=B\r\n\r\n--B"]
        {
            for format in [Format::Simple, Format::Resolved, Format::Raw] {
                assert!(made(bytes, format, true).json.as_object().is_some(), "{bytes:?}");
            }
        }
    }
}
