//! Answers in parts: what nodes send goes on to the caller as it comes. A caller who takes nothing for long is cut off; one
//! who is gone harms nobody.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use millrace_model::Str;
use millrace_nodes::webhook::error_part;
use tokio::sync::{mpsc, oneshot};

use super::guard::Guard;
use super::receiver::Receiver;
use super::reply::Reply;
use super::service::Service;
use crate::domains::executions::{Answer, Ended, Parts, Status};

/// What the log and deliveries that come again keep of an answer, and a byte more.
const KEPT: usize = (1 << 20) + 1;

/// Where an answer in parts goes while it is made; by default nowhere.
#[derive(Debug, Default)]
pub(super) struct Sink(Option<Caller>);

#[derive(Debug)]
struct Caller {
    begun: Option<oneshot::Sender<()>>,
    pieces: mpsc::Sender<Piece>,
    /// The whole is asked for, too.
    is_kept: bool,
}

#[derive(Debug)]
enum Piece {
    Part(Bytes),
    End,
}

/// What comes out of a [`Sink`].
pub(super) struct Pieces {
    begun: oneshot::Receiver<()>,
    pieces: mpsc::Receiver<Piece>,
}

/// A way for an answer in parts. `is_kept`: the reply is to have all of it, too.
pub(super) fn way(is_kept: bool) -> (Sink, Pieces) {
    let ((sender, begun), (pieces, receiver)) = (oneshot::channel(), mpsc::channel(1));
    (Sink(Some(Caller { begun: Some(sender), pieces, is_kept })), Pieces { begun, pieces: receiver })
}

/// Headers of every answer in parts.
pub(super) fn headers() -> Vec<(Str, Str)> {
    vec![("content-type".into(), "application/json; charset=utf-8".into()), ("cache-control".into(), "no-cache".into())]
}

impl Service {
    /// Hands on what nodes send. The reply has what was kept of it.
    pub(super) async fn stream(&self, receiver: &Receiver, parts: Parts, mut sink: Sink) -> Reply {
        sink.begin();
        let mut whole = BytesMut::new();
        let handed_on = self.hand_on(receiver, parts, &mut sink, &mut whole);
        match receiver.guard.as_deref().and_then(Guard::answer_timeout) {
            Some(longest) => drop(tokio::time::timeout(longest, handed_on).await),
            None => handed_on.await,
        }
        Reply { status: 200, headers: headers(), body: whole.freeze(), execution: None }
    }

    async fn hand_on(&self, receiver: &Receiver, mut parts: Parts, sink: &mut Sink, whole: &mut BytesMut) {
        let is_kept = sink.0.as_ref().is_none_or(|caller| caller.is_kept);
        let mut keep = |part: &Bytes| {
            let room = if is_kept { KEPT.saturating_sub(whole.len()) } else { 0 };
            whole.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
        };
        while let Some(part) = parts.next().await {
            keep(&part);
            if !sink.send(part, self.reader_patience).await && !is_kept {
                return;
            }
        }
        match parts.end().await {
            Some(Answer::Ended(ended)) if ended.status != Status::Success => {
                let last = last_part(receiver, &ended);
                keep(&last);
                sink.send(last, self.reader_patience).await;
            }
            Some(_) => {}
            // Another process has the execution, and nobody knows how it ends.
            None => return,
        }
        sink.end(self.reader_patience).await;
    }
}

fn last_part(receiver: &Receiver, ended: &Ended) -> Bytes {
    let workflow = receiver.program.workflow();
    let named = ended.error.as_ref().and_then(|error| workflow.find(error.node.as_deref()?));
    let last = ended.last.as_ref().map(|(node, _)| *node);
    let failed = named.or(last).map(|node| (workflow.node(node), ended.run_index));
    error_part(ended.error.as_deref(), failed)
}

impl Sink {
    fn begin(&mut self) {
        if let Some(begun) = self.0.as_mut().and_then(|caller| caller.begun.take()) {
            // The caller may have gone away.
            let _ = begun.send(());
        }
    }

    /// `false`: nobody takes it.
    async fn send(&mut self, part: Bytes, patience: Duration) -> bool {
        self.push(Piece::Part(part), patience).await
    }

    /// What was sent is all there is; without it the caller sees the answer break off.
    async fn end(&mut self, patience: Duration) {
        self.push(Piece::End, patience).await;
    }

    async fn push(&mut self, piece: Piece, patience: Duration) -> bool {
        let Some(caller) = &self.0 else { return false };
        let sent = tokio::time::timeout(patience, caller.pieces.send(piece)).await.is_ok_and(|sent| sent.is_ok());
        if !sent {
            self.0 = None;
        }
        sent
    }
}

impl Pieces {
    /// Whether an answer in parts begins; else there is a whole one.
    pub(super) async fn begin(&mut self) -> bool {
        (&mut self.begun).await.is_ok()
    }

    /// The parts; an error where they break off.
    pub(super) fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + 'static {
        stream::unfold(Some(self.pieces), |pieces| async {
            let mut pieces = pieces?;
            match pieces.recv().await {
                Some(Piece::Part(part)) => Some((Ok(part), Some(pieces))),
                Some(Piece::End) => None,
                None => Some((Err(io::Error::other("the answer broke off")), None)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(10);

    #[tokio::test]
    async fn little_is_held_for_a_reader_who_takes_nothing_and_then_it_is_cut_off() {
        let (mut sink, pieces) = way(false);
        assert!(sink.send(Bytes::from_static(b"one"), PATIENCE).await);
        assert!(sink.send(Bytes::from_static(b"two"), PATIENCE).now_or_never().is_none(), "it waits for the reader");
        assert!(!sink.send(Bytes::from_static(b"two"), PATIENCE).await);
        assert!(!sink.send(Bytes::from_static(b"three"), PATIENCE).now_or_never().unwrap(), "and for nobody any more");
        let mut stream = Box::pin(pieces.into_stream());
        assert_eq!(stream.next().await.unwrap().unwrap(), "one");
        assert!(stream.next().await.unwrap().is_err(), "it has not ended");
        assert!(stream.next().await.is_none());
    }

    #[tokio::test]
    async fn an_answer_ends_where_it_says_so() {
        let (mut sink, mut pieces) = way(false);
        sink.begin();
        assert!(pieces.begin().await);
        sink.end(PATIENCE).await;
        assert!(Box::pin(pieces.into_stream()).next().await.is_none());
        let (sink, mut pieces) = way(false);
        drop(sink);
        assert!(!pieces.begin().await, "nothing was begun");
    }
}
