//! The archive: where whole segments of the block log go when they are old.
//!
//! ```text
//!   log folder:  archive (what went)   blocks-…7001  blocks-…8210 …     headers, seals, state and proofs
//!                   │                                                    stay in the derived store
//!                   ▼
//!   archive:     blocks-…0001-HASH  blocks-…3117-HASH …                 whole files, never changed
//! ```
//!
//! **One storage.** [`ArchivedStorage`] stands before the log folder and looks as if every segment were there: a segment
//! that is not is read from the [`Archive`], a part at a time. So the log, its readers and the check of a ledger are
//! the same with an archive and without. What cannot be read now is an error of its own, [`FileError::Archived`]: never
//! "no such block".
//!
//! **Nothing is lost on the way.** A segment is removed from the folder when the archive has given all of it back and the list
//! says so, durably; on the way back it leaves the list when it is in the folder. Between the two it is in both
//! places, and the folder counts.

mod list;
mod moves;
mod storage;
mod windows;

pub use list::ArchivedSegment;
pub use moves::{Moved, Segment};
pub use storage::ArchivedStorage;

use probata_types::Height;
use std::io;

/// Where archived segments are: objects that are written once, and read in parts. Reading waits, but no longer than
/// whoever implements it says.
pub trait Archive: Send + Sync {
    /// Keeps an object, in place of one that has its name. It is durable when this returns.
    ///
    /// # Errors
    /// Why it could not be kept.
    fn put(&self, object: &str, bytes: Vec<u8>) -> io::Result<()>;

    /// Exactly `length` bytes of an object from `offset`.
    ///
    /// # Errors
    /// Why they cannot be read now: the archive is not reachable, slow, or has no such object.
    fn read(&self, object: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;
}

/// For a node whose configuration names no archive.
#[derive(Debug, Clone, Copy)]
pub struct NoArchive;

impl Archive for NoArchive {
    fn put(&self, _: &str, _: Vec<u8>) -> io::Result<()> {
        Err(none())
    }

    fn read(&self, _: &str, _: u64, _: usize) -> io::Result<Vec<u8>> {
        Err(none())
    }
}

fn none() -> io::Error {
    io::Error::other("node.toml names no archive: set archive.url")
}

/// Why a file cannot be read now. Within [`io::Error`], as the storage gives it.
#[derive(Debug, thiserror::Error)]
#[error("it is in the archive, and cannot be read from there now: {reason}")]
pub(crate) struct Archived {
    pub(crate) first: Height,
    pub(crate) last: Height,
    pub(crate) reason: io::Error,
}
