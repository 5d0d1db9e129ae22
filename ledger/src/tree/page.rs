//! A page: four levels of the state tree under one node, which itself stands in the page above.
//!
//! In memory and on disk a page holds its leaves and the nodes of its lowest level. The nodes between follow from
//! those, and are computed when it is opened: a page then shows by itself which node it belongs under.

use super::{CROWN_LEVELS, Node};
use crate::store::Tree;
use probata_types::{Hash, Suite, sparse};
use std::{hash, iter};

/// Levels of the tree in a page.
pub(super) const PAGE_LEVELS: usize = 4;
/// Nodes of a page. They are counted as in a heap: the node above is 1, its children are 2 and 3, and
/// the nodes of the fourth level are 16 to 31.
const NODES: usize = 2 << PAGE_LEVELS;
/// The first node of the lowest level.
const LOWEST: u32 = 1 << PAGE_LEVELS;
/// One bit for each node of the lowest level.
const LOWEST_NODES: u32 = u32::MAX << LOWEST;
/// The first node of the third level: those before it are the upper ones.
const UPPER: usize = 8;
/// One bit for each upper node.
const UPPER_NODES: u32 = (1 << UPPER) - 2;

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
    /// The page of the bytes that [`encode`](Self::encode) made, with its digests: [`above`](Self::above) shows which node it
    /// belongs under. `None` if they are not such.
    pub(super) fn decode(suite: Suite, bytes: &[u8]) -> Option<Self> {
        let (leaves, rest) = bytes.split_first_chunk::<4>()?;
        let (inner, rest) = rest.split_first_chunk::<4>()?;
        let (leaves, inner) = (u32::from_be_bytes(*leaves), u32::from_be_bytes(*inner));
        let (hashes, odd) = rest.as_chunks::<{ Hash::LEN }>();
        let count = 2 * leaves.count_ones() + inner.count_ones();
        let between = above(leaves | inner);
        let all = leaves | inner | between;
        let below = |at: usize| all >> (2 * at) & 0b11 != 0;
        let none_above = leaves & 0b11 == 0 && inner & !LOWEST_NODES == 0;
        // Nothing stands below a leaf, and an inner node above all.
        let apart = leaves & inner == 0
            && between & 0b10 != 0
            && !positions(leaves & !LOWEST_NODES).any(below);
        if !none_above || !apart || hashes.len() != count as usize || !odd.is_empty() {
            return None;
        }
        let hashes = hashes.iter().map(|hash| Hash(*hash)).collect();
        let mut page = Self { leaves, inner, hashes, upper: [Hash::ZERO; UPPER] };
        page.compute(suite, 1, between);
        Some(page)
    }

    /// The digest of the node at a position, and with it those of the upper nodes below; `between` are the inner nodes whose
    /// digests follow.
    fn compute(&mut self, suite: Suite, at: usize, between: u32) -> Hash {
        if between >> at & 1 == 0 {
            return self.node(at).digest(suite);
        }
        let left = self.compute(suite, 2 * at, between);
        let digest = sparse::node(suite, &left, &self.compute(suite, 2 * at + 1, between));
        if let Some(upper) = self.upper.get_mut(at) {
            *upper = digest;
        }
        digest
    }

    /// The leaf at a position, or the inner node of the lowest level.
    fn node(&self, at: usize) -> Node {
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
    }

    /// The digest of the node above.
    pub(super) const fn above(&self) -> &Hash {
        &self.upper[1]
    }

    /// The first leaf on the way of a key, or the node of the lowest level; the page begins at `depth`.
    pub(super) fn on_the_way(&self, key: &Hash, depth: usize) -> Node {
        let mut nodes = way(key, depth).map(|at| self.node(at));
        nodes.find(|node| *node != Node::Empty).unwrap_or(Node::Empty)
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

    /// With all its nodes, in the place of those of `page`.
    pub(super) fn open(&self, page: &mut OpenPage) {
        let inner = self.inner | above(self.leaves | self.inner);
        let upper = inner & UPPER_NODES;
        page.masks = Masks { leaves: self.leaves, inner, known: self.inner | upper };
        positions(upper).for_each(|at| page.digests[at] = self.upper[at]);
        let mut hashes = self.hashes.iter().copied();
        let mut next = || hashes.next().expect("there are as many as the masks have bits");
        for at in positions(self.leaves | self.inner) {
            if self.leaves >> at & 1 == 1 {
                page.leaves[at] = (next(), next());
            } else {
                page.digests[at] = next();
            }
        }
    }
}

/// What stands where: one bit for each position, from 1 on; 1 is the node above. Nothing stands at the others.
#[derive(Debug, Clone, Copy, Default)]
struct Masks {
    /// A leaf.
    leaves: u32,
    /// An inner node.
    inner: u32,
    /// Its digest is known.
    known: u32,
}

/// A page to work with. The digests of inner nodes are computed when they are asked for.
///
/// It is large, and a pass opens many: they are made once and used again, and only the masks say what of them counts.
#[derive(Debug)]
pub(crate) struct OpenPage {
    masks: Masks,
    /// Key and value, where a leaf stands.
    leaves: [(Hash, Hash); NODES],
    /// Where it is known.
    digests: [Hash; NODES],
}

impl Default for OpenPage {
    /// Of no nodes.
    fn default() -> Self {
        let (leaves, digests) = ([(Hash::ZERO, Hash::ZERO); NODES], [Hash::ZERO; NODES]);
        Self { masks: Masks::default(), leaves, digests }
    }
}

impl OpenPage {
    /// Takes all nodes away.
    pub(super) fn clear(&mut self) {
        self.masks = Masks::default();
    }

    fn know(&mut self, at: usize, digest: Hash) {
        self.digests[at] = digest;
        self.masks.known |= 1 << at;
    }

    /// The node at a position from 1 to 31.
    pub(super) fn get(&mut self, suite: Suite, at: usize) -> Node {
        if let Some((key, value)) = self.leaf(at) {
            Node::Leaf { key, value }
        } else if self.is_inner(at) {
            Node::Inner(self.digest(suite, at))
        } else {
            Node::Empty
        }
    }

    /// The leaf at a position, if one stands there.
    pub(super) fn leaf(&self, at: usize) -> Option<(Hash, Hash)> {
        (self.masks.leaves >> at & 1 == 1).then(|| self.leaves[at])
    }

    pub(super) fn is_empty(&self, at: usize) -> bool {
        (self.masks.leaves | self.masks.inner) >> at & 1 == 0
    }

    pub(super) fn is_inner(&self, at: usize) -> bool {
        self.masks.inner >> at & 1 == 1
    }

    /// The digest of the node at a position.
    pub(super) fn digest(&mut self, suite: Suite, at: usize) -> Hash {
        if self.masks.known >> at & 1 == 1 {
            return self.digests[at];
        }
        let digest = if let Some((key, value)) = self.leaf(at) {
            sparse::leaf(suite, &key, &value)
        } else if self.is_inner(at) {
            let left = self.digest(suite, 2 * at);
            sparse::node(suite, &left, &self.digest(suite, 2 * at + 1))
        } else {
            return sparse::empty(suite);
        };
        self.know(at, digest);
        digest
    }

    /// Puts a node where none is in the way.
    pub(super) fn set(&mut self, at: usize, node: Node) {
        let bit = 1 << at;
        let Masks { leaves, inner, known } = &mut self.masks;
        (*leaves, *inner, *known) = (*leaves & !bit, *inner & !bit, *known & !bit);
        match node {
            Node::Empty => {}
            Node::Leaf { key, value } => {
                self.leaves[at] = (key, value);
                *leaves |= bit;
            }
            Node::Inner(digest) => {
                *inner |= bit;
                self.know(at, digest);
            }
        }
    }

    /// Makes the node above the children of a position an inner one, whose digest is not known yet.
    pub(super) fn set_inner(&mut self, at: usize) {
        let bit = 1 << at;
        self.masks.leaves &= !bit;
        self.masks.inner |= bit;
        self.masks.known &= !bit;
    }

    /// The page, whose node above is an inner one.
    pub(super) fn close(&mut self, suite: Suite) -> Page {
        let Masks { leaves, inner, .. } = self.masks;
        let mut upper = [Hash::ZERO; UPPER];
        positions(inner & UPPER_NODES).for_each(|at| upper[at] = self.digest(suite, at));
        let inner = inner & LOWEST_NODES;
        let count = 2 * leaves.count_ones() + inner.count_ones();
        let mut hashes = Vec::with_capacity(count as usize);
        for at in positions(leaves | inner) {
            match self.leaf(at) {
                Some((key, value)) => hashes.extend([key, value]),
                None => hashes.push(self.digest(suite, at)),
            }
        }
        Page { leaves, inner, hashes: hashes.into(), upper }
    }
}

/// The positions of which a mask has the bits, in order.
fn positions(mut mask: u32) -> impl Iterator<Item = usize> {
    iter::from_fn(move || {
        let at = mask.trailing_zeros();
        mask &= mask.checked_sub(1)?;
        Some(at as usize)
    })
}

/// The positions above those of a mask.
fn above(occupied: u32) -> u32 {
    let put = |mask: u32, at: u32| mask | u32::from(mask >> (2 * at) & 0b11 != 0) << at;
    (1..LOWEST).rev().fold(occupied, put) & !occupied
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
    path: Hash,
}

impl hash::Hash for PageKey {
    /// By the beginning of the path alone, which tells all pages of any real tree apart.
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        let begin = self.path.0.first_chunk().expect("a path is longer");
        state.write_u64(u64::from_be_bytes(*begin) | u64::from(self.nibbles));
    }
}

impl PageKey {
    /// The page below the node of `key` at `depth`.
    pub(super) fn new(key: &Hash, depth: usize) -> Self {
        assert!(depth.is_multiple_of(PAGE_LEVELS), "pages begin at every fourth level");
        let nibbles = depth / PAGE_LEVELS;
        let whole = nibbles / 2;
        let mut path = Hash::ZERO;
        path.0[..whole].copy_from_slice(&key.as_bytes()[..whole]);
        if nibbles % 2 == 1 {
            path.0[whole] = key.as_bytes()[whole] & 0xf0;
        }
        Self { nibbles: u8::try_from(nibbles).expect("a path has at most 64 nibbles"), path }
    }

    /// Where it begins.
    pub(super) fn depth(&self) -> usize {
        usize::from(self.nibbles) * PAGE_LEVELS
    }

    /// Of the node that it is below, and zeros.
    pub(super) const fn path(&self) -> &Hash {
        &self.path
    }

    /// Whether the page is of the levels that are in memory.
    pub(crate) fn is_crown(&self) -> bool {
        self.depth() < CROWN_LEVELS
    }

    /// The number of the page among those of the crown, from above and from the left; `None` for one below.
    pub(super) fn in_crown(&self) -> Option<usize> {
        let before = |levels: u32| ((1 << (4 * levels)) - 1) / 15;
        let first = u32::from_be_bytes(*self.path.0.first_chunk().expect("a path is longer"));
        let nibbles = u32::from(self.nibbles);
        let place = first.checked_shr(32 - 4 * nibbles.min(8)).unwrap_or(0) as usize;
        self.is_crown().then(|| before(nibbles) + place)
    }

    /// The tree that the page is in, or follows from.
    pub(crate) fn tree(&self) -> Tree {
        if self.is_crown() { Tree::Crown } else { Tree::Pages }
    }

    /// The key in the store: the number of nibbles, then the path, a last odd nibble in the high half. The order
    /// of these bytes is that of keys.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let bytes = usize::from(self.nibbles).div_ceil(2);
        [&[self.nibbles], &self.path.0[..bytes]].concat()
    }
}
