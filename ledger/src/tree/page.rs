//! A page: four levels of the state tree under one node, which itself stands in the page above.

use super::Node;
use probata_types::Hash;
use std::hash;

/// Levels of the tree in a page.
pub(super) const PAGE_LEVELS: usize = 4;
/// Nodes of a page. They are counted as in a heap: the node above is 1, its children are 2 and 3, and
/// the nodes of the fourth level are 16 to 31.
const NODES: usize = (2 << PAGE_LEVELS) - 2;

/// The nodes below one node, four levels deep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    nodes: [Node; NODES],
    /// The digest of the node above, by which an older page of the same key is told from this one.
    pub(super) above: Hash,
}

impl Default for Page {
    fn default() -> Self {
        Self { nodes: [Node::Empty; NODES], above: Hash::ZERO }
    }
}

impl Page {
    /// The node at a position from 2 to 31.
    pub(super) fn get(&self, at: usize) -> Node {
        self.nodes[at - 2]
    }

    pub(super) fn set(&mut self, at: usize, node: Node) {
        self.nodes[at - 2] = node;
    }

    /// Two bit masks, of leaves and of inner nodes (bit 0 is position 2), then what they hold in order:
    /// 64 bytes for a leaf, 32 for an inner node; then the CRC-32 of all that. The sum finds damage in
    /// nodes that nothing hashes when the page is loaded.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (mut leaves, mut inner) = (0u32, 0u32);
        let mut body = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            match node {
                Node::Empty => {}
                Node::Leaf { key, value } => {
                    leaves |= 1 << at;
                    body.extend_from_slice(key.as_bytes());
                    body.extend_from_slice(value.as_bytes());
                }
                Node::Inner(digest) => {
                    inner |= 1 << at;
                    body.extend_from_slice(digest.as_bytes());
                }
            }
        }
        let mut bytes = Vec::with_capacity(12 + body.len());
        bytes.extend_from_slice(&leaves.to_be_bytes());
        bytes.extend_from_slice(&inner.to_be_bytes());
        bytes.extend_from_slice(&body);
        let sum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&sum.to_be_bytes());
        bytes
    }

    /// The page of these bytes, below a node that is not known yet; `None` if they are not one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (bytes, sum) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(bytes) != u32::from_be_bytes(*sum) {
            return None;
        }
        let (leaves, rest) = bytes.split_first_chunk::<4>()?;
        let (inner, mut rest) = rest.split_first_chunk::<4>()?;
        let (leaves, inner) = (u32::from_be_bytes(*leaves), u32::from_be_bytes(*inner));
        if leaves & inner != 0 || (leaves | inner) >> NODES != 0 {
            return None;
        }
        let mut take = || {
            let (hash, after) = rest.split_first_chunk::<{ Hash::LEN }>()?;
            rest = after;
            Some(Hash(*hash))
        };
        let mut page = Self::default();
        for (at, node) in page.nodes.iter_mut().enumerate() {
            if leaves >> at & 1 == 1 {
                *node = Node::Leaf { key: take()?, value: take()? };
            } else if inner >> at & 1 == 1 {
                *node = Node::Inner(take()?);
            }
        }
        rest.is_empty().then_some(page)
    }
}

/// Which page: the one below a node at a depth that is a multiple of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

    /// The key in the store: the number of nibbles, then the path, a last odd nibble in the high half.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let bytes = usize::from(self.nibbles).div_ceil(2);
        [&[self.nibbles], &self.path[..bytes]].concat()
    }
}
