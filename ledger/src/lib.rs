//! Keep what was sealed, and prove it.
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod checkpoint;
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
mod reader;
mod search;
mod storage;
mod store;
mod tree;

pub use derive::Head;
pub use error::{FileError, JournalError, LedgerError, OpenError};
pub use fsck::{Difference, Execute, Finding, Fsck, Report};
pub use index::{RecordPlace, SubmissionPlace};
pub use journal::Journal;
pub use ledger::{Ledger, Setup};
pub use metrics::Counters;
pub use reader::{LedgerReader, Proofs};
pub use search::{Cursor, Page, Query};
pub use storage::{DiskStorage, MemoryStorage, Storage};
pub use store::{Entry, MemoryStore, SledStore, Store, StoreError, Tree};

#[cfg(test)]
mod tests;
