//! What holds for every record and submission, for blocks, and for any sequence of records.

use crate::{BlockContext, Screening, execute, fixtures::*};
use probata_types::{
    Hash, Height, List, Timestamp,
    body::{Allocation, Body, DisbursementStatus, GuaranteeAction, Repayment, RepaymentResult},
    catalogue,
    object::{Object, next_head},
    record::{Digest256, DocumentRole, FlowId, Record, RecordId},
    state::{InstitutionState, StateKey, StateValue},
};
use proptest::prelude::*;

fn judge(change: impl FnOnce(&mut Record)) -> String {
    let world = World::new();
    let mut record = world.record(bank(), flow(1), contract_body(contract()));
    change(&mut record);
    world.would_judge(bank(), record)
}

fn change_bank(world: &mut World, change: impl FnOnce(&mut InstitutionState)) {
    match world.state.get_mut(&StateKey::Institution(bank())) {
        Some(StateValue::Institution(institution)) => change(institution),
        _ => panic!("the bank is a member"),
    }
}

#[test]
fn a_submission_is_refused_whole_and_alike_at_the_edge() {
    let world = World::new();
    let body = contract_body(contract());
    let check = |world: &World, change: fn(&mut probata_types::Submission)| {
        let record = world.record(bank(), flow(1), body.clone());
        let other = world.record(bank(), flow(2), body.clone());
        let mut submission = world.submission(bank(), vec![record, other]);
        change(&mut submission);
        let edge = Screening::new(&world.state, world.height, world.time).of(&submission).unwrap();
        let outcomes = world.clone().block(vec![submission]);
        let verdicts: Vec<String> = outcomes.iter().map(|leaf| verdict(&leaf.outcome)).collect();
        assert_eq!(verdicts[0], verdicts[1]);
        match edge {
            Ok(()) => assert_eq!(verdicts[0], "accepted"),
            Err(rejection) => {
                let name = catalogue::entry(rejection.code).unwrap().name;
                assert_eq!(verdicts[0], format!("rejected: {name}"));
                assert!(rejection.to_string().starts_with(name));
            }
        }
        verdicts[0].clone()
    };
    assert_eq!(check(&world, |_| ()), "accepted");
    assert_eq!(
        check(&world, |s| s.head.institution = institution(99)),
        "rejected: UNKNOWN_INSTITUTION"
    );
    assert_eq!(
        check(&world, |s| s.head.key = keypair(&guarantor()).public()),
        "rejected: KEY_NOT_VALID"
    );
    let block_time = |world: &World, offset: i64| {
        Timestamp::new(world.time.get().checked_add_signed(offset).unwrap())
    };
    let mut later = world.clone();
    later.time = block_time(&world, 61_000);
    let stale = |s: &mut probata_types::Submission| {
        s.head.expires_at = Timestamp::new(s.head.submitted_at.get() + 999);
    };
    assert_eq!(check(&later, stale), "rejected: EXPIRED");
    let on_time = |s: &mut probata_types::Submission| {
        s.head.expires_at = Timestamp::new(s.head.submitted_at.get() + 1_000);
    };
    assert_eq!(check(&later, on_time), "accepted");
    let ahead = |s: &mut probata_types::Submission| {
        s.head.submitted_at = Timestamp::new(s.head.submitted_at.get() + 6_001);
    };
    assert_eq!(check(&world, ahead), "rejected: SUBMITTED_IN_FUTURE");
}

#[test]
fn standing_is_judged_by_height() {
    let body = contract_body(contract());
    let would = |change: &dyn Fn(&mut InstitutionState)| {
        let mut world = World::new();
        world.height = Height::new(10);
        change_bank(&mut world, change);
        world.would(bank(), flow(1), body.clone())
    };
    assert_eq!(would(&|i| i.admitted_at = Height::new(10)), "accepted");
    assert_eq!(would(&|i| i.admitted_at = Height::new(11)), "rejected: INSTITUTION_INACTIVE");
    assert_eq!(would(&|i| i.suspended_at = Some(Height::new(11))), "accepted");
    assert_eq!(
        would(&|i| i.suspended_at = Some(Height::new(10))),
        "rejected: INSTITUTION_INACTIVE"
    );
    let revoked = |i: &mut InstitutionState, height| {
        i.keys.as_mut_slice()[0].revoked_at = Some(Height::new(height));
    };
    assert_eq!(would(&|i| revoked(i, 11)), "accepted");
    assert_eq!(would(&|i| revoked(i, 10)), "rejected: KEY_NOT_VALID");
    assert_eq!(
        would(&|i| i.keys.as_mut_slice()[0].valid_from = Height::new(11)),
        "rejected: KEY_NOT_VALID"
    );
}

#[test]
fn the_phase_is_that_of_the_type() {
    assert_eq!(judge(|r| r.phase = NO_PHASE), "rejected: PHASE");
}

#[test]
fn numbers_and_links_have_no_gap() {
    assert_eq!(judge(|r| r.seq = 2), "rejected: SEQUENCE");
    assert_eq!(judge(|r| r.seq = 0), "rejected: SEQUENCE");
    assert_eq!(judge(|r| r.seq = u64::MAX), "rejected: SEQUENCE");
    assert_eq!(judge(|r| r.prev = RecordId([1; 32])), "rejected: PREVIOUS");
    let mut world = World::new();
    world.say(bank(), flow(1), contract_body(contract()));
    let mut next = world.record(bank(), flow(1), disburse(disbursement()));
    next.prev = RecordId::NONE;
    assert_eq!(world.would_judge(bank(), next.clone()), "rejected: PREVIOUS");
    next.seq = 3;
    assert_eq!(world.would_judge(bank(), next), "rejected: SEQUENCE");
}

#[test]
fn a_replay_is_a_duplicate_and_changes_nothing() {
    let mut world = World::new();
    let first = world.record(bank(), flow(1), contract_body(contract()));
    assert_eq!(world.judge(bank(), first.clone()), "accepted");
    let second = world.record(bank(), flow(1), disburse(disbursement()));
    assert_eq!(world.judge(bank(), second.clone()), "accepted");
    let before = world.state.clone();
    assert_eq!(world.judge(bank(), second), "rejected: DUPLICATE");
    assert_eq!(world.judge(bank(), first.clone()), "rejected: DUPLICATE");
    assert_eq!(world.state, before);
    // Another institution's copy is another record.
    assert_eq!(world.judge(other_bank(), first), "rejected: LENDER");
}

#[test]
fn nothing_happens_in_the_future() {
    let later = |millis| {
        judge(|r| r.occurred_at = Timestamp::new(World::new().time.get() - 1_000 + millis))
    };
    assert_eq!(later(5_000), "accepted");
    assert_eq!(later(5_001), "rejected: OCCURRED_IN_FUTURE");
}

#[test]
fn level_and_rule_pack_exist() {
    assert_eq!(judge(|r| r.level = 0), "rejected: VALUE");
    assert_eq!(judge(|r| r.level = 6), "rejected: VALUE");
    assert_eq!(judge(|r| r.rule_pack = 2), "rejected: RULE_PACK_UNKNOWN");
    assert_eq!(judge(|r| r.rule_pack = 0), "accepted: RULE_PACK_OLD");
}

#[test]
fn a_flow_has_room_for_so_many_submitters() {
    let mut world = World::new();
    world.say(bank(), flow(50), grant(consent()));
    if let Some(StateValue::Flow(state)) = world.state.get_mut(&StateKey::Flow(flow(50))) {
        let entry = state.submitters[0].clone();
        for number in 100..131 {
            let mut other = entry.clone();
            other.institution = institution(number);
            state.submitters.push(other).unwrap();
        }
    }
    let mut by_agent = revocation();
    by_agent.by = probata_types::body::RevokedBy::Agent;
    assert_eq!(world.would(court(), flow(50), revoke(by_agent)), "rejected: FLOW_FULL");
    assert_eq!(world.would(bank(), flow(50), revoke(revocation())), "accepted");
}

#[test]
fn lateness_and_skew_are_noted() {
    let age =
        |millis: u64| judge(|r| r.occurred_at = Timestamp::new(World::new().time.get() - millis));
    assert_eq!(age(DAY), "accepted");
    assert_eq!(age(DAY + 1), "accepted: LATE");
    let skewed = |millis: u64| {
        let mut world = World::new();
        let mut record = world.record(bank(), flow(1), contract_body(contract()));
        record.occurred_at = Timestamp::new(world.time.get() - millis);
        let mut submission = world.submission(bank(), vec![record]);
        submission.head.submitted_at = Timestamp::new(world.time.get() - millis);
        verdict(&world.block(vec![submission])[0].outcome)
    };
    assert_eq!(skewed(MINUTE), "accepted");
    assert_eq!(skewed(MINUTE + 1), "accepted: CLOCK_SKEW");
}

#[test]
fn empty_documents_are_noted() {
    let with = |change: fn(&mut probata_types::record::Document)| {
        judge(|r| change(&mut r.documents.as_mut_slice()[0]))
    };
    let digest = |hex: &str| hex.parse::<Digest256>().unwrap();
    assert_eq!(with(|d| d.length = 0), "accepted: EMPTY_DOC");
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(
        judge(|r| r.documents.as_mut_slice()[0].sha256 = digest(sha256)),
        "accepted: EMPTY_DOC"
    );
    let sm3 = "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b";
    assert_eq!(judge(|r| r.documents.as_mut_slice()[0].sm3 = digest(sm3)), "accepted: EMPTY_DOC");
}

#[test]
fn a_document_is_seen_once_and_found_again() {
    let mut world = World::new();
    let record = world.record(bank(), flow(1), contract_body(contract()));
    let paper = record.documents[0].clone();
    assert_eq!(world.judge(bank(), record), "accepted");
    let seen = world.state.get(&StateKey::Document(paper.sha256)).cloned();
    let Some(StateValue::Document(sighting)) = &seen else {
        panic!("seen");
    };
    assert_eq!((sighting.flow, sighting.height), (flow(1), Height::new(1)));
    let mut again = world.record(bank(), flow(2), contract_body(contract()));
    again.documents.as_mut_slice()[0] = paper.clone();
    assert_eq!(world.judge(bank(), again), "accepted: DUP_DOC");
    assert_eq!(world.state.get(&StateKey::Document(paper.sha256)).cloned(), seen);
    // In its own flow, or as general terms, it is no surprise.
    let mut same = world.record(bank(), flow(1), disburse(disbursement()));
    same.documents.push(paper.clone()).unwrap();
    assert_eq!(world.would_judge(bank(), same), "accepted");
    let mut terms = world.record(bank(), flow(3), contract_body(contract()));
    terms.documents.push(paper).unwrap();
    terms.documents.as_mut_slice()[3].role = DocumentRole::Terms;
    assert_eq!(world.would_judge(bank(), terms), "accepted");
}

#[test]
fn records_of_one_block_see_each_other_and_a_rejected_one_leaves_nothing() {
    let mut world = World::new();
    let id = |record: &Record| record.id(SUITE, &CHAIN, &bank());
    let open = world.record(bank(), flow(1), contract_body(contract()));
    let next = |seq, before: &Record, body| {
        let mut record = world.record(bank(), flow(1), body);
        record.documents = List::empty();
        (record.seq, record.prev) = (seq, id(before));
        record
    };
    let mut too_much = disbursement();
    too_much.amount = fen(1_200_001);
    let bad = next(2, &open, disburse(too_much));
    let paid = next(2, &open, disburse(disbursement()));
    let back = next(3, &paid, repay(repayment()));
    let records = vec![open.clone(), bad, paid.clone(), back.clone()];
    let submission = world.submission(bank(), records);
    let outcomes = world.block(vec![submission]);
    let verdicts: Vec<String> = outcomes.iter().map(|leaf| verdict(&leaf.outcome)).collect();
    assert_eq!(verdicts, ["accepted", "rejected: LIMIT", "accepted", "accepted"]);
    let state = world.flow_state(flow(1)).unwrap();
    assert_eq!((state.count, state.submitters[0].seq), (3, 3));
    assert_eq!(state.submitters[0].last, id(&back));
    let head = [&open, &paid, &back]
        .iter()
        .fold(Hash::ZERO, |head, record| next_head(SUITE, &head, &id(record)));
    assert_eq!(state.head, head);
    assert_eq!(world.facility(flow(1)).remaining(), fen(1_100_000));
}

#[test]
fn an_empty_block_changes_nothing() {
    let world = World::new();
    let execution = execute(&world.proposal(Vec::new()), &world.state).unwrap();
    assert!(execution.outcomes.is_empty() && execution.changes.is_empty());
}

#[test]
fn a_state_without_a_rule_pack_is_an_error_not_a_verdict() {
    let mut world = World::new();
    world.state.remove(&StateKey::RulePack);
    assert!(execute(&world.proposal(Vec::new()), &world.state).is_err());
}

#[test]
fn a_state_of_the_wrong_kind_is_an_error_not_a_verdict() {
    let mut world = World::new();
    let record = world.record(bank(), flow(1), contract_body(contract()));
    let submission = world.submission(bank(), vec![record]);
    let pack = world.state[&StateKey::RulePack].clone();
    for key in [StateKey::Flow(flow(1)), StateKey::Institution(bank())] {
        let mut state = world.state.clone();
        state.insert(key, pack.clone());
        assert!(execute(&world.proposal(vec![submission.clone()]), &state).is_err());
    }
    world.state.insert(StateKey::Institution(bank()), pack);
    assert!(Screening::new(&world.state, world.height, world.time).of(&submission).is_err());
}

#[test]
fn every_body_reads_back_from_json_and_bytes_and_names_its_commitments() {
    let bodies = [
        contract_body(contract()),
        sign(terms()),
        disburse(disbursement()),
        repay(repayment()),
        collect(collection()),
        grant(consent()),
        revoke(revocation()),
        log_access(access()),
        finished("v1", run()),
        deployed("v1"),
    ];
    for body in bodies {
        let json = serde_json::to_value(&body).unwrap();
        assert_eq!(serde_json::from_value::<Body>(json.clone()).unwrap(), body);
        let bytes = probata_types::codec::encode(&body);
        assert_eq!(probata_types::codec::decode::<Body>(&bytes, 4_096).unwrap(), body);
        // The name of each commitment is its path in the JSON form.
        let inner = &json[body.record_type().name()];
        for (field, value) in body.commitments() {
            let path = format!("/{}", field.replace('.', "/"));
            let found = inner.pointer(&path).unwrap_or_else(|| panic!("{field} leads nowhere"));
            assert_eq!(found, &serde_json::json!(value), "{field}");
        }
    }
}

/// What a sequence of records may do to a loan.
#[derive(Debug, Clone)]
enum Step {
    Pay(u32, i64, DisbursementStatus, u8),
    Repay(u32, i64, i64, RepaymentResult, u8),
    NextBlock,
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop_oneof![
        3 => Just(DisbursementStatus::Paid),
        1 => Just(DisbursementStatus::Instructed),
        1 => Just(DisbursementStatus::Failed),
        1 => Just(DisbursementStatus::Reversed),
    ];
    let result = prop_oneof![
        3 => Just(RepaymentResult::Success),
        1 => Just(RepaymentResult::Fail),
        2 => Just(RepaymentResult::Reversed),
    ];
    let amount = prop_oneof![
        4 => prop::sample::select(vec![1i64, 100_000, 300_000, 600_000, 1_200_000]),
        1 => any::<i64>().prop_map(|n| n >> 11),
    ];
    prop_oneof![
        4 => (1u32..6, amount.clone(), status, 0u8..8)
            .prop_map(|(n, a, s, t)| Step::Pay(n, a, s, t)),
        4 => (0u32..14, amount, -2i64..100, result, 8u8..16)
            .prop_map(|(n, a, i, r, t)| Step::Repay(n, a, i, r, t)),
        1 => Just(Step::NextBlock),
    ]
}

fn body_of(step: &Step, world: &World) -> Option<Body> {
    Some(match step {
        Step::Pay(number, amount, status, txn) => {
            let mut body = disbursement();
            (body.drawdown_no, body.amount, body.status) = (*number, fen(*amount), *status);
            body.bank_txn = commitment(*txn);
            disburse(body)
        }
        Step::Repay(index, principal, interest, result, txn) => {
            let facility = world.facility(flow(1));
            let principal = fen(*principal);
            let remaining = match result {
                RepaymentResult::Success => facility.remaining().minus(principal),
                RepaymentResult::Fail => Some(facility.remaining()),
                RepaymentResult::Reversed => facility.remaining().plus(principal),
            };
            let allocation =
                Allocation { principal, interest: fen(*interest), ..Allocation::default() };
            repay(Repayment {
                index: *index,
                amount: allocation.sum()?,
                allocation,
                remaining_principal: remaining?,
                remaining_terms: 0,
                result: *result,
                bank_txn: commitment(*txn),
                ..repayment()
            })
        }
        Step::NextBlock => return None,
    })
}

/// A chain on which every type of record has something to go on.
fn busy() -> World {
    let mut world = World::new();
    let bodies = [
        (bank(), 50, grant(consent())),
        (bank(), 60, finished("v1", run())),
        (bank(), 1, contract_body(contract())),
        (guarantor(), 1, sign(terms())),
        (bank(), 1, disburse(disbursement())),
        (bank(), 1, guarantee(GuaranteeAction::ClaimNotice(claim_notice()))),
        (guarantor(), 1, guarantee(GuaranteeAction::ClaimDecision(claim_decision()))),
        (guarantor(), 1, guarantee(GuaranteeAction::ClaimPaid(claim_payment()))),
    ];
    for (who, number, body) in bodies {
        assert_eq!(world.say(who, flow(number), body), "accepted");
    }
    world
}

/// Sets the numbers of a JSON value, counted depth first, that `changes` names.
fn disturb(value: &mut serde_json::Value, changes: &[(usize, i64)], at: &mut usize) {
    match value {
        serde_json::Value::Number(_) => {
            if let Some((_, number)) = changes.iter().find(|(place, _)| place == at) {
                *value = (*number).into();
            }
            *at += 1;
        }
        serde_json::Value::Array(items) => {
            items.iter_mut().for_each(|item| disturb(item, changes, at));
        }
        serde_json::Value::Object(fields) => {
            fields.values_mut().for_each(|field| disturb(field, changes, at));
        }
        _ => {}
    }
}

fn extreme() -> impl Strategy<Value = i64> {
    let edge = (1i64 << 53) - 1;
    prop::sample::select(vec![
        0,
        1,
        -1,
        i64::from(u8::MAX),
        i64::from(u16::MAX),
        i64::from(u32::MAX),
        i64::from(i32::MAX),
        i64::from(i32::MIN),
        edge,
        -edge,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn no_number_makes_a_rule_panic(
        which in 0usize..11,
        changes in prop::collection::vec((0usize..45, extreme()), 1..4),
    ) {
        let world = busy();
        let (who, number, body) = [
            (bank(), 2, contract_body(contract())),
            (guarantor(), 1, sign(terms())),
            (guarantor(), 1, guarantee(GuaranteeAction::Recovery(recovery()))),
            (guarantor(), 1, guarantee(GuaranteeAction::ClaimPaid(claim_payment()))),
            (bank(), 1, disburse(disbursement())),
            (bank(), 1, repay(repayment())),
            (bank(), 1, collect(collection())),
            (bank(), 51, grant(consent())),
            (provider(), 61, log_access(access())),
            (bank(), 60, finished("v2", run())),
            (bank(), 60, deployed("v1")),
        ][which].clone();
        let mut json = serde_json::to_value(&body).unwrap();
        disturb(&mut json, &changes, &mut 0);
        // What the types refuse never gets to the rules.
        if let Ok(body) = serde_json::from_value::<Body>(json) {
            let verdict = world.would(who, flow(number), body);
            prop_assert!(verdict.starts_with("accepted") || verdict.starts_with("rejected"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn money_is_conserved_whatever_comes(
        steps in prop::collection::vec(step(), 1..40),
        revolving: bool,
    ) {
        let mut world = World::new();
        let mut loan = contract();
        loan.revolving = revolving;
        world.say(bank(), flow(1), contract_body(loan));
        for step in &steps {
            match body_of(step, &world) {
                Some(body) => drop(world.say(bank(), flow(1), body)),
                None => world.time = Timestamp::new(world.time.get() + DAY),
            }
            let facility = world.facility(flow(1));
            let drawn = if revolving { facility.remaining() } else { facility.disbursed };
            prop_assert!(drawn <= facility.principal);
            prop_assert!(facility.remaining() >= fen(0));
            prop_assert!(facility.repaid >= fen(0) && facility.received >= fen(0));
            prop_assert!(facility.interest_paid >= fen(0) && facility.fees_paid >= fen(0));
        }
    }

    #[test]
    fn the_same_block_on_the_same_state_comes_to_the_same(
        order in prop::collection::vec((0usize..9, 0u8..4, 0u8..3), 1..30),
    ) {
        let mut world = World::new();
        let bodies = [
            contract_body(contract()), sign(terms()), disburse(disbursement()), repay(repayment()),
            collect(collection()), grant(consent()), revoke(revocation()), log_access(access()),
            finished("v1", run()),
        ];
        let submissions: Vec<_> = order
            .iter()
            .map(|(body, who, in_flow)| {
                let who = institution(who + 1);
                let record = world.record(who, flow(*in_flow), bodies[*body].clone());
                world.submission(who, vec![record])
            })
            .collect();
        let proposal = world.proposal(submissions.clone());
        let once = execute(&proposal, &world.state).unwrap();
        prop_assert_eq!(&once, &execute(&proposal, &world.state).unwrap());
        // Counts and heads tell of accepted records only.
        let accepted = once.outcomes.iter().filter(|leaf| leaf.outcome.is_accepted()).count();
        world.block(submissions);
        let flows: Vec<FlowId> = (0..3).map(flow).collect();
        let counted: u64 =
            flows.iter().filter_map(|id| world.flow_state(*id)).map(|state| state.count).sum();
        prop_assert_eq!(counted, u64::try_from(accepted).unwrap());
    }
}

#[test]
fn an_object_says_what_it_is() {
    let mut world = World::new();
    world.say(bank(), flow(1), contract_body(contract()));
    let object = world.flow_state(flow(1)).unwrap().object;
    assert!(matches!(object, Object::Facility(_)));
    assert_eq!((object.label(), object.status()), (("贷款", "Facility"), ("已签署", "signed")));
    let context =
        BlockContext { suite: SUITE, chain: CHAIN, height: world.height, time: world.time };
    assert_eq!(context, context.clone());
}
