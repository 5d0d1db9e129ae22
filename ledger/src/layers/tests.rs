//! The layers are one view.

use super::*;
use crate::store::MemoryStore;

fn put(layers: &mut Layers, tree: Tree, entries: &[(u8, u8)]) {
    let mut draft = Draft::new(layers);
    for (key, value) in entries {
        draft.put(tree, [*key], [*value]);
    }
    let new = draft.into_new();
    layers.absorb(new);
}

/// Some keys in each layer, some in several.
fn in_three_layers(tree: Tree) -> Layers {
    let mut layers = Layers::new(Arc::new(MemoryStore::default()));
    put(&mut layers, tree, &[(7, 1), (1, 1), (4, 1)]);
    InBytes::of(&layers.fresh).put(&*layers.store).unwrap();
    layers.fresh = Layer::default();
    put(&mut layers, tree, &[(5, 2), (4, 2), (2, 2)]);
    layers.set_aside();
    put(&mut layers, tree, &[(6, 3), (3, 3), (5, 3)]);
    put(&mut layers, tree, &[(3, 4), (8, 0), (8, 4)]);
    layers
}

/// What counts of them.
const NEWEST: [(u8, u8); 8] = [(1, 1), (2, 2), (3, 4), (4, 2), (5, 3), (6, 3), (7, 1), (8, 4)];

#[test]
fn the_newest_entry_of_a_key_is_found() {
    for tree in Tree::ALL {
        let layers = in_three_layers(tree);
        for (key, value) in NEWEST {
            assert_eq!(layers.get(tree, &[key]).unwrap(), Some(vec![value]), "{}", tree.name());
        }
        assert_eq!(layers.get(tree, &[9]).unwrap(), None);
    }
}

#[test]
fn a_scan_gives_the_newest_entries_in_order() {
    for tree in Tree::ALL.into_iter().filter(|tree| tree.is_scanned()) {
        let layers = in_three_layers(tree);
        for (from, to, limit) in [(0, None, 9), (2, Some(7), 9), (2, Some(7), 3), (5, Some(3), 9)] {
            let wanted = |key: &u8| *key >= from && to.is_none_or(|to| *key < to);
            let expected = NEWEST.iter().filter(|(key, _)| wanted(key)).take(limit);
            let expected: Vec<Entry> =
                expected.map(|(key, value)| (vec![*key], vec![*value])).collect();
            let to = to.map(|to| [to]);
            let to = to.as_ref().map(|to| &to[..]);
            assert_eq!(layers.scan(tree, &[from], to, limit).unwrap(), expected);
        }
    }
}

#[test]
#[should_panic(expected = "history is not in order in memory")]
fn what_is_not_in_order_in_memory_is_not_scanned() {
    let layers = in_three_layers(Tree::History);
    let _ = layers.scan(Tree::History, &[], None, 9);
}

#[test]
fn a_layer_is_written_in_order_and_is_the_same_when_it_was_read() {
    let mut layers = Layers::new(Arc::new(MemoryStore::default()));
    for tree in Tree::ALL {
        put(&mut layers, tree, &[(3, 1), (1, 1), (2, 1), (3, 2)]);
        put(&mut layers, tree, &[(2, 3), (0, 3)]);
    }
    let mut draft = Draft::new(&layers);
    for key in [9, 8, 7] {
        draft.put_value(Hash([key; Hash::LEN]), vec![key]);
    }
    let new = draft.into_new();
    layers.absorb(new);
    let written = InBytes::of(&layers.fresh);
    let entries: Vec<_> = written.iter().collect();
    assert!(entries.is_sorted() && entries.len() == 4 * Tree::ALL.len() + 3);
    assert_eq!((written.len(), layers.fresh.len()), (entries.len(), entries.len()));
    let mut read = Layer::default();
    for (tree, key, value) in &entries {
        read.put_read(*tree, key.to_vec(), value.to_vec());
    }
    assert_eq!(InBytes::of(&read).iter().collect::<Vec<_>>(), entries);
    let bytes: usize = entries.iter().map(|(_, key, value)| key.len() + value.len()).sum();
    assert_eq!((layers.fresh.bytes(), read.bytes()), (bytes, bytes));
}
