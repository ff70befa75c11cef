//! What has to be undone when Ctrl-C, SIGTERM or a closed terminal ends the program early.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use anyhow::{Context as _, Result};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::{process, report};

type Action = Box<dyn FnOnce() + Send>;

static ACTIONS: Mutex<Vec<(u64, Action)>> = Mutex::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(0);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on a signal stops all children, does what was registered, latest first, and exits with 128 + its number.
pub(crate) fn listen() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen for signals")?;
    thread::spawn(move || {
        let Some(signal) = signals.forever().next() else { return };
        INTERRUPTED.store(true, Ordering::SeqCst);
        report::progress("interrupted; stopping what was started");
        process::stop_all();
        let actions = std::mem::take(&mut *ACTIONS.lock().unwrap_or_else(PoisonError::into_inner));
        actions.into_iter().rev().for_each(|(_, action)| action());
        std::process::exit(128 + signal);
    });
    Ok(())
}

/// Registers what is to be done on a signal, for as long as the answer lives.
pub(crate) fn register(action: impl FnOnce() + Send + 'static) -> Registered {
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    ACTIONS.lock().unwrap_or_else(PoisonError::into_inner).push((id, Box::new(action)));
    Registered(id)
}

pub(crate) struct Registered(u64);

impl Drop for Registered {
    fn drop(&mut self) {
        ACTIONS.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, _)| *id != self.0);
    }
}

/// Once a signal is being handled the rest of the program stands still: the handler ends it.
pub(crate) fn stand_still_if_interrupted() {
    while is_interrupted() {
        thread::park();
    }
}

pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
