use crate::fixtures::*;
use probata_types::{
    Date, Fen,
    body::{Allocation, Repayment, RepaymentResult},
    object::FacilityStatus,
};

fn paid_out() -> World {
    let mut world = World::new();
    assert_eq!(world.say(bank(), flow(1), contract_body(contract())), "accepted");
    assert_eq!(world.say(bank(), flow(1), disburse(disbursement())), "accepted");
    world
}

fn judge(change: impl FnOnce(&mut Repayment)) -> String {
    let mut body = repayment();
    change(&mut body);
    paid_out().would(bank(), flow(1), repay(body))
}

/// Instalment `index`, of principal alone.
fn instalment(index: u8, principal: i64, remaining: i64) -> Repayment {
    Repayment {
        index: u32::from(index),
        amount: fen(principal),
        allocation: Allocation { principal: fen(principal), ..Allocation::default() },
        bank_txn: commitment(100 + index),
        remaining_principal: fen(remaining),
        ..repayment()
    }
}

#[test]
fn a_payment_lowers_what_is_owed() {
    let mut world = paid_out();
    assert_eq!(world.say(bank(), flow(1), repay(repayment())), "accepted");
    let facility = world.facility(flow(1));
    assert_eq!(facility.status, FacilityStatus::Performing);
    assert_eq!(facility.remaining(), fen(1_100_000));
    assert_eq!((facility.interest_paid, facility.last_index), (fen(6_000), 1));
}

#[test]
fn the_last_payment_settles_the_loan() {
    let mut world = paid_out();
    let mut last = instalment(1, 1_200_000, 0);
    last.remaining_terms = 0;
    assert_eq!(world.say(bank(), flow(1), repay(last.clone())), "accepted");
    assert_eq!(world.facility(flow(1)).status, FacilityStatus::Settled);
    assert_eq!(
        world.would(bank(), flow(1), repay(instalment(2, 1, 0))),
        "rejected: FACILITY_STATE"
    );
    last.result = RepaymentResult::Reversed;
    last.remaining_principal = fen(1_200_000);
    assert_eq!(world.say(bank(), flow(1), repay(last)), "accepted");
    assert_eq!(world.facility(flow(1)).status, FacilityStatus::Performing);
}

#[test]
fn the_parts_add_up() {
    assert_eq!(judge(|r| r.amount = fen(106_001)), "rejected: ALLOCATION");
    assert_eq!(judge(|r| r.amount = Fen::ZERO), "rejected: VALUE");
    assert_eq!(judge(|r| r.allocation.cost = fen(-1)), "rejected: VALUE");
    assert_eq!(judge(|r| r.unpaid_cost = fen(-1)), "rejected: VALUE");
    assert_eq!(judge(|r| r.index = 0), "rejected: VALUE");
    let huge = Fen::new((1 << 53) - 1).unwrap();
    assert_eq!(judge(|r| r.allocation.cost = huge), "rejected: ALLOCATION");
}

#[test]
fn what_remains_is_recomputed() {
    assert_eq!(judge(|r| r.remaining_principal = fen(1_100_001)), "rejected: REMAINING");
    let too_much = |r: &mut Repayment| *r = instalment(1, 1_200_001, -1);
    assert_eq!(judge(too_much), "rejected: REMAINING");
    assert_eq!(judge(|r| r.result = RepaymentResult::Fail), "rejected: REMAINING");
}

#[test]
fn a_bank_transaction_is_counted_once() {
    let mut world = paid_out();
    world.say(bank(), flow(1), repay(repayment()));
    let mut again = repayment();
    again.remaining_principal = fen(1_000_000);
    assert_eq!(world.would(bank(), flow(1), repay(again)), "rejected: TRANSACTION_KNOWN");
    // That of the disbursement is taken too.
    let mut same = repayment();
    same.bank_txn = disbursement().bank_txn;
    assert_eq!(world.would(bank(), flow(1), repay(same)), "rejected: TRANSACTION_KNOWN");
}

#[test]
fn a_reversal_restores_what_was_owed_once() {
    let mut world = paid_out();
    world.say(bank(), flow(1), repay(repayment()));
    let mut back = repayment();
    back.result = RepaymentResult::Reversed;
    back.remaining_principal = fen(1_200_000);
    let mut other = back.clone();
    other.allocation = Allocation { principal: fen(106_000), ..Allocation::default() };
    assert_eq!(world.would(bank(), flow(1), repay(other)), "rejected: REVERSAL");
    assert_eq!(world.say(bank(), flow(1), repay(back.clone())), "accepted");
    let facility = world.facility(flow(1));
    assert_eq!((facility.remaining(), facility.interest_paid), (fen(1_200_000), Fen::ZERO));
    assert_eq!(world.would(bank(), flow(1), repay(back)), "rejected: REVERSAL");
}

#[test]
fn a_missed_instalment_makes_the_loan_overdue_until_it_is_made_good() {
    let mut world = paid_out();
    let missed = |due: Date| Repayment {
        due_date: due,
        result: RepaymentResult::Fail,
        remaining_principal: fen(1_200_000),
        ..repayment()
    };
    // Tried before its day: nothing is missed yet.
    world.say(bank(), flow(1), repay(missed(day(2025, 7, 10))));
    assert_eq!(world.facility(flow(1)).status, FacilityStatus::Effective);
    world.say(bank(), flow(1), repay(missed(day(2025, 6, 15))));
    let facility = world.facility(flow(1));
    assert_eq!(facility.status, FacilityStatus::Overdue);
    assert_eq!(facility.days_overdue(day(2025, 6, 18)), 3);
    let mut part = repayment();
    part.unpaid_interest = fen(1);
    world.say(bank(), flow(1), repay(part));
    assert_eq!(world.facility(flow(1)).status, FacilityStatus::Overdue);
    world.say(bank(), flow(1), repay(instalment(2, 100, 1_099_900)));
    assert_eq!(world.facility(flow(1)).status, FacilityStatus::Performing);
}

#[test]
fn nothing_is_repaid_before_it_is_paid_out_or_in_the_future() {
    let mut world = World::new();
    world.say(bank(), flow(1), contract_body(contract()));
    assert_eq!(world.would(bank(), flow(1), repay(repayment())), "rejected: FACILITY_STATE");
    assert_eq!(judge(|r| r.paid_at = at(day(2025, 6, 17), 9, 0)), "rejected: OCCURRED_IN_FUTURE");
}

#[test]
fn costs_come_before_interest_before_principal_unless_agreed() {
    assert_eq!(judge(|r| r.unpaid_interest = fen(1)), "accepted: ALLOC_ORDER");
    assert_eq!(judge(|r| r.unpaid_cost = fen(1)), "accepted: ALLOC_ORDER");
    let interest_only = |r: &mut Repayment| {
        r.amount = fen(6_000);
        r.allocation.principal = Fen::ZERO;
        r.remaining_principal = fen(1_200_000);
        r.unpaid_interest = fen(10);
    };
    assert_eq!(judge(interest_only), "accepted");

    let mut world = World::new();
    let mut agreed = contract();
    agreed.own_allocation_order = true;
    world.say(bank(), flow(1), contract_body(agreed));
    world.say(bank(), flow(1), disburse(disbursement()));
    let mut body = repayment();
    body.unpaid_interest = fen(1);
    assert_eq!(world.would(bank(), flow(1), repay(body)), "accepted");
}

#[test]
fn gaps_and_back_dates_are_noted() {
    assert_eq!(judge(|r| r.index = 3), "accepted: MISSING_INDEX");
    assert_eq!(judge(|r| r.paid_at = at(day(2025, 6, 9), 9, 0)), "accepted: BACKDATED");
    let mut world = paid_out();
    world.say(bank(), flow(1), repay(repayment()));
    let mut earlier = instalment(2, 100, 1_099_900);
    earlier.paid_at = at(day(2025, 6, 16), 8, 0);
    assert_eq!(world.would(bank(), flow(1), repay(earlier)), "accepted: BACKDATED");
}

#[test]
fn a_fee_that_the_contract_does_not_list_is_hidden() {
    let fee = |r: &mut Repayment| {
        r.amount = fen(106_100);
        r.allocation.fee = fen(100);
    };
    assert_eq!(judge(fee), "accepted: HIDDEN_FEE");
}
