//! Slows down guessing: after some failures an account, or an address, has to wait, twice as long after each further one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, MutexGuard};

use super::error::Error;
use super::limits::network;
use crate::common::{Clock, Timestamp};
use crate::domains::users::Email;
use crate::infrastructure::cache::{Cache, Key};
use crate::infrastructure::config;
use crate::infrastructure::crypto::TokenHash;

/// An address is mailed so many links in so long, whoever asks for them.
const MAILS_PER_WINDOW: u64 = 5;
const MAIL_WINDOW: Duration = Duration::from_secs(3600);

/// Counts failed attempts in the cache, shared by all replicas where that is Redis.
pub(super) struct Throttle {
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
    per_account: u64,
    per_address: u64,
    first_wait: Duration,
    longest_wait: Duration,
    turns: [Mutex<()>; TURNS],
}

/// Attempts at as many accounts go on at the same time.
const TURNS: usize = 64;

/// One side of an attempt: who is attacked, or who attacks.
struct Side {
    failures: Key,
    locked_until: Key,
    allowed: u64,
}

impl Throttle {
    pub(super) fn new(cache: Arc<dyn Cache>, clock: Arc<dyn Clock>, config: &config::Auth) -> Throttle {
        Throttle {
            cache,
            clock,
            per_account: config.max_failures_per_account,
            per_address: config.max_failures_per_address,
            first_wait: Duration::from_secs(config.first_lockout_seconds),
            longest_wait: Duration::from_secs(config.max_lockout_seconds),
            turns: [const { Mutex::const_new(()) }; TURNS],
        }
    }

    /// Attempts at one account come one after the other: guesses sent together are not all checked before the first fails.
    /// `None` only where there is no turn to wait for.
    pub(super) async fn turn(&self, email: &Email) -> Option<MutexGuard<'_, ()>> {
        let first = TokenHash::of(email.as_str()).as_bytes().first().copied().map(usize::from)?;
        Some(self.turns.get(first % TURNS)?.lock().await)
    }

    /// Refuses while a wait lasts, whether or not the password would be right.
    pub(super) async fn check(&self, email: &Email, address: Option<IpAddr>) -> Result<(), Error> {
        let now = self.clock.now();
        for side in self.sides(email, address) {
            let until = self.cache.get(&side.locked_until).await?.and_then(|bytes| read_time(&bytes));
            if let Some(until) = until.filter(|until| *until > now) {
                return Err(Error::LockedOut { wait: until.since(now) });
            }
        }
        Ok(())
    }

    pub(super) async fn failed(&self, email: &Email, address: Option<IpAddr>) -> Result<(), Error> {
        for side in self.sides(email, address) {
            let failures = self.cache.increment(&side.failures, self.longest_wait.saturating_mul(2)).await?;
            if let Some(wait) = wait_after(failures, side.allowed, self.first_wait, self.longest_wait) {
                let until = self.clock.now().plus(wait).as_millis().to_string();
                self.cache.set(&side.locked_until, Bytes::from(until), wait).await?;
            }
        }
        Ok(())
    }

    /// Whether the address may be mailed another link now; counts the mail. Over the limit nothing is said, only nothing sent.
    pub(super) async fn may_be_mailed(&self, email: &Email) -> Result<bool, Error> {
        let key = Key::global("links-mailed-to", &self.account_name(email));
        Ok(self.cache.increment(&key, MAIL_WINDOW).await? <= MAILS_PER_WINDOW)
    }

    /// A right password clears the account, never the address: else an attacker clears it with an account of their own.
    pub(super) async fn succeeded(&self, email: &Email) -> Result<(), Error> {
        Ok(self.cache.remove(&self.account(email).failures).await?)
    }

    fn sides(&self, email: &Email, address: Option<IpAddr>) -> impl Iterator<Item = Side> {
        let from = address.map(|address| Side {
            failures: Key::global("login-failures-from", &network(address).to_string()),
            locked_until: Key::global("login-locked-from", &network(address).to_string()),
            allowed: self.per_address,
        });
        std::iter::once(self.account(email)).chain(from)
    }

    /// Hashed: caches are easier to look into than databases.
    fn account_name(&self, email: &Email) -> String {
        TokenHash::of(email.as_str()).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn account(&self, email: &Email) -> Side {
        let name = self.account_name(email);
        Side {
            failures: Key::global("login-failures-of", &name),
            locked_until: Key::global("login-locked-of", &name),
            allowed: self.per_account,
        }
    }
}

/// None while failures are within what is allowed; then the first wait, doubled with each failure up to the longest.
pub(super) fn wait_after(failures: u64, allowed: u64, first: Duration, longest: Duration) -> Option<Duration> {
    let beyond = failures.checked_sub(allowed)?;
    let factor = u32::try_from(beyond).ok().and_then(|beyond| 1_u32.checked_shl(beyond)).unwrap_or(u32::MAX);
    Some(first.saturating_mul(factor).min(longest))
}

fn read_time(bytes: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(bytes).ok()?.parse().ok().map(Timestamp::from_millis)
}
