//! What is derived, in three layers: entries in memory, entries on their way to the store, the store.
//!
//! Nothing reaches the store that is not first in a synced checkpoint file as a whole, see
//! [`crate::checkpoint`]. The layers make one view: the newest entry of a key counts.
//!
//! Pages of the state tree are changed by nearly every block. In memory they are kept as they are worked with,
//! and become bytes once, by whoever writes their layer to disk.

use crate::{
    error::LedgerError,
    store::{Entry, Sorted, Store, StoreError, Tree, range},
    tree::{Page, PageCache, PageKey},
};
use probata_types::Height;
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
    /// Pages that are not yet bytes; none in a layer that was read from disk.
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

    /// Puts all new entries over those that are there.
    pub(crate) fn absorb(&mut self, new: New) {
        for (key, page) in new.pages {
            self.put_page(key, page);
        }
        for (tree, key, value) in new.entries {
            self.put(tree, key, value);
        }
        for ((tree, key), value) in new.read_again {
            self.put(tree, key, value);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.pages.len() + self.trees.iter().map(BTreeMap::len).sum::<usize>()
    }

    /// Bytes of all keys and values.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A layer as it is written: with its pages in bytes.
pub(crate) struct InBytes<'a> {
    layer: &'a Layer,
    pages: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl<'a> InBytes<'a> {
    /// The pages become bytes here.
    pub(crate) fn of(layer: &'a Layer) -> Self {
        let pages = layer.pages.iter().map(|(key, page)| (key.encode(), page.encode())).collect();
        Self { layer, pages }
    }

    /// The entries of a tree, in order.
    fn tree(&self, tree: Tree) -> &BTreeMap<Vec<u8>, Vec<u8>> {
        let in_memory = tree == Tree::Pages && !self.pages.is_empty();
        if in_memory { &self.pages } else { &self.layer.trees[tree.position()] }
    }

    /// All entries, tree by tree, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Tree, &[u8], &[u8])> {
        Tree::ALL.into_iter().flat_map(|tree| {
            self.tree(tree).iter().map(move |(key, value)| (tree, &key[..], &value[..]))
        })
    }

    /// Puts them all into a store.
    pub(crate) fn put(&self, store: &dyn Store) -> Result<(), StoreError> {
        Tree::ALL.into_iter().try_for_each(|tree| {
            let mut entries = self.tree(tree).iter().map(|(key, value)| (&key[..], &value[..]));
            let entries: &mut Sorted<'_> = &mut entries;
            store.put_sorted(tree, entries)
        })
    }
}

/// The three layers.
pub(crate) struct Layers {
    pub(crate) store: Arc<dyn Store>,
    /// What is being written to the store; dropped when all of it is there.
    pub(crate) draining: Option<Arc<Layer>>,
    /// What came since.
    pub(crate) fresh: Layer,
    /// Pages of the state tree that were read or written lately, but for those of the other layers.
    pub(crate) cache: PageCache,
    /// The last of the blocks of which nothing is derived here, from the first on; zero if there is none.
    pub(crate) missing: Height,
}

impl Layers {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let (fresh, cache) = (Layer::default(), PageCache::default());
        Self { store, draining: None, fresh, cache, missing: Height::ZERO }
    }

    pub(crate) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let draining = || self.draining.as_ref().and_then(|layer| layer.get(tree, key));
        match self.fresh.get(tree, key).or_else(draining) {
            Some(value) => Ok(Some(value.clone())),
            None => self.store.get(tree, key),
        }
    }

    /// A page that is in memory.
    pub(crate) fn page(&self, key: &PageKey) -> Option<Arc<Page>> {
        let draining = || self.draining.as_ref().and_then(|layer| layer.page(key));
        let found = self.fresh.page(key).or_else(draining).map(Arc::clone);
        found.or_else(|| self.cache.get(key))
    }

    /// Keeps the pages of a layer that is in the store now, over those that were kept of the same keys.
    pub(crate) fn keep_pages(&self, layer: &Layer) {
        for (key, page) in &layer.pages {
            self.cache.put(*key, Arc::clone(page));
        }
    }

    /// Sets the fresh layer aside, to be written.
    pub(crate) fn set_aside(&mut self) -> Arc<Layer> {
        assert!(self.draining.is_none(), "one layer drains at a time");
        let layer = Arc::new(std::mem::take(&mut self.fresh));
        self.draining = Some(Arc::clone(&layer));
        layer
    }

    /// As [`Store::scan`], over all layers. Not for pages, which layers in memory have not in bytes.
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

/// New entries, not yet part of a layer.
#[derive(Debug, Default)]
pub(crate) struct New {
    entries: Vec<(Tree, Vec<u8>, Vec<u8>)>,
    /// Those that may be asked for while the others are made.
    read_again: BTreeMap<(Tree, Vec<u8>), Vec<u8>>,
    pages: Vec<(PageKey, Arc<Page>)>,
}

/// New entries over the layers.
pub(crate) struct Draft<'a> {
    base: &'a Layers,
    new: New,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(base: &'a Layers) -> Self {
        Self { base, new: New::default() }
    }

    /// The newest value of a key, of a tree that [`is_read_again`].
    pub(crate) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        assert!(is_read_again(tree), "new entries of {} cannot be read", tree.name());
        match self.new.read_again.get(&(tree, key.to_vec())) {
            Some(value) => Ok(Some(value.clone())),
            None => Ok(self.base.get(tree, key)?),
        }
    }

    pub(crate) fn put(&mut self, tree: Tree, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        let (key, value) = (key.into(), value.into());
        if is_read_again(tree) {
            self.new.read_again.insert((tree, key), value);
        } else {
            self.new.entries.push((tree, key, value));
        }
    }

    pub(crate) fn put_page(&mut self, key: PageKey, page: Arc<Page>) {
        self.new.pages.push((key, page));
    }

    pub(crate) fn into_new(self) -> New {
        self.new
    }

    /// As [`Layers::missing`].
    pub(crate) fn missing(&self) -> Height {
        self.base.missing
    }
}

/// Whether deriving from a block reads what it has put before.
const fn is_read_again(tree: Tree) -> bool {
    matches!(tree, Tree::History | Tree::Idempotency)
}
