//! Who begins an execution hears of it once it is durable: as running, or, where it is over at once, as it ended. Until then
//! nothing of it has left the process, so where the database is away it never was, and who began it is refused.

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::attempt::{Attempt, lock};
use super::error::Error;
use super::executor::Executor;
use super::storing;

impl Executor {
    /// Runs an execution here, which is durable when this returns: as it ended, where that takes hardly longer than to
    /// store it before.
    pub(super) async fn begin(&self, attempt: Attempt, slot: Option<OwnedSemaphorePermit>) -> Result<(), Error> {
        if attempt.is_stored() || !attempt.begin.earlier.is_empty() || !self.0.writer.is_healthy() {
            attempt.store(&self.0.writer).await?;
            self.spawn(attempt, slot);
            return Ok(());
        }
        let mut concluded = attempt.announcing();
        let attempt = self.spawn(attempt, slot);
        if let Ok(concluded) = tokio::time::timeout(storing::GRACE, &mut concluded).await {
            return concluded.map_err(|_| Error::Overloaded);
        }
        if let Err(error) = attempt.store(&self.0.writer).await {
            self.cancel(attempt.row.id);
            return Err(error);
        }
        if attempt.is_over() {
            return concluded.await.map_err(|_| Error::Overloaded);
        }
        Ok(())
    }
}

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
