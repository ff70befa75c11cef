//! Both queues behave alike. RabbitMQ is tried where `MILLRACE_TEST_AMQP_URL` names one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicGetOptions, BasicPublishOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use millrace::common::{DEFAULT_POOL, ExecutionId, Secret, TenantId};
use millrace::infrastructure::config::Config;
use millrace::infrastructure::queue::{Consumer, Dispatch, EmbeddedQueue, PostgresQueue, Queue, RabbitQueue, lane_of};

use crate::support::TestServer;

/// Long enough for a broker to deliver, short enough to wait for nothing.
const MOMENT: Duration = Duration::from_millis(400);

/// Every implementation that can be had here, each with an empty queue and this prefetch.
fn queues(prefetch: u16) -> Vec<Arc<dyn Queue>> {
    let mut queues: Vec<Arc<dyn Queue>> = vec![Arc::new(EmbeddedQueue::new(prefetch, HashMap::new()))];
    if let Ok(url) = std::env::var("MILLRACE_TEST_AMQP_URL") {
        let mut config = Config::defaults().unwrap().queue;
        config.url = Secret::new(url);
        config.name = format!("test-{}", TenantId::new());
        config.prefetch = prefetch;
        queues.push(Arc::new(RabbitQueue::new(&config)));
    }
    queues
}

/// The same, and the one in the database where that is PostgreSQL.
fn all_queues(server: &TestServer, prefetch: u16) -> Vec<Arc<dyn Queue>> {
    let mut queues = queues(prefetch);
    if std::env::var("MILLRACE_TEST_POSTGRES_URL").is_ok() {
        queues.push(Arc::new(PostgresQueue::new(server.app.database.clone(), prefetch, HashMap::new())));
    }
    queues
}

fn dispatch() -> Dispatch {
    Dispatch { tenant: TenantId::new(), execution: ExecutionId::new(), rank: 0 }
}

async fn is_silent(consumer: &mut Box<dyn Consumer>) -> bool {
    tokio::time::timeout(MOMENT, consumer.next()).await.is_err()
}

#[tokio::test]
async fn what_is_dropped_or_given_back_comes_again_and_what_is_acknowledged_does_not() {
    for queue in queues(1) {
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

#[tokio::test]
async fn a_consumer_holds_no_more_than_its_prefetch() {
    for queue in queues(1) {
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

#[tokio::test]
async fn several_consumers_share_the_work() {
    for queue in queues(1) {
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
    for queue in all_queues(&server, 64) {
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
        assert_eq!(one.next().await.unwrap().unwrap().dispatch(), later, "it fetches again");
    }
}

#[actix_web::test]
async fn what_is_no_message_goes_to_the_dead_letters_of_rabbitmq() {
    let Ok(url) = std::env::var("MILLRACE_TEST_AMQP_URL") else { return };
    let mut config = Config::defaults().unwrap().queue;
    config.url = Secret::new(url.clone());
    config.name = format!("test-{}", TenantId::new());
    let queue = RabbitQueue::new(&config);
    let mut consumer = queue.consume(DEFAULT_POOL).await.unwrap();
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let sent = dispatch();
    let lane = format!("{}.{}", config.name, lane_of(sent.tenant));
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish("".into(), lane.as_str().into(), options, b"{\"tenant\":", properties).await.unwrap();
    queue.publish(DEFAULT_POOL, sent).await.unwrap();
    let delivery = consumer.next().await.unwrap().unwrap();
    assert_eq!(delivery.dispatch(), sent, "what is behind it is not held up");
    delivery.acknowledge().await.unwrap();
    let dead = format!("{}.dead", config.name);
    let found = async {
        loop {
            let got = channel.basic_get(dead.as_str().into(), BasicGetOptions { no_ack: true }).await.unwrap();
            match got {
                Some(message) => return message.delivery.data,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(10), found).await.unwrap(), b"{\"tenant\":");
}

/// A tenant of another lane.
fn stranger_to(tenant: TenantId) -> TenantId {
    std::iter::repeat_with(TenantId::new).find(|other| lane_of(*other) != lane_of(tenant)).unwrap()
}

#[actix_web::test]
async fn tenants_are_served_in_turn_by_every_queue() {
    let server = TestServer::start().await;
    for queue in all_queues(&server, 1) {
        let noisy = TenantId::new();
        let quiet = stranger_to(noisy);
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
    for queue in all_queues(&server, 1) {
        let noisy = TenantId::new();
        let quiet = stranger_to(noisy);
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
async fn weights_are_shares_of_the_queue_in_postgresql() {
    if std::env::var("MILLRACE_TEST_POSTGRES_URL").is_err() {
        return;
    }
    let server = TestServer::start().await;
    let (paying, free) = (TenantId::new(), TenantId::new());
    for prefetch in [1, 8] {
        let queue = PostgresQueue::new(server.app.database.clone(), prefetch, HashMap::from([(paying, 3)]));
        for rank in 0..12 {
            for tenant in [paying, free] {
                queue.publish(DEFAULT_POOL, Dispatch { tenant, execution: ExecutionId::new(), rank }).await.unwrap();
            }
        }
        let (mut consumer, mut served) = (queue.consume(DEFAULT_POOL).await.unwrap(), 0);
        for place in 0..24 {
            let delivery = consumer.next().await.unwrap().unwrap();
            served += usize::from(place < 8 && delivery.dispatch().tenant == paying);
            delivery.acknowledge().await.unwrap();
        }
        assert_eq!(served, 6, "three of four, prefetch {prefetch}");
    }
}
