//! Who begins an execution hears of it once it is durable: as running, or, where it is over at once, as it ended. Until then
//! nothing of it has left the process, so where the database is away it never was, and who began it is refused.

use tokio::sync::oneshot;

use super::attempt::{Attempt, lock};

impl Attempt {
    /// Hears when its outcome is durable, or fails where there will be none here.
    pub(super) fn announcing(&self) -> oneshot::Receiver<()> {
        let (announced, hears) = oneshot::channel();
        *lock(&self.announced) = Some(announced);
        hears
    }

    /// The outcome is durable, or there is nothing to be stored.
    pub(super) fn announce_end(&self) {
        // Nobody may wait any more.
        let _ = lock(&self.announced).take().map(|announced| announced.send(()));
    }

    /// There is no outcome here.
    pub(super) fn end_unannounced(&self) {
        lock(&self.announced).take();
    }

    /// Does somebody wait to hear that it is durable?
    pub(super) fn is_awaited(&self) -> bool {
        lock(&self.announced).as_ref().is_some_and(|announced| !announced.is_closed())
    }
}
