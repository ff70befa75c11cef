//! A server in this process: the app that `main` serves, on a database, cache and clock of its own.

use std::sync::Arc;

use actix_web::test::init_service;
use millrace::app::{App, create_app};
use millrace::common::{Clock, ManualClock, Secret, Timestamp};
use millrace::infrastructure::config::Config;
use millrace::infrastructure::crypto::Passwords;
use tempfile::TempDir;

use super::client::{Client, Service, service};
use super::database::TestDatabase;
use super::outbox::Outbox;
use super::tenant::TestTenant;

/// 2025-01-31T08:00:00Z: where every test's clock begins.
const START: Timestamp = Timestamp::from_millis(1_738_310_400_000);

/// Keeps what the server stands on until the test ends.
pub(crate) struct TestServer {
    pub(crate) app: App,
    pub(crate) clock: Arc<ManualClock>,
    /// What the server has mailed.
    pub(crate) outbox: Outbox,
    service: Service,
    // Dropped after the app: the last holds the files of the first.
    _database: TestDatabase,
    _directory: TempDir,
}

impl TestServer {
    pub(crate) async fn start() -> TestServer {
        TestServer::with(|_| {}).await
    }

    /// With a configuration that differs from the tests' usual one.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> TestServer {
        TestServer::with_clock(change, |clock| clock).await
    }

    /// The same, with something around its clock.
    pub(crate) async fn with_clock(
        change: impl FnOnce(&mut Config),
        around: impl FnOnce(Arc<dyn Clock>) -> Arc<dyn Clock>,
    ) -> TestServer {
        let directory = tempfile::tempdir().unwrap();
        let database = TestDatabase::create(&directory).await;
        let mut config = Config::defaults().unwrap();
        config.data.directory = directory.path().to_owned();
        config.database.url = database.url();
        config.database.max_connections = 4;
        config.database.migrate_on_start = false;
        if let Ok(url) = std::env::var("MILLRACE_TEST_REDIS_URL") {
            config.cache.url = Secret::new(url);
            config.cache.prefix = format!("test-{}", uuid::Uuid::now_v7());
        }
        if let Ok(url) = std::env::var("MILLRACE_TEST_AMQP_URL") {
            config.queue.url = Secret::new(url);
            config.queue.name = format!("test-{}", uuid::Uuid::now_v7());
        }
        // The tests move the clock.
        config.scheduling.database_clock = false;
        // Cheap hashes: the tests make many accounts.
        config.auth.argon2_memory_kib = 64;
        config.auth.argon2_passes = 1;
        // Tests register and go on at once; those about verification switch it on.
        config.auth.email_verification = false;
        // The address of every test's client is the same, and its clock stands still.
        config.limits.anonymous_requests_per_minute = 0;
        config.limits.address_requests_per_minute = 0;
        config.limits.user_requests_per_minute = 0;
        config.limits.api_key_requests_per_minute = 0;
        change(&mut config);
        let clock = Arc::new(ManualClock::new(START));
        let outbox = Outbox::default();
        let app = App::build_with(config, around(clock.clone()), Arc::new(outbox.clone())).await.unwrap();
        let service = service(init_service(create_app(&app)).await);
        TestServer { app, clock, outbox, service, _database: database, _directory: directory }
    }

    /// With a port of its own on loopback, for browsers; its address is the public one.
    pub(crate) async fn listening(change: impl FnOnce(&mut Config)) -> TestServer {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = TestServer::with(|config| {
            config.server.public_url = url;
            change(config);
        })
        .await;
        let app = server.app.clone();
        let sockets = actix_web::HttpServer::new(move || create_app(&app)).workers(1).disable_signals();
        actix_web::rt::spawn(sockets.listen(listener).unwrap().run());
        server
    }

    /// Somebody without credentials who asks another process with the same database, cache and queue.
    pub(crate) async fn visitor_of_a_replica(&self) -> Client {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let config = Config::clone(&self.app.config);
        let app = App::build_with(config, clock, Arc::new(self.outbox.clone())).await.unwrap();
        Client::new(service(init_service(create_app(&app)).await), Vec::new())
    }

    /// Somebody without credentials.
    pub(crate) fn visitor(&self) -> Client {
        Client::new(self.service.clone(), Vec::new())
    }

    /// Somebody with an access token.
    pub(crate) fn bearer(&self, token: &str) -> Client {
        self.visitor().with("authorization", &format!("Bearer {token}"))
    }

    /// As the server stores passwords.
    pub(crate) async fn hash(&self, password: &str) -> String {
        let passwords = Passwords::new(&self.app.config.auth).unwrap();
        passwords.hash(Secret::new(password.to_owned())).await.unwrap()
    }

    /// A new tenant with a member of each role and an API key of its owner.
    pub(crate) async fn tenant(&self, name: &str) -> TestTenant {
        TestTenant::create(self, name).await
    }
}
