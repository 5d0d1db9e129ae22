//! The history tree: the Merkle tree over the chain id and all header hashes, append-only.
//!
//! Every complete subtree is kept, by level and index, so that a root and a path of any size cost a
//! number of reads that grows with the logarithm (squared, at worst) of the height.

use crate::{error::LedgerError, layers::Draft, store::Tree};
use probata_types::{
    Domain, Hash, List, Suite,
    merkle::{self, MerklePath},
};

/// Reads a complete subtree by its key.
pub(crate) type Get<'a> = &'a dyn Fn(&[u8]) -> Result<Option<Vec<u8>>, LedgerError>;

/// Puts leaf number `index`; all before it are there.
pub(crate) fn append(
    suite: Suite,
    draft: &mut Draft<'_>,
    index: u64,
    leaf: Hash,
) -> Result<(), LedgerError> {
    let (mut at, mut level, mut digest) = (index, 0, leaf);
    loop {
        draft.put(Tree::History, key(level, at), *digest.as_bytes());
        if at.is_multiple_of(2) {
            return Ok(());
        }
        let left = complete(&|key| draft.get(Tree::History, key), level, at - 1)?;
        digest = merkle::node(suite, Domain::History, &left, &digest);
        at /= 2;
        level += 1;
    }
}

/// Puts a leaf before all that are there, and the subtrees that begin with it among the first `size` leaves; all of them
/// after it are there, in subtrees that are whole.
pub(crate) fn prepend(
    suite: Suite,
    draft: &mut Draft<'_>,
    (index, leaf): (u64, Hash),
    size: u64,
) -> Result<(), LedgerError> {
    let (mut at, mut level, mut digest) = (index, 0, leaf);
    loop {
        draft.put(Tree::History, key(level, at), *digest.as_bytes());
        let above_ends = (at / 2 + 1) << (level + 1);
        if !at.is_multiple_of(2) || above_ends > size {
            return Ok(());
        }
        let right = complete(&|key| draft.get(Tree::History, key), level, at + 1)?;
        digest = merkle::node(suite, Domain::History, &digest, &right);
        at /= 2;
        level += 1;
    }
}

/// Puts leaf number `index` where some before it are not there: with those subtrees above it that are known then.
pub(crate) fn append_after_gap(
    suite: Suite,
    draft: &mut Draft<'_>,
    index: u64,
    leaf: Hash,
) -> Result<(), LedgerError> {
    let (mut at, mut level, mut digest) = (index, 0, leaf);
    loop {
        draft.put(Tree::History, key(level, at), *digest.as_bytes());
        let left = at.checked_sub(1).filter(|_| !at.is_multiple_of(2));
        let Some(left) = left.map(|left| key(level, left)) else { return Ok(()) };
        let Some(left) = draft.get(Tree::History, &left)? else { return Ok(()) };
        let left = <[u8; Hash::LEN]>::try_from(left).map(Hash);
        let left = left.map_err(|_| LedgerError::derived(Tree::History, &[], "it is malformed"))?;
        digest = merkle::node(suite, Domain::History, &left, &digest);
        at /= 2;
        level += 1;
    }
}

/// The root over the first `size` leaves.
pub(crate) fn root(suite: Suite, get: Get<'_>, size: u64) -> Result<Hash, LedgerError> {
    if size == 0 {
        Ok(merkle::root(suite, Domain::History, &[]))
    } else {
        range(suite, get, 0, size)
    }
}

/// The complete subtrees that the first `size` leaves are made of, largest first.
pub(crate) fn peaks(get: Get<'_>, size: u64) -> Result<Vec<Hash>, LedgerError> {
    places(size).map(|(level, index)| complete(get, level, index)).collect()
}

/// Puts what [`peaks`] gave; nothing below them is there.
pub(crate) fn put_peaks(draft: &mut Draft<'_>, size: u64, peaks: &[Hash]) {
    for ((level, index), peak) in places(size).zip(peaks) {
        draft.put(Tree::History, key(level, index), *peak.as_bytes());
    }
}

/// Level and index of each peak.
fn places(size: u64) -> impl Iterator<Item = (u32, u64)> {
    let levels = (0..u64::BITS).rev().filter(move |level| size >> level & 1 == 1);
    levels.map(move |level| (level, (size >> level) - 1))
}

/// The path of leaf `index` among the first `size` leaves, which are more than `index`.
pub(crate) fn path(
    suite: Suite,
    get: Get<'_>,
    index: u64,
    size: u64,
) -> Result<MerklePath, LedgerError> {
    assert!(index < size, "the caller asks for leaves of the tree");
    let (mut from, mut to) = (0, size);
    let mut siblings = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            siblings.push(range(suite, get, middle, to)?);
            to = middle;
        } else {
            siblings.push(range(suite, get, from, middle)?);
            from = middle;
        }
    }
    siblings.reverse();
    Ok(MerklePath(List::new(siblings).expect("64 levels hold any tree")))
}

/// The root over the leaves from `from` to before `to`: a subtree of the RFC's shape, not empty.
fn range(suite: Suite, get: Get<'_>, from: u64, to: u64) -> Result<Hash, LedgerError> {
    let size = to - from;
    if size.is_power_of_two() {
        let level = size.trailing_zeros();
        return complete(get, level, from >> level);
    }
    let middle = from + split(size);
    let (left, right) = (range(suite, get, from, middle)?, range(suite, get, middle, to)?);
    Ok(merkle::node(suite, Domain::History, &left, &right))
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

fn complete(get: Get<'_>, level: u32, index: u64) -> Result<Hash, LedgerError> {
    let key = key(level, index);
    let bytes = get(&key)?.and_then(|bytes| <[u8; Hash::LEN]>::try_from(bytes).ok());
    bytes.map(Hash).ok_or_else(|| {
        LedgerError::derived(Tree::History, &key, "the subtree is missing or malformed")
    })
}

/// Level first, so that the many low ones are written in ascending order.
fn key(level: u32, index: u64) -> Vec<u8> {
    let mut key = vec![u8::try_from(level).expect("64 levels hold any tree")];
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// The last leaf of the subtree of a key.
pub(crate) fn last_leaf(key: &[u8]) -> Option<u64> {
    let (level, index) = key.split_first()?;
    let index = u64::from_be_bytes(index.try_into().ok()?);
    let end = index.checked_add(1)?.checked_mul(1u64.checked_shl(u32::from(*level))?)?;
    Some(end - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layers::{InBytes, Layers},
        store::{Entry, MemoryStore, Store},
    };
    use std::sync::Arc;

    /// All of the history, in order; it is in the store then.
    fn all(layers: &Layers) -> Vec<Entry> {
        InBytes::of(&layers.fresh).put(&*layers.store).unwrap();
        layers.store.scan(Tree::History, &[], None, usize::MAX).unwrap()
    }

    #[test]
    fn every_root_and_path_is_that_of_the_leaves() {
        let suite = Suite::Blake3Ed25519;
        let store = Arc::new(MemoryStore::default());
        let mut layers = Layers::new(Arc::clone(&store) as Arc<dyn Store>);
        let mut leaves = Vec::new();
        for index in 0..70u64 {
            let leaf = merkle::leaf(suite, Domain::History, &index.to_be_bytes());
            leaves.push(leaf);
            let mut draft = Draft::new(&layers);
            append(suite, &mut draft, index, leaf).unwrap();
            let new = draft.into_new();
            layers.absorb(new);
            let get = |key: &[u8]| Ok(layers.get(Tree::History, key)?);
            for size in 0..=leaves.len() {
                let of_leaves = merkle::root(suite, Domain::History, &leaves[..size]);
                assert_eq!(root(suite, &get, size as u64).unwrap(), of_leaves);
            }
            for at in 0..leaves.len() {
                assert_eq!(
                    Some(path(suite, &get, at as u64, leaves.len() as u64).unwrap()),
                    merkle::path(suite, Domain::History, &leaves, at)
                );
            }
        }
    }

    #[test]
    fn leaves_that_come_from_the_end_give_the_same_subtrees() {
        let suite = Suite::Blake3Ed25519;
        let store = || Arc::new(MemoryStore::default());
        let leaf = |index: u64| merkle::leaf(suite, Domain::History, &index.to_be_bytes());
        for (base, size) in (1..=40).flat_map(|base| [(base, base), (base, base + 1), (base, 50)]) {
            let mut whole = Layers::new(store());
            let mut peaks = Vec::new();
            for index in 0..size {
                if index == base {
                    let get = |key: &[u8]| Ok(whole.get(Tree::History, key)?);
                    peaks = super::peaks(&get, base).unwrap();
                }
                let mut draft = Draft::new(&whole);
                append(suite, &mut draft, index, leaf(index)).unwrap();
                let new = draft.into_new();
                whole.absorb(new);
            }
            if peaks.is_empty() {
                let get = |key: &[u8]| Ok(whole.get(Tree::History, key)?);
                peaks = super::peaks(&get, base).unwrap();
            }
            let mut filled = Layers::new(store());
            let mut put = |work: &dyn Fn(&mut Draft<'_>)| {
                let mut draft = Draft::new(&filled);
                work(&mut draft);
                let new = draft.into_new();
                filled.absorb(new);
            };
            put(&|draft| put_peaks(draft, base, &peaks));
            for index in base..size {
                put(&|draft| append(suite, draft, index, leaf(index)).unwrap());
            }
            for index in (0..base).rev() {
                put(&|draft| prepend(suite, draft, (index, leaf(index)), size).unwrap());
            }
            assert_eq!(all(&filled), all(&whole), "{size} leaves, the first {base} of them later");
        }
    }

    #[test]
    fn after_a_gap_there_are_those_subtrees_that_are_whole_behind_it() {
        let suite = Suite::Blake3Ed25519;
        let leaf = |index: u64| merkle::leaf(suite, Domain::History, &index.to_be_bytes());
        let mut whole = Layers::new(Arc::new(MemoryStore::default()));
        for index in 0..40 {
            let mut draft = Draft::new(&whole);
            append(suite, &mut draft, index, leaf(index)).unwrap();
            let new = draft.into_new();
            whole.absorb(new);
        }
        for gap in 0..40 {
            let mut behind = Layers::new(Arc::new(MemoryStore::default()));
            for index in gap..40 {
                let mut draft = Draft::new(&behind);
                append_after_gap(suite, &mut draft, index, leaf(index)).unwrap();
                let new = draft.into_new();
                behind.absorb(new);
            }
            let mut expected = all(&whole);
            expected.retain(|(key, _)| {
                let index = u64::from_be_bytes(*key.last_chunk().unwrap());
                index << key[0] >= gap
            });
            assert_eq!(all(&behind), expected, "the first {gap} are not there");
        }
    }

    #[test]
    fn a_missing_subtree_is_damage() {
        let layers = Layers::new(Arc::new(MemoryStore::default()));
        let get = |key: &[u8]| Ok(layers.get(Tree::History, key)?);
        let error = root(Suite::Blake3Ed25519, &get, 4).unwrap_err();
        assert!(matches!(error, LedgerError::Derived { tree: Tree::History, .. }));
    }
}
