//! HTTP over a real socket, byte for byte: for what no well-behaved client sends, and for servers that are killed.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is kept alive.
pub(crate) struct Wire {
    stream: TcpStream,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// Lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Wire {
    pub(crate) async fn open(address: SocketAddr) -> std::io::Result<Wire> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Wire { stream })
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Sends a request with a body, and reads the answer. `None`: the connection broke before there was one.
    pub(crate) async fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Answered> {
        self.send(request(path, headers, body).as_bytes()).await.ok()?;
        self.answer().await
    }

    pub(crate) async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Option<Answered> {
        let request = request(path, headers, "").replacen("POST", "GET", 1);
        self.send(request.as_bytes()).await.ok()?;
        self.answer().await
    }

    /// Reads one answer; chunked ones, too.
    pub(crate) async fn answer(&mut self) -> Option<Answered> {
        let mut bytes = Vec::new();
        loop {
            if let Some(answered) = parse(&bytes) {
                return Some(answered);
            }
            let mut chunk = vec![0; 16384];
            match self.stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return None,
                Ok(read) => bytes.extend_from_slice(&chunk[..read]),
            }
        }
    }
}

pub(crate) fn request(path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    text
}

/// The answer at the beginning of these bytes, if all of it is there.
fn parse(bytes: &[u8]) -> Option<Answered> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head.get(9..12)?.parse().ok()?;
    let rest = &bytes[end + 4..];
    let header =
        |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
    let body = match header("content-length:") {
        Some(length) => rest.get(..length.parse().ok()?)?.to_vec(),
        None if header("transfer-encoding:").is_some() => dechunked(rest)?,
        None => Vec::new(),
    };
    Some(Answered { status, head, body: String::from_utf8_lossy(&body).into_owned() })
}

fn dechunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?, 16).ok()?;
        rest = rest.get(line + 2..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}
