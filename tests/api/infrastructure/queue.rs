//! Every queue behaves alike: within the process, in PostgreSQL, and in PostgreSQL with RabbitMQ as its bell. The latter two are
//! tried where `MILLRACE_TEST_POSTGRES_URL` and `MILLRACE_TEST_AMQP_URL` name servers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lapin::options::{BasicGetOptions, BasicPublishOptions};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use millrace::common::{DEFAULT_POOL, ExecutionId, Secret, TenantId};
use millrace::infrastructure::config::{Config, Queue as Settings, QueueBackend};
use millrace::infrastructure::queue::{Consumer, Dispatch, Queue, open};
use uuid::Uuid;

use crate::support::{TestServer, Way};

/// Long enough for a broker to deliver, short enough to wait for nothing.
const MOMENT: Duration = Duration::from_millis(400);
/// For what comes without fail, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(30);

/// What can be tried here.
pub(crate) fn backends() -> Vec<QueueBackend> {
    let has = |server: &str| std::env::var_os(format!("MILLRACE_TEST_{server}_URL")).is_some();
    let mut backends = vec![QueueBackend::Embedded];
    if has("POSTGRES") {
        backends.push(QueueBackend::Postgres);
        backends.extend(has("AMQP").then_some(QueueBackend::RabbitMq));
    }
    backends
}

fn settings(backend: QueueBackend, prefetch: u16) -> Settings {
    let url = std::env::var("MILLRACE_TEST_AMQP_URL").unwrap_or_default();
    let name = format!("test-{}", TenantId::new());
    Settings { backend, url: Secret::new(url), name, prefetch, ..Config::defaults().unwrap().queue }
}

/// Every queue that can be had here, each empty and with this prefetch.
fn queues(server: &TestServer, prefetch: u16) -> Vec<Arc<dyn Queue>> {
    let opened = |backend| open(&settings(backend, prefetch), &server.app.database);
    backends().into_iter().map(opened).collect()
}

fn dispatch() -> Dispatch {
    Dispatch { tenant: TenantId::new(), execution: ExecutionId::new(), rank: 0 }
}

async fn is_silent(consumer: &mut Box<dyn Consumer>) -> bool {
    tokio::time::timeout(MOMENT, consumer.next()).await.is_err()
}

#[actix_web::test]
async fn what_is_dropped_or_given_back_comes_again_and_what_is_acknowledged_does_not() {
    let server = TestServer::start().await;
    for queue in queues(&server, 1) {
        queue.ping().await.unwrap();
        let sent = dispatch();
        queue.publish(DEFAULT_POOL, sent).await.unwrap();
        let mut consumer = queue.consume(DEFAULT_POOL).await.unwrap();
        drop(consumer.next().await.unwrap().unwrap());
        let again = consumer.next().await.unwrap().unwrap();
        assert_eq!(again.dispatch(), sent);
        again.give_back().await.unwrap();
        let third = consumer.next().await.unwrap().unwrap();
        assert_eq!(third.dispatch(), sent);
        third.acknowledge().await.unwrap();
        assert!(is_silent(&mut consumer).await);
    }
}

#[actix_web::test]
async fn a_consumer_holds_no_more_than_its_prefetch() {
    let server = TestServer::start().await;
    for queue in queues(&server, 1) {
        let first = dispatch();
        let second = Dispatch { execution: ExecutionId::new(), ..first };
        queue.publish(DEFAULT_POOL, first).await.unwrap();
        queue.publish(DEFAULT_POOL, second).await.unwrap();
        let mut consumer = queue.consume(DEFAULT_POOL).await.unwrap();
        let held = consumer.next().await.unwrap().unwrap();
        assert_eq!(held.dispatch(), first);
        assert!(is_silent(&mut consumer).await);
        held.acknowledge().await.unwrap();
        let next = consumer.next().await.unwrap().unwrap();
        assert_eq!(next.dispatch(), second);
        next.acknowledge().await.unwrap();
    }
}

#[actix_web::test]
async fn several_consumers_share_the_work() {
    let server = TestServer::start().await;
    for queue in queues(&server, 1) {
        let mut one = queue.consume(DEFAULT_POOL).await.unwrap();
        let mut two = queue.consume(DEFAULT_POOL).await.unwrap();
        let mut sent = [dispatch(), dispatch()];
        for dispatch in sent {
            queue.publish(DEFAULT_POOL, dispatch).await.unwrap();
        }
        let (first, second) = tokio::join!(one.next(), two.next());
        let (first, second) = (first.unwrap().unwrap(), second.unwrap().unwrap());
        let mut received = [first.dispatch(), second.dispatch()];
        sent.sort_by_key(|dispatch| dispatch.execution);
        received.sort_by_key(|dispatch| dispatch.execution);
        assert_eq!(received, sent);
        first.acknowledge().await.unwrap();
        second.acknowledge().await.unwrap();
    }
}

#[actix_web::test]
async fn a_consumer_that_rests_leaves_to_others_what_it_fetched_ahead() {
    let server = TestServer::start().await;
    for queue in queues(&server, 64) {
        let mut sent: Vec<Dispatch> = std::iter::repeat_with(dispatch).take(10).collect();
        for dispatch in &sent {
            queue.publish(DEFAULT_POOL, *dispatch).await.unwrap();
        }
        let mut one = queue.consume(DEFAULT_POOL).await.unwrap();
        let held = one.next().await.unwrap().unwrap();
        one.rest().await;
        let (mut two, mut received) = (queue.consume(DEFAULT_POOL).await.unwrap(), vec![held.dispatch()]);
        while received.len() < sent.len() {
            let delivery = two.next().await.unwrap().unwrap();
            received.push(delivery.dispatch());
            delivery.acknowledge().await.unwrap();
        }
        sent.sort_by_key(|dispatch| dispatch.execution);
        received.sort_by_key(|dispatch| dispatch.execution);
        assert_eq!(received, sent);
        held.acknowledge().await.unwrap();
        let later = dispatch();
        queue.publish(DEFAULT_POOL, later).await.unwrap();
        drop(two);
        let again = one.next().await.unwrap().unwrap();
        assert_eq!(again.dispatch(), later, "it fetches again");
        again.acknowledge().await.unwrap();
    }
}

/// Straight to the broker, past the queue.
async fn broker(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

/// Settings of the queue that RabbitMQ rings for, and the name of its queue there; none where it cannot be tried.
fn rung() -> Option<(Settings, String)> {
    backends().contains(&QueueBackend::RabbitMq).then(|| {
        let settings = settings(QueueBackend::RabbitMq, 1);
        let name = format!("{}.pool.default", settings.name);
        (settings, name)
    })
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, work).await.unwrap()
}

#[actix_web::test]
async fn what_is_no_message_goes_to_the_dead_letters_of_rabbitmq() {
    let Some((settings, name)) = rung() else { return };
    let server = TestServer::start().await;
    let queue = open(&settings, &server.app.database);
    queue.ping().await.unwrap();
    let (_connection, channel) = broker(settings.url.expose()).await;
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish("".into(), name.as_str().into(), options, b"{\"tenant\":", properties).await.unwrap();
    let mut consumer = queue.consume(DEFAULT_POOL).await.unwrap();
    let sent = dispatch();
    let published = async {
        let dead = format!("{}.dead", settings.name);
        let found = loop {
            match channel.basic_get(dead.as_str().into(), BasicGetOptions { no_ack: true }).await.unwrap() {
                Some(message) => break message.delivery.data,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        assert_eq!(found, b"{\"tenant\":");
        queue.publish(DEFAULT_POOL, sent).await.unwrap();
    };
    let ((), delivery) = in_time(async { tokio::join!(published, consumer.next()) }).await;
    let delivery = delivery.unwrap().unwrap();
    assert_eq!(delivery.dispatch(), sent, "what is behind it is not held up");
    delivery.acknowledge().await.unwrap();
}

#[actix_web::test]
async fn a_message_that_nothing_is_behind_is_forgotten() {
    let Some((settings, name)) = rung() else { return };
    let server = TestServer::start().await;
    let queue = open(&settings, &server.app.database);
    queue.ping().await.unwrap();
    let (_connection, channel) = broker(settings.url.expose()).await;
    let payload = serde_json::to_vec(&dispatch()).unwrap();
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    for _ in 0..3 {
        let publish = channel.basic_publish("".into(), name.as_str().into(), options, &payload, properties.clone());
        publish.await.unwrap();
    }
    let mut consumer = queue.consume(DEFAULT_POOL).await.unwrap();
    let sent = dispatch();
    let published = async {
        assert!(is_silent(&mut consumer).await);
        queue.publish(DEFAULT_POOL, sent).await.unwrap();
        consumer.next().await.unwrap().unwrap()
    };
    let delivery = in_time(published).await;
    assert_eq!(delivery.dispatch(), sent);
    delivery.acknowledge().await.unwrap();
    assert!(is_silent(&mut consumer).await);
    drop(consumer);
    // What was not acknowledged comes back when the consumer is gone, and would be found again.
    let mut consumer = queue.consume(DEFAULT_POOL).await.unwrap();
    assert!(is_silent(&mut consumer).await);
    drop(consumer);
    assert!(channel.basic_get(name.as_str().into(), BasicGetOptions { no_ack: true }).await.unwrap().is_none());
}

#[actix_web::test]
async fn while_rabbitmq_is_away_work_is_published_and_found_all_the_same() {
    let Some((mut settings, _)) = rung() else { return };
    let server = TestServer::start().await;
    let way = Way::to(settings.url.expose(), 5672).await;
    settings.url = Secret::new(way.by(settings.url.expose()));
    way.set_open(false);
    let queue = open(&settings, &server.app.database);
    let mut consumer = in_time(queue.consume(DEFAULT_POOL)).await.unwrap();
    for is_open in [false, true, false, true] {
        way.set_open(is_open);
        let seen = async {
            while queue.ping().await.is_ok() != is_open {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        in_time(seen).await;
        for _ in 0..3 {
            let (sent, began) = (dispatch(), Instant::now());
            queue.publish(DEFAULT_POOL, sent).await.unwrap();
            let delivery = in_time(consumer.next()).await.unwrap().unwrap();
            assert_eq!(delivery.dispatch(), sent);
            assert!(began.elapsed() < Duration::from_secs(8), "nobody waits for RabbitMQ: {:?}", began.elapsed());
            delivery.acknowledge().await.unwrap();
        }
    }
}

#[actix_web::test]
async fn a_worker_is_told_at_once() {
    let server = TestServer::start().await;
    for queue in queues(&server, 8) {
        let mut consumer = queue.consume(DEFAULT_POOL).await.unwrap();
        assert!(is_silent(&mut consumer).await);
        let began = Instant::now();
        for _ in 0..20 {
            let (next, sent) = (consumer.next(), dispatch());
            let (delivery, published) = tokio::join!(next, queue.publish(DEFAULT_POOL, sent));
            published.unwrap();
            delivery.unwrap().unwrap().acknowledge().await.unwrap();
        }
        // Who only looks now and then needs a second for each.
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
}

/// A tenant whose id ends alike: what spreads tenants by their ids keeps the two together.
fn neighbour_of(tenant: TenantId) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(tenant.as_uuid().as_u128() ^ (1 << 100)))
}

#[actix_web::test]
async fn tenants_are_served_in_turn_by_every_queue() {
    let server = TestServer::start().await;
    for queue in queues(&server, 1) {
        let noisy = TenantId::new();
        let quiet = neighbour_of(noisy);
        let of = |tenant, rank| Dispatch { tenant, execution: ExecutionId::new(), rank };
        for rank in 0..200 {
            queue.publish(DEFAULT_POOL, of(noisy, rank)).await.unwrap();
        }
        for rank in 0..3 {
            queue.publish(DEFAULT_POOL, of(quiet, 1000 + rank)).await.unwrap();
        }
        let (mut consumer, mut places) = (queue.consume(DEFAULT_POOL).await.unwrap(), Vec::new());
        for place in 0..203 {
            let delivery = consumer.next().await.unwrap().unwrap();
            if delivery.dispatch().tenant == quiet {
                places.push(place);
            }
            delivery.acknowledge().await.unwrap();
        }
        assert_eq!(places.len(), 3);
        assert!(places[2] < 20, "the quiet tenant waited for the noisy one: {places:?}");
        assert!(is_silent(&mut consumer).await);
    }
}

#[actix_web::test]
async fn each_pool_is_served_by_itself_and_its_tenants_in_turn() {
    let server = TestServer::start().await;
    for queue in queues(&server, 1) {
        let noisy = TenantId::new();
        let quiet = neighbour_of(noisy);
        let of = |tenant, rank| Dispatch { tenant, execution: ExecutionId::new(), rank };
        let unpinned = of(quiet, 0);
        queue.publish(DEFAULT_POOL, unpinned).await.unwrap();
        for rank in 0..60 {
            queue.publish("gpu", of(noisy, rank)).await.unwrap();
        }
        queue.publish("gpu", of(quiet, 1000)).await.unwrap();
        let (mut consumer, mut place) = (queue.consume("gpu").await.unwrap(), None);
        for at in 0..61 {
            let delivery = consumer.next().await.unwrap().unwrap();
            assert_ne!(delivery.dispatch(), unpinned);
            if delivery.dispatch().tenant == quiet {
                place = Some(at);
            }
            delivery.acknowledge().await.unwrap();
        }
        assert!(place.unwrap() < 20, "the quiet tenant waited for the noisy one: {place:?}");
        assert!(is_silent(&mut consumer).await, "what is of another pool is not handed out");
        let mut consumer = queue.consume(DEFAULT_POOL).await.unwrap();
        let delivery = consumer.next().await.unwrap().unwrap();
        assert_eq!(delivery.dispatch(), unpinned);
        delivery.acknowledge().await.unwrap();
    }
}

#[actix_web::test]
async fn weights_are_shares_of_every_queue() {
    let server = TestServer::start().await;
    for (backend, prefetch) in backends().into_iter().flat_map(|backend| [(backend, 1), (backend, 8)]) {
        let paying = TenantId::new();
        let free = neighbour_of(paying);
        let mut settings = settings(backend, prefetch);
        settings.weights.insert(paying.to_string(), 3);
        let queue = open(&settings, &server.app.database);
        for rank in 0..12 {
            for tenant in [free, paying] {
                queue.publish(DEFAULT_POOL, Dispatch { tenant, execution: ExecutionId::new(), rank }).await.unwrap();
            }
        }
        let (mut consumer, mut served) = (queue.consume(DEFAULT_POOL).await.unwrap(), 0);
        for place in 0..24 {
            let delivery = consumer.next().await.unwrap().unwrap();
            served += usize::from(place < 8 && delivery.dispatch().tenant == paying);
            delivery.acknowledge().await.unwrap();
        }
        assert_eq!(served, 6, "three of four, {backend:?}, prefetch {prefetch}");
    }
}

#[actix_web::test]
async fn within_a_tenant_the_rank_decides() {
    let server = TestServer::start().await;
    for (backend, prefetch) in backends().into_iter().flat_map(|backend| [(backend, 1), (backend, 8)]) {
        let queue = open(&settings(backend, prefetch), &server.app.database);
        let tenant = TenantId::new();
        for rank in [5, 3, 9, -60_000, 4, 8, 7] {
            queue.publish(DEFAULT_POOL, Dispatch { tenant, execution: ExecutionId::new(), rank }).await.unwrap();
        }
        let (mut consumer, mut ranks) = (queue.consume(DEFAULT_POOL).await.unwrap(), Vec::new());
        for _ in 0..7 {
            let delivery = consumer.next().await.unwrap().unwrap();
            ranks.push(delivery.dispatch().rank);
            delivery.acknowledge().await.unwrap();
        }
        assert_eq!(ranks, [-60_000, 3, 4, 5, 7, 8, 9], "{backend:?}, prefetch {prefetch}");
    }
}
