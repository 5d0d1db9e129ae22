//! Snapshots: what is restored is what a full replay gives, and nothing else is taken for one.

use crate::{
    DiskStorage, FjallStore, FrozenState, Ledger, LedgerError, Manifest, MemoryStorage,
    MemoryStore, OpenError, Query, Restore, SledStore, SnapshotError, SnapshotFiles, Storage,
    Store, Tree, fixtures::*, restore, snapshot::Base,
};
use probata_types::{Hash, Height, RecordId, SubmissionId, Timestamp, View, state::StateKey};
use std::{num::NonZeroU64, sync::Arc};

mod crash;
mod poison;
mod sets;

/// Small, so that few blocks make many chunks.
const MOST: usize = 600;

pub(super) fn files() -> SnapshotFiles {
    SnapshotFiles::new(Arc::new(MemoryStorage::default()))
}

/// The snapshot of a ledger of so many blocks.
pub(super) fn snapshot_at(blocks: u64) -> SnapshotFiles {
    snapshot_of(grown(blocks).2)
}

/// The snapshot of a ledger, in small chunks.
pub(super) fn snapshot_of(ledger: Ledger) -> SnapshotFiles {
    let to = files();
    ledger.freeze().unwrap().write_in_chunks(&to, MOST, &|_| ()).unwrap();
    to
}

pub(super) fn restore_to(
    storage: &Arc<impl Storage + 'static>,
    store: &Arc<impl Store + 'static>,
    from: &SnapshotFiles,
) -> Result<Manifest, SnapshotError> {
    let setup = setup(storage.clone(), store.clone());
    restore(&Restore { setup: &setup, from, expected: None, progress: &|_, _| () })
}

pub(super) fn restored(from: &SnapshotFiles) -> (Arc<MemoryStorage>, Arc<MemoryStore>, Ledger) {
    let (storage, store) = (Arc::new(MemoryStorage::default()), Arc::new(MemoryStore::default()));
    restore_to(&storage, &store, from).unwrap();
    let ledger = open(storage.clone(), store.clone());
    (storage, store, ledger)
}

/// The whole state of a store: all objects, and all pages of the tree over them.
pub(super) fn state_of(store: &dyn Store) -> Vec<(Tree, Vec<u8>, Vec<u8>)> {
    let mut entries = dump(store);
    entries.retain(|(tree, ..)| matches!(tree, Tree::Values | Tree::Crown | Tree::Pages));
    entries
}

#[test]
fn a_restored_state_is_that_of_a_full_replay_and_goes_on_as_it() {
    for blocks in [1, 2, 7, 8, 64, 301] {
        let (_, full_store, full) = grown(blocks);
        full.close().unwrap();
        let from = snapshot_at(blocks);
        let manifest = from.manifest().unwrap();
        assert!(blocks < 64 || manifest.chunks() > 20, "{} chunks", manifest.chunks());
        let (_, store, ledger) = restored(&from);
        assert_eq!(ledger.head().height.get(), blocks);
        assert!(state_of(&*store) == state_of(&*full_store), "every object and every page");
        drop(ledger);
    }
    let (_, full_store, mut full) = grown(301);
    let (_, store, mut ledger) = restored(&snapshot_at(301));
    grow(&mut full, 420);
    grow(&mut ledger, 420);
    assert_eq!(ledger.head(), full.head());
    assert_eq!(ledger.history_root(), full.history_root());
    let keys = [counter(flow(1)), counter(flow(77)), counter(flow(250)), StateKey::Validators];
    let heights: Vec<Height> = (301..420).map(Height::new).collect();
    let proofs = full.reader().prove(&keys, &heights).unwrap();
    assert_eq!(ledger.reader().prove(&keys, &heights).unwrap(), proofs);
    full.close().unwrap();
    ledger.close().unwrap();
    assert!(state_of(&*store) == state_of(&*full_store));
}

#[test]
fn every_node_cuts_a_state_alike_however_it_came_to_it() {
    let mut manifest = snapshot_at(150).manifest().unwrap();
    // One that itself began from a snapshot, and came to the height by other checkpoints.
    let (_, _, mut ledger) = restored(&snapshot_at(60));
    ledger.set_checkpoint_blocks(7);
    grow(&mut ledger, 150);
    let again = files();
    ledger.freeze().unwrap().write_in_chunks(&again, MOST, &|_| ()).unwrap();
    assert_eq!(again.manifest().unwrap(), manifest);
    assert_eq!(again.manifest().unwrap().digest(), manifest.digest());
    // Whatever seal it holds: another quorum's is as good.
    manifest.seal.view = View::new(9);
    assert_eq!(again.manifest().unwrap().digest(), manifest.digest());
    manifest.header.time = Timestamp::new(1);
    assert_ne!(again.manifest().unwrap().digest(), manifest.digest());
}

#[test]
fn no_chunk_is_larger_than_it_may_be_and_together_they_hold_every_object_once() {
    let from = snapshot_at(200);
    let manifest = from.manifest().unwrap();
    let (_, full, ledger) = grown(200);
    ledger.close().unwrap();
    let mut bytes = Vec::new();
    for index in 0..manifest.chunks() {
        let chunk = from.chunk(index).unwrap();
        assert!(chunk.len() <= MOST, "{}", chunk.len());
        bytes.extend(chunk);
    }
    let mut expected = Vec::new();
    for (_, key, value) in dump(&*full).into_iter().filter(|(tree, ..)| *tree == Tree::Values) {
        expected.extend(
            [key.as_slice(), &u32::try_from(value.len()).unwrap().to_be_bytes(), &value].concat(),
        );
    }
    assert!(bytes == expected);
    assert_eq!(manifest.bytes(), bytes.len() as u64);
}

#[test]
fn both_engines_write_and_restore_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let disk = |name: &str| Arc::new(DiskStorage::open(&path(name)).unwrap());
    let fjall: Arc<dyn Store> = Arc::new(FjallStore::open(&path("fjall"), 1 << 20).unwrap());
    let sled: Arc<dyn Store> = Arc::new(SledStore::open(&path("sled"), 1 << 20).unwrap());
    let mut manifests = Vec::new();
    for (name, store) in [("log-fjall", &fjall), ("log-sled", &sled)] {
        let mut ledger = open(disk(name), store.clone());
        grow(&mut ledger, 40);
        let files = SnapshotFiles::new(disk(&format!("snapshot-{name}")));
        ledger.freeze().unwrap().write_in_chunks(&files, MOST, &|_| ()).unwrap();
        manifests.push(files.manifest().unwrap());
        // Each engine takes the other's place.
        let other = if name == "log-fjall" { &sled } else { &fjall };
        let storage: Arc<dyn Storage> = disk(&format!("restored-{name}"));
        let setup = setup(storage.clone(), other.clone());
        restore(&Restore { setup: &setup, from: &files, expected: None, progress: &|_, _| () })
            .unwrap();
        let mut ledger = open(storage, other.clone());
        assert_eq!(ledger.head().height, Height::new(40));
        grow(&mut ledger, 50);
        ledger.close().unwrap();
        other.wipe().unwrap();
    }
    assert_eq!(manifests[0], manifests[1]);
}

#[test]
fn the_chain_goes_on_while_a_snapshot_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let fjall = Arc::new(FjallStore::open(folder.path(), 1 << 20).unwrap());
    let stores: [Arc<dyn Store>; 2] = [fjall, Arc::new(MemoryStore::default())];
    for store in stores {
        let mut ledger = open(Arc::new(MemoryStorage::default()), store);
        ledger.freeze_every(NonZeroU64::new(25).unwrap());
        let mut frozen: Vec<FrozenState> = Vec::new();
        for height in 1..=120 {
            grow(&mut ledger, height);
            frozen.extend(ledger.take_frozen());
        }
        let heights: Vec<u64> = frozen.iter().map(|state| state.height().get()).collect();
        assert_eq!(heights, [25, 50, 75, 100], "whatever else was stored in between");
        for state in frozen {
            let files = files();
            let written = state.write_in_chunks(&files, MOST, &|_| ()).unwrap();
            let (header, _) = ledger.reader().sealed_header(state.height()).unwrap().unwrap();
            assert_eq!(written.state_root, header.state_root);
            let (_, _, again) = restored(&files);
            assert_eq!(again.head().height, state.height());
        }
    }
    // An engine without a view makes none, and says so by making none.
    let sled = SledStore::open(&folder.path().join("sled"), 1 << 20).unwrap();
    let mut ledger = open(Arc::new(MemoryStorage::default()), Arc::new(sled));
    ledger.freeze_every(NonZeroU64::new(5).unwrap());
    grow(&mut ledger, 20);
    assert!(ledger.take_frozen().is_none());
}

#[test]
fn what_older_blocks_could_change_is_never_answered_with_no() {
    let (_, _, full) = grown(60);
    let (full, from) = (full.reader(), Height::new(50));
    let (_, _, mut ledger) = restored(&snapshot_at(50));
    grow(&mut ledger, 60);
    let reader = ledger.reader();
    assert_eq!(reader.history_from(), from);
    let not_here = |error: LedgerError| {
        assert!(
            matches!(error, LedgerError::NotHere { from } if from == Height::new(50)),
            "{error}"
        )
    };
    for height in (1..50).map(Height::new) {
        not_here(reader.block(height).unwrap_err());
        not_here(reader.block_bytes(height).unwrap_err());
        not_here(reader.sealed_header(height).unwrap_err());
        not_here(reader.prove(&[], &[height]).unwrap_err());
    }
    for height in (50..=61).map(Height::new) {
        assert_eq!(reader.block(height).unwrap(), full.block(height).unwrap());
    }
    let mut told = [0; 2];
    for (record, place) in
        full.search(&Query::Institution(institution(1)), None, 1_000).unwrap().entries
    {
        if place.height >= from && place.accepted {
            assert_eq!(reader.record(&record).unwrap(), Some(place));
            told[0] += 1;
        } else {
            not_here(reader.record(&record).unwrap_err());
            told[1] += 1;
        }
    }
    assert!(told.iter().all(|count| *count > 2), "{told:?}");
    not_here(reader.record(&RecordId([1; 32])).unwrap_err());
    not_here(reader.submission(&SubmissionId([1; 32])).unwrap_err());
    for query in [
        Query::Flow(flow(1)),
        Query::Institution(institution(0)),
        Query::Type(1),
        Query::Document(digest(1)),
        Query::Subject(subject(1)),
    ] {
        not_here(reader.search(&query, None, 10).unwrap_err());
    }
    let times = |from: u64, to: u64| Query::Time { from: time(from), to: time(to) };
    not_here(reader.search(&times(49, 55), None, 10).unwrap_err());
    not_here(reader.search(&times(50, 55), None, 10).unwrap_err());
    let page = reader.search(&times(51, 58), None, 3).unwrap();
    assert_eq!(page, full.search(&times(51, 58), None, 3).unwrap());
    let next = page.next.unwrap();
    assert_eq!(
        reader.search(&times(51, 58), Some(&next), 9).unwrap(),
        full.search(&times(51, 58), Some(&next), 9).unwrap()
    );
    assert!(!reader.remembers(time(49)).unwrap() && reader.remembers(time(50)).unwrap());
    assert!(full.remembers(Timestamp::new(0)).unwrap());
}

#[test]
fn a_ledger_that_cannot_be_derived_again_says_so_and_touches_nothing() {
    let (storage, store, ledger) = restored(&snapshot_at(20));
    ledger.close().unwrap();
    let empty = Arc::new(MemoryStore::default());
    let error = Ledger::open(setup(storage.clone(), empty)).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::StateLost(height) if height == Height::new(20)), "{error}");
    assert!(error.to_string().contains("restore a snapshot again"));
    // With its own store it opens as before.
    assert_eq!(open(storage, store).head().height, Height::new(20));
}

#[test]
fn a_snapshot_goes_to_an_empty_ledger_only_and_to_an_empty_folder() {
    let from = snapshot_at(10);
    let (storage, store, ledger) = grown(5);
    ledger.close().unwrap();
    let before = (storage.files(), dump(&*store));
    assert!(matches!(restore_to(&storage, &store, &from), Err(SnapshotError::NotEmpty)));
    assert!(before == (storage.files(), dump(&*store)));
    let frozen = grown(12).2.freeze().unwrap();
    assert!(matches!(frozen.write(&from, &|_| ()), Err(SnapshotError::Exists)));
    assert_eq!(from.manifest().unwrap().height(), Height::new(10));
    from.clear().unwrap();
    frozen.write(&from, &|_| ()).unwrap();
    assert_eq!(from.manifest().unwrap().height(), Height::new(12));
    let error =
        Ledger::open(setup(Arc::new(MemoryStorage::default()), Arc::new(MemoryStore::default())));
    assert!(
        matches!(error.unwrap().freeze(), Err(LedgerError::NotCovered { .. })),
        "there is no block yet"
    );
}

#[test]
fn chunks_are_checked_one_by_one_in_any_order_before_they_are_restored() {
    let from = snapshot_at(90);
    let manifest = from.manifest().unwrap();
    manifest.check_block(&from.block().unwrap()).unwrap();
    let checks = manifest.chunk_checks().unwrap();
    assert_eq!(checks.count(), manifest.chunks());
    for index in (0..checks.count()).rev() {
        let mut bytes = from.chunk(index).unwrap();
        checks.check(index, &bytes).unwrap();
        let other = (index + 1) % checks.count();
        // Two parts of a state without objects are alike.
        if from.chunk(other).unwrap() != bytes {
            assert!(checks.check(other, &bytes).is_err(), "chunk {index} as {other}");
        }
        if let Some(byte) = bytes.last_mut() {
            *byte ^= 1;
            let error = checks.check(index, &bytes).unwrap_err();
            assert!(matches!(error, SnapshotError::Chunk { index: at, .. } if at == index));
        }
    }
    assert!(checks.check(checks.count(), &[]).is_err());
}

#[test]
fn another_block_than_the_one_asked_for_is_refused() {
    let from = snapshot_at(10);
    let hash = from.manifest().unwrap().header().hash();
    let run = |expected| {
        let setup = setup(Arc::new(MemoryStorage::default()), Arc::new(MemoryStore::default()));
        restore(&Restore {
            setup: &setup,
            from: &from,
            expected: Some(expected),
            progress: &|_, _| (),
        })
    };
    assert!(
        matches!(run(Hash([9; 32])), Err(SnapshotError::OtherBlock { got, .. }) if got == hash)
    );
    run(hash).unwrap();
}

#[test]
fn the_base_is_read_back_or_told_to_be_damaged() {
    let storage = MemoryStorage::default();
    assert_eq!(Base::load(&storage).unwrap(), None);
    let base = Base::of(&snapshot_at(3).manifest().unwrap());
    base.save(&storage).unwrap();
    assert_eq!(Base::load(&storage).unwrap(), Some(base));
    for at in 0..storage.files()["base"].len() {
        let mut files = storage.files();
        files.get_mut("base").unwrap()[at] ^= 1;
        assert!(Base::load(&MemoryStorage::with_files(files)).is_err(), "byte {at}");
    }
}
