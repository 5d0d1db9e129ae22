//! The store on disk, in sled.
//!
//! Single inserts only: sled's `Batch` with random keys keeps some 9 kB of memory for each record and
//! never gives it back.

use super::{Entry, Store, StoreError, Tree};
use std::{
    fs,
    ops::Bound,
    path::Path,
    sync::{PoisonError, RwLock},
};

/// A sled database in a folder of its own.
#[derive(Debug)]
pub struct SledStore {
    database: sled::Db,
    trees: RwLock<Vec<sled::Tree>>,
}

impl SledStore {
    /// Opens the database in `folder`, which is made if there is none, with a page cache of
    /// `cache_bytes` (real memory is several times that). Files that sled finds damaged are removed:
    /// the ledger derives everything in them again.
    ///
    /// # Errors
    /// [`StoreError`] if the disk refuses or another process has it open.
    pub fn open(folder: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let config = sled::Config::new().path(folder).cache_capacity(cache_bytes);
        let database = match config.open() {
            Err(sled::Error::Corruption { at, .. }) => {
                tracing::warn!(?folder, ?at, "the derived store is damaged; it is made anew");
                fs::remove_dir_all(folder)
                    .map_err(|error| StoreError::Failed(error.to_string()))?;
                config.open()
            }
            other => other,
        }
        .map_err(|error| failed(&error))?;
        let trees = RwLock::new(open_trees(&database)?);
        Ok(Self { database, trees })
    }

    fn with<T>(
        &self,
        tree: Tree,
        work: impl FnOnce(&sled::Tree) -> Result<T, sled::Error>,
    ) -> Result<T, StoreError> {
        let trees = self.trees.read().unwrap_or_else(PoisonError::into_inner);
        work(&trees[tree.position()]).map_err(|error| failed(&error))
    }
}

fn failed(error: &sled::Error) -> StoreError {
    let what = error.to_string();
    match error {
        sled::Error::Corruption { .. } => StoreError::Damaged(what),
        _ => StoreError::Failed(what),
    }
}

fn open_trees(database: &sled::Db) -> Result<Vec<sled::Tree>, StoreError> {
    let open = |tree: &Tree| database.open_tree(tree.name()).map_err(|error| failed(&error));
    Tree::ALL.iter().map(open).collect()
}

impl Store for SledStore {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(tree, |sled| Ok(sled.get(key)?.map(|value| value.to_vec())))
    }

    fn put(&self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.with(tree, |sled| sled.insert(key, value).map(|_| ()))
    }

    fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        if to.is_some_and(|to| to <= from) {
            return Ok(Vec::new());
        }
        let to = to.map_or(Bound::Unbounded, Bound::Excluded);
        self.with(tree, |sled| {
            sled.range::<&[u8], _>((Bound::Included(from), to))
                .take(limit)
                .map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec())))
                .collect()
        })
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.database.flush().map(|_| ()).map_err(|error| failed(&error))
    }

    fn wipe(&self) -> Result<(), StoreError> {
        let mut trees = self.trees.write().unwrap_or_else(PoisonError::into_inner);
        for tree in Tree::ALL {
            self.database.drop_tree(tree.name()).map_err(|error| failed(&error))?;
        }
        *trees = open_trees(&self.database)?;
        self.flush()
    }
}
