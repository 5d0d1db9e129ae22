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

/// More than what makes fjall write a file at once, and a few.
#[test]
fn what_comes_sorted_is_over_what_was_there_and_under_what_comes_later() {
    let value = |round: u8, number: u16| vec![round; 200 + usize::from(number % 7)];
    for open in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        store.put(Tree::Values, b"gone", b"value").unwrap();
        store.wipe().unwrap();
        let mut expected = std::collections::BTreeMap::new();
        for (round, step) in (1u8..).zip([3u16, 1, 500, 2, 1_000]) {
            let numbers = (0..4_000).step_by(usize::from(step));
            let entries: Vec<_> = numbers
                .map(|number: u16| (number.to_be_bytes().to_vec(), value(round, number)))
                .collect();
            let mut sorted = entries.iter().map(|(key, value)| (&key[..], &value[..]));
            store.put_sorted(Tree::Values, &mut sorted).unwrap();
            expected.extend(entries);
            store.put(Tree::Values, &[0, round], b"single").unwrap();
            expected.insert(vec![0, round], b"single".to_vec());
            let all: Vec<Entry> = expected.clone().into_iter().collect();
            assert_eq!(store.scan(Tree::Values, &[], None, usize::MAX).unwrap(), all);
            if round % 2 == 0 {
                store.flush().unwrap();
                drop(store);
                store = open(folder.path());
                assert_eq!(store.scan(Tree::Values, &[], None, usize::MAX).unwrap(), all);
            }
            let get = |key: &[u8]| store.get(Tree::Values, key).unwrap();
            assert!(expected.iter().all(|(key, value)| get(key).as_ref() == Some(value)));
        }
        assert!(store.scan(Tree::Search, &[], None, 9).unwrap().is_empty());
        store.put_sorted(Tree::Search, &mut std::iter::empty()).unwrap();
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

/// Far more than what becomes a file at once: the view that is taken right behind it holds all of that, and nothing later.
#[test]
fn a_view_that_is_taken_right_after_a_sorted_file_holds_that_file_and_nothing_later() {
    let folder = tempfile::tempdir().unwrap();
    let store = FjallStore::open(folder.path(), 1 << 20).unwrap();
    let entries = |round: u8| -> Vec<Entry> {
        let entry = |number: u16| (number.to_be_bytes().to_vec(), vec![round; 300]);
        (0..4_000).step_by(usize::from(round)).map(entry).collect()
    };
    let mut frozen = Vec::new();
    let mut expected = std::collections::BTreeMap::new();
    for round in 1..=6 {
        let entries = entries(round);
        let mut sorted = entries.iter().map(|(key, value)| (&key[..], &value[..]));
        store.put_sorted(Tree::Values, &mut sorted).unwrap();
        store.put(Tree::Meta, b"round", &[round]).unwrap();
        expected.extend(entries);
        let all: Vec<Entry> = expected.clone().into_iter().collect();
        frozen.push((round, store.freeze().unwrap(), all));
        store.put(Tree::Values, b"later", b"value").unwrap();
        expected.insert(b"later".to_vec(), b"value".to_vec());
    }
    for (round, view, all) in frozen {
        assert!(view.scan(Tree::Values, &[], None, usize::MAX).unwrap() == all, "round {round}");
        assert_eq!(view.get(Tree::Meta, b"round").unwrap(), Some(vec![round]));
    }
}

/// More than three of fjall's journals, which it makes 64 MiB long.
const JOURNALS: u64 = 224 << 20;

/// Waits until the journals are short again: they are let go when all that they hold is in files.
fn journals_become_short(folder: &Path) {
    let length = || -> u64 {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let journals = files.filter(|file| file.path().extension().is_some_and(|of| of == "jnl"));
        journals.map(|file| file.metadata().map_or(0, |of| of.len())).sum()
    };
    for _ in 0..600 {
        if length() < JOURNALS {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{} bytes of journal", length());
}

/// Puts so many lots of 110 KB under random keys.
fn put_lots(store: &FjallStore, trees: &[Tree], lots: std::ops::Range<u64>) {
    const LOT: u64 = 600;
    let key = |number: u64| *blake3::hash(&number.to_be_bytes()).as_bytes();
    for lot in lots {
        let mut keys: Vec<_> = (lot * LOT..(lot + 1) * LOT).map(key).collect();
        keys.sort_unstable();
        for tree in trees {
            let mut sorted = keys.iter().map(|key| (&key[..], &[3; 150][..]));
            store.put_sorted(*tree, &mut sorted).unwrap();
        }
    }
}

/// As fjall itself asks its worker to write what is in memory, that stands still within the first dozen of these megabytes,
/// and the journal grows with all that is written.
#[test]
fn many_small_lots_do_not_stop_the_thread_that_merges() {
    let folder = tempfile::tempdir().unwrap();
    let store = FjallStore::open(folder.path(), 1 << 20).unwrap();
    put_lots(&store, &[Tree::Values, Tree::Pages, Tree::History], 0..1_000);
    journals_become_short(folder.path());
    assert_eq!(store.scan(Tree::Pages, &[], None, usize::MAX).unwrap().len(), 600_000);
}

/// What the last process left in the journal counts.
#[test]
fn a_store_that_is_opened_again_and_again_does_not_keep_everything_in_its_journal() {
    let folder = tempfile::tempdir().unwrap();
    let open = || FjallStore::open(folder.path(), 1 << 20).unwrap();
    for round in 0..50 {
        // Six megabytes in each: less than what becomes a file.
        put_lots(&open(), &[Tree::Values, Tree::Pages], round * 30..(round + 1) * 30);
    }
    let store = open();
    journals_become_short(folder.path());
    assert_eq!(store.scan(Tree::Pages, &[], None, usize::MAX).unwrap().len(), 900_000);
}

#[test]
fn files_that_rot_are_damage_and_no_failure_of_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let entries: Vec<Entry> =
        (0..9_000u16).map(|n| (n.to_be_bytes().to_vec(), n.to_le_bytes().repeat(150))).collect();
    let fill = |store: &FjallStore| {
        let mut sorted = entries.iter().map(|(key, value)| (&key[..], &value[..]));
        store.put_sorted(Tree::Pages, &mut sorted).unwrap();
        store.flush().unwrap();
    };
    let open = || FjallStore::open(folder.path(), 1 << 20).unwrap();
    fill(&open());
    let trees = std::fs::read_dir(folder.path().join("keyspaces")).unwrap();
    let files = trees.flat_map(|tree| {
        std::fs::read_dir(tree.unwrap().path().join("tables")).into_iter().flatten()
    });
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    let largest = files.iter().max_by_key(|file| file.metadata().unwrap().len()).unwrap();
    let good = std::fs::read(largest).unwrap();
    let mut bytes = good.clone();
    bytes[good.len() / 2] ^= 1;
    std::fs::write(largest, &bytes).unwrap();
    let store = open();
    let error = store.scan(Tree::Pages, &[], None, usize::MAX).unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    let error = entries.iter().find_map(|(key, _)| store.get(Tree::Pages, key).err());
    assert!(matches!(error, Some(StoreError::Damaged(_))), "{error:?}");
    drop(store);
    std::fs::write(largest, &good[..good.len() / 2]).unwrap();
    let store = open();
    assert!(store.scan(Tree::Pages, &[], None, usize::MAX).unwrap().is_empty(), "it is made anew");
    fill(&store);
}

#[test]
fn keys_that_ascend_do_not_leave_a_file_for_each_lot() {
    const LOTS: u64 = 150;
    let folder = tempfile::tempdir().unwrap();
    let store = FjallStore::open(folder.path(), 1 << 20).unwrap();
    for lot in 0..LOTS {
        // Seven hundred kilobytes.
        let keys: Vec<[u8; 8]> = (lot * 70..(lot + 1) * 70).map(u64::to_be_bytes).collect();
        let value = vec![lot.to_le_bytes()[0]; 10_000];
        let mut sorted = keys.iter().map(|key| (&key[..], &value[..]));
        store.put_sorted(Tree::Contents, &mut sorted).unwrap();
    }
    store.flush().unwrap();
    let trees = std::fs::read_dir(folder.path().join("keyspaces")).unwrap();
    let tables = |tree: std::fs::DirEntry| {
        std::fs::read_dir(tree.path().join("tables")).map_or(0, |tables| tables.count() as u64)
    };
    let tables: u64 = trees.map(|tree| tables(tree.unwrap())).sum();
    assert!(tables < LOTS / 5, "{tables} files of {LOTS} lots");
}
