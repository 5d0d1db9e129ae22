//! What a court keeps, against histories made with the keys of a set that has retired.

use super::{validators::rotated_with_quorums, *};
use crate::light::{
    CheckpointFailure,
    fixtures::{Options, grant, record, seal_of},
    verify_checkpoint,
};
use probata_types::{Checkpoint, Hash, Height, List, evidence::Anchor, merkle, record::FlowId};

const CHECK: &str = "agrees_with_checkpoint";

fn against(file: &EvidenceFile, genesis: &Genesis, checkpoint: &Checkpoint) -> Report {
    let evidence = file.to_json().unwrap();
    let (evidence, genesis) = (evidence.as_bytes(), Some(genesis));
    let checkpoint = Some(checkpoint);
    verify(&Request { evidence, genesis, documents: DOCUMENTS, checkpoint, ..Request::default() })
}

/// A history of its own, by all keys of the first set, who never handed over: a record in block 2, height 10.
fn forged_history() -> (Chain, RecordId) {
    let mut forger = Chain::new("test");
    forger.heartbeats(1);
    let forged = forger.submit(1, vec![record(FlowId([77; 16]), 1, RecordId::NONE, grant())]);
    let id = forged.record_ids()[0];
    forger.seal(vec![forged]);
    forger.heartbeats(8);
    (forger, id)
}

#[test]
fn a_genuine_file_agrees_with_every_checkpoint() {
    let (chain, ids) = rotated_with_quorums();
    for (id, height) in ids.iter().zip([2, 5, 8]) {
        for anchor in height..=10 {
            for pinned in 1..=10 {
                let checkpoint = chain.checkpoint(pinned);
                assert_eq!(verify_checkpoint(&checkpoint, &chain.genesis), Ok(()));
                let file = chain.linked(*id, anchor, pinned);
                let report = against(&file, &chain.genesis, &checkpoint);
                let reached = (report.verdict, report.level, status_of(&report, CHECK));
                let expected = (Verdict::Consistent, Some(Level::E5), Status::Passed);
                assert_eq!(reached, expected, "{height} {anchor} {pinned}: {report}");
            }
        }
    }
}

#[test]
fn without_its_links_a_file_leaves_the_question_open() {
    let (chain, ids) = rotated_with_quorums();
    for (anchor, pinned) in [(6, 4), (6, 9)] {
        let file = chain.evidence(ids[0], anchor);
        let report = against(&file, &chain.genesis, &chain.checkpoint(pinned));
        let reached = (report.verdict, report.level, status_of(&report, CHECK));
        assert_eq!(reached, (Verdict::Indeterminate, Some(Level::E3), Status::NotPresent));
        assert!(report.why_not_next.contains("refreshed"), "{report}");
    }
}

#[test]
fn all_keys_of_the_first_set_leak_and_an_old_history_is_forged() {
    let (chain, _) = rotated_with_quorums();
    let (forger, id) = forged_history();
    // By itself it cannot be told: the genesis leads to these very keys.
    let file = forger.evidence(id, 10);
    let report = examine(&file, Some(&chain.genesis));
    assert_eq!((report.verdict, report.level), (Verdict::Consistent, Some(Level::E5)));
    // The forged block under the genuine anchor is recorded, but not in that history.
    let mut grafted = forger.evidence(id, 2);
    let genuine = chain.block(Height::new(10));
    grafted.anchor = Some(Anchor {
        header: genuine.header.clone(),
        seal: genuine.seal.clone(),
        history_path: file.anchor.as_ref().unwrap().history_path.clone(),
    });
    grafted.sets = chain.changes(Height::new(10));
    grafted.state = None;
    grafted.events = None;
    let report = examine(&grafted, Some(&chain.genesis));
    assert_inconsistent(&report, &["history_path"], Some(Level::E2));
    // Whoever keeps any header from after the change refuses it, whatever links the forger makes.
    for pinned in 3..=10 {
        let checkpoint = chain.checkpoint(pinned);
        for file in [forger.evidence(id, 10), forger.linked(id, 10, pinned)] {
            let report = against(&file, &chain.genesis, &checkpoint);
            assert_inconsistent(&report, &[CHECK], Some(Level::E3));
            let why = if pinned == 10 { "shows" } else { "names the set" };
            assert!(report.why_not_next.contains(why), "{report}");
        }
    }
}

#[test]
fn an_anchor_that_claims_the_checkpoint_for_its_history_is_not_believed() {
    // The forger seals an anchor whose history holds both the forged block and the genuine checkpoint.
    let (chain, _) = rotated_with_quorums();
    let (forger, id) = forged_history();
    let pinned = chain.checkpoint(4);
    let suite = pinned.suite;
    let mut hashes: Vec<Hash> = vec![forger.genesis.chain()];
    hashes.extend((1..=9).map(|at| forger.block(Height::new(at)).header.hash()));
    hashes[4] = pinned.header.hash();
    let leaves: Vec<Hash> =
        hashes.iter().map(|hash| probata_types::block::history_leaf(suite, hash)).collect();
    let path = |at| merkle::path(suite, probata_types::Domain::History, &leaves, at).unwrap();
    let mut file = forger.linked(id, 10, 4);
    let anchor = file.anchor.as_mut().unwrap();
    anchor.header.history_root = merkle::root(suite, probata_types::Domain::History, &leaves);
    anchor.history_path = path(2);
    anchor.seal = seal_of(&anchor.header, forger.set(Height::new(10)), &Options::default());
    let mut links = file.links.clone().into_vec();
    links.iter_mut().filter(|link| link.of.get() == 4).for_each(|link| link.path = path(4));
    file.links = List::new(links).unwrap();
    let alone = examine(&file, Some(&chain.genesis));
    assert_eq!((alone.verdict, alone.level), (Verdict::Consistent, Some(Level::E5)), "{alone}");
    let report = against(&file, &chain.genesis, &pinned);
    assert_inconsistent(&report, &[CHECK], Some(Level::E3));
}

#[test]
fn a_rival_of_the_checkpoint_is_refused() {
    let (chain, ids) = rotated_with_quorums();
    // The same set, another block at a height after the change, then an anchor over it.
    let mut rival = chain.checkpoint(5);
    rival.header.time = rival.header.time.saturating_add(1);
    rival.seal = seal_of(&rival.header, chain.set(Height::new(5)), &Options::default());
    assert_eq!(verify_checkpoint(&rival, &chain.genesis), Ok(()));
    let report = against(&chain.linked(ids[0], 5, 5), &chain.genesis, &rival);
    assert_inconsistent(&report, &[CHECK], Some(Level::E3));
    let report = against(&chain.linked(ids[0], 9, 5), &chain.genesis, &rival);
    assert_inconsistent(&report, &[CHECK], Some(Level::E3));
    let report = against(&chain.linked(ids[0], 4, 5), &chain.genesis, &rival);
    assert_eq!(status_of(&report, CHECK), Status::Passed, "before it, both tell the same");
}

#[test]
fn a_checkpoint_is_checked_before_it_is_kept() {
    let (chain, _) = rotated_with_quorums();
    let whole = chain.checkpoint(9);
    let read = Checkpoint::parse(whole.to_json().unwrap().as_bytes());
    assert_eq!(read, Ok(whole.clone()));
    let other = Chain::new("other").genesis;
    assert_eq!(verify_checkpoint(&whole, &other), Err(CheckpointFailure::Chain));
    let unsealed = Checkpoint { seal: chain.checkpoint(8).seal, ..whole.clone() };
    let judged = verify_checkpoint(&unsealed, &chain.genesis);
    assert!(matches!(judged, Err(CheckpointFailure::Seal(_))), "{judged:?}");
    let rootless = Checkpoint { sets: List::empty(), ..whole };
    let judged = verify_checkpoint(&rootless, &chain.genesis);
    assert!(matches!(judged, Err(CheckpointFailure::Seal(_))), "{judged:?}");
}
