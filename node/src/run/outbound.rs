//! What the chain asks of the world, done: frames into the mesh, fetches, log lines, metrics.

use super::peering::Peering;
use crate::{
    chain::Effect,
    handle::{ChainHandle, Command},
    limits,
    membership::Membership,
    metrics::Metrics,
    network::{Lane, MeshHandle, NodeId},
    snapshots::SnapshotWriter,
    wire::{self, Ask, Bulk, Consensus},
};
use probata_consensus::Message;
use probata_types::{Height, Millis, SealedBlock, Submission};
use std::{cell::RefCell, sync::Arc, time::Duration};

/// Obeys effects. Lives on the chain thread, where nothing of it waits.
pub(super) struct Outbound {
    /// Nodes without a vote, as the mesh has them now.
    members: RefCell<Vec<NodeId>>,
    /// Submissions that go out with the next frame.
    to_hand_on: RefCell<Vec<Submission>>,
    peering: Peering,
    mesh: MeshHandle,
    chain: ChainHandle,
    metrics: Arc<Metrics>,
    snapshots: Option<SnapshotWriter>,
    runtime: tokio::runtime::Handle,
}

impl Outbound {
    /// To be made within the runtime that fetches are to run on.
    pub(super) fn new(
        peering: Peering,
        mesh: MeshHandle,
        chain: ChainHandle,
        metrics: Arc<Metrics>,
        snapshots: Option<SnapshotWriter>,
    ) -> Self {
        let (members, to_hand_on) = (RefCell::default(), RefCell::default());
        let runtime = tokio::runtime::Handle::current();
        Self { members, to_hand_on, peering, mesh, chain, metrics, snapshots, runtime }
    }

    pub(super) fn obey_all(&self, effects: Vec<Effect>) {
        for effect in effects {
            self.obey(effect);
        }
    }

    fn obey(&self, effect: Effect) {
        match effect {
            Effect::Broadcast(message) => {
                // What a proposal names is on its way before it is.
                self.hand_on();
                self.broadcast(Lane::Consensus, Consensus::of(&message).encode(), true);
            }
            Effect::Send(to, message) => self.send(to, &message),
            Effect::Forward(submissions) => self.to_hand_on.borrow_mut().extend(submissions),
            Effect::Fetch { from, first } => self.fetch(from, first),
            Effect::Sealed { block, waited } => self.sealed(block.block(), waited),
            Effect::Announce(height) => {
                self.broadcast(Lane::Bulk, Bulk::Head(height).encode(), false);
            }
            Effect::Fault(_) => self.metrics.fault(),
            Effect::Membership(membership) => self.membership(&membership),
            Effect::Frozen(state) => {
                if let Some(writer) = &self.snapshots {
                    writer.offer(state);
                }
            }
        }
    }

    /// Sends what is to be handed on, in frames of a moderate size.
    pub(super) fn hand_on(&self) {
        for frame in wire::handed_on(self.to_hand_on.take()) {
            self.broadcast(Lane::Bulk, frame.encode(), true);
        }
    }

    fn broadcast(&self, lane: Lane, bytes: Vec<u8>, only_validators: bool) {
        let bytes: Arc<[u8]> = bytes.into();
        if let Err(error) = self.mesh.broadcast(lane, &bytes, only_validators) {
            tracing::error!(%error, "a frame could not be sent to anybody");
        }
    }

    fn send(&self, to: NodeId, message: &Message) {
        if let Err(error) =
            self.mesh.send(to, Lane::Consensus, Consensus::of(message).encode().into())
        {
            tracing::debug!(peer = %to, %error, "a message was not sent; it is repeated or not needed");
        }
    }

    fn sealed(&self, block: &SealedBlock, waited: Option<Millis>) {
        self.metrics.sealed(block, waited.map(|waited| Duration::from_millis(waited.get())));
        let header = &block.header;
        tracing::debug!(
            height = %header.height,
            view = %block.seal.view,
            records = header.record_count,
            hash = %header.hash().short(),
            "sealed"
        );
        let frame: Arc<[u8]> = Bulk::Head(header.height).encode().into();
        for member in self.members.borrow().iter() {
            // A member that is away hears of it when it is back.
            let _ = self.mesh.send(*member, Lane::Bulk, Arc::clone(&frame));
        }
    }

    fn membership(&self, membership: &Membership) {
        let peers = self.peering.peers(membership);
        let members = peers.iter().filter(|peer| !peer.validator).map(|peer| peer.node);
        *self.members.borrow_mut() = members.collect();
        if let Err(error) = self.mesh.set_peers(peers) {
            tracing::error!(%error, "the mesh keeps the peers that it had");
        }
    }

    fn fetch(&self, from: NodeId, first: Height) {
        let (mesh, chain) = (self.mesh.clone(), self.chain.clone());
        self.runtime.spawn(async move {
            let count = u32::try_from(limits::FETCH_BLOCKS).expect("a small constant");
            let ask = Ask::Blocks { first, count }.encode();
            let deadline = Duration::from_millis(limits::FETCH_DEADLINE_MS);
            let command = match mesh.request(from, ask, deadline).await {
                Err(error) => {
                    tracing::debug!(peer = %from, %error, "a fetch failed");
                    Command::FetchFailed { from }
                }
                Ok(bytes) => match tokio::task::spawn_blocking(move || wire::split_blocks(&bytes)).await {
                    Ok(Ok(blocks)) => Command::Blocks { from, blocks },
                    _ => {
                        tracing::warn!(peer = %from, "a peer answered a fetch with malformed blocks");
                        Command::FetchFailed { from }
                    }
                },
            };
            chain.send(command).await;
        });
    }
}
