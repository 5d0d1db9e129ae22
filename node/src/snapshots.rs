//! The snapshots that a node keeps: it writes them while it runs, and hands them to those who join.
//!
//! Each is a folder of `data/snapshots`, named by its height. One without a manifest was not written to its end, and
//! is removed; one that is in the way of a newer one loses its manifest first.

use crate::{
    limits,
    metrics::Metrics,
    wire::{self, Ask, Offer},
};
use probata_ledger::{DiskStorage, FrozenState, Manifest, SnapshotError, SnapshotFiles, Written};
use probata_types::{Hash, Height};
use std::{
    cell::Cell,
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Instant,
};

/// Why a snapshot cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The folder cannot be used.
    #[error("the folder {0} cannot be used: {1}")]
    Folder(PathBuf, #[source] io::Error),
    /// The snapshot cannot be read or written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

/// The snapshots of a folder.
pub struct Snapshots {
    folder: PathBuf,
    chain: Hash,
    kept: RwLock<BTreeMap<Height, Arc<Kept>>>,
}

struct Kept {
    files: SnapshotFiles,
    offer: Offer,
}

impl Snapshots {
    /// The whole snapshots of a chain in a folder, which need not be there. What a crash left of others is removed.
    ///
    /// # Errors
    /// [`KeepError`] if the disk refuses.
    pub fn open(folder: &Path, chain: Hash) -> Result<Self, KeepError> {
        let mut kept = BTreeMap::new();
        for height in heights(folder)? {
            let files = files(folder, height)?;
            match files.manifest() {
                Ok(manifest) if manifest.height() == height && manifest.header().chain == chain => {
                    let offer = offer(&files, &manifest)?;
                    kept.insert(height, Arc::new(Kept { files, offer }));
                }
                Err(SnapshotError::Missing(_)) => {
                    tracing::info!(%height, "removing a snapshot that was not written to its end");
                    remove(folder, height, &files)?;
                }
                Ok(_) => tracing::warn!(%height, "a snapshot of something else is not served"),
                Err(error) => tracing::warn!(%height, %error, "a damaged snapshot is not served"),
            }
        }
        Ok(Self { folder: folder.to_owned(), chain, kept: RwLock::new(kept) })
    }

    /// The newest one.
    pub fn newest(&self) -> Option<Offer> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.last_key_value().map(|(_, kept)| kept.offer)
    }

    /// The response to a request about snapshots. What has gone meanwhile, or cannot be read, is not here; nor is
    /// anything else that is asked.
    pub fn answer(&self, ask: &Ask) -> Vec<u8> {
        let found = match ask {
            Ask::Blocks { .. } | Ask::Submissions(_) => None,
            Ask::SnapshotOffer => self.newest().map(|offer| offer.encode()),
            Ask::SnapshotManifest { digest, part } => self.read(digest, |files| {
                let bytes = files.manifest_bytes()?;
                let part = bytes.chunks(limits::MANIFEST_PART_BYTES).nth(*part as usize);
                Ok(part.unwrap_or_default().to_vec())
            }),
            Ask::SnapshotBlock(digest) => self.read(digest, SnapshotFiles::block_bytes),
            Ask::SnapshotChunk { digest, index } => {
                self.read(digest, |files| files.chunk(*index as usize))
            }
        };
        wire::given(found.as_deref())
    }

    fn read(
        &self,
        digest: &Hash,
        read: impl FnOnce(&SnapshotFiles) -> Result<Vec<u8>, SnapshotError>,
    ) -> Option<Vec<u8>> {
        let kept = {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            kept.values().find(|kept| kept.offer.digest == *digest).map(Arc::clone)
        }?;
        match read(&kept.files) {
            Ok(bytes) => Some(bytes),
            // Removed while it was asked for, or no such chunk.
            Err(SnapshotError::Missing(_)) => None,
            Err(error) => {
                let height = kept.offer.height;
                tracing::error!(%height, %error, "cannot read a snapshot for a peer");
                None
            }
        }
    }

    /// Writes a snapshot, and removes those beyond the newest `keep`. It takes half of the time to rest.
    ///
    /// # Errors
    /// [`KeepError`]; what was written is no snapshot then.
    pub fn write(&self, frozen: &FrozenState, keep: usize) -> Result<Written, KeepError> {
        let height = frozen.height();
        let files = files(&self.folder, height)?;
        let since = Cell::new(Instant::now());
        let written = frozen.write(&files, &|_| {
            thread::sleep(since.get().elapsed().min(limits::SNAPSHOT_REST_MAX));
            since.set(Instant::now());
        });
        if let Err(error) = &written
            && !matches!(error, SnapshotError::Exists)
        {
            // On a full disk the next one would find no room either. What is there of it is of no use to anybody.
            remove(&self.folder, height, &files)?;
        }
        let written = written?;
        let manifest = files.manifest()?;
        assert_eq!(manifest.header().chain, self.chain, "a chain freezes its own state");
        let offer = offer(&files, &manifest)?;
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.insert(height, Arc::new(Kept { files, offer }));
        while kept.len() > keep.max(1) {
            kept.pop_first();
        }
        let oldest = kept.first_key_value().map_or(height, |(oldest, _)| *oldest);
        drop(kept);
        // Those that could not be served are in the way as well.
        for height in heights(&self.folder)?.into_iter().filter(|height| *height < oldest) {
            self.remove(height)?;
        }
        Ok(written)
    }

    /// Removes a snapshot that is not kept any more. Whoever reads it meanwhile finds it gone.
    fn remove(&self, height: Height) -> Result<(), KeepError> {
        match files(&self.folder, height) {
            Ok(files) => remove(&self.folder, height, &files),
            // Somebody reads it just now: it goes with the next one.
            Err(KeepError::Folder(_, error)) if error.kind() == io::ErrorKind::ResourceBusy => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn holds(&self, height: Height) -> bool {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).contains_key(&height)
    }
}

/// The thread that writes snapshots; it ends when this is dropped, after what it is writing.
pub struct SnapshotWriter(SyncSender<FrozenState>);

impl SnapshotWriter {
    /// Starts the thread.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn start(
        snapshots: Arc<Snapshots>,
        keep: usize,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        // Nothing waits in it: what waits holds old data in the store.
        let (sender, states) = sync_channel::<FrozenState>(0);
        thread::Builder::new().name("snapshot".into()).spawn(move || {
            for state in states {
                write_one(&snapshots, &state, keep, &metrics);
            }
        })?;
        Ok(Self(sender))
    }

    /// Has a snapshot written, unless the one before is not ready.
    pub fn offer(&self, state: FrozenState) {
        let height = state.height();
        match self.0.try_send(state) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                tracing::warn!(%height, "no snapshot: the one before is still being written; raise snapshot.every");
            }
            Err(TrySendError::Disconnected(_)) => {
                tracing::error!("nobody writes snapshots any more")
            }
        }
    }
}

fn write_one(snapshots: &Snapshots, state: &FrozenState, keep: usize, metrics: &Metrics) {
    let (height, started) = (state.height(), Instant::now());
    // After a crash the same height can come again.
    if snapshots.holds(height) {
        return;
    }
    match snapshots.write(state, keep) {
        Ok(Written { chunks, bytes, hash, .. }) => {
            metrics.snapshot_written(height);
            let seconds = started.elapsed().as_secs();
            tracing::info!(%height, block = %hash, chunks, bytes, seconds, "wrote a snapshot");
        }
        Err(error) => {
            metrics.snapshot_failed();
            tracing::error!(%height, %error, "a snapshot was not written");
        }
    }
}

fn offer(files: &SnapshotFiles, manifest: &Manifest) -> Result<Offer, SnapshotError> {
    let count = |n: usize| u32::try_from(n).expect("bounded by the limits of a manifest");
    Ok(Offer {
        height: manifest.height(),
        header: manifest.header().hash(),
        digest: manifest.digest(),
        chunks: count(manifest.chunks()),
        manifest_bytes: count(files.manifest_bytes()?.len()),
    })
}

fn path(folder: &Path, height: Height) -> PathBuf {
    folder.join(format!("{:016}", height.get()))
}

fn files(folder: &Path, height: Height) -> Result<SnapshotFiles, KeepError> {
    let path = path(folder, height);
    let storage = DiskStorage::open(&path).map_err(|error| KeepError::Folder(path, error))?;
    Ok(SnapshotFiles::new(Arc::new(storage)))
}

fn remove(folder: &Path, height: Height, files: &SnapshotFiles) -> Result<(), KeepError> {
    files.clear()?;
    let path = path(folder, height);
    fs::remove_dir_all(&path).map_err(|error| KeepError::Folder(path, error))
}

/// The heights that folders are named by.
fn heights(folder: &Path) -> Result<Vec<Height>, KeepError> {
    let refused = |error| KeepError::Folder(folder.to_owned(), error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(refused)?,
    };
    let mut heights = Vec::new();
    for entry in entries {
        let name = entry.map_err(refused)?.file_name();
        let number = name.to_str().and_then(|name| name.parse::<u64>().ok());
        let height = number.filter(|number| *number <= Height::MAX.get()).map(Height::new);
        heights.extend(height.filter(|height| path(folder, *height).ends_with(&name)));
    }
    Ok(heights)
}

#[cfg(test)]
mod tests;
