use super::*;
use crate::{
    layers::InBytes,
    store::{MemoryStore, Store, Tree},
};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

const SUITE: Suite = Suite::Blake3Ed25519;

type Entries = BTreeMap<Hash, Hash>;

/// The digest of the subtree over these entries: the definition of `types::sparse`, word for word.
fn digest(entries: &[(Hash, Hash)], depth: usize) -> Hash {
    match entries {
        [] => sparse::empty(SUITE),
        [(key, value)] => sparse::leaf(SUITE, key, value),
        _ => {
            let middle = entries.partition_point(|(key, _)| !sparse::bit(key, depth));
            let (left, right) = entries.split_at(middle);
            sparse::node(SUITE, &digest(left, depth + 1), &digest(right, depth + 1))
        }
    }
}

fn root_of(entries: &Entries) -> Hash {
    let all: Vec<(Hash, Hash)> = entries.iter().map(|(k, v)| (*k, *v)).collect();
    digest(&all, 0)
}

/// A page that something else stood in.
fn used_before() -> OpenPage {
    let mut page = OpenPage::default();
    for at in 1..32 {
        page.set(at, Node::Leaf { key: Hash([9; 32]), value: Hash([9; 32]) });
        page.digest(SUITE, at);
    }
    page
}

fn layers() -> Layers {
    Layers::new(Arc::new(MemoryStore::default()))
}

fn update(
    suite: Suite,
    layers: &Layers,
    root: Node,
    changes: &Entries,
) -> Result<Update, LedgerError> {
    let changes: Vec<_> = changes.iter().map(|(key, value)| (*key, *value)).collect();
    super::update(suite, layers, root, &changes)
}

fn apply(layers: &mut Layers, root: Node, changes: &Entries) -> Node {
    let update = update(SUITE, layers, root, changes).unwrap();
    let mut draft = Draft::new(layers);
    update.put(&mut draft);
    changes.keys().for_each(|key| draft.put_value(*key, Vec::new()));
    let new = draft.into_new();
    layers.absorb(new);
    update.after
}

/// Keys that share beginnings of every length.
fn key() -> impl Strategy<Value = Hash> {
    (any::<u8>(), any::<u8>(), 0..32usize).prop_map(|(first, other, at)| {
        let mut bytes = [0; 32];
        bytes[0] = first & 0xe0;
        bytes[at] ^= other;
        Hash(bytes)
    })
}

fn changes() -> impl Strategy<Value = Entries> {
    let value = any::<u8>().prop_map(|byte| Hash([byte; 32]));
    prop::collection::btree_map(key(), value, 0..20)
}

proptest! {
    #[test]
    fn the_tree_is_the_one_of_its_definition(
        batches in prop::collection::vec(changes(), 1..8),
        asked in prop::collection::vec(key(), 4),
    ) {
        let mut layers = layers();
        let (mut model, mut root) = (Entries::new(), Node::Empty);
        for batch in &batches {
            root = apply(&mut layers, root, batch);
            model.extend(batch);
            prop_assert_eq!(root.digest(SUITE), root_of(&model));
        }
        let digest = root.digest(SUITE);
        for key in model.keys().chain(&asked) {
            prop_assert_eq!(find(SUITE, &layers, root, key).unwrap(), model.get(key).copied());
            let path = prove(SUITE, &layers, root, key).unwrap();
            match model.get(key) {
                Some(value) => path.check_present(SUITE, key, value, &digest).unwrap(),
                None => path.check_absent(SUITE, key, &digest).unwrap(),
            }
        }
    }

    #[test]
    fn the_order_of_changes_does_not_matter(entries in changes(), split in 0..20usize) {
        let mut whole = layers();
        let at_once = apply(&mut whole, Node::Empty, &entries);
        let mut parts = layers();
        let first: Entries = entries.iter().rev().take(split).map(|(k, v)| (*k, *v)).collect();
        let rest: Entries = entries.iter().rev().skip(split).map(|(k, v)| (*k, *v)).collect();
        let root = apply(&mut parts, Node::Empty, &first);
        prop_assert_eq!(apply(&mut parts, root, &rest), at_once);
    }

    #[test]
    fn pages_keep_their_nodes(entries in changes()) {
        let mut layers = layers();
        let root = apply(&mut layers, Node::Empty, &entries);
        for (key, page) in subtree(SUITE, 0, &entries.into_iter().collect::<Vec<_>>()).unwrap().1 {
            let bytes = page.encode();
            let (mut opened, again) = (used_before(), Page::decode(SUITE, &bytes));
            prop_assert_eq!(again.as_ref(), Some(&*page));
            page.open(&mut opened);
            prop_assert_eq!(opened.digest(SUITE, 1), *page.above());
            for at in 1..32 {
                prop_assert_eq!(opened.digest(SUITE, at), opened.get(SUITE, at).digest(SUITE));
            }
            prop_assert_eq!(&opened.close(SUITE), &*page);
            prop_assert!(Page::decode(SUITE, &bytes[..bytes.len() - 1]).is_none());
            prop_assert!(Page::decode(SUITE, &[bytes.as_slice(), &[0]].concat()).is_none());
            let in_tree = layers.page(&key).expect("the same changes make the same pages");
            prop_assert_eq!(in_tree, page);
        }
        let top = layers.page(&PageKey::new(&Hash::ZERO, 0));
        prop_assert_eq!(top.is_some(), matches!(root, Node::Inner(_)));
    }

    #[test]
    fn the_crown_follows_from_its_foot(
        changes in prop::collection::vec(prop::collection::vec(changes(), 1..4), 1..4),
    ) {
        let store = || Arc::new(MemoryStore::default());
        let (by_layers, at_once) = (store(), store());
        let mut layers = Layers::new(Arc::clone(&by_layers) as Arc<dyn Store>);
        let (mut root, mut model) = (Node::Empty, Entries::new());
        for blocks in &changes {
            for entries in blocks {
                root = apply(&mut layers, root, entries);
                model.extend(entries);
            }
            let layer = layers.set_aside();
            InBytes::of(&layer).put(&*by_layers).unwrap();
            layers.draining = None;
            layers.keep_pages(&layer);
            // A layer never leaves a tree of one key: genesis has more.
            prop_assume!(model.len() > 1);
        }
        let all: Vec<(Hash, Hash)> = model.iter().map(|(k, v)| (*k, *v)).collect();
        put_pages(&*at_once, &subtree(SUITE, 0, &all).unwrap().1).unwrap();
        crown::put_leaves(&*at_once, 0, &all).unwrap();
        for tree in [Tree::Crown, Tree::Pages] {
            let entries = |store: &MemoryStore| store.scan(tree, &[], None, usize::MAX).unwrap();
            prop_assert_eq!(entries(&by_layers), entries(&at_once));
        }
        let grown = Layers::new(by_layers);
        crown::grow(SUITE, &grown, root).unwrap();
        for (key, page) in subtree(SUITE, 0, &all).unwrap().1 {
            prop_assert_eq!(grown.page(&key), key.is_crown().then_some(page));
        }
        for key in model.keys() {
            prop_assert_eq!(find(SUITE, &grown, root, key).unwrap(), model.get(key).copied());
        }
    }

    #[test]
    fn bytes_that_are_no_page_are_none_or_hash_to_another_node(
        (leaves, inner) in any::<(u32, u32)>(),
        filling in any::<u8>(),
    ) {
        let count = 2 * leaves.count_ones() + inner.count_ones();
        let body = vec![filling; 32 * count as usize];
        let bytes = [&leaves.to_be_bytes()[..], &inner.to_be_bytes(), &body].concat();
        if let Some(page) = Page::decode(SUITE, &bytes) {
            prop_assert_eq!(page.encode(), &bytes[..]);
            // A leaf has nothing below it.
            for at in (2..16).filter(|at| leaves >> at & 1 == 1) {
                prop_assert_eq!((leaves | inner) >> (2 * at) & 0b11, 0);
            }
        }
    }
}

#[test]
fn a_change_touches_only_the_pages_on_its_way() {
    let mut layers = layers();
    let entries: Entries = (0..2_000u32)
        .map(|n| (SUITE.hash(probata_types::Domain::StateKey, &[&n.to_be_bytes()]), Hash([1; 32])))
        .collect();
    let root = apply(&mut layers, Node::Empty, &entries);
    let key = *entries.keys().next().unwrap();
    let one = update(SUITE, &layers, root, &Entries::from([(key, Hash([2; 32]))])).unwrap();
    assert!((2..=5).contains(&one.pages.len()), "{} pages", one.pages.len());
    let same = update(SUITE, &layers, root, &Entries::from([(key, Hash([1; 32]))])).unwrap();
    assert_eq!((same.pages.len(), same.after), (0, root), "what does not change is not written");
}

#[test]
fn a_wrong_or_missing_page_is_damage() {
    let store = Arc::new(MemoryStore::default());
    let mut filled = Layers::new(Arc::clone(&store) as Arc<dyn Store>);
    // Sixty-four that part at the top, and two that part far below.
    let key =
        |first: u8, last: u8| Hash(std::array::from_fn(|at| if at < 3 { first } else { last }));
    let entries = (0..64u8).map(|n| (key(n << 2, 0), Hash([n; 32])));
    let entries: Entries = entries.chain([(key(0, 0xff), Hash([7; 32]))]).collect();
    let root = apply(&mut filled, Node::Empty, &entries);
    InBytes::of(&filled.fresh).put(&*store).unwrap();
    // From here on nothing is in memory but the crown.
    let grown = || {
        let layers = Layers::new(Arc::clone(&store) as Arc<dyn Store>);
        crown::grow(SUITE, &layers, root).map(|()| layers)
    };
    let layers = || grown().unwrap();
    let asked = *entries.keys().next().unwrap();
    let place = PageKey::new(&asked, CROWN_LEVELS).encode();
    for tree in [Tree::Crown, Tree::Pages] {
        let good = store.get(tree, &place).unwrap().unwrap();
        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for bad in [flipped, Vec::new(), good[..good.len() - 1].to_vec()] {
            store.put(tree, &place, &bad).unwrap();
            let is_of_it = |error: &LedgerError| match error {
                LedgerError::Derived { tree: of, .. } => *of == tree,
                _ => false,
            };
            if tree == Tree::Crown {
                assert!(is_of_it(&grown().map(drop).unwrap_err()));
                continue;
            }
            let error = prove(SUITE, &layers(), root, &asked).unwrap_err();
            assert!(is_of_it(&error), "{error}");
            let change = Entries::from([(asked, Hash::ZERO)]);
            update(SUITE, &layers(), root, &change).unwrap_err();
        }
        store.put(tree, &place, &good).unwrap();
    }
    let other = PageKey::new(&Hash([0xff; 32]), CROWN_LEVELS).encode();
    store.put(Tree::Crown, &other, &[7; 64]).unwrap();
    assert!(grown().is_err(), "a node more comes to another root");
    store.put(Tree::Crown, &other, &[]).unwrap();
    assert!(grown().is_err(), "and one that is none to no root");
    let store = Arc::new(MemoryStore::default());
    InBytes::of(&filled.fresh).put(&*store).unwrap();
    let layers = || {
        let layers = Layers::new(Arc::clone(&store) as Arc<dyn Store>);
        crown::grow(SUITE, &layers, root).unwrap();
        layers
    };
    prove(SUITE, &layers(), root, &asked).unwrap();
    for key in [asked, key(0, 0xff), key(0, 0x7f), key(1, 0)] {
        assert_eq!(find(SUITE, &layers(), root, &key).unwrap(), entries.get(&key).copied());
    }
}

#[test]
fn keys_that_differ_in_the_last_bit_go_all_the_way_down() {
    let mut layers = layers();
    let mut other = [0; 32];
    other[31] = 1;
    let entries = Entries::from([(Hash::ZERO, Hash([1; 32])), (Hash(other), Hash([2; 32]))]);
    let root = apply(&mut layers, Node::Empty, &entries);
    assert_eq!(root.digest(SUITE), root_of(&entries));
    let path = prove(SUITE, &layers, root, &Hash(other)).unwrap();
    assert_eq!(path.siblings.len(), 256);
    path.check_present(SUITE, &Hash(other), &Hash([2; 32]), &root.digest(SUITE)).unwrap();
}
