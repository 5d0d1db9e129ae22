//! The engines do the same.

use super::*;
use std::path::Path;

/// Opens an engine in a folder.
type Open = fn(&Path) -> Box<dyn Store>;

/// The engines on disk.
const ENGINES: [Open; 2] = [
    |folder| Box::new(SledStore::open(folder, 1 << 20).unwrap()),
    |folder| Box::new(FjallStore::open(folder, 1 << 20).unwrap()),
];

fn check(store: &dyn Store) {
    for key in [5u8, 1, 9, 3] {
        store.put(Tree::Search, &[key], &[key, key]).unwrap();
    }
    store.put(Tree::Records, &[3], b"other tree").unwrap();
    store.put(Tree::Search, &[3], b"new").unwrap();
    assert_eq!(store.get(Tree::Search, &[3]).unwrap().unwrap(), b"new");
    assert_eq!(store.get(Tree::Search, &[4]).unwrap(), None);
    let keys = |from: &[u8], to: Option<&[u8]>, limit| -> Vec<u8> {
        let entries = store.scan(Tree::Search, from, to, limit).unwrap();
        entries.into_iter().map(|(key, _)| key[0]).collect()
    };
    assert_eq!(keys(&[], None, 9), [1, 3, 5, 9]);
    assert_eq!(keys(&[3], Some(&[9]), 9), [3, 5]);
    assert_eq!(keys(&[3], Some(&[9]), 1), [3]);
    assert!(keys(&[9], Some(&[3]), 9).is_empty());
    store.flush().unwrap();
    store.wipe().unwrap();
    assert!(keys(&[], None, 9).is_empty());
    store.put(Tree::Search, &[7], b"after the wipe").unwrap();
    assert_eq!(keys(&[], None, 9), [7]);
}

#[test]
fn the_engines_and_their_twin_in_memory_do_the_same() {
    check(&MemoryStore::default());
    for open in ENGINES {
        check(&*open(tempfile::tempdir().unwrap().path()));
    }
}

#[test]
fn what_was_flushed_is_there_again() {
    for open in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        store.put(Tree::Meta, b"key", b"value").unwrap();
        store.flush().unwrap();
        drop(store);
        assert_eq!(open(folder.path()).get(Tree::Meta, b"key").unwrap().unwrap(), b"value");
    }
}
