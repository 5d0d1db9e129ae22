use crate::fixtures::*;
use probata_types::{
    Fen,
    body::{Deduction, DeductionKind, Disbursement, DisbursementChannel, DisbursementStatus},
    object::{FacilityStatus, GuaranteeStatus},
};

fn signed() -> World {
    let mut world = World::new();
    assert_eq!(world.say(bank(), flow(1), contract_body(contract())), "accepted");
    world
}

fn judge(change: impl FnOnce(&mut Disbursement)) -> String {
    let mut body = disbursement();
    change(&mut body);
    signed().would(bank(), flow(1), disburse(body))
}

/// Drawdown `number` of `amount`, with its own bank transaction.
fn drawdown(number: u32, amount: i64, status: DisbursementStatus) -> Disbursement {
    let bank_txn = commitment(u8::try_from(number).unwrap());
    Disbursement { drawdown_no: number, amount: fen(amount), bank_txn, status, ..disbursement() }
}

#[test]
fn the_first_payment_makes_loan_and_guarantee_effective() {
    let mut world = signed();
    world.say(guarantor(), flow(1), sign(terms()));
    assert_eq!(world.facility(flow(1)).guarantees[0].status, GuaranteeStatus::Signed);
    assert_eq!(world.say(bank(), flow(1), disburse(disbursement())), "accepted");
    let facility = world.facility(flow(1));
    assert_eq!(facility.status, FacilityStatus::Effective);
    assert_eq!(facility.remaining(), fen(1_200_000));
    assert_eq!(facility.interest_from, Some(day(2025, 6, 10)));
    assert_eq!(facility.guarantees[0].status, GuaranteeStatus::InForce);
}

#[test]
fn it_needs_a_facility_and_its_lender() {
    let mut world = signed();
    let body = disburse(disbursement());
    assert_eq!(world.would(bank(), flow(2), body.clone()), "rejected: FLOW_NOT_OPEN");
    assert_eq!(world.would(other_bank(), flow(1), body.clone()), "rejected: NOT_PARTY");
    assert_eq!(world.would(guarantor(), flow(1), body.clone()), "rejected: ROLE");
    world.say(bank(), flow(50), grant(consent()));
    assert_eq!(world.would(bank(), flow(50), body), "rejected: FLOW_KIND");
}

#[test]
fn sums_make_sense() {
    assert_eq!(judge(|d| d.amount = Fen::ZERO), "rejected: VALUE");
    let deduction = |amount| Deduction { kind: DeductionKind::Other, amount: fen(amount) };
    assert_eq!(judge(|d| d.deductions = list(vec![deduction(-1)])), "rejected: VALUE");
    assert_eq!(judge(|d| d.deductions = list(vec![deduction(1_200_001)])), "rejected: VALUE");
}

#[test]
fn no_more_than_the_limit_is_paid() {
    assert_eq!(judge(|d| d.amount = fen(1_200_001)), "rejected: LIMIT");
    let mut world = signed();
    let paid = DisbursementStatus::Paid;
    assert_eq!(world.say(bank(), flow(1), disburse(drawdown(1, 700_000, paid))), "accepted");
    assert_eq!(
        world.would(bank(), flow(1), disburse(drawdown(2, 500_001, paid))),
        "rejected: LIMIT"
    );
    assert_eq!(world.say(bank(), flow(1), disburse(drawdown(2, 500_000, paid))), "accepted");
}

#[test]
fn drawdowns_are_numbered_and_pay_what_was_ordered() {
    let mut world = signed();
    let (ordered, paid, failed) =
        (DisbursementStatus::Instructed, DisbursementStatus::Paid, DisbursementStatus::Failed);
    let mut say = |body| world.say(bank(), flow(1), disburse(body));
    assert_eq!(say(drawdown(2, 100, ordered)), "rejected: DRAWDOWN");
    assert_eq!(say(drawdown(1, 100, ordered)), "accepted");
    assert_eq!(say(drawdown(1, 100, ordered)), "rejected: DRAWDOWN");
    assert_eq!(say(drawdown(1, 101, paid)), "rejected: DRAWDOWN");
    assert_eq!(say(drawdown(1, 100, paid)), "accepted");
    assert_eq!(say(drawdown(1, 100, paid)), "rejected: DRAWDOWN");
    assert_eq!(say(drawdown(2, 100, ordered)), "accepted");
    assert_eq!(say(drawdown(2, 100, failed)), "accepted");
    assert_eq!(say(drawdown(2, 100, paid)), "rejected: DRAWDOWN");
    for number in 3..=10 {
        assert_eq!(say(drawdown(number, 1, ordered)), "accepted");
    }
    assert_eq!(say(drawdown(11, 1, ordered)), "rejected: DRAWDOWN");
    assert_eq!(world.facility(flow(1)).disbursed, fen(100));
}

#[test]
fn a_bank_transaction_counts_once() {
    let mut world = signed();
    let paid = DisbursementStatus::Paid;
    world.say(bank(), flow(1), disburse(drawdown(1, 100, paid)));
    let again = Disbursement { bank_txn: commitment(1), ..drawdown(2, 100, paid) };
    assert_eq!(world.would(bank(), flow(1), disburse(again)), "rejected: TRANSACTION_KNOWN");
}

#[test]
fn a_reversal_takes_back_what_was_paid_once() {
    let mut world = signed();
    let (paid, reversed) = (DisbursementStatus::Paid, DisbursementStatus::Reversed);
    world.say(bank(), flow(1), disburse(drawdown(1, 100, paid)));
    let mut say = |body| world.say(bank(), flow(1), disburse(body));
    assert_eq!(say(drawdown(2, 100, reversed)), "rejected: DRAWDOWN");
    assert_eq!(say(drawdown(1, 99, reversed)), "rejected: REVERSAL");
    let unknown = Disbursement { bank_txn: commitment(9), ..drawdown(1, 100, reversed) };
    assert_eq!(say(unknown), "rejected: REVERSAL");
    assert_eq!(say(drawdown(1, 100, reversed)), "accepted");
    assert_eq!(say(drawdown(1, 100, reversed)), "rejected: REVERSAL");
    let facility = world.facility(flow(1));
    assert_eq!((facility.status, facility.disbursed), (FacilityStatus::Signed, Fen::ZERO));
}

#[test]
fn a_repayment_is_not_reversed_as_a_disbursement() {
    let mut world = signed();
    world.say(bank(), flow(1), disburse(disbursement()));
    world.say(bank(), flow(1), repay(repayment()));
    let body = Disbursement {
        amount: fen(106_000),
        bank_txn: commitment(101),
        status: DisbursementStatus::Reversed,
        ..disbursement()
    };
    assert_eq!(world.would(bank(), flow(1), disburse(body)), "rejected: REVERSAL");
}

#[test]
fn nothing_is_paid_out_of_an_overdue_or_settled_loan() {
    let mut world = signed();
    world.say(bank(), flow(1), disburse(drawdown(1, 100_000, DisbursementStatus::Paid)));
    let mut late = repayment();
    late.due_date = day(2025, 6, 15);
    late.result = probata_types::body::RepaymentResult::Fail;
    late.remaining_principal = fen(100_000);
    assert_eq!(world.say(bank(), flow(1), repay(late)), "accepted");
    let more = disburse(drawdown(2, 1, DisbursementStatus::Paid));
    assert_eq!(world.would(bank(), flow(1), more.clone()), "rejected: FACILITY_STATE");
    let mut last = repayment();
    last.remaining_principal = Fen::ZERO;
    last.remaining_terms = 0;
    assert_eq!(world.say(bank(), flow(1), repay(last)), "accepted");
    assert_eq!(world.facility(flow(1)).status, FacilityStatus::Settled);
    assert_eq!(world.would(bank(), flow(1), more), "rejected: FACILITY_STATE");
}

#[test]
fn a_revolving_limit_is_on_what_is_outstanding() {
    let mut world = World::new();
    let mut revolving = contract();
    revolving.revolving = true;
    revolving.repay_method = probata_types::body::RepayMethod::OnDemand;
    revolving.schedule = probata_types::body::Schedule::OnDemand;
    assert_eq!(world.say(bank(), flow(1), contract_body(revolving)), "accepted");
    let paid = DisbursementStatus::Paid;
    world.say(bank(), flow(1), disburse(drawdown(1, 1_200_000, paid)));
    assert_eq!(world.would(bank(), flow(1), disburse(drawdown(2, 1, paid))), "rejected: LIMIT");
    assert_eq!(world.say(bank(), flow(1), repay(repayment())), "accepted");
    assert_eq!(world.say(bank(), flow(1), disburse(drawdown(2, 100_000, paid))), "accepted");
    // What was drawn again cannot be owed twice.
    let mut back = repayment();
    back.result = probata_types::body::RepaymentResult::Reversed;
    back.remaining_principal = fen(1_300_000);
    assert_eq!(world.would(bank(), flow(1), repay(back)), "rejected: REVERSAL");
}

#[test]
fn what_is_kept_back_and_where_it_goes_is_noted() {
    let keep = |kind| judge(|d| d.deductions = list(vec![Deduction { kind, amount: fen(5) }]));
    assert_eq!(keep(DeductionKind::Interest), "accepted: ART670");
    assert_eq!(keep(DeductionKind::Fee), "accepted: HIDDEN_FEE, ART670");
    assert_eq!(judge(|d| d.payee_is_borrower = false), "accepted: ACCT_NOT_BORROWER");
    let entrusted = |d: &mut Disbursement| {
        d.payee_is_borrower = false;
        d.channel = DisbursementChannel::Entrusted;
    };
    assert_eq!(judge(entrusted), "accepted");
    assert_eq!(judge(|d| d.value_date = day(2025, 6, 8)), "accepted: BEFORE_SIGN");
}
