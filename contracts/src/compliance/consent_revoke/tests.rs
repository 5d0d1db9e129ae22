use crate::fixtures::*;
use probata_types::{
    Height,
    body::{ConsentRevoke, RevokedBy},
    object::{ConsentStatus, Object},
    record::Subject,
};

fn granted() -> World {
    let mut world = World::new();
    assert_eq!(world.say(bank(), flow(50), grant(consent())), "accepted");
    world
}

#[test]
fn a_consent_is_revoked_once_and_for_all() {
    let mut world = granted();
    for _ in 0..2 {
        assert_eq!(world.say(bank(), flow(50), revoke(revocation())), "accepted");
        let Object::Consent(consent) = world.flow_state(flow(50)).unwrap().object else {
            panic!("a consent");
        };
        assert_eq!(consent.status, ConsentStatus::Revoked);
        assert_eq!(consent.revoked_at, Some(Height::new(2)));
    }
}

#[test]
fn any_member_may_speak_for_the_person_but_not_as_the_controller() {
    let world = granted();
    let by = |by| revoke(ConsentRevoke { by, ..revocation() });
    assert_eq!(world.would(court(), flow(50), by(RevokedBy::Agent)), "accepted");
    assert_eq!(world.would(court(), flow(50), by(RevokedBy::Controller)), "rejected: NOT_PARTY");
}

#[test]
fn it_is_about_a_consent_of_this_person() {
    let mut world = granted();
    let other = ConsentRevoke { subject: Subject([99; 32]), ..revocation() };
    assert_eq!(world.would(bank(), flow(50), revoke(other)), "rejected: CONSENT_SUBJECT");
    assert_eq!(world.would(bank(), flow(51), revoke(revocation())), "rejected: FLOW_NOT_OPEN");
    world.say(bank(), flow(1), contract_body(contract()));
    assert_eq!(world.would(bank(), flow(1), revoke(revocation())), "rejected: FLOW_KIND");
    let future = ConsentRevoke { at: at(day(2025, 6, 17), 9, 0), ..revocation() };
    assert_eq!(world.would(bank(), flow(50), revoke(future)), "rejected: OCCURRED_IN_FUTURE");
}
