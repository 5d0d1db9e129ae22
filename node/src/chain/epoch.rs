//! The change from one validator set to the next (P24).

use super::{Chain, ChainError, Effect, recovery};
use crate::membership::Membership;
use probata_consensus::Replica;
use probata_types::{
    Hash, Now, View, epoch, mutated,
    state::{After, Changes, StateError},
};
use std::sync::Arc;

impl Chain {
    /// The hash of the set that seals the block after the one that made these changes.
    pub(super) fn next_validators(&self, changes: &Changes) -> Result<Hash, StateError> {
        if !Membership::is_changed_by(changes) {
            return Ok(self.membership.hash);
        }
        let after = After { state: &self.ledger, changes };
        Ok(epoch::next(&after)?.set.hash(self.genesis.suite()))
    }

    /// After a block that changed who takes part: the mesh and the edge are told, and if another set
    /// seals the next block, a replica of that set takes over. What was promised in the set before does
    /// not bind in the new one; it is on disk that its heights are sealed.
    pub(super) fn membership_changed(&mut self, now: Now) -> Result<(), ChainError> {
        let before = self.membership.epoch.number;
        if mutated!(SetChangeLate)
            && epoch::next(&self.ledger)?.first == self.ledger.head().height.next()
        {
            return Ok(());
        }
        let membership = Membership::read(&self.ledger, self.genesis.suite())?;
        self.membership = Arc::new(membership);
        self.effects.push(Effect::Membership(Arc::clone(&self.membership)));
        if self.membership.epoch.number == before {
            return Ok(());
        }
        self.begin_epoch(now)
    }

    fn begin_epoch(&mut self, now: Now) -> Result<(), ChainError> {
        let (me, keypair) = recovery::seat(&self.membership, &self.keypairs);
        let epoch = &self.membership.epoch;
        tracing::info!(
            epoch = epoch.number,
            from = %epoch.first,
            validators = epoch.set.size(),
            seat = ?me,
            "another validator set takes over"
        );
        let head = recovery::consensus_head(&self.genesis, &self.membership, &self.ledger.head());
        let mistaken = [mutated!(SetChangeLate), mutated!(ViewsKept)].contains(&true);
        if !mistaken {
            let begins = (head.height.next(), head.view);
            assert_eq!(begins, (epoch.first, View::ZERO), "an epoch begins");
        }
        let settings = recovery::settings(&self.genesis, &self.membership, me);
        let promises = self.replica.promises();
        let (replica, outputs) = Replica::new(settings, keypair, head, promises, now)?;
        (self.replica, self.me) = (replica, me);
        (self.early, self.to_execute, self.executed) = (None, None, None);
        if !self.keypairs.is_empty() {
            self.prune_journal()?;
        }
        for output in outputs {
            if let Some(input) = self.obey(now, output)? {
                self.step(now, input)?;
            }
        }
        Ok(())
    }
}
