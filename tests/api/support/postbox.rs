//! A mail server on loopback (RFC 5321) that takes whatever it is given and remembers what it was told.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Goes away with the test's runtime.
pub(crate) struct Postbox {
    pub(crate) port: u16,
    told: Arc<Mutex<Vec<String>>>,
}

impl Postbox {
    /// `login`: the one it takes, base64 as `AUTH PLAIN` has it.
    pub(crate) async fn start(login: &'static str) -> Postbox {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&told);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, login, Arc::clone(&remembered)));
            }
        });
        Postbox { port, told }
    }

    /// Every line that any client said.
    pub(crate) fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

async fn converse(stream: TcpStream, login: &str, told: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    let mut in_mail = false;
    stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        let said = std::mem::take(&mut line).trim_end().to_owned();
        let answer = match said.split([' ', ':']).next().unwrap_or_default() {
            "." if in_mail => {
                in_mail = false;
                "250 2.0.0 queued as 42\r\n"
            }
            _ if in_mail => "",
            "EHLO" => "250-mail.example\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n",
            "DATA" => {
                in_mail = true;
                "354 go on\r\n"
            }
            "AUTH" if !said.ends_with(login) => "535 5.7.8 no such login\r\n",
            "AUTH" => "235 2.7.0 accepted\r\n",
            "QUIT" => "221 2.0.0 bye\r\n",
            _ => "250 2.0.0 ok\r\n",
        };
        told.lock().unwrap().push(said);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
