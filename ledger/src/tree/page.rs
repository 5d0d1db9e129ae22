//! A page: four levels of the state tree under one node, which itself stands in the page above.
//!
//! In memory and on disk a page holds its leaves and the nodes of its lowest level. The nodes between follow from
//! those, and are computed when it is opened: a page then shows by itself which node it belongs under.

use super::{CROWN_LEVELS, Node};
use crate::store::Tree;
use probata_types::{Hash, Suite, sparse};
use std::hash;

/// Levels of the tree in a page.
pub(super) const PAGE_LEVELS: usize = 4;
/// Nodes of a page. They are counted as in a heap: the node above is 1, its children are 2 and 3, and
/// the nodes of the fourth level are 16 to 31.
const NODES: usize = 2 << PAGE_LEVELS;
/// The first node of the lowest level.
const LOWEST: usize = 1 << PAGE_LEVELS;

/// The nodes below one node, four levels deep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// One bit for each position: a leaf stands there.
    leaves: u32,
    /// One bit for each position of the lowest level: an inner node stands there.
    inner: u32,
    /// In order of positions: key and value of a leaf, the digest of an inner node.
    hashes: Box<[Hash]>,
    /// The digest of the node above, by which an older page of the same key is told from this one.
    above: Hash,
}

impl Page {
    pub(super) fn above(&self) -> &Hash {
        &self.above
    }

    /// The first leaf on the way of a key, or the node of the lowest level; the page begins at `depth`.
    pub(super) fn on_the_way(&self, key: &Hash, depth: usize) -> Node {
        let node = |at: usize| {
            let before = (1 << at) - 1;
            let (leaves, inner) = (self.leaves & before, self.inner & before);
            let place = (2 * leaves.count_ones() + inner.count_ones()) as usize;
            if self.leaves >> at & 1 == 1 {
                Node::Leaf { key: self.hashes[place], value: self.hashes[place + 1] }
            } else if self.inner >> at & 1 == 1 {
                Node::Inner(self.hashes[place])
            } else {
                Node::Empty
            }
        };
        way(key, depth).map(node).find(|node| *node != Node::Empty).unwrap_or(Node::Empty)
    }

    /// Bytes that it takes in memory.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.hashes)
    }

    /// Two bit masks, of leaves and of inner nodes, then what they hold in order: 64 bytes for a leaf, 32 for
    /// an inner node.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + size_of_val(&*self.hashes));
        bytes.extend_from_slice(&self.leaves.to_be_bytes());
        bytes.extend_from_slice(&self.inner.to_be_bytes());
        self.hashes.iter().for_each(|hash| bytes.extend_from_slice(hash.as_bytes()));
        bytes
    }

    /// The page of these bytes; `None` if they are not one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (leaves, rest) = bytes.split_first_chunk::<4>()?;
        let (inner, rest) = rest.split_first_chunk::<4>()?;
        let (leaves, inner) = (u32::from_be_bytes(*leaves), u32::from_be_bytes(*inner));
        let (hashes, odd) = rest.as_chunks::<{ Hash::LEN }>();
        let count = 2 * leaves.count_ones() + inner.count_ones();
        let none_above = leaves & 0b11 == 0 && inner & 0xffff == 0;
        let good = none_above && leaves & inner == 0 && hashes.len() == count as usize;
        let hashes = hashes.iter().map(|hash| Hash(*hash)).collect();
        (good && odd.is_empty()).then_some(Self { leaves, inner, hashes, above: Hash::ZERO })
    }

    /// With all its nodes. `None` if something stands below a leaf.
    pub(super) fn open(&self, suite: Suite) -> Option<OpenPage> {
        let mut page = OpenPage::new(suite);
        let mut hashes = self.hashes.iter().copied();
        for at in 2..NODES {
            if self.leaves >> at & 1 == 1 {
                page.set(suite, at, Node::Leaf { key: hashes.next()?, value: hashes.next()? });
            } else if self.inner >> at & 1 == 1 {
                page.set(suite, at, Node::Inner(hashes.next()?));
            }
        }
        for at in (1..LOWEST).rev() {
            let empty = page.nodes[2 * at] == Node::Empty && page.nodes[2 * at + 1] == Node::Empty;
            match page.nodes[at] {
                Node::Empty if !empty => page.set(suite, at, page.inner(suite, at)),
                Node::Leaf { .. } if !empty => return None,
                _ => {}
            }
        }
        Some(page)
    }
}

/// The positions that a key comes by in a page which begins at `depth`, from above.
fn way(key: &Hash, depth: usize) -> impl Iterator<Item = usize> {
    (depth..depth + PAGE_LEVELS).scan(1, |at, depth| {
        *at = 2 * *at + usize::from(sparse::bit(key, depth));
        Some(*at)
    })
}

/// A page with all its nodes, to work with.
pub(crate) struct OpenPage {
    /// By position, from 1 on; 1 is the node above.
    nodes: [Node; NODES],
    digests: [Hash; NODES],
}

impl OpenPage {
    /// Of no nodes.
    pub(super) fn new(suite: Suite) -> Self {
        Self { nodes: [Node::Empty; NODES], digests: [sparse::empty(suite); NODES] }
    }

    /// The node at a position from 1 to 31.
    pub(super) fn get(&self, at: usize) -> Node {
        self.nodes[at]
    }

    /// Its digest.
    pub(super) fn digest(&self, at: usize) -> &Hash {
        &self.digests[at]
    }

    /// As [`Page::on_the_way`].
    pub(super) fn on_the_way(&self, key: &Hash, depth: usize) -> Node {
        let ends = |at: &usize| matches!(self.nodes[*at], Node::Leaf { .. }) || *at >= LOWEST;
        way(key, depth).find(ends).map_or(Node::Empty, |at| self.nodes[at])
    }

    pub(super) fn set(&mut self, suite: Suite, at: usize, node: Node) {
        if self.nodes[at] != node {
            self.nodes[at] = node;
            self.digests[at] = node.digest(suite);
        }
    }

    /// The inner node above the children of a position.
    pub(super) fn inner(&self, suite: Suite, at: usize) -> Node {
        Node::Inner(sparse::node(suite, &self.digests[2 * at], &self.digests[2 * at + 1]))
    }

    /// The page under a node.
    pub(super) fn close(&self, above: Hash) -> Page {
        let (mut leaves, mut inner, mut hashes) = (0, 0, Vec::with_capacity(NODES));
        for (at, node) in self.nodes.iter().enumerate().skip(2) {
            match node {
                Node::Leaf { key, value } => {
                    leaves |= 1 << at;
                    hashes.extend([*key, *value]);
                }
                Node::Inner(digest) if at >= LOWEST => {
                    inner |= 1 << at;
                    hashes.push(*digest);
                }
                Node::Inner(_) | Node::Empty => {}
            }
        }
        Page { leaves, inner, hashes: hashes.into(), above }
    }
}

/// Which page: the one below a node at a depth that is a multiple of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PageKey {
    /// Of the path of that node.
    nibbles: u8,
    /// The path, and zeros.
    path: [u8; Hash::LEN],
}

impl hash::Hash for PageKey {
    /// By the beginning of the path alone, which tells all pages of any real tree apart.
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        let begin = self.path.first_chunk().expect("a path is longer");
        state.write_u64(u64::from_be_bytes(*begin) | u64::from(self.nibbles));
    }
}

impl PageKey {
    /// The page below the node of `key` at `depth`.
    pub(super) fn new(key: &Hash, depth: usize) -> Self {
        assert!(depth.is_multiple_of(PAGE_LEVELS), "pages begin at every fourth level");
        let nibbles = depth / PAGE_LEVELS;
        let whole = nibbles / 2;
        let mut path = [0; Hash::LEN];
        path[..whole].copy_from_slice(&key.as_bytes()[..whole]);
        if nibbles % 2 == 1 {
            path[whole] = key.as_bytes()[whole] & 0xf0;
        }
        Self { nibbles: u8::try_from(nibbles).expect("a path has at most 64 nibbles"), path }
    }

    /// Whether the page is of the levels that stay in memory.
    pub(crate) fn is_crown(&self) -> bool {
        usize::from(self.nibbles) * PAGE_LEVELS < CROWN_LEVELS
    }

    /// Where the page is in the store.
    pub(crate) fn tree(&self) -> Tree {
        if self.is_crown() { Tree::Crown } else { Tree::Pages }
    }

    /// The key in the store: the number of nibbles, then the path, a last odd nibble in the high half. The order
    /// of these bytes is that of keys.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let bytes = usize::from(self.nibbles).div_ceil(2);
        [&[self.nibbles], &self.path[..bytes]].concat()
    }
}
