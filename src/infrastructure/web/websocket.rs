//! WebSockets that only the server speaks on: texts out, pings both ways, nothing else in.

use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use actix_ws::{Message, MessageStream, Session};
use futures_util::stream::{Stream, StreamExt};

use super::problem::BAD_REQUEST;
use crate::common::Problem;

/// What browsers name beside their token, which they cannot send in a header of its own: `Sec-WebSocket-Protocol: millrace,
/// bearer.TOKEN`.
pub const SUBPROTOCOL: &str = "millrace";
/// Between two pings. A peer that answers none of two is gone.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Whether the caller asks for a WebSocket.
pub fn is_upgrade(request: &HttpRequest) -> bool {
    let upgrade = request.headers().get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

/// Answers with a WebSocket that sends what comes from the stream, until one of both ends.
pub fn text_stream(
    request: &HttpRequest,
    body: Payload,
    texts: impl Stream<Item = String> + 'static,
) -> Result<HttpResponse, Problem> {
    let handled = actix_ws::handle_with_protocols(request, body, &[SUBPROTOCOL]);
    let (response, session, messages) =
        handled.map_err(|error| Problem::of(BAD_REQUEST).with_detail(error.to_string()))?;
    actix_web::rt::spawn(speak(session, messages, Box::pin(texts)));
    Ok(response)
}

async fn speak(mut session: Session, mut messages: MessageStream, mut texts: impl Stream<Item = String> + Unpin) {
    let mut unanswered = 0;
    let mut pings = tokio::time::interval(PING_EVERY);
    pings.reset();
    loop {
        let sent = tokio::select! {
            text = texts.next() => match text {
                Some(text) => session.text(text).await,
                None => break,
            },
            message = messages.next() => match message {
                Some(Ok(Message::Ping(bytes))) => session.pong(&bytes).await,
                Some(Ok(Message::Pong(_))) => {
                    unanswered = 0;
                    Ok(())
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                // Nobody is asked anything here.
                Some(Ok(_)) => Ok(()),
            },
            _ = pings.tick() => {
                unanswered += 1;
                if unanswered > 2 { break }
                session.ping(b"").await
            }
        };
        if sent.is_err() {
            return;
        }
    }
    // The peer may be gone already.
    let _ = session.close(None).await;
}
