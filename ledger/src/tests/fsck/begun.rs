//! A ledger that began from a snapshot: as much is checked as can be, and the report says what.

use super::{changed, check};
use crate::{
    Difference, Finding, Ledger, MemoryStorage, MemoryStore, Report, Tree,
    fixtures::*,
    log::BlockLog,
    snapshot::Base,
    tests::snapshot::{restored, snapshot_at},
};
use probata_types::{Hash, Height, SealedBlock, codec};
use std::sync::Arc;

const BASE: u64 = 20;

/// Restored at block 20, grown to 32 and closed.
fn begun() -> (Arc<MemoryStorage>, Arc<MemoryStore>) {
    let (storage, store, mut ledger) = restored(&snapshot_at(BASE));
    grow(&mut ledger, 32);
    ledger.close().unwrap();
    (storage, store)
}

fn texts(report: &Report) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn it_is_checked_from_its_base_on_and_the_state_against_the_sealed_root() {
    let (storage, store) = begun();
    let report = check(&storage, &store);
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.from.get(), report.log.get(), report.checked.get()), (BASE, 32, 32));
    assert_eq!((report.state_from, report.state_at), (None, Some(Height::new(32))));
    assert_eq!((report.blocks, report.derived), (13, Some(Height::new(32))));
    assert_eq!((report.compared, report.skipped), (dump(&*store).len() as u64, 0));
}

#[test]
fn blocks_that_a_crash_left_unapplied_are_executed_again() {
    let (storage, store, mut ledger) = restored(&snapshot_at(BASE));
    ledger.set_checkpoint_blocks(4);
    for height in BASE + 1..=BASE + 12 {
        grow(&mut ledger, height);
        let report = check(&storage, &store);
        assert!(report.is_clean(), "killed at {height}: {:?}", report.findings);
        let derived = report.derived.unwrap();
        assert_eq!(report.state_at, Some(derived));
        let executed = (derived.get() < height).then(|| derived.next());
        assert_eq!((report.checked.get(), report.state_from), (height, executed));
    }
}

#[test]
fn every_wrong_missing_or_additional_entry_is_found() {
    let (storage, store) = begun();
    // A chain so short has no pages below the crown.
    let asked = |tree: &Tree| !matches!(tree, Tree::Meta | Tree::Pages);
    for tree in Tree::ALL.into_iter().filter(asked) {
        let all = dump(&*store);
        let of_tree: Vec<usize> = (0..all.len()).filter(|at| all[*at].0 == tree).collect();
        for at in [of_tree[0], of_tree[of_tree.len() / 2], of_tree[of_tree.len() - 1]] {
            let key = all[at].1.clone();
            let wrong = changed(&store, |entries| match entries[at].2.last_mut() {
                Some(byte) => *byte ^= 1,
                None => entries[at].2.push(0),
            });
            let fewer = changed(&store, |entries| {
                entries.remove(at);
            });
            let more_key = [key.as_slice(), b"+"].concat();
            let more = changed(&store, |entries| entries.push((tree, more_key.clone(), vec![])));
            for (name, store) in [("wrong", wrong), ("fewer", fewer), ("more", more)] {
                let report = check(&storage, &store);
                assert!(!report.is_clean(), "{}, entry {at}: {name}", tree.name());
            }
        }
    }
    // The page that a changed object belongs to is named, besides the state.
    let entries = dump(&*store);
    let at = entries.iter().position(|(tree, ..)| *tree == Tree::Values).unwrap();
    let other = changed(&store, |entries| *entries[at].2.last_mut().unwrap() ^= 1);
    let report = check(&storage, &other);
    let pages = report.findings.iter().filter(|finding| {
        matches!(
            finding,
            Finding::Entry { tree: Tree::Crown, difference: Difference::Different, .. }
        )
    });
    assert!(pages.count() > 0, "{:?}", texts(&report));
    assert!(texts(&report).iter().any(|text| text.contains("its objects come to")));
}

#[test]
fn a_state_that_is_gone_or_below_the_base_is_a_finding() {
    let (storage, _) = begun();
    let report = check(&storage, &Arc::new(MemoryStore::default()));
    assert_eq!((report.derived, report.checked.get(), report.state_at), (None, 32, None));
    let [Finding::State(state), Finding::State(history)] = &report.findings[..] else {
        panic!("{:?}", report.findings)
    };
    assert!(state.contains("cannot be derived again") && history.contains("tree history"));
    let (_, young, ledger) = grown(BASE - 5);
    ledger.close().unwrap();
    let report = check(&storage, &young);
    assert!(texts(&report).iter().any(|text| text.contains("cannot be derived again")));
}

#[test]
fn a_base_that_genesis_does_not_prove_is_found() {
    let (storage, store) = begun();
    for at in (0..storage.files()["base"].len()).step_by(29) {
        let mut files = storage.files();
        files.get_mut("base").unwrap()[at] ^= 1;
        let report = check(&Arc::new(MemoryStorage::with_files(files)), &store);
        assert!(matches!(&report.findings[..], [Finding::Damaged { file, .. }] if file == "base"));
    }
    type Change = fn(&mut Base);
    let cases: [(&str, Change); 3] = [
        ("signature of validator", |base| base.seal.votes.as_mut_slice()[0].signature.0[0] ^= 1),
        ("seal of block 20 does not hold", |base| base.header.state_root = Hash([7; 32])),
        ("is of chain", |base| base.header.chain = Hash([7; 32])),
    ];
    for (expected, change) in cases {
        let files = Arc::new(MemoryStorage::with_files(storage.files()));
        let mut base = Base::load(&*files).unwrap().unwrap();
        change(&mut base);
        base.save(&*files).unwrap();
        let report = check(&files, &store);
        let texts = texts(&report);
        assert!(texts[0].starts_with("the base") && texts[0].contains(expected), "{texts:?}");
    }
}

#[test]
fn a_rewritten_block_is_found_by_what_is_wrong_with_it() {
    let (storage, store) = begun();
    let with = |number: u64, change: fn(&mut SealedBlock)| {
        let reader = Ledger::open(setup(storage.clone(), store.clone())).unwrap().reader();
        let mut files = storage.files();
        files.retain(|name, _| name == "base");
        let files = Arc::new(MemoryStorage::with_files(files));
        let blocks = (BASE..=32).map(|height| {
            let mut block = reader.block(Height::new(height)).unwrap().unwrap();
            if height == number {
                change(&mut block);
            }
            codec::encode(&block)
        });
        let blocks: Vec<Vec<u8>> = blocks.collect();
        crate::log::write_segment(&*files, Height::new(BASE), &blocks[..1]).unwrap();
        let mut log = BlockLog::open(files.clone(), Height::new(BASE), Arc::default()).unwrap();
        for (height, block) in (BASE + 1..).zip(&blocks[1..]) {
            log.append(Height::new(height), block).unwrap();
        }
        texts(&check(&files, &store))
    };
    type Change = fn(&mut SealedBlock);
    assert_eq!(with(22, |_| ()), Vec::<String>::new());
    let cases: [(&str, Change); 9] = [
        ("votes are fewer", |block| {
            block.seal.votes = probata_types::List::new(block.seal.votes[..2].to_vec()).unwrap();
        }),
        ("signature of validator 1", |block| {
            block.seal.votes.as_mut_slice()[1].signature.0[0] ^= 1;
        }),
        ("outcomes are not those", |block| {
            let code = probata_types::outcome::Code(9);
            block.outcomes.as_mut_slice()[0] = probata_types::Outcome::Rejected { code };
        }),
        ("signature is not valid", |block| {
            block.proposal.submissions.as_mut_slice()[0].signature.0[0] ^= 1;
        }),
        ("validator set is not known", |block| block.header.validators.0[0] ^= 1),
        ("validators are not those", |block| block.header.validators.0[0] ^= 1),
        ("history root is not that", |block| block.header.history_root.0[0] ^= 1),
        ("parent is not the block before", |block| block.header.parent.0[0] ^= 1),
        ("time is not later", |block| block.header.time = time(1)),
    ];
    for (expected, change) in cases {
        let texts = with(22, change);
        assert!(texts.iter().any(|text| text.contains(expected)), "{expected}: {texts:?}");
        assert!(
            texts
                .iter()
                .filter(|text| text.starts_with("block"))
                .all(|text| { text.starts_with("block 22") || text.starts_with("block 23") })
        );
    }
    let texts = with(BASE, |block| block.header.state_root.0[0] ^= 1);
    assert!(texts.iter().any(|text| text.contains("not the block of the base")), "{texts:?}");
}

#[test]
fn older_blocks_that_are_in_the_log_are_checked_and_not_asked_for_in_the_store() {
    let (_, _, whole) = grown(BASE);
    let reader = whole.reader();
    let with = |change: fn(&mut SealedBlock)| {
        let (storage, store) = begun();
        let blocks = (BASE - 5..BASE).map(|height| {
            let mut block = reader.block(Height::new(height)).unwrap().unwrap();
            if height == BASE - 3 {
                change(&mut block);
            }
            codec::encode(&block)
        });
        let blocks: Vec<Vec<u8>> = blocks.collect();
        crate::log::write_segment(&*storage, Height::new(BASE - 5), &blocks).unwrap();
        check(&storage, &store)
    };
    let report = with(|_| ());
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.from.get(), report.checked.get(), report.skipped), (BASE - 5, 32, 0));
    let signature = with(|block| {
        block.proposal.submissions.as_mut_slice()[0].signature.0[0] ^= 1;
    });
    assert!(texts(&signature).iter().all(|text| text.starts_with("block 17")), "{signature:?}");
    assert!(!signature.is_clean());
    let other = with(|block| block.header.proposer = probata_types::ValidatorIndex(3));
    let parent = "block 18: its parent is not the block before";
    assert!(texts(&other).iter().any(|text| text == parent), "{other:?}");
}
