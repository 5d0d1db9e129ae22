//! The crown: the pages of the upper levels. They are all in memory; the store has only the nodes at their *foot*, from which
//! they follow.
//!
//! A change of one key changes a page of 700 bytes at each of these levels, and one node at the foot. Below each path of
//! [`CROWN_LEVELS`] bits stands a leaf if there is one key with that path, wherever in the crown that leaf is, and an inner
//! node if there are more.

use super::{
    CROWN_LEVELS, Node, Pages,
    assemble::{put_above, with_nibble},
    page::{OpenPage, PAGE_LEVELS, Page, PageKey},
};
use crate::{
    error::LedgerError,
    layers::Layers,
    store::{Entry, Store, StoreError, Tree},
};
use probata_types::{Hash, Suite};
use std::{collections::HashMap, iter, sync::Arc, vec};

/// Nibbles of the path of a node at the foot.
const NIBBLES: u8 = 5;
const _: () = assert!(NIBBLES as usize * PAGE_LEVELS == CROWN_LEVELS);
/// Entries that are read at once.
const READ: usize = 4_096;

/// The node at the foot on the way of a key that was changed, where `pages` are all that changed with it. `None` in a tree
/// of one key, which has no pages.
pub(crate) fn foot(pages: &HashMap<PageKey, Arc<Page>>, key: &Hash) -> Option<Entry> {
    if let Some(page) = pages.get(&PageKey::new(key, CROWN_LEVELS)) {
        return Some(entry(key, &Node::Inner(*page.above())));
    }
    let leaf = (0..CROWN_LEVELS).step_by(PAGE_LEVELS).find_map(|depth| {
        let node = pages.get(&PageKey::new(key, depth))?.on_the_way(key, depth);
        matches!(node, Node::Leaf { .. }).then_some(node)
    });
    leaf.map(|leaf| entry(key, &leaf))
}

/// Puts the inner nodes at the foot into a store: those above the uppermost pages that are not of the crown.
pub(super) fn put_inner(
    store: &dyn Store,
    pages: &[&(PageKey, Arc<Page>)],
) -> Result<(), StoreError> {
    let uppermost = pages.iter().filter(|(key, _)| key.depth() == CROWN_LEVELS);
    let inner = uppermost.map(|(key, page)| entry(key.path(), &Node::Inner(*page.above())));
    put(store, inner.collect())
}

/// Puts the leaves at the foot into a store, of the subtree at so many nibbles with these keys (value digests, ascending).
pub(crate) fn put_leaves(
    store: &dyn Store,
    nibbles: u8,
    keys: &[(Hash, Hash)],
) -> Result<(), StoreError> {
    if nibbles > NIBBLES {
        // A part of what is below one node at the foot, which is an inner one.
        return Ok(());
    }
    let place = |key: &Hash| PageKey::new(key, CROWN_LEVELS);
    let groups = keys.chunk_by(|(one, _), (next, _)| place(one) == place(next));
    let leaves = groups.filter_map(|group| match group {
        [(key, value)] => Some(entry(key, &Node::Leaf { key: *key, value: *value })),
        _ => None,
    });
    put(store, leaves.collect())
}

fn put(store: &dyn Store, mut entries: Vec<Entry>) -> Result<(), StoreError> {
    entries.sort_unstable();
    store.put_sorted(Tree::Crown, &mut entries.iter().map(|(key, value)| (&key[..], &value[..])))
}

/// Whose key is that of the page below, whether there is one or not.
fn entry(path: &Hash, node: &Node) -> Entry {
    let value = match node {
        Node::Leaf { key, value } => [key.0, value.0].concat(),
        Node::Inner(digest) => digest.0.to_vec(),
        Node::Empty => Vec::new(),
    };
    (PageKey::new(path, CROWN_LEVELS).encode(), value)
}

fn parse(value: &[u8]) -> Option<Node> {
    let (parts, odd) = value.as_chunks::<{ Hash::LEN }>();
    match parts {
        [digest] if odd.is_empty() => Some(Node::Inner(Hash(*digest))),
        [key, value] if odd.is_empty() => Some(Node::Leaf { key: Hash(*key), value: Hash(*value) }),
        _ => None,
    }
}

/// Makes the crown under `root` of what the store has at its foot, and keeps it in memory.
///
/// # Errors
/// [`LedgerError::Derived`] if it comes to another root.
pub(crate) fn grow(suite: Suite, layers: &Layers, root: Node) -> Result<(), LedgerError> {
    let read = Vec::new().into_iter().peekable();
    let mut growth = Growth { suite, store: &*layers.store, read, last: None, pages: Vec::new() };
    let grown = growth.node(&Hash::ZERO, 0)?;
    if growth.peek()?.is_some() || grown != root {
        return Err(LedgerError::derived(Tree::Crown, &[], "it does not come to the root"));
    }
    for (key, page) in growth.pages {
        layers.cache.put(key, page);
    }
    Ok(())
}

struct Growth<'a> {
    suite: Suite,
    store: &'a dyn Store,
    /// The next entries of the foot.
    read: iter::Peekable<vec::IntoIter<Entry>>,
    /// The key of the last that was read.
    last: Option<Vec<u8>>,
    pages: Pages,
}

impl Growth<'_> {
    /// The node at a path of so many nibbles, from the entries that come next.
    fn node(&mut self, path: &Hash, nibbles: u8) -> Result<Node, LedgerError> {
        let place = PageKey::new(path, CROWN_LEVELS).encode();
        // The last path below is all ones from there on.
        let last = (nibbles..NIBBLES).fold(*path, |path, at| with_nibble(&path, at, 0x0f));
        let last = PageKey::new(&last, CROWN_LEVELS).encode();
        match self.peek()? {
            Some((key, _)) if *key >= place && *key <= last => {}
            _ => return Ok(Node::Empty),
        }
        if nibbles == NIBBLES {
            let (key, value) = self.read.next().expect("it was looked at");
            let node = parse(&value).filter(|_| key == place);
            return node.ok_or_else(|| LedgerError::derived(Tree::Crown, &key, "it is no node"));
        }
        let mut page = Box::<OpenPage>::default();
        for number in 0..1 << PAGE_LEVELS {
            let child = self.node(&with_nibble(path, nibbles, number), nibbles + 1)?;
            page.set((1 << PAGE_LEVELS) + usize::from(number), child);
        }
        (1..1 << PAGE_LEVELS).rev().for_each(|at| put_above(&mut page, at));
        let node = page.get(self.suite, 1);
        if matches!(node, Node::Inner(_)) {
            let depth = usize::from(nibbles) * PAGE_LEVELS;
            self.pages.push((PageKey::new(path, depth), Arc::new(page.close(self.suite))));
        }
        Ok(node)
    }

    /// The entry that comes next.
    fn peek(&mut self) -> Result<Option<&Entry>, LedgerError> {
        if self.read.peek().is_none() {
            let from = self.last.as_ref().map_or(Vec::new(), |last| [last, &[0][..]].concat());
            let read = self.store.scan(Tree::Crown, &from, None, READ)?;
            self.last = read.last().map(|(key, _)| key.clone()).or(self.last.take());
            self.read = read.into_iter().peekable();
        }
        Ok(self.read.peek())
    }
}
