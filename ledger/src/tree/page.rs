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
/// The first node of the third level: those before it are the upper ones.
const UPPER: usize = 8;

/// The nodes below one node, four levels deep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// One bit for each position: a leaf stands there.
    leaves: u32,
    /// One bit for each position of the lowest level: an inner node stands there.
    inner: u32,
    /// In order of positions: key and value of a leaf, the digest of an inner node.
    hashes: Box<[Hash]>,
    /// The digests of the node above and of the two levels below it, where inner nodes stand there: in memory alone. By the first
    /// an older page of the same key is told from this one, the others need not be computed again.
    upper: [Hash; UPPER],
}

impl Page {
    /// The digest of the node above.
    pub(super) const fn above(&self) -> &Hash {
        &self.upper[1]
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

    /// With all its nodes.
    pub(super) fn open(&self) -> OpenPage {
        let mut page = OpenPage::fill(self.leaves, self.inner, &self.hashes);
        for (at, digest) in self.upper.iter().enumerate().skip(1) {
            if page.slots[at] == Slot::Inner {
                page.know(at, *digest);
            }
        }
        page
    }
}

/// What stands at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Empty,
    Leaf { key: Hash, value: Hash },
    Inner,
}

/// A page to work with. The digests of inner nodes are computed when they are asked for.
#[derive(Debug)]
pub(crate) struct OpenPage {
    /// By position, from 1 on; 1 is the node above.
    slots: [Slot; NODES],
    digests: [Hash; NODES],
    /// One bit for each position: its digest is known.
    known: u32,
}

impl OpenPage {
    /// Of no nodes.
    pub(super) const fn new() -> Self {
        Self { slots: [Slot::Empty; NODES], digests: [Hash::ZERO; NODES], known: 0 }
    }

    /// The page of the bytes that [`Page::encode`] made; `None` if they are not such.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (leaves, rest) = bytes.split_first_chunk::<4>()?;
        let (inner, rest) = rest.split_first_chunk::<4>()?;
        let (leaves, inner) = (u32::from_be_bytes(*leaves), u32::from_be_bytes(*inner));
        let (hashes, odd) = rest.as_chunks::<{ Hash::LEN }>();
        let count = 2 * leaves.count_ones() + inner.count_ones();
        let none_above = leaves & 0b11 == 0 && inner & 0xffff == 0;
        let good = none_above && leaves & inner == 0 && hashes.len() == count as usize;
        if !good || !odd.is_empty() {
            return None;
        }
        let hashes: Vec<Hash> = hashes.iter().map(|hash| Hash(*hash)).collect();
        let page = Self::fill(leaves, inner, &hashes);
        // Nothing stands below a leaf: each is where it was put.
        let in_place = |at: usize| matches!(page.slots[at], Slot::Leaf { .. });
        (2..NODES).all(|at| leaves >> at & 1 == 0 || in_place(at)).then_some(page)
    }

    fn fill(leaves: u32, inner: u32, hashes: &[Hash]) -> Self {
        let (mut page, mut hashes) = (Self::new(), hashes.iter().copied());
        let mut next = || hashes.next().expect("there are as many as the masks have bits");
        for at in 2..NODES {
            if leaves >> at & 1 == 1 {
                page.slots[at] = Slot::Leaf { key: next(), value: next() };
            } else if inner >> at & 1 == 1 {
                page.slots[at] = Slot::Inner;
                page.know(at, next());
            }
        }
        for at in (1..LOWEST).rev() {
            let empty = |at: usize| page.slots[at] == Slot::Empty;
            if !empty(2 * at) || !empty(2 * at + 1) {
                page.slots[at] = Slot::Inner;
            }
        }
        page
    }

    fn know(&mut self, at: usize, digest: Hash) {
        self.digests[at] = digest;
        self.known |= 1 << at;
    }

    /// The node at a position from 1 to 31.
    pub(super) fn get(&mut self, suite: Suite, at: usize) -> Node {
        match self.slots[at] {
            Slot::Empty => Node::Empty,
            Slot::Leaf { key, value } => Node::Leaf { key, value },
            Slot::Inner => Node::Inner(self.digest(suite, at)),
        }
    }

    /// The leaf at a position, if one stands there.
    pub(super) fn leaf(&self, at: usize) -> Option<(Hash, Hash)> {
        match self.slots[at] {
            Slot::Leaf { key, value } => Some((key, value)),
            Slot::Empty | Slot::Inner => None,
        }
    }

    pub(super) fn is_empty(&self, at: usize) -> bool {
        self.slots[at] == Slot::Empty
    }

    pub(super) fn is_inner(&self, at: usize) -> bool {
        self.slots[at] == Slot::Inner
    }

    /// The digest of the node at a position.
    pub(super) fn digest(&mut self, suite: Suite, at: usize) -> Hash {
        if self.known >> at & 1 == 1 {
            return self.digests[at];
        }
        let digest = match self.slots[at] {
            Slot::Empty => sparse::empty(suite),
            Slot::Leaf { key, value } => sparse::leaf(suite, &key, &value),
            Slot::Inner => {
                let left = self.digest(suite, 2 * at);
                sparse::node(suite, &left, &self.digest(suite, 2 * at + 1))
            }
        };
        self.know(at, digest);
        digest
    }

    /// Puts a node where none is in the way.
    pub(super) fn set(&mut self, at: usize, node: Node) {
        self.known &= !(1 << at);
        self.slots[at] = match node {
            Node::Empty => Slot::Empty,
            Node::Leaf { key, value } => Slot::Leaf { key, value },
            Node::Inner(digest) => {
                self.know(at, digest);
                Slot::Inner
            }
        };
    }

    /// Makes the node above the children of a position an inner one, whose digest is not known yet.
    pub(super) fn set_inner(&mut self, at: usize) {
        self.slots[at] = Slot::Inner;
        self.known &= !(1 << at);
    }

    /// As [`Page::on_the_way`].
    pub(super) fn on_the_way(&mut self, suite: Suite, key: &Hash, depth: usize) -> Node {
        let ends = |at: &usize| *at >= LOWEST || self.slots[*at] != Slot::Inner;
        let end = way(key, depth).find(ends).expect("a way ends at the lowest level");
        self.get(suite, end)
    }

    /// The page, whose node above is an inner one.
    pub(super) fn close(mut self, suite: Suite) -> Page {
        let (mut leaves, mut inner, mut hashes) = (0, 0, Vec::with_capacity(NODES));
        for (at, slot) in self.slots.iter().enumerate().skip(2) {
            match slot {
                Slot::Leaf { key, value } => {
                    leaves |= 1 << at;
                    hashes.extend([*key, *value]);
                }
                Slot::Inner if at >= LOWEST => {
                    inner |= 1 << at;
                    hashes.push(self.digests[at]);
                }
                Slot::Inner | Slot::Empty => {}
            }
        }
        let mut upper = [Hash::ZERO; UPPER];
        for (at, digest) in upper.iter_mut().enumerate().skip(1) {
            if self.slots[at] == Slot::Inner {
                *digest = self.digest(suite, at);
            }
        }
        Page { leaves, inner, hashes: hashes.into(), upper }
    }
}

/// The positions that a key comes by in a page which begins at `depth`, from above.
fn way(key: &Hash, depth: usize) -> impl Iterator<Item = usize> {
    (depth..depth + PAGE_LEVELS).scan(1, |at, depth| {
        *at = 2 * *at + usize::from(sparse::bit(key, depth));
        Some(*at)
    })
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

    /// The number of the page among those of the crown, from above and from the left; `None` for one below.
    pub(super) fn in_crown(&self) -> Option<usize> {
        let before = |levels: u32| ((1 << (4 * levels)) - 1) / 15;
        let first = u32::from_be_bytes(*self.path.first_chunk().expect("a path is longer"));
        let nibbles = u32::from(self.nibbles);
        let place = first.checked_shr(32 - 4 * nibbles.min(8)).unwrap_or(0) as usize;
        self.is_crown().then(|| before(nibbles) + place)
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
