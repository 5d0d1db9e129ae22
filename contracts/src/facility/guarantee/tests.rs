use crate::fixtures::*;
use probata_types::{
    Bp, Fen, InstitutionId, List,
    body::{
        Body, ClaimDecision, ClaimNotice, ClaimPayment, Guarantee, GuaranteeAction, GuaranteeKind,
        GuaranteeTerms, Guarantor, PartyRole, Recovery, RecoverySource, ReleaseReason, RiskRole,
        RiskShare, Signatory,
    },
    object::GuaranteeStatus,
    record::Subject,
};

fn facility() -> World {
    let mut world = World::new();
    assert_eq!(world.say(bank(), flow(1), contract_body(contract())), "accepted");
    world
}

fn judge(change: impl FnOnce(&mut GuaranteeTerms)) -> String {
    let mut terms = terms();
    change(&mut terms);
    facility().would(guarantor(), flow(1), sign(terms))
}

/// A guarantee in force, its terms changed.
fn in_force(change: impl FnOnce(&mut GuaranteeTerms)) -> World {
    let mut world = facility();
    let mut terms = terms();
    change(&mut terms);
    let verdict = world.say(guarantor(), flow(1), sign(terms));
    assert!(verdict.starts_with("accepted"), "{verdict}");
    assert_eq!(world.say(bank(), flow(1), disburse(disbursement())), "accepted");
    world
}

fn notice(change: impl FnOnce(&mut ClaimNotice)) -> Body {
    let mut notice = claim_notice();
    change(&mut notice);
    guarantee(GuaranteeAction::ClaimNotice(notice))
}

fn decision(change: impl FnOnce(&mut ClaimDecision)) -> Body {
    let mut decision = claim_decision();
    change(&mut decision);
    guarantee(GuaranteeAction::ClaimDecision(decision))
}

fn payment(change: impl FnOnce(&mut ClaimPayment)) -> Body {
    let mut payment = claim_payment();
    change(&mut payment);
    guarantee(GuaranteeAction::ClaimPaid(payment))
}

fn recovered(change: impl FnOnce(&mut Recovery)) -> Body {
    let mut recovery = recovery();
    change(&mut recovery);
    guarantee(GuaranteeAction::Recovery(recovery))
}

fn released(reason: ReleaseReason) -> Body {
    guarantee(GuaranteeAction::Release(reason))
}

fn status(world: &World) -> GuaranteeStatus {
    world.facility(flow(1)).guarantees[0].status
}

fn accepted_claim() -> World {
    let mut world = in_force(|_| ());
    assert_eq!(world.say(bank(), flow(1), notice(|_| ())), "accepted");
    assert_eq!(world.say(guarantor(), flow(1), decision(|_| ())), "accepted");
    world
}

fn paid_claim() -> World {
    let mut world = accepted_claim();
    assert_eq!(world.say(guarantor(), flow(1), payment(|_| ())), "accepted");
    world
}

#[test]
fn a_guarantee_goes_from_signature_to_recovery() {
    let mut world = facility();
    assert_eq!(world.say(guarantor(), flow(1), sign(terms())), "accepted");
    assert_eq!(status(&world), GuaranteeStatus::Signed);
    assert_eq!(world.facility(flow(1)).guarantees[0].expires, day(2026, 12, 10));
    world.say(bank(), flow(1), disburse(disbursement()));
    assert_eq!(status(&world), GuaranteeStatus::InForce);
    assert_eq!(world.say(bank(), flow(1), notice(|_| ())), "accepted");
    assert_eq!(status(&world), GuaranteeStatus::ClaimNoticed);
    assert_eq!(world.say(guarantor(), flow(1), decision(|_| ())), "accepted");
    assert_eq!(status(&world), GuaranteeStatus::ClaimAccepted);
    assert_eq!(world.say(guarantor(), flow(1), payment(|_| ())), "accepted");
    let state = world.facility(flow(1)).guarantees[0].clone();
    assert_eq!(state.status, GuaranteeStatus::ClaimPaid);
    assert_eq!((state.settled, state.paid), (fen(1_010_001), fen(808_000)));
    assert_eq!(world.say(guarantor(), flow(1), recovered(|_| ())), "accepted");
    assert_eq!(status(&world), GuaranteeStatus::Recourse);
    let rest = |r: &mut Recovery| {
        r.amount = fen(1_009_900);
        r.allocation = list(vec![fen(403_960), fen(403_960), fen(201_980)]);
        r.bank_txn = commitment(81);
    };
    assert_eq!(world.say(guarantor(), flow(1), recovered(rest)), "accepted");
    assert_eq!(status(&world), GuaranteeStatus::Closed);
}

#[test]
fn only_lender_guarantor_and_bearers_of_risk_submit() {
    let mut world = facility();
    assert_eq!(world.would(provider(), flow(1), sign(terms())), "rejected: ROLE");
    assert_eq!(world.would(other_bank(), flow(1), sign(terms())), "rejected: GUARANTOR");
    assert_eq!(world.would(bank(), flow(1), sign(terms())), "accepted");
    assert_eq!(world.would(guarantor(), flow(9), sign(terms())), "rejected: FLOW_NOT_OPEN");
    world.say(guarantor(), flow(1), sign(terms()));
    let release = released(ReleaseReason::Consent);
    assert_eq!(world.would(other_bank(), flow(1), release), "rejected: GUARANTOR");
}

#[test]
fn shares_add_up() {
    let less = |t: &mut GuaranteeTerms| {
        t.scheme = None;
        t.risk_shares.as_mut_slice()[0].share = Bp::new(3_999).unwrap();
    };
    assert_eq!(judge(less), "rejected: RISK_SHARES");
    assert_eq!(judge(|t| t.risk_shares = List::empty()), "rejected: RISK_SHARES");
    let several = |first: u16| {
        move |t: &mut GuaranteeTerms| {
            let mut other = t.guarantors[0].clone();
            other.party.subject = Subject([13; 32]);
            other.share = Bp::new(4_000);
            t.guarantors.as_mut_slice()[0].share = Bp::new(first);
            t.guarantors.push(other).unwrap();
        }
    };
    assert_eq!(judge(several(6_000)), "accepted");
    assert_eq!(judge(several(5_999)), "rejected: GROUP_SHARES");
}

#[test]
fn two_joint_and_one_several_guarantor_stand_side_by_side() {
    let mixed = |t: &mut GuaranteeTerms| {
        let one = |number: u8, share, group| Guarantor {
            party: party(Subject([number; 32]), PartyRole::Guarantor, None),
            share,
            group,
            registration_no: None,
        };
        t.guarantors.push(one(21, None, 1)).unwrap();
        t.guarantors.push(one(22, Some(Bp::WHOLE), 2)).unwrap();
    };
    assert_eq!(judge(mixed), "accepted");
    let mut world = in_force(mixed);
    world.say(bank(), flow(1), notice(|_| ()));
    world.say(guarantor(), flow(1), decision(|_| ()));
    world.say(guarantor(), flow(1), payment(|_| ()));
    // They signed one document: recourse among them needs no agreement.
    let from_other = recovered(|r| r.from = RecoverySource::CoGuarantor);
    assert_eq!(world.would(guarantor(), flow(1), from_other), "accepted");
}

#[test]
fn a_scheme_has_its_shares_and_its_limit() {
    assert_eq!(judge(|t| t.scheme = Some(text("ZJ-999"))), "rejected: SCHEME");
    let other = |t: &mut GuaranteeTerms| {
        t.risk_shares.as_mut_slice()[0].share = Bp::new(5_000).unwrap();
        t.risk_shares.as_mut_slice()[1].share = Bp::new(3_000).unwrap();
    };
    assert_eq!(judge(other), "rejected: SCHEME");
    assert_eq!(judge(|t| t.exposure = fen(1_000_000_000)), "accepted");
    assert_eq!(judge(|t| t.exposure = fen(1_000_000_001)), "rejected: SCHEME_EXPOSURE");
}

#[test]
fn terms_make_sense_and_a_guarantor_has_signed() {
    assert_eq!(judge(|t| t.guarantors = List::empty()), "rejected: VALUE");
    assert_eq!(judge(|t| t.exposure = fen(-1)), "rejected: VALUE");
    assert_eq!(judge(|t| t.max_amount = Some(Fen::ZERO)), "rejected: VALUE");
    assert_eq!(judge(|t| t.signers = list(vec![signer(Signatory::Lender)])), "rejected: SIDES");
    let stranger = signer(Signatory::Party(Subject([99; 32])));
    assert_eq!(judge(|t| t.signers = list(vec![stranger])), "rejected: SIGNER_NOT_PARTY");
}

#[test]
fn guarantees_are_numbered_and_bounded() {
    let numbered = |number| {
        let action = GuaranteeAction::Sign(Box::new(terms()));
        Body::Guarantee(Box::new(Guarantee { number, action }))
    };
    let mut world = facility();
    assert_eq!(world.would(guarantor(), flow(1), numbered(2)), "rejected: GUARANTEE_NUMBER");
    for number in 1..=4 {
        assert_eq!(world.say(guarantor(), flow(1), numbered(number)), "accepted");
    }
    assert_eq!(world.would(guarantor(), flow(1), numbered(5)), "rejected: GUARANTEE_LIMIT");
    let unknown = Guarantee { number: 9, action: GuaranteeAction::Release(ReleaseReason::Consent) };
    let unknown = Body::Guarantee(Box::new(unknown));
    assert_eq!(world.would(bank(), flow(1), unknown), "rejected: GUARANTEE_NUMBER");
}

#[test]
fn debtors_are_bounded() {
    let mut world = facility();
    let with = |number: u16, first: u8| {
        let mut terms = terms();
        for subject in first..first + 7 {
            let mut one = terms.guarantors[0].clone();
            one.party.subject = Subject([subject; 32]);
            terms.guarantors.push(one).unwrap();
        }
        let action = GuaranteeAction::Sign(Box::new(terms));
        Body::Guarantee(Box::new(Guarantee { number, action }))
    };
    assert_eq!(world.say(guarantor(), flow(1), with(1, 100)), "accepted");
    assert_eq!(world.say(guarantor(), flow(1), with(2, 110)), "accepted");
    assert_eq!(world.say(guarantor(), flow(1), with(3, 120)), "rejected: GUARANTEE_LIMIT");
}

#[test]
fn a_claim_is_in_scope_and_within_what_is_owed_and_guaranteed() {
    let world = in_force(|_| ());
    let judge = |change: fn(&mut ClaimNotice)| world.would(bank(), flow(1), notice(change));
    assert_eq!(judge(|n| n.parts.penalty = fen(1)), "rejected: CLAIM_SCOPE");
    assert_eq!(judge(|n| n.parts.principal = fen(1_200_001)), "rejected: CLAIM_LIMIT");
    assert_eq!(judge(|n| n.parts.costs = fen(500_000)), "rejected: CLAIM_LIMIT");
    assert_eq!(judge(|n| n.parts.interest = fen(-1)), "rejected: VALUE");
    let nothing = |n: &mut ClaimNotice| n.parts = probata_types::body::ClaimParts::default();
    assert_eq!(judge(nothing), "rejected: VALUE");
    assert_eq!(world.would(guarantor(), flow(1), notice(|_| ())), "rejected: NOT_PARTY");
}

#[test]
fn claims_go_in_their_order() {
    let mut world = facility();
    world.say(guarantor(), flow(1), sign(terms()));
    // Not paid out yet: the guarantee is not in force.
    assert_eq!(world.would(bank(), flow(1), notice(|_| ())), "rejected: GUARANTEE_STATE");
    let world = in_force(|_| ());
    let guarantor_would = |world: &World, body| world.would(guarantor(), flow(1), body);
    assert_eq!(guarantor_would(&world, decision(|_| ())), "rejected: GUARANTEE_STATE");
    assert_eq!(guarantor_would(&world, payment(|_| ())), "rejected: GUARANTEE_STATE");
    assert_eq!(guarantor_would(&world, recovered(|_| ())), "rejected: GUARANTEE_STATE");
    let world = paid_claim();
    assert_eq!(world.would(bank(), flow(1), notice(|_| ())), "rejected: GUARANTEE_STATE");
    let release = released(ReleaseReason::Consent);
    assert_eq!(world.would(bank(), flow(1), release), "rejected: GUARANTEE_STATE");
}

#[test]
fn a_decision_is_the_guarantors_and_gives_reasons() {
    let mut world = in_force(|_| ());
    world.say(bank(), flow(1), notice(|_| ()));
    let judge =
        |change: fn(&mut ClaimDecision)| world.would(guarantor(), flow(1), decision(change));
    assert_eq!(judge(|d| d.accepted = fen(1_010_002)), "rejected: CLAIM_ACCEPTED");
    assert_eq!(judge(|d| d.accepted = fen(1_010_000)), "rejected: CLAIM_ACCEPTED");
    assert_eq!(judge(|d| d.accepted = fen(-1)), "rejected: VALUE");
    assert_eq!(world.would(bank(), flow(1), decision(|_| ())), "rejected: GUARANTOR");
    let refusal = decision(|d| {
        d.accepted = Fen::ZERO;
        d.reason = Some(text("outside the period"));
    });
    assert_eq!(world.say(guarantor(), flow(1), refusal), "accepted");
    assert_eq!(status(&world), GuaranteeStatus::ClaimRefused);
    assert_eq!(world.would(bank(), flow(1), notice(|_| ())), "accepted");
}

#[test]
fn a_payment_is_what_was_accepted_split_by_the_shares() {
    let world = accepted_claim();
    let judge = |change: fn(&mut ClaimPayment)| world.would(guarantor(), flow(1), payment(change));
    let more = |p: &mut ClaimPayment| {
        p.loss = fen(1_010_002);
        p.allocation = list(vec![fen(404_000), fen(404_000), fen(202_002)]);
    };
    assert_eq!(judge(more), "rejected: CLAIM_PAID");
    assert_eq!(judge(|p| p.loss = Fen::ZERO), "rejected: VALUE");
    let even = |p: &mut ClaimPayment| {
        p.allocation = list(vec![fen(404_001), fen(404_000), fen(202_000)]);
    };
    assert_eq!(judge(even), "rejected: CLAIM_ALLOCATION");
    assert_eq!(judge(|p| p.allocation = List::empty()), "rejected: CLAIM_ALLOCATION");
    assert_eq!(judge(|p| p.payer = bank()), "rejected: CLAIM_PARTY");
    assert_eq!(judge(|p| p.payee = guarantor()), "rejected: CLAIM_PARTY");
    assert_eq!(world.would(other_bank(), flow(1), payment(|_| ())), "rejected: GUARANTOR");
}

#[test]
fn a_claim_may_be_paid_in_parts_but_not_above_what_was_accepted() {
    let mut world = accepted_claim();
    let part = |loss: i64, txn: u8| {
        payment(move |p| {
            p.loss = fen(loss);
            let tenth = loss / 10;
            p.allocation = list(vec![fen(4 * tenth), fen(4 * tenth), fen(2 * tenth)]);
            p.bank_txn = commitment(txn);
        })
    };
    assert_eq!(world.say(guarantor(), flow(1), part(1_000_000, 71)), "accepted");
    assert_eq!(world.would(guarantor(), flow(1), part(10_000, 71)), "rejected: TRANSACTION_KNOWN");
    assert_eq!(world.would(guarantor(), flow(1), part(10_010, 72)), "rejected: CLAIM_PAID");
    assert_eq!(world.say(guarantor(), flow(1), part(10_000, 72)), "accepted");
}

#[test]
fn the_borrowers_own_part_never_pays_or_is_paid() {
    let own = |institution: InstitutionId| {
        move |t: &mut GuaranteeTerms| {
            t.scheme = None;
            t.risk_shares.as_mut_slice()[1] = RiskShare {
                role: RiskRole::BorrowerSelf,
                institution: Some(institution),
                share: Bp::new(4_000).unwrap(),
            };
        }
    };
    let mut world = in_force(own(other_bank()));
    world.say(bank(), flow(1), notice(|_| ()));
    let decide = decision(|_| ());
    assert_eq!(world.would(other_bank(), flow(1), decide.clone()), "rejected: GUARANTOR");
    world.say(guarantor(), flow(1), decide);
    let by_borrower = payment(|p| p.payer = other_bank());
    assert_eq!(world.would(bank(), flow(1), by_borrower), "rejected: CLAIM_PARTY");
    world.say(guarantor(), flow(1), payment(|_| ()));
    // Its part stays owed: it is not among what was paid.
    assert_eq!(world.facility(flow(1)).guarantees[0].paid, fen(404_000));
}

#[test]
fn what_comes_back_is_at_most_what_was_settled() {
    let world = paid_claim();
    let judge = |change: fn(&mut Recovery)| world.would(guarantor(), flow(1), recovered(change));
    assert_eq!(judge(|r| r.amount = fen(1_010_002)), "rejected: RECOVERY");
    assert_eq!(judge(|r| r.amount = Fen::ZERO), "rejected: VALUE");
    assert_eq!(judge(|r| r.allocation.as_mut_slice().reverse()), "rejected: CLAIM_ALLOCATION");
    assert_eq!(judge(|r| r.from = RecoverySource::CoGuarantor), "accepted: RECOURSE_NOT_AGREED");
}

#[test]
fn a_guarantee_ends_with_the_debt_by_consent_or_with_its_period() {
    let mut world = in_force(|_| ());
    let would = |world: &World, who, reason| world.would(who, flow(1), released(reason));
    assert_eq!(would(&world, bank(), ReleaseReason::DebtSettled), "rejected: NOT_SETTLED");
    assert_eq!(would(&world, guarantor(), ReleaseReason::Consent), "rejected: NOT_PARTY");
    assert_eq!(would(&world, bank(), ReleaseReason::Consent), "accepted");
    assert_eq!(would(&world, bank(), ReleaseReason::PeriodLapsed), "rejected: GUARANTEE_STATE");
    let mut later = world.clone();
    later.time = at(day(2026, 12, 10), 23, 0);
    assert_eq!(would(&later, bank(), ReleaseReason::PeriodLapsed), "rejected: GUARANTEE_STATE");
    later.time = at(day(2026, 12, 11), 1, 0);
    assert_eq!(would(&later, guarantor(), ReleaseReason::PeriodLapsed), "accepted");
    let mut last = repayment();
    last.amount = fen(1_206_000);
    last.allocation.principal = fen(1_200_000);
    last.remaining_principal = Fen::ZERO;
    last.remaining_terms = 0;
    assert_eq!(world.say(bank(), flow(1), repay(last)), "accepted");
    assert_eq!(world.would(guarantor(), flow(1), sign(terms())), "rejected: FACILITY_STATE");
    assert_eq!(world.say(guarantor(), flow(1), released(ReleaseReason::DebtSettled)), "accepted");
    assert_eq!(status(&world), GuaranteeStatus::Released);
}

#[test]
fn an_unclear_kind_is_general_and_wants_enforcement_first() {
    assert_eq!(judge(|t| t.kind = GuaranteeKind::Unclear), "accepted: KIND_UNCLEAR");
    let world = in_force(|t| t.kind = GuaranteeKind::Unclear);
    let in_time = day(2026, 12, 10);
    let judge = |sued_on, exhausted| {
        let notice = notice(|n| {
            n.sued_on = sued_on;
            n.enforcement_exhausted = exhausted;
        });
        world.would(bank(), flow(1), notice)
    };
    assert_eq!(judge(Some(in_time), true), "accepted");
    assert_eq!(judge(Some(in_time), false), "accepted: GENERAL_NO_EXHAUST");
    assert_eq!(judge(Some(day(2026, 12, 11)), true), "accepted: PERIOD_LAPSED");
    assert_eq!(judge(None, true), "accepted: PERIOD_LAPSED");
}

#[test]
fn a_joint_guarantee_wants_a_demand_in_its_period() {
    let demand = |kind, months, day| {
        let world = in_force(|t| {
            t.kind = kind;
            t.period_months = months;
        });
        world.would(bank(), flow(1), notice(|n| n.demanded_on = day))
    };
    let joint = GuaranteeKind::Joint;
    assert_eq!(demand(joint, None, day(2026, 12, 10)), "accepted");
    assert_eq!(demand(joint, None, day(2026, 12, 11)), "accepted: PERIOD_LAPSED");
    assert_eq!(demand(joint, Some(24), day(2028, 6, 10)), "accepted");
    assert_eq!(demand(GuaranteeKind::Mortgage, None, day(2030, 1, 1)), "accepted");
}

#[test]
fn a_company_wants_a_resolution() {
    let world = facility();
    let record = world.record(guarantor(), flow(1), sign(terms()));
    assert_eq!(
        world.would_judge(guarantor(), without_documents(record)),
        "accepted: NO_RESOLUTION"
    );
}
