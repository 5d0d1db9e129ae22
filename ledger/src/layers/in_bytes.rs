//! A layer as it is written: put in order and made bytes, once, by whoever writes it.

use super::{ByTree, Layer};
use crate::{
    store::{Entry, Sorted, Store, StoreError, Tree},
    tree::{Page, PageKey, crown},
};
use probata_types::Hash;
use std::sync::Arc;

/// A layer as it is written: all in order, with its pages in bytes.
pub(crate) struct InBytes<'a> {
    /// The nodes at the foot of the crown, in order.
    crown: Vec<Entry>,
    /// The pages below, in order.
    pages: Vec<Entry>,
    /// All others, in order.
    trees: ByTree<Vec<(&'a [u8], &'a [u8])>>,
}

impl<'a> InBytes<'a> {
    /// The pages become bytes here.
    pub(crate) fn of(layer: &'a Layer) -> Self {
        let mut below: Vec<(&PageKey, &Arc<Page>)> =
            layer.pages.iter().filter(|(key, _)| !key.is_crown()).collect();
        below.sort_unstable_by_key(|(key, _)| **key);
        let pages = below.iter().map(|(key, page)| (key.encode(), page.encode())).collect();
        let mut changed: Vec<&Hash> = layer.values.keys().collect();
        changed.sort_unstable();
        let mut crown: Vec<Entry> =
            changed.into_iter().filter_map(|key| crown::foot(&layer.pages, key)).collect();
        crown.dedup();
        Self { crown, pages, trees: Tree::ALL.map(|tree| layer.sorted(tree)) }
    }

    /// The entries of a tree, in order. A layer has pages either as they were made or as they were read.
    fn tree(&self, tree: Tree) -> impl Iterator<Item = (&[u8], &[u8])> {
        let pages: &[Entry] = match tree {
            Tree::Crown => &self.crown,
            Tree::Pages => &self.pages,
            _ => &[],
        };
        let pages = pages.iter().map(|(key, value)| (&key[..], &value[..]));
        pages.chain(self.trees[tree.position()].iter().copied())
    }

    /// All entries, tree by tree, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Tree, &[u8], &[u8])> {
        Tree::ALL
            .into_iter()
            .flat_map(|tree| self.tree(tree).map(move |(key, value)| (tree, key, value)))
    }

    pub(crate) fn len(&self) -> usize {
        let of_state = self.crown.len() + self.pages.len();
        of_state + self.trees.iter().map(Vec::len).sum::<usize>()
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
