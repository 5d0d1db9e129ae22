use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SUITE: Suite = Suite::Blake3Ed25519;

type Entries = BTreeMap<Hash, Hash>;
type Part = [(Hash, Hash)];

/// The digest of the subtree over these entries, all equal above `depth`: the definition, word for word.
fn digest(entries: &Part, depth: usize) -> Hash {
    match entries {
        [] => empty(SUITE),
        [(key, value)] => leaf(SUITE, key, value),
        _ => {
            let (left, right) = split(entries, depth);
            node(SUITE, &digest(left, depth + 1), &digest(right, depth + 1))
        }
    }
}

fn split(entries: &Part, depth: usize) -> (&Part, &Part) {
    entries.split_at(entries.partition_point(|(key, _)| !bit(key, depth)))
}

fn list(entries: &Entries) -> Vec<(Hash, Hash)> {
    entries.iter().map(|(key, value)| (*key, *value)).collect()
}

fn prove(entries: &Part, key: &Hash) -> SparsePath {
    let (mut at, mut depth, mut siblings) = (entries, 0, Vec::new());
    while at.len() > 1 {
        let (left, right) = split(at, depth);
        depth += 1;
        let (next, sibling) = if bit(key, depth - 1) { (right, left) } else { (left, right) };
        siblings.push(digest(sibling, depth));
        at = next;
    }
    siblings.reverse();
    let end = match at {
        [] => SparseEnd::Empty,
        [(found, _), ..] if found == key => SparseEnd::Present,
        [(found, value), ..] => SparseEnd::Other { key: *found, value_hash: *value },
    };
    SparsePath { end, siblings: List::new(siblings).unwrap() }
}

/// Keys that often share long beginnings.
fn key() -> impl Strategy<Value = Hash> {
    (any::<u8>(), any::<u8>(), 0..32usize).prop_map(|(first, other, at)| {
        let mut bytes = [0; 32];
        bytes[0] = first & 0xc0;
        bytes[at] ^= other;
        Hash(bytes)
    })
}

fn value() -> impl Strategy<Value = Hash> {
    any::<u8>().prop_map(|byte| Hash([byte; 32]))
}

proptest! {
    #[test]
    fn proofs_show_what_is_there_and_nothing_else(
        entries in prop::collection::btree_map(key(), value(), 0..24),
        asked in prop::collection::vec(key(), 1..8),
        flip in any::<(prop::sample::Index, u8)>(),
    ) {
        let all = list(&entries);
        let root = digest(&all, 0);
        for key in entries.keys().chain(&asked) {
            let path = prove(&all, key);
            match entries.get(key) {
                Some(value) => {
                    prop_assert_eq!(path.check_present(SUITE, key, value, &root), Ok(()));
                    prop_assert!(path.check_absent(SUITE, key, &root).is_err());
                    let other = Hash([value.0[0] ^ 1; 32]);
                    prop_assert!(path.check_present(SUITE, key, &other, &root).is_err());
                    // No path whatever shows a present key as absent: not the same one with another end.
                    let forged = SparsePath { end: SparseEnd::Empty, ..path.clone() };
                    prop_assert!(forged.check_absent(SUITE, key, &root).is_err());
                    let end = SparseEnd::Other { key: *key, value_hash: *value };
                    let forged = SparsePath { end, ..path.clone() };
                    let error = forged.check_absent(SUITE, key, &root);
                    prop_assert_eq!(error, Err(SparseError::Neighbour(*key)));
                }
                None => {
                    prop_assert_eq!(path.check_absent(SUITE, key, &root), Ok(()));
                    let forged = SparsePath { end: SparseEnd::Present, ..path.clone() };
                    prop_assert!(forged.check_present(SUITE, key, &Hash([1; 32]), &root).is_err());
                }
            }
            if !path.siblings.is_empty() {
                let mut siblings = path.siblings.to_vec();
                let at = flip.0.index(siblings.len());
                siblings[at].0[usize::from(flip.1 % 32)] ^= 1 << (flip.1 / 32);
                let forged = SparsePath { siblings: List::new(siblings).unwrap(), ..path.clone() };
                prop_assert!(forged.check_absent(SUITE, key, &root).is_err());
                if let Some(value) = entries.get(key) {
                    prop_assert!(forged.check_present(SUITE, key, value, &root).is_err());
                }
            }
        }
    }
}

/// A key whose first byte is given.
fn at(first: u8, last: u8) -> Hash {
    let mut bytes = [0; 32];
    (bytes[0], bytes[31]) = (first, last);
    Hash(bytes)
}

#[test]
fn an_empty_tree_shows_every_key_absent() {
    let path = SparsePath { end: SparseEnd::Empty, siblings: List::empty() };
    path.check_absent(SUITE, &at(7, 7), &empty(SUITE)).unwrap();
    assert!(path.check_absent(SUITE, &at(7, 7), &Hash::ZERO).is_err());
}

#[test]
fn a_neighbour_elsewhere_shows_nothing() {
    let entries = [(at(0x00, 0), Hash([1; 32])), (at(0x80, 0), Hash([2; 32]))];
    let root = digest(&entries, 0);
    // The asked key lies on the right; the neighbour given lies on the left.
    let asked = at(0xc0, 0);
    let siblings = List::new(vec![digest(&entries[1..], 1)]).unwrap();
    let end = SparseEnd::Other { key: entries[0].0, value_hash: entries[0].1 };
    let path = SparsePath { end, siblings };
    assert_eq!(
        path.check_absent(SUITE, &asked, &root),
        Err(SparseError::Neighbour(entries[0].0)),
        "the leaf is real, but does not stand in the way of the key"
    );
}

#[test]
fn an_inner_node_does_not_pass_for_a_leaf() {
    let entries = [(at(0x00, 0), Hash([1; 32])), (at(0x40, 0), Hash([2; 32]))];
    let root = digest(&entries, 0);
    // The root is hash(1 ‖ left ‖ right); a leaf with the two digests as key and value is hash(0 ‖ …).
    let (left, right) = (digest(&entries, 1), empty(SUITE));
    let path = SparsePath { end: SparseEnd::Present, siblings: List::empty() };
    assert!(path.check_present(SUITE, &left, &right, &root).is_err());
}

#[test]
fn keys_that_differ_in_the_last_bit_only_take_the_longest_path() {
    let entries = [(at(0, 2), Hash([1; 32])), (at(0, 3), Hash([2; 32]))];
    let root = digest(&entries, 0);
    for (key, value) in &entries {
        let path = prove(&entries, key);
        assert_eq!(path.siblings.len(), limits::SPARSE_PATH);
        path.check_present(SUITE, key, value, &root).unwrap();
    }
    // A path as long as the key ends at the key itself: nobody else can stand there.
    let path = prove(&entries, &at(0, 2));
    let end = SparseEnd::Other { key: at(0, 3), value_hash: Hash([2; 32]) };
    let forged = SparsePath { end, ..path };
    assert_eq!(forged.check_absent(SUITE, &at(0, 2), &root), Err(SparseError::Neighbour(at(0, 3))));
}
