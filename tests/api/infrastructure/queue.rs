//! Both queues behave alike. RabbitMQ is tried where `MILLRACE_TEST_AMQP_URL` names one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use millrace::common::{ExecutionId, Secret, TenantId};
use millrace::infrastructure::config::Config;
use millrace::infrastructure::queue::{Consumer, Dispatch, EmbeddedQueue, Queue, RabbitQueue};

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
        queue.publish(sent).await.unwrap();
        let mut consumer = queue.consume().await.unwrap();
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
        let (first, second) = (dispatch(), dispatch());
        queue.publish(first).await.unwrap();
        queue.publish(second).await.unwrap();
        let mut consumer = queue.consume().await.unwrap();
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
        let mut one = queue.consume().await.unwrap();
        let mut two = queue.consume().await.unwrap();
        let mut sent = [dispatch(), dispatch()];
        for dispatch in sent {
            queue.publish(dispatch).await.unwrap();
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
