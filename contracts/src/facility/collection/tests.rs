use crate::fixtures::*;
use probata_types::{
    Millis, Timestamp,
    body::{
        Collection, CollectionAgent, CollectionChannel, CollectionOutcome, Complaint, ContactRole,
        Reached,
    },
    record::Subject,
};

fn paid_out() -> World {
    let mut world = World::new();
    world.say(bank(), flow(1), contract_body(contract()));
    world.say(guarantor(), flow(1), sign(terms()));
    assert_eq!(world.say(bank(), flow(1), disburse(disbursement())), "accepted");
    world
}

fn judge(change: impl FnOnce(&mut Collection)) -> String {
    let mut body = collection();
    change(&mut body);
    paid_out().would(bank(), flow(1), collect(body))
}

#[test]
fn a_lawful_call_is_a_demand() {
    let mut world = paid_out();
    assert_eq!(world.say(bank(), flow(1), collect(collection())), "accepted");
    let facility = world.facility(flow(1));
    assert_eq!(facility.last_demand, Some(day(2025, 6, 16)));
    assert_eq!((facility.collections, facility.debtors[0].contacts[0]), (1, 1));
}

#[test]
fn a_demand_is_effective_if_it_arrives_or_is_served_as_agreed() {
    let effective = |change: fn(&mut Collection)| {
        let mut world = paid_out();
        let mut body = collection();
        change(&mut body);
        world.say(bank(), flow(1), collect(body));
        world.facility(flow(1)).last_demand.is_some()
    };
    let letter = |body: &mut Collection| {
        body.channel = CollectionChannel::Letter;
        body.reached = Reached::No;
    };
    assert!(effective(|_| ()));
    assert!(effective(|b| b.reached = Reached::Read));
    assert!(!effective(|b| b.reached = Reached::No));
    assert!(!effective(|b| b.demand_amount = probata_types::Fen::ZERO));
    assert!(!effective(|b| b.contact_role = ContactRole::ThirdParty));
    assert!(!effective(|b| b.debtor = surety()));
    assert!(!effective(letter));
    assert!(effective(|b| {
        b.channel = CollectionChannel::Letter;
        b.reached = Reached::No;
        b.to_agreed_address = true;
    }));
}

#[test]
fn who_is_to_pay_is_a_debtor_and_who_asks_the_lender() {
    assert_eq!(judge(|b| b.debtor = Subject([99; 32])), "rejected: DEBTOR");
    assert_eq!(judge(|b| b.debtor = surety()), "accepted");
    let world = paid_out();
    assert_eq!(world.would(other_bank(), flow(1), collect(collection())), "rejected: NOT_PARTY");
    assert_eq!(world.would(guarantor(), flow(1), collect(collection())), "rejected: ROLE");
}

#[test]
fn times_and_sums_make_sense() {
    assert_eq!(judge(|b| b.end = at(day(2025, 6, 16), 8, 59)), "rejected: INTERVAL");
    assert_eq!(judge(|b| b.end = at(day(2025, 6, 17), 9, 0)), "rejected: OCCURRED_IN_FUTURE");
    assert_eq!(judge(|b| b.demand_amount = fen(-1)), "rejected: VALUE");
    let promise = CollectionOutcome::Promise { on: day(2025, 6, 20), amount: fen(-1) };
    assert_eq!(judge(|b| b.outcome = promise), "rejected: VALUE");
}

#[test]
fn a_machine_names_its_model() {
    assert_eq!(judge(|b| b.channel = CollectionChannel::AiCall), "rejected: MODEL_REQUIRED");
    let by_model = |b: &mut Collection| {
        b.channel = CollectionChannel::AiCall;
        b.agent = CollectionAgent::Model(flow(60));
    };
    assert_eq!(judge(by_model), "rejected: REFERENCE");
    let mut world = paid_out();
    world.say(bank(), flow(60), finished("v1", run()));
    let mut body = collection();
    by_model(&mut body);
    assert_eq!(world.would(bank(), flow(1), collect(body)), "accepted");
}

#[test]
fn nobody_is_disturbed_at_night() {
    let called = |from: Timestamp, to: Timestamp| {
        judge(|b| {
            b.start = from;
            b.end = to;
        })
    };
    let friday = day(2025, 6, 13);
    assert_eq!(called(at(friday, 8, 0), at(friday, 21, 59)), "accepted");
    assert_eq!(called(at(friday, 7, 59), at(friday, 8, 1)), "accepted: COLL_HOURS");
    assert_eq!(called(at(friday, 21, 50), at(friday, 22, 0)), "accepted: COLL_HOURS");
    assert_eq!(called(at(friday, 21, 0), at(day(2025, 6, 14), 9, 0)), "accepted: COLL_HOURS");
    let letter = |b: &mut Collection| {
        b.channel = CollectionChannel::Letter;
        b.start = at(friday, 23, 30);
        b.end = at(friday, 23, 30);
    };
    assert_eq!(judge(letter), "accepted");
}

#[test]
fn a_debtor_is_not_called_too_often() {
    let mut world = paid_out();
    let mut call = |body: Collection| world.say(bank(), flow(1), collect(body));
    let on = |date| Collection { start: at(date, 9, 0), end: at(date, 9, 5), ..collection() };
    for _ in 0..3 {
        assert_eq!(call(on(day(2025, 6, 16))), "accepted");
    }
    assert_eq!(call(on(day(2025, 6, 16))), "accepted: COLL_FREQ");
    let other = Collection { debtor: surety(), ..on(day(2025, 6, 16)) };
    assert_eq!(call(other), "accepted");
    let letter = Collection { channel: CollectionChannel::Letter, ..on(day(2025, 6, 16)) };
    assert_eq!(call(letter), "accepted");
    // Ten in seven days: four so far, and two a day before that.
    for date in [13, 14, 15] {
        for _ in 0..2 {
            let verdict = call(on(day(2025, 6, date)));
            assert!(!verdict.contains("COLL_FREQ"), "{verdict}");
        }
    }
    assert!(call(on(day(2025, 6, 12))).contains("COLL_FREQ"));
}

#[test]
fn conduct_is_noted() {
    assert_eq!(judge(|b| b.contact_role = ContactRole::ThirdParty), "accepted: COLL_THIRD_PARTY");
    assert_eq!(judge(|b| b.contact_role = ContactRole::AgreedContact), "accepted");
    let outsourced = |b: &mut Collection| b.agent = CollectionAgent::Outsourced(institution(9));
    assert_eq!(judge(outsourced), "accepted: NO_MANDATE");
    let mandated = |b: &mut Collection| {
        outsourced(b);
        b.mandate_no = Some(commitment(4));
    };
    assert_eq!(judge(mandated), "accepted");
    let world = paid_out();
    let silent = |body| without_documents(world.record(bank(), flow(1), collect(body)));
    let call = silent(collection());
    assert_eq!(world.would_judge(bank(), call), "accepted: NO_RECORDING");
    let unanswered = silent(Collection { reached: Reached::No, ..collection() });
    assert_eq!(world.would_judge(bank(), unanswered), "accepted");
    let message = silent(Collection { channel: CollectionChannel::Sms, ..collection() });
    assert_eq!(world.would_judge(bank(), message), "accepted");
}

#[test]
fn no_more_is_demanded_than_is_owed() {
    // Six days at 6 % of 12,000.00 over 360 days: 12.00.
    assert_eq!(judge(|b| b.demand_amount = fen(1_201_200)), "accepted");
    assert_eq!(judge(|b| b.demand_amount = fen(1_201_201)), "accepted: OVER_DEMAND");
    // Years later it is all the interest of the schedule, and 9 % since the last day.
    let later = |amount| {
        judge(|b| {
            b.as_of = day(2027, 6, 5);
            b.demand_amount = fen(amount);
        })
    };
    assert_eq!(later(1_200_000 + 39_000 + 108_000), "accepted");
    assert_eq!(later(1_200_000 + 39_000 + 108_001), "accepted: OVER_DEMAND");
    let mut nothing_lent = World::new();
    nothing_lent.say(bank(), flow(1), contract_body(contract()));
    assert_eq!(nothing_lent.would(bank(), flow(1), collect(collection())), "accepted: OVER_DEMAND");
}

#[test]
fn a_complaint_is_closed_within_a_week() {
    let closed_after = |days: u64, minutes: u64| {
        let opened_at = at(day(2025, 6, 2), 9, 0);
        let closed_at = opened_at.after(Millis::new(days * DAY + minutes * MINUTE));
        judge(|b| {
            b.complaint =
                Some(Complaint { number: commitment(1), opened_at, closed_at: Some(closed_at) });
        })
    };
    assert_eq!(closed_after(7, 0), "accepted");
    assert_eq!(closed_after(7, 1), "accepted: COMPLAINT_LATE");
    let open = |opened_at| {
        judge(|b| {
            b.complaint = Some(Complaint { number: commitment(1), opened_at, closed_at: None });
        })
    };
    assert_eq!(open(at(day(2025, 6, 15), 9, 0)), "accepted");
    assert_eq!(open(at(day(2025, 6, 1), 9, 0)), "accepted: COMPLAINT_LATE");
}
