//! A layer as it is written: put in order and made bytes, once, by whoever writes it.

use super::{ByTree, Layer};
use crate::{
    store::{Entry, Sorted, Store, StoreError, Tree},
    tree::{Page, PageKey},
};
use std::sync::Arc;

/// A layer as it is written: all in order, with its pages in bytes.
pub(crate) struct InBytes<'a> {
    /// Those of the crown and those below, in order.
    pages: [Vec<Entry>; 2],
    /// All others, in order.
    trees: ByTree<Vec<(&'a [u8], &'a [u8])>>,
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
        Self { pages, trees: Tree::ALL.map(|tree| layer.sorted(tree)) }
    }

    /// The entries of a tree, in order. A layer has pages either as they were made or as they were read.
    fn tree(&self, tree: Tree) -> impl Iterator<Item = (&[u8], &[u8])> {
        let pages: &[Entry] = match tree {
            Tree::Crown => &self.pages[0],
            Tree::Pages => &self.pages[1],
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
        let pages: usize = self.pages.iter().map(Vec::len).sum();
        pages + self.trees.iter().map(Vec::len).sum::<usize>()
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
