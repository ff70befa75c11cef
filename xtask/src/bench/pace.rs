//! Load that comes at its own pace, whether or not the server keeps up: so many requests a second, each timed from the moment
//! when it was due. What `wrk` cannot do, which sends the next request only when the last is answered.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::fd::{AsFd as _, BorrowedFd},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::scenarios::BODY;

/// Longest sleep between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_micros(500);
/// What is still under way after the end gets so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests at a pace.
pub(super) struct Pace {
    pub address: SocketAddr,
    pub path: String,
    pub per_second: f64,
    pub lasts: Duration,
    pub connections: usize,
}

#[derive(Debug, Default)]
pub(super) struct Paced {
    /// Milliseconds of the answers 2xx.
    accepted: Vec<f64>,
    /// Of the answers 429 and 503.
    refused: Vec<f64>,
    /// Other answers, and connections that broke.
    pub failed: u64,
}

struct Connection {
    stream: TcpStream,
    /// When the request that is under way was due.
    due: Option<Instant>,
    answer: Vec<u8>,
}

impl Pace {
    /// Sends until the time is over, and waits for the last answers.
    pub(super) fn run(&self) -> Result<Paced> {
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}",
            self.path,
            self.address,
            BODY.len()
        );
        let mut connections: Vec<Connection> =
            (0..self.connections).map(|_| Connection::open(self.address)).collect::<Result<_>>()?;
        let mut idle: VecDeque<usize> = (0..connections.len()).collect();
        let (mut paced, mut late, begun, mut sent) = (Paced::default(), VecDeque::new(), Instant::now(), 0_u32);
        loop {
            let now = Instant::now();
            let is_over = now.duration_since(begun) >= self.lasts;
            if !is_over {
                let mut due = begun + Duration::from_secs_f64(f64::from(sent) / self.per_second);
                while due <= now {
                    late.push_back(due);
                    sent += 1;
                    due = begun + Duration::from_secs_f64(f64::from(sent) / self.per_second);
                }
            }
            while let (Some(due), Some(place)) = (late.front().copied(), idle.back().copied()) {
                let Some(connection) = connections.get_mut(place) else { break };
                if connection.stream.write_all(request.as_bytes()).is_err() {
                    // The server keeps no connection that was idle for long.
                    *connection = Connection::open(self.address)?;
                    connection.stream.write_all(request.as_bytes()).context("cannot send")?;
                }
                connection.due = Some(due);
                late.pop_front();
                idle.pop_back();
            }
            let is_idle = idle.len() == connections.len() && late.is_empty();
            if is_over && (is_idle || now.duration_since(begun) > self.lasts + PATIENCE) {
                paced.failed += u64::try_from(late.len() + connections.len() - idle.len()).unwrap_or(u64::MAX);
                return Ok(paced);
            }
            for place in ready(&connections)? {
                let Some(connection) = connections.get_mut(place) else { continue };
                if connection.receive(&mut paced, self.address)? {
                    // At the other end, so that each has its turn.
                    idle.push_front(place);
                }
            }
        }
    }
}

/// Connections that are waited for and have something.
fn ready(connections: &[Connection]) -> Result<Vec<usize>> {
    let waiting: Vec<(usize, BorrowedFd<'_>)> = connections
        .iter()
        .enumerate()
        .filter(|(_, connection)| connection.due.is_some())
        .map(|(place, connection)| (place, connection.stream.as_fd()))
        .collect();
    let mut polled: Vec<PollFd<'_>> =
        waiting.iter().map(|(_, stream)| PollFd::from_borrowed_fd(*stream, PollFlags::IN)).collect();
    poll(&mut polled, Some(&Timespec::try_from(LOOK_EVERY)?))?;
    let places = waiting.iter().zip(&polled).filter(|(_, polled)| !polled.revents().is_empty());
    Ok(places.map(|((place, _), _)| *place).collect())
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Connection { stream, due: None, answer: Vec::new() })
    }

    /// Reads what there is. True once the answer is whole.
    fn receive(&mut self, paced: &mut Paced, address: SocketAddr) -> Result<bool> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => {}
            Ok(count) => {
                self.answer.extend(buffer.iter().take(count));
                let Some(status) = whole(&self.answer) else { return Ok(false) };
                let took = self.due.take().map_or(0.0, |due| due.elapsed().as_secs_f64() * 1000.0);
                match status {
                    200..=299 => paced.accepted.push(took),
                    429 | 503 => paced.refused.push(took),
                    _ => paced.failed += 1,
                }
                self.answer.clear();
                return Ok(true);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(_) => {}
        }
        paced.failed += 1;
        *self = Connection::open(address)?;
        Ok(true)
    }
}

/// The status of an answer that is there as a whole, by its `Content-Length`.
fn whole(answer: &[u8]) -> Option<u16> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = str::from_utf8(answer.get(..end)?).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    (answer.len() >= end + 4 + length.unwrap_or(0)).then_some(status)
}

impl Paced {
    pub(super) fn accepted(&self) -> usize {
        self.accepted.len()
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.len()
    }

    /// Milliseconds that so many percent of the accepted took at most.
    pub(super) fn accepted_ms(&self, percent: usize) -> f64 {
        percentile(&self.accepted, percent)
    }

    pub(super) fn refused_ms(&self, percent: usize) -> f64 {
        percentile(&self.refused, percent)
    }
}

fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is_there() {
        assert_eq!(whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nh"), None);
        assert_eq!(whole(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nhi"), Some(503));
        assert_eq!(whole(b"HTTP/1.1 204 No Content\r\n\r\n"), Some(204));
        assert_eq!(whole(b"HTTP/1.1 200 OK\r\n"), None);
    }

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99), percentile(&[], 99)), (101.0, 199.0, 0.0));
    }
}
