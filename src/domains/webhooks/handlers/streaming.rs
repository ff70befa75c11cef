//! HTTP of answers in parts. They begin as soon as the execution is stored, and end with it.

use actix_web::HttpResponse;
use actix_web::http::header;

use super::super::reply::Reply;
use super::super::streaming::{Pieces, headers};

/// The answer of a call that may be answered in parts. The call goes on whatever becomes of the connection.
pub(super) async fn answered(
    is_head: bool,
    mut pieces: Pieces,
    call: impl Future<Output = Result<Reply, Reply>> + 'static,
) -> Result<HttpResponse, Reply> {
    let call = actix_web::rt::spawn(call);
    if !pieces.begin().await {
        let reply = call.await.unwrap_or_else(|_| Err(Reply::error(500, "Internal error", None)))?;
        return Ok(super::response(reply));
    }
    let mut response = HttpResponse::Ok();
    for (name, value) in headers() {
        response.insert_header((name.as_str(), value.as_str()));
    }
    // Compression would hold parts back.
    response.insert_header((header::CONTENT_ENCODING, "identity"));
    if is_head {
        return Ok(response.finish());
    }
    Ok(response.streaming(pieces.into_stream()))
}
