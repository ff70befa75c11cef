//! How late the process comes to what is ready to be worked on, and which share of new work it refuses therefore: so that what
//! it takes is answered in time although more comes than it can do. The share follows the delay, as in PIE (RFC 8033).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a thread looks how late it is; where nothing comes, ten times less often.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const IDLE: u32 = 10;
/// How often the share is adapted.
const ADAPT_EVERY: Duration = Duration::from_millis(50);
/// Thousandths that are refused at most: what comes in shows whether it is over.
const MOST: f64 = 950.0;
/// Thousandths by which the share grows in each step, for each time that the delay is above the target, and for each that it has
/// grown.
const BY_HEIGHT: f64 = 20.0;
const BY_CHANGE: f64 = 60.0;
/// Delays count as this many targets at most: one standstill is no overload.
const HIGHEST: f64 = 4.0;

/// Shared by all that watch and all that ask. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pressure(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    /// The delay that is put up with. None: nothing is refused.
    target: Option<Duration>,
    /// Thousandths of new work that are refused.
    share: AtomicU64,
    asked: AtomicU64,
    seen: Mutex<Seen>,
}

/// What was seen since the share was adapted.
#[derive(Debug)]
struct Seen {
    since: Instant,
    sum: Duration,
    count: u32,
    /// Of the time before, in targets.
    before: f64,
    /// Thousandths, with what is less.
    share: f64,
}

impl Pressure {
    /// `target`: the delay to be kept, on average; zero: nothing is ever refused.
    pub fn new(target: Duration) -> Pressure {
        let seen = Seen { since: Instant::now(), sum: Duration::ZERO, count: 0, before: 0.0, share: 0.0 };
        Pressure(Arc::new(Parts {
            target: (!target.is_zero()).then_some(target),
            share: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            seen: Mutex::new(seen),
        }))
    }

    /// Whether this piece of work is among those to be refused: evenly spread.
    pub fn refuses(&self) -> bool {
        let asked = self.0.asked.fetch_add(1, Ordering::Relaxed);
        let share = self.0.share.load(Ordering::Relaxed);
        share > 0 && asked.wrapping_add(1).wrapping_mul(share) / 1000 > asked.wrapping_mul(share) / 1000
    }

    /// Watches the runtime in which it is run, for as long as that is.
    pub async fn watch(self) {
        if self.0.target.is_none() {
            return;
        }
        let mut before = 0;
        loop {
            let asked = self.0.asked.load(Ordering::Relaxed);
            let pause = if asked == before { LOOK_EVERY.saturating_mul(IDLE) } else { LOOK_EVERY };
            before = asked;
            let begun = Instant::now();
            tokio::time::sleep(pause).await;
            self.note(begun.elapsed().saturating_sub(pause), Instant::now());
        }
    }

    fn note(&self, late: Duration, now: Instant) {
        let Some(target) = self.0.target else { return };
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.sum += late;
        seen.count += 1;
        if now.saturating_duration_since(seen.since) < ADAPT_EVERY {
            return;
        }
        let delay = seen.sum.as_secs_f64() / f64::from(seen.count) / target.as_secs_f64();
        let delay = delay.min(HIGHEST);
        let step = BY_HEIGHT * (delay - 1.0) + BY_CHANGE * (delay - seen.before);
        let share = (seen.share + step).clamp(0.0, MOST);
        *seen = Seen { since: now, sum: Duration::ZERO, count: 0, before: delay, share };
        self.0.share.store(whole(share), Ordering::Relaxed);
    }
}

#[expect(clippy::as_conversions, reason = "between 0 and 950")]
fn whole(share: f64) -> u64 {
    share as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_millis(20);

    /// So many times a delay, one in each time after which the share is adapted.
    fn note(pressure: &Pressure, now: &mut Instant, late: Duration, times: u32) {
        for _ in 0..times {
            *now += ADAPT_EVERY;
            pressure.note(late, *now);
        }
    }

    fn refused(pressure: &Pressure) -> usize {
        (0..1000).filter(|_| pressure.refuses()).count()
    }

    #[test]
    fn what_is_refused_follows_the_delay() {
        let (pressure, mut now) = (Pressure::new(TARGET), Instant::now());
        note(&pressure, &mut now, TARGET / 2, 100);
        assert_eq!(refused(&pressure), 0, "on time");
        note(&pressure, &mut now, TARGET * 3, 10);
        let some = refused(&pressure);
        assert!(some > 300 && some < 900, "{some} after half a second three times too late");
        note(&pressure, &mut now, TARGET * 3, 100);
        assert_eq!(refused(&pressure), 950, "some come in all the same");
        note(&pressure, &mut now, Duration::ZERO, 100);
        assert_eq!(refused(&pressure), 0, "and all when it is over");
    }

    #[test]
    fn one_standstill_is_no_overload() {
        let (pressure, mut now) = (Pressure::new(TARGET), Instant::now());
        note(&pressure, &mut now, Duration::from_secs(10), 1);
        note(&pressure, &mut now, Duration::ZERO, 4);
        assert_eq!(refused(&pressure), 0);
    }

    #[test]
    fn without_a_target_nothing_is_refused() {
        let (pressure, mut now) = (Pressure::new(Duration::ZERO), Instant::now());
        note(&pressure, &mut now, Duration::from_secs(10), 100);
        assert_eq!(refused(&pressure), 0);
    }
}
