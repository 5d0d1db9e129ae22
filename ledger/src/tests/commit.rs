//! Committing, opening again, and what is refused.

use crate::{
    DiskStorage, FileError, FjallStore, Ledger, LedgerError, MemoryStorage, MemoryStore, OpenError,
    SledStore, Storage, Store, Tree, fixtures::*, log::BlockLog,
};
use probata_types::{Hash, Height, codec, state::StateRead};
use std::{path::Path, sync::Arc};

fn new_store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::default())
}

/// Everything derived, of a ledger that is closed for it.
fn closed(ledger: Ledger, store: &MemoryStore) -> Vec<(Tree, Vec<u8>, Vec<u8>)> {
    ledger.close().unwrap();
    dump(store)
}

#[test]
fn a_closed_ledger_opens_where_it_was() {
    let (storage, store, ledger) = grown(12);
    let (head, history) = (ledger.head(), ledger.history_root());
    let derived = closed(ledger, &store);
    assert_eq!(storage.list().unwrap(), ["blocks-0000000000000001"]);
    let ledger = Ledger::open(setup(storage, store.clone())).unwrap();
    assert!(ledger.unapplied().unwrap().is_none());
    assert_eq!((ledger.head(), ledger.history_root()), (head, history));
    assert_eq!(closed(ledger, &store), derived);
}

#[test]
fn a_killed_ledger_opens_where_it_was_after_its_blocks_are_applied_again() {
    let (storage, store, ledger) = grown(12);
    let head = ledger.head();
    // Killed: whatever was only in memory is gone.
    drop(ledger);
    let mut again = Ledger::open(setup(storage, store.clone())).unwrap();
    assert_eq!((again.head().height, again.log_height()), (Height::ZERO, Height::new(12)));
    let (next, changes) = block(&again, Vec::new());
    let refused = again.commit(&next, &changes).unwrap_err();
    assert!(matches!(refused, LedgerError::Behind { .. }), "{refused}");
    assert_eq!(catch_up(&mut again).unwrap(), 12);
    assert_eq!(again.head(), head);
    let (_, other_store, other) = grown(12);
    assert_eq!(closed(again, &store), closed(other, &other_store));
}

#[test]
fn a_lost_a_stale_and_a_damaged_store_are_derived_again() {
    let (storage, store, ledger) = grown(12);
    let derived = closed(ledger, &store);
    // Stale: as it was five blocks ago.
    let (old_storage, stale, old) = grown(7);
    old.close().unwrap();
    let mut ledger = Ledger::open(setup(storage.clone(), stale.clone())).unwrap();
    assert_eq!(catch_up(&mut ledger).unwrap(), 5, "only what is missing is executed again");
    assert_eq!(closed(ledger, &stale), derived);
    drop(old_storage);
    // Damaged where opening sees it: the marker, the top page, the newest block, the largest subtree.
    for (tree, last) in
        [(Tree::Meta, false), (Tree::Crown, false), (Tree::Blocks, true), (Tree::History, true)]
    {
        let mut entries = store.scan(tree, &[], None, usize::MAX).unwrap();
        let (key, mut value) = if last { entries.pop().unwrap() } else { entries.remove(0) };
        *value.last_mut().unwrap() ^= 1;
        if tree == Tree::Blocks {
            value.truncate(20);
        }
        store.put(tree, &key, &value).unwrap();
        let mut ledger = Ledger::open(setup(storage.clone(), store.clone())).unwrap();
        assert_eq!(catch_up(&mut ledger).unwrap(), 12, "{}", tree.name());
        assert_eq!(closed(ledger, &store), derived);
    }
    // Lost.
    let empty = new_store();
    assert_eq!(closed(open(storage, empty.clone()), &empty), derived);
}

#[test]
fn a_block_in_the_log_that_was_never_applied_is_applied_on_opening() {
    let (storage, store, ledger) = grown(5);
    let (next, _) = block(&ledger, content(6));
    ledger.close().unwrap();
    // Killed between the append and what follows it.
    let mut log = BlockLog::open(storage.clone(), Height::new(1), Arc::default()).unwrap();
    log.append(Height::new(6), &codec::encode(&next)).unwrap();
    let mut ledger = Ledger::open(setup(storage, store)).unwrap();
    assert_eq!(ledger.head().height, Height::new(5));
    assert_eq!(catch_up(&mut ledger).unwrap(), 1);
    assert_eq!(ledger.head().hash, next.header.hash());
}

#[test]
fn a_last_block_torn_at_any_byte_is_gone_and_can_be_committed_again() {
    let (storage, store, mut ledger) = grown(3);
    ledger.close().unwrap();
    let file = "blocks-0000000000000001";
    let before = storage.files()[file].len();
    ledger = open(storage.clone(), store.clone());
    let (next, changes) = block(&ledger, content(4));
    let derived_before = copy_store(&store);
    ledger.commit(&next, &changes).unwrap();
    let whole = storage.files()[file].clone();
    for cut in before..whole.len() {
        let torn = MemoryStorage::with_files([(file.to_owned(), whole[..cut].to_vec())].into());
        let torn = Arc::new(torn);
        let mut again = Ledger::open(setup(torn.clone(), copy_store(&derived_before))).unwrap();
        assert!(again.unapplied().unwrap().is_none(), "cut at {cut}");
        assert_eq!(again.head().height, Height::new(3));
        again.commit(&next, &changes).unwrap();
        assert_eq!(torn.files()[file], whole, "cut at {cut}");
    }
}

fn copy_store(store: &MemoryStore) -> Arc<MemoryStore> {
    let copy = new_store();
    for (tree, key, value) in dump(store) {
        copy.put(tree, &key, &value).unwrap();
    }
    copy
}

#[test]
fn a_log_that_lost_blocks_is_fatal_and_says_so() {
    let (storage, store, ledger) = grown(4);
    ledger.close().unwrap();
    let short = grown(2).0;
    let error = Ledger::open(setup(short, store)).map(|_| ()).unwrap_err();
    let OpenError::LogLost { log, derived } = error else { panic!("{error}") };
    assert_eq!((log.get(), derived.get()), (2, 4));
    drop(storage);
}

#[test]
fn another_chain_is_refused_by_log_and_by_store() {
    let (storage, store, ledger) = grown(4);
    ledger.close().unwrap();
    let other = |storage: Arc<dyn Storage>, store: Arc<dyn Store>| {
        let mut setup = setup(storage, store);
        setup.chain = Hash([1; 32]);
        Ledger::open(setup).map(|_| ()).unwrap_err()
    };
    let error = other(storage, new_store());
    assert!(matches!(error, OpenError::OtherChain { found: CHAIN, .. }), "{error}");
    let error = other(Arc::new(MemoryStorage::default()), store);
    assert!(matches!(error, OpenError::OtherChain { found: CHAIN, .. }), "{error}");
}

#[test]
fn a_damaged_log_is_fatal_and_names_the_place() {
    let (storage, _, ledger) = grown(6);
    drop(ledger);
    let mut files = storage.files();
    files.get_mut("blocks-0000000000000001").unwrap()[100] ^= 1;
    let damaged = Arc::new(MemoryStorage::with_files(files));
    let error = Ledger::open(setup(damaged, new_store())).map(|_| ()).unwrap_err();
    let OpenError::Ledger(LedgerError::File(FileError::Corrupt { file, offset, .. })) = error
    else {
        panic!("{error}")
    };
    assert_eq!((file.as_str(), offset), ("blocks-0000000000000001", 0));
}

#[test]
fn a_block_that_does_not_fit_is_refused_before_anything_is_written() {
    let (storage, _, mut ledger) = grown(3);
    let (good, changes) = block(&ledger, content(5));
    let before = storage.files();
    type Change = fn(&mut probata_types::Header);
    let cases: [(&str, Change); 4] = [
        ("chain", |header| header.chain = Hash::ZERO),
        ("parent", |header| header.parent = Hash::ZERO),
        ("state root", |header| header.state_root = Hash::ZERO),
        ("history root", |header| header.history_root = Hash::ZERO),
    ];
    for (name, change) in cases {
        let mut bad = good.clone();
        change(&mut bad.header);
        match ledger.commit(&bad, &changes).unwrap_err() {
            LedgerError::Mismatch { what, sealed, .. } => {
                assert_eq!((what, sealed), (name, Hash::ZERO));
            }
            other => panic!("{other}"),
        }
    }
    let mut bad = good.clone();
    bad.header.height = Height::new(9);
    assert!(matches!(ledger.commit(&bad, &changes), Err(LedgerError::WrongHeight { .. })));
    let mut fewer = (*changes).clone();
    fewer.pop_last();
    let fewer = Arc::new(fewer);
    assert!(matches!(ledger.commit(&good, &fewer), Err(LedgerError::Mismatch { .. })));
    assert!(matches!(ledger.apply(&good, &changes), Err(LedgerError::NotInLog(_))));
    assert_eq!(storage.files(), before);
    ledger.commit(&good, &changes).unwrap();
    assert!(matches!(ledger.commit(&good, &changes), Err(LedgerError::WrongHeight { .. })));
}

#[test]
fn a_preview_writes_nothing_and_gives_what_is_then_sealed() {
    let (_, _, mut ledger) = grown(3);
    let (next, changes) = block(&ledger, content(5));
    let root = ledger.state_root_after(&changes).unwrap();
    assert_eq!(root, next.header.state_root);
    let unchanged = ledger.state_root_after(&Arc::default()).unwrap();
    assert_eq!(unchanged, ledger.head().sealed.clone().unwrap().0.state_root);
    // The last preview was of other changes: the commit does not take it for its own.
    ledger.commit(&next, &changes).unwrap();
    assert_eq!(ledger.state_root_after(&Arc::default()).unwrap(), root);
}

#[test]
fn the_state_is_that_of_the_last_block() {
    let (_, _, mut ledger) = grown(2);
    let key = counter(flow(77));
    assert_eq!(ledger.get(&key).unwrap(), None);
    let (next, changes) = block(&ledger, vec![submission(3, 99, vec![record(77, 1)])]);
    assert_eq!(ledger.get(&key).unwrap(), None);
    ledger.commit(&next, &changes).unwrap();
    assert_eq!(ledger.get(&key).unwrap().as_ref(), changes.get(&key));
    let reader = ledger.reader();
    assert_eq!(reader.state(&key).unwrap(), (changes.get(&key).cloned(), Height::new(3)));
    assert_eq!(ledger.counters().blocks, 3);
    assert_eq!(ledger.counters().applied, 3);
}

#[test]
fn on_a_real_disk_with_either_engine_and_behind_it_is_the_same() {
    type Open = fn(&Path) -> Arc<dyn Store>;
    let sled: Open = |folder| Arc::new(SledStore::open(folder, 1 << 20).unwrap());
    let fjall: Open = |folder| Arc::new(FjallStore::open(folder, 1 << 20).unwrap());
    for (engine, behind) in [(sled, false), (sled, true), (fjall, false), (fjall, true)] {
        on_a_real_disk(engine, behind);
    }
}

fn on_a_real_disk(engine: fn(&Path) -> Arc<dyn Store>, behind: bool) {
    let folder = tempfile::tempdir().unwrap();
    let open_disk = || {
        let storage = Arc::new(DiskStorage::open(&folder.path().join("log")).unwrap());
        (storage, engine(&folder.path().join("derived")))
    };
    let (storage, store) = open_disk();
    let mut ledger = open(storage.clone(), store.clone());
    if behind {
        ledger.write_behind(|| ());
    }
    ledger.set_checkpoint_blocks(3);
    grow(&mut ledger, 10);
    // Killed: the checkpoint file of the last layer may still be there.
    drop((ledger, storage, store));
    let (storage, store) = open_disk();
    let mut ledger = Ledger::open(setup(storage.clone(), store.clone())).unwrap();
    assert!(ledger.head().height >= Height::new(6), "checkpoints were taken");
    catch_up(&mut ledger).unwrap();
    grow(&mut ledger, 12);
    ledger.close().unwrap();
    let (_, expected, other) = grown(12);
    other.close().unwrap();
    assert_eq!(dump(&*store), dump(&*expected));
}
