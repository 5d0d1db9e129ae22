//! What peers send, checked at the edge and handed to the chain thread.

use super::refused::{Reason, Refused};
use crate::{
    bodies::Bodies,
    edge::{self, Edge},
    evidence::RecentBlocks,
    handle::{ChainHandle, Command},
    limits,
    metrics::Metrics,
    network::{Frame, MeshEvents, MeshHandle, NodeId, PeerEvent, Request},
    snapshots::Snapshots,
    wire::{self, Ask, Bulk, Found},
};
use probata_genesis::Genesis;
use probata_ledger::{LedgerError, LedgerReader};
use probata_types::{Hash, Height, Submission, codec};
use std::sync::Arc;
use tokio::{sync::mpsc, task::JoinSet};

mod consensus;
mod turns;

/// Everything that checks and answers what peers send.
#[derive(Clone)]
pub(super) struct Inbound {
    pub(super) genesis: Arc<Genesis>,
    pub(super) edge: Arc<Edge>,
    pub(super) bodies: Arc<Bodies>,
    pub(super) recent: Arc<RecentBlocks>,
    pub(super) chain: ChainHandle,
    pub(super) reader: LedgerReader,
    pub(super) snapshots: Arc<Snapshots>,
    pub(super) mesh: MeshHandle,
    pub(super) metrics: Arc<Metrics>,
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
                Ok(Bulk::Submissions(submissions)) => {
                    let Ok(permit) = Arc::clone(&checks).acquire_owned().await else { return };
                    let this = self.clone();
                    tokio::spawn(async move {
                        this.handed_on(frame.from, submissions.into_vec()).await;
                        // With the frame ends its share of what its peer may have waiting.
                        drop((permit, frame));
                    });
                }
            }
        }
    }

    /// Checks what another node handed on and offers it to the chain. From when it was checked on it is here for
    /// proposals that name it.
    async fn handed_on(&self, from: NodeId, submissions: Vec<Submission>) {
        let Ok(mut submissions) = self.edge.digested(submissions).await else { return };
        self.retain_new(&mut submissions);
        if submissions.is_empty() {
            return;
        }
        let Some(room) = self.chain.room_for_peers(edge::records_of(&submissions)).await else {
            return;
        };
        // It may have waited, and a proposal may have been sooner.
        self.retain_new(&mut submissions);
        let checked = match self.edge.receive(submissions).await {
            Ok(checked) => checked,
            Err(error) => return self.refused.note(from, Reason::Submission, &error),
        };
        let mut submissions = Vec::with_capacity(checked.len());
        for one in checked {
            match one {
                Ok(submission) => submissions.push(submission),
                Err(error) => self.refused.note(from, Reason::Submission, &error),
            }
        }
        if !submissions.is_empty() {
            self.bodies.add(submissions.iter().map(|one| (**one).clone()));
            // It removes them, unless they wait in its mempool then.
            self.chain.handed_on(submissions, room).await;
        }
    }

    /// Takes out what is here already, or was sealed of late.
    fn retain_new(&self, submissions: &mut Vec<Submission>) {
        let mut here = self.bodies.hold(submissions.iter()).into_iter();
        submissions
            .retain(|one| here.next() == Some(false) && self.recent.with(&one.id()).is_none());
    }

    async fn requests(self, mut requests: mpsc::Receiver<Request>) {
        let reads = super::checks();
        while let Some(request) = requests.recv().await {
            let ask = match Ask::decode(&request.bytes) {
                Ok(ask) => ask,
                Err(error) => {
                    self.refused.note(request.from, Reason::Request, &error);
                    continue;
                }
            };
            let Ok(permit) = Arc::clone(&reads).acquire_owned().await else { return };
            let (reader, bodies) = (self.reader.clone(), Arc::clone(&self.bodies));
            let snapshots = Arc::clone(&self.snapshots);
            tokio::task::spawn_blocking(move || {
                let response = match &ask {
                    Ask::Blocks { first, count } => read_blocks(&reader, *first, *count)
                        .map(|blocks| wire::join_blocks(&blocks)),
                    Ask::Submissions(leaves) => Ok(found(&bodies, leaves)),
                    of_snapshots => Ok(snapshots.answer(of_snapshots)),
                };
                match response {
                    // Whoever asked may have given up.
                    Ok(response) => drop(request.reply.send(response)),
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

/// Those of the submissions that wait here, as many as a response holds.
fn found(bodies: &Bodies, leaves: &[Hash]) -> Vec<u8> {
    let mut bytes = 0;
    let found = bodies.find(leaves).into_iter().flatten().take_while(|submission| {
        bytes += submission.size();
        bytes <= limits::FETCH_BYTES
    });
    let found = Found::new(found.collect()).expect("no more than were asked for");
    codec::encode(&found)
}

fn read_blocks(
    reader: &LedgerReader,
    first: Height,
    count: u32,
) -> Result<Vec<Vec<u8>>, LedgerError> {
    let mut blocks = Vec::new();
    let (mut bytes, mut height) = (0, first);
    while blocks.len() < (count as usize).min(limits::FETCH_BLOCKS) && bytes < limits::FETCH_BYTES {
        // The archive may take long, and whoever asks waits for a short time only: somebody else has it.
        if reader.is_archived(height)? {
            break;
        }
        let block = match reader.block_bytes(height) {
            // Still to come to this node: whoever asks learns that by the answer that is short.
            Err(LedgerError::NotHere { .. }) => break,
            block => block?,
        };
        let Some(block) = block else { break };
        bytes += block.len();
        blocks.push(block);
        height = height.saturating_add(1);
    }
    Ok(blocks)
}
