//! Mailboxes of IMAP servers (RFC 9051) that are listened to: what is new in them, message by message.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_imap::extensions::idle::IdleResponse;
use async_imap::{Client, Session};
use bytes::Bytes;
use futures_util::TryStreamExt;
use millrace_model::{Object, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{CONNECT_TIMEOUT, Failure, Reach, address, flag, port, text, tls};
use crate::infrastructure::http_client::HttpClient;

/// Longest an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Of a larger message only the headers are fetched, in bytes.
const LARGEST: u32 = 32 << 20;

trait Wire: AsyncRead + AsyncWrite + Unpin + Send + Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Debug> Wire for T {}

/// An open mailbox.
pub struct Mailbox {
    session: Session<Box<dyn Wire>>,
    can_wait: bool,
    /// Ids of messages count only together with this.
    pub validity: u32,
}

/// A message as the server has it.
#[derive(Clone, Debug)]
pub struct Message {
    pub uid: u32,
    pub bytes: Bytes,
    /// Too large: the bytes are its headers.
    pub is_cut: bool,
}

impl Mailbox {
    /// Logs in as the credential says: `{user, password, host, port, secure, allowUnauthorizedCerts}`.
    pub async fn open(http: &HttpClient, reach: &Reach, connection: &Object, name: &str) -> Result<Mailbox, Failure> {
        let secure = connection.get("secure").and_then(Value::as_bool).unwrap_or(true);
        let host = text(connection, "host", "");
        if host.is_empty() {
            return Err(Failure::new("The IMAP credential has no host"));
        }
        let found = address::resolve(reach, host, port(connection, if secure { 993 } else { 143 })?).await?;
        let socket = within(CONNECT_TIMEOUT, TcpStream::connect(found)).await?;
        let wire: Box<dyn Wire> = if secure {
            let is_any = flag(connection, "allowUnauthorizedCerts");
            let trusted = if is_any { tls::trusting_any()? } else { Arc::new(http.plain_tls()) };
            Box::new(timeout(CONNECT_TIMEOUT, tls::wrap(socket, host, trusted)).await.map_err(|_| slow())??)
        } else {
            Box::new(socket)
        };
        let mut client = Client::new(wire);
        let greeting = within(ANSWER_TIMEOUT, client.read_response()).await?;
        greeting.ok_or_else(|| Failure::new("The IMAP server closed the connection"))?;
        let login = client.login(text(connection, "user", ""), text(connection, "password", ""));
        let login = timeout(ANSWER_TIMEOUT, login).await.map_err(|_| slow())?;
        let mut session = login.map_err(|(error, _)| failed(&error))?;
        let can_wait = within(ANSWER_TIMEOUT, session.capabilities()).await?.has_str("IDLE");
        let selected = within(ANSWER_TIMEOUT, session.select(name)).await?;
        Ok(Mailbox { session, can_wait, validity: selected.uid_validity.unwrap_or_default() })
    }

    /// Ids of the messages that fit, ascending.
    pub async fn search(&mut self, query: &str) -> Result<Vec<u32>, Failure> {
        let found = within(ANSWER_TIMEOUT, self.session.uid_search(query)).await?;
        Ok(found.into_iter().collect::<BTreeSet<u32>>().into_iter().collect())
    }

    /// A message; `None`: it is not there any more.
    pub async fn fetch(&mut self, uid: u32) -> Result<Option<Message>, Failure> {
        let size = self.ask(uid, "(UID RFC822.SIZE)").await?.and_then(|found| found.size);
        let is_cut = size.is_some_and(|size| size > LARGEST);
        let part = if is_cut { "(UID BODY.PEEK[HEADER])" } else { "(UID BODY.PEEK[])" };
        let Some(found) = self.ask(uid, part).await? else { return Ok(None) };
        let bytes = if is_cut { found.header() } else { found.body() };
        Ok(bytes.map(|bytes| Message { uid, bytes: Bytes::copy_from_slice(bytes), is_cut }))
    }

    async fn ask(&mut self, uid: u32, what: &str) -> Result<Option<async_imap::types::Fetch>, Failure> {
        let session = &mut self.session;
        let all = async move { session.uid_fetch(uid.to_string(), what).await?.try_collect::<Vec<_>>().await };
        // Servers may tell of other messages in between.
        Ok(within(ANSWER_TIMEOUT, all).await?.into_iter().find(|found| found.uid == Some(uid)))
    }

    /// Marks messages as read.
    pub async fn mark_read(&mut self, uids: &[u32]) -> Result<(), Failure> {
        if uids.is_empty() {
            return Ok(());
        }
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let session = &mut self.session;
        let all = async move { session.uid_store(set, "+FLAGS.SILENT (\\Seen)").await?.try_collect::<Vec<_>>().await };
        within(ANSWER_TIMEOUT, all).await.map(drop)
    }

    /// Waits until something changes, at most so long. Servers that cannot tell are asked again after `pause`.
    pub async fn wait(self, patience: Duration, pause: Duration) -> Result<Mailbox, Failure> {
        let Mailbox { mut session, can_wait, validity } = self;
        if !can_wait {
            tokio::time::sleep(pause.min(patience)).await;
            within(ANSWER_TIMEOUT, session.noop()).await?;
            return Ok(Mailbox { session, can_wait, validity });
        }
        let mut idle = session.idle();
        within(ANSWER_TIMEOUT, idle.init()).await?;
        let outcome = {
            let (change, _interrupt) = idle.wait_with_timeout(patience);
            change.await.map_err(|error| failed(&error))?
        };
        if matches!(outcome, IdleResponse::ManualInterrupt) {
            return Err(Failure::new("The IMAP server closed the connection"));
        }
        let session = within(ANSWER_TIMEOUT, idle.done()).await?;
        Ok(Mailbox { session, can_wait, validity })
    }

    /// Says goodbye; a server that does not listen is left.
    pub async fn close(mut self) {
        drop(timeout(CONNECT_TIMEOUT, self.session.logout()).await);
    }
}

async fn within<T, E: std::error::Error>(
    patience: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    timeout(patience, answer).await.map_err(|_| slow())?.map_err(|error| failed(&error))
}

fn slow() -> Failure {
    Failure::new("The IMAP server does not answer")
}

fn failed(error: &dyn std::error::Error) -> Failure {
    Failure::new(error.to_string())
}
