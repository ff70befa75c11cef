//! The queue shared by all replicas: RabbitMQ quorum queues with publisher confirms and manual acknowledgement. Tenants are
//! spread over several queues, the lanes, which consumers serve in turn: so whoever has many waiting delays those few
//! that share the lane. Each pool of workers has lanes of its own, made with their first use. What is no message of ours, or was given back too often, goes to a queue of dead letters.

use std::collections::{HashSet, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
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
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::{Consumer, Delivery, Dispatch, Error, Queue};
use crate::common::{DEFAULT_POOL, Secret, TenantId};
use crate::infrastructure::config;

/// A broker that takes longer than this counts as away.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A consumer waits this long before it connects again.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
/// `delivery_mode` of a message that survives the broker's restart (AMQP 0-9-1).
const PERSISTENT: u8 = 2;
const LANES: u8 = 16;
/// A message that was given back so often is a dead letter; its execution is found by its state all the same.
const DELIVERY_LIMIT: i64 = 1000;
/// A worker whose hands are full for so long gives back what it fetched ahead.
const HOARDED: Duration = Duration::from_millis(100);

/// The lane of a tenant.
pub fn lane_of(tenant: TenantId) -> u8 {
    // The last byte of an id is random.
    tenant.as_uuid().as_bytes().last().copied().unwrap_or_default() % LANES
}

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
    /// Pools whose lanes are there.
    made: HashSet<String>,
}

impl RabbitQueue {
    pub fn new(config: &config::Queue) -> RabbitQueue {
        let settings = Settings { url: config.url.clone(), name: config.name.clone(), prefetch: config.prefetch };
        RabbitQueue { settings: Arc::new(settings), publisher: Mutex::new(None) }
    }

    /// A channel that is alive now, shared by all publishers, to the lanes of a pool.
    async fn channel(&self, pool: &str) -> Result<Channel, Error> {
        let mut publisher = self.publisher.lock().await;
        let mut link = match publisher.take().filter(Link::is_alive) {
            Some(link) => link,
            None => {
                let link = self.settings.connect().await?;
                within(link.channel.confirm_select(ConfirmSelectOptions::default())).await?;
                link
            }
        };
        self.settings.make_lanes(&mut link, pool).await?;
        Ok(publisher.insert(link).channel.clone())
    }
}

impl Settings {
    fn lane(&self, pool: &str, lane: u8) -> String {
        match pool {
            DEFAULT_POOL => format!("{}.{lane}", self.name),
            pool => format!("{}.{pool}.{lane}", self.name),
        }
    }

    async fn connect(&self) -> Result<Link, Error> {
        let properties = ConnectionProperties::default().with_connection_name("millrace".into());
        let connection = within(Connection::connect(self.url.expose(), properties)).await?;
        let channel = within(connection.create_channel()).await?;
        Ok(Link { connection, channel, made: HashSet::new() })
    }

    /// Makes the queues of a pool where they are missing.
    async fn make_lanes(&self, link: &mut Link, pool: &str) -> Result<(), Error> {
        if link.made.contains(pool) {
            return Ok(());
        }
        let dead = format!("{}.dead", self.name);
        let text = |text: &str| AMQPValue::LongString(LongString::from(text));
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), text("quorum"));
        let channel = &link.channel;
        within(channel.queue_declare(dead.as_str().into(), QueueDeclareOptions::durable(), arguments.clone())).await?;
        // By way of the default exchange, which every queue is bound to by its name.
        arguments.insert("x-dead-letter-exchange".into(), text(""));
        arguments.insert("x-dead-letter-routing-key".into(), text(&dead));
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
        for lane in 0..LANES {
            let name = self.lane(pool, lane);
            within(channel.queue_declare(name.as_str().into(), QueueDeclareOptions::durable(), arguments.clone()))
                .await?;
        }
        link.made.insert(pool.to_owned());
        Ok(())
    }
}

/// The lanes of a consumer.
#[derive(Default)]
struct Lanes {
    pool: String,
    link: Option<Link>,
    /// Those that are read, in the order of their turns; none while the worker has no room.
    open: VecDeque<(u8, lapin::Consumer)>,
    /// Which one comes first when they are read again.
    first: u8,
}

impl Lanes {
    /// The next message; lanes that are not read yet are from now on.
    async fn next(&mut self, settings: &Settings) -> Result<Message, Error> {
        if self.open.is_empty() {
            self.open(settings).await?;
        }
        let served = poll_fn(|context| {
            // The first that has something goes to the end of the line.
            for _ in 0..self.open.len() {
                let Some((number, mut lane)) = self.open.pop_front() else { break };
                let next = lane.poll_next_unpin(context);
                self.open.push_back((number, lane));
                if let Poll::Ready(message) = next {
                    self.first = (number + 1) % LANES;
                    return Poll::Ready(message);
                }
            }
            Poll::Pending
        });
        match served.await {
            Some(message) => message.map_err(|error| Error(error.to_string())),
            None => Err(Error("the queue is gone".to_owned())),
        }
    }

    async fn open(&mut self, settings: &Settings) -> Result<(), Error> {
        let mut link = match self.link.take().filter(Link::is_alive) {
            Some(link) => link,
            None => settings.connect().await?,
        };
        settings.make_lanes(&mut link, &self.pool).await?;
        // Counts for each consumer of the channel by itself.
        let each = (settings.prefetch / u16::from(LANES)).max(1);
        within(link.channel.basic_qos(each, BasicQosOptions::default())).await?;
        let lanes = (0..LANES).map(|place| (self.first + place) % LANES).map(async |lane| {
            let (name, options) = (settings.lane(&self.pool, lane), BasicConsumeOptions::default());
            let opened = link.channel.basic_consume(name.as_str().into(), "".into(), options, FieldTable::default());
            Ok::<_, Error>((lane, within(opened).await?))
        });
        self.open = try_join_all(lanes).await?.into();
        self.link = Some(link);
        Ok(())
    }

    /// Reads no more, and gives back what came ahead of its time.
    async fn close(&mut self) {
        let Some(link) = &self.link else { return };
        let ends = self
            .open
            .iter()
            .map(|(_, lane)| within(link.channel.basic_cancel(lane.tag(), BasicCancelOptions::default())));
        if let Err(error) = try_join_all(ends).await {
            tracing::debug!(%error, "what was fetched ahead goes back with the connection");
            (self.link, self.open) = (None, VecDeque::new());
            return;
        }
        for (_, mut lane) in std::mem::take(&mut self.open) {
            while let Some(Some(Ok(message))) = lane.next().now_or_never() {
                if let Err(error) = message.acker.nack(requeue()).await {
                    tracing::debug!(%error, "a message comes back only when the connection ends");
                }
            }
        }
    }
}

impl Link {
    fn is_alive(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }
}

#[async_trait]
impl Queue for RabbitQueue {
    async fn publish(&self, pool: &str, dispatch: Dispatch) -> Result<(), Error> {
        let payload = serde_json::to_vec(&dispatch).map_err(|error| Error(error.to_string()))?;
        let properties =
            BasicProperties::default().with_delivery_mode(PERSISTENT).with_content_type("application/json".into());
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let channel = self.channel(pool).await?;
        let name = self.settings.lane(pool, lane_of(dispatch.tenant));
        let sent =
            within(channel.basic_publish("".into(), name.as_str().into(), options, &payload, properties)).await?;
        match within(sent).await? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => Err(Error("the queue is gone".to_owned())),
            Confirmation::Nack(_) | Confirmation::NotRequested => Err(Error("the message was not taken".to_owned())),
        }
    }

    async fn consume(&self, pool: &str) -> Result<Box<dyn Consumer>, Error> {
        let mut lanes = Lanes { pool: pool.to_owned(), ..Lanes::default() };
        lanes.open(&self.settings).await?;
        Ok(Box::new(RabbitConsumer {
            permits: Arc::new(Semaphore::new(self.settings.prefetch.into())),
            settings: Arc::clone(&self.settings),
            lanes: Arc::new(Mutex::new(lanes)),
        }))
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn ping(&self) -> Result<(), Error> {
        self.channel(DEFAULT_POOL).await.map(drop)
    }
}

struct RabbitConsumer {
    settings: Arc<Settings>,
    lanes: Arc<Mutex<Lanes>>,
    /// What may be in the worker's hands.
    permits: Arc<Semaphore>,
}

impl RabbitConsumer {
    /// Gives to others what was fetched ahead, should the worker's hands stay full.
    fn mind_full_hands(&self) {
        let (lanes, permits) = (Arc::clone(&self.lanes), Arc::clone(&self.permits));
        tokio::spawn(async move {
            tokio::time::sleep(HOARDED).await;
            // Whoever reads holds the lock, and a permit.
            if let Ok(mut lanes) = lanes.try_lock()
                && permits.available_permits() == 0
            {
                lanes.close().await;
            }
        });
    }
}

#[async_trait]
impl Consumer for RabbitConsumer {
    /// Connects again for as long as it takes; what was not acknowledged comes again.
    async fn next(&mut self) -> Result<Option<Box<dyn Delivery>>, Error> {
        // The semaphore is never closed, so an error cannot happen; were it to, the consumer would end.
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return Ok(None) };
        let mut lanes = self.lanes.lock().await;
        loop {
            match lanes.next(&self.settings).await {
                Ok(message) => {
                    if let Some((dispatch, message)) = accept(message).await {
                        if self.permits.available_permits() == 0 {
                            self.mind_full_hands();
                        }
                        let delivery = RabbitDelivery { dispatch, message: Some(message), _permit: permit };
                        return Ok(Some(Box::new(delivery)));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the consumer cannot reach RabbitMQ; connecting again");
                    *lanes = Lanes { first: lanes.first, pool: std::mem::take(&mut lanes.pool), ..Lanes::default() };
                    tokio::time::sleep(RECONNECT_AFTER).await;
                }
            }
        }
    }

    async fn rest(&mut self) {
        self.lanes.lock().await.close().await;
    }
}

/// A message that is not ours would come again for ever: it goes to the dead letters, with a word in the log.
async fn accept(message: Message) -> Option<(Dispatch, Message)> {
    match serde_json::from_slice(&message.data) {
        Ok(dispatch) => Some((dispatch, message)),
        Err(error) => {
            tracing::error!(%error, "a message that is no dispatch went to the dead letters");
            let options = BasicNackOptions { requeue: false, ..BasicNackOptions::default() };
            if let Err(error) = message.acker.nack(options).await {
                tracing::warn!(%error, "it could not be put aside and will come again");
            }
            None
        }
    }
}

struct RabbitDelivery {
    dispatch: Dispatch,
    /// None once settled.
    message: Option<Message>,
    _permit: OwnedSemaphorePermit,
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
