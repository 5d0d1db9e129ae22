//! What is derived, in three layers: entries in memory, entries on their way to the store, the store.
//!
//! Nothing reaches the store that is not first in a synced checkpoint file as a whole, see
//! [`crate::checkpoint`]. The layers make one view: the newest entry of a key counts.
//!
//! Trees that are scanned are kept in order, as sorted runs: [`Tree::is_scanned`]. Whatever else is in memory is found by
//! a hash of its key, and put in order once, by whoever writes its layer to disk; so are pages made bytes.

mod in_bytes;
mod runs;
#[cfg(test)]
mod tests;

pub(crate) use in_bytes::InBytes;

use crate::{
    error::LedgerError,
    store::{Entry, Store, StoreError, Tree},
    tree::{Page, PageCache, PageKey},
};
use probata_types::{Hash, Height};
use runs::{Run, Runs};
use std::{
    collections::{BTreeMap, HashMap},
    iter,
    sync::Arc,
};

/// Something for each tree, by [`Tree::position`].
type ByTree<T> = [T; Tree::ALL.len()];
/// Values by their keys, in no order.
type Map = HashMap<Vec<u8>, Vec<u8>>;

/// Entries in memory.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    /// Of trees that are scanned; of all trees in a layer that was read from disk, which is written and compared whole.
    runs: ByTree<Runs>,
    /// Of the others.
    maps: ByTree<Map>,
    /// What would be [`Tree::Values`].
    values: HashMap<Hash, Vec<u8>>,
    /// Pages that are not yet bytes; none in a layer that was read from disk.
    pages: HashMap<PageKey, Arc<Page>>,
    /// Of keys and values outside the runs, which count for themselves.
    bytes: usize,
}

impl Layer {
    pub(crate) fn get(&self, tree: Tree, key: &[u8]) -> Option<&Vec<u8>> {
        let digest = digest(key).filter(|_| tree == Tree::Values);
        let value = digest.and_then(|digest| self.values.get(&digest));
        let value = value.or_else(|| self.maps[tree.position()].get(key));
        value.or_else(|| self.runs[tree.position()].get(key))
    }

    /// Puts an entry as it was read from disk, where those of a tree are in order.
    pub(crate) fn put_read(&mut self, tree: Tree, key: Vec<u8>, value: Vec<u8>) {
        self.runs[tree.position()].push(Run::of(vec![(key, value)]));
    }

    /// Puts an entry of a tree that is not scanned.
    fn put(&mut self, tree: Tree, key: Vec<u8>, value: Vec<u8>) {
        let (key_bytes, value_bytes) = (key.len(), value.len());
        let old = self.maps[tree.position()].insert(key, value);
        self.count(key_bytes, value_bytes, old.as_ref());
    }

    fn put_value(&mut self, key: Hash, value: Vec<u8>) {
        let value_bytes = value.len();
        let old = self.values.insert(key, value);
        self.count(Hash::LEN, value_bytes, old.as_ref());
    }

    fn count(&mut self, key_bytes: usize, value_bytes: usize, old: Option<&Vec<u8>>) {
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
        for (key, value) in new.values {
            self.put_value(key, value);
        }
        for (runs, run) in iter::zip(&mut self.runs, new.runs) {
            runs.push(run);
        }
        for (tree, map) in iter::zip(Tree::ALL, new.maps) {
            for (key, value) in map {
                self.put(tree, key, value);
            }
        }
    }

    /// Entries; an old version of a key may be among them until its run is merged.
    pub(crate) fn len(&self) -> usize {
        let runs: usize = self.runs.iter().map(Runs::len).sum();
        let maps: usize = self.maps.iter().map(Map::len).sum();
        self.pages.len() + self.values.len() + runs + maps
    }

    /// Bytes of all keys and values of [`Self::len`] entries, without the crown.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.runs.iter().map(Runs::bytes).sum::<usize>()
    }

    /// The entries of a tree, in order, without pages that are not yet bytes.
    fn sorted(&self, tree: Tree) -> Vec<(&[u8], &[u8])> {
        let mut entries: Vec<_> = self.runs[tree.position()].range(&[], None).collect();
        if tree.is_scanned() {
            return entries;
        }
        let others = self.maps[tree.position()].iter();
        entries.extend(others.map(|(key, value)| (&key[..], &value[..])));
        if tree == Tree::Values {
            let values = self.values.iter();
            entries.extend(values.map(|(key, value)| (&key.as_bytes()[..], &value[..])));
        }
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries
    }

    /// Whether it has entries of a tree that are in no order.
    fn hides(&self, tree: Tree) -> bool {
        let elsewhere = match tree {
            Tree::Crown | Tree::Pages => !self.pages.is_empty(),
            Tree::Values => !self.values.is_empty(),
            _ => false,
        };
        elsewhere || !self.maps[tree.position()].is_empty()
    }
}

/// The digest that a key of the state's objects is.
fn digest(key: &[u8]) -> Option<Hash> {
    key.try_into().ok().map(Hash)
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

    /// As [`Store::scan`], over all layers. Trees that are not [`Tree::is_scanned`] must be in the store as a whole.
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
            assert!(!layer.hides(tree), "{} is not in order in memory", tree.name());
            let entries = layer.runs[tree.position()].range(from, to).take(limit);
            merged.extend(entries.map(|(key, value)| (key.to_vec(), value.to_vec())));
        }
        Ok(merged.into_iter().take(limit).collect())
    }
}

/// New entries, not yet part of a layer, and so made ready that they become part of it at little cost.
#[derive(Debug, Default)]
pub(crate) struct New {
    /// Of trees that are scanned.
    runs: ByTree<Run>,
    /// Of the others.
    maps: ByTree<Map>,
    /// What would be [`Tree::Values`].
    values: Vec<(Hash, Vec<u8>)>,
    pages: Vec<(PageKey, Arc<Page>)>,
}

/// New entries over the layers.
pub(crate) struct Draft<'a> {
    base: &'a Layers,
    /// Of trees that are scanned, as they come.
    batches: ByTree<Vec<Entry>>,
    /// All others.
    new: New,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(base: &'a Layers) -> Self {
        Self { base, batches: ByTree::default(), new: New::default() }
    }

    /// The newest value of a key, of a tree that is not scanned: deriving from a block reads what it has put there before.
    pub(crate) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        assert!(!tree.is_scanned(), "new entries of {} cannot be read", tree.name());
        match self.new.maps[tree.position()].get(key) {
            Some(value) => Ok(Some(value.clone())),
            None => Ok(self.base.get(tree, key)?),
        }
    }

    pub(crate) fn put(&mut self, tree: Tree, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        let (key, value) = (key.into(), value.into());
        if tree.is_scanned() {
            self.batches[tree.position()].push((key, value));
        } else {
            self.new.maps[tree.position()].insert(key, value);
        }
    }

    /// Puts an object of the state, which cannot be read before it is part of a layer.
    pub(crate) fn put_value(&mut self, key: Hash, value: Vec<u8>) {
        self.new.values.push((key, value));
    }

    pub(crate) fn put_page(&mut self, key: PageKey, page: Arc<Page>) {
        self.new.pages.push((key, page));
    }

    pub(crate) fn into_new(self) -> New {
        New { runs: self.batches.map(Run::of), ..self.new }
    }

    /// As [`Layers::missing`].
    pub(crate) fn missing(&self) -> Height {
        self.base.missing
    }
}
