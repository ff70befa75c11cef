//! Mail beside the answer.

use std::sync::Arc;

use millrace::infrastructure::mail::{Message, send_in_background};

use crate::support::TestServer;

#[actix_web::test]
async fn mail_goes_out_beside_the_answer() {
    let server = TestServer::start().await;
    let address = "ann@acme.example";
    send_in_background(Arc::clone(&server.app.mailer), Message::new(address, "Hello", "first"));
    assert_eq!(server.outbox.wait_for(address, 1).await.text, "first");
    assert!(server.outbox.to("bob@acme.example").is_empty());
}
