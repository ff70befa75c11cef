//! What the tables do not show: memory over a long time of even load, and what becomes of callers when twice as many
//! come as the server can serve.

use std::{
    net::{SocketAddr, ToSocketAddrs as _},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use super::{load, millrace::Millrace, pace::Pace, peer::Peer};
use crate::report as say;

/// Callers at the same time when the capacity is measured.
const CALLERS: u32 = 64;
const PATH: &str = "/webhook/bench";

/// `executions` spread evenly over `minutes`; prints the memory after each.
pub(super) fn soak(executions: u64, minutes: u64) -> Result<bool> {
    let server = Millrace::start()?;
    let address = address(&server)?;
    #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a rate, not a count")]
    let per_second = executions as f64 / (minutes as f64 * 60.0);
    let (mut done, mut failed) = (0, 0);
    say::progress(&format!("at rest: {:.0} MB; {per_second:.0} executions per second from now on", server.megabytes()));
    for minute in 1..=minutes {
        let lasts = Duration::from_secs(60);
        let paced = Pace { address, path: PATH.to_owned(), per_second, lasts, connections: 64 }.run()?;
        done += paced.accepted();
        failed += paced.failed + u64::try_from(paced.refused()).unwrap_or(u64::MAX);
        say::progress(&format!(
            "minute {minute}: {:.0} MB, {done} executions, {failed} failed, p50 {:.2} ms, p99 {:.2} ms",
            server.megabytes(),
            paced.accepted_ms(50),
            paced.accepted_ms(99)
        ));
    }
    Ok(failed == 0)
}

/// Measures the capacity, then sends half of it, all of it and twice as much.
pub(super) fn overload(seconds: u64) -> Result<bool> {
    let server = Millrace::start()?;
    let address = address(&server)?;
    let url = format!("{}{PATH}", server.url());
    load::run(&url, CALLERS, 2)?;
    let capacity = load::run(&url, CALLERS, seconds)?.per_second;
    say::progress(&format!("capacity with {CALLERS} callers: {capacity:.0} requests per second"));
    for share in [0.5, 1.0, 2.0] {
        let begun = Instant::now();
        let lasts = Duration::from_secs(seconds);
        let paced =
            Pace { address, path: PATH.to_owned(), per_second: capacity * share, lasts, connections: 2000 }.run()?;
        say::progress(&format!(
            "{share} of it: {} accepted (p50 {:.1} ms, p99 {:.1} ms), {} refused (p50 {:.1} ms, p99 {:.1} ms), {} failed, \
             {:.1} s, {:.0} MB",
            paced.accepted(),
            paced.accepted_ms(50),
            paced.accepted_ms(99),
            paced.refused(),
            paced.refused_ms(50),
            paced.refused_ms(99),
            paced.failed,
            begun.elapsed().as_secs_f64(),
            server.megabytes()
        ));
    }
    Ok(true)
}

fn address(server: &Millrace) -> Result<SocketAddr> {
    let host = server.url().trim_start_matches("http://");
    host.to_socket_addrs()?.next().with_context(|| format!("{host} is no address"))
}
