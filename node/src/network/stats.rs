//! Count what the mesh does: plain numbers, for metrics and for people.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::NodeId;

/// The mesh at one moment. Counters only grow; those of a peer start at zero when it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeshStats {
    /// Connections from outside that were refused: strangers, too many, or a failed handshake.
    pub refused_connections: u64,
    /// One entry for each listed peer, in the order of their ids.
    pub peers: Vec<PeerStats>,
}

/// One peer at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStats {
    /// The peer.
    pub node: NodeId,
    /// Whether the peer votes.
    pub validator: bool,
    /// How long the peer has been connected; none when it is not.
    pub connected_for: Option<Duration>,
    /// Times that the peer was connected again after it was lost.
    pub reconnects: u64,
    /// Times that the peer broke the framing and was disconnected.
    pub violations: u64,
    /// The last measured round trip to the peer.
    pub round_trip: Option<Duration>,
    /// Requests sent to the peer.
    pub requests_sent: u64,
    /// Requests of the peer that were answered.
    pub requests_served: u64,
    /// Requests of the peer that were refused, or not answered in time.
    pub requests_refused: u64,
    /// The consensus lane.
    pub consensus: LaneStats,
    /// The bulk lane.
    pub bulk: LaneStats,
}

/// One lane to one peer at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneStats {
    /// Frames handed to the connection.
    pub sent_frames: u64,
    /// Bytes of those frames, without their lengths.
    pub sent_bytes: u64,
    /// Frames received whole.
    pub received_frames: u64,
    /// Bytes of those frames, without their lengths.
    pub received_bytes: u64,
    /// Frames that were accepted to be sent and were not: the queue was full, or the peer was lost.
    pub dropped_frames: u64,
    /// Bytes of those frames.
    pub dropped_bytes: u64,
    /// Frames that wait to be sent now.
    pub queued_frames: usize,
    /// Bytes of those frames.
    pub queued_bytes: usize,
}

/// A number that only grows. Each is read for itself, so no order between them is promised.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
