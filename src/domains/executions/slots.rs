//! The places of those that run at the same time in this process.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The place of a run, which the workflows that it calls here share. Without one a run is not counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Slot {
    pub(super) fn of(permit: Option<OwnedSemaphorePermit>) -> Slot {
        Slot(Arc::new(Mutex::new(permit)))
    }

    /// Gives the place to others. `false`: there is none.
    pub(super) fn leave(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }

    /// Takes a place again once there is one. At the end of the process none is needed.
    pub(super) async fn come_back(&self, slots: &Arc<Semaphore>) {
        let permit = Arc::clone(slots).acquire_owned().await.ok();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_leaves_makes_room_for_those_it_waits_for() {
        let slots = Arc::new(Semaphore::new(1));
        let slot = Slot::of(Arc::clone(&slots).try_acquire_owned().ok());
        let shared = slot.clone();
        assert!(shared.leave());
        assert!(!slot.leave(), "it is one place");
        assert_eq!(slots.available_permits(), 1);
        slot.come_back(&slots).await;
        assert_eq!(slots.available_permits(), 0);
        drop((slot, shared));
        assert_eq!(slots.available_permits(), 1);
    }
}
