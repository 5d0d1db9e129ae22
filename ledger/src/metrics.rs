//! Counters of what the ledger does, for the node's metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters since the ledger was opened.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Blocks appended to the log, each with one sync.
    pub blocks: u64,
    /// Bytes appended to the log.
    pub bytes: u64,
    /// Blocks applied to the derived state, live or again.
    pub applied: u64,
    /// Older blocks entered into the derived state.
    pub older: u64,
    /// Checkpoints written, each with one sync.
    pub checkpoints: u64,
    /// Bytes of all checkpoints.
    pub checkpoint_bytes: u64,
    /// Entries written to the derived store.
    pub entries: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    blocks: AtomicU64,
    bytes: AtomicU64,
    applied: AtomicU64,
    older: AtomicU64,
    checkpoints: AtomicU64,
    checkpoint_bytes: AtomicU64,
    entries: AtomicU64,
}

impl Metrics {
    pub(crate) fn appended(&self, bytes: u64) {
        self.blocks.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn applied(&self) {
        self.applied.fetch_add(1, Relaxed);
    }

    pub(crate) fn entered(&self, blocks: u64) {
        self.older.fetch_add(blocks, Relaxed);
    }

    pub(crate) fn checkpoint(&self, bytes: u64) {
        self.checkpoints.fetch_add(1, Relaxed);
        self.checkpoint_bytes.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn stored(&self, entries: u64) {
        self.entries.fetch_add(entries, Relaxed);
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            blocks: self.blocks.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            applied: self.applied.load(Relaxed),
            older: self.older.load(Relaxed),
            checkpoints: self.checkpoints.load(Relaxed),
            checkpoint_bytes: self.checkpoint_bytes.load(Relaxed),
            entries: self.entries.load(Relaxed),
        }
    }
}
