//! Fetching older blocks behind a node that began from a snapshot, slowly enough that nobody notices.
//!
//! From the first block that is here down: each is believed for its hash, which the one above names, and for its seal;
//! who hands over another one is named and not asked again. After each answer the task rests three times as long as the answer
//! took, so a node spends a quarter of a connection and of a core on it at most, and so do those whom it asks.

use crate::{
    handle::{ChainHandle, Command},
    join::Peers,
    limits,
    metrics::Metrics,
    network::{MeshHandle, NodeId},
    wire::{self, Ask},
};
use probata_ledger::{LedgerError, LedgerReader, Older, OlderError, OlderSegment};
use probata_types::{Height, SealedBlock};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// What fills up the ledger.
pub(super) struct Backfill {
    pub(super) reader: LedgerReader,
    pub(super) chain: ChainHandle,
    pub(super) mesh: MeshHandle,
    pub(super) metrics: Arc<Metrics>,
}

/// Why it ends before all is here.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("a thread ended unexpectedly")]
    Thread,
    /// The node stops.
    #[error("the chain thread takes no more")]
    Stopped,
}

/// Whom is asked, and for how much at once.
struct Asking {
    peers: Peers,
    turn: usize,
    /// How each peer has served, so that one that serves badly slows down itself alone. At most one entry for each node.
    served: BTreeMap<NodeId, Served>,
}

/// How a peer has served.
#[derive(Clone, Copy)]
struct Served {
    /// Blocks of one request: fewer where they are large, since an answer must reach up to what is here.
    count: u64,
    /// Requests in a row of which nothing came.
    failures: u32,
}

/// What a peer's answer came to.
enum Taken {
    /// So many blocks hold.
    Blocks(u64),
    /// It does not have them, or nothing that can be used now.
    Nothing,
}

impl Backfill {
    /// Runs until every block is here.
    pub(super) async fn run(self) {
        match self.fill().await {
            Ok(()) | Err(Ended::Stopped) => {}
            // The node goes on as it is; at the next start it is tried again.
            Err(error) => tracing::error!(%error, "older blocks are fetched no more"),
        }
    }

    async fn fill(&self) -> Result<(), Ended> {
        let peers = Peers::new(self.mesh.clone(), Arc::clone(&self.metrics));
        let mut asking = Asking { peers, turn: 0, served: BTreeMap::new() };
        let (begun, started) = (self.reader.history_from(), Instant::now());
        while let Some(older) = self.reader.older()? {
            let segment = self.gather(&mut asking, older).await?;
            self.enter(segment).await?;
            let from = self.reader.history_from();
            tracing::info!(%from, "older blocks are here");
        }
        if begun > Height::new(1) {
            let seconds = started.elapsed().as_secs();
            tracing::info!(
                blocks = begun.get() - 1,
                seconds,
                "every block since the first is here"
            );
        }
        Ok(())
    }

    /// Gathers a segment and writes it to the log.
    async fn gather(&self, asking: &mut Asking, mut older: Older) -> Result<OlderSegment, Ended> {
        while !older.is_full() {
            let started = Instant::now();
            let Some(peer) = asking.next_peer() else {
                tokio::time::sleep(limits::OLDER_PAUSE).await;
                continue;
            };
            let taken;
            (older, taken) = self.ask(asking, peer, older).await?;
            match taken {
                Taken::Blocks(count) => asking.has_served(peer, count),
                Taken::Nothing => asking.has_failed(peer),
            }
            let work = started.elapsed();
            tokio::time::sleep((work * limits::OLDER_REST_SHARE).min(limits::OLDER_REST)).await;
        }
        blocking(move || older.write()).await?.map_err(Ended::Ledger)
    }

    /// Asks a peer for the blocks that come next, and takes those that hold.
    async fn ask(
        &self,
        asking: &mut Asking,
        peer: NodeId,
        mut older: Older,
    ) -> Result<(Older, Taken), Ended> {
        let last = older.next();
        let first = Height::new(last.get().saturating_sub(asking.of(peer).count - 1).max(1));
        let count = u32::try_from(last.get() - first.get() + 1).expect("bounded by FETCH_BLOCKS");
        let deadline = Duration::from_millis(limits::FETCH_DEADLINE_MS);
        let ask = Ask::Blocks { first, count }.encode();
        let bytes = match self.mesh.request(peer, ask, deadline).await {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::debug!(%peer, %error, "a peer did not hand over older blocks");
                return Ok((older, Taken::Nothing));
            }
        };
        let blocks = match blocking(move || wire::split_blocks(&bytes)).await? {
            Ok(blocks) => blocks,
            Err(error) => {
                asking.peers.refuse(peer, "older blocks", &error);
                return Ok((older, Taken::Nothing));
            }
        };
        if blocks.len() < count as usize {
            // What is there ends below: so many fit an answer, or the peer itself lacks them.
            asking.of(peer).count = (blocks.len() as u64).max(1);
            let fits = !blocks.is_empty();
            return Ok((older, if fits { Taken::Blocks(0) } else { Taken::Nothing }));
        }
        let checked;
        (older, checked) = blocking(move || {
            let checked = add_all(&mut older, &blocks);
            (older, checked)
        })
        .await?;
        match checked {
            Ok(count) => Ok((older, Taken::Blocks(count))),
            Err(OlderError::Ledger(error)) => Err(error.into()),
            Err(error @ OlderError::Wrong { .. }) => {
                asking.peers.refuse(peer, "older blocks", &error);
                Ok((older, Taken::Nothing))
            }
        }
    }

    /// Has the chain thread enter what is written, a slice after the other.
    async fn enter(&self, mut segment: OlderSegment) -> Result<(), Ended> {
        loop {
            let started = Instant::now();
            let slice;
            (segment, slice) = blocking(move || {
                let slice = segment.next_slice();
                (segment, slice)
            })
            .await?;
            let Some(slice) = slice? else { return Ok(()) };
            let (done, entered) = oneshot::channel();
            if !self.chain.send(Command::Older { slice, done }).await {
                return Err(Ended::Stopped);
            }
            entered.await.map_err(|_| Ended::Stopped)?;
            tokio::time::sleep(started.elapsed() * limits::OLDER_REST_SHARE).await;
        }
    }
}

impl Asking {
    /// Whoever is next of those who may be asked.
    fn next_peer(&mut self) -> Option<NodeId> {
        let ready = self.peers.ready();
        self.turn = self.turn.wrapping_add(1);
        ready.get(self.turn.checked_rem(ready.len())?).copied()
    }

    fn of(&mut self, peer: NodeId) -> &mut Served {
        let new = Served { count: limits::OLDER_FIRST_BLOCKS, failures: 0 };
        self.served.entry(peer).or_insert(new)
    }

    /// Asks for more after an answer that was whole.
    fn has_served(&mut self, peer: NodeId, taken: u64) {
        let served = self.of(peer);
        served.failures = 0;
        if taken == served.count {
            served.count = (2 * served.count).min(limits::FETCH_BLOCKS as u64);
        }
    }

    /// Lets a peer be, twice as long each time.
    fn has_failed(&mut self, peer: NodeId) {
        let served = self.of(peer);
        let rest = limits::OLDER_REST.saturating_mul(1 << served.failures.min(16));
        served.failures += 1;
        self.peers.rest(peer, rest.min(limits::OLDER_REST_MAX));
    }
}

/// Takes blocks from the last to the first.
fn add_all(older: &mut Older, blocks: &[SealedBlock]) -> Result<u64, OlderError> {
    let mut taken = 0;
    for block in blocks.iter().rev() {
        older.add(block)?;
        taken += 1;
    }
    Ok(taken)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Ended> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Ended::Thread)
}

#[cfg(test)]
mod tests;
