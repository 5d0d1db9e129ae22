//! What a check found.

use crate::{
    error::{FileError, LedgerError, hex},
    limits::FSCK_FINDINGS,
    store::{StoreError, Tree},
};
use probata_types::{Height, seal::SealError};
use std::fmt;

/// What a check found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// The first block whose body was checked: 1, unless the ledger began from a snapshot, or blocks are in an archive that
    /// cannot be read.
    pub from: Height,
    /// The last block of the log.
    pub log: Height,
    /// The last block that was checked: less than that of the log if one is so wrong that nothing after it means anything.
    pub checked: Height,
    /// The first block that was executed again; `None` if none was. Of those before it, what came of their records is
    /// taken from what is sealed.
    pub state_from: Option<Height>,
    /// The height whose sealed state root was compared with the objects in the derived store, because they could not be
    /// derived again; `None` if all could.
    pub state_at: Option<Height>,
    /// The last block that was not checked because it is in the archive, which cannot be read now.
    pub archived_to: Option<Height>,
    /// Blocks that were checked.
    pub blocks: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of the log that they take.
    pub bytes: u64,
    /// The height of the derived store; `None` if it is empty.
    pub derived: Option<Height>,
    /// Entries of the derived store that were compared.
    pub compared: u64,
    /// Entries of the derived store that were not, because they tell of blocks before the first one.
    pub skipped: u64,
    /// Bytes at the log's end that a crash left; opening the ledger cuts them.
    pub torn: u64,
    /// What is wrong, the first [`FSCK_FINDINGS`] of it.
    pub findings: Vec<Finding>,
    /// How much more is wrong.
    pub more: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn add(&mut self, finding: Finding) {
        if self.findings.len() < FSCK_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// What is there, or `None` after entering the damage.
    pub(super) fn found<T>(
        &mut self,
        result: Result<T, FileError>,
    ) -> Result<Option<T>, FileError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(FileError::Corrupt { file, offset, what }) => {
                self.add(Finding::Damaged { file, offset, what });
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// The same for what is in the derived store.
    pub(super) fn derived<T>(
        &mut self,
        result: Result<T, LedgerError>,
    ) -> Result<Option<T>, LedgerError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(
                error @ (LedgerError::Derived { .. } | LedgerError::Store(StoreError::Damaged(_))),
            ) => {
                self.add(Finding::State(error.to_string()));
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// The log, the checkpoint or the base is damaged.
    #[error("{file} is damaged at byte {offset}: {what}")]
    Damaged {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// A block contradicts itself, the one before, or its execution.
    #[error("block {height}: {what}")]
    Block {
        /// The block.
        height: Height,
        /// What is wrong with it.
        what: String,
    },
    /// A block's seal does not hold.
    #[error("block {height}: {error}")]
    Seal {
        /// The block.
        height: Height,
        /// Why not.
        error: SealError,
    },
    /// The derived store is above the log: sealed blocks are lost.
    #[error("the derived store stands at block {derived}, the log ends at {log}")]
    LogLost {
        /// Last block of the log.
        log: Height,
        /// Last block that was applied.
        derived: Height,
    },
    /// What the ledger began from is not proven by the genesis document.
    #[error("the base, block {height}: {what}")]
    Base {
        /// Of the base.
        height: Height,
        /// What is wrong with it.
        what: String,
    },
    /// The state, which cannot be derived again from what is here, is not the sealed one.
    #[error("the state: {0}")]
    State(String),
    /// An entry of the derived store is wrong.
    #[error("the derived store, tree {}, key {key}: the entry is {difference}", tree.name())]
    Entry {
        /// The tree.
        tree: Tree,
        /// The key, in hex.
        key: String,
        /// How it is wrong.
        difference: Difference,
    },
}

impl Finding {
    pub(super) fn entry(tree: Tree, key: &[u8], difference: Difference) -> Self {
        Self::Entry { tree, key: hex(key), difference }
    }
}

/// How an entry of the derived store is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// It should be there.
    Missing,
    /// It should not be there.
    Extra,
    /// It has another value.
    Different,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Extra => "one too many",
            Self::Different => "another one than the log gives",
        })
    }
}
