//! A server under load, whoever made it.

use std::time::Duration;

use anyhow::Result;

/// Runs with every workflow of `bench/` active; stops when dropped.
pub(super) trait Peer {
    fn name(&self) -> &'static str;
    /// Without a slash at the end.
    fn url(&self) -> &str;
    /// Stops it and starts it again on the database it has; gives the time from the start to the first webhook answered.
    fn restart(&mut self) -> Result<Duration>;
    /// Resident memory of all its processes.
    fn megabytes(&self) -> f64;
}
