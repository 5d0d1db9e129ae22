//! What can go wrong, told apart by what has to be done about it.

use crate::{
    archive::Archived,
    store::{StoreError, Tree},
};
use probata_types::{Hash, Height, state::StateError};
use std::{fmt, io};

/// A failure of a file of the storage.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused: a full or broken disk.
    #[error("cannot {doing} {file}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        file: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The content is not what was written: never the torn tail of a crash, which is cut.
    #[error("{file} is damaged at byte {offset}: {what}")]
    Corrupt {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// The file is in the archive, which cannot be read now. Nothing is lost.
    #[error(
        "{file}, with the blocks {first} to {last}, is in the archive, which cannot be read now: {reason}. Make the \
         archive reachable, or bring its segments back with `probata-node archive undo`"
    )]
    Archived {
        /// The file.
        file: String,
        /// Its first block.
        first: Height,
        /// Its last block.
        last: Height,
        /// Why it cannot be read.
        reason: String,
    },
    /// An earlier write failed, so that nobody knows what the disk holds: open it again.
    #[error("{file} is not written any more, because an earlier write failed")]
    Stopped {
        /// The file.
        file: String,
    },
    /// More than one frame may hold.
    #[error("{got} bytes are more than the {max} that {file} takes at once")]
    TooLong {
        /// The file.
        file: String,
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
}

impl FileError {
    pub(crate) fn io(doing: &'static str, file: &str, source: io::Error) -> Self {
        match source.get_ref().and_then(|inner| inner.downcast_ref::<Archived>()) {
            Some(Archived { first, last, reason }) => Self::archived(file, (*first, *last), reason),
            None => Self::Io { doing, file: file.to_owned(), source },
        }
    }

    pub(crate) fn archived(
        file: &str,
        (first, last): (Height, Height),
        reason: &dyn fmt::Display,
    ) -> Self {
        Self::Archived { file: file.to_owned(), first, last, reason: reason.to_string() }
    }

    pub(crate) fn corrupt(file: &str, offset: u64, what: impl Into<String>) -> Self {
        Self::Corrupt { file: file.to_owned(), offset, what: what.into() }
    }
}

/// A failure of the journal. [`FileError::Corrupt`] means that promises are forgotten: the validator must
/// not vote.
pub type JournalError = FileError;

/// A failure of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The log: a full, broken or damaged disk.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store of what is derived.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is derived is not what this software wrote: open the ledger without it, and it is rebuilt.
    #[error("the derived store is damaged: tree {}, key {key}: {what}", tree.name())]
    Derived {
        /// The tree of the store.
        tree: Tree,
        /// The key, in hex.
        key: String,
        /// What is wrong.
        what: String,
    },
    /// Fatal: this node computes something else than what is sealed. Nothing of the block was written
    /// by `commit`; whoever sees it on `apply` runs software that judges otherwise than the validators did.
    #[error("block {height}: the sealed {what} is {sealed}, this node computes {computed}")]
    Mismatch {
        /// The block.
        height: Height,
        /// Which value.
        what: &'static str,
        /// As sealed.
        sealed: Hash,
        /// As computed here.
        computed: Hash,
    },
    /// A block that is not the next one.
    #[error("block {got} was given, the next one is {expected}")]
    WrongHeight {
        /// The next one.
        expected: Height,
        /// The one given.
        got: Height,
    },
    /// A block was to be applied that is not the next one of the log.
    #[error("block {0} is not the next block of the log that is to be applied")]
    NotInLog(Height),
    /// Blocks of the log are not yet applied; `unapplied` tells which.
    #[error("the log holds blocks up to {log}, only those up to {applied} are applied")]
    Behind {
        /// Last block of the log.
        log: Height,
        /// Last one applied.
        applied: Height,
    },
    /// A write failed after which memory and disk may differ: open the ledger again.
    #[error("the ledger is stopped, because an earlier write failed; open it again")]
    Stopped,
    /// A thread of the ledger cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
    /// A proof was asked for before the first block, or of a height that the newest header does not cover.
    #[error("block {height} is not covered by the history of block {head}")]
    NotCovered {
        /// The height asked for.
        height: Height,
        /// The newest block.
        head: Height,
    },
    /// More than one request may ask for.
    #[error("{got} items were asked for at once, {max} are allowed")]
    TooMany {
        /// Items asked for.
        got: usize,
        /// Items allowed.
        max: usize,
    },
    /// Blocks that this node does not have yet: it began from a snapshot.
    #[error("this node has the history from block {from} on; what is before is still to come")]
    NotHere {
        /// The first block that is here.
        from: Height,
    },
    /// A cursor that no page of such a query has given.
    #[error("this is not a cursor of such a query")]
    Cursor,
}

impl LedgerError {
    pub(crate) fn derived(tree: Tree, key: &[u8], what: impl Into<String>) -> Self {
        Self::Derived { tree, key: hex(key), what: what.into() }
    }
}

impl From<LedgerError> for StateError {
    fn from(error: LedgerError) -> Self {
        Self(error.to_string())
    }
}

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Reading failed, or the log is damaged before its end.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The folder holds another chain.
    #[error("the folder holds the chain {found}, the configuration names {expected}")]
    OtherChain {
        /// The chain of the folder.
        found: Hash,
        /// The chain asked for.
        expected: Hash,
    },
    /// A snapshot was not restored to its end: there is no ledger yet.
    #[error("restoring the snapshot of block {0} was not finished: restore again")]
    RestoreUnfinished(Height),
    /// The derived state is gone, and the log does not reach back far enough to derive it again.
    #[error(
        "the derived state is missing or damaged, and the log begins at block {0}: it cannot be derived \
         again. Empty the data folder but for the journal, and restore a snapshot again"
    )]
    StateLost(Height),
    /// Fatal: the log has lost blocks that were sealed here.
    #[error(
        "the log ends at block {log}, but block {derived} was applied here: the log has lost sealed \
         blocks. Restore the log; or move the derived store away, to go on from block {log} and \
         fetch the others from peers, and keep the validator from voting until it has them"
    )]
    LogLost {
        /// Last block of the log.
        log: Height,
        /// Last block that was applied.
        derived: Height,
    },
}

impl From<FileError> for OpenError {
    fn from(error: FileError) -> Self {
        Self::Ledger(error.into())
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Ledger(error.into())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).expect("below 16"));
        }
        text
    })
}
