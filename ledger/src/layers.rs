//! What is derived, in three layers: entries in memory, entries on their way to the store, the store.
//!
//! Nothing reaches the store that is not first in a synced checkpoint file as a whole, see
//! [`crate::checkpoint`]. The layers make one view: the newest entry of a key counts.
//!
//! Pages and objects of the state are changed by nearly every block, in no order. In memory they are found by a
//! hash of their key, and put in order once, by whoever writes their layer to disk; so are pages made bytes.

use crate::{
    error::LedgerError,
    store::{Entry, Sorted, Store, StoreError, Tree, range},
    tree::{Page, PageCache, PageKey},
};
use probata_types::{Hash, Height};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Entries in memory.
#[derive(Debug, Default, Clone)]
pub(crate) struct Layer {
    trees: [BTreeMap<Vec<u8>, Vec<u8>>; Tree::ALL.len()],
    /// What would be [`Tree::Values`].
    values: HashMap<Hash, Vec<u8>>,
    /// Pages that are not yet bytes; none in a layer that was read from disk.
    pages: HashMap<PageKey, Arc<Page>>,
    bytes: usize,
}

impl Layer {
    pub(crate) fn get(&self, tree: Tree, key: &[u8]) -> Option<&Vec<u8>> {
        match (tree, digest(key)) {
            (Tree::Values, Some(digest)) if self.values.contains_key(&digest) => {
                self.values.get(&digest)
            }
            _ => self.trees[tree.position()].get(key),
        }
    }

    /// Puts an entry as it was read from disk.
    pub(crate) fn put_read(&mut self, tree: Tree, key: Vec<u8>, value: Vec<u8>) {
        self.bytes += key.len() + value.len();
        self.trees[tree.position()].insert(key, value);
    }

    fn put(&mut self, tree: Tree, key: Vec<u8>, value: Vec<u8>) {
        let (key_bytes, value_bytes) = (key.len(), value.len());
        let old = match (tree, digest(&key)) {
            (Tree::Values, Some(key)) => self.values.insert(key, value),
            _ => self.trees[tree.position()].insert(key, value),
        };
        match old {
            Some(old) => self.bytes = self.bytes - old.len() + value_bytes,
            None => self.bytes += key_bytes + value_bytes,
        }
    }

    pub(crate) fn page(&self, key: &PageKey) -> Option<&Arc<Page>> {
        self.pages.get(key)
    }

    pub(crate) fn put_page(&mut self, key: PageKey, page: Arc<Page>) {
        // Of the crown there are only so many, and they are in memory anyway.
        let bytes = |page: &Page| if key.is_crown() { 0 } else { page.memory() };
        self.bytes += bytes(&page);
        if let Some(old) = self.pages.insert(key, page) {
            self.bytes -= bytes(&old);
        }
    }

    fn absorb(&mut self, new: New) {
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
        self.pages.len() + self.values.len() + self.trees.iter().map(BTreeMap::len).sum::<usize>()
    }

    /// Bytes of all keys and values, without the crown.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The digest that a key of the state's objects is.
fn digest(key: &[u8]) -> Option<Hash> {
    key.try_into().ok().map(Hash)
}

/// A layer as it is written: all in order, with its pages in bytes.
pub(crate) struct InBytes<'a> {
    layer: &'a Layer,
    /// Those of the crown and those below, in order.
    pages: [Vec<Entry>; 2],
    values: Vec<(&'a Hash, &'a Vec<u8>)>,
}

impl<'a> InBytes<'a> {
    /// The pages become bytes here.
    pub(crate) fn of(layer: &'a Layer) -> Self {
        let mut sorted: Vec<(&PageKey, &Arc<Page>)> = layer.pages.iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| **key);
        let below = sorted.partition_point(|(key, _)| key.is_crown());
        let encode = |pages: &[(&PageKey, &Arc<Page>)]| {
            pages.iter().map(|(key, page)| (key.encode(), page.encode())).collect()
        };
        let pages = [encode(&sorted[..below]), encode(&sorted[below..])];
        let mut values: Vec<_> = layer.values.iter().collect();
        values.sort_unstable_by_key(|(key, _)| **key);
        Self { layer, pages, values }
    }

    /// The entries of a tree, in order. A layer has pages and objects either as they were made or as they were read.
    fn tree(&self, tree: Tree) -> impl Iterator<Item = (&[u8], &[u8])> {
        let pages: &[Entry] = match tree {
            Tree::Crown => &self.pages[0],
            Tree::Pages => &self.pages[1],
            _ => &[],
        };
        let pages = pages.iter().map(|(key, value)| (&key[..], &value[..]));
        let values = if tree == Tree::Values { &self.values[..] } else { &[] };
        let values = values.iter().map(|(key, value)| (&key.as_bytes()[..], &value[..]));
        let others = self.layer.trees[tree.position()].iter();
        pages.chain(values).chain(others.map(|(key, value)| (&key[..], &value[..])))
    }

    /// All entries, tree by tree, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Tree, &[u8], &[u8])> {
        Tree::ALL
            .into_iter()
            .flat_map(|tree| self.tree(tree).map(move |(key, value)| (tree, key, value)))
    }

    /// Puts them all into a store.
    pub(crate) fn put(&self, store: &dyn Store) -> Result<(), StoreError> {
        Tree::ALL.into_iter().try_for_each(|tree| {
            let mut entries = self.tree(tree);
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
        if key.is_crown() {
            return self.cache.get(key);
        }
        let draining = || self.draining.as_ref().and_then(|layer| layer.page(key));
        let found = self.fresh.page(key).or_else(draining).map(Arc::clone);
        found.or_else(|| self.cache.get(key))
    }

    /// Puts all new entries over those that are there.
    pub(crate) fn absorb(&mut self, new: New) {
        // The newest page of the crown is always the one that is kept.
        let crown = new.pages.iter().filter(|(key, _)| key.is_crown());
        crown.for_each(|(key, page)| self.cache.put(*key, Arc::clone(page)));
        self.fresh.absorb(new);
    }

    /// Keeps the pages of a layer that is in the store now, over those that were kept of the same keys.
    pub(crate) fn keep_pages(&self, layer: &Layer) {
        for (key, page) in &layer.pages {
            // Of the others, what is newer than the layer is found before what is kept.
            if !key.is_crown() {
                self.cache.put(*key, Arc::clone(page));
            }
        }
    }

    /// Sets the fresh layer aside, to be written.
    pub(crate) fn set_aside(&mut self) -> Arc<Layer> {
        assert!(self.draining.is_none(), "one layer drains at a time");
        let layer = Arc::new(std::mem::take(&mut self.fresh));
        self.draining = Some(Arc::clone(&layer));
        layer
    }

    /// As [`Store::scan`], over all layers. Not for pages and objects of layers that were not read from disk: those are not
    /// in order.
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
