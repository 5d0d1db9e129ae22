//! The state tree: the sparse Merkle tree of [`probata_types::sparse`], kept in pages.
//!
//! A block's changes go in sorted, in one recursive pass that loads and hashes each touched node
//! once. A page whose nodes do not hash to the node above it, because it is damaged or one of another height, is found
//! out when it is loaded. The pages of the upper levels, the *crown*, are in memory.

mod assemble;
mod cache;
pub(crate) mod crown;
mod page;

pub(crate) use assemble::{Assembled, assemble, with_nibble};
pub(crate) use cache::PageCache;
pub(crate) use page::{Page, PageKey};

use crate::{
    error::LedgerError,
    layers::{Draft, Layers},
    store::{Entry, Store, StoreError, Tree},
};
use page::{OpenPage, PAGE_LEVELS};
use probata_types::{
    Hash, List, Suite,
    sparse::{self, SparseEnd, SparsePath},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Levels whose pages are in memory: with twenty, a tree of fifteen million keys has one page more on most ways.
const CROWN_LEVELS: usize = 20;

/// A node, as the shape of the tree has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Node {
    /// A subtree without keys.
    Empty,
    /// A subtree with one key.
    Leaf {
        /// The key.
        key: Hash,
        /// The digest of its value.
        value: Hash,
    },
    /// A subtree with more keys: its digest.
    Inner(Hash),
}

impl Node {
    /// The digest that stands in the node above, or is the root.
    pub(crate) fn digest(&self, suite: Suite) -> Hash {
        match self {
            Self::Empty => sparse::empty(suite),
            Self::Leaf { key, value } => sparse::leaf(suite, key, value),
            Self::Inner(digest) => *digest,
        }
    }
}

/// What a set of changes does to the tree, not yet written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Update {
    /// The root before.
    pub(crate) before: Node,
    /// The root after.
    pub(crate) after: Node,
    /// Each once.
    pages: Pages,
}

impl Update {
    /// Of no changes.
    pub(crate) const fn none(root: Node) -> Self {
        Self { before: root, after: root, pages: Vec::new() }
    }

    /// Puts the changed pages into a draft.
    pub(crate) fn put(&self, draft: &mut Draft<'_>) {
        for (key, page) in &self.pages {
            draft.put_page(*key, Arc::clone(page));
        }
    }
}

/// Computes what `changes` (value digests by key, in ascending order of keys) do to the tree under `root`.
pub(crate) fn update(
    suite: Suite,
    layers: &Layers,
    root: Node,
    changes: &[(Hash, Hash)],
) -> Result<Update, LedgerError> {
    assert!(changes.is_sorted_by(|(one, _), (next, _)| one < next), "each key once, in order");
    let mut pass = Pass::new(suite, layers);
    let after = pass.update_page(root, 0, changes)?;
    Ok(Update { before: root, after, pages: pass.pages })
}

/// The whole subtree of some keys (value digests, ascending) that all lie below one node at `depth`, where a page
/// begins: that node, and the pages below it. The same pass that live blocks go through, over nothing.
pub(crate) fn subtree(
    suite: Suite,
    depth: usize,
    keys: &[(Hash, Hash)],
) -> Result<(Node, Pages), LedgerError> {
    let nothing = Layers::new(Arc::new(crate::store::MemoryStore::default()));
    let mut pass = Pass::new(suite, &nothing);
    let node = pass.update_page(Node::Empty, depth, keys)?;
    Ok((node, pass.pages))
}

/// Pages with their places.
pub(crate) type Pages = Vec<(PageKey, Arc<Page>)>;

/// Puts pages into a store: of those of the crown what is below them.
pub(crate) fn put_pages<'a>(
    store: &dyn Store,
    pages: impl IntoIterator<Item = &'a (PageKey, Arc<Page>)>,
) -> Result<(), StoreError> {
    let mut below: Vec<&(PageKey, Arc<Page>)> =
        pages.into_iter().filter(|(key, _)| !key.is_crown()).collect();
    below.sort_unstable_by_key(|(key, _)| *key);
    let encoded: Vec<Entry> =
        below.iter().map(|(key, page)| (key.encode(), page.encode())).collect();
    let mut entries = encoded.iter().map(|(key, page)| (&key[..], &page[..]));
    store.put_sorted(Tree::Pages, &mut entries)?;
    crown::put_inner(store, &below)
}

/// The path of a key under `root`.
pub(crate) fn prove(
    suite: Suite,
    layers: &Layers,
    root: Node,
    key: &Hash,
) -> Result<SparsePath, LedgerError> {
    let (mut node, mut depth) = (root, 0);
    let mut siblings = Vec::new();
    let (mut page, mut at) = (Box::<OpenPage>::default(), 1);
    while let Node::Inner(digest) = node {
        if depth % PAGE_LEVELS == 0 {
            load(suite, layers, key, depth, &digest)?.open(&mut page);
            at = 1;
        }
        let right = usize::from(sparse::bit(key, depth));
        siblings.push(page.digest(suite, 2 * at + (1 - right)));
        at = 2 * at + right;
        node = page.get(suite, at);
        depth += 1;
        if depth == 8 * Hash::LEN && matches!(node, Node::Inner(_)) {
            return Err(damaged(key, depth, "a node lies deeper than keys are long"));
        }
    }
    siblings.reverse();
    let end = match node {
        Node::Leaf { key: found, .. } if found == *key => SparseEnd::Present,
        Node::Leaf { key, value } => SparseEnd::Other { key, value_hash: value },
        Node::Empty | Node::Inner(_) => SparseEnd::Empty,
    };
    let siblings = List::new(siblings).expect("a path has at most one sibling for each bit");
    Ok(SparsePath { end, siblings })
}

/// The value digest of a key under `root`, if it is there. Nothing is hashed for it but what a page that must be loaded
/// holds.
pub(crate) fn find(
    suite: Suite,
    layers: &Layers,
    root: Node,
    key: &Hash,
) -> Result<Option<Hash>, LedgerError> {
    let (mut node, mut depth) = match layers.cache.below_crown(key) {
        Some(node) => (node, CROWN_LEVELS),
        None => (root, 0),
    };
    loop {
        match node {
            Node::Empty => return Ok(None),
            Node::Leaf { key: found, value } => return Ok((found == *key).then_some(value)),
            Node::Inner(digest) => {
                node = load(suite, layers, key, depth, &digest)?.on_the_way(key, depth);
                depth += PAGE_LEVELS;
            }
        }
        if depth == 8 * Hash::LEN && matches!(node, Node::Inner(_)) {
            return Err(damaged(key, depth, "a node lies deeper than keys are long"));
        }
    }
}

/// The page below the node of `key` at `depth`, whose digest is `digest`.
fn load(
    suite: Suite,
    layers: &Layers,
    key: &Hash,
    depth: usize,
    digest: &Hash,
) -> Result<Arc<Page>, LedgerError> {
    let place = PageKey::new(key, depth);
    // What is in memory was computed here, or checked when it was read.
    if let Some(page) = layers.page(&place).filter(|page| page.above() == digest) {
        return Ok(page);
    }
    if place.is_crown() {
        return Err(damaged(key, depth, "a page of the crown does not fit the node above it"));
    }
    let bytes = layers.get(Tree::Pages, &place.encode())?;
    let page = bytes.and_then(|bytes| Page::decode(suite, &bytes));
    let page = page.ok_or_else(|| damaged(key, depth, "the page is missing or malformed"))?;
    if page.above() != digest {
        return Err(damaged(key, depth, "the page does not hash to the node above it"));
    }
    let page = Arc::new(page);
    layers.cache.put(place, Arc::clone(&page));
    Ok(page)
}

fn damaged(key: &Hash, depth: usize, what: &str) -> LedgerError {
    let place = PageKey::new(key, depth);
    LedgerError::derived(place.tree(), &place.encode(), what)
}

/// One pass over the tree.
struct Pass<'a> {
    suite: Suite,
    layers: &'a Layers,
    /// Changed pages. The pass comes by each once.
    pages: Pages,
    /// Open pages to be used again: as many as the pass was ever deep.
    #[expect(clippy::vec_box, reason = "a page is three kilobytes, which are not to be moved")]
    spare: Vec<Box<OpenPage>>,
}

impl<'a> Pass<'a> {
    const fn new(suite: Suite, layers: &'a Layers) -> Self {
        Self { suite, layers, pages: Vec::new(), spare: Vec::new() }
    }

    /// The node at `depth`, where a page begins, after `changes`: sorted, and all below that node.
    fn update_page(
        &mut self,
        node: Node,
        depth: usize,
        changes: &[(Hash, Hash)],
    ) -> Result<Node, LedgerError> {
        let Some(((key, _), _)) = changes.split_first() else { return Ok(node) };
        let mut page = self.spare.pop().unwrap_or_default();
        match &node {
            Node::Inner(digest) => {
                load(self.suite, self.layers, key, depth, digest)?.open(&mut page);
            }
            Node::Empty | Node::Leaf { .. } => page.clear(),
        }
        page.set(1, node);
        self.update_node((&mut page, 1), depth, changes)?;
        let after = page.get(self.suite, 1);
        // What is as it was needs no writing, and a node that is no inner one has nothing below it.
        if after != node && matches!(after, Node::Inner(_)) {
            self.pages.push((PageKey::new(key, depth), Arc::new(page.close(self.suite))));
        }
        self.spare.push(page);
        Ok(after)
    }

    /// Puts `changes` below the node at a position of a page, which is at `depth`.
    fn update_node(
        &mut self,
        (page, at): (&mut OpenPage, usize),
        depth: usize,
        changes: &[(Hash, Hash)],
    ) -> Result<(), LedgerError> {
        if let Some((key, value)) = page.leaf(at) {
            // The leaf sinks: it goes down with the changes, unless one of them replaces it.
            page.set(at, Node::Empty);
            if let Err(place) = changes.binary_search_by(|(other, _)| other.cmp(&key)) {
                let mut all = changes.to_vec();
                all.insert(place, (key, value));
                return self.update_node((page, at), depth, &all);
            }
        }
        match changes {
            [] => return Ok(()),
            [(key, value)] if !page.is_inner(at) => {
                page.set(at, Node::Leaf { key: *key, value: *value });
                return Ok(());
            }
            _ => {}
        }
        page.set_inner(at);
        let middle = changes.partition_point(|(key, _)| !sparse::bit(key, depth));
        let (left, right) = changes.split_at(middle);
        self.update_child((page, 2 * at), depth + 1, left)?;
        self.update_child((page, 2 * at + 1), depth + 1, right)
    }

    fn update_child(
        &mut self,
        (page, at): (&mut OpenPage, usize),
        depth: usize,
        changes: &[(Hash, Hash)],
    ) -> Result<(), LedgerError> {
        if changes.is_empty() {
            return Ok(());
        }
        if !depth.is_multiple_of(PAGE_LEVELS) {
            return self.update_node((page, at), depth, changes);
        }
        let after = self.update_page(page.get(self.suite, at), depth, changes)?;
        page.set(at, after);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
