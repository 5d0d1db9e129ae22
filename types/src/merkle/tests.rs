use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;

const SUITE: Suite = Suite::Blake3Ed25519;
const DOMAIN: Domain = Domain::History;
/// One past a power of two: the largest size tried.
const LARGEST: usize = 4_097;

/// Leaf digests of the largest tree.
static LEAVES: LazyLock<Vec<Hash>> =
    LazyLock::new(|| (0..LARGEST as u64).map(|n| leaf(SUITE, DOMAIN, &n.to_be_bytes())).collect());

/// MTH of RFC 9162, 2.1.1, word for word.
fn root_of_the_rfc(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => SUITE.hash(DOMAIN, &[]),
        [only] => *only,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(split);
            node(SUITE, DOMAIN, &root_of_the_rfc(left), &root_of_the_rfc(right))
        }
    }
}

/// PATH of RFC 9162, 2.1.3.1, word for word.
fn path_of_the_rfc(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    let (mut path, sibling) = if index < split {
        (path_of_the_rfc(index, left), root_of_the_rfc(right))
    } else {
        (path_of_the_rfc(index - split, right), root_of_the_rfc(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 9162, 2.1.4.1, word for word.
fn subproof_of_the_rfc(first: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if first == leaves.len() {
        return if whole { Vec::new() } else { vec![root_of_the_rfc(leaves)] };
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    let (mut path, sibling) = if first <= split {
        (subproof_of_the_rfc(first, left, whole), root_of_the_rfc(right))
    } else {
        (subproof_of_the_rfc(first - split, right, false), root_of_the_rfc(left))
    };
    path.push(sibling);
    path
}

fn head(size: usize) -> TreeHead {
    TreeHead { size: size as u64, root: root(SUITE, DOMAIN, &LEAVES[..size]) }
}

fn check_inclusion(index: usize, size: usize) {
    let leaves = &LEAVES[..size];
    let root = root(SUITE, DOMAIN, leaves);
    let path = path(SUITE, DOMAIN, leaves, index).unwrap();
    assert_eq!(*path.0, *path_of_the_rfc(index, leaves));
    let place = Place { index: index as u64, size: size as u64 };
    path.check(SUITE, DOMAIN, place, &leaves[index], &root).unwrap();
}

fn check_consistency(first: usize, second: usize) {
    let path = consistency(SUITE, DOMAIN, &LEAVES[..second], first).unwrap();
    if first > 0 {
        assert_eq!(*path.0, *subproof_of_the_rfc(first, &LEAVES[..second], true));
    }
    path.check(SUITE, DOMAIN, head(first), head(second)).unwrap();
}

#[test]
fn small_trees_follow_the_rfc_at_every_place() {
    for size in 0..=40 {
        assert_eq!(root(SUITE, DOMAIN, &LEAVES[..size]), root_of_the_rfc(&LEAVES[..size]));
        assert_eq!(path(SUITE, DOMAIN, &LEAVES[..size], size), None);
        assert_eq!(consistency(SUITE, DOMAIN, &LEAVES[..size], size + 1), None);
        for index in 0..size {
            check_inclusion(index, size);
        }
        for first in 0..=size {
            check_consistency(first, size);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn trees_of_any_size_follow_the_rfc((size, index) in (1..=LARGEST).prop_flat_map(|n| (Just(n), 0..n))) {
        prop_assert_eq!(root(SUITE, DOMAIN, &LEAVES[..size]), root_of_the_rfc(&LEAVES[..size]));
        check_inclusion(index, size);
        check_consistency(index, size);
    }

    #[test]
    fn a_path_holds_for_its_leaf_place_and_size_only(
        (size, index) in (2..200usize).prop_flat_map(|n| (Just(n), 0..n)),
        other in 0..200u64,
        wrong in 0..400u64,
        flip in any::<(prop::sample::Index, u8)>(),
    ) {
        let leaves = &LEAVES[..size];
        let root = root(SUITE, DOMAIN, leaves);
        let good = path(SUITE, DOMAIN, leaves, index).unwrap();
        let place = Place { index: index as u64, size: size as u64 };
        let holds = |path: &MerklePath, place, leaf: &Hash| {
            path.check(SUITE, DOMAIN, place, leaf, &root).is_ok()
        };
        prop_assert!(holds(&good, place, &leaves[index]));
        // Another place: refused, whatever the path.
        if other != place.index {
            let moved = Place { index: other, ..place };
            prop_assert!(!holds(&good, moved, &leaves[index]));
        }
        // Another leaf.
        let neighbour = (index + 1) % size;
        prop_assert!(!holds(&good, place, &leaves[neighbour]));
        // A path that is longer, shorter or changed.
        let mut nodes = good.0.to_vec();
        nodes.push(Hash::ZERO);
        prop_assert!(!holds(&MerklePath(List::new(nodes.clone()).unwrap()), place, &leaves[index]));
        nodes.truncate(good.0.len() - 1);
        prop_assert!(!holds(&MerklePath(List::new(nodes).unwrap()), place, &leaves[index]));
        let mut nodes = good.0.to_vec();
        let at = flip.0.index(nodes.len());
        nodes[at].0[usize::from(flip.1 % 32)] ^= 1 << (flip.1 / 32);
        prop_assert!(!holds(&MerklePath(List::new(nodes).unwrap()), place, &leaves[index]));
        // A size that gives the place another shape is refused. (One that does not, such as a larger
        // tree in which the place has the same sides, is why the size is taken from a signed header.)
        let lie = Place { index: place.index, size: wrong };
        if wrong <= place.index || sides(lie.index, lie.size).len() != good.0.len() {
            prop_assert!(!holds(&good, lie, &leaves[index]));
        }
    }

    #[test]
    fn growth_that_changed_a_leaf_is_not_consistent(
        (second, first) in (2..300usize).prop_flat_map(|n| (Just(n), 1..n)),
        changed in any::<prop::sample::Index>(),
        flip in any::<(prop::sample::Index, u8)>(),
    ) {
        let good = consistency(SUITE, DOMAIN, &LEAVES[..second], first).unwrap();
        let check = |path: &ConsistencyPath, a, b| path.check(SUITE, DOMAIN, a, b).is_ok();
        prop_assert!(check(&good, head(first), head(second)));
        // A second tree in which one of the first leaves was rewritten, with the proof it would make.
        let mut rewritten = LEAVES[..second].to_vec();
        rewritten[changed.index(first)] = leaf(SUITE, DOMAIN, b"rewritten");
        let forged = TreeHead { size: second as u64, root: root(SUITE, DOMAIN, &rewritten) };
        let path = consistency(SUITE, DOMAIN, &rewritten, first).unwrap();
        prop_assert!(!check(&path, head(first), forged));
        prop_assert!(!check(&good, head(first), forged));
        // A changed node, one too many, one too few.
        if !good.0.is_empty() {
            let mut nodes = good.0.to_vec();
            let at = flip.0.index(nodes.len());
            nodes[at].0[usize::from(flip.1 % 32)] ^= 1 << (flip.1 / 32);
            let bad = ConsistencyPath(List::new(nodes).unwrap());
            prop_assert!(!check(&bad, head(first), head(second)));
            let bad = ConsistencyPath(List::new(good.0[1..].to_vec()).unwrap());
            prop_assert!(!check(&bad, head(first), head(second)));
        }
        let mut nodes = good.0.to_vec();
        nodes.push(Hash::ZERO);
        let bad = ConsistencyPath(List::new(nodes).unwrap());
        prop_assert!(!check(&bad, head(first), head(second)));
        // The trees the wrong way round.
        prop_assert!(!check(&good, head(second), head(first)));
    }
}

#[test]
fn a_duplicated_last_leaf_gives_another_root() {
    // CVE-2012-2459: where an odd last node is paired with itself, [a, b, c] and [a, b, c, c] have one root.
    for size in 1..40 {
        let mut doubled = LEAVES[..size].to_vec();
        doubled.push(LEAVES[size - 1]);
        assert_ne!(root(SUITE, DOMAIN, &doubled), root(SUITE, DOMAIN, &LEAVES[..size]));
    }
}

#[test]
fn a_node_does_not_pass_for_a_leaf_nor_a_leaf_for_a_node() {
    let four = &LEAVES[..4];
    let nodes: Vec<Hash> =
        four.chunks(2).map(|pair| node(SUITE, DOMAIN, &pair[0], &pair[1])).collect();
    // Its two nodes as leaves give the tree's root: only the signed size tells the trees apart.
    assert_eq!(root(SUITE, DOMAIN, &nodes), root(SUITE, DOMAIN, four));
    let short = path(SUITE, DOMAIN, &nodes, 0).unwrap();
    let place = Place { index: 0, size: 4 };
    let error = short.check(SUITE, DOMAIN, place, &nodes[0], &root(SUITE, DOMAIN, four));
    assert_eq!(error, Err(MerkleError::Length { got: 1, expected: 2 }));
    // And no data has the digest of a node: leaves and nodes begin with different bytes.
    let data = [four[0].as_bytes().as_slice(), four[1].as_bytes()].concat();
    assert_ne!(leaf(SUITE, DOMAIN, &data), nodes[0]);
    assert_ne!(leaf(SUITE, DOMAIN, &data), leaf(SUITE, Domain::Outcomes, &data));
}

#[test]
fn empty_trees_have_no_places() {
    let path = MerklePath(List::empty());
    let place = Place { index: 0, size: 0 };
    assert_eq!(
        path.check(SUITE, DOMAIN, place, &LEAVES[0], &root(SUITE, DOMAIN, &[])),
        Err(MerkleError::Outside { index: 0, size: 0 })
    );
    let huge = Place { index: u64::MAX - 1, size: u64::MAX };
    let error = path.check(SUITE, DOMAIN, huge, &LEAVES[0], &LEAVES[0]);
    assert!(matches!(error, Err(MerkleError::Length { .. })));
}

#[test]
fn every_tree_has_grown_from_the_empty_one_and_from_itself() {
    let nothing = ConsistencyPath(List::empty());
    for size in [0, 1, 2, 3, 64, 65] {
        nothing.check(SUITE, DOMAIN, head(0), head(size)).unwrap();
        nothing.check(SUITE, DOMAIN, head(size), head(size)).unwrap();
        let other = TreeHead { root: Hash::ZERO, ..head(size) };
        assert!(nothing.check(SUITE, DOMAIN, other, head(size)).is_err());
    }
    let forged = TreeHead { size: 0, root: LEAVES[0] };
    assert!(nothing.check(SUITE, DOMAIN, forged, head(5)).is_err());
    assert!(nothing.check(SUITE, DOMAIN, head(4), head(5)).is_err());
    let one = ConsistencyPath(List::new(vec![Hash::ZERO]).unwrap());
    assert!(one.check(SUITE, DOMAIN, head(0), head(5)).is_err());
    let vast = TreeHead { size: u64::MAX, root: Hash::ZERO };
    assert!(one.check(SUITE, DOMAIN, head(3), vast).is_err());
}

fn given(digests: &[Hash], first: usize, size: usize) -> Leaves<'_> {
    Leaves { first: first as u64, size: size as u64, digests }
}

#[test]
fn every_range_of_every_small_tree_is_proved_and_none_else() {
    for size in 1..=18usize {
        let leaves = &LEAVES[..size];
        let (root, tree) = (root(SUITE, DOMAIN, leaves), Tree::new(SUITE, DOMAIN, leaves.to_vec()));
        for first in 0..size {
            assert_eq!(tree.range_path(first..first), None, "no leaf, no path");
            for end in first + 1..=size {
                let path = tree.range_path(first..end).unwrap();
                let digests = &leaves[first..end];
                let check =
                    |path: &RangePath, leaves: Leaves<'_>| path.check(SUITE, DOMAIN, leaves, &root);
                check(&path, given(digests, first, size)).unwrap();
                for (at, digest) in digests.iter().enumerate() {
                    let index = (first + at) as u64;
                    let alone = path.path_of(SUITE, DOMAIN, given(digests, first, size), index);
                    let place = Place { index, size: size as u64 };
                    alone.unwrap().check(SUITE, DOMAIN, place, digest, &root).unwrap();
                    let mut wrong = digests.to_vec();
                    wrong[at].0[0] ^= 1;
                    assert!(check(&path, given(&wrong, first, size)).is_err());
                }
                assert!(
                    path.path_of(SUITE, DOMAIN, given(digests, first, size), end as u64).is_err()
                );
                // Another place, fewer leaves, no leaves, one sibling more, one less, one changed.
                for other in (0..size).filter(|other| *other != first) {
                    assert!(check(&path, given(digests, other, size)).is_err(), "{first}..{end}");
                }
                assert!(check(&path, given(&digests[1..], first, size)).is_err());
                assert!(check(&path, given(&[], first, size)).is_err());
                assert!(check(&path, given(digests, first, end - 1)).is_err());
                let mut siblings = path.0.to_vec();
                siblings.push(Hash::ZERO);
                let long = RangePath(List::new(siblings.clone()).unwrap());
                assert!(check(&long, given(digests, first, size)).is_err());
                siblings.pop();
                for at in 0..siblings.len() {
                    siblings[at].0[31] ^= 1;
                    let changed = RangePath(List::new(siblings.clone()).unwrap());
                    assert!(check(&changed, given(digests, first, size)).is_err());
                    siblings[at].0[31] ^= 1;
                }
                if siblings.pop().is_some() {
                    let short = RangePath(List::new(siblings).unwrap());
                    assert!(check(&short, given(digests, first, size)).is_err());
                }
            }
        }
    }
}

#[test]
fn a_range_at_the_end_of_numbers_is_refused() {
    let leaves = Leaves { first: u64::MAX, size: u64::MAX, digests: &LEAVES[..2] };
    let path = RangePath(List::empty());
    assert!(path.check(SUITE, DOMAIN, leaves, &Hash::ZERO).is_err());
}
