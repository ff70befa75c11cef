//! What goes over the wire, said to a server of a few lines, and what is refused before.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::{ConfigError, Error, Message, open};
use crate::common::Secret;
use crate::infrastructure::config::{Config, Mail};

/// Takes mail on a port of its own; answers a recipient at `full.example` with 452 and one at `gone.example` with 550.
/// Keeps each mail's lines, from `MAIL FROM` on.
async fn server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (read, mut write) = stream.into_split();
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                write.write_all(b"220 mail.example\r\n").await.unwrap();
                let (mut lines, mut in_data) = (BufReader::new(read).lines(), false);
                while let Ok(Some(line)) = lines.next_line().await {
                    kept.lock().unwrap().push(line.clone());
                    let answer = match line.as_str() {
                        "." => {
                            in_data = false;
                            "250 taken\r\n"
                        }
                        _ if in_data => continue,
                        "DATA" => {
                            in_data = true;
                            "354 go on\r\n"
                        }
                        "QUIT" => "221 bye\r\n",
                        line if line.contains("@full.example") => "452 no room\r\n",
                        line if line.contains("@gone.example") => "550 no such person\r\n",
                        _ => "250 mail.example\r\n",
                    };
                    write.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (url, taken)
}

fn config(url: &str) -> Mail {
    let mut config = Config::defaults().unwrap().mail;
    config.url = Secret::new(url.to_owned());
    config.from = "Millrace <no-reply@millrace.example>".to_owned();
    config.timeout_seconds = 5;
    config
}

#[tokio::test]
async fn a_mail_is_handed_to_the_server() {
    let (url, taken) = server().await;
    let mailer = open(&config(&url)).unwrap();
    assert!(mailer.is_configured());
    let mail = Message::new("Ann Ødegård <ann@acme.example>", "Grüße", "Line one\n.\nline three").with_html("<b>x</b>");
    mailer.send(&mail).await.unwrap();
    let lines = taken.lock().unwrap().join("\n");
    for expected in [
        "MAIL FROM:<no-reply@millrace.example>",
        "RCPT TO:<ann@acme.example>",
        "From: Millrace <no-reply@millrace.example>",
        "Auto-Submitted: auto-generated",
        "Subject: =?utf-8?b?R3LDvMOfZQ==?=",
        "Content-Type: text/html; charset=utf-8",
        // A line of one dot ends a mail, so it is doubled (RFC 5321 §4.5.2).
        "Line one\n..\nline three",
    ] {
        assert!(lines.contains(expected), "{expected:?} is not in:\n{lines}");
    }
    assert!(lines.contains("Message-ID: <") && lines.contains("@millrace.example>"), "{lines}");
}

#[tokio::test]
async fn nothing_a_caller_writes_becomes_a_header() {
    let (url, taken) = server().await;
    let mailer = open(&config(&url)).unwrap();
    let subject = "Hello\r\nBcc: spy@evil.example\r\n\r\nbody\u{0}";
    mailer.send(&Message::new("ann@acme.example", subject, "text")).await.unwrap();
    let lines = taken.lock().unwrap().clone();
    assert!(!lines.iter().any(|line| line.starts_with("Bcc") || line.starts_with("body")), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("RCPT")).count(), 1);
    for address in
        ["ann@acme.example\r\nRCPT TO:<spy@evil.example>", "ann@acme.example, spy@evil.example", "nobody", ""]
    {
        let refused = mailer.send(&Message::new(address, "x", "x")).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{address:?}");
    }
}

#[tokio::test]
async fn what_may_work_later_is_told_from_what_never_will() {
    let (url, _) = server().await;
    let mailer = open(&config(&url)).unwrap();
    let send = async |to: &str| mailer.send(&Message::new(to, "x", "x")).await;
    assert!(matches!(send("ann@gone.example").await, Err(Error::Refused(_))));
    assert!(matches!(send("ann@full.example").await, Err(Error::Unavailable(_))));
    let nobody_there = open(&config("smtp://127.0.0.1:1")).unwrap();
    let mail = Message::new("a@b.example", "x", "x");
    let refused = tokio::time::timeout(Duration::from_secs(10), nobody_there.send(&mail));
    assert!(matches!(refused.await.unwrap(), Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn without_a_server_mail_goes_nowhere_and_is_no_error() {
    let mailer = open(&config("")).unwrap();
    assert!(!mailer.is_configured());
    mailer.send(&Message::new("ann@acme.example", "x", "x")).await.unwrap();
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused() {
    let mut wrong_sender = config("smtp://mail.example");
    wrong_sender.from = "nobody".to_owned();
    assert!(matches!(open(&wrong_sender), Err(ConfigError::From(_))));
    assert!(matches!(open(&config("smtp://mail.example?tls=maybe")), Err(ConfigError::Url(_))));
    assert!(open(&config("smtps://user:secret@mail.example")).is_ok());
    assert!(open(&config("smtp://user:secret@mail.example?tls=required")).is_ok());
}
