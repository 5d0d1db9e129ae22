//! The consensus lane: votes are checked in order, proposals aside, made whole first.

use super::{Inbound, turns::Turns};
use crate::{
    handle::Command,
    limits,
    membership::Membership,
    network::{Frame, NodeId},
    run::refused::Reason,
    wire::{Ask, Consensus, Found, Leaves},
};
use probata_consensus::{Message, MessageBody};
use probata_types::{Height, List, Submission, ValidatorSet, Verified, codec};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

impl Inbound {
    pub(super) async fn consensus(self, mut frames: mpsc::Receiver<Frame>) {
        let mut status = self.chain.watch();
        let checks = crate::run::checks();
        let mut turns = Turns::default();
        while let Some(frame) = frames.recv().await {
            let (message, leaves) = match Consensus::decode(&frame.bytes) {
                Ok(Consensus::Whole(message)) => (message, Leaves::empty()),
                Ok(Consensus::Named { message, leaves }) => (message, leaves),
                Err(error) => {
                    self.refused.note(frame.from, Reason::ConsensusBytes, &error);
                    continue;
                }
            };
            let membership = Arc::clone(&status.borrow_and_update().membership);
            // Of an epoch that is over: who is still there fetches blocks.
            let over = Height::new(1)..membership.epoch.first;
            if over.contains(&message.height()) {
                continue;
            }
            let epoch = membership.epoch.number;
            // Votes are cheap and are checked here, in order. What carries a proposal is checked aside, so
            // that thousands of submission signatures do not hold up the votes behind them.
            if message.proposal().is_none() {
                if let Some(message) = self.verified(frame.from, message, membership.set())
                    && let message = Box::new(message)
                    && !self.chain.send(Command::Message { message, epoch }).await
                {
                    return;
                }
                continue;
            }
            // Nor is a proposal of any use to a node that is behind: it asks for blocks, and not for what is in it.
            let nearest = self.reader.head().height.saturating_add(limits::PROPOSALS_AHEAD);
            if matches!(message.body, MessageBody::PrePrepare { height, .. } if height > nearest) {
                self.metrics.ignored();
                continue;
            }
            let turns = [turns.of(frame.from), Arc::clone(&checks)];
            tokio::spawn(self.clone().proposal(frame, (message, leaves), membership, turns));
        }
    }

    /// Checks a message with a proposal when its turn comes: one at a time of each peer, so that no peer's
    /// proposals are in the way of another's. The frame is kept until then and counts against its peer,
    /// which bounds how many wait.
    async fn proposal(
        self,
        frame: Frame,
        (message, leaves): (Message, Leaves),
        membership: Arc<Membership>,
        turns: [Arc<Semaphore>; 2],
    ) {
        let [of_peer, of_all] = turns;
        let (from, epoch) = (frame.from, membership.epoch.number);
        let Ok(_first) = of_peer.acquire().await else { return };
        let Some(message) = self.whole(from, message, &leaves).await else { return };
        let Ok(_then) = of_all.acquire().await else { return };
        let check =
            move || self.with_proposal(from, message, membership.set()).map(|it| (self, it));
        match tokio::task::spawn_blocking(check).await {
            Ok(Some((this, message))) => {
                let message = Box::new(message);
                this.chain.send(Command::Message { message, epoch }).await;
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the check of a proposal ended early"),
        }
    }

    /// The message with the submissions that it names: from here, and what is not here from its sender.
    async fn whole(&self, from: NodeId, message: Message, leaves: &Leaves) -> Option<Message> {
        if leaves.is_empty() {
            return Some(message);
        }
        let found = self.bodies.find_within(leaves, limits::NAMED_WAIT).await;
        let missing = leaves.iter().zip(&found).filter(|(_, found)| found.is_none());
        let missing: Vec<_> = missing.map(|(leaf, _)| *leaf).collect();
        let mut asked = match missing.is_empty() {
            true => Vec::new(),
            false => self.ask_for(from, missing).await?,
        }
        .into_iter();
        // What is not what was asked for does not hold the leader's signature, and is found by that.
        let whole = found.into_iter().map(|found| found.or_else(|| asked.next()));
        let whole: Vec<Submission> = whole.collect::<Option<_>>()?;
        let whole = List::new(whole).expect("as many as are named");
        Some(Consensus::fill(message, whole))
    }

    /// Asks the sender of a proposal for submissions that it names. If it does not have them either, the
    /// proposal is lost; a leader repeats its own.
    async fn ask_for(
        &self,
        from: NodeId,
        missing: Vec<probata_types::Hash>,
    ) -> Option<Vec<Submission>> {
        tracing::debug!(%from, missing = missing.len(), "a proposal names what is not here");
        self.metrics.asked_for_submissions(missing.len());
        let ask = Ask::Submissions(List::new(missing).expect("no more than are named")).encode();
        let response = self.mesh.request(from, ask, limits::NAMED_DEADLINE).await;
        let response = response
            .inspect_err(|error| tracing::debug!(%from, %error, "submissions were not handed over"))
            .ok()?;
        let decode = move || codec::decode::<Found>(&response, limits::mesh::MAX_RESPONSE);
        match tokio::task::spawn_blocking(decode).await {
            Ok(Ok(found)) => Some(found.into_vec()),
            Ok(Err(error)) => {
                self.refused.note(from, Reason::Proposal, &error);
                None
            }
            Err(_) => None,
        }
    }

    /// A message whose own signatures hold.
    fn verified(
        &self,
        from: NodeId,
        message: Message,
        set: &ValidatorSet,
    ) -> Option<Verified<Message>> {
        message
            .verify(self.genesis.suite(), &self.genesis.chain(), set)
            .inspect_err(|error| self.refused.note(from, Reason::ConsensusMessage, error))
            .ok()
    }

    /// A message whose own signatures hold, and those of the submissions in its proposal. In this order:
    /// only a validator can make this node check thousands of signatures.
    fn with_proposal(
        &self,
        from: NodeId,
        message: Message,
        set: &ValidatorSet,
    ) -> Option<Verified<Message>> {
        let message = self.verified(from, message, set)?;
        message
            .proposal()
            .map_or(Ok(()), |proposal| self.edge.check_proposal(proposal))
            .inspect_err(|error| self.refused.note(from, Reason::Proposal, error))
            .ok()?;
        Some(message)
    }
}
