//! Server-sent events: frames of the HTML standard, and comments that keep proxies from hanging up while nothing happens.

use std::fmt::Write;
use std::time::Duration;

use actix_web::HttpResponse;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};

/// Silence after which a comment is sent.
const SILENCE: Duration = Duration::from_secs(15);

/// One event. Its parts hold no line breaks: `data` is JSON.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// What a client sends back as `Last-Event-ID`.
    pub id: Option<String>,
    pub event: String,
    pub data: String,
}

impl Frame {
    fn bytes(&self) -> Bytes {
        let mut text = String::with_capacity(self.data.len() + 64);
        if let Some(id) = &self.id {
            // Writing to a string does not fail.
            let _ = writeln!(text, "id: {id}");
        }
        let _ = write!(text, "event: {}\ndata: {}\n\n", self.event, self.data);
        text.into()
    }
}

/// An answer that goes on as long as the stream does.
pub fn event_stream(frames: impl Stream<Item = Frame> + 'static) -> HttpResponse {
    let bytes = stream::unfold(Box::pin(frames), |mut frames| async {
        let bytes = match tokio::time::timeout(SILENCE, frames.next()).await {
            Ok(frame) => frame?.bytes(),
            Err(_) => Bytes::from_static(b": nothing yet\n\n"),
        };
        Some((Ok::<Bytes, actix_web::Error>(bytes), frames))
    });
    let mut response = HttpResponse::Ok();
    // Neither proxies nor compression may hold events back.
    response.insert_header(("cache-control", "no-store")).insert_header(("x-accel-buffering", "no"));
    response.insert_header(("content-encoding", "identity"));
    response.content_type("text/event-stream").streaming(bytes)
}
