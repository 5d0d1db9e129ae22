use crate::fixtures::*;
use probata_types::{
    Fen, Hash, List, Rate,
    body::{
        AprMethod, Fee, FeeKind, FeePayee, LenderClass, LoanContract, ModelVersionRef, OverdueRate,
        PartyRole, RepayMethod, Schedule, SignMethod, Signatory,
    },
    object::FacilityStatus,
    record::Subject,
};

fn judge(change: impl FnOnce(&mut LoanContract)) -> String {
    let mut contract = contract();
    change(&mut contract);
    World::new().would(bank(), flow(1), contract_body(contract))
}

#[test]
fn a_sound_contract_opens_a_facility() {
    let mut world = World::new();
    assert_eq!(world.say(bank(), flow(1), contract_body(contract())), "accepted");
    let facility = world.facility(flow(1));
    assert_eq!(facility.status, FacilityStatus::Signed);
    assert_eq!(facility.interest_scheduled, Some(fen(39_000)));
    assert_eq!((facility.terms, facility.overdue_rate), (12, Rate(90_000)));
    assert_eq!(facility.debtors.len(), 1);
    let state = world.flow_state(flow(1)).unwrap();
    assert_eq!((state.owner, state.count), (bank(), 1));
}

#[test]
fn only_the_lender_itself_submits_it() {
    let world = World::new();
    let body = contract_body(contract());
    assert_eq!(world.would(court(), flow(1), body.clone()), "rejected: ROLE");
    assert_eq!(world.would(guarantor(), flow(1), body.clone()), "rejected: ROLE");
    assert_eq!(world.would(other_bank(), flow(1), body), "rejected: LENDER");
}

#[test]
fn a_flow_is_opened_once() {
    let mut world = World::new();
    world.say(bank(), flow(1), contract_body(contract()));
    assert_eq!(world.would(bank(), flow(1), contract_body(contract())), "rejected: FLOW_OPENED");
}

#[test]
fn who_signs_is_a_party_and_both_sides_do() {
    let stranger = Signatory::Party(Subject([99; 32]));
    assert_eq!(judge(|c| c.signers.push(signer(stranger)).unwrap()), "rejected: SIGNER_NOT_PARTY");
    assert_eq!(judge(|c| c.signers = list(vec![signer(Signatory::Lender)])), "rejected: SIDES");
    let alone = signer(Signatory::Party(borrower()));
    assert_eq!(judge(|c| c.signers = list(vec![alone])), "rejected: SIDES");
    assert_eq!(judge(|c| c.borrowers = List::empty()), "rejected: VALUE");
    let twice = party(borrower(), PartyRole::CoBorrower, None);
    assert_eq!(judge(|c| c.borrowers.push(twice).unwrap()), "rejected: VALUE");
}

#[test]
fn the_term_has_a_length_and_the_principal_is_positive() {
    assert_eq!(judge(|c| c.end = c.start), "rejected: TERM");
    assert_eq!(judge(|c| c.principal = Fen::ZERO), "rejected: PRINCIPAL");
    assert_eq!(judge(|c| c.principal = fen(-1)), "rejected: PRINCIPAL");
    assert_eq!(judge(|c| c.penalty = fen(-1)), "rejected: VALUE");
}

fn rows(contract: &mut LoanContract) -> &mut [probata_types::body::Instalment] {
    match &mut contract.schedule {
        Schedule::Rows(rows) => rows.as_mut_slice(),
        _ => panic!("the fixture has rows"),
    }
}

#[test]
fn the_schedule_adds_up_and_is_in_order() {
    assert_eq!(judge(|c| rows(c)[3].principal = fen(99_999)), "rejected: SCHEDULE");
    assert_eq!(judge(|c| rows(c).swap(0, 1)), "rejected: SCHEDULE");
    assert_eq!(judge(|c| rows(c)[11].due = c.end.plus_months(1)), "rejected: SCHEDULE");
    assert_eq!(judge(|c| rows(c)[0].interest = fen(-1)), "rejected: VALUE");
    assert_eq!(judge(|c| c.schedule = Schedule::OnDemand), "rejected: SCHEDULE");
    let huge = Fen::new((1 << 53) - 1).unwrap();
    assert_eq!(judge(|c| rows(c).iter_mut().for_each(|r| r.interest = huge)), "rejected: VALUE");
}

fn outline(terms: u16, principal: i64, interest: i64) -> Schedule {
    Schedule::Outline {
        terms,
        first_due: day(2025, 7, 10),
        every_months: 1,
        principal: fen(principal),
        interest: fen(interest),
        root: Hash([1; 32]),
    }
}

#[test]
fn an_outlined_schedule_is_written_out_by_its_method() {
    // 30 years of equal principal at 6 %: interest is 1,200,000 · 0.005 · 361 / 2.
    let thirty_years = |c: &mut LoanContract| {
        c.end = c.start.plus_months(360);
        c.schedule = outline(360, 1_200_000, 1_083_000);
    };
    assert_eq!(judge(thirty_years), "accepted");
    let shown = |c: &mut LoanContract| {
        thirty_years(c);
        c.apr_disclosed = Rate(59_000);
    };
    assert_eq!(judge(shown), "accepted: APR_MISMATCH");
    for wrong in [outline(0, 1_200_000, 0), outline(481, 1_200_000, 0), outline(360, 1, 0)] {
        let verdict = judge(|c| {
            thirty_years(c);
            c.schedule = wrong;
        });
        assert_eq!(verdict, "rejected: SCHEDULE");
    }
    assert_eq!(judge(|c| c.schedule = outline(13, 1_200_000, 0)), "rejected: SCHEDULE");
}

#[test]
fn what_is_cited_exists() {
    assert_eq!(judge(|c| c.consent = Some(flow(50))), "rejected: REFERENCE");
    let cited = ModelVersionRef { model: flow(60), version: text("v1") };
    assert_eq!(judge(|c| c.decision_model = Some(cited.clone())), "rejected: REFERENCE");

    let mut world = World::new();
    let mut unfiled = run();
    unfiled.filing_no = None;
    world.say(bank(), flow(60), finished("v1", unfiled));
    world.say(bank(), flow(60), finished("v2", run()));
    world.say(bank(), flow(50), grant(consent()));
    let verdict = |version| {
        let mut contract = contract();
        contract.consent = Some(flow(50));
        contract.decision_model = Some(ModelVersionRef { model: flow(60), version: text(version) });
        world.would(bank(), flow(1), contract_body(contract))
    };
    assert_eq!(verdict("v2"), "accepted");
    assert_eq!(verdict("v1"), "accepted: MODEL_UNFILED");
    assert_eq!(verdict("v3"), "rejected: REFERENCE");
    let mut contract = contract();
    contract.consent = Some(flow(60));
    assert_eq!(world.would(bank(), flow(1), contract_body(contract)), "rejected: REFERENCE");
}

#[test]
fn the_shown_cost_is_recomputed_with_fees() {
    let off_by = |by: u32| judge(|c| c.apr_disclosed = Rate(60_000 + by));
    assert_eq!(off_by(95), "accepted");
    assert_eq!(off_by(110), "accepted: APR_MISMATCH");
    let fee = Fee {
        kind: FeeKind::Handling,
        payee: FeePayee::Lender,
        amount: fen(12_000),
        due: day(2025, 6, 10),
    };
    assert_eq!(judge(|c| c.fees.push(fee.clone()).unwrap()), "accepted: APR_MISMATCH");
    let negative = Fee { amount: fen(-1), ..fee };
    assert_eq!(judge(|c| c.fees.push(negative).unwrap()), "rejected: VALUE");
    // 1.005^12 - 1.
    let compound = |c: &mut LoanContract| {
        c.apr_method = AprMethod::Compound;
        c.apr_disclosed = Rate(61_678);
    };
    assert_eq!(judge(compound), "accepted");
}

#[test]
fn the_cap_depends_on_lender_date_and_prime_rate() {
    let at_rate = |class, nominal: u32| {
        judge(|c| {
            c.lender_class = class;
            c.rate.nominal = Rate(nominal);
            c.overdue_rate = OverdueRate::Fixed(Rate(nominal));
            // A year's bullet at this rate.
            c.repay_method = RepayMethod::Bullet;
            c.schedule = Schedule::Rows(list(vec![probata_types::body::Instalment {
                due: c.end,
                principal: c.principal,
                interest: fen(c.principal.get() * i64::from(nominal) / 1_000_000),
            }]));
            c.apr_method = AprMethod::Compound;
            c.apr_disclosed = Rate(nominal);
        })
    };
    // 4 × 3.00 %.
    assert_eq!(at_rate(LenderClass::NonFinancial, 120_000), "accepted");
    assert_eq!(at_rate(LenderClass::NonFinancial, 120_001), "accepted: RATE_CAP");
    assert_eq!(at_rate(LenderClass::Bank, 120_001), "accepted");
    assert_eq!(at_rate(LenderClass::Bank, 240_000), "accepted");
    assert_eq!(at_rate(LenderClass::Bank, 240_001), "accepted: RATE_CAP");
    let overdue = judge(|c| {
        c.lender_class = LenderClass::NonFinancial;
        c.rate.nominal = Rate(85_000);
        c.overdue_rate = OverdueRate::Multiple { percent: 150 };
    });
    assert_eq!(overdue, "accepted: RATE_CAP");
}

#[test]
fn fees_count_towards_the_cap() {
    let fee = Fee {
        kind: FeeKind::Service,
        payee: FeePayee::Platform,
        amount: fen(200_000),
        due: day(2025, 6, 10),
    };
    let all = Fee { amount: fen(1_200_000), ..fee.clone() };
    for fee in [fee, all] {
        assert_eq!(judge(|c| c.fees.push(fee).unwrap()), "accepted: RATE_CAP, APR_MISMATCH");
    }
}

#[test]
fn an_overdue_rate_is_at_most_half_as_much_again() {
    let multiple = |percent| judge(|c| c.overdue_rate = OverdueRate::Multiple { percent });
    assert_eq!(multiple(150), "accepted");
    assert_eq!(multiple(151), "accepted: OVERDUE_RATE");
    assert_eq!(
        judge(|c| c.overdue_rate = OverdueRate::Fixed(Rate(90_001))),
        "accepted: OVERDUE_RATE"
    );
}

#[test]
fn a_contract_wants_its_disclosure_and_prompt() {
    let world = World::new();
    let record = world.record(bank(), flow(1), contract_body(contract()));
    assert_eq!(
        world.would_judge(bank(), without_documents(record)),
        "accepted: NO_DISCLOSURE, NO_CLAUSE_PROMPT"
    );
}

#[test]
fn a_signature_wants_a_certificate_or_two_factors_after_identification() {
    let signed = |change: fn(&mut probata_types::body::Signer)| {
        judge(|c| change(&mut c.signers.as_mut_slice()[1]))
    };
    let one_factor = |s: &mut probata_types::body::Signer| {
        s.certificate = None;
        s.methods = list(vec![SignMethod::Sms]);
    };
    assert_eq!(signed(one_factor), "accepted: WEAK_SIGN");
    assert_eq!(signed(|s| s.certificate = None), "accepted");
    assert_eq!(signed(|s| s.methods = List::empty()), "accepted");
    assert_eq!(signed(|s| s.at = at(day(2025, 6, 9), 8, 59)), "accepted: SIGN_BEFORE_ID");
    assert_eq!(signed(|s| s.at = at(day(2025, 6, 17), 8, 0)), "rejected: OCCURRED_IN_FUTURE");
    assert_eq!(
        judge(|c| c.borrowers.as_mut_slice()[0].identified_at = None),
        "accepted: SIGN_BEFORE_ID"
    );
}
