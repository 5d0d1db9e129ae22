//! Move the frames of one lane over one stream: a task that writes, or a task that reads.

use std::sync::Arc;

use futures::AsyncReadExt;
use futures::io::{ReadHalf, WriteHalf};
use libp2p::Stream;
use tokio::sync::{Mutex, mpsc};

use super::channel::Lane;
use super::frame::{FrameError, read_body, read_length, write_frame};
use super::peer::{Peer, Share};
use super::{Frame, NodeId};

/// Who may work at one end of a lane. A task holds it while it lives, so the task that takes over
/// starts only when the one before has stopped, and frames keep their order.
pub(crate) type Seat = Arc<Mutex<()>>;

/// Why a lane task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The stream is over; another may follow.
    Closed,
    /// The peer broke the framing.
    Violation,
}

/// A lane task that ended.
#[derive(Debug)]
pub(crate) struct LaneEnd {
    pub(crate) node: NodeId,
    pub(crate) lane: Lane,
    pub(crate) end: End,
}

/// Sends what waits for `peer` until the stream breaks. A frame that was being written then is
/// lost whole: the reader discards a cut frame.
pub(crate) async fn write_lane(stream: Stream, peer: Arc<Peer>, lane: Lane, seat: Seat) -> LaneEnd {
    let _seat = seat.lock().await;
    let (read, write) = stream.split();
    let end = tokio::select! {
        end = watch_return_path(read) => end,
        end = drain_outbox(write, &peer, lane) => end,
    };
    LaneEnd { node: peer.node, lane, end }
}

/// Hands on the frames of `peer` until the stream ends or the peer breaks the framing. Reads no
/// further frame of this peer and lane while too many of them wait to be taken.
pub(crate) async fn read_lane(
    stream: Stream,
    peer: Arc<Peer>,
    lane: Lane,
    seat: Seat,
    sink: mpsc::Sender<Frame>,
) -> LaneEnd {
    let _seat = seat.lock().await;
    let mut stream = stream;
    let end = loop {
        match read_one(&mut stream, &peer, lane).await {
            Ok(frame) => {
                if sink.send(frame).await.is_err() {
                    break End::Closed;
                }
            }
            Err(FrameError::Ended(_)) => break End::Closed,
            Err(error @ FrameError::Oversize { .. }) => {
                tracing::warn!(peer = %peer.node, ?lane, %error, "peer broke the framing");
                break End::Violation;
            }
        }
    };
    LaneEnd { node: peer.node, lane, end }
}

async fn read_one(stream: &mut Stream, peer: &Peer, lane: Lane) -> Result<Frame, FrameError> {
    let state = peer.lanes.get(lane);
    let frame_share = state.inbox.frame().await;
    let length = read_length(stream, lane.max_frame()).await?;
    let byte_share = state.inbox.bytes(length).await;
    let bytes = read_body(stream, length).await?;
    state.received.add(length);
    Ok(Frame { from: peer.node, lane, bytes, _shares: [frame_share, byte_share] })
}

async fn drain_outbox(mut stream: WriteHalf<Stream>, peer: &Peer, lane: Lane) -> End {
    let state = peer.lanes.get(lane);
    loop {
        let frame = state.outbox.pop().await;
        // Counted as dropped if this task is stopped, or the stream breaks, before the end.
        let mut pending = Pending { peer, lane, length: Some(frame.len()) };
        if let Err(error) = write_frame(&mut stream, &frame).await {
            tracing::debug!(peer = %peer.node, ?lane, %error, "lane broke");
            return End::Closed;
        }
        pending.length = None;
        state.sent.add(frame.len());
    }
}

/// A frame that left the queue and is not known to have left the node.
struct Pending<'a> {
    peer: &'a Peer,
    lane: Lane,
    length: Option<usize>,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(length) = self.length {
            self.peer.lanes.get(self.lane).dropped.add(length);
        }
    }
}

/// Nothing comes back on a lane, so a read returns only when the peer closed the stream: without
/// it an idle writer would learn that by losing its next frame.
async fn watch_return_path(mut stream: ReadHalf<Stream>) -> End {
    match stream.read(&mut [0u8; 1]).await {
        Ok(0) | Err(_) => End::Closed,
        Ok(_) => End::Violation,
    }
}

/// Shares of an inbox that a frame gives back when it is taken and dropped.
pub(crate) type Shares = [Share; 2];
