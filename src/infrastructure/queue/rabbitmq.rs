//! The queue shared by all replicas: a RabbitMQ quorum queue with publisher confirms and manual acknowledgement.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use lapin::message::Delivery as Message;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use tokio::sync::Mutex;

use super::{Consumer, Delivery, Dispatch, Error, Queue};
use crate::common::Secret;
use crate::infrastructure::config;

/// A broker that takes longer than this counts as away.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A consumer waits this long before it connects again.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
/// `delivery_mode` of a message that survives the broker's restart (AMQP 0-9-1).
const PERSISTENT: u8 = 2;

/// Connects with the first use and again whenever the connection broke.
pub struct RabbitQueue {
    settings: Arc<Settings>,
    publisher: Mutex<Option<Link>>,
}

struct Settings {
    url: Secret<String>,
    name: String,
    prefetch: u16,
}

/// A channel and the connection that it needs alive.
struct Link {
    connection: Connection,
    channel: Channel,
}

impl RabbitQueue {
    pub fn new(config: &config::Queue) -> RabbitQueue {
        let settings = Settings { url: config.url.clone(), name: config.name.clone(), prefetch: config.prefetch };
        RabbitQueue { settings: Arc::new(settings), publisher: Mutex::new(None) }
    }

    /// A channel that is alive now, shared by all publishers.
    async fn channel(&self) -> Result<Channel, Error> {
        let mut publisher = self.publisher.lock().await;
        if let Some(link) = publisher.as_ref().filter(|link| link.is_alive()) {
            return Ok(link.channel.clone());
        }
        let link = self.settings.connect().await?;
        within(link.channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let channel = link.channel.clone();
        *publisher = Some(link);
        Ok(channel)
    }
}

impl Settings {
    /// Connects and makes the queue where it is missing.
    async fn connect(&self) -> Result<Link, Error> {
        let properties = ConnectionProperties::default().with_connection_name("millrace".into());
        let connection = within(Connection::connect(self.url.expose(), properties)).await?;
        let channel = within(connection.create_channel()).await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString(LongString::from("quorum")));
        within(channel.queue_declare(self.name.as_str().into(), QueueDeclareOptions::durable(), arguments)).await?;
        Ok(Link { connection, channel })
    }

    async fn consume(&self) -> Result<(Link, lapin::Consumer), Error> {
        let link = self.connect().await?;
        within(link.channel.basic_qos(self.prefetch, BasicQosOptions::default())).await?;
        let consumer = within(link.channel.basic_consume(
            self.name.as_str().into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        ))
        .await?;
        Ok((link, consumer))
    }
}

impl Link {
    fn is_alive(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }
}

#[async_trait]
impl Queue for RabbitQueue {
    async fn publish(&self, dispatch: Dispatch) -> Result<(), Error> {
        let payload = serde_json::to_vec(&dispatch).map_err(|error| Error(error.to_string()))?;
        let properties =
            BasicProperties::default().with_delivery_mode(PERSISTENT).with_content_type("application/json".into());
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let channel = self.channel().await?;
        let name = self.settings.name.as_str().into();
        let sent = within(channel.basic_publish("".into(), name, options, &payload, properties)).await?;
        match within(sent).await? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => Err(Error("the queue is gone".to_owned())),
            Confirmation::Nack(_) | Confirmation::NotRequested => Err(Error("the message was not taken".to_owned())),
        }
    }

    async fn consume(&self) -> Result<Box<dyn Consumer>, Error> {
        let active = self.settings.consume().await?;
        Ok(Box::new(RabbitConsumer { settings: Arc::clone(&self.settings), active: Some(active) }))
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn ping(&self) -> Result<(), Error> {
        self.channel().await.map(drop)
    }
}

struct RabbitConsumer {
    settings: Arc<Settings>,
    active: Option<(Link, lapin::Consumer)>,
}

#[async_trait]
impl Consumer for RabbitConsumer {
    /// Connects again for as long as it takes; what was not acknowledged comes again.
    async fn next(&mut self) -> Result<Option<Box<dyn Delivery>>, Error> {
        loop {
            let Some((_, consumer)) = self.active.as_mut() else {
                match self.settings.consume().await {
                    Ok(active) => self.active = Some(active),
                    Err(error) => {
                        tracing::warn!(%error, "the consumer cannot reach RabbitMQ");
                        tokio::time::sleep(RECONNECT_AFTER).await;
                    }
                }
                continue;
            };
            match consumer.next().await {
                Some(Ok(message)) => {
                    if let Some(delivery) = accept(message).await {
                        return Ok(Some(Box::new(delivery)));
                    }
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "the consumer's connection broke; connecting again");
                    self.active = None;
                }
                None => self.active = None,
            }
        }
    }
}

/// A message that is not ours would come again for ever: it is dropped, with a word in the log.
async fn accept(message: Message) -> Option<RabbitDelivery> {
    match serde_json::from_slice(&message.data) {
        Ok(dispatch) => Some(RabbitDelivery { dispatch, message: Some(message) }),
        Err(error) => {
            tracing::error!(%error, "dropped a message that is no dispatch");
            if let Err(error) = message.acker.ack(BasicAckOptions::default()).await {
                tracing::warn!(%error, "it could not be dropped and will come again");
            }
            None
        }
    }
}

struct RabbitDelivery {
    dispatch: Dispatch,
    /// None once settled.
    message: Option<Message>,
}

#[async_trait]
impl Delivery for RabbitDelivery {
    fn dispatch(&self) -> Dispatch {
        self.dispatch
    }

    async fn acknowledge(mut self: Box<Self>) -> Result<(), Error> {
        match self.message.take() {
            Some(message) => within(message.acker.ack(BasicAckOptions::default())).await.map(drop),
            None => Ok(()),
        }
    }

    async fn give_back(mut self: Box<Self>) -> Result<(), Error> {
        match self.message.take() {
            Some(message) => within(message.acker.nack(requeue())).await.map(drop),
            None => Ok(()),
        }
    }
}

impl Drop for RabbitDelivery {
    fn drop(&mut self) {
        let Some(message) = self.message.take() else { return };
        // Without a runtime the process is ending, and the broken connection gives the message back.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = message.acker.nack(requeue()).await {
                    tracing::debug!(%error, "a message comes back only when the connection ends");
                }
            });
        }
    }
}

fn requeue() -> BasicNackOptions {
    BasicNackOptions { requeue: true, ..BasicNackOptions::default() }
}

async fn within<T>(work: impl Future<Output = lapin::Result<T>>) -> Result<T, Error> {
    match tokio::time::timeout(TIMEOUT, work).await {
        Ok(result) => result.map_err(|error| Error(error.to_string())),
        Err(_) => Err(Error("no answer in time".to_owned())),
    }
}
