//! How many requests a caller may send: counted per tenant, person, API key and address in windows of a minute, in memory or,
//! for all replicas together, in Redis.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;

use super::error::Error;
use crate::common::{Actor, Clock, Ctx};
use crate::infrastructure::cache::{Cache, Key};
use crate::infrastructure::config;
use crate::infrastructure::web::{Allowance, Caller, Visitor};

const WINDOW: Duration = Duration::from_secs(60);

/// Counts requests.
pub(super) struct Limits {
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
    config: config::Limits,
}

impl Limits {
    pub(super) fn new(cache: Arc<dyn Cache>, clock: Arc<dyn Clock>, config: config::Limits) -> Limits {
        Limits { cache, clock, config }
    }

    /// Counts the request everywhere it counts, and gives the limit with the least left. `planned` is the tenant's by its
    /// plan, where that says.
    pub(super) async fn count(
        &self,
        caller: Option<&Caller>,
        planned: Option<u64>,
        visitor: &Visitor,
    ) -> Result<Option<Allowance>, Error> {
        let now = self.clock.now().as_seconds();
        let (minute, second) = (now.div_euclid(60), u64::try_from(now.rem_euclid(60)).unwrap_or(0));
        let reset = Duration::from_secs(60_u64.saturating_sub(second));
        let cache = &self.cache;
        let counting = self.counters(caller, planned, visitor, minute).into_iter().filter_map(|(key, limit)| {
            let limit = limit?;
            Some(async move { Ok::<_, Error>(Allowance { limit, used: cache.increment(&key, WINDOW).await?, reset }) })
        });
        let allowances = try_join_all(counting).await?;
        Ok(allowances.into_iter().min_by_key(|allowance| (!allowance.is_exceeded(), allowance.remaining())))
    }

    /// What the request counts against, with its limit. In the configuration zero is no limit; in a plan it is zero.
    fn counters(
        &self,
        caller: Option<&Caller>,
        planned: Option<u64>,
        visitor: &Visitor,
        minute: i64,
    ) -> Vec<(Key, Option<u64>)> {
        let minute = minute.to_string();
        let address = visitor.address.map_or_else(|| "unknown".to_owned(), |address| network(address).to_string());
        let by_address = |kind| Key::global(kind, &format!("{address}:{minute}"));
        let mut counters = vec![(by_address("requests-from"), configured(self.config.address_requests_per_minute))];
        match caller {
            None => {
                let limit = configured(self.config.anonymous_requests_per_minute);
                counters.push((by_address("anonymous-requests"), limit));
            }
            Some(Caller { ctx, requests_per_minute }) => {
                let of_tenant = planned.or_else(|| configured(self.config.api_requests_per_minute));
                counters.push((Key::tenant(ctx.tenant, "api-requests", &minute), of_tenant));
                counters.extend(self.of_credentials(ctx, *requests_per_minute, &minute));
            }
        }
        counters
    }

    fn of_credentials(&self, ctx: &Ctx, own_limit: Option<u64>, minute: &str) -> Option<(Key, Option<u64>)> {
        let key = |kind, id: String| Key::tenant(ctx.tenant, kind, &format!("{id}:{minute}"));
        match ctx.actor {
            Actor::User(user) => {
                Some((key("user-requests", user.to_string()), configured(self.config.user_requests_per_minute)))
            }
            Actor::ApiKey { key: id, .. } => {
                let limit = configured(self.config.api_key_requests_per_minute);
                // A key's own limit makes it less, never more than the operator gives to keys.
                Some((key("key-requests", id.to_string()), own_limit.into_iter().chain(limit).min()))
            }
            Actor::System => None,
        }
    }
}

fn configured(limit: u64) -> Option<u64> {
    (limit > 0).then_some(limit)
}

/// The address as it is counted: of IPv6 the first 64 bits, which one customer has to themselves (RFC 6177).
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_customer_counts_once() {
        for (address, counted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ] {
            assert_eq!(network(address.parse().unwrap()), counted.parse::<IpAddr>().unwrap(), "{address}");
        }
    }
}
