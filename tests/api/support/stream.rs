//! Somebody who reads what a server sends while it sends it: server-sent events and WebSockets over a socket of their own.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(60);

/// A request whose answer does not end. Methods panic when something else comes than was expected.
pub(crate) struct Stream {
    reader: BufReader<TcpStream>,
    pub(crate) status: u16,
    pub(crate) head: String,
}

impl Stream {
    /// Asks for a path of `host:port`, with these headers.
    pub(crate) async fn open(address: &str, path: &str, headers: &[(&str, &str)]) -> Stream {
        Stream::ask(address, "GET", path, headers).await
    }

    /// The same with a method, and without a body.
    pub(crate) async fn ask(address: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Stream {
        let mut reader = BufReader::new(TcpStream::connect(address).await.unwrap());
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        reader.get_mut().write_all(request.as_bytes()).await.unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).await.unwrap() > 0, "{head}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Stream { reader, status, head }
    }

    /// The same as a WebSocket.
    pub(crate) async fn websocket(address: &str, path: &str, headers: &[(&str, &str)]) -> Stream {
        let mut all = vec![
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        all.extend(headers);
        Stream::open(address, path, &all).await
    }

    /// The next text of a WebSocket, as JSON.
    pub(crate) async fn text(&mut self) -> Value {
        let next = async {
            loop {
                let mut head = [0; 2];
                self.reader.read_exact(&mut head).await.unwrap();
                let length = match head[1] & 0x7f {
                    126 => usize::from(self.reader.read_u16().await.unwrap()),
                    127 => usize::try_from(self.reader.read_u64().await.unwrap()).unwrap(),
                    short => usize::from(short),
                };
                let mut payload = vec![0; length];
                self.reader.read_exact(&mut payload).await.unwrap();
                match head[0] & 0x0f {
                    1 => return serde_json::from_slice(&payload).unwrap(),
                    9 | 10 => {}
                    other => panic!("a frame of kind {other}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.unwrap_or_else(|_| panic!("nothing came"))
    }

    /// The end of an answer in chunks; nothing else comes before it.
    pub(crate) async fn end(&mut self) {
        let ended = async {
            let mut rest = String::new();
            while !rest.ends_with("0\r\n\r\n") {
                assert!(self.reader.read_line(&mut rest).await.unwrap() > 0, "it broke off: {rest}");
            }
            rest
        };
        let rest = tokio::time::timeout(PATIENCE, ended).await.unwrap_or_else(|_| panic!("it does not end"));
        assert_eq!(rest.trim_start(), "0\r\n\r\n");
    }

    /// Everything that comes until the connection ends, well or not.
    pub(crate) async fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let read = self.reader.read_to_end(&mut rest);
        // A connection that is reset has ended, too.
        drop(tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("it does not end")));
        rest
    }

    /// The next line with this at its beginning, without it.
    pub(crate) async fn line(&mut self, prefix: &str) -> String {
        let next = async {
            loop {
                let mut line = String::new();
                assert!(self.reader.read_line(&mut line).await.unwrap() > 0, "the stream has ended");
                if let Some(rest) = line.trim_end().strip_prefix(prefix) {
                    return rest.to_owned();
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.unwrap_or_else(|_| panic!("nothing came"))
    }
}
