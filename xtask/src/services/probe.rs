//! Whether a server answers in its own protocol: a listening port alone may belong to a server still starting.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream, ToSocketAddrs as _},
    process::ExitStatus,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{ROLE, Server, Service};
use crate::process;

/// How long a server may take to start; RabbitMQ on a busy machine with two cores needs half a minute.
const PATIENCE: Duration = Duration::from_secs(180);

/// Waits until the server answers; gives up when `ended` says that its process is gone, or after [`PATIENCE`].
pub(super) fn wait_for(server: &Server, mut ended: impl FnMut() -> Option<ExitStatus>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !answers(server) {
        if let Some(status) = ended() {
            bail!("{} ended while starting: {}", server.service.label(), process::describe_status(status));
        }
        if Instant::now() > deadline {
            bail!("{} did not answer at {} within {} s", server.service.label(), server.url, PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Fails unless something listens where the URL points. No more is asked of a server that was given: it may want TLS.
pub(super) fn reachable(url: &str) -> Result<()> {
    let address = address(url).context("not the URL of a PostgreSQL, Redis or RabbitMQ server")?;
    connect(&address).map(drop).with_context(|| format!("nothing answers at {address}"))
}

/// Whether the server is up and takes clients.
pub(super) fn answers(server: &Server) -> bool {
    let (greeting, expected) = match server.service {
        Service::Postgres => (postgres_startup(), b'R'),
        Service::Redis => (b"PING\r\n".to_vec(), b'+'),
        Service::RabbitMq => (b"AMQP\0\0\x09\x01".to_vec(), 1),
    };
    let first_byte = || -> Result<u8> {
        let address = address(&server.url).context("no address")?;
        let mut stream = connect(&address)?;
        stream.write_all(&greeting)?;
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        Ok(byte.into_iter().next().unwrap_or_default())
    };
    first_byte().is_ok_and(|byte| byte == expected)
}

/// `host:port` of a server's URL, with the usual port of its scheme.
pub(super) fn address(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let port = match scheme {
        "postgres" | "postgresql" => "5432",
        "redis" | "rediss" => "6379",
        "amqp" => "5672",
        "amqps" => "5671",
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    Some(if has_port { host.to_owned() } else { format!("{host}:{port}") })
}

/// A port of 127.0.0.1 on which nothing listened a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
    Ok(listener.local_addr()?.port())
}

fn connect(address: &str) -> Result<TcpStream> {
    let patience = Duration::from_secs(2);
    let address = address.to_socket_addrs()?.next().context("no such host")?;
    let stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    Ok(stream)
}

/// A start-up packet, protocol 3.0: the answer is `R` once the database takes clients, `E` before.
fn postgres_startup() -> Vec<u8> {
    let parameters = format!("user\0{ROLE}\0database\0{ROLE}\0\0");
    let length = u32::try_from(parameters.len() + 8).unwrap_or_default();
    [&length.to_be_bytes(), &196_608_u32.to_be_bytes(), parameters.as_bytes()].concat()
}
