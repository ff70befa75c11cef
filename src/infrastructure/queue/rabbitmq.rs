//! The bell by way of RabbitMQ: for each dispatch a message in the quorum queue of its pool, so that of all workers one wakes.
//! The order is the table's: who gets a message takes whatever comes first there. What is no message of ours, or was given
//! back too often, goes to a queue of dead letters.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery as Message;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{Acker, BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use tokio::sync::{Mutex, mpsc};
use tokio_util::task::AbortOnDropHandle;

use super::bell::{Bell, Ear};
use super::{Dispatch, Error};
use crate::common::{DEFAULT_POOL, Secret};
use crate::infrastructure::config;

/// A broker that takes longer than this counts as away.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Pause before the next connection.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
/// `delivery_mode` of a message that survives the broker's restart (AMQP 0-9-1).
const PERSISTENT: u8 = 2;
/// A message that was given back so often is a dead letter.
const DELIVERY_LIMIT: i64 = 1000;
/// Messages that wait to be sent at most; those beyond are not sent.
const WAITING: usize = 4096;
/// Messages sent before the broker has confirmed them.
const BATCH: usize = 256;

/// Connects with the first use and again whenever the connection broke.
pub(super) struct RabbitBell {
    broker: Arc<Broker>,
    rings: mpsc::Sender<Ring>,
}

type Ring = (Arc<str>, Dispatch);

struct Broker {
    url: Secret<String>,
    name: String,
    prefetch: u16,
    /// For what is published.
    link: Mutex<Option<Link>>,
}

/// A channel and the connection that it needs alive.
struct Link {
    connection: Connection,
    channel: Channel,
    /// Pools whose queues are there.
    made: HashSet<Arc<str>>,
}

impl RabbitBell {
    pub(super) fn new(config: &config::Queue) -> RabbitBell {
        let broker = Arc::new(Broker {
            url: config.url.clone(),
            name: config.name.clone(),
            prefetch: config.prefetch,
            link: Mutex::default(),
        });
        let (rings, waiting) = mpsc::channel(WAITING);
        tokio::spawn(send_all(Arc::clone(&broker), waiting));
        RabbitBell { broker, rings }
    }
}

#[async_trait]
impl Bell for RabbitBell {
    fn ring(&self, pool: &Arc<str>, dispatch: Dispatch) {
        if self.rings.try_send((Arc::clone(pool), dispatch)).is_err() {
            tracing::debug!(execution = %dispatch.execution, "RabbitMQ takes no message; workers find it a little later");
        }
    }

    fn ear(&self, pool: Arc<str>) -> Box<dyn Ear> {
        Box::new(RabbitEar {
            broker: Arc::clone(&self.broker),
            pool,
            link: None,
            messages: None,
            opening: None,
            heard: VecDeque::new(),
        })
    }

    async fn ping(&self) -> Result<(), Error> {
        self.broker.channel(&DEFAULT_POOL.into()).await.map(drop)
    }
}

/// Sends what is rung, until the bell is gone. What the broker does not take is not sent again: by the time it is back the
/// workers have looked.
async fn send_all(broker: Arc<Broker>, mut waiting: mpsc::Receiver<Ring>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        if let Err(error) = broker.send(&batch).await {
            tracing::warn!(%error, messages = batch.len(), "RabbitMQ took no message; workers look by themselves");
            *broker.link.lock().await = None;
            tokio::time::sleep(RECONNECT_AFTER).await;
        }
        batch.clear();
    }
}

impl Broker {
    fn queue_of(&self, pool: &str) -> String {
        format!("{}.pool.{pool}", self.name)
    }

    async fn connect(&self) -> Result<Link, Error> {
        let properties = ConnectionProperties::default().with_connection_name("millrace".into());
        let connection = within(Connection::connect(self.url.expose(), properties)).await?;
        let channel = within(connection.create_channel()).await?;
        Ok(Link { connection, channel, made: HashSet::new() })
    }

    /// Makes the queue of a pool, and that of dead letters, where they are missing.
    async fn make_queues(&self, link: &mut Link, pool: &Arc<str>) -> Result<(), Error> {
        if link.made.contains(pool) {
            return Ok(());
        }
        let (name, dead) = (self.queue_of(pool), format!("{}.dead", self.name));
        let text = |text: &str| AMQPValue::LongString(LongString::from(text));
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), text("quorum"));
        let channel = &link.channel;
        within(channel.queue_declare(dead.as_str().into(), QueueDeclareOptions::durable(), arguments.clone())).await?;
        // By way of the default exchange, which every queue is bound to by its name.
        arguments.insert("x-dead-letter-exchange".into(), text(""));
        arguments.insert("x-dead-letter-routing-key".into(), text(&dead));
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
        within(channel.queue_declare(name.as_str().into(), QueueDeclareOptions::durable(), arguments)).await?;
        link.made.insert(Arc::clone(pool));
        Ok(())
    }

    /// A channel that is alive now, for what is published, to the queue of a pool.
    async fn channel(&self, pool: &Arc<str>) -> Result<Channel, Error> {
        let mut kept = self.link.lock().await;
        let mut link = match kept.take().filter(Link::is_alive) {
            Some(link) => link,
            None => {
                let link = self.connect().await?;
                within(link.channel.confirm_select(ConfirmSelectOptions::default())).await?;
                link
            }
        };
        self.make_queues(&mut link, pool).await?;
        Ok(kept.insert(link).channel.clone())
    }

    /// Returns when the broker has confirmed them all.
    async fn send(&self, rings: &[Ring]) -> Result<(), Error> {
        let properties =
            BasicProperties::default().with_delivery_mode(PERSISTENT).with_content_type("application/json".into());
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let mut sent = Vec::with_capacity(rings.len());
        for (pool, dispatch) in rings {
            let payload = serde_json::to_vec(dispatch).map_err(|error| Error(error.to_string()))?;
            let (channel, name) = (self.channel(pool).await?, self.queue_of(pool));
            let publish = channel.basic_publish("".into(), name.as_str().into(), options, &payload, properties.clone());
            sent.push(within(publish).await?);
        }
        for confirmation in try_join_all(sent.into_iter().map(within)).await? {
            match confirmation {
                Confirmation::Ack(None) => {}
                Confirmation::Ack(Some(_)) => return Err(Error("the queue is gone".to_owned())),
                Confirmation::Nack(_) | Confirmation::NotRequested => {
                    return Err(Error("a message was not taken".to_owned()));
                }
            }
        }
        Ok(())
    }

    /// Begins to read the queue of a pool.
    async fn open(&self, link: Option<Link>, pool: &Arc<str>) -> Result<(Link, lapin::Consumer), Error> {
        let mut link = match link.filter(Link::is_alive) {
            Some(link) => link,
            None => self.connect().await?,
        };
        self.make_queues(&mut link, pool).await?;
        within(link.channel.basic_qos(self.prefetch, BasicQosOptions::default())).await?;
        let (name, options) = (self.queue_of(pool), BasicConsumeOptions::default());
        let consume = link.channel.basic_consume(name.as_str().into(), "".into(), options, FieldTable::default());
        let messages = within(consume).await?;
        Ok((link, messages))
    }
}

impl Link {
    fn is_alive(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }
}

struct RabbitEar {
    broker: Arc<Broker>,
    pool: Arc<str>,
    link: Option<Link>,
    /// None while it rests, or the broker is away.
    messages: Option<lapin::Consumer>,
    opening: Option<AbortOnDropHandle<Result<(Link, lapin::Consumer), Error>>>,
    /// Messages that nothing was taken for yet, in the order in which they came.
    heard: VecDeque<Acker>,
}

#[async_trait]
impl Ear for RabbitEar {
    async fn listen(&mut self) {
        if self.messages.is_none() {
            self.opened().now_or_never();
        }
        while let Some(message) = self.messages.as_mut().and_then(|messages| messages.next().now_or_never()) {
            self.take(message).await;
        }
    }

    async fn hear(&mut self) {
        while self.heard.is_empty() {
            match &mut self.messages {
                None => self.opened().await,
                Some(messages) => {
                    let message = messages.next().await;
                    self.take(message).await;
                }
            }
        }
    }

    /// A message each for what was taken; where that is all there was, the others have nothing to say either.
    async fn looked(&mut self, taken: Option<usize>) {
        let said = taken.unwrap_or(usize::MAX).min(self.heard.len());
        let Some(last) = self.heard.drain(..said).next_back() else { return };
        if let Err(error) = last.ack(BasicAckOptions { multiple: true }).await {
            tracing::debug!(%error, "messages come again that nothing is behind any more");
        }
    }

    async fn rest(&mut self) {
        self.opening = None;
        let (Some(link), Some(mut messages)) = (&self.link, self.messages.take()) else { return };
        let cancel = link.channel.basic_cancel(messages.tag(), BasicCancelOptions::default());
        if let Err(error) = within(cancel).await {
            tracing::debug!(%error, "messages go back with the connection");
            self.lose();
            return;
        }
        while let Some(Some(Ok(message))) = messages.next().now_or_never() {
            self.heard.push_back(message.acker);
        }
        if let Some(last) = self.heard.drain(..).next_back()
            && let Err(error) = last.nack(BasicNackOptions { multiple: true, requeue: true }).await
        {
            tracing::debug!(%error, "messages come back only when the connection ends");
        }
    }
}

impl RabbitEar {
    /// Returns when messages can be read, or cannot for now. Safe to cancel: it goes on with the next call.
    async fn opened(&mut self) {
        let opening = self.opening.get_or_insert_with(|| {
            let (broker, pool, link) = (Arc::clone(&self.broker), Arc::clone(&self.pool), self.link.take());
            AbortOnDropHandle::new(tokio::spawn(async move {
                let opened = broker.open(link, &pool).await;
                if let Err(error) = &opened {
                    tracing::warn!(%error, "RabbitMQ cannot be heard; connecting again");
                    tokio::time::sleep(RECONNECT_AFTER).await;
                }
                opened
            }))
        });
        let opened = opening.await;
        self.opening = None;
        if let Ok(Ok((link, messages))) = opened {
            (self.link, self.messages) = (Some(link), Some(messages));
        }
    }

    /// Keeps what came. What is no message of ours would come again for ever: it goes to the dead letters.
    async fn take(&mut self, message: Option<lapin::Result<Message>>) {
        let Some(Ok(message)) = message else { return self.lose() };
        match serde_json::from_slice::<Dispatch>(&message.data) {
            Ok(_) => self.heard.push_back(message.acker),
            Err(error) => {
                tracing::error!(%error, "a message that is no dispatch went to the dead letters");
                let options = BasicNackOptions { requeue: false, ..BasicNackOptions::default() };
                if let Err(error) = message.acker.nack(options).await {
                    tracing::warn!(%error, "it could not be put aside and will come again");
                }
            }
        }
    }

    /// The connection is gone, and everything that was not acknowledged with it.
    fn lose(&mut self) {
        (self.link, self.messages) = (None, None);
        self.heard.clear();
    }
}

async fn within<T>(work: impl Future<Output = lapin::Result<T>>) -> Result<T, Error> {
    match tokio::time::timeout(TIMEOUT, work).await {
        Ok(result) => result.map_err(|error| Error(error.to_string())),
        Err(_) => Err(Error("no answer in time".to_owned())),
    }
}
