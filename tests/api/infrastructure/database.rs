//! Connections to the database, whoever asked for them first.

use futures_util::future::try_join_all;
use millrace::infrastructure::database::{AcrossTenants, Database};
use sea_orm::ConnectionTrait;

use crate::support::TestServer;

/// At once, so that there are several connections.
async fn queries(database: &Database) {
    let session = database.read(AcrossTenants);
    try_join_all((0..8).map(|_| session.execute_unprepared("SELECT 1"))).await.unwrap();
}

#[actix_web::test]
async fn connections_outlive_the_thread_that_asked_for_them() {
    let server = TestServer::start().await;
    let database = server.app.database.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(queries(&database));
    });
    tokio::task::spawn_blocking(|| thread.join()).await.unwrap().unwrap();
    queries(&server.app.database).await;
}
