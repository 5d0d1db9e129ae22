//! Have the proposals of each peer checked one at a time.

use crate::network::NodeId;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Semaphore;

/// The turns of the peers that have a proposal waiting or under check, and of nobody else. Each of
/// those holds a frame, so what peers may have waiting bounds this, whoever comes and goes.
#[derive(Default)]
pub(super) struct Turns {
    of_peers: BTreeMap<NodeId, Arc<Semaphore>>,
}

impl Turns {
    /// The turn of a peer, to be held for as long as a proposal of it waits or is under check.
    pub(super) fn of(&mut self, peer: NodeId) -> Arc<Semaphore> {
        // Turns are handed out here only: nobody can be about to wait for one that nobody holds.
        self.of_peers.retain(|_, turn| Arc::strong_count(turn) > 1);
        let turn = self.of_peers.entry(peer).or_insert_with(|| Arc::new(Semaphore::new(1)));
        Arc::clone(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(seed: u8) -> NodeId {
        NodeId::from_secret([seed; 32])
    }

    #[test]
    fn a_peer_has_one_turn_while_anything_of_it_waits() {
        let mut turns = Turns::default();
        let first = turns.of(id(1));
        let under_check = first.try_acquire().unwrap();
        let second = turns.of(id(1));
        assert!(Arc::ptr_eq(&first, &second) && second.try_acquire().is_err());
        assert!(turns.of(id(2)).try_acquire().is_ok(), "one peer is not in the way of another");
        drop(under_check);
        drop(first);
        let third = turns.of(id(1));
        assert!(Arc::ptr_eq(&second, &third) && third.try_acquire().is_ok());
    }

    #[test]
    fn nothing_is_kept_of_peers_that_have_nothing_waiting() {
        let mut turns = Turns::default();
        let held = turns.of(id(0));
        for seed in 1..=200 {
            drop(turns.of(id(seed)));
            assert!(turns.of_peers.len() <= 2, "the one that is held, and the last");
        }
        assert!(Arc::ptr_eq(&held, &turns.of(id(0))));
    }
}
