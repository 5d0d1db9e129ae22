//! The store's twin in memory: for tests, and for checking a ledger.

use super::{Entry, Still, Store, StoreError, StoreView, Tree};
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, PoisonError, RwLock},
};

/// Sorted maps in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    trees: [RwLock<BTreeMap<Vec<u8>, Vec<u8>>>; Tree::ALL.len()],
}

impl Store for MemoryStore {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let map = self.trees[tree.position()].read().unwrap_or_else(PoisonError::into_inner);
        Ok(map.get(key).cloned())
    }

    fn put(&self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let mut map = self.trees[tree.position()].write().unwrap_or_else(PoisonError::into_inner);
        map.insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let map = self.trees[tree.position()].read().unwrap_or_else(PoisonError::into_inner);
        Ok(range(&map, from, to).take(limit).map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn freeze(&self) -> Option<Box<dyn StoreView>> {
        let copy = Self::default();
        for (from, to) in self.trees.iter().zip(&copy.trees) {
            let entries = from.read().unwrap_or_else(PoisonError::into_inner).clone();
            *to.write().unwrap_or_else(PoisonError::into_inner) = entries;
        }
        Some(Box::new(Still(Arc::new(copy))))
    }

    fn wipe(&self) -> Result<(), StoreError> {
        for tree in &self.trees {
            tree.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
        Ok(())
    }
}

/// The entries with `from <= key < to`; none if the bounds are the wrong way round.
fn range<'a>(
    map: &'a BTreeMap<Vec<u8>, Vec<u8>>,
    from: &[u8],
    to: Option<&'a [u8]>,
) -> impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)> {
    map.range::<[u8], _>((Bound::Included(from), Bound::Unbounded))
        .take_while(move |(key, _)| to.is_none_or(|to| key.as_slice() < to))
}
