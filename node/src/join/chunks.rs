//! Fetching the chunks of a snapshot from all peers at once.

use super::{
    Chosen, Ended, JoinError, Joining, Peers, blocking,
    peers::{Answer, ask},
};
use crate::{limits, network::NodeId, wire::Ask};
use probata_ledger::{SnapshotError, limits::CHUNK_MAX_BYTES};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Instant,
};
use tokio::task::JoinSet;

/// What came of asking for a chunk.
enum Outcome {
    /// It holds, and lies in the files.
    Kept,
    /// The peer does not have the snapshot.
    NotHere,
    /// The peer is away, busy or slow.
    Failed,
    /// It does not hold.
    Lie(String),
    /// It cannot be written.
    Disk(JoinError),
}

/// Chunks that are wanted and under way.
struct Fetch<'a> {
    joining: &'a Joining,
    peers: &'a mut Peers,
    chosen: &'a Chosen,
    wanted: VecDeque<usize>,
    under_way: JoinSet<(NodeId, usize, Outcome)>,
    /// How many each peer is asked for now.
    windows: BTreeMap<NodeId, usize>,
    /// Peers that said that they do not have the snapshot, or failed again and again.
    without: BTreeSet<NodeId>,
    /// How often each failed since the last chunk that holds.
    failures: BTreeMap<NodeId, usize>,
    said: Instant,
}

impl Joining {
    /// Fetches the chunks that are not there.
    pub(super) async fn fetch_chunks(
        &self,
        peers: &mut Peers,
        chosen: &Chosen,
    ) -> Result<Ended, JoinError> {
        let wanted = self.wanted(chosen).await?;
        let (count, missing) = (chosen.checks.count(), wanted.len());
        if missing < count {
            tracing::info!(
                here = count - missing,
                of = count,
                "going on with chunks that are here"
            );
        }
        let (under_way, said) = (JoinSet::new(), Instant::now());
        let (windows, without, failures) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let joining = self;
        let fetch =
            Fetch { joining, peers, chosen, wanted, under_way, windows, without, failures, said };
        fetch.run().await
    }

    /// The chunks that are not there, or do not hold as they are.
    async fn wanted(&self, chosen: &Chosen) -> Result<VecDeque<usize>, JoinError> {
        let (files, checks) = (self.files.clone(), Arc::clone(&chosen.checks));
        let wanted = blocking(move || {
            let mut wanted = VecDeque::new();
            for index in 0..checks.count() {
                if !files.has_chunk(index)? || checks.check(index, &files.chunk(index)?).is_err() {
                    wanted.push_back(index);
                }
            }
            Ok::<_, SnapshotError>(wanted)
        });
        Ok(wanted.await??)
    }
}

impl Fetch<'_> {
    async fn run(mut self) -> Result<Ended, JoinError> {
        loop {
            self.ask_more();
            if self.under_way.is_empty() {
                if self.wanted.is_empty() {
                    return Ok(Ended::Whole);
                }
                if self.is_gone() {
                    return Ok(Ended::Gone);
                }
            }
            self.say();
            tokio::select! {
                Some(ended) = self.under_way.join_next() => {
                    let (peer, index, outcome) = ended.map_err(|_| JoinError::Check)?;
                    self.settle(peer, index, outcome)?;
                }
                // Somebody may have come, or be rested.
                () = tokio::time::sleep(limits::JOIN_PAUSE) => {}
            }
        }
    }

    /// Asks every peer for as much as its window holds, in turn.
    fn ask_more(&mut self) {
        for _ in 0..limits::JOIN_WINDOW {
            for peer in self.peers.ready() {
                let window = self.windows.entry(peer).or_default();
                if self.under_way.len() >= limits::JOIN_AT_ONCE || *window >= limits::JOIN_WINDOW {
                    continue;
                }
                let Some(index) = self.wanted.pop_front() else { return };
                *window += 1;
                self.ask(peer, index);
            }
        }
    }

    fn ask(&mut self, peer: NodeId, index: usize) {
        let (mesh, files) = (self.peers.mesh(), self.joining.files.clone());
        let (digest, checks) = (self.chosen.digest, Arc::clone(&self.chosen.checks));
        self.under_way.spawn(async move {
            let number = u32::try_from(index).expect("a manifest has fewer chunks");
            let asked = Ask::SnapshotChunk { digest, index: number };
            let bounds = (CHUNK_MAX_BYTES, limits::JOIN_DEADLINE);
            let bytes = match ask(&mesh, peer, &asked, bounds).await {
                Answer::Given(bytes) => bytes,
                Answer::NotHere => return (peer, index, Outcome::NotHere),
                Answer::Broken(error) => return (peer, index, Outcome::Lie(error)),
                Answer::Failed(error) => {
                    tracing::debug!(%peer, index, %error, "a peer did not hand over a chunk");
                    return (peer, index, Outcome::Failed);
                }
            };
            let kept = blocking(move || match checks.check(index, &bytes) {
                Err(error) => Outcome::Lie(error.to_string()),
                Ok(()) => match files.put_chunk(index, &bytes) {
                    Ok(()) => Outcome::Kept,
                    Err(error) => Outcome::Disk(error.into()),
                },
            });
            (peer, index, kept.await.unwrap_or_else(Outcome::Disk))
        });
    }

    fn settle(&mut self, peer: NodeId, index: usize, outcome: Outcome) -> Result<(), JoinError> {
        if let Some(window) = self.windows.get_mut(&peer) {
            *window -= 1;
        }
        match outcome {
            Outcome::Kept => {
                self.without.clear();
                self.failures.clear();
                return Ok(());
            }
            Outcome::Disk(error) => return Err(error),
            Outcome::Lie(error) => self.peers.refuse(peer, "a chunk of a snapshot", &error),
            Outcome::Failed => {
                let failures = self.failures.entry(peer).or_default();
                *failures += 1;
                // One that never answers must not keep the others' word from counting.
                if *failures >= limits::JOIN_FAILURES {
                    self.without.insert(peer);
                }
                self.peers.rest(peer, limits::JOIN_REST);
            }
            Outcome::NotHere => {
                self.without.insert(peer);
                self.peers.rest(peer, limits::JOIN_REST);
            }
        }
        self.wanted.push_front(index);
        Ok(())
    }

    /// Whether none of those who could be asked has the snapshot, as far as can be told.
    fn is_gone(&self) -> bool {
        let peers = self.peers.trusted();
        !peers.is_empty() && peers.iter().all(|peer| self.without.contains(peer))
    }

    fn say(&mut self) {
        if self.said.elapsed() < limits::JOIN_LOG_INTERVAL {
            return;
        }
        self.said = Instant::now();
        let of = self.chosen.checks.count();
        let (done, peers) =
            (of - self.wanted.len() - self.under_way.len(), self.peers.trusted().len());
        tracing::info!(
            done,
            of,
            bytes = self.chosen.bytes,
            peers,
            "fetching the chunks of a snapshot"
        );
    }
}
