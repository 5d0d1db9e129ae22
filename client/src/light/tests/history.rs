//! Rewritten history, old status shown as new, keys and institutions that could not submit, events
//! left out.

use super::*;
use crate::light::fixtures::{SUITE, VOTE, grant, pair, record};
use probata_types::{
    Hash, Height, Keypair, List, Signature, ValidatorIndex, View,
    body::Body,
    fault::{Fault, SignedContent, VoteKind},
    record::FlowId,
    state::KeyState,
};

#[test]
fn a_rewritten_header_fails_its_seal_and_its_anchor() {
    let mut case = Case::new();
    case.file.header.time = case.file.header.time.saturating_add(1);
    assert_inconsistent(&case.examine(), &["block_seal", "history_path"], Some(Level::E1));
}

#[test]
fn an_old_block_forged_with_leaked_keys_is_caught_by_the_anchor() {
    // Whoever has the keys of height 2 forges that block with another record in it.
    let mut case = Case::new();
    let mut forger = Chain::new("test");
    forger.heartbeats(1);
    let forged = forger.submit(1, vec![record(FlowId([77; 16]), 1, RecordId::NONE, grant())]);
    let id = forged.record_ids()[0];
    forger.seal(vec![forged]);
    let mut file = forger.evidence(id, 2);
    assert_eq!(examine(&file, Some(&case.chain.genesis)).verdict, Verdict::Consistent);
    // With the genuine anchor of today it does not hold.
    file.anchor = case.file.anchor.take();
    file.state = None;
    file.events = None;
    let report = examine(&file, Some(&case.chain.genesis));
    assert_inconsistent(&report, &["history_path"], Some(Level::E2));
}

#[test]
fn an_anchor_is_later_than_the_record() {
    // A header before the record's, as its anchor.
    let mut case = Case::new();
    let early = case.chain.evidence(case.records[0], 3).anchor.unwrap();
    case.file = case.chain.evidence(case.records[1], 5);
    case.file.anchor.as_mut().unwrap().header = early.header;
    case.file.anchor.as_mut().unwrap().seal = early.seal;
    case.file.state = None;
    case.file.events = None;
    assert_inconsistent(&case.examine(), &["history_path"], Some(Level::E2));
}

#[test]
fn the_state_of_another_height_fails() {
    // The status before the withdrawal, under the anchor after it.
    let mut case = Case::new();
    let before = case.chain.evidence(case.records[0], 5);
    case.file = case.chain.evidence(case.records[0], 9);
    case.file.state = before.state;
    case.file.events = before.events;
    let report = case.examine();
    assert_inconsistent(&report, &["flow_state", "institution_state"], Some(Level::E4));
}

#[test]
fn a_withdrawn_consent_is_not_shown_as_in_force() {
    let mut case = Case::new();
    case.file = case.chain.evidence(case.records[0], 9);
    let report = case.examine();
    assert_eq!(report.verdict, Verdict::ConsistentWithFindings);
    assert_eq!(report.findings[0].name, "NOT_IN_FORCE");
    assert_eq!(report.summary.unwrap().status.unwrap().zh, "授权:已撤回");
}

#[test]
fn a_hidden_status_is_said_to_be_hidden() {
    let mut case = Case::new();
    case.file = case.chain.evidence(case.records[0], 9);
    case.file.state = None;
    case.file.events = None;
    let report = case.examine();
    assert_eq!(report.verdict, Verdict::ConsistentWithFindings);
    assert_eq!(report.findings[0].name, "STATUS_NOT_SHOWN");
    assert_eq!(report.level, Some(Level::E4));
    assert!(report.why_not_next.starts_with("E5: flow_state"), "{}", report.why_not_next);
}

#[test]
fn a_changed_status_fails() {
    let mut case = Case::new();
    case.file = case.chain.evidence(case.records[0], 9);
    let fresh = case.chain.evidence(case.records[0], 5).state.unwrap();
    case.file.state.as_mut().unwrap().flow.value.object = fresh.flow.value.object;
    assert_inconsistent(&case.examine(), &["flow_state"], Some(Level::E4));
}

#[test]
fn an_event_left_out_added_or_moved_is_noticed() {
    let genuine = |case: &Case| case.file.events.clone().unwrap().into_vec();
    let spoils: [fn(&mut Vec<RecordId>); 5] = [
        |events| {
            events.remove(1);
        },
        |events| {
            events.pop();
        },
        |events| events.swap(0, 1),
        |events| events.push(RecordId([9; 32])),
        |events| events[1] = RecordId([9; 32]),
    ];
    for spoil in spoils {
        let mut case = Case::new();
        case.file = case.chain.evidence(case.records[0], 9);
        let mut events = genuine(&case);
        assert_eq!(events, case.records);
        spoil(&mut events);
        case.file.events = Some(List::new(events).unwrap());
        assert_inconsistent(&case.examine(), &["event_history_complete"], Some(Level::E4));
    }
    let mut case = Case::new();
    case.file.events = None;
    let report = case.examine();
    assert_eq!((report.verdict, report.level), (Verdict::Consistent, Some(Level::E4)), "{report}");
}

#[test]
fn the_flow_of_another_record_does_not_serve() {
    let mut case = Case::new();
    let (flow, events) = {
        let submission = &case.chain.block(Height::new(2)).proposal.submissions[0];
        let other = case.chain.evidence(submission.record_ids()[0], 5);
        (other.state.unwrap().flow, other.events)
    };
    case.file.state.as_mut().unwrap().flow = flow;
    case.file.events = events;
    let checks = ["flow_state", "event_history_complete"];
    assert_inconsistent(&case.examine(), &checks, Some(Level::E4));
}

/// A chain whose validators sealed a record of institution 1 after `change`, and its genuine file.
fn governed(change: fn(&mut probata_types::state::InstitutionState)) -> (Chain, EvidenceFile) {
    let mut chain = Chain::new("test");
    chain.heartbeats(2);
    chain.govern(1, change);
    chain.heartbeats(1);
    let submission = chain.submit(1, vec![record(FlowId([1; 16]), 1, RecordId::NONE, grant())]);
    let id = submission.record_ids()[0];
    chain.seal(vec![submission]);
    let file = chain.evidence(id, 4);
    (chain, file)
}

#[test]
fn a_key_revoked_before_the_record_does_not_sign() {
    let (chain, file) = governed(|state| {
        state.keys.as_mut_slice()[0].revoked_at = Some(Height::new(3));
    });
    let report = examine(&file, Some(&chain.genesis));
    assert_inconsistent(&report, &["key_valid_at_height"], Some(Level::E4));
    let (chain, file) = governed(|state| {
        state.keys.as_mut_slice()[0].valid_from = Height::new(5);
    });
    let report = examine(&file, Some(&chain.genesis));
    assert_inconsistent(&report, &["key_valid_at_height"], Some(Level::E4));
}

#[test]
fn a_key_revoked_later_leaves_older_records_valid() {
    let (chain, file) = governed(|state| {
        state.keys.as_mut_slice()[0].revoked_at = Some(Height::new(5));
        let next =
            KeyState { key: pair(1, 2).public(), valid_from: Height::new(5), revoked_at: None };
        state.keys.push(next).unwrap();
    });
    let report = examine(&file, Some(&chain.genesis));
    assert_eq!((report.verdict, report.level), (Verdict::Consistent, Some(Level::E5)), "{report}");
    let compared = &report.check("key_valid_at_height").unwrap().compared;
    assert!(compared.ends_with("valid from 0 until 5"), "{compared}");
}

#[test]
fn a_key_that_is_not_the_institutions_does_not_sign() {
    let (chain, file) = governed(|state| {
        state.keys.as_mut_slice()[0].key = pair(1, 2).public();
    });
    let report = examine(&file, Some(&chain.genesis));
    assert_inconsistent(&report, &["key_valid_at_height"], Some(Level::E4));
}

#[test]
fn a_suspended_institution_does_not_submit() {
    let (chain, file) = governed(|state| state.suspended_at = Some(Height::new(4)));
    let report = examine(&file, Some(&chain.genesis));
    assert_inconsistent(&report, &["institution_active_at_height"], Some(Level::E4));
    let (chain, file) = governed(|state| state.suspended_at = Some(Height::new(5)));
    assert_eq!(examine(&file, Some(&chain.genesis)).verdict, Verdict::Consistent);
    let (chain, file) = governed(|state| state.admitted_at = Height::new(5));
    let report = examine(&file, Some(&chain.genesis));
    assert_inconsistent(&report, &["institution_active_at_height"], Some(Level::E4));
}

#[test]
fn a_key_history_may_not_be_changed_in_the_file() {
    let (chain, mut file) = governed(|state| {
        state.keys.as_mut_slice()[0].revoked_at = Some(Height::new(3));
    });
    file.state.as_mut().unwrap().institution.value.keys.as_mut_slice()[0].revoked_at = None;
    let report = examine(&file, Some(&chain.genesis));
    assert_inconsistent(&report, &["institution_state"], Some(Level::E4));
}

/// The file of a record that institution 1 signed with a key, sealed at height 3.
fn signed_with(chain: &mut Chain, key: &Keypair, body: Body) -> EvidenceFile {
    let record = record(FlowId([1; 16]), 1, RecordId::NONE, body);
    let submission = chain.submit_by(1, key, vec![record]);
    let id = submission.record_ids()[0];
    chain.seal(vec![submission]);
    chain.evidence(id, chain.blocks.len() as u64)
}

/// What institution 1 says of validator 2.
fn fault() -> Body {
    let content = SignedContent { content: Hash([1; 32]), signature: Signature([0; 64]) };
    Body::Fault(Box::new(Fault {
        suite: SUITE,
        chain: Hash([7; 32]),
        height: Height::new(1),
        view: View::ZERO,
        kind: VoteKind::Prepare,
        validator: ValidatorIndex(1),
        key: pair(2, VOTE).public(),
        first: content,
        second: content,
    }))
}

#[test]
fn a_voting_key_signs_reports_of_faults_and_nothing_else() {
    let mut chain = Chain::new("test");
    let file = signed_with(&mut chain, &pair(1, VOTE), fault());
    let report = examine(&file, Some(&chain.genesis));
    assert_eq!((report.verdict, report.level), (Verdict::Consistent, Some(Level::E5)), "{report}");
    assert_eq!(status_of(&examine(&file, None), "key_valid_at_height"), Status::NotRun);
    for (key, body) in [(pair(2, VOTE), fault()), (pair(1, 4), fault()), (pair(1, VOTE), grant())] {
        let mut chain = Chain::new("test");
        let file = signed_with(&mut chain, &key, body);
        let report = examine(&file, Some(&chain.genesis));
        assert_inconsistent(&report, &["key_valid_at_height"], Some(Level::E4));
    }
}

#[test]
fn a_voting_key_reports_in_its_own_epochs() {
    let mut chain = Chain::new("test");
    chain.rotate(&[1, 2, 3, 4]);
    chain.heartbeats(1);
    let mut after = chain.clone();
    let file = signed_with(&mut after, &pair(1, VOTE + 10), fault());
    let report = examine(&file, Some(&chain.genesis));
    assert_eq!((report.verdict, report.level), (Verdict::Consistent, Some(Level::E5)), "{report}");
    let file = signed_with(&mut chain, &pair(1, VOTE), fault());
    let report = examine(&file, Some(&chain.genesis));
    assert_inconsistent(&report, &["key_valid_at_height"], Some(Level::E4));
}
