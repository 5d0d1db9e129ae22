//! Keep what was sealed, and prove it.
//!
//! ```text
//!                 commit(block, changes)
//!                        │ checked: height, parent, history root, state root
//!                        ▼
//!   block log ◄── append + fdatasync          = committed (one sync a block)
//!                        │
//!                        ▼ derive: state tree, objects, history tree, indexes
//!   memory    ◄── one layer of entries        = visible to readers, all at once
//!                        │ every so many blocks, by a thread behind (`ledger/writer.rs`)
//!                        ▼
//!   checkpoint file ──► derived store (fjall or sled)
//! ```
//!
//! **The log is the truth; everything else follows from it.** [`Ledger::commit`] returns after the block
//! is on disk. [`Ledger::apply`] does the rest, for a block just committed and for one read back from
//! the log alike. There is one writer, [`Ledger`]; [`LedgerReader`]s are cloned and sent anywhere, and each of
//! their answers stands against one head: they share a read lock that the writer takes only to swap in
//! what it has already computed.
//!
//! # What a crash leaves
//!
//! | found on opening | done |
//! | --- | --- |
//! | a half-written last block | cut: it was not committed |
//! | blocks in the log that the store does not hold | given by [`Ledger::unapplied`], to be executed again |
//! | an interrupted checkpoint | brought to its end: its file holds all of it |
//! | a store that is empty, damaged or does not fit the log | emptied, and derived again from block 1 |
//! | damage in the log before its end | [`FileError::Corrupt`], with file and offset: restore it |
//! | older blocks in the log that the store does not hold | entered: nothing is executed (`older.rs`) |
//! | a store that is above the log | [`OpenError::LogLost`]: sealed blocks are gone, a person must look |
//!
//! The store promises little about unflushed writes, and objects are overwritten in place; so nothing
//! reaches it that is not first in a synced file as a whole (`checkpoint.rs` says why that is enough). At
//! most twice [`limits::CHECKPOINT_BLOCKS`] blocks, those of two layers, are executed again after a crash, none
//! after [`Ledger::close`].
//!
//! # What lies where
//!
//! Integers are big-endian; "canonical" is the codec of `probata_types`. Files of the [`Storage`], all of
//! frames (`frame.rs`): `blocks-HEIGHT` (magic `PBLK`, numbered by height, a sealed block each, compressed), `journal`
//! (`PJNL`, records that were synced together), `checkpoint` (`PCKP`, entries), `base` (`PBAS`, what a restored ledger began from), `archive` (`PARC`, the segments that are
//! in an archive: `archive.rs`). Trees of the [`Store`]:
//!
//! | tree | key | value |
//! | --- | --- | --- |
//! | crown | nibbles of the path u8, path | a node below the state tree's first twenty levels, digest or key and value digest: `tree/crown.rs` |
//! | pages | the same | a page below them: `tree/page.rs` |
//! | values | state key hash | canonical object |
//! | history | level u8, index u64 | digest of the complete subtree |
//! | blocks | height u64 | canonical place in the log, header, seal, bytes of each submission |
//! | contents | height u64, part u32 | for each record its id, submission, index, accepted: `contents.rs` |
//! | records | 16 bytes of the record id, rejected u8, height u64, leaf u32 | |
//! | submissions | 16 bytes of the submission id, rejected u8, height u64, index u32 | the submission id |
//! | idempotency | institution (20 bytes, zeros at the end), key | canonical submission id, accepted |
//! | search | kind u8, what is searched by, height u64 | the leaves found there, u32 each |
//! | meta | `tip` | canonical format, chain, height, hash, root node, last height that is missing |
//!
//! [`Fsck`] derives all of it again and compares. The [`Journal`] is apart: it keeps what consensus has
//! promised, and nothing of the above depends on it.
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod archive;
mod checkpoint;
mod contents;
mod derive;
mod error;
#[cfg(test)]
mod fixtures;
mod frame;
mod fsck;
mod history;
mod index;
mod journal;
mod layers;
mod ledger;
pub mod limits;
mod log;
mod metrics;
mod older;
mod reader;
mod search;
mod snapshot;
mod storage;
mod store;
mod tree;

pub use archive::{Archive, ArchivedSegment, ArchivedStorage, Moved, NoArchive, Segment};
pub use derive::Head;
pub use error::{FileError, JournalError, LedgerError, OpenError};
pub use fsck::{Difference, Execute, Finding, Fsck, FsckError, Progress, Report, Stage};
pub use index::{RecordPlace, SubmissionPlace};
pub use journal::Journal;
pub use ledger::{Ledger, Setup};
pub use metrics::Counters;
pub use older::{Older, OlderError, OlderSegment, OlderSlice};
pub use reader::{BlockLeaves, BlockPart, LedgerReader, Proofs};
pub use search::{Cursor, Page, Query};
pub use snapshot::{
    BASE_FILE, ChunkChecks, FrozenState, Manifest, Restore, SnapshotError, SnapshotFiles, Written,
    holds_blocks, restore,
};
pub use storage::{DiskStorage, MemoryStorage, Storage};
pub use store::{
    Entry, FjallStore, MemoryStore, SledStore, Sorted, Store, StoreError, StoreView, Tree,
};

#[cfg(test)]
mod tests;
