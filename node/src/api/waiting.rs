//! Which submissions this node has taken and not yet seen sealed, so that who asks for one learns
//! that it waits. As the mempool, it is forgotten when the node stops.

use crate::limits;
use probata_types::{SubmissionId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Submissions that wait, by when they expire.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    expiries: BTreeMap<SubmissionId, Timestamp>,
    order: BTreeSet<(Timestamp, SubmissionId)>,
}

impl Waiting {
    /// Notes that a submission waits. With no room, the one that expires first gives way.
    pub(super) fn insert(&mut self, id: SubmissionId, expires_at: Timestamp) {
        if self.expiries.insert(id, expires_at).is_none() {
            self.order.insert((expires_at, id));
        }
        if self.expiries.len() > limits::WAITING_KEPT {
            let (_, first) = self.order.pop_first().expect("every submission has its place");
            self.expiries.remove(&first);
        }
        assert_eq!(self.expiries.len(), self.order.len(), "every submission has its place");
    }

    /// Forgets a submission: it is sealed.
    pub(super) fn remove(&mut self, id: &SubmissionId) {
        if let Some(expires_at) = self.expiries.remove(id) {
            self.order.remove(&(expires_at, *id));
        }
    }

    /// When a submission that waits here expires; `None` if none such waits.
    pub(super) fn expiry(&self, id: &SubmissionId) -> Option<Timestamp> {
        self.expiries.get(id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> SubmissionId {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
        SubmissionId(bytes)
    }

    #[test]
    fn it_is_bounded_and_the_first_to_expire_gives_way() {
        let mut waiting = Waiting::default();
        for n in 0..limits::WAITING_KEPT + 10 {
            waiting.insert(id(n), Timestamp::new(1_000_000 - n as u64));
        }
        assert_eq!(waiting.expiries.len(), limits::WAITING_KEPT);
        assert!(waiting.expiry(&id(0)).is_some());
        assert!(waiting.expiry(&id(limits::WAITING_KEPT + 9)).is_none());
        waiting.remove(&id(0));
        assert_eq!(waiting.expiry(&id(0)), None);
    }

    #[test]
    fn one_that_is_noted_twice_counts_once() {
        let mut waiting = Waiting::default();
        waiting.insert(id(1), Timestamp::new(5));
        waiting.insert(id(1), Timestamp::new(5));
        assert_eq!(waiting.order.len(), 1);
    }
}
