//! The store of what is derived from the log: named trees of sorted keys.

mod fjall;
mod memory;
mod sled;
#[cfg(test)]
mod tests;

pub use fjall::FjallStore;
pub use memory::MemoryStore;
pub use sled::SledStore;

use std::sync::Arc;

/// A key with its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Keys with their values, in ascending order of keys.
pub type Sorted<'a> = dyn Iterator<Item = (&'a [u8], &'a [u8])> + 'a;

/// A failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk refuses, another process has it open, or the engine does not go on.
    #[error("the derived store failed: {0}")]
    Failed(String),
    /// Its files are not what was written to them.
    #[error(
        "the derived store is damaged: {0}. It can be made again: see \"Checking and rebuilding\" in docs/OPERATING.md"
    )]
    Damaged(String),
}

/// The trees of the store, in the order in which they are written. The crate's page lists their
/// keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tree {
    /// The nodes below the state tree's upper levels, by path. Those levels follow from them.
    Crown,
    /// Pages of the levels below, by path.
    Pages,
    /// Objects of the state, by key hash.
    Values,
    /// Complete subtrees of the history tree, by level and index.
    History,
    /// Where each block is in the log, with its header and seal, by height.
    Blocks,
    /// The ids and places of each block's records, by height.
    Contents,
    /// Where each record is, by the beginning of its id.
    Records,
    /// Where each submission is, by the beginning of its id.
    Submissions,
    /// The submission of each idempotency key, by institution and key.
    Idempotency,
    /// What is searched by, in chain order.
    Search,
    /// What the store holds: written last.
    Meta,
}

impl Tree {
    /// All trees, in order.
    pub const ALL: [Self; 11] = [
        Self::Crown,
        Self::Pages,
        Self::Values,
        Self::History,
        Self::Blocks,
        Self::Contents,
        Self::Records,
        Self::Submissions,
        Self::Idempotency,
        Self::Search,
        Self::Meta,
    ];

    /// The name in the store and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crown => "crown",
            Self::Pages => "pages",
            Self::Values => "values",
            Self::History => "history",
            Self::Blocks => "blocks",
            Self::Contents => "contents",
            Self::Records => "records",
            Self::Submissions => "submissions",
            Self::Idempotency => "idempotency",
            Self::Search => "search",
            Self::Meta => "meta",
        }
    }

    /// Whether it is read in order, and not only by whole keys; so what is new of it must be in order in memory too. A
    /// check of the whole ledger, and a snapshot, read other trees in order as well, but only in the store.
    pub(crate) const fn is_scanned(self) -> bool {
        match self {
            Self::Blocks | Self::Contents | Self::Records | Self::Submissions | Self::Search => {
                true
            }
            Self::Crown
            | Self::Pages
            | Self::Values
            | Self::History
            | Self::Idempotency
            | Self::Meta => false,
        }
    }

    pub(crate) const fn position(self) -> usize {
        self as usize
    }
}

/// Sorted keys and values in named trees. Nothing is promised about what a crash leaves, except what was
/// written before the last [`Store::flush`] that returned.
pub trait Store: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Sets the value of a key.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be written.
    fn put(&self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Sets the values of many keys of one tree, which come in ascending order.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be written; any part of them may be then.
    fn put_sorted(&self, tree: Tree, entries: &mut Sorted<'_>) -> Result<(), StoreError> {
        for (key, value) in entries {
            self.put(tree, key, value)?;
        }
        Ok(())
    }

    /// The first `limit` entries with `from <= key < to`, in order; to the end without `to`.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Makes everything that was written durable.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be written.
    fn flush(&self) -> Result<(), StoreError>;

    /// What is there now, whatever is written later; `None` if this engine has no such view, as sled has not.
    fn freeze(&self) -> Option<Box<dyn StoreView>> {
        None
    }

    /// Removes every entry, durably.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be written.
    fn wipe(&self) -> Result<(), StoreError>;
}

/// A view of a store that stands still.
pub trait StoreView: Send {
    /// As [`Store::get`].
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// As [`Store::scan`].
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError>;
}

/// A store to which nobody writes any more.
pub(crate) struct Still(pub(crate) Arc<dyn Store>);

impl StoreView for Still {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(tree, key)
    }

    fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.0.scan(tree, from, to, limit)
    }
}
