//! Mailboxes: a login is tried out against a server of IMAP, played on loopback.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{create, server};

/// Takes the user `ann` with the password `pass "word` and repeats every login that it does not take.
async fn mailboxes(greeting: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let told = Arc::new(Mutex::new(Vec::new()));
    let remembered = Arc::clone(&told);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, greeting, Arc::clone(&remembered)));
        }
    });
    (port, told)
}

async fn converse(stream: TcpStream, greeting: &str, told: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(greeting.as_bytes()).await?;
    let mut arguments = Vec::new();
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let said = std::mem::take(&mut line).trim_end().to_owned();
        told.lock().unwrap().push(said.clone());
        if let Some(length) = said.rsplit_once('{').and_then(|(_, length)| length.strip_suffix('}')) {
            stream.write_all(b"* OK still here\r\n+ go on\r\n").await?;
            let mut argument = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut argument).await?;
            arguments.push(String::from_utf8(argument).unwrap());
        } else if said.starts_with("2 ") {
            return stream.write_all(b"* BYE\r\n2 OK\r\n").await;
        } else if arguments == ["ann", "pass \"word"] {
            stream.write_all(b"* CAPABILITY IMAP4rev1\r\n1 OK LOGIN done\r\n").await?;
        } else {
            stream.write_all(format!("1 NO who is {arguments:?}?\r\n").as_bytes()).await?;
        }
    }
    Ok(())
}

#[actix_web::test]
async fn a_login_is_tried_out() {
    let (port, told) = mailboxes("* OK IMAP4rev1 ready\r\n").await;
    let (closing, _) = mailboxes("* BYE full\r\n").await;
    let server = server().await;
    let owner = server.tenant("acme").await.owner;
    for (port, password, secure, status, message) in [
        (port, "pass \"word", false, "OK", "successful"),
        (port, "PLANTED-wrong", false, "Error", "refuses the login"),
        (closing, "pass \"word", false, "Error", "does not greet"),
        (port, "pass \"word", true, "Error", "TLS"),
        (1, "pass \"word", false, "Error", "does not answer"),
    ] {
        let data = json!({ "host": "127.0.0.1", "port": port, "secure": secure, "user": "ann", "password": password });
        let id = create(&owner, "imap", data).await;
        let tested = owner.post(&format!("/api/v1/credentials/{id}/test"), json!({})).await.json(200);
        assert_eq!(tested["status"], status, "{tested}");
        let said = tested["message"].as_str().unwrap();
        assert!(said.contains(message) && !said.contains("PLANTED"), "{tested}");
    }
    assert!(told.lock().unwrap().contains(&"2 LOGOUT".to_owned()));
}
