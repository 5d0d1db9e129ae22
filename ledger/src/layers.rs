//! What is derived, in three layers: entries in memory, entries on their way to the store, the store.
//!
//! Nothing reaches the store that is not first in a synced checkpoint file as a whole, see
//! [`crate::checkpoint`]. The layers make one view: the newest entry of a key counts.
//!
//! Pages of the state tree are changed by nearly every block. In memory they are kept as they are worked with,
//! and become bytes once, when their layer goes to disk.

use crate::{
    error::LedgerError,
    store::{Entry, Store, StoreError, Tree, range},
    tree::{Page, PageCache, PageKey},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// What a page is taken to need in memory, in bytes.
const PAGE_BYTES: usize = 1_024;

/// Entries in memory.
#[derive(Debug, Default, Clone)]
pub(crate) struct Layer {
    trees: [BTreeMap<Vec<u8>, Vec<u8>>; Tree::ALL.len()],
    /// Pages that are not yet bytes; none once the layer is frozen.
    pages: HashMap<PageKey, Arc<Page>>,
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

    pub(crate) fn page(&self, key: &PageKey) -> Option<&Arc<Page>> {
        self.pages.get(key)
    }

    pub(crate) fn put_page(&mut self, key: PageKey, page: Arc<Page>) {
        if self.pages.insert(key, page).is_none() {
            self.bytes += PAGE_BYTES;
        }
    }

    /// The pages in bytes, as they are written.
    fn pages_in_bytes(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.pages.iter().map(|(key, page)| (key.encode(), page.encode())).collect()
    }

    /// Puts all entries of a newer layer over this one's.
    pub(crate) fn absorb(&mut self, newer: Self) {
        for (key, page) in newer.pages {
            self.put_page(key, page);
        }
        for (tree, entries) in Tree::ALL.into_iter().zip(newer.trees) {
            for (key, value) in entries {
                self.put(tree, key, value);
            }
        }
    }

    /// All entries of a frozen layer, tree by tree, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Tree, &Vec<u8>, &Vec<u8>)> {
        assert!(self.pages.is_empty(), "a layer is frozen before it is written");
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
        self.pages.len() + self.trees.iter().map(BTreeMap::len).sum::<usize>()
    }

    /// Bytes of all keys and values.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The pages of a fresh layer, in bytes.
pub(crate) struct Frozen(BTreeMap<Vec<u8>, Vec<u8>>);

/// The three layers.
pub(crate) struct Layers {
    pub(crate) store: Arc<dyn Store>,
    /// What is being written to the store; dropped when all of it is there.
    pub(crate) draining: Option<Arc<Layer>>,
    /// What came since.
    pub(crate) fresh: Layer,
    /// Pages of the state tree that were read or written lately, but for those of the fresh layer.
    pub(crate) cache: PageCache,
}

impl Layers {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, draining: None, fresh: Layer::default(), cache: PageCache::default() }
    }

    pub(crate) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let draining = || self.draining.as_ref().and_then(|layer| layer.get(tree, key));
        match self.fresh.get(tree, key).or_else(draining) {
            Some(value) => Ok(Some(value.clone())),
            None => self.store.get(tree, key),
        }
    }

    /// Makes ready to take the fresh layer out: its pages in bytes, and kept for whoever reads them later.
    /// Nothing that is read changes by it, so readers are not held up meanwhile.
    pub(crate) fn freeze(&self) -> Frozen {
        for (key, page) in &self.fresh.pages {
            self.cache.put(*key, Arc::clone(page));
        }
        Frozen(self.fresh.pages_in_bytes())
    }

    /// Takes the fresh layer out as it is written, right after it was frozen.
    pub(crate) fn take_fresh(&mut self, Frozen(pages): Frozen) -> Layer {
        let mut layer = std::mem::take(&mut self.fresh);
        assert_eq!(layer.pages.len(), pages.len(), "nothing came after it was frozen");
        layer.pages = HashMap::new();
        layer.trees[Tree::Pages.position()] = pages;
        layer
    }

    /// As [`Store::scan`], over all layers. Not for pages, which the fresh layer has not in bytes.
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

    pub(crate) fn put_page(&mut self, key: PageKey, page: Arc<Page>) {
        self.new.put_page(key, page);
    }

    pub(crate) fn into_layer(self) -> Layer {
        self.new
    }
}
