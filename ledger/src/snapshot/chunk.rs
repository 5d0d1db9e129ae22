//! A chunk: the objects of one subtree, by ascending key hash. `key hash ‖ u32 length ‖ canonical object`, one after
//! the other.

use super::{SnapshotError, manifest::ChunkHead};
use crate::{
    store::{Store, StoreError, Tree},
    tree::{self, Node, Pages},
};
use probata_types::{Hash, Suite, state::StateValue};

/// Bytes of an entry beside its object.
pub(super) const ENTRY_HEAD: usize = Hash::LEN + 4;

/// What a chunk comes to.
pub(crate) struct Chunk<'a> {
    /// How deep the subtree is.
    pub(super) nibbles: u8,
    /// The objects, by ascending key hash.
    pub(crate) entries: Vec<(Hash, &'a [u8])>,
    /// The subtree.
    pub(crate) node: Node,
    pages: Pages,
    /// The digests of the objects.
    digests: Vec<(Hash, Hash)>,
}

impl<'a> Chunk<'a> {
    /// A chunk from its bytes, checked against what the manifest says of it. Its keys begin at `start`.
    ///
    /// # Errors
    /// [`SnapshotError::Chunk`], saying what is wrong.
    pub(crate) fn read(
        suite: Suite,
        (index, head, start): (usize, &ChunkHead, &Hash),
        bytes: &'a [u8],
    ) -> Result<Self, SnapshotError> {
        let wrong = |what: &str| SnapshotError::Chunk { index, what: what.to_owned() };
        if bytes.len() != head.bytes as usize {
            let what = format!("it has {} bytes, not {}", bytes.len(), head.bytes);
            return Err(SnapshotError::Chunk { index, what });
        }
        let entries = split(bytes).ok_or_else(|| wrong("its entries are cut short"))?;
        let in_order = entries.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let inside = entries.iter().all(|(key, _)| is_below(key, start, head.nibbles));
        if !in_order || !inside {
            return Err(wrong("its keys are out of order, or belong to another chunk"));
        }
        let chunk = Self::of(suite, head.nibbles, entries)?;
        let (got, expected) = (chunk.node.digest(suite), head.node.digest(suite));
        if got != expected {
            let what = format!("it comes to {got}, the state has {expected} there");
            return Err(SnapshotError::Chunk { index, what });
        }
        Ok(chunk)
    }

    /// The subtree of some objects in order.
    pub(super) fn of(
        suite: Suite,
        nibbles: u8,
        entries: Vec<(Hash, &'a [u8])>,
    ) -> Result<Self, SnapshotError> {
        let digests = entries.iter().map(|(key, value)| (*key, StateValue::hash_of(suite, value)));
        let digests: Vec<(Hash, Hash)> = digests.collect();
        let (node, pages) = tree::subtree(suite, 4 * usize::from(nibbles), &digests)?;
        Ok(Self { nibbles, entries, node, pages, digests })
    }

    /// Puts neighbours into a store, in ascending order of their keys.
    pub(crate) fn put_all(chunks: &[Self], store: &dyn Store) -> Result<(), StoreError> {
        let entries = chunks.iter().flat_map(|chunk| &chunk.entries);
        let mut values = entries.map(|(key, value)| (&key.as_bytes()[..], *value));
        store.put_sorted(Tree::Values, &mut values)?;
        tree::put_pages(store, chunks.iter().flat_map(|chunk| &chunk.pages))?;
        chunks
            .iter()
            .try_for_each(|chunk| tree::crown::put_leaves(store, chunk.nibbles, &chunk.digests))
    }
}

/// Whether a key lies below a path of so many nibbles.
pub(super) fn is_below(key: &Hash, path: &Hash, nibbles: u8) -> bool {
    let whole = usize::from(nibbles / 2);
    let half = !nibbles.is_multiple_of(2);
    key.0[..whole] == path.0[..whole] && (!half || key.0[whole] >> 4 == path.0[whole] >> 4)
}

pub(super) fn push(bytes: &mut Vec<u8>, key: &Hash, value: &[u8]) {
    let length = u32::try_from(value.len()).expect("an object is far smaller");
    bytes.extend_from_slice(key.as_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(value);
}

fn split(mut bytes: &[u8]) -> Option<Vec<(Hash, &[u8])>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (key, rest) = bytes.split_first_chunk::<{ Hash::LEN }>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        entries.push((Hash(*key), value));
        bytes = rest;
    }
    Some(entries)
}
