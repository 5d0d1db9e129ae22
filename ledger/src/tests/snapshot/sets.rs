//! Snapshots of a chain whose validator set changed: the way from the genesis shows every change, and no other.

use super::{restored, snapshot_of};
use crate::{Ledger, fixtures::*};
use probata_types::{Height, state::Changes};

/// Blocks that put another set into force, with the number of the first key of each set.
const CHANGES: [(u64, usize); 2] = [(21, 10), (40, 20)];

/// The first key of the set that seals a height.
fn keys_at(height: u64) -> usize {
    CHANGES.iter().rev().find(|(change, _)| height > *change).map_or(0, |(_, first)| *first)
}

/// Commits the same blocks to all ledgers up to a height, with the changes that are due.
fn grow_with_changes(ledgers: &mut [&mut Ledger], to: u64) {
    while ledgers[0].head().height.get() < to {
        let height = ledgers[0].head().height.next();
        let due = (1u32..).zip(CHANGES).find(|(_, (change, _))| *change == height.get());
        let more = due.map_or(Changes::new(), |(epoch, (_, first))| new_set(epoch, height, first));
        let at = height.get();
        let (block, changes) = block_of(ledgers[0], content(at), more, keys_at(at));
        for ledger in ledgers.iter_mut() {
            ledger.commit(&block, &changes).unwrap();
        }
    }
}

fn grown_with_changes(to: u64) -> Ledger {
    let (_, _, mut ledger) = grown(0);
    grow_with_changes(&mut [&mut ledger], to);
    ledger
}

#[test]
fn a_snapshot_shows_each_change_of_the_set_and_what_is_restored_follows_the_next_one() {
    // The block that hands over is still sealed by the set before: its own change is for those after it.
    for (height, shown) in [(20, 0), (21, 0), (22, 1), (39, 1), (40, 1), (41, 2), (50, 2)] {
        let from = snapshot_of(grown_with_changes(height));
        assert_eq!(from.manifest().unwrap().sets.len(), shown, "of block {height}");
        let (_, _, mut ledger) = restored(&from);
        let mut full = grown_with_changes(height);
        let (_, _, mut partial) = restored(&from);
        grow_with_changes(&mut [&mut full, &mut ledger, &mut partial], 55);
        assert_eq!(ledger.head(), full.head(), "from block {height}");
        // The changes before the base are shown by the base, those after it by the log.
        for (change, _) in CHANGES {
            let change = Height::new(change);
            let sealed = full.reader().sealed_header(change).unwrap();
            assert_eq!(ledger.reader().sealed_header(change).unwrap(), sealed);
        }
        // Older blocks are believed for the seal of the set of their height.
        while let Some(mut older) = ledger.reader().older().unwrap() {
            while !older.is_full() {
                older.add(&full.reader().block(older.next()).unwrap().unwrap()).unwrap();
            }
            let mut segment = older.write().unwrap();
            while let Some(slice) = segment.next_slice().unwrap() {
                ledger.enter_older(slice).unwrap();
            }
        }
        let (again, of_full) = (snapshot_of(ledger), snapshot_of(full));
        assert_eq!(again.manifest().unwrap(), of_full.manifest().unwrap());
        // One that lacks older blocks shows the same, from its base.
        assert_eq!(snapshot_of(partial).manifest().unwrap(), of_full.manifest().unwrap());
        assert_eq!(restored(&again).2.head().height, Height::new(55));
    }
}
