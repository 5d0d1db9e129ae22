//! Hold what the mesh task, the lanes and the handles share about one peer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::NodeId;
use super::channel::{Lane, PerLane};
use super::outbox::{Closed, Dropped, Outbox};
use super::stats::{Counter, LaneStats, PeerStats};
use crate::limits::mesh::{INBOX_FRAMES, REQUESTS_FROM_PEER, REQUESTS_TO_PEER};

/// A listed peer, connected or not.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) node: NodeId,
    pub(crate) lanes: PerLane<PeerLane>,
    /// One permit for each request that we may have under way to this peer.
    pub(crate) to_peer: Arc<Semaphore>,
    /// One permit for each request of this peer that we may be answering.
    pub(crate) from_peer: Arc<Semaphore>,
    pub(crate) violations: Counter,
    pub(crate) requests_sent: Counter,
    pub(crate) requests_served: Counter,
    pub(crate) requests_refused: Counter,
    /// Cancelled when it is no longer listed: ends the requests that are under way.
    pub(crate) removed: CancellationToken,
    connects: Counter,
    presence: Mutex<Presence>,
}

#[derive(Debug, Default)]
struct Presence {
    since: Option<Instant>,
    round_trip: Option<Duration>,
}

/// One lane to and from one peer.
#[derive(Debug)]
pub(crate) struct PeerLane {
    pub(crate) outbox: Outbox,
    pub(crate) inbox: Inbox,
    pub(crate) sent: Traffic,
    pub(crate) received: Traffic,
    pub(crate) dropped: Traffic,
}

/// Frames and their bytes.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    frames: Counter,
    bytes: Counter,
}

/// What one peer may make us hold on one lane before the node takes it.
#[derive(Debug)]
pub(crate) struct Inbox {
    frames: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

/// A part of an inbox, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    _permit: OwnedSemaphorePermit,
}

impl Peer {
    /// A peer that is not connected yet.
    pub(crate) fn new(node: NodeId) -> Self {
        Self {
            node,
            lanes: PerLane::new(PeerLane::new),
            to_peer: Arc::new(Semaphore::new(REQUESTS_TO_PEER)),
            from_peer: Arc::new(Semaphore::new(REQUESTS_FROM_PEER)),
            violations: Counter::default(),
            requests_sent: Counter::default(),
            requests_served: Counter::default(),
            requests_refused: Counter::default(),
            removed: CancellationToken::new(),
            connects: Counter::default(),
            presence: Mutex::default(),
        }
    }

    /// The peer is connected: take frames for it.
    pub(crate) fn connected(&self, now: Instant) {
        self.connects.add(1);
        self.with_presence(|presence| presence.since = Some(now));
        for lane in Lane::ALL {
            self.lanes.get(lane).outbox.open();
        }
    }

    /// The peer is lost: drop what waits for it.
    pub(crate) fn disconnected(&self) {
        self.with_presence(|presence| *presence = Presence::default());
        for lane in Lane::ALL {
            let lane = self.lanes.get(lane);
            lane.dropped.add_many(lane.outbox.close());
        }
    }

    /// Whether the peer is connected now.
    pub(crate) fn is_connected(&self) -> bool {
        self.with_presence(|presence| presence.since.is_some())
    }

    /// A ping came back.
    pub(crate) fn measured(&self, round_trip: Duration) {
        self.with_presence(|presence| presence.round_trip = Some(round_trip));
    }

    /// Queues a frame; what had to give way is counted.
    pub(crate) fn push(&self, lane: Lane, frame: Arc<[u8]>) -> Result<(), Closed> {
        let lane = self.lanes.get(lane);
        lane.dropped.add_many(lane.outbox.push(frame)?);
        Ok(())
    }

    /// The peer in numbers; the list says whether it is a validator.
    pub(crate) fn stats(&self, validator: bool, now: Instant) -> PeerStats {
        let (since, round_trip) = self.with_presence(|p| (p.since, p.round_trip));
        PeerStats {
            node: self.node,
            validator,
            connected_for: since.map(|since| now.saturating_duration_since(since)),
            reconnects: self.connects.get().saturating_sub(1),
            violations: self.violations.get(),
            round_trip,
            requests_sent: self.requests_sent.get(),
            requests_served: self.requests_served.get(),
            requests_refused: self.requests_refused.get(),
            consensus: self.lanes.consensus.stats(),
            bulk: self.lanes.bulk.stats(),
        }
    }

    fn with_presence<T>(&self, act: impl FnOnce(&mut Presence) -> T) -> T {
        act(&mut self.presence.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PeerLane {
    fn new(lane: Lane) -> Self {
        Self {
            outbox: Outbox::new(lane.outbox_bytes()),
            inbox: Inbox {
                frames: Arc::new(Semaphore::new(INBOX_FRAMES)),
                bytes: Arc::new(Semaphore::new(lane.inbox_bytes())),
            },
            sent: Traffic::default(),
            received: Traffic::default(),
            dropped: Traffic::default(),
        }
    }

    fn stats(&self) -> LaneStats {
        let (queued_frames, queued_bytes) = self.outbox.depth();
        LaneStats {
            sent_frames: self.sent.frames.get(),
            sent_bytes: self.sent.bytes.get(),
            received_frames: self.received.frames.get(),
            received_bytes: self.received.bytes.get(),
            dropped_frames: self.dropped.frames.get(),
            dropped_bytes: self.dropped.bytes.get(),
            queued_frames,
            queued_bytes,
        }
    }
}

impl Traffic {
    /// Counts one frame of `length` bytes.
    pub(crate) fn add(&self, length: usize) {
        self.frames.add(1);
        self.bytes.add(length as u64);
    }

    fn add_many(&self, dropped: Dropped) {
        self.frames.add(dropped.frames);
        self.bytes.add(dropped.bytes);
    }
}

impl Inbox {
    /// Waits for room for one more frame.
    pub(crate) async fn frame(&self) -> Share {
        Share::of(&self.frames, 1).await
    }

    /// Waits for room for `length` bytes.
    pub(crate) async fn bytes(&self, length: usize) -> Share {
        let length = u32::try_from(length).expect("a length was checked against its lane's limit");
        Share::of(&self.bytes, length).await
    }
}

impl Share {
    async fn of(room: &Arc<Semaphore>, permits: u32) -> Self {
        let permit = Arc::clone(room).acquire_many_owned(permits).await;
        Self { _permit: permit.expect("an inbox is never closed") }
    }
}
