//! Signs in at a tenant's mailbox (IMAP, RFC 9051) and leaves again: by that a credential is tried out. No mail is read.

use std::sync::Arc;

use millrace_model::{Object, Value};
use rustls::ClientConfig;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{CONNECT_TIMEOUT, Failure, Reach, address, flag, port, text, tls};

/// Longest line of a server's that is read, and the most of them before an answer.
const LONGEST_LINE: u64 = 8192;
const MOST_LINES: usize = 200;

/// Greets the server and signs in. What the server says is not repeated: it may quote the login.
pub(super) async fn verify(reach: &Reach, connection: &Object, trusted: &Arc<ClientConfig>) -> Result<Value, Failure> {
    let host = text(connection, "host", "");
    if host.is_empty() {
        return Err(Failure::new("The IMAP credential has no host"));
    }
    let secure = connection.get("secure").and_then(Value::as_bool).unwrap_or(true);
    let found = address::resolve(reach, host, port(connection, if secure { 993 } else { 143 })?).await?;
    let trusted = if flag(connection, "allowUnauthorizedCerts") { tls::trusting_any()? } else { Arc::clone(trusted) };
    let login = (text(connection, "user", ""), text(connection, "password", ""));
    let conversation = async {
        let stream = TcpStream::connect(found).await.map_err(|_| silent())?;
        match secure {
            true => sign_in(tls::wrap(stream, host, trusted).await?, login).await,
            false => sign_in(stream, login).await,
        }
    };
    tokio::time::timeout(CONNECT_TIMEOUT * 3, conversation).await.unwrap_or_else(|_| Err(silent()))?;
    Ok(true.into())
}

async fn sign_in<S: AsyncRead + AsyncWrite + Unpin>(stream: S, (user, password): (&str, &str)) -> Result<(), Failure> {
    let mut stream = BufReader::new(stream);
    let greeting = line(&mut stream).await?;
    if !greeting.starts_with("* OK") {
        return Err(Failure::new("The mail server does not greet as an IMAP server that takes logins"));
    }
    say(&mut stream, b"1 LOGIN").await?;
    for argument in [user, password] {
        // A text that is counted instead of quoted takes any letter; the server asks for it.
        say(&mut stream, format!(" {{{}}}\r\n", argument.len()).as_bytes()).await?;
        if !answered(&mut stream, "+").await?.starts_with('+') {
            return Err(refused());
        }
        say(&mut stream, argument.as_bytes()).await?;
    }
    say(&mut stream, b"\r\n").await?;
    if !answered(&mut stream, "1 ").await?.starts_with("1 OK") {
        return Err(refused());
    }
    say(&mut stream, b"2 LOGOUT\r\n").await
}

/// The first line that is this answer, or the end of the command; what the server tells besides is passed over.
async fn answered<S: AsyncRead + Unpin>(stream: &mut BufReader<S>, wanted: &str) -> Result<String, Failure> {
    for _ in 0..MOST_LINES {
        let line = line(stream).await?;
        if line.starts_with(wanted) || line.starts_with("1 ") {
            return Ok(line);
        }
    }
    Err(silent())
}

async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Result<String, Failure> {
    let mut line = Vec::new();
    stream.take(LONGEST_LINE).read_until(b'\n', &mut line).await.map_err(|_| silent())?;
    if line.last() != Some(&b'\n') {
        return Err(silent());
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

async fn say<S: AsyncWrite + AsyncRead + Unpin>(stream: &mut BufReader<S>, words: &[u8]) -> Result<(), Failure> {
    stream.write_all(words).await.map_err(|_| silent())?;
    stream.flush().await.map_err(|_| silent())
}

fn silent() -> Failure {
    Failure::new("The mail server does not answer")
        .describe("Is it the right host and port, and does it begin with TLS?")
}

fn refused() -> Failure {
    Failure::new("The mail server refuses the login")
}
