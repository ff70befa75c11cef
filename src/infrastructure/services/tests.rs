//! Services against real servers: PostgreSQL and Redis where the environment names them, and a receiver of mail that speaks
//! SMTP.

use std::sync::Arc;

use millrace_model::{Object, Value};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::{Failure, Services};
use crate::infrastructure::config::Config;
use crate::infrastructure::http_client::{EgressPolicy, HttpClient};

fn services() -> Services {
    Services::new(&HttpClient::new(Config::defaults().unwrap().http_client).unwrap())
}

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

async fn called(name: &str, connection: Value, more: impl AsRef<str>) -> Result<Value, Failure> {
    let mut arguments = json(more.as_ref()).as_object().cloned().unwrap();
    arguments.insert("connection", connection);
    services().call(&Arc::new(EgressPolicy::unrestricted()).into(), name, &arguments.into()).await
}

/// The credential of the server that a URL names; `None`: the environment names none.
fn server(variable: &str) -> Option<Value> {
    let url = url::Url::parse(&std::env::var(variable).ok()?).unwrap();
    Some(Value::from(Object::from([
        ("host", url.host_str().unwrap_or("localhost").into()),
        ("port", url.port().map_or(Value::Null, |port| f64::from(port).into())),
        ("user", url.username().into()),
        ("password", url.password().unwrap_or_default().into()),
        ("database", url.path().trim_start_matches('/').into()),
    ])))
}

#[tokio::test]
async fn private_addresses_are_refused() {
    let services = services();
    let reach = Arc::new(EgressPolicy::default()).into();
    for (name, more) in [
        ("postgres.query", r#""statements": ["SELECT 1"]"#),
        ("redis.command", r#""command": ["PING"]"#),
        ("smtp.send", r#""message": {"from": "a@example.org", "to": "b@example.org"}"#),
        ("imap.verify", r#""x": 1"#),
    ] {
        for host in ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254"] {
            let arguments = json(&format!(r#"{{"connection": {{"host": "{host}"}}, {more}}}"#));
            let failure = services.call(&reach, name, &arguments).await.unwrap_err();
            assert!(failure.message.contains("not allowed"), "{name} {host}: {failure}");
        }
    }
    let unknown = services.call(&reach, "ftp.get", &Value::Null).await.unwrap_err();
    assert_eq!(unknown.message, "This server does not offer the service \"ftp.get\"");
}

#[tokio::test]
async fn postgres_answers_statements() {
    let Some(connection) = server("MILLRACE_TEST_POSTGRES_URL") else { return };
    let table = format!("made_{}", uuid::Uuid::now_v7().simple());
    let create = format!("CREATE TABLE {table} (id int PRIMARY KEY, t timestamptz, n numeric, j jsonb, l int[])");
    let fill = format!(
        "INSERT INTO {table} VALUES (1, '2024-01-02 03:04:05.6Z', 1.50, '{{\"a\":[1]}}', '{{1,NULL}}') RETURNING *"
    );
    let texts = Value::array([create.as_str().into(), fill.as_str().into()]).to_json();
    let made =
        called("postgres.query", connection.clone(), format!(r#"{{"statements": {texts}, "mode": "transaction"}}"#));
    let expected =
        r#"[{"rows":[]},{"rows":[{"id":1,"t":"2024-01-02T03:04:05.600Z","n":"1.50","j":{"a":[1]},"l":[1,null]}]}]"#;
    assert_eq!(made.await.unwrap().to_json(), expected);

    // Each for itself: what fails stands beside what does not.
    let twice = Value::array([fill.as_str().into(), "SELECT 1 AS one".into()]).to_json();
    let each =
        called("postgres.query", connection.clone(), format!(r#"{{"statements": {twice}, "mode": "independently"}}"#));
    let each = each.await.unwrap();
    let message = each.pointer("0.error.message").map(Value::to_js_string).unwrap_or_default();
    assert!(message.contains("duplicate key"), "{message}");
    assert_eq!(each.pointer("1.rows").unwrap().to_json(), r#"[{"one":1}]"#);

    // All or nothing.
    let half = Value::array([format!("DELETE FROM {table}").into(), "SELECT nope".into()]).to_json();
    let all =
        called("postgres.query", connection.clone(), format!(r#"{{"statements": {half}, "mode": "transaction"}}"#));
    let failure = all.await.unwrap_err();
    assert_eq!(failure.message, "column \"nope\" does not exist");
    assert_eq!(failure.description.as_deref(), Some("Failed query: SELECT nope"));
    let count =
        Value::array([format!("SELECT count(*)::int AS c FROM {table}").into(), format!("DROP TABLE {table}").into()]);
    let left = called("postgres.query", connection, format!(r#"{{"statements": {}}}"#, count.to_json()));
    assert_eq!(left.await.unwrap().pointer("0.rows.0.c"), Some(&Value::Number(1.0)));
}

#[tokio::test]
async fn postgres_that_is_away_or_refuses_says_so() {
    let closed = json(r#"{"host": "127.0.0.1", "port": 1}"#);
    let failure = called("postgres.query", closed, r#"{"statements": ["SELECT 1"]}"#).await.unwrap_err();
    assert!(!failure.message.is_empty());
    let tunnel = json(r#"{"host": "127.0.0.1", "sshTunnel": true}"#);
    let failure = called("postgres.query", tunnel, r#"{"statements": []}"#).await.unwrap_err();
    assert_eq!(failure.message, "SSH tunnels to PostgreSQL are not supported");
    let port = json(r#"{"host": "127.0.0.1", "port": "many"}"#);
    let failure = called("postgres.query", port, r#"{"statements": []}"#).await.unwrap_err();
    assert_eq!(failure.message, "The credential's port is no port number");
}

#[tokio::test]
async fn redis_answers_commands() {
    let Some(connection) = server("MILLRACE_TEST_REDIS_URL") else { return };
    let key = format!("made:{}", uuid::Uuid::now_v7().simple());
    let run = |words: &[&str]| {
        let words = Value::array(words.iter().map(|word| Value::from(*word))).to_json();
        called("redis.command", connection.clone(), format!(r#"{{"command": {words}}}"#))
    };
    for (words, expected) in [
        (vec!["RPUSH", &key, "a", "é\"b"], "2"),
        (vec!["LRANGE", &key, "0", "-1"], r#"["a","é\"b"]"#),
        (vec!["LPOP", &key], r#""a""#),
        (vec!["TYPE", &key], r#""list""#),
        (vec!["DEL", &key], "1"),
        (vec!["GET", &key], "null"),
        (vec!["HSET", &key, "f", "v"], "1"),
        (vec!["HGETALL", &key], r#"["f","v"]"#),
        (vec!["EXPIRE", &key, "60"], "1"),
    ] {
        assert_eq!(run(&words).await.unwrap().to_json(), expected, "{words:?}");
    }
    let failure = run(&["LPOP", &key]).await.unwrap_err();
    assert!(failure.message.starts_with("WRONGTYPE"), "{failure}");
    let failure = run(&["SUBSCRIBE", "x"]).await.unwrap_err();
    assert_eq!(failure.message, "The Redis command SUBSCRIBE is not available to workflows");
    run(&["DEL", &key]).await.unwrap();
}

/// A door with TLS before a server that has none; gives its port.
async fn tls_before(host: String, port: u16) -> u16 {
    use rustls::pki_types::pem::PemObject;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/certificates");
    let certificate = rustls::pki_types::CertificateDer::from_pem_file(folder.join("localhost.crt")).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::from_pem_file(folder.join("localhost.key")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut outside) = acceptor.accept(stream).await else { continue };
            let mut inside = tokio::net::TcpStream::connect((host.as_str(), port)).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut outside, &mut inside).await });
        }
    });
    own
}

#[tokio::test]
async fn redis_answers_behind_tls_when_its_certificate_counts() {
    let Some(plain) = server("MILLRACE_TEST_REDIS_URL") else { return };
    let host = plain.get("host").unwrap().to_js_string().to_string();
    let port = plain.get("port").and_then(Value::as_f64).map_or(6379, |port| format!("{port}").parse().unwrap());
    let port = tls_before(host, port).await;
    let ping = |more: &str| {
        let mut connection = plain.as_object().cloned().unwrap();
        for (name, value) in
            json(&format!(r#"{{"host": "localhost", "port": {port}, "ssl": true{more}}}"#)).as_object().unwrap().iter()
        {
            connection.insert(name.clone(), value.clone());
        }
        called("redis.command", connection.into(), r#"{"command": ["ECHO", "secret"]}"#)
    };
    assert_eq!(ping(r#", "disableTlsVerification": true"#).await.unwrap().to_json(), r#""secret""#);
    let failure = ping("").await.unwrap_err();
    assert_eq!(failure.message, "The TLS connection could not be made");
    assert!(failure.description.unwrap().contains("certificate"));
    // A server without TLS is not spoken to in the clear.
    let mut connection = plain.as_object().cloned().unwrap();
    connection.insert("ssl", true);
    assert!(called("redis.command", connection.into(), r#"{"command": ["PING"]}"#).await.is_err());
}

/// Takes one mail as a server does (RFC 5321), and gives the lines it was told.
async fn receiver(refused: &'static str) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let work = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut told = Vec::new();
        stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
        let mut in_mail = false;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return told;
            }
            let line = line.trim_end().to_owned();
            let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                "." if in_mail => {
                    in_mail = false;
                    "250 2.0.0 queued as 42"
                }
                _ if in_mail => "",
                "EHLO" => "250-mail.example\r\n250-AUTH PLAIN\r\n250 8BITMIME",
                "DATA" => {
                    in_mail = true;
                    "354 go on"
                }
                _ if !refused.is_empty() && line.starts_with(refused) => "550 5.1.1 no such mailbox",
                "AUTH" => "235 2.7.0 accepted",
                "QUIT" => "221 2.0.0 bye",
                _ => "250 2.0.0 ok",
            };
            told.push(line);
            if !answer.is_empty() {
                stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
        }
    });
    (port, work)
}

const MESSAGE: &str = r#"{"message": {"from": "Ann <ann@example.org>", "to": "bob@example.org; Cy <cy@example.org>",
    "bcc": "dan@example.org", "subject": "Grüße", "text": "hello", "html": "<b>hello</b>",
    "attachments": [{"fileName": "a.txt", "mimeType": "text/plain", "data": "aGk="}]}}"#;

#[tokio::test]
async fn mail_is_handed_to_the_server() {
    let (port, told) = receiver("").await;
    let connection = json(&format!(
        r#"{{"host": "127.0.0.1", "port": {port}, "secure": false, "disableStartTls": true, "user": "u", "password": "p"}}"#
    ));
    let report = called("smtp.send", connection, MESSAGE).await.unwrap();
    let accepted = report.get("accepted").unwrap().to_json();
    assert_eq!(accepted, r#"["bob@example.org","cy@example.org","dan@example.org"]"#);
    assert!(report.get("response").unwrap().to_js_string().contains("queued as 42"), "{report:?}");
    let told = told.await.unwrap();
    let has = |text: &str| told.iter().any(|line| line.contains(text));
    for text in
        ["AUTH PLAIN", "MAIL FROM:<ann@example.org>", "RCPT TO:<dan@example.org>", "hello", "filename=\"a.txt\""]
    {
        assert!(has(text), "{text}: {told:?}");
    }
    assert!(!told.iter().any(|line| line.starts_with("Bcc")), "blind copies stay blind");
}

#[tokio::test]
async fn mail_that_cannot_be_sent_says_why() {
    let (port, _told) = receiver("RCPT").await;
    let plain = format!(r#"{{"host": "127.0.0.1", "port": {port}, "secure": false, "disableStartTls": true}}"#);
    let failure = called("smtp.send", json(&plain), MESSAGE).await.unwrap_err();
    assert!(
        failure.to_string().contains("no such mailbox") || failure.description.unwrap().contains("no such mailbox")
    );
    for (message, expected) in [
        (r#"{"to": "bob@example.org"}"#, "The e-mail has no sender"),
        (r#"{"from": "ann@example.org"}"#, "The e-mail has no recipient"),
        (r#"{"from": "ann", "to": "bob@example.org"}"#, "\"ann\" is not a list of e-mail addresses"),
        (
            r#"{"from": "a@example.org\r\nBcc: x@example.org", "to": "b@example.org"}"#,
            "is not a list of e-mail addresses",
        ),
        (
            r#"{"from": "a@example.org", "to": "b@example.org", "attachments": [{"data": "%"}]}"#,
            "An attachment is not valid base64",
        ),
    ] {
        let failure = called("smtp.send", json(&plain), format!(r#"{{"message": {message}}}"#)).await.unwrap_err();
        assert!(failure.message.contains(expected), "{message}: {failure}");
    }
    let failure = called("smtp.send", json("{}"), MESSAGE).await.unwrap_err();
    assert_eq!(failure.message, "The SMTP credential has no host");
}
