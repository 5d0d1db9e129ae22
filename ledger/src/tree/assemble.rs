//! Putting a tree together from subtrees that tile it.

use super::{
    Node, PageKey, Pages,
    page::{OpenPage, PAGE_LEVELS},
};
use probata_types::{Hash, Suite};
use std::sync::Arc;

/// The tree above some subtrees.
pub(crate) struct Assembled {
    pub(crate) root: Node,
    /// The pages above the subtrees.
    pub(crate) pages: Pages,
    /// The lowest key that each subtree can hold.
    pub(crate) starts: Vec<Hash>,
}

/// The tree whose subtrees are these, from the lowest keys to the highest, each `nibbles` pages deep. `None` if they do not tile it, or if
/// the tree would not be parted so: a subtree with fewer than two keys is never split.
pub(crate) fn assemble(suite: Suite, subtrees: &[(u8, Node)]) -> Option<Assembled> {
    let assembled = Assembled { root: Node::Empty, pages: Vec::new(), starts: Vec::new() };
    let mut assembly = Assembly { suite, left: subtrees, assembled };
    let root = assembly.node(&Hash::ZERO, 0)?;
    assembly.left.is_empty().then_some(Assembled { root, ..assembly.assembled })
}

struct Assembly<'a> {
    suite: Suite,
    /// Subtrees that are not yet used.
    left: &'a [(u8, Node)],
    assembled: Assembled,
}

impl Assembly<'_> {
    /// The node at a path of so many nibbles.
    fn node(&mut self, path: &Hash, nibbles: u8) -> Option<Node> {
        let ((depth, node), rest) = self.left.split_first()?;
        if *depth == nibbles {
            self.left = rest;
            self.assembled.starts.push(*path);
            return Some(*node);
        }
        if *depth < nibbles || usize::from(nibbles) >= 2 * Hash::LEN - 1 {
            return None;
        }
        let mut page = Box::<OpenPage>::default();
        let lowest = 1 << PAGE_LEVELS;
        for number in 0..lowest {
            let child = self.node(&with_nibble(path, nibbles, number), nibbles + 1)?;
            page.set(usize::from(lowest + number), child);
        }
        (1..usize::from(lowest)).rev().for_each(|at| put_above(&mut page, at));
        let root = page.get(self.suite, 1);
        let key = PageKey::new(path, usize::from(nibbles) * PAGE_LEVELS);
        let Node::Inner(_) = root else { return None };
        self.assembled.pages.push((key, Arc::new(page.close(self.suite))));
        Some(root)
    }
}

/// Puts the node above the children of a position; a leaf that is alone goes up.
pub(super) fn put_above(page: &mut OpenPage, at: usize) {
    let (left, right) = (2 * at, 2 * at + 1);
    let alone = match (page.leaf(left), page.leaf(right)) {
        (Some(leaf), None) if page.is_empty(right) => Some(leaf),
        (None, Some(leaf)) if page.is_empty(left) => Some(leaf),
        _ => None,
    };
    if let Some((key, value)) = alone {
        page.set(left, Node::Empty);
        page.set(right, Node::Empty);
        page.set(at, Node::Leaf { key, value });
    } else if !page.is_empty(left) || !page.is_empty(right) {
        page.set_inner(at);
    }
}

/// A path that goes on with one nibble more.
pub(crate) fn with_nibble(path: &Hash, nibbles: u8, number: u8) -> Hash {
    let mut path = *path;
    let high = nibbles.is_multiple_of(2);
    path.0[usize::from(nibbles / 2)] |= if high { number << 4 } else { number };
    path
}
