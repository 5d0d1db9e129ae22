//! Checking a ledger finds what was planted, and nothing else.

mod begun;

use crate::{
    Difference, Finding, Fsck, FsckError, Ledger, MemoryStorage, MemoryStore, Progress, Report,
    Storage, Store, Tree, fixtures::*, log::BlockLog,
};
use probata_types::{Height, SealedBlock, codec};
use std::{
    cell::Cell,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// The report of one, two and many workers, which is one.
pub(super) fn check_in(
    storage: &Arc<dyn Storage>,
    store: &Arc<MemoryStore>,
) -> Result<Report, FsckError> {
    let entries = dump(&**store);
    let reports = [1, 2, 7].map(|workers| {
        let reached = Cell::new((Height::ZERO, 0));
        let stop = AtomicBool::new(false);
        let fsck = Fsck {
            setup: setup(storage.clone(), store.clone()),
            scratch: Arc::new(MemoryStore::default()),
            execute: &execute,
            workers: NonZeroUsize::new(workers).unwrap(),
            stop: &stop,
            progress: &|progress: &Progress| {
                assert!(progress.checked <= progress.log && progress.bytes <= progress.of_bytes);
                reached.set((progress.checked, progress.records));
            },
        };
        let report = fsck.run()?;
        assert_eq!(reached.get(), (report.checked, report.records));
        Ok(report)
    });
    assert!(dump(&**store) == entries, "a check changes nothing");
    let reports: Vec<Report> = reports.into_iter().collect::<Result<_, FsckError>>()?;
    assert!(reports.iter().all(|report| *report == reports[0]), "{reports:#?}");
    Ok(reports[0].clone())
}

fn check(storage: &Arc<MemoryStorage>, store: &Arc<MemoryStore>) -> Report {
    let files = storage.files();
    let as_storage: Arc<dyn Storage> = storage.clone();
    let report = check_in(&as_storage, store).unwrap();
    assert!(storage.files() == files, "a check changes nothing");
    report
}

fn closed(blocks: u64) -> (Arc<MemoryStorage>, Arc<MemoryStore>) {
    let (storage, store, ledger) = grown(blocks);
    ledger.close().unwrap();
    (storage, store)
}

#[test]
fn a_good_ledger_is_clean_closed_or_killed_at_any_block() {
    let (storage, store) = closed(10);
    let report = check(&storage, &store);
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.from.get(), report.log.get(), report.checked.get()), (1, 10, 10));
    assert_eq!((report.state_from, report.state_at), (Some(Height::new(1)), None));
    let bytes = storage.files()["blocks-0000000000000001"].len() as u64;
    assert_eq!((report.blocks, report.bytes), (10, bytes));
    let records: u64 = (1..=10).flat_map(content).map(|one| u64::from(one.head.record_count)).sum();
    assert_eq!((report.records, report.skipped), (records, 0));
    assert_eq!(report.derived, Some(Height::new(10)));
    assert_eq!(report.compared, dump(&*store).len() as u64);
    let (storage, store, mut ledger) = grown(0);
    ledger.set_checkpoint_blocks(3);
    for height in 1..=12 {
        grow(&mut ledger, height);
        let report = check(&storage, &store);
        assert!(report.is_clean(), "killed at {height}: {:?}", report.findings);
        assert_eq!(report.checked.get(), height);
    }
}

#[test]
fn any_flipped_bit_of_the_log_is_found() {
    let (storage, store) = closed(4);
    let file = "blocks-0000000000000001";
    let length = storage.files()[file].len();
    for at in (0..length).step_by(37) {
        let mut files = storage.files();
        files.get_mut(file).unwrap()[at] ^= 1 << (at % 8);
        let report = check(&Arc::new(MemoryStorage::with_files(files)), &store);
        // In the last frame it looks like a crash: then the derived store tells that a block was lost.
        let found = report
            .findings
            .iter()
            .any(|finding| matches!(finding, Finding::Damaged { .. } | Finding::LogLost { .. }));
        assert!(found, "byte {at}: {:?}", report.findings);
    }
}

#[test]
fn a_torn_tail_is_told_but_is_no_finding() {
    let (storage, store) = closed(4);
    storage.append("blocks-0000000000000001", b"half").unwrap();
    let report = check(&storage, &store);
    assert!(report.is_clean());
    assert_eq!(report.torn, 4);
}

/// A store with all entries of another, after a change.
pub(super) fn changed(
    store: &MemoryStore,
    change: impl Fn(&mut Vec<(Tree, Vec<u8>, Vec<u8>)>),
) -> Arc<MemoryStore> {
    let mut entries = dump(store);
    change(&mut entries);
    let changed = Arc::new(MemoryStore::default());
    for (tree, key, value) in entries {
        changed.put(tree, &key, &value).unwrap();
    }
    changed
}

#[test]
fn every_wrong_missing_or_additional_entry_is_found() {
    let (storage, store) = closed(6);
    // A chain so short has no pages below the crown.
    for tree in Tree::ALL.into_iter().filter(|tree| *tree != Tree::Pages) {
        let all = dump(&*store);
        let last = all.iter().rposition(|(of, ..)| *of == tree).unwrap();
        let key = all[last].1.clone();
        let finding = |key: &[u8], difference| {
            [Finding::Entry { tree, key: crate::error::hex(key), difference }]
        };
        let wrong = changed(&store, |entries| match entries[last].2.last_mut() {
            Some(byte) => *byte ^= 1,
            None => entries[last].2.push(0),
        });
        let findings = check(&storage, &wrong).findings;
        assert_eq!(findings, finding(&key, Difference::Different), "{}", tree.name());
        let more_key = [key.as_slice(), b"+"].concat();
        let more = changed(&store, |entries| entries.push((tree, more_key.clone(), Vec::new())));
        assert_eq!(check(&storage, &more).findings, finding(&more_key, Difference::Extra));
        let fewer = changed(&store, |entries| {
            entries.remove(last);
        });
        let report = check(&storage, &fewer);
        if tree == Tree::Meta {
            assert_eq!(report.derived, None, "without its marker a store counts as empty");
        } else {
            assert_eq!(report.findings, finding(&key, Difference::Missing));
        }
    }
}

#[test]
fn a_check_that_is_stopped_ends_without_a_report() {
    let (storage, store) = closed(40);
    let stop = AtomicBool::new(false);
    let fsck = Fsck {
        setup: setup(storage, store),
        scratch: Arc::new(MemoryStore::default()),
        execute: &execute,
        workers: NonZeroUsize::MIN,
        stop: &stop,
        progress: &|progress| {
            assert!(progress.checked <= Height::new(7), "it goes on");
            stop.store(progress.checked == Height::new(7), Ordering::Relaxed);
        },
    };
    assert!(matches!(fsck.run(), Err(FsckError::Stopped)));
}

/// A log whose third block was changed by somebody who repairs checksums, with nothing derived.
fn with_third(change: impl Fn(&mut SealedBlock)) -> Report {
    let (_, _, ledger) = grown(4);
    let reader = ledger.reader();
    let storage = Arc::new(MemoryStorage::default());
    let mut log = BlockLog::open(storage.clone(), Height::new(1), Arc::default()).unwrap();
    for height in (1..=4).map(Height::new) {
        let mut block = reader.block(height).unwrap().unwrap();
        if height.get() == 3 {
            change(&mut block);
        }
        log.append(height, &codec::encode(&block)).unwrap();
    }
    check(&storage, &Arc::new(MemoryStore::default()))
}

#[test]
fn a_rewritten_block_is_found_by_what_is_wrong_with_it() {
    assert!(with_third(|_| ()).is_clean());
    let texts = |report: &Report| -> Vec<String> {
        report.findings.iter().map(ToString::to_string).collect()
    };
    type Change = fn(&mut SealedBlock);
    let cases: [(&str, Change); 8] = [
        ("votes are fewer", |block| {
            block.seal.votes = probata_types::List::new(block.seal.votes[..2].to_vec()).unwrap();
        }),
        ("signature of validator 1", |block| {
            block.seal.votes.as_mut_slice()[1].signature.0[0] ^= 1;
        }),
        ("outcomes are not those", |block| {
            let outcome =
                probata_types::Outcome::Rejected { code: probata_types::outcome::Code(9) };
            block.outcomes.as_mut_slice()[0] = outcome;
        }),
        ("submissions are not those", |block| {
            block.proposal.submissions.as_mut_slice()[0].signature.0[0] ^= 1;
        }),
        ("sealed state root", |block| block.header.state_root.0[0] ^= 1),
        ("sealed history root", |block| block.header.history_root.0[0] ^= 1),
        ("sealed parent", |block| block.header.parent.0[0] ^= 1),
        ("time is not later", |block| block.header.time = time(1)),
    ];
    for (expected, change) in cases {
        let report = with_third(change);
        let texts = texts(&report);
        assert!(texts.iter().any(|text| text.contains(expected)), "{expected}: {texts:?}");
        assert!(
            texts.iter().all(|text| text.starts_with("block 3") || text.starts_with("block 4"))
        );
    }
}

#[test]
fn a_shortened_log_is_found_by_what_is_derived() {
    let (_, store) = closed(6);
    let (short, _) = closed(3);
    let report = check(&short, &store);
    let lost = Finding::LogLost { log: Height::new(3), derived: Height::new(6) };
    assert_eq!(report.findings, [lost]);
}

#[test]
fn a_damaged_checkpoint_is_found_and_opening_mends_it() {
    let (storage, store, mut ledger) = grown(0);
    ledger.set_checkpoint_blocks(3);
    grow(&mut ledger, 3);
    drop(ledger);
    let mut files = storage.files();
    // What a crash may leave while a layer is written, and then a bad disk.
    files.insert("checkpoint".to_owned(), b"PCKP".repeat(40));
    let damaged = Arc::new(MemoryStorage::with_files(files));
    let report = check(&damaged, &store);
    assert!(
        matches!(&report.findings[..], [Finding::Damaged { file, .. }] if file == "checkpoint")
    );
    let mut again = Ledger::open(setup(damaged.clone(), store.clone())).unwrap();
    assert_eq!(catch_up(&mut again).unwrap(), 3);
    again.close().unwrap();
    assert!(check(&damaged, &store).is_clean());
}
