//! Joining from peers: a snapshot, fetched from all of them at once and believed of none.
//!
//! ```text
//!   offers of all peers ─► what most have ─► manifest and block, of one peer, checked from the genesis document
//!                                              │ says what each chunk must come to
//!                                              ▼
//!   chunks of any peers, a window each ─► each checked as it comes ─► `data/join`, file by file ─► restored
//! ```
//!
//! Whoever hands over what does not hold is named in the log and in `probata_refused_peers`, and not asked again. What is
//! there and holds is kept over a restart. If a snapshot is gone everywhere, another one is chosen.

mod choose;
mod chunks;
mod peers;

pub(crate) use peers::Peers;

use crate::{limits, metrics::Metrics, network::MeshHandle};
use probata_genesis::Genesis;
use probata_ledger::{ChunkChecks, Manifest, SnapshotError, SnapshotFiles};
use probata_types::Hash;
use std::{sync::Arc, time::Duration};

/// Why joining cannot go on. What peers do is never the reason: others are waited for.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The disk fails.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A thread of the runtime panicked.
    #[error("checking what a peer sent ended unexpectedly")]
    Check,
}

/// What is joined, and by what.
pub struct Joining {
    /// The mesh, by which peers are asked.
    pub mesh: MeshHandle,
    /// What all nodes agree on.
    pub genesis: Arc<Genesis>,
    /// Where the snapshot is gathered.
    pub files: SnapshotFiles,
    /// The hash of the block that the operator was told, if any.
    pub expected: Option<Hash>,
    /// Counts who hands over what does not hold.
    pub metrics: Arc<Metrics>,
    /// How long peers may be there without offering any snapshot: [`limits::JOIN_PATIENCE`].
    pub patience: Duration,
}

/// A snapshot that was chosen: its manifest is checked, and lies in the files with its block.
struct Chosen {
    digest: Hash,
    checks: Arc<ChunkChecks>,
    bytes: u64,
}

impl Chosen {
    fn of(manifest: &Manifest) -> Result<Self, SnapshotError> {
        let (digest, bytes) = (manifest.digest(), manifest.bytes());
        Ok(Self { digest, checks: Arc::new(manifest.chunk_checks()?), bytes })
    }
}

/// How fetching the chunks of a snapshot ended.
enum Ended {
    /// All are there.
    Whole,
    /// No peer has this snapshot any more.
    Gone,
}

impl Joining {
    /// Gathers a snapshot; `false` if peers are there and none of them has any, so that blocks are all there is.
    ///
    /// # Errors
    /// [`JoinError`].
    pub async fn gather(&self) -> Result<bool, JoinError> {
        let mut peers = Peers::new(self.mesh.clone(), Arc::clone(&self.metrics));
        let mut chosen = self.begun().await?;
        loop {
            let next = match chosen.take() {
                Some(begun) => begun,
                None => match self.choose(&mut peers).await? {
                    Some(next) => next,
                    None => return Ok(false),
                },
            };
            match self.fetch_chunks(&mut peers, &next).await? {
                Ended::Whole => return Ok(true),
                Ended::Gone => tracing::warn!(
                    snapshot = %next.digest.short(),
                    "no peer has the snapshot any more; another one is chosen"
                ),
            }
        }
    }

    /// The snapshot that an earlier start began to gather, if it is still wanted.
    async fn begun(&self) -> Result<Option<Chosen>, JoinError> {
        let (genesis, expected) = (Arc::clone(&self.genesis), self.expected);
        let files = self.files.clone();
        blocking(move || {
            let manifest = match files.manifest() {
                Ok(manifest) => manifest,
                Err(SnapshotError::Missing(_)) => return Ok(None),
                Err(error) => return begin_anew(&files, &error),
            };
            let held = check(&genesis, expected, &manifest)
                .and_then(|()| manifest.check_block(&files.block()?));
            match held {
                Ok(()) => Ok(Some(Chosen::of(&manifest)?)),
                Err(error) => begin_anew(&files, &error),
            }
        })
        .await?
        .map_err(JoinError::Snapshot)
    }
}

/// Removes what cannot be gone on with.
fn begin_anew(
    files: &SnapshotFiles,
    error: &SnapshotError,
) -> Result<Option<Chosen>, SnapshotError> {
    tracing::warn!(%error, "what was fetched of a snapshot is of no use; it is removed");
    files.clear()?;
    Ok(None)
}

/// Checks all of a manifest, and that it is of the block that the operator was told.
fn check(
    genesis: &Genesis,
    expected: Option<Hash>,
    manifest: &Manifest,
) -> Result<(), SnapshotError> {
    manifest.check(genesis.suite(), &genesis.chain(), &genesis.initial_state())?;
    let got = manifest.header().hash();
    match expected.filter(|expected| *expected != got) {
        Some(expected) => Err(SnapshotError::OtherBlock { got, expected }),
        None => Ok(()),
    }
}

/// Does what takes time or a disk on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| JoinError::Check)
}

/// Bytes of a response beside what is given.
const GIVEN_HEAD: usize = 1;
const _: () = assert!(
    limits::MANIFEST_PART_BYTES + GIVEN_HEAD <= limits::mesh::MAX_RESPONSE
        && probata_ledger::limits::CHUNK_MAX_BYTES + GIVEN_HEAD <= limits::mesh::MAX_RESPONSE
        && probata_types::limits::BLOCK_BYTES + GIVEN_HEAD <= limits::mesh::MAX_RESPONSE,
    "what is asked for fits a response"
);

#[cfg(test)]
pub(crate) mod tests;
