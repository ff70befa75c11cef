//! Redis servers that are listened to: lists that are taken from message by message, and channels.

use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{AsyncCommands, Cmd, pipe};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use millrace_model::Object;

use super::redis::{connect, failed, listen};
use super::{Failure, Reach};
use crate::infrastructure::http_client::HttpClient;

/// A list that is taken from. What is taken lies in a list beside it until it is settled, so that nothing is lost with the
/// process that took it.
pub struct RedisQueue {
    connection: MultiplexedConnection,
    queue: String,
    taken: String,
    /// The end it is taken from.
    end: &'static str,
}

impl RedisQueue {
    /// `holder`: what it is taken for; the list of what is taken bears its name.
    pub async fn open(
        http: &HttpClient,
        reach: &Reach,
        credential: &Object,
        queue: &str,
        holder: &str,
        from_tail: bool,
    ) -> Result<RedisQueue, Failure> {
        let trusted = Arc::new(http.plain_tls());
        Ok(RedisQueue {
            connection: connect(reach, credential, &trusted).await?,
            queue: queue.to_owned(),
            taken: format!("{queue}:millrace:{holder}"),
            end: if from_tail { "RIGHT" } else { "LEFT" },
        })
    }

    /// Puts back what was taken and not settled, in its order, but for those messages that `is_settled` knows.
    pub async fn recover(&mut self, mut is_settled: impl FnMut(&[u8]) -> bool) -> Result<(), Failure> {
        let left: Vec<Vec<u8>> = self.connection.lrange(&self.taken, 0, -1).await.map_err(|error| failed(&error))?;
        let settled: Vec<Vec<u8>> = left.into_iter().filter(|message| is_settled(message)).collect();
        self.settle(&settled).await?;
        loop {
            let mut back = Cmd::new();
            back.arg("LMOVE").arg(&self.taken).arg(&self.queue).arg("RIGHT").arg(self.end);
            let moved: Option<Vec<u8>> =
                back.query_async(&mut self.connection).await.map_err(|error| failed(&error))?;
            if moved.is_none() {
                return Ok(());
            }
        }
    }

    /// Takes up to so many messages, in their order; none when there are none for so long.
    pub async fn take(&mut self, most: usize, patience: Duration) -> Result<Vec<Vec<u8>>, Failure> {
        let mut first = Cmd::new();
        first.arg("BLMOVE").arg(&self.queue).arg(&self.taken).arg(self.end).arg("RIGHT").arg(patience.as_secs_f64());
        let first: Option<Vec<u8>> = first.query_async(&mut self.connection).await.map_err(|error| failed(&error))?;
        let Some(first) = first else { return Ok(Vec::new()) };
        let mut more = pipe();
        for _ in 1..most {
            more.cmd("LMOVE").arg(&self.queue).arg(&self.taken).arg(self.end).arg("RIGHT");
        }
        let more: Vec<Option<Vec<u8>>> = match most {
            0 | 1 => Vec::new(),
            _ => more.query_async(&mut self.connection).await.map_err(|error| failed(&error))?,
        };
        Ok(std::iter::once(first).chain(more.into_iter().flatten()).collect())
    }

    /// Forgets messages that were taken: they are in safe hands.
    pub async fn settle(&mut self, messages: &[Vec<u8>]) -> Result<(), Failure> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut all = pipe();
        for message in messages {
            all.cmd("LREM").arg(&self.taken).arg(1).arg(message).ignore();
        }
        all.query_async(&mut self.connection).await.map_err(|error| failed(&error))
    }
}

/// A channel, and what was said in it.
pub type Said = (String, Vec<u8>);

/// Hears channels, by patterns. The stream ends with the connection.
pub async fn hear(
    http: &HttpClient,
    reach: &Reach,
    credential: &Object,
    patterns: &[String],
) -> Result<BoxStream<'static, Said>, Failure> {
    let mut channels = listen(reach, credential, &Arc::new(http.plain_tls())).await?;
    for pattern in patterns {
        channels.psubscribe(pattern).await.map_err(|error| failed(&error))?;
    }
    let said = channels.into_on_message();
    Ok(said.map(|said| (said.get_channel_name().to_owned(), said.get_payload_bytes().to_vec())).boxed())
}
