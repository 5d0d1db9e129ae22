//! Seals of too few, of strangers, of the wrong set or of two views; changes of the set; other
//! chains.

use super::*;
use crate::light::SealedHeader;
use crate::light::fixtures::{Options, genesis, grant, record, seal_of};
use probata_types::{
    Header, Height, List, Seal, ValidatorIndex, ValidatorSet, View, record::FlowId,
};

/// The genuine file, with the block's seal replaced.
#[track_caller]
fn assert_seal_refused(forge: impl FnOnce(&Header, &ValidatorSet) -> Seal, why: &str) {
    let mut case = Case::new();
    case.file.seal = forge(&case.file.header, case.chain.set(Height::new(2)));
    let report = case.examine();
    assert_inconsistent(&report, &["block_seal"], Some(Level::E1));
    let compared = &report.check("block_seal").unwrap().compared;
    assert!(compared.contains(why), "{compared}");
}

fn votes(view: u64, voters: &[usize]) -> Options {
    Options { view, voters: voters.to_vec() }
}

#[test]
fn any_quorum_of_any_one_view_seals() {
    for voters in [&[0, 1, 2][..], &[0, 1, 3], &[0, 2, 3], &[1, 2, 3], &[0, 1, 2, 3]] {
        let mut case = Case::new();
        let set = case.chain.set(Height::new(2));
        case.file.seal = seal_of(&case.file.header, set, &votes(9, voters));
        assert_eq!(case.examine().verdict, Verdict::Consistent);
    }
}

#[test]
fn too_few_do_not_seal() {
    assert_seal_refused(|h, set| seal_of(h, set, &votes(7, &[0, 1])), "fewer than the quorum");
    assert_seal_refused(|h, set| seal_of(h, set, &votes(7, &[])), "fewer than the quorum");
}

#[test]
fn one_vote_does_not_count_twice() {
    assert_seal_refused(|h, set| seal_of(h, set, &votes(7, &[0, 1, 1])), "ascending");
    assert_seal_refused(|h, set| seal_of(h, set, &votes(7, &[1, 0, 2])), "ascending");
}

#[test]
fn a_vote_under_anothers_place_does_not_count() {
    let forge = |header: &Header, set: &ValidatorSet| {
        let mut seal = seal_of(header, set, &votes(7, &[0, 1, 2]));
        seal.votes.as_mut_slice()[2].validator = ValidatorIndex(3);
        seal
    };
    assert_seal_refused(forge, "signature of validator 3");
    let forge = |header: &Header, set: &ValidatorSet| {
        let mut seal = seal_of(header, set, &votes(7, &[0, 1, 2]));
        seal.votes.as_mut_slice()[2].validator = ValidatorIndex(4);
        seal
    };
    assert_seal_refused(forge, "validator 4 is not in the set");
}

#[test]
fn votes_of_two_views_do_not_add_up() {
    let forge = |header: &Header, set: &ValidatorSet| {
        let mut seal = seal_of(header, set, &votes(7, &[0, 1]));
        let other = seal_of(header, set, &votes(8, &[2]));
        seal.votes.push(other.votes[0].clone()).unwrap();
        seal
    };
    assert_seal_refused(forge, "signature of validator 2");
    let forge = |header: &Header, set: &ValidatorSet| {
        let mut seal = seal_of(header, set, &votes(7, &[0, 1, 2]));
        seal.view = View::new(8);
        seal
    };
    assert_seal_refused(forge, "signature of validator 0");
}

#[test]
fn the_seal_of_another_block_does_not_serve() {
    let mut case = Case::new();
    case.file.seal = case.chain.block(Height::new(3)).seal.clone();
    assert_inconsistent(&case.examine(), &["block_seal"], Some(Level::E1));
    let mut case = Case::new();
    case.file.anchor.as_mut().unwrap().seal = case.chain.block(Height::new(4)).seal.clone();
    assert_inconsistent(&case.examine(), &["anchor_seal"], Some(Level::E2));
}

#[test]
fn another_chain_with_the_same_members_is_another_chain() {
    let case = Case::new();
    let other = genesis("other");
    let report = examine(&case.file, Some(&other));
    assert_eq!(report.verdict, Verdict::Inconsistent);
    assert!(failed(&report).contains(&"chain_is_the_genesis"), "{report}");
    // Relabelled, it fails wherever the chain is signed.
    let mut file = case.file;
    file.chain = other.chain();
    let report = examine(&file, Some(&other));
    for check in [
        "submission_signature",
        "record_in_submission",
        "submission_in_block",
        "block_seal",
        "anchor_seal",
        "history_path",
    ] {
        assert_eq!(status_of(&report, check), Status::Failed, "{check}");
    }
    // In memory a file can be of two chains; it says nothing then.
    let request = Request { genesis: Some(&other), ..Request::default() };
    let report = verify_file(&file, &request);
    assert_inconsistent(&report, &["file_is_well_formed"], None);
}

/// A chain that hands over to institutions 2, 3, 4, 5 (with other keys) in block 3 and to 1, 2, 3,
/// 5, 4 in block 6; a record in block 2, one in block 5, one in block 8; height 10.
fn rotated() -> (Chain, Vec<RecordId>) {
    let mut chain = Chain::new("test");
    let mut ids = Vec::new();
    let mut prev = RecordId::NONE;
    for seq in 1..=3 {
        chain.heartbeats(1);
        let submission = chain.submit(1, vec![record(FlowId([1; 16]), seq, prev, grant())]);
        prev = submission.record_ids()[0];
        ids.push(prev);
        chain.seal(vec![submission]);
        match seq {
            1 => chain.rotate(&[2, 3, 4, 5]),
            2 => chain.rotate(&[1, 2, 3, 5, 4]),
            _ => chain.heartbeats(3),
        }
        if seq < 3 {
            chain.heartbeats(1);
        }
    }
    if let Some(last) = chain.sets.last() {
        assert_eq!(last.1.size(), 5);
    }
    (chain, ids)
}

/// A quorum of five is four.
fn rotated_options(chain: &mut Chain) {
    chain.options = Options { view: 7, voters: vec![0, 1, 2, 3] };
}

#[test]
fn changes_of_the_set_are_walked() {
    let (chain, ids) = rotated_with_quorums();
    for (id, height) in ids.iter().zip([2, 5, 8]) {
        for anchor in height..=chain.height().get() {
            let file = chain.evidence(*id, anchor);
            let report = examine(&file, Some(&chain.genesis));
            assert_eq!(
                (report.verdict, report.level),
                (Verdict::Consistent, Some(Level::E5)),
                "{report}"
            );
        }
    }
    assert_eq!(chain.evidence(ids[0], 10).sets.len(), 2);
}

pub(super) fn rotated_with_quorums() -> (Chain, Vec<RecordId>) {
    let (mut chain, ids) = rotated();
    rotated_options(&mut chain);
    // Seals are made anew with a quorum of the larger set.
    for at in 0..chain.blocks.len() {
        let header = chain.blocks[at].header.clone();
        let set = chain.set(header.height).clone();
        let voters = (0..set.quorum()).collect();
        chain.blocks[at].seal = seal_of(&header, &set, &Options { view: 7, voters });
    }
    (chain, ids)
}

const NOT_ROOTED: &[&str] = &["validators_follow_from_genesis"];

#[test]
fn a_set_left_out_changed_or_out_of_order_breaks_the_walk() {
    let (chain, ids) = rotated_with_quorums();
    let genuine = chain.evidence(ids[0], 10);
    let with = |sets: Vec<probata_types::evidence::SetChange>| EvidenceFile {
        sets: List::new(sets).unwrap(),
        ..genuine.clone()
    };
    let sets = || genuine.sets.clone().into_vec();
    let mut forged = sets();
    forged[0].set = chain.set(Height::new(10)).clone();
    let mut unsealed = sets();
    unsealed[1].seal.votes = List::new(unsealed[1].seal.votes[..2].to_vec()).unwrap();
    let swapped = sets().into_iter().rev().collect();
    let twice = sets().into_iter().chain(sets()).collect();
    for spoiled in [vec![sets()[1].clone()], forged, unsealed, swapped, twice] {
        let report = examine(&with(spoiled), Some(&chain.genesis));
        assert_eq!(report.verdict, Verdict::Inconsistent);
        assert_eq!(failed(&report), NOT_ROOTED, "{report}");
        // The record's own block is before the break; the anchor's set is not proven.
        assert_eq!(report.level, Some(Level::E2));
        assert_eq!(status_of(&report, "anchor_seal"), Status::NotRun);
    }
    // Without the last change the walk holds, but the anchor names another set.
    let report = examine(&with(vec![sets()[0].clone()]), Some(&chain.genesis));
    let checks = ["anchor_seal", "validators_follow_from_genesis"];
    assert_inconsistent(&report, &checks, Some(Level::E2));
    // A change that changes nothing, and one after the anchor.
    let report = examine(&chain.evidence(ids[0], 4), Some(&chain.genesis));
    assert_eq!(report.verdict, Verdict::Consistent);
    let early = chain.evidence(ids[0], 4);
    let file = EvidenceFile { sets: genuine.sets.clone(), ..early };
    assert_inconsistent(&examine(&file, Some(&chain.genesis)), NOT_ROOTED, Some(Level::E3));
}

#[test]
fn a_retired_set_does_not_seal_after_its_change() {
    // Long range: the genesis set, all of it, seals a header at height 10, after it handed over.
    let (chain, ids) = rotated_with_quorums();
    let mut file = chain.evidence(ids[0], 10);
    let old = chain.set(Height::new(1)).clone();
    let anchor = file.anchor.as_mut().unwrap();
    anchor.header.validators = old.hash(file.suite);
    anchor.header.next_validators = old.hash(file.suite);
    anchor.seal = seal_of(&anchor.header, &old, &votes(7, &[0, 1, 2, 3]));
    let checks = ["anchor_seal", "validators_follow_from_genesis"];
    assert_inconsistent(&examine(&file, Some(&chain.genesis)), &checks, Some(Level::E2));
}

#[test]
fn a_change_hidden_by_a_retired_set_does_not_fit_a_second_source() {
    // The same, with the change itself left out of the file: alone, it cannot be told.
    let (chain, ids) = rotated_with_quorums();
    let mut file = chain.evidence(ids[0], 2);
    let old = chain.set(Height::new(1)).clone();
    let mut anchor = chain.evidence(ids[0], 10).anchor.unwrap();
    anchor.header.validators = old.hash(file.suite);
    anchor.seal = seal_of(&anchor.header, &old, &votes(7, &[0, 1, 2]));
    file.anchor = Some(anchor);
    file.state = None;
    file.events = None;
    assert_eq!(examine(&file, Some(&chain.genesis)).level, Some(Level::E4));
    let block = chain.block(Height::new(10));
    let other = SealedHeader { header: block.header.clone(), seal: block.seal.clone() };
    let evidence = file.to_json().unwrap();
    let report = verify(&Request {
        evidence: evidence.as_bytes(),
        genesis: Some(&chain.genesis),
        documents: DOCUMENTS,
        second_source: Some(&other),
        ..Request::default()
    });
    assert_eq!(report.verdict, Verdict::Indeterminate, "{report}");
    assert_eq!(status_of(&report, "second_source"), Status::NotRun);
}

#[test]
fn a_set_not_yet_in_force_does_not_seal() {
    let (chain, ids) = rotated_with_quorums();
    let mut file = chain.evidence(ids[0], 10);
    let next = chain.set(Height::new(4)).clone();
    file.header.validators = next.hash(file.suite);
    file.seal = seal_of(&file.header, &next, &votes(7, &[0, 1, 2, 3]));
    let checks = ["block_seal", "history_path", "validators_follow_from_genesis"];
    assert_inconsistent(&examine(&file, Some(&chain.genesis)), &checks, Some(Level::E1));
}

#[test]
fn a_consortium_of_ones_own_is_not_the_consortium() {
    // Everything is genuine, of a chain whose genesis somebody made for the purpose.
    let (own, ids) = {
        let mut own = Chain::new("own");
        let submission = own.submit(1, vec![record(FlowId([1; 16]), 1, RecordId::NONE, grant())]);
        let ids = submission.record_ids().to_vec();
        own.seal(vec![submission]);
        (own, ids)
    };
    let file = own.evidence(ids[0], 1);
    let report = examine(&file, Some(&Case::new().chain.genesis));
    assert_eq!(report.verdict, Verdict::Inconsistent);
    assert!(failed(&report).contains(&"chain_is_the_genesis"), "{report}");
}
