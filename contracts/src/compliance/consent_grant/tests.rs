use crate::fixtures::*;
use probata_types::{
    List, Millis,
    body::{ConsentGrant, ConsentKind, ConsentValidity, LegalBasis},
    object::{Consent, ConsentStatus, Object},
    record::{DocumentRole, FlowId, Subject},
};

fn judge(change: impl FnOnce(&mut ConsentGrant)) -> String {
    let mut body = consent();
    change(&mut body);
    World::new().would(bank(), flow(50), grant(body))
}

fn consent_at(world: &World, flow: FlowId) -> Consent {
    match world.flow_state(flow).unwrap().object {
        Object::Consent(consent) => *consent,
        other => panic!("{other:?} is not a consent"),
    }
}

#[test]
fn a_sound_grant_opens_a_consent() {
    let mut world = World::new();
    assert_eq!(world.say(bank(), flow(50), grant(consent())), "accepted");
    let state = consent_at(&world, flow(50));
    assert_eq!((state.status, state.uses), (ConsentStatus::Active, 0));
    assert_eq!(world.would(bank(), flow(50), grant(consent())), "rejected: FLOW_OPENED");
}

#[test]
fn the_controller_submits_whatever_its_role() {
    let world = World::new();
    assert_eq!(world.would(provider(), flow(50), grant(consent())), "rejected: CONTROLLER");
    let own = ConsentGrant { controller: court(), ..consent() };
    assert_eq!(world.would(court(), flow(50), grant(own)), "accepted");
}

#[test]
fn a_separate_consent_has_one_recipient_and_one_notice() {
    assert_eq!(judge(|c| c.recipients = List::empty()), "rejected: SEPARATE_RECIPIENT");
    assert_eq!(judge(|c| c.recipients.push(guarantor()).unwrap()), "rejected: SEPARATE_RECIPIENT");
    let general = |c: &mut ConsentGrant| {
        c.kind = ConsentKind::General;
        c.recipients.push(guarantor()).unwrap();
    };
    assert_eq!(judge(general), "accepted");
    let world = World::new();
    let record = world.record(bank(), flow(50), grant(consent()));
    assert_eq!(
        world.would_judge(bank(), without_documents(record.clone())),
        "rejected: SEPARATE_NOTICE"
    );
    let mut two = record;
    two.documents.push(document(DocumentRole::ConsentNotice, b"another")).unwrap();
    assert_eq!(world.would_judge(bank(), two), "rejected: SEPARATE_NOTICE");
}

#[test]
fn purposes_classes_and_term_make_sense() {
    assert_eq!(judge(|c| c.purposes = List::empty()), "rejected: VALUE");
    assert_eq!(judge(|c| c.data_classes = List::empty()), "rejected: VALUE");
    let ended = |c: &mut ConsentGrant| c.validity = ConsentValidity::Until(c.valid_from);
    assert_eq!(judge(ended), "rejected: CONSENT_TERM");
}

#[test]
fn a_consent_for_a_loan_may_come_before_it() {
    let life = |loan| ConsentGrant { validity: ConsentValidity::LoanLife(loan), ..consent() };
    let mut world = World::new();
    assert_eq!(world.say(bank(), flow(50), grant(life(flow(1)))), "accepted");
    assert_eq!(world.would(bank(), flow(51), grant(life(flow(50)))), "rejected: REFERENCE");
}

#[test]
fn a_new_grant_replaces_one_of_the_same_person_and_controller() {
    let mut world = World::new();
    world.say(bank(), flow(50), grant(consent()));
    let replacing = |old| ConsentGrant { replaces: Some(old), ..consent() };
    assert_eq!(world.would(bank(), flow(51), grant(replacing(flow(9)))), "rejected: REFERENCE");
    assert_eq!(world.would(bank(), flow(51), grant(replacing(flow(51)))), "rejected: REFERENCE");
    let others = ConsentGrant { subject: Subject([99; 32]), ..replacing(flow(50)) };
    assert_eq!(world.would(bank(), flow(51), grant(others)), "rejected: REFERENCE");
    let theirs = ConsentGrant { controller: other_bank(), ..replacing(flow(50)) };
    assert_eq!(world.would(other_bank(), flow(51), grant(theirs)), "rejected: REFERENCE");
    assert_eq!(world.say(bank(), flow(51), grant(replacing(flow(50)))), "accepted");
    let old = consent_at(&world, flow(50));
    assert_eq!((old.status, old.superseded_by), (ConsentStatus::Superseded, Some(flow(51))));
    // Its own events are as they were.
    assert_eq!(world.flow_state(flow(50)).unwrap().count, 1);
}

#[test]
fn form_is_noted() {
    assert_eq!(judge(|c| c.display.default_unchecked = false), "accepted: PRECHECKED");
    assert_eq!(judge(|c| c.display.dwell = Millis::new(4_999)), "accepted: DWELL_SHORT");
    assert_eq!(judge(|c| c.validity = ConsentValidity::Open), "accepted: OPEN_ENDED");
    assert_eq!(judge(|c| c.basis = LegalBasis::Contract), "accepted: BASIS_MISMATCH");
    let general = |c: &mut ConsentGrant| {
        c.kind = ConsentKind::General;
        c.basis = LegalBasis::Contract;
    };
    assert_eq!(judge(general), "accepted");
    assert_eq!(judge(|c| c.will.proof = None), "accepted: NO_SUBJECT_PROOF");
}

#[test]
fn a_notice_that_is_the_terms_is_bundled() {
    let mut world = World::new();
    let mut record = world.record(bank(), flow(50), grant(consent()));
    let mut terms = record.documents[0].clone();
    terms.role = DocumentRole::Terms;
    record.documents.push(terms.clone()).unwrap();
    assert_eq!(world.would_judge(bank(), record), "accepted: BUNDLED");
    // Or those of a loan that the chain has seen.
    let mut loan = world.record(bank(), flow(1), contract_body(contract()));
    loan.documents.push(terms).unwrap();
    assert_eq!(world.judge(bank(), loan), "accepted");
    assert_eq!(world.would(bank(), flow(50), grant(consent())), "accepted: BUNDLED");
}
