//! Commands for a Redis server: the words of one command in, its answer out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::redis::aio::{MultiplexedConnection, PubSub};
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    Value as Answer,
};
use millrace_model::{Object, Value, to_index};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{CONNECT_TIMEOUT, Failure, Reach, Services, address, flag, key, port, text, tls};

/// Longest a command may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Commands that would take the shared connection away from the other items, or make it say something else.
const REFUSED: [&str; 14] = [
    "SUBSCRIBE",
    "PSUBSCRIBE",
    "SSUBSCRIBE",
    "MONITOR",
    "SELECT",
    "AUTH",
    "HELLO",
    "MULTI",
    "EXEC",
    "WATCH",
    "QUIT",
    "CLIENT",
    "RESET",
    "SYNC",
];

impl Services {
    pub(super) async fn command_redis(
        &self,
        reach: &Reach,
        connection: &Object,
        arguments: &Value,
    ) -> Result<Value, Failure> {
        let words = arguments.get("command").and_then(Value::as_array).unwrap_or_default();
        let Some((name, rest)) = words.split_first() else { return Err(Failure::new("The Redis command is empty")) };
        let name = name.to_js_string();
        if REFUSED.contains(&name.to_uppercase().as_str()) {
            return Err(Failure::new(format!("The Redis command {name} is not available to workflows")));
        }
        let mut command = Cmd::new();
        command.arg(name.as_str());
        for word in rest {
            command.arg(word.to_js_string().as_bytes());
        }
        let key = key(reach, connection);
        let mut server = match self.redis.get(&key) {
            Some(kept) => kept,
            None => {
                let made = connect(reach, connection, &self.tls).await?;
                self.redis.insert(key, made.clone());
                made
            }
        };
        match command.query_async::<Answer>(&mut server).await {
            Ok(answer) => Ok(value(answer)),
            Err(error) => {
                if error.is_io_error() || error.is_connection_dropped() {
                    self.redis.invalidate(&key);
                }
                Err(failed(&error))
            }
        }
    }
}

pub(super) async fn connect(
    reach: &Reach,
    connection: &Object,
    trusted: &Arc<ClientConfig>,
) -> Result<MultiplexedConnection, Failure> {
    let server = Server::find(reach, connection).await?;
    let settings = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(ANSWER_TIMEOUT));
    if !flag(connection, "ssl") {
        let connecting = server.client()?;
        return connecting
            .get_multiplexed_async_connection_with_config(&settings)
            .await
            .map_err(|error| failed(&error));
    }
    server
        .in_time(async {
            let stream = server.wrapped(connection, trusted).await?;
            let (made, driving) = MultiplexedConnection::new_with_config(&server.login, stream, settings)
                .await
                .map_err(|error| failed(&error))?;
            // It ends with the last copy of the connection.
            tokio::spawn(driving);
            Ok(made)
        })
        .await
}

/// A connection that hears channels.
pub(super) async fn listen(reach: &Reach, connection: &Object, trusted: &Arc<ClientConfig>) -> Result<PubSub, Failure> {
    let server = Server::find(reach, connection).await?;
    server
        .in_time(async {
            let opened = if flag(connection, "ssl") {
                PubSub::new(&server.login, server.wrapped(connection, trusted).await?).await
            } else {
                server.client()?.get_async_pubsub().await
            };
            opened.map_err(|error| failed(&error))
        })
        .await
}

/// Where a credential leads, and as whom.
struct Server<'c> {
    host: &'c str,
    found: SocketAddr,
    login: RedisConnectionInfo,
}

impl Server<'_> {
    async fn find<'c>(reach: &Reach, connection: &'c Object) -> Result<Server<'c>, Failure> {
        let host = text(connection, "host", "localhost");
        let found = address::resolve(reach, host, port(connection, 6379)?).await?;
        let database = connection.get("database").and_then(Value::as_f64).and_then(to_index).unwrap_or(0);
        let mut login = RedisConnectionInfo::default().set_db(i64::try_from(database).unwrap_or(0));
        let (user, password) = (text(connection, "user", ""), text(connection, "password", ""));
        if !password.is_empty() {
            login = login.set_password(password);
        }
        if !user.is_empty() {
            login = login.set_username(user);
        }
        Ok(Server { host, found, login })
    }

    fn client(&self) -> Result<Client, Failure> {
        let place = ConnectionAddr::Tcp(self.found.ip().to_string(), self.found.port());
        let place = place.into_connection_info().map_err(|error| failed(&error))?;
        Client::open(place.set_redis_settings(self.login.clone())).map_err(|error| failed(&error))
    }

    async fn wrapped(&self, connection: &Object, trusted: &Arc<ClientConfig>) -> Result<TlsStream<TcpStream>, Failure> {
        let trusted =
            if flag(connection, "disableTlsVerification") { tls::trusting_any()? } else { Arc::clone(trusted) };
        let stream = TcpStream::connect(self.found).await.map_err(|error| Failure::new(error.to_string()))?;
        tls::wrap(stream, self.host, trusted).await
    }

    async fn in_time<T>(&self, connecting: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| {
            Err(Failure::new(format!("The Redis server \"{}\" does not answer", self.host)).describe("ETIMEDOUT"))
        })
    }
}

pub(super) fn failed(error: &RedisError) -> Failure {
    let message = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    };
    Failure::new(message)
}

/// An answer as JSON: nil as null, numbers, texts, lists; maps as lists of names and values in turn.
fn value(answer: Answer) -> Value {
    let text = |bytes: Vec<u8>| Value::from(String::from_utf8_lossy(&bytes).into_owned());
    match answer {
        Answer::Nil => Value::Null,
        #[expect(clippy::as_conversions, reason = "JavaScript's numbers are floating point")]
        Answer::Int(number) => Value::Number(number as f64),
        Answer::Double(number) => Value::Number(number),
        Answer::Boolean(flag) => flag.into(),
        Answer::Okay => "OK".into(),
        Answer::BulkString(bytes) => text(bytes),
        Answer::SimpleString(text) => text.into(),
        Answer::VerbatimString { text, .. } => text.into(),
        Answer::Array(answers) | Answer::Set(answers) => Value::array(answers.into_iter().map(value)),
        Answer::Map(pairs) => Value::array(pairs.into_iter().flat_map(|(name, content)| [value(name), value(content)])),
        other => format!("{other:?}").into(),
    }
}
