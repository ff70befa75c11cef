//! The time limit of an evaluation.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When the running evaluation must have ended, shared with the engine's interrupt handler.
#[derive(Clone, Default)]
pub(crate) struct Deadline(Arc<Shared>);

#[derive(Default)]
struct Shared {
    at: Mutex<Option<Instant>>,
    passed: AtomicBool,
}

impl Deadline {
    pub(crate) fn start(&self, time: Duration) {
        self.0.passed.store(false, Ordering::Relaxed);
        *self.0.at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_add(time);
    }

    /// Is the time over? Asked by the engine every few thousand steps.
    pub(crate) fn check(&self) -> bool {
        let over = self.remaining().is_some_and(|left| left.is_zero());
        if over {
            self.0.passed.store(true, Ordering::Relaxed);
        }
        over
    }

    /// Was the engine stopped?
    pub(crate) fn passed(&self) -> bool {
        self.0.passed.load(Ordering::Relaxed)
    }

    /// Time left; `None` without a limit.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        let at = *self.0.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.map(|at| at.saturating_duration_since(Instant::now()))
    }
}
