//! What peers send, checked at the edge and handed to the chain thread.

use super::refused::{Reason, Refused};
use crate::{
    edge::Edge,
    handle::{ChainHandle, Command},
    limits,
    membership::Membership,
    network::{Frame, MeshEvents, MeshHandle, NodeId, PeerEvent, Request},
    wire::{self, Ask, Bulk},
};
use probata_consensus::Message;
use probata_genesis::Genesis;
use probata_ledger::LedgerReader;
use probata_types::{Height, ValidatorSet, Verified};
use std::sync::Arc;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

mod turns;

use turns::Turns;

/// Everything that checks and answers what peers send.
#[derive(Clone)]
pub(super) struct Inbound {
    pub(super) genesis: Arc<Genesis>,
    pub(super) edge: Arc<Edge>,
    pub(super) chain: ChainHandle,
    pub(super) reader: LedgerReader,
    pub(super) mesh: MeshHandle,
    pub(super) refused: Arc<Refused>,
}

impl Inbound {
    /// Starts a task for each kind of arrival, so that none waits for another.
    pub(super) fn spawn(self, events: MeshEvents) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        tasks.spawn(self.clone().consensus(events.consensus));
        tasks.spawn(self.clone().bulk(events.bulk));
        tasks.spawn(self.clone().requests(events.requests));
        tasks.spawn(self.peers(events.peers));
        tasks
    }

    async fn consensus(self, mut frames: mpsc::Receiver<Frame>) {
        let mut status = self.chain.watch();
        let checks = super::checks();
        let mut turns = Turns::default();
        while let Some(frame) = frames.recv().await {
            let message = match Message::decode(&frame.bytes) {
                Ok(message) => message,
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
            let turns = [turns.of(frame.from), Arc::clone(&checks)];
            tokio::spawn(self.clone().proposal(frame, message, membership, turns));
        }
    }

    /// Checks a message with a proposal when its turn comes: one at a time of each peer, so that no peer's
    /// proposals are in the way of another's. The frame is kept until then and counts against its peer,
    /// which bounds how many wait.
    async fn proposal(
        self,
        frame: Frame,
        message: Message,
        membership: Arc<Membership>,
        turns: [Arc<Semaphore>; 2],
    ) {
        let [of_peer, of_all] = turns;
        let (Ok(_first), Ok(_then)) = (of_peer.acquire().await, of_all.acquire().await) else {
            return;
        };
        let (from, epoch) = (frame.from, membership.epoch.number);
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

    async fn bulk(self, mut frames: mpsc::Receiver<Frame>) {
        let checks = super::checks();
        while let Some(frame) = frames.recv().await {
            match Bulk::decode(&frame.bytes) {
                Err(error) => self.refused.note(frame.from, Reason::BulkBytes, &error),
                Ok(Bulk::Head(height)) => {
                    if !self.chain.send(Command::PeerHead { from: frame.from, height }).await {
                        return;
                    }
                }
                Ok(Bulk::Submission(submission)) => {
                    let Ok(permit) = Arc::clone(&checks).acquire_owned().await else { return };
                    let this = self.clone();
                    tokio::spawn(async move {
                        match this.edge.receive_handed_on(*submission).await {
                            Ok(submission) => {
                                let command = Command::Submit { submission, answer: None };
                                this.chain.send(command).await;
                            }
                            Err(error) => {
                                this.refused.note(frame.from, Reason::Submission, &error);
                            }
                        }
                        drop(permit);
                    });
                }
            }
        }
    }

    async fn requests(self, mut requests: mpsc::Receiver<Request>) {
        let reads = super::checks();
        while let Some(request) = requests.recv().await {
            let (first, count) = match Ask::decode(&request.bytes) {
                Ok(Ask::Blocks { first, count }) => (first, count),
                Err(error) => {
                    self.refused.note(request.from, Reason::Request, &error);
                    continue;
                }
            };
            let Ok(permit) = Arc::clone(&reads).acquire_owned().await else { return };
            let reader = self.reader.clone();
            tokio::task::spawn_blocking(move || {
                match read_blocks(&reader, first, count) {
                    // Whoever asked may have given up.
                    Ok(blocks) => drop(request.reply.send(wire::join_blocks(&blocks))),
                    Err(error) => tracing::error!(%error, "cannot read blocks for a peer"),
                }
                drop(permit);
            });
        }
    }

    async fn peers(self, mut events: mpsc::Receiver<PeerEvent>) {
        while let Some(event) = events.recv().await {
            match event {
                PeerEvent::Connected(peer) => {
                    tracing::info!(%peer, "connected");
                    let head = Bulk::Head(self.reader.head().height).encode();
                    // Lost if the peer is gone again; then it hears the next announcement.
                    let _ = self.mesh.send(peer, crate::network::Lane::Bulk, head.into());
                }
                PeerEvent::Disconnected(peer) => tracing::info!(%peer, "disconnected"),
            }
        }
    }
}

fn read_blocks(
    reader: &LedgerReader,
    first: Height,
    count: u32,
) -> Result<Vec<Vec<u8>>, probata_ledger::LedgerError> {
    let mut blocks = Vec::new();
    let (mut bytes, mut height) = (0, first);
    while blocks.len() < (count as usize).min(limits::FETCH_BLOCKS) && bytes < limits::FETCH_BYTES {
        let Some(block) = reader.block_bytes(height)? else { break };
        bytes += block.len();
        blocks.push(block);
        height = height.saturating_add(1);
    }
    Ok(blocks)
}
