//! A store that forgets what was not flushed.

use crate::seed::Seeded;
use probata_ledger::{Entry, MemoryStore, Store, StoreError, Tree};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Entries by their place.
type Entries = BTreeMap<(Tree, Vec<u8>), Vec<u8>>;

/// Trees in memory. A crash leaves what was flushed, and of what was written since any part.
#[derive(Debug, Default)]
pub struct ForgetfulStore {
    live: MemoryStore,
    /// What was written since the last flush.
    unflushed: Mutex<Entries>,
    flushed: MemoryStore,
}

impl ForgetfulStore {
    /// The store as a crash may leave it: each entry written since the last flush stays in so many cases
    /// of a thousand.
    ///
    /// # Errors
    /// Never: its memory can be read.
    pub fn after_crash(&self, stays: u64, random: &mut Seeded) -> Result<Self, StoreError> {
        let store = Self::default();
        for tree in Tree::ALL {
            for (key, value) in self.flushed.scan(tree, &[], None, usize::MAX)? {
                store.put(tree, &key, &value)?;
            }
        }
        for ((tree, key), value) in &*self.lock() {
            if random.chance(stays) {
                store.put(*tree, key, value)?;
            }
        }
        store.flush()?;
        Ok(store)
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.unflushed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for ForgetfulStore {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.live.get(tree, key)
    }

    fn put(&self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.lock().insert((tree, key.to_vec()), value.to_vec());
        self.live.put(tree, key, value)
    }

    fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.live.scan(tree, from, to, limit)
    }

    fn flush(&self) -> Result<(), StoreError> {
        for ((tree, key), value) in std::mem::take(&mut *self.lock()) {
            self.flushed.put(tree, &key, &value)?;
        }
        Ok(())
    }

    fn wipe(&self) -> Result<(), StoreError> {
        self.lock().clear();
        self.flushed.wipe()?;
        self.live.wipe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_leaves_what_was_flushed_and_any_part_of_the_rest() {
        let store = ForgetfulStore::default();
        store.put(Tree::Meta, b"a", b"1").unwrap();
        store.flush().unwrap();
        store.put(Tree::Meta, b"a", b"2").unwrap();
        store.put(Tree::Pages, b"b", b"3").unwrap();
        let get = |store: &ForgetfulStore, tree, key: &[u8]| store.get(tree, key).unwrap();
        let after = |stays| store.after_crash(stays, &mut Seeded::new(1)).unwrap();
        assert_eq!(get(&after(0), Tree::Meta, b"a").unwrap(), b"1");
        assert_eq!(get(&after(0), Tree::Pages, b"b"), None);
        assert_eq!(get(&after(1_000), Tree::Meta, b"a").unwrap(), b"2");
        assert_eq!(get(&after(1_000), Tree::Pages, b"b").unwrap(), b"3");
        store.wipe().unwrap();
        assert_eq!(get(&after(1_000), Tree::Meta, b"a"), None);
    }
}
