//! Older blocks: a ledger that began from a snapshot and was filled up holds what one holds that executed all, to the byte.

use super::{
    crash::Handle,
    snapshot::{restore_to, snapshot_of},
};
use crate::{
    Fsck, Ledger, LedgerError, LedgerReader, MemoryStorage, MemoryStore, OlderError, OpenError,
    Query, Storage, Store, Tree, fixtures::*, index::BlockEntry,
};
use probata_types::{
    Hash, Height, List, Outcome, Record, SealedBlock, Submission, codec, outcome::Code,
    seal::SealError,
};
use std::{
    num::NonZeroUsize,
    sync::{Arc, atomic::AtomicBool},
};

/// Blocks in which idempotency keys come again and again, accepted and rejected, by several institutions.
fn recurring(height: u64) -> Vec<Submission> {
    let low = u8::try_from(height % 200).unwrap();
    let one = |from: usize, key: u64, records: Vec<Record>| submission(from, key, records);
    match height % 3 {
        0 => Vec::new(),
        1 => vec![one(0, height % 7, vec![record(1, height), record(low, height + 1)])],
        _ => vec![
            one(1, height % 11, vec![record(2, height)]),
            one(1, height % 11, vec![record(low, height + 2)]),
            one(0, height % 5, vec![record(3, height + 3)]),
        ],
    }
}

fn grow_recurring(ledgers: &mut [&mut Ledger], to: u64) {
    while ledgers[0].head().height.get() < to {
        let height = ledgers[0].head().height.get() + 1;
        let (block, changes) = block(ledgers[0], recurring(height));
        for ledger in ledgers.iter_mut() {
            ledger.commit(&block, &changes).unwrap();
        }
    }
}

fn full(to: u64) -> (Arc<MemoryStorage>, Arc<MemoryStore>, Ledger) {
    let (storage, store, mut ledger) = grown(0);
    grow_recurring(&mut [&mut ledger], to);
    (storage, store, ledger)
}

/// The snapshot of a height, restored.
fn restored_at(height: u64) -> (Arc<MemoryStorage>, Arc<MemoryStore>, Ledger) {
    let (storage, store) = (Arc::<MemoryStorage>::default(), Arc::<MemoryStore>::default());
    restore_to(&storage, &store, &snapshot_of(full(height).2)).unwrap();
    let ledger = open(storage.clone(), store.clone());
    (storage, store, ledger)
}

/// Everything in a store, but where blocks lie: segments of the log begin elsewhere.
pub(super) fn without_places(store: &dyn Store) -> Vec<(Tree, Vec<u8>, Vec<u8>)> {
    let mut entries = dump(store);
    for (tree, _, value) in &mut entries {
        if *tree == Tree::Blocks {
            let BlockEntry { header, seal, .. } = codec::decode(value, usize::MAX).unwrap();
            *value = codec::encode(&(header, seal));
        }
    }
    entries
}

/// Fetches older blocks from another ledger: segments of so many, each entered as it is written.
fn fill(ledger: &mut Ledger, from: &LedgerReader, segment: usize) -> Result<u64, LedgerError> {
    let mut segments = 0;
    while let Some(mut older) = ledger.reader().older()? {
        let mut taken = 0;
        while taken < segment && !older.is_full() {
            let block = from.block(older.next())?.expect("the full one has it");
            older.add(&block).expect("it holds");
            taken += 1;
        }
        let mut written = older.write()?;
        while let Some(slice) = written.next_slice()? {
            ledger.enter_older(slice)?;
        }
        segments += 1;
    }
    Ok(segments)
}

#[test]
fn a_ledger_that_was_filled_up_is_one_that_executed_all_to_the_byte() {
    for (base, to) in [(1, 1), (1, 9), (2, 2), (8, 8), (64, 70), (97, 130), (128, 128)] {
        for segment in [1, 7, usize::MAX] {
            let (_, full_store, full) = full(to);
            let (storage, store, mut ledger) = restored_at(base);
            let mut missing = full.reader();
            for height in (base + 1)..=to {
                let block = missing.block(Height::new(height)).unwrap().unwrap();
                let (_, changes) = execute(&block.proposal, &ledger).unwrap();
                ledger.commit(&block, &Arc::new(changes)).unwrap();
            }
            missing = full.reader();
            let segments = fill(&mut ledger, &missing, segment).unwrap();
            assert!(base == 1 || segments > 0);
            assert_eq!(ledger.reader().history_from(), Height::new(1));
            assert!(ledger.reader().older().unwrap().is_none());
            full.close().unwrap();
            ledger.close().unwrap();
            let same = without_places(&*store) == without_places(&*full_store);
            assert!(same, "base {base}, head {to}, segments of {segment}");
            assert!(!storage.list().unwrap().contains(&"base".to_owned()), "nothing rests on it");
        }
    }
}

#[test]
fn every_step_down_answers_more_and_never_wrong() {
    let (_, _, mut full) = full(80);
    let (_, _, mut ledger) = restored_at(60);
    let whole = full.reader();
    for height in 61..=80 {
        let block = whole.block(Height::new(height)).unwrap().unwrap();
        let (_, changes) = execute(&block.proposal, &ledger).unwrap();
        ledger.commit(&block, &Arc::new(changes)).unwrap();
    }
    ledger.set_checkpoint_blocks(3);
    let mut from = Height::new(60);
    while let Some(mut older) = ledger.reader().older().unwrap() {
        for _ in 0..7 {
            if !older.is_full() {
                older.add(&whole.block(older.next()).unwrap().unwrap()).unwrap();
            }
        }
        let mut segment = older.write().unwrap();
        while let Some(slice) = segment.next_slice().unwrap() {
            ledger.enter_older(slice).unwrap();
            // Live blocks come in between, with keys that older ones have too.
            let next = full.head().height.get() + 1;
            grow_recurring(&mut [&mut full, &mut ledger], next);
        }
        let reader = ledger.reader();
        assert!(reader.history_from() < from);
        from = reader.history_from();
        for height in (1..=80).map(Height::new) {
            match reader.block(height) {
                Ok(block) => assert_eq!(block, whole.block(height).unwrap()),
                Err(error) => {
                    assert!(matches!(error, LedgerError::NotHere { .. }) && height < from);
                }
            }
        }
        for number in 0..3 {
            let query = Query::Institution(institution(number));
            for (record, _) in whole.search(&query, None, 1_000).unwrap().entries {
                if let Ok(place) = reader.record(&record) {
                    assert_eq!(place, whole.record(&record).unwrap());
                }
            }
        }
    }
    let (reader, heights) = (ledger.reader(), (1..80).map(Height::new).collect::<Vec<_>>());
    assert_eq!(reader.prove(&[], &heights).unwrap(), whole.prove(&[], &heights).unwrap());
    for number in 0..12u64 {
        for from in (0..2).map(institution) {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&number.to_be_bytes());
            let key = probata_types::submission::IdempotencyKey(key);
            let found = reader.by_idempotency(&from, &key).unwrap();
            assert_eq!(found, whole.by_idempotency(&from, &key).unwrap());
        }
    }
}

#[test]
fn a_block_that_was_not_sealed_there_is_refused_and_the_right_one_still_taken() {
    let (_, _, full) = full(30);
    let (_, _, ledger) = restored_at(30);
    let mut older = ledger.reader().older().unwrap().unwrap();
    let right = full.reader().block(Height::new(29)).unwrap().unwrap();
    assert!(!right.outcomes.is_empty(), "there is something to change");
    let bend = |change: fn(&mut SealedBlock)| {
        let mut block = right.clone();
        change(&mut block);
        block
    };
    let wrong = [
        full.reader().block(Height::new(28)).unwrap().unwrap(),
        bend(|it| it.header.time = time(7)),
        bend(|it| it.header.state_root = Hash([1; 32])),
        bend(|it| it.seal.votes = List::new(it.seal.votes[..2].to_vec()).unwrap()),
        bend(|it| it.seal.view = it.seal.view.next()),
        bend(|it| it.outcomes.as_mut_slice()[0] = Outcome::Rejected { code: Code(77) }),
        bend(|it| it.outcomes = List::empty()),
        bend(|it| it.proposal.submissions = List::empty()),
        bend(|it| it.proposal.time = time(8)),
    ];
    for (number, block) in wrong.into_iter().enumerate() {
        match older.add(&block) {
            Err(OlderError::Wrong { height, what }) => {
                assert!(height == Height::new(29) && !what.is_empty(), "case {number}");
            }
            other => panic!("case {number}: {other:?}"),
        }
    }
    let seal = bend(|it| it.seal.votes = List::empty());
    let needed = SealError::TooFew { got: 0, needed: 3 }.to_string();
    assert!(older.add(&seal).unwrap_err().to_string().contains(&needed));
    older.add(&right).unwrap();
    assert_eq!(older.next(), Height::new(28));
    // Nothing comes of gathering alone, and of nothing gathered.
    drop(older);
    assert_eq!(ledger.reader().history_from(), Height::new(30));
    let mut nothing = ledger.reader().older().unwrap().unwrap().write().unwrap();
    assert!(nothing.next_slice().unwrap().is_none());
}

#[test]
fn a_slice_that_does_not_fit_is_refused_and_nothing_is_written() {
    let (_, _, full) = full(30);
    let (_, _, mut ledger) = restored_at(20);
    let gather = |ledger: &Ledger| {
        let mut older = ledger.reader().older().unwrap().unwrap();
        for _ in 0..5 {
            older.add(&full.reader().block(older.next()).unwrap().unwrap()).unwrap();
        }
        older.write().unwrap().next_slice().unwrap().unwrap()
    };
    let (one, again) = (gather(&ledger), gather(&ledger));
    ledger.enter_older(one).unwrap();
    let error = ledger.enter_older(again).unwrap_err();
    assert!(matches!(error, LedgerError::WrongHeight { expected, got }
        if expected == Height::new(14) && got == Height::new(19)));
    fill(&mut ledger, &full.reader(), 4).unwrap();
    assert_eq!(ledger.reader().history_from(), Height::new(1));
}

#[test]
fn a_whole_log_gives_a_lost_store_again_and_a_part_of_one_says_that_it_cannot() {
    let (_, full_store, full) = full(40);
    let (storage, store, mut ledger) = restored_at(40);
    let mut older = ledger.reader().older().unwrap().unwrap();
    for _ in 0..10 {
        older.add(&full.reader().block(older.next()).unwrap().unwrap()).unwrap();
    }
    let mut segment = older.write().unwrap();
    ledger.enter_older(segment.next_slice().unwrap().unwrap()).unwrap();
    ledger.close().unwrap();
    let lost = Ledger::open(setup(storage.clone(), Arc::<MemoryStore>::default())).map(drop);
    assert!(matches!(lost, Err(OpenError::StateLost(at)) if at == Height::new(30)));
    // Nor is anything removed of what is there, if a checkpoint above it is damaged.
    let (mut files, there) = (storage.files(), dump(&*store));
    files.insert("checkpoint".to_owned(), b"PCKP".repeat(40));
    let damaged = Arc::new(MemoryStorage::with_files(files.clone()));
    let lost = Ledger::open(setup(damaged.clone(), store.clone())).map(drop);
    assert!(matches!(lost, Err(OpenError::StateLost(at)) if at == Height::new(30)));
    assert!(damaged.files() == files && dump(&*store) == there, "nothing is removed");
    let mut ledger = open(storage.clone(), store.clone());
    assert_eq!(ledger.reader().history_from(), Height::new(30));
    fill(&mut ledger, &full.reader(), 8).unwrap();
    // Not closed: what says that all is there is not in the store, and the base is still there.
    drop(ledger);
    assert!(storage.list().unwrap().contains(&"base".to_owned()));
    let again = Arc::<MemoryStore>::default();
    let ledger = open(storage.clone(), again.clone());
    assert!(!storage.list().unwrap().contains(&"base".to_owned()));
    ledger.close().unwrap();
    full.close().unwrap();
    assert!(without_places(&*again) == without_places(&*full_store));
    // Nothing in it tells that it ever began from a snapshot.
    let scratch = Arc::<MemoryStore>::default();
    let fsck = Fsck {
        setup: setup(storage, again),
        scratch,
        execute: &execute,
        workers: NonZeroUsize::MIN,
        stop: &AtomicBool::new(false),
        progress: &|_| (),
    };
    let report = fsck.run().unwrap();
    assert!(report.is_clean() && report.checked == Height::new(40), "{report:?}");
}

#[test]
fn older_segments_that_were_entered_and_are_gone_are_told() {
    let (_, _, full) = full(20);
    let (storage, store, mut ledger) = restored_at(20);
    fill(&mut ledger, &full.reader(), 9).unwrap();
    ledger.close().unwrap();
    // All is there, so that it is a log like any other.
    storage.remove("blocks-0000000000000001").unwrap();
    let error = Ledger::open(setup(storage, store)).map(drop).unwrap_err();
    assert!(error.to_string().contains("the segments before it are missing"), "{error}");
}

/// Restores, grows and fills up on a disk; whatever was acknowledged last is given.
fn run(disk: &Handle, from: &LedgerReader) -> Result<(), LedgerError> {
    let mut ledger = Ledger::open(setup(Arc::new(disk.clone()), Arc::new(disk.clone())))
        .map_err(|_| LedgerError::Stopped)?;
    catch_up(&mut ledger)?;
    ledger.set_checkpoint_blocks(2);
    while let Some(mut older) = ledger.reader().older()? {
        for _ in 0..3 {
            if !older.is_full() {
                older.add(&from.block(older.next())?.unwrap()).unwrap();
            }
        }
        let mut segment = older.write()?;
        while let Some(slice) = segment.next_slice()? {
            ledger.enter_older(slice)?;
        }
        let next = ledger.head().height.next();
        if let Some(block) = from.block(next)? {
            let (_, changes) = execute(&block.proposal, &ledger).unwrap();
            ledger.commit(&block, &Arc::new(changes))?;
        }
    }
    ledger.close()
}

#[test]
fn whenever_the_disk_dies_filling_up_goes_on_from_what_is_there() {
    const BASE: u64 = 11;
    const HEAD: u64 = 14;
    let (_, expected, whole) = full(HEAD);
    let from = whole.reader();
    whole.close().unwrap();
    let expected = without_places(&*expected);
    let snapshot = snapshot_of(full(BASE).2);
    let (mut operations, mut partly, mut lost) = (0, 0, 0);
    loop {
        let disk = Handle::new(u64::MAX);
        restore_to(&Arc::new(disk.clone()), &Arc::new(disk.clone()), &snapshot).unwrap();
        disk.allow(operations);
        let finished = run(&disk, &from).is_ok();
        for luck in 1..=4 {
            let (storage, store) = disk.survivors(operations * 31 + luck);
            // In one case of four what is derived is lost with it.
            let store = if luck == 4 { Arc::default() } else { store };
            let mut ledger = match Ledger::open(setup(storage.clone(), store.clone())) {
                Ok(ledger) => ledger,
                Err(OpenError::StateLost(_)) if luck == 4 => {
                    lost += 1;
                    continue;
                }
                Err(other) => panic!("after {operations} operations, luck {luck}: {other}"),
            };
            catch_up(&mut ledger).unwrap();
            let here = ledger.reader().history_from().get();
            partly += u64::from((2..BASE).contains(&here));
            for height in ledger.head().height.get() + 1..=HEAD {
                let block = from.block(Height::new(height)).unwrap().unwrap();
                let (_, changes) = execute(&block.proposal, &ledger).unwrap();
                ledger.commit(&block, &Arc::new(changes)).unwrap();
            }
            fill(&mut ledger, &from, 4).unwrap();
            ledger.close().unwrap();
            let same = without_places(&*store) == expected;
            assert!(same, "died after {operations} operations, luck {luck}");
        }
        if finished {
            break;
        }
        operations += 1;
    }
    assert!(operations > 100 && partly > 50 && lost > 10, "{operations} {partly} {lost}");
}
