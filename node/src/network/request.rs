//! Ask a peer for something, and answer: one stream, one request, one response.

use std::sync::Arc;
use std::time::Duration;

use libp2p::Stream;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;

use super::frame::{FrameError, read_body, read_length, write_frame};
use super::peer::Peer;
use super::{NodeId, Request};
use crate::limits::mesh::{MAX_REQUEST, MAX_RESPONSE, SERVE_TIME};

/// Why a request has no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// This is not a peer, or no longer: it may have been removed while the request was under way.
    #[error("node {0} is not a peer of this node")]
    UnknownPeer(NodeId),
    /// The request is longer than `MAX_REQUEST`.
    #[error("a request of {length} bytes where at most {limit} are allowed")]
    TooLarge {
        /// Bytes of the request.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The peer is not connected.
    #[error("the peer is not connected")]
    NotConnected,
    /// Too many requests to this peer are under way.
    #[error("too many requests to this peer are under way")]
    Busy,
    /// No response came in time.
    #[error("no response within {0:?}")]
    Deadline(Duration),
    /// The peer closed the stream instead of responding, or the connection broke.
    #[error("the peer did not respond: {0}")]
    Refused(String),
    /// The peer claims a longer response than the protocol allows. It is disconnected.
    #[error("a response of {claimed} bytes where at most {limit} are allowed")]
    OversizeResponse {
        /// Bytes claimed.
        claimed: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The mesh has stopped.
    #[error("the mesh has stopped")]
    Stopped,
}

/// An open stream for one request, and the right to have it.
#[derive(Debug)]
pub(crate) struct RequestStream {
    pub(crate) stream: Stream,
    pub(crate) permit: OwnedSemaphorePermit,
}

/// Writes a request and reads its response, of at most `most` bytes.
pub(crate) async fn ask(
    mut open: RequestStream,
    bytes: &[u8],
    most: usize,
) -> Result<Vec<u8>, RequestError> {
    let stream = &mut open.stream;
    let response = async {
        write_frame(stream, bytes).await?;
        let length = read_length(stream, most).await?;
        read_body(stream, length).await
    };
    let result = response.await.map_err(|error| match error {
        FrameError::Oversize { claimed, limit } => {
            RequestError::OversizeResponse { claimed, limit }
        }
        FrameError::Ended(error) => RequestError::Refused(error.to_string()),
    });
    drop(open.permit);
    result
}

/// Why a request was not answered.
#[derive(Debug)]
pub(crate) enum ServeError {
    /// The peer broke the framing.
    Violation,
    /// The peer left or was removed, the node gave no answer, or time ran out.
    Unanswered,
}

/// Reads one request of `peer`, has the node answer it, and writes the response. Closing the
/// stream without a response tells the peer that there is none.
pub(crate) async fn serve(
    stream: Stream,
    peer: Arc<Peer>,
    sink: mpsc::Sender<Request>,
    permit: OwnedSemaphorePermit,
) -> (NodeId, Result<(), ServeError>) {
    let result = tokio::select! {
        () = peer.removed.cancelled() => Err(ServeError::Unanswered),
        answered = timeout(SERVE_TIME, answer(stream, &peer, sink)) => {
            answered.unwrap_or(Err(ServeError::Unanswered))
        }
    };
    drop(permit);
    match &result {
        Ok(()) => peer.requests_served.add(1),
        Err(_) => peer.requests_refused.add(1),
    }
    (peer.node, result)
}

async fn answer(
    mut stream: Stream,
    peer: &Peer,
    sink: mpsc::Sender<Request>,
) -> Result<(), ServeError> {
    let length = read_length(&mut stream, MAX_REQUEST).await.map_err(|error| match error {
        FrameError::Oversize { .. } => {
            tracing::warn!(peer = %peer.node, %error, "peer broke the framing of a request");
            ServeError::Violation
        }
        FrameError::Ended(_) => ServeError::Unanswered,
    })?;
    let bytes = read_body(&mut stream, length).await.map_err(|_| ServeError::Unanswered)?;
    let (reply, answered) = oneshot::channel();
    let request = Request { from: peer.node, bytes, reply };
    sink.send(request).await.map_err(|_| ServeError::Unanswered)?;
    let response = answered.await.map_err(|_| ServeError::Unanswered)?;
    if response.len() > MAX_RESPONSE {
        tracing::error!(length = response.len(), limit = MAX_RESPONSE, "response too long to send");
        return Err(ServeError::Unanswered);
    }
    write_frame(&mut stream, &response).await.map_err(|_| ServeError::Unanswered)?;
    // A stream that is dropped unclosed is reset, and what it holds may be lost.
    futures::AsyncWriteExt::close(&mut stream).await.map_err(|_| ServeError::Unanswered)
}
