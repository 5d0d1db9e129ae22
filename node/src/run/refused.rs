//! Keep count of what peers send and nobody can use, without letting them fill the log.

use crate::{limits, metrics::Metrics, network::NodeId};
use std::{
    collections::BTreeMap,
    fmt::Display,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// What is wrong with a frame or request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Not the bytes of a consensus message.
    ConsensusBytes,
    /// A consensus message that its validator did not sign, or whose parts contradict each other.
    ConsensusMessage,
    /// A proposal with a submission that is not well-formed or not signed.
    Proposal,
    /// Not the bytes of a bulk frame.
    BulkBytes,
    /// A submission that is not well-formed, for another chain, or not signed.
    Submission,
    /// Not the bytes of a request.
    Request,
}

impl Reason {
    const fn label(self) -> &'static str {
        match self {
            Self::ConsensusBytes => "consensus_bytes",
            Self::ConsensusMessage => "consensus_message",
            Self::Proposal => "proposal",
            Self::BulkBytes => "bulk_bytes",
            Self::Submission => "submission",
            Self::Request => "request",
        }
    }
}

/// What was refused. Everything is counted; of each peer one line an interval is logged.
pub(super) struct Refused {
    metrics: Arc<Metrics>,
    /// When each peer was last complained of, and how much was left unsaid since; at most as many as
    /// there may be peers, the one longest ago goes first.
    complaints: Mutex<BTreeMap<NodeId, (Instant, u64)>>,
}

impl Refused {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, complaints: Mutex::default() }
    }

    pub(super) fn note(&self, peer: NodeId, reason: Reason, error: &dyn Display) {
        let reason = reason.label();
        self.metrics.refused_frame(reason);
        if let Some(unsaid) = self.unsaid(peer, Instant::now()) {
            tracing::warn!(%peer, reason, %error, unsaid, "refused what a peer sent");
        }
    }

    /// How much was left unsaid of a peer, if it is time to say something.
    fn unsaid(&self, peer: NodeId, now: Instant) -> Option<u64> {
        let mut complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        match complaints.get_mut(&peer) {
            Some((at, unsaid)) if now.duration_since(*at) < limits::COMPLAINT_INTERVAL => {
                *unsaid += 1;
                None
            }
            Some(entry) => Some(std::mem::replace(entry, (now, 0)).1),
            None => {
                let oldest = complaints.iter().min_by_key(|(_, (at, _))| *at);
                if complaints.len() >= limits::mesh::MAX_PEERS
                    && let Some(oldest) = oldest.map(|(peer, _)| *peer)
                {
                    complaints.remove(&oldest);
                }
                complaints.insert(peer, (now, 0));
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_peer_is_counted_and_said_once_an_interval() {
        let refused = Refused::new(Arc::new(Metrics::new()));
        let (liar, other) = (NodeId::from_secret([1; 32]), NodeId::from_secret([2; 32]));
        let start = Instant::now();
        assert_eq!(refused.unsaid(liar, start), Some(0));
        for _ in 0..1_000 {
            assert_eq!(refused.unsaid(liar, start), None);
        }
        assert_eq!(refused.unsaid(other, start), Some(0), "one peer does not hide another");
        let later = start + limits::COMPLAINT_INTERVAL;
        assert_eq!(refused.unsaid(liar, later), Some(1_000));
        assert_eq!(refused.unsaid(liar, later), None);
    }
}
