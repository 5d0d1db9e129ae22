//! Comparing two derived stores, entry by entry.

use super::{Difference, Report, entry};
use crate::{
    error::LedgerError,
    layers::Layers,
    limits::FSCK_CHUNK,
    store::{Entry, Tree},
};
use std::{cmp::Ordering, collections::VecDeque};

/// Enters every difference into the report; gives the number of entries compared.
pub(super) fn compare(old: &Layers, new: &Layers, report: &mut Report) -> Result<u64, LedgerError> {
    let mut compared = 0;
    for tree in Tree::ALL {
        let (mut is, mut should) = (Walk::new(old, tree), Walk::new(new, tree));
        let (mut left, mut right) = (is.next()?, should.next()?);
        loop {
            let order = match (&left, &right) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((is, _)), Some((should, _))) => is.cmp(should),
            };
            let (difference, key) = match (order, &left, &right) {
                (Ordering::Less, Some((key, _)), _) => (Some(Difference::Extra), key),
                (Ordering::Greater, _, Some((key, _))) => (Some(Difference::Missing), key),
                (_, Some((key, is)), Some((_, should))) => {
                    ((is != should).then_some(Difference::Different), key)
                }
                _ => break,
            };
            if let Some(difference) = difference {
                report.add(entry(tree, key, difference));
            }
            compared += 1;
            if order.is_le() {
                left = is.next()?;
            }
            if order.is_ge() {
                right = should.next()?;
            }
        }
    }
    Ok(compared)
}

/// All entries of a tree, a chunk at a time.
struct Walk<'a> {
    layers: &'a Layers,
    tree: Tree,
    chunk: VecDeque<Entry>,
    from: Option<Vec<u8>>,
}

impl<'a> Walk<'a> {
    fn new(layers: &'a Layers, tree: Tree) -> Self {
        Self { layers, tree, chunk: VecDeque::new(), from: Some(Vec::new()) }
    }

    fn next(&mut self) -> Result<Option<Entry>, LedgerError> {
        if self.chunk.is_empty()
            && let Some(from) = self.from.take()
        {
            self.chunk = self.layers.scan(self.tree, &from, None, FSCK_CHUNK)?.into();
            self.from = self.chunk.back().map(|(key, _)| [key.as_slice(), &[0]].concat());
        }
        Ok(self.chunk.pop_front())
    }
}
