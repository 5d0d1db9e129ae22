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
                fs::remove_dir_all(folder).map_err(|error| StoreError(error.to_string()))?;
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
    StoreError(error.to_string())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn sled_and_its_twin_in_memory_do_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let sled = SledStore::open(folder.path(), 1 << 20).unwrap();
        for store in [&sled as &dyn Store, &MemoryStore::default()] {
            for key in [5u8, 1, 9, 3] {
                store.put(Tree::Search, &[key], &[key, key]).unwrap();
            }
            store.put(Tree::Records, &[3], b"other tree").unwrap();
            store.put(Tree::Search, &[3], b"new").unwrap();
            assert_eq!(store.get(Tree::Search, &[3]).unwrap().unwrap(), b"new");
            assert_eq!(store.get(Tree::Search, &[4]).unwrap(), None);
            let keys = |from: &[u8], to: Option<&[u8]>, limit| -> Vec<u8> {
                let entries = store.scan(Tree::Search, from, to, limit).unwrap();
                entries.into_iter().map(|(key, _)| key[0]).collect()
            };
            assert_eq!(keys(&[], None, 9), [1, 3, 5, 9]);
            assert_eq!(keys(&[3], Some(&[9]), 9), [3, 5]);
            assert_eq!(keys(&[3], Some(&[9]), 1), [3]);
            assert!(keys(&[9], Some(&[3]), 9).is_empty());
            store.flush().unwrap();
            store.wipe().unwrap();
            assert!(keys(&[], None, 9).is_empty());
            store.put(Tree::Search, &[7], b"after the wipe").unwrap();
            assert_eq!(keys(&[], None, 9), [7]);
        }
    }

    #[test]
    fn what_was_flushed_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path(), 1 << 20).unwrap();
        store.put(Tree::Meta, b"key", b"value").unwrap();
        store.flush().unwrap();
        drop(store);
        let store = SledStore::open(folder.path(), 1 << 20).unwrap();
        assert_eq!(store.get(Tree::Meta, b"key").unwrap().unwrap(), b"value");
    }
}
