//! All of a process's subscriptions over one connection to Redis, restored when it breaks.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use deadpool_redis::redis::aio::{PubSubSink, PubSubStream};
use deadpool_redis::redis::{self, Msg};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::redis::failed;
use super::{CHANNEL_CAPACITY, Error, messages};

/// Waits between attempts to connect again.
const RECONNECT_AFTER: Duration = Duration::from_millis(500);

/// Handle of the task that owns the connection. The task begins with the first subscription and ends with the handle.
pub(super) struct Subscriptions {
    client: redis::Client,
    channels: Arc<Channels>,
    commands: OnceLock<mpsc::UnboundedSender<Command>>,
}

#[derive(Default)]
struct Channels(Mutex<HashMap<String, broadcast::Sender<Bytes>>>);

enum Command {
    Subscribe {
        channel: String,
        ready: oneshot::Sender<Result<(), Error>>,
    },
    /// Somebody stopped listening; unsubscribe if nobody else listens.
    Left {
        channel: String,
    },
}

impl Channels {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, broadcast::Sender<Bytes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, channel: &str) -> broadcast::Receiver<Bytes> {
        let mut channels = self.lock();
        channels.entry(channel.to_owned()).or_insert_with(|| broadcast::Sender::new(CHANNEL_CAPACITY)).subscribe()
    }

    fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// True when it was there and nobody listened.
    fn remove_if_silent(&self, channel: &str) -> bool {
        let mut channels = self.lock();
        let silent = channels.get(channel).is_some_and(|sender| sender.receiver_count() == 0);
        if silent {
            channels.remove(channel);
        }
        silent
    }

    fn deliver(&self, message: &Msg) {
        if let Some(sender) = self.lock().get(message.get_channel_name()) {
            // Without listeners the message is for nobody.
            drop(sender.send(Bytes::copy_from_slice(message.get_payload_bytes())));
        }
    }
}

impl Subscriptions {
    pub(super) fn new(client: redis::Client) -> Subscriptions {
        Subscriptions { client, channels: Arc::default(), commands: OnceLock::new() }
    }

    /// Returns once Redis has confirmed, so that nothing published afterwards is missed.
    pub(super) async fn subscribe(&self, channel: String) -> Result<BoxStream<'static, Bytes>, Error> {
        let commands = self.commands.get_or_init(|| {
            let (commands, inbox) = mpsc::unbounded_channel();
            tokio::spawn(run(self.client.clone(), Arc::clone(&self.channels), inbox));
            commands
        });
        let receiver = self.channels.listen(&channel);
        let leaving = Leaving { channel: channel.clone(), commands: commands.clone() };
        let (ready, confirmed) = oneshot::channel();
        let gone = || Error("the subscriptions have ended".to_owned());
        commands.send(Command::Subscribe { channel, ready }).map_err(|_| gone())?;
        confirmed.await.map_err(|_| gone())??;
        Ok(Subscription { messages: messages(receiver).boxed(), _leaving: leaving }.boxed())
    }
}

/// Tells the task when the stream is dropped.
struct Leaving {
    channel: String,
    commands: mpsc::UnboundedSender<Command>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // The task may have ended with the server.
        drop(self.commands.send(Command::Left { channel: std::mem::take(&mut self.channel) }));
    }
}

/// One subscriber's messages. The fields drop in this order: when the task hears of it, the receiver is gone.
struct Subscription {
    messages: BoxStream<'static, Bytes>,
    _leaving: Leaving,
}

impl Stream for Subscription {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.messages.as_mut().poll_next(context)
    }
}

async fn run(client: redis::Client, channels: Arc<Channels>, mut inbox: mpsc::UnboundedReceiver<Command>) {
    loop {
        match connect(&client, &channels).await {
            Ok((sink, stream)) => {
                if serve(sink, stream, &channels, &mut inbox).await.is_none() {
                    return;
                }
                tracing::warn!("the connection for subscriptions broke; connecting again");
            }
            Err(error) => tracing::warn!(%error, "subscriptions cannot reach Redis"),
        }
        tokio::time::sleep(RECONNECT_AFTER).await;
    }
}

async fn connect(client: &redis::Client, channels: &Channels) -> Result<(PubSubSink, PubSubStream), Error> {
    let mut connection = client.get_async_pubsub().await.map_err(failed)?;
    for channel in channels.names() {
        connection.subscribe(channel).await.map_err(failed)?;
    }
    Ok(connection.split())
}

/// Works until the connection breaks (`Some`) or the handle is dropped (`None`).
async fn serve(
    mut sink: PubSubSink,
    mut stream: PubSubStream,
    channels: &Channels,
    inbox: &mut mpsc::UnboundedReceiver<Command>,
) -> Option<()> {
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(message) => channels.deliver(&message),
                None => return Some(()),
            },
            command = inbox.recv() => match command? {
                Command::Subscribe { channel, ready } => {
                    let result = sink.subscribe(channel).await.map_err(failed);
                    let broken = result.is_err();
                    // The caller may have given up waiting.
                    drop(ready.send(result));
                    if broken {
                        return Some(());
                    }
                }
                Command::Left { channel } => {
                    if channels.remove_if_silent(&channel) && sink.unsubscribe(channel).await.is_err() {
                        return Some(());
                    }
                }
            },
        }
    }
}
