//! When the next waiting execution of this process is due: one number, not a timer for each. Executions that others put
//! aside are found by the regular sweep.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::common::Timestamp;

pub(super) struct Timers {
    earliest: AtomicI64,
    changed: Notify,
}

impl Default for Timers {
    fn default() -> Timers {
        Timers { earliest: AtomicI64::new(i64::MAX), changed: Notify::new() }
    }
}

impl Timers {
    /// Something is due at this time.
    pub(super) fn set(&self, at: Timestamp) {
        if self.earliest.fetch_min(at.as_millis(), Ordering::SeqCst) > at.as_millis() {
            self.changed.notify_one();
        }
    }

    /// A sweep begins: what it does not find is set anew.
    pub(super) fn reset(&self) {
        self.earliest.store(i64::MAX, Ordering::SeqCst);
    }

    /// Waits until something is due, `longest` at most.
    pub(super) async fn wait(&self, now: impl Fn() -> Timestamp, longest: Duration) {
        let deadline = tokio::time::Instant::now() + longest;
        loop {
            let changed = self.changed.notified();
            let due = Timestamp::from_millis(self.earliest.load(Ordering::SeqCst)).since(now());
            let until = (tokio::time::Instant::now() + due.min(longest)).min(deadline);
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                () = changed => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_earliest_wakes() {
        let timers = Timers::default();
        let begin = tokio::time::Instant::now();
        let now = || Timestamp::from_millis(i64::try_from(begin.elapsed().as_millis()).unwrap());
        timers.set(Timestamp::from_millis(90_000));
        let earlier = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            timers.set(Timestamp::from_millis(20));
            timers.set(Timestamp::from_millis(50_000));
        };
        let longest = Duration::from_secs(60);
        let woken = async { tokio::join!(timers.wait(now, longest), earlier) };
        tokio::time::timeout(Duration::from_secs(30), woken).await.unwrap();
        assert!(now().as_millis() >= 20);
        timers.reset();
        timers.wait(now, Duration::from_millis(1)).await;
    }
}
