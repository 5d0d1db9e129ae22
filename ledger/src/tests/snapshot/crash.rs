//! A disk that dies at every operation of a restore: what is left says "restore again", or is the whole ledger.

use super::{super::crash::Handle, MOST, restore_to, snapshot_at, state_of};
use crate::{
    Ledger, MemoryStorage, MemoryStore, OpenError, SnapshotError, SnapshotFiles, fixtures::*,
};
use probata_types::Height;
use std::sync::Arc;

#[test]
fn a_restore_that_dies_anywhere_is_begun_again_or_done() {
    let from = snapshot_at(30);
    let (_, full, ledger) = grown(30);
    ledger.close().unwrap();
    let (mut again, mut done) = (0, 0);
    for operations in 0.. {
        let disk = Handle::new(operations);
        let finished = restore_to(&Arc::new(disk.clone()), &Arc::new(disk.clone()), &from).is_ok();
        for luck in 1..5 {
            let (storage, store) = disk.survivors(luck * 0x9e37_79b9 + operations);
            match Ledger::open(setup(storage.clone(), store.clone())) {
                Ok(ledger) if ledger.head().height == Height::new(30) => done += 1,
                Ok(ledger) => {
                    assert!(ledger.head().height == Height::ZERO && !finished);
                    again += 1;
                    drop(ledger);
                    restore_to(&storage, &store, &from).unwrap();
                }
                Err(OpenError::RestoreUnfinished(height)) => {
                    assert!(height == Height::new(30) && !finished);
                    again += 1;
                    restore_to(&storage, &store, &from).unwrap();
                }
                Err(other) => panic!("after {operations} operations: {other}"),
            }
            let ledger = open(storage, store.clone());
            assert_eq!(ledger.head().height, Height::new(30));
            assert!(state_of(&*store) == state_of(&*full));
        }
        if finished {
            break;
        }
    }
    assert!(again > 100 && done >= 4, "{again} {done}");
}

#[test]
fn a_snapshot_that_was_not_written_to_its_end_is_none() {
    for operations in 0.. {
        let disk = Handle::new(operations);
        let files = SnapshotFiles::new(Arc::new(disk.clone()));
        let written = grown(30).2.freeze().unwrap().write_in_chunks(&files, MOST, &|_| ());
        let (storage, _) = disk.survivors(operations * 0x9e37_79b9 + 1);
        let survived = SnapshotFiles::new(storage);
        match survived.manifest() {
            Ok(_) => {
                let (storage, store) =
                    (Arc::<MemoryStorage>::default(), Arc::<MemoryStore>::default());
                restore_to(&storage, &store, &survived).unwrap();
            }
            Err(error) => {
                assert!(matches!(error, SnapshotError::Missing(_)), "{error}");
                assert!(written.is_err());
                grown(30).2.freeze().unwrap().write_in_chunks(&survived, MOST, &|_| ()).unwrap();
            }
        }
        if written.is_ok() {
            break;
        }
    }
}
