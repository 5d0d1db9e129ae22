use crate::{fixtures::*, limits::HEIGHTS_AHEAD};
use probata_types::{
    Height, Keypair, PublicKey,
    body::{Body, Change, KeyChange, Motion, ProvenKey, Revocation},
    limits,
    record::FlowId,
    state::{KeyHolder, KeyPurpose, KeyState, StateKey, StateValue},
};

const MOTION: FlowId = FlowId([200; 16]);

fn newer() -> Keypair {
    derived(&bank(), 10)
}

fn add(pair: &Keypair) -> Option<ProvenKey> {
    Some(proven(&bank(), pair))
}

fn revoke(pair: &Keypair, overlap: u64) -> Option<Revocation> {
    Some(Revocation { key: pair.public(), overlap })
}

fn change(add: Option<ProvenKey>, revoke: Option<Revocation>) -> Change {
    key_change(KeyChange { institution: bank(), add, revoke })
}

/// A chain on which the change is approved from this height on.
fn changed(from: u64, change: Change) -> World {
    let mut world = World::new();
    let body = Motion { from: Height::new(from), ..world.motion_body(change) };
    world.put_motion(MOTION, body);
    assert!(matches!(world.approve(MOTION), probata_types::object::MotionStatus::Approved { .. }));
    world
}

/// Whether the bank may sign with a key at a height.
fn signs(world: &World, pair: &Keypair, height: u64) -> bool {
    let mut world = world.clone();
    world.wait_for(Height::new(height));
    let record = world.record(bank(), flow(1), contract_body(contract()));
    let submission = world.submission_by(bank(), pair, vec![record]);
    match verdict(&world.block(vec![submission])[0].outcome).as_str() {
        "accepted" => true,
        "rejected: KEY_NOT_VALID" => false,
        other => panic!("{other}"),
    }
}

fn state_of(world: &World, key: PublicKey) -> KeyState {
    let state = world.institution_state(bank());
    state.keys.iter().find(|it| it.key == key).unwrap().clone()
}

#[test]
fn a_key_is_added() {
    let world = changed(20, change(add(&newer()), None));
    let expected =
        KeyState { key: newer().public(), valid_from: Height::new(20), revoked_at: None };
    assert_eq!(state_of(&world, newer().public()), expected);
    assert!(!signs(&world, &newer(), 19) && signs(&world, &newer(), 20));
    assert!(signs(&world, &keypair(&bank()), 19) && signs(&world, &keypair(&bank()), 20));
    let holder = KeyHolder { institution: bank(), purpose: KeyPurpose::Submission };
    assert_eq!(world.state[&StateKey::Key(newer().public())], StateValue::Key(holder));
}

#[test]
fn a_key_is_replaced_with_an_overlap_or_without() {
    let old = keypair(&bank());
    let world = changed(20, change(add(&newer()), revoke(&old, 5)));
    assert!(signs(&world, &old, 19) && !signs(&world, &newer(), 19));
    assert!(signs(&world, &old, 20) && signs(&world, &newer(), 20));
    assert!(signs(&world, &old, 24) && signs(&world, &newer(), 24));
    assert!(!signs(&world, &old, 25) && signs(&world, &newer(), 25));
    let world = changed(20, change(add(&newer()), revoke(&old, 0)));
    assert!(signs(&world, &old, 19) && !signs(&world, &newer(), 19));
    assert!(!signs(&world, &old, 20) && signs(&world, &newer(), 20));
}

#[test]
fn a_key_is_revoked_if_another_one_stays() {
    let old = keypair(&bank());
    let mut world = changed(10, change(add(&newer()), None));
    world.wait_for(Height::new(10));
    world.must_enact(change(None, revoke(&old, 3)));
    let at = world.height.get() + 3;
    assert_eq!(state_of(&world, old.public()).revoked_at, Some(Height::new(at)));
    assert!(signs(&world, &old, at - 1) && !signs(&world, &old, at));
    assert!(signs(&world, &newer(), at));
}

#[test]
fn an_institution_is_never_without_a_key() {
    let old = keypair(&bank());
    let world = World::new();
    assert_eq!(world.would_move(change(None, revoke(&old, 0))), "rejected: LAST_KEY");
    assert_eq!(world.would_move(change(None, revoke(&old, 100))), "rejected: LAST_KEY");
    // The newer one is not good before 40.
    let world = changed(40, change(add(&newer()), None));
    assert_eq!(world.would_move(change(None, revoke(&old, 0))), "rejected: LAST_KEY");
    let ahead = 40 - world.height.next().get();
    assert_eq!(world.would_move(change(None, revoke(&old, ahead - 1))), "rejected: LAST_KEY");
    assert_eq!(world.would_move(change(None, revoke(&old, ahead))), "accepted");
    // Nor is one good for ever that is revoked, however late.
    let mut world = changed(10, change(add(&newer()), None));
    world.must_enact(change(None, revoke(&newer(), HEIGHTS_AHEAD)));
    assert_eq!(world.would_move(change(None, revoke(&old, 0))), "rejected: LAST_KEY");
}

#[test]
fn a_revocation_is_brought_forward_and_not_put_off() {
    let old = keypair(&bank());
    let mut world = changed(20, change(add(&newer()), revoke(&old, HEIGHTS_AHEAD)));
    let last = Height::new(20 + HEIGHTS_AHEAD);
    assert_eq!(state_of(&world, old.public()).revoked_at, Some(last));
    // The next block is 5: revoked from 6 on, and the newer one is good from 20.
    assert_eq!(world.would_move(change(None, revoke(&old, HEIGHTS_AHEAD))), "accepted");
    world.wait_for(Height::new(19));
    assert_eq!(
        world.would_move(change(None, revoke(&old, HEIGHTS_AHEAD))),
        "rejected: KEY_UNKNOWN"
    );
    world.must_enact(change(None, revoke(&old, 0)));
    assert_eq!(state_of(&world, old.public()).revoked_at, Some(world.height));
    assert!(!signs(&world, &old, world.height.get()));
    let again = Body::Motion(Box::new(world.motion_body(change(None, revoke(&old, 0)))));
    assert_eq!(world.would(court(), flow(201), again), "rejected: KEY_UNKNOWN");
}

#[test]
fn a_key_that_is_revoked_before_its_time_is_never_good() {
    let mut world = changed(40, change(add(&newer()), None));
    world.must_enact(change(None, revoke(&newer(), 0)));
    let state = state_of(&world, newer().public());
    assert_eq!((state.valid_from, state.revoked_at), (Height::new(40), Some(Height::new(40))));
    assert!(!signs(&world, &newer(), 39) && !signs(&world, &newer(), 40));
}

#[test]
fn a_change_of_keys_makes_sense() {
    let world = World::new();
    assert_eq!(world.would_move(change(None, None)), "rejected: VALUE");
    assert_eq!(world.would_move(change(None, revoke(&newer(), 0))), "rejected: KEY_UNKNOWN");
    let of_another = revoke(&keypair(&guarantor()), 0);
    assert_eq!(world.would_move(change(None, of_another)), "rejected: KEY_UNKNOWN");
    let with =
        |overlap| world.would_move(change(add(&newer()), revoke(&keypair(&bank()), overlap)));
    assert_eq!(with(HEIGHTS_AHEAD), "accepted");
    assert_eq!(with(HEIGHTS_AHEAD + 1), "rejected: VALUE");
    assert_eq!(with(u64::MAX), "rejected: VALUE");
    let stranger = newcomers()[0];
    let add = Some(proven(&stranger, &newer()));
    let change = KeyChange { institution: stranger, add, revoke: None };
    assert_eq!(world.would_move(key_change(change)), "rejected: INSTITUTION_INACTIVE");
}

#[test]
fn a_suspended_institution_gets_no_key() {
    let mut world = World::new();
    world.must_enact(Change::Suspend(court()));
    let add = Some(proven(&court(), &newer()));
    let change = KeyChange { institution: court(), add, revoke: None };
    assert_eq!(world.would_move(key_change(change)), "rejected: INSTITUTION_INACTIVE");
}

#[test]
fn a_new_key_is_proven_and_was_never_used() {
    let mut world = World::new();
    let by_another = Some(proven(&guarantor(), &newer()));
    assert_eq!(world.would_move(change(by_another, None)), "rejected: KEY_PROOF");
    let unproven = Some(ProvenKey { key: newer().public(), proof: unsigned() });
    assert_eq!(world.would_move(change(unproven, None)), "rejected: KEY_PROOF");
    for pair in [keypair(&bank()), voter(&bank()), node(&bank()), keypair(&court())] {
        assert_eq!(world.would_move(change(add(&pair), None)), "rejected: KEY_KNOWN");
    }
    // One that was revoked does not come back.
    world.must_enact(change(add(&newer()), revoke(&keypair(&bank()), 0)));
    let record = |world: &World| {
        Body::Motion(Box::new(world.motion_body(change(add(&keypair(&bank())), None))))
    };
    assert_eq!(world.would(court(), flow(201), record(&world)), "rejected: KEY_KNOWN");
}

#[test]
fn two_motions_do_not_add_one_key_to_two_institutions() {
    let mut world = World::new();
    for (id, who) in [(MOTION, bank()), (flow(201), guarantor())] {
        let add = Some(proven(&who, &newer()));
        let body = world.motion_body(key_change(KeyChange { institution: who, add, revoke: None }));
        world.put_motion(id, body);
    }
    world.approve(MOTION);
    assert_eq!(refusal(world.approve(flow(201))), "KEY_KNOWN");
}

#[test]
fn an_institution_has_room_for_so_many_keys() {
    let mut world = World::new();
    let mut state = world.institution_state(bank());
    let old = |number: u8| KeyState {
        key: PublicKey([number; 32]),
        valid_from: Height::ZERO,
        revoked_at: Some(Height::new(1)),
    };
    for number in 1..u8::try_from(limits::KEYS_PER_INSTITUTION).unwrap() {
        let room = world.would_move(change(add(&newer()), None));
        assert_eq!(room, "accepted", "with {number} keys");
        state.keys.push(old(number)).unwrap();
        let value = StateValue::Institution(state.clone());
        world.state.insert(StateKey::Institution(bank()), value);
    }
    assert_eq!(world.would_move(change(add(&newer()), None)), "rejected: KEY_KNOWN");
}
