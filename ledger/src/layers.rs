//! What is derived, in three layers: entries in memory, entries on their way to the store, the store.
//!
//! Nothing reaches the store that is not first in a synced checkpoint file as a whole, see
//! [`crate::checkpoint`]. The layers make one view: the newest entry of a key counts.

use crate::{
    error::LedgerError,
    store::{Entry, Store, StoreError, Tree, range},
};
use std::{collections::BTreeMap, sync::Arc};

/// Entries in memory.
#[derive(Debug, Default, Clone)]
pub(crate) struct Layer {
    trees: [BTreeMap<Vec<u8>, Vec<u8>>; Tree::ALL.len()],
    bytes: usize,
}

impl Layer {
    pub(crate) fn get(&self, tree: Tree, key: &[u8]) -> Option<&Vec<u8>> {
        self.trees[tree.position()].get(key)
    }

    pub(crate) fn put(&mut self, tree: Tree, key: Vec<u8>, value: Vec<u8>) {
        let (key_bytes, value_bytes) = (key.len(), value.len());
        match self.trees[tree.position()].insert(key, value) {
            Some(old) => self.bytes = self.bytes - old.len() + value_bytes,
            None => self.bytes += key_bytes + value_bytes,
        }
    }

    /// Puts all entries of a newer layer over this one's.
    pub(crate) fn absorb(&mut self, newer: Self) {
        for (tree, entries) in Tree::ALL.into_iter().zip(newer.trees) {
            for (key, value) in entries {
                self.put(tree, key, value);
            }
        }
    }

    /// All entries, tree by tree, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Tree, &Vec<u8>, &Vec<u8>)> {
        Tree::ALL.into_iter().flat_map(|tree| {
            self.trees[tree.position()].iter().map(move |(key, value)| (tree, key, value))
        })
    }

    /// The first entry after a key in the order of [`Layer::iter`]; the very first one for `None`.
    pub(crate) fn after(
        &self,
        last: Option<&(Tree, Vec<u8>)>,
    ) -> Option<(Tree, &Vec<u8>, &Vec<u8>)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = last.map_or(0, |(tree, _)| tree.position());
        Tree::ALL.into_iter().skip(from).find_map(|tree| {
            let start = match last {
                Some((at, key)) if *at == tree => Excluded(key.as_slice()),
                _ => Unbounded,
            };
            let mut entries = self.trees[tree.position()].range::<[u8], _>((start, Unbounded));
            entries.next().map(|(key, value)| (tree, key, value))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.trees.iter().map(BTreeMap::len).sum()
    }

    /// Bytes of all keys and values.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The three layers.
pub(crate) struct Layers {
    pub(crate) store: Arc<dyn Store>,
    /// What is being written to the store; dropped when all of it is there.
    pub(crate) draining: Option<Arc<Layer>>,
    /// What came since.
    pub(crate) fresh: Layer,
}

impl Layers {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, draining: None, fresh: Layer::default() }
    }

    pub(crate) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let draining = || self.draining.as_ref().and_then(|layer| layer.get(tree, key));
        match self.fresh.get(tree, key).or_else(draining) {
            Some(value) => Ok(Some(value.clone())),
            None => self.store.get(tree, key),
        }
    }

    /// As [`Store::scan`], over all layers.
    pub(crate) fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        // The first `limit` of the whole are among the first `limit` of each layer.
        let mut merged: BTreeMap<_, _> =
            self.store.scan(tree, from, to, limit)?.into_iter().collect();
        for layer in self.draining.as_deref().into_iter().chain([&self.fresh]) {
            let entries = range(&layer.trees[tree.position()], from, to).take(limit);
            merged.extend(entries.map(|(key, value)| (key.clone(), value.clone())));
        }
        Ok(merged.into_iter().take(limit).collect())
    }
}

/// New entries over the layers, not yet part of them.
pub(crate) struct Draft<'a> {
    base: &'a Layers,
    new: Layer,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(base: &'a Layers) -> Self {
        Self { base, new: Layer::default() }
    }

    pub(crate) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        match self.new.get(tree, key) {
            Some(value) => Ok(Some(value.clone())),
            None => Ok(self.base.get(tree, key)?),
        }
    }

    pub(crate) fn put(&mut self, tree: Tree, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.new.put(tree, key.into(), value.into());
    }

    pub(crate) fn into_layer(self) -> Layer {
        self.new
    }
}
