use crate::fixtures::*;
use probata_types::{
    Fen, Timestamp,
    body::{
        AccessActor, AccessBasis, AccessOperation, AccessOutcome, AccessTarget, ConsentGrant,
        ConsentKind, ConsentValidity, DataAccess, LegalBasis,
    },
    object::{AccessLog, ConsentStatus, Object},
    record::Subject,
};

fn granted(change: impl FnOnce(&mut ConsentGrant)) -> World {
    let mut world = World::new();
    let mut body = consent();
    change(&mut body);
    assert_eq!(world.say(bank(), flow(50), grant(body)), "accepted");
    world
}

fn changed(change: impl FnOnce(&mut DataAccess)) -> probata_types::body::Body {
    let mut body = access();
    change(&mut body);
    log_access(body)
}

fn judge(change: impl FnOnce(&mut DataAccess)) -> String {
    granted(|_| ()).would(provider(), flow(60), changed(change))
}

fn log(world: &World) -> AccessLog {
    match world.flow_state(flow(60)).unwrap().object {
        Object::AccessLog(log) => *log,
        other => panic!("{other:?} is not a log"),
    }
}

#[test]
fn accesses_allowed_masked_and_denied_are_all_counted() {
    let mut world = granted(|_| ());
    assert_eq!(world.say(provider(), flow(60), log_access(access())), "accepted");
    let masked = changed(|a| a.outcome = AccessOutcome::Masked);
    assert_eq!(world.say(provider(), flow(60), masked), "accepted");
    let denied = changed(|a| {
        a.outcome = AccessOutcome::Denied;
        a.basis = AccessBasis::None;
    });
    assert_eq!(world.say(provider(), flow(60), denied), "accepted");
    let log = log(&world);
    assert_eq!((log.allowed, log.masked, log.denied, log.without_consent), (1, 1, 1, 0));
    assert_eq!(log.rows, 9);
    let Object::Consent(consent) = world.flow_state(flow(50)).unwrap().object else {
        panic!("a consent");
    };
    assert_eq!(consent.uses, 2);
}

#[test]
fn a_log_is_of_one_institution_and_one_system() {
    let mut world = granted(|_| ());
    assert_eq!(world.would(court(), flow(60), log_access(access())), "rejected: ROLE");
    world.say(provider(), flow(60), log_access(access()));
    assert_eq!(world.would(bank(), flow(60), log_access(access())), "rejected: NOT_PARTY");
    let other = changed(|a| a.system = text("other"));
    assert_eq!(world.would(provider(), flow(60), other), "rejected: SYSTEM_CHANGED");
    assert_eq!(world.would(bank(), flow(50), log_access(access())), "rejected: FLOW_KIND");
}

#[test]
fn values_and_references_make_sense() {
    assert_eq!(judge(|a| a.to_province = Some(99)), "rejected: VALUE");
    assert_eq!(judge(|a| a.from_province = Some(0)), "rejected: VALUE");
    assert_eq!(judge(|a| a.actor = AccessActor::Model(flow(70))), "rejected: REFERENCE");
    assert_eq!(judge(|a| a.at = at(day(2025, 6, 17), 9, 0)), "rejected: OCCURRED_IN_FUTURE");
}

#[test]
fn an_access_wants_a_consent_that_covers_it() {
    let none = "accepted: NO_CONSENT";
    assert_eq!(judge(|a| a.basis = AccessBasis::None), none);
    assert_eq!(judge(|a| a.basis = AccessBasis::Law(LegalBasis::Consent)), none);
    assert_eq!(judge(|a| a.basis = AccessBasis::Law(LegalBasis::Duty)), "accepted");
    assert_eq!(judge(|a| a.basis = AccessBasis::Consent(flow(51))), none);
    assert_eq!(judge(|a| a.recipient = guarantor()), none);
    assert_eq!(judge(|a| a.recipient = provider()), "accepted");
    assert_eq!(judge(|a| a.purpose = text("marketing")), none);
    assert_eq!(judge(|a| a.data_class = text("health")), none);
    assert_eq!(judge(|a| a.target = AccessTarget::Subject(Subject([99; 32]))), none);
    assert_eq!(judge(|a| a.target = AccessTarget::Query(commitment(1))), none);
    // A flow that is no consent is none.
    let mut world = World::new();
    world.say(bank(), flow(50), contract_body(contract()));
    assert_eq!(world.say(provider(), flow(60), log_access(access())), none);
    assert_eq!(log(&world).without_consent, 1);
}

#[test]
fn a_consent_holds_in_its_time_only() {
    let verdict = |validity, valid_from: Timestamp| {
        let world = granted(|c| {
            c.valid_from = valid_from;
            c.validity = validity;
        });
        world.would(provider(), flow(60), log_access(access()))
    };
    let june = at(day(2025, 6, 1), 0, 0);
    let ended = ConsentValidity::Until(at(day(2025, 6, 16), 0, 0));
    assert_eq!(verdict(ended, june), "accepted: NO_CONSENT");
    let tomorrow = at(day(2025, 6, 17), 0, 0);
    assert_eq!(verdict(ConsentValidity::OneTime, tomorrow), "accepted: NO_CONSENT");
    assert_eq!(verdict(ConsentValidity::OneTime, june), "accepted");
}

#[test]
fn a_consent_for_one_access_is_used_up_by_it() {
    let mut world = granted(|c| c.validity = ConsentValidity::OneTime);
    assert_eq!(world.say(provider(), flow(60), log_access(access())), "accepted");
    let Object::Consent(consent) = world.flow_state(flow(50)).unwrap().object else {
        panic!("a consent");
    };
    assert_eq!(consent.status, ConsentStatus::Exhausted);
    assert_eq!(world.say(provider(), flow(60), log_access(access())), "accepted: NO_CONSENT");
}

#[test]
fn a_consent_for_a_loan_ends_with_it() {
    let mut world = granted(|c| c.validity = ConsentValidity::LoanLife(flow(1)));
    let would = |world: &World| world.would(provider(), flow(60), log_access(access()));
    assert_eq!(would(&world), "accepted");
    world.say(bank(), flow(1), contract_body(contract()));
    world.say(bank(), flow(1), disburse(disbursement()));
    assert_eq!(would(&world), "accepted");
    let mut last = repayment();
    last.amount = fen(1_206_000);
    last.allocation.principal = fen(1_200_000);
    last.remaining_principal = Fen::ZERO;
    last.remaining_terms = 0;
    assert_eq!(world.say(bank(), flow(1), repay(last)), "accepted");
    assert_eq!(would(&world), "accepted: NO_CONSENT");
}

#[test]
fn after_a_revocation_the_order_of_the_chain_decides() {
    let mut world = granted(|_| ());
    let [before, revocation, after] = [
        (provider(), world.record(provider(), flow(60), log_access(access()))),
        (bank(), world.record(bank(), flow(50), revoke(revocation()))),
        (provider(), world.record(provider(), flow(61), log_access(access()))),
    ]
    .map(|(who, record)| world.submission(who, vec![record]));
    let outcomes = world.block(vec![before, revocation, after]);
    let verdicts: Vec<String> = outcomes.iter().map(|leaf| verdict(&leaf.outcome)).collect();
    assert_eq!(verdicts, ["accepted", "accepted", "accepted: AFTER_REVOKE"]);
    let denied = changed(|a| a.outcome = AccessOutcome::Denied);
    assert_eq!(world.say(provider(), flow(60), denied), "accepted");
}

#[test]
fn a_credit_query_wants_its_own_consent_and_an_application() {
    let query = |a: &mut DataAccess| {
        a.operation = AccessOperation::CreditQuery;
        a.application = Some(flow(1));
    };
    assert_eq!(judge(query), "accepted: NO_CONSENT");
    let by_law = |a: &mut DataAccess| {
        query(a);
        a.basis = AccessBasis::Law(LegalBasis::Duty);
    };
    assert_eq!(judge(by_law), "accepted: NO_CONSENT");
    let world = granted(|c| c.kind = ConsentKind::CreditQuery);
    assert_eq!(world.would(provider(), flow(60), changed(query)), "accepted");
    let without = changed(|a| a.operation = AccessOperation::CreditQuery);
    assert_eq!(world.would(provider(), flow(60), without), "accepted: QUERY_NO_APPLICATION");
}

#[test]
fn large_exports_and_late_hours_are_noted() {
    let export = |rows| {
        judge(|a| {
            a.operation = AccessOperation::Export;
            a.rows = rows;
        })
    };
    assert_eq!(export(1_000), "accepted");
    assert_eq!(export(1_001), "accepted: EXPORT_LARGE");
    assert_eq!(judge(|a| a.rows = 1_001), "accepted");
    let late = at(day(2025, 6, 15), 22, 0);
    assert_eq!(judge(|a| a.at = late), "accepted: OFF_HOURS");
    let service = |a: &mut DataAccess| {
        a.at = late;
        a.actor = AccessActor::Service(text("nightly"));
    };
    assert_eq!(judge(service), "accepted");
}
