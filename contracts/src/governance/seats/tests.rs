use crate::{execute, fixtures::*};
use probata_types::{
    Height, InstitutionId,
    body::{AdmittedNode, Body, Change, Motion, Seat, SeatChange},
    epoch,
    object::MotionStatus,
    record::FlowId,
    state::{Changes, KeyHolder, KeyPurpose, StateKey, StateValue},
};

const MOTION: FlowId = FlowId([200; 16]);

/// What the chain with three more members says of a motion.
fn would(change: Change) -> String {
    World::with_newcomers().would_move(change)
}

fn changed_seat(change: impl FnOnce(&mut Seat)) -> String {
    let mut seat = seat(newcomers()[0]);
    change(&mut seat);
    would(one_seat(seat))
}

fn sorted(mut all: Vec<InstitutionId>) -> Vec<InstitutionId> {
    all.sort();
    all
}

/// Which of an institution's nodes vote.
fn voting(world: &World, who: InstitutionId) -> Vec<bool> {
    let directory = world.directory();
    directory.iter().filter(|it| it.institution == who).map(|it| it.votes).collect()
}

#[test]
fn four_become_five_become_seven_become_four() {
    let [a, b, c] = newcomers();
    let mut world = World::with_newcomers();
    world.must_enact(seats(&[a], &[]));
    assert_eq!(world.seated_now(), sorted([&seated()[..], &[a]].concat()));
    assert_eq!(world.epoch().set.quorum(), 4);
    world.must_enact(seats(&[b, c], &[]));
    assert_eq!(world.seated_now(), sorted([seated().to_vec(), vec![a, b, c]].concat()));
    world.must_enact(seats(&[], &[bank(), guarantor(), b]));
    assert_eq!(world.seated_now(), sorted(vec![provider(), other_bank(), a, c]));
    assert_eq!((world.epoch().number, world.epoch().first), (3, world.height));
    // Each epoch that ever was can be looked up by any of its heights.
    for number in 0..=3 {
        let epoch = epoch::numbered(&world.state, number).unwrap();
        assert_eq!(epoch::at(&world.state, epoch.first).unwrap(), epoch);
        if let Some(last) = epoch.first.previous().filter(|_| number > 0) {
            assert_eq!(epoch::at(&world.state, last).unwrap().number, number - 1);
        }
    }
}

#[test]
fn four_become_seven_at_once() {
    let mut world = World::with_newcomers();
    world.must_enact(seats(&newcomers(), &[]));
    assert_eq!((world.epoch().set.size(), world.epoch().set.faulty()), (7, 2));
}

#[test]
fn one_leaves_and_another_joins_in_one_motion() {
    let [a, ..] = newcomers();
    let mut world = World::with_newcomers();
    world.must_enact(seats(&[a], &[bank()]));
    assert_eq!(world.seated_now(), sorted(vec![guarantor(), provider(), other_bank(), a]));
    // Who left votes no more; who came does.
    let body = world.motion_body(Change::Suspend(court()));
    world.put_motion(MOTION, body);
    assert_eq!(world.vote(bank(), MOTION, true), "rejected: NOT_ELECTOR");
    assert_eq!(world.vote(a, MOTION, true), "accepted");
    // It comes back with the key that it had.
    world.must_enact(seats(&[bank()], &[]));
    let place = world.epoch().set.position_of(&voter(&bank()).public());
    assert_eq!(world.epoch().set.get(place.unwrap()).unwrap().institution, bank());
}

#[test]
fn a_validator_gets_another_key_in_its_seat() {
    let mut world = World::new();
    let newer = derived(&bank(), 10);
    world.must_enact(one_seat(Seat { key: proven(&bank(), &newer), ..seat(bank()) }));
    let set = world.epoch().set;
    assert_eq!((world.seated_now(), world.epoch().number), (sorted(seated().to_vec()), 1));
    assert!(set.position_of(&newer.public()).is_some());
    assert!(set.position_of(&voter(&bank()).public()).is_none());
    let holder = KeyHolder { institution: bank(), purpose: KeyPurpose::Vote };
    assert_eq!(world.state[&StateKey::Key(newer.public())], StateValue::Key(holder));
}

#[test]
fn who_is_admitted_can_be_seated() {
    let [a, ..] = newcomers();
    let mut world = World::new();
    assert_eq!(world.would_move(seats(&[a], &[])), "rejected: INSTITUTION_INACTIVE");
    let admitted = Height::new(40);
    let body = Motion { from: admitted, ..world.motion_body(admit_body(a)) };
    world.put_motion(MOTION, body);
    world.approve(MOTION);
    // Not before it is a member.
    let from = |height: Height| {
        let body = Motion { from: height, ..world.motion_body(seats(&[a], &[])) };
        world.would(bank(), flow(201), Body::Motion(Box::new(body)))
    };
    assert_eq!(from(admitted.previous().unwrap()), "rejected: INSTITUTION_INACTIVE");
    assert_eq!(from(admitted), "accepted");
}

#[test]
fn who_is_to_be_suspended_gets_no_seat() {
    let [a, ..] = newcomers();
    let mut world = World::with_newcomers();
    let later = world.height.saturating_add(100);
    let body = Motion { from: later, ..world.motion_body(Change::Suspend(a)) };
    world.put_motion(MOTION, body);
    world.approve(MOTION);
    // A seated one that could not vote on motions would weigh on every quorum, for ever.
    assert_eq!(world.would_move(seats(&[a], &[])), "rejected: INSTITUTION_INACTIVE");
}

#[test]
fn a_set_is_scheduled_and_begins_at_the_end_of_the_block_before_its_first_height() {
    let [a, ..] = newcomers();
    let mut world = World::with_newcomers();
    let first = world.height.saturating_add(10);
    let body = Motion { from: first, ..world.motion_body(seats(&[a], &[])) };
    world.put_motion(MOTION, body);
    assert!(matches!(world.approve(MOTION), MotionStatus::Approved { from, .. } if from == first));
    let scheduled = epoch::validators(&world.state).unwrap().scheduled.unwrap();
    assert_eq!((scheduled.motion, scheduled.epoch.first), (MOTION, first));
    assert_eq!((scheduled.epoch.number, scheduled.epoch.set.size()), (1, 5));
    // The old set goes on, and its electors vote on other things, up to the block before.
    while world.height.next() < first {
        let changes = execute(&world.proposal(Vec::new()), &world.state).unwrap().changes;
        assert!(changes.is_empty(), "{changes:?}");
        world.block(Vec::new());
        assert_eq!((world.epoch().number, voting(&world, a)), (0, vec![false]));
    }
    let changes = execute(&world.proposal(Vec::new()), &world.state).unwrap().changes;
    let keys: Vec<_> = changes.keys().cloned().collect();
    assert_eq!(keys, [StateKey::Validators, StateKey::Epoch(1), StateKey::Directory]);
    world.block(Vec::new());
    assert_eq!((world.height, world.epoch()), (first, scheduled.epoch));
    assert_eq!(epoch::validators(&world.state).unwrap().scheduled, None);
    assert_eq!(voting(&world, a), [true]);
    assert_eq!(epoch::numbered(&world.state, 0).unwrap().set.size(), 4);
}

#[test]
fn a_set_for_the_next_height_begins_with_the_block_that_approved_it() {
    let [a, ..] = newcomers();
    let mut world = World::with_newcomers();
    let body = world.motion_body(seats(&[a], &[]));
    world.put_motion(MOTION, body);
    let voters = [bank(), guarantor(), provider()];
    let ballots = voters.map(|who| {
        let body = Body::Ballot(Box::new(world.ballot(MOTION, true)));
        world.submission(who, vec![world.record(who, ballot_flow(MOTION, &who), body)])
    });
    // An admission in the same block is not lost from the directory.
    let execution = execute(&world.proposal(ballots.to_vec()), &world.state).unwrap();
    let next: Changes = world.state.clone().into_iter().chain(execution.changes).collect();
    let epoch = epoch::next(&next).unwrap();
    assert_eq!((epoch.number, epoch.first), (1, world.height.next()));
}

#[test]
fn the_directory_of_one_block_takes_a_new_member_and_a_new_seat() {
    let [a, ..] = newcomers();
    let late = institution(14);
    let mut world = World::with_newcomers();
    let motions = [(MOTION, seats(&[a], &[])), (flow(201), admit_body(late))];
    for (id, change) in &motions {
        let body = world.motion_body(change.clone());
        world.put_motion(*id, body);
        for who in [bank(), guarantor()] {
            assert_eq!(world.vote(who, *id, true), "accepted");
        }
    }
    let records = motions.map(|(id, _)| {
        let body = Body::Ballot(Box::new(world.ballot(id, true)));
        world.record(provider(), ballot_flow(id, &provider()), body)
    });
    let submission = world.submission(provider(), records.to_vec());
    world.block(vec![submission]);
    assert_eq!((voting(&world, a), voting(&world, late)), (vec![true], vec![false]));
    assert_eq!(world.epoch().number, 1);
}

#[test]
fn the_vote_moves_to_the_node_of_the_seat() {
    let who = institution(14);
    let second = derived(&who, 3);
    let mut admission = admission(who);
    let address = "/ip4/10.0.0.3/tcp/1".parse().unwrap();
    let node = AdmittedNode { node: proven(&who, &second), address };
    admission.nodes.push(node).unwrap();
    let mut world = World::new();
    world.must_enact(Change::Admit(Box::new(admission)));
    world.must_enact(seats(&[who], &[]));
    assert_eq!(voting(&world, who), [true, false]);
    let key = proven(&who, &derived(&who, 10));
    world.must_enact(one_seat(Seat { institution: who, key, node: second.public() }));
    assert_eq!(voting(&world, who), [false, true]);
    assert_eq!(voting(&world, bank()), [true]);
}

#[test]
fn one_change_at_a_time_is_scheduled() {
    let [a, b, _] = newcomers();
    let mut world = World::with_newcomers();
    let first = world.height.saturating_add(10);
    let body = Motion { from: first, ..world.motion_body(seats(&[a], &[])) };
    world.put_motion(MOTION, body);
    world.approve(MOTION);
    assert_eq!(world.would_move(seats(&[b], &[])), "rejected: SET_CHANGE_PENDING");
    world.wait_for(first.previous().unwrap());
    assert_eq!(world.would_move(seats(&[b], &[])), "rejected: SET_CHANGE_PENDING");
    world.wait_for(first);
    assert_eq!(world.would_move(seats(&[b], &[])), "accepted");
    // Other motions pass meanwhile.
    let mut world = World::with_newcomers();
    let body = Motion { from: Height::new(100), ..world.motion_body(seats(&[a], &[])) };
    world.put_motion(MOTION, body);
    world.approve(MOTION);
    world.must_enact(Change::Suspend(court()));
}

#[test]
fn a_change_names_each_once_and_changes_something() {
    let [a, ..] = newcomers();
    assert_eq!(would(seats(&[], &[])), "rejected: SET_INVALID");
    assert_eq!(would(seats(&[bank()], &[])), "rejected: SET_INVALID");
    assert_eq!(would(seats(&[a, a], &[])), "rejected: SET_INVALID");
    assert_eq!(would(seats(&[a], &[a])), "rejected: SET_INVALID");
    assert_eq!(would(seats(&[bank()], &[bank()])), "rejected: SET_INVALID");
    assert_eq!(would(seats(&[a], &[bank(), bank()])), "rejected: SET_INVALID");
    assert_eq!(would(seats(&[a], &[court()])), "rejected: SET_INVALID");
}

#[test]
fn four_are_the_fewest() {
    let [a, ..] = newcomers();
    assert_eq!(would(seats(&[], &[bank()])), "rejected: SET_TOO_SMALL");
    assert_eq!(would(seats(&[], &seated())), "rejected: SET_TOO_SMALL");
    assert_eq!(would(seats(&[a], &[bank()])), "accepted");
    assert_eq!(would(seats(&newcomers(), &seated())), "rejected: SET_TOO_SMALL");
}

#[test]
fn no_set_is_larger_than_its_bound() {
    // As many members as a set can hold, and one more.
    let mut world = World::new();
    let most = u8::try_from(probata_types::limits::VALIDATORS).unwrap();
    let all: Vec<InstitutionId> = (100..100 + most - 3).map(institution).collect();
    for who in &all {
        let mut state = world.institution_state(court());
        state.keys.as_mut_slice()[0].key = keypair(who).public();
        world.state.insert(StateKey::Institution(*who), StateValue::Institution(state));
        let mut profile = admission(*who).profile;
        profile.group = text(who.as_str());
        world.state.insert(StateKey::Profile(*who), StateValue::Profile(Box::new(profile)));
        let mut directory = world.directory().to_vec();
        let address = admission(*who).nodes[0].address;
        let node = node(who).public();
        directory.push(probata_types::directory::NodeEntry {
            institution: *who,
            node,
            address,
            votes: false,
        });
        world.state.insert(StateKey::Directory, StateValue::Directory(Box::new(list(directory))));
    }
    for some in all[..all.len() - 1].chunks(16) {
        world.must_enact(seats(some, &[]));
    }
    assert_eq!(world.epoch().set.size(), probata_types::limits::VALIDATORS);
    assert_eq!(world.would_move(seats(&all[all.len() - 1..], &[])), "rejected: SET_INVALID");
}

#[test]
fn a_seat_has_a_node_of_its_own_institution() {
    assert_eq!(changed_seat(|_| ()), "accepted");
    let other = node(&newcomers()[1]).public();
    assert_eq!(changed_seat(|seat| seat.node = other), "rejected: SET_INVALID");
    let nobody = derived(&newcomers()[0], 10).public();
    assert_eq!(changed_seat(|seat| seat.node = nobody), "rejected: SET_INVALID");
}

#[test]
fn a_seat_has_a_key_that_its_holder_proved_and_that_serves_nothing_else() {
    let who = newcomers()[0];
    let foreign = proven(&newcomers()[1], &voter(&who));
    assert_eq!(changed_seat(|seat| seat.key = foreign), "rejected: KEY_PROOF");
    assert_eq!(changed_seat(|seat| seat.key.proof = unsigned()), "rejected: KEY_PROOF");
    let used = [keypair(&who), node(&who), keypair(&court()), node(&court()), voter(&bank())];
    for pair in used {
        let key = proven(&who, &pair);
        assert_eq!(changed_seat(|seat| seat.key = key), "rejected: KEY_KNOWN");
    }
    // Two seats with one key, that nobody used before.
    let shared = derived(&who, 10);
    let seats = newcomers().map(|who| Seat { key: proven(&who, &shared), ..seat(who) });
    let change = SeatChange { seats: list(seats.to_vec()), leave: list(Vec::new()) };
    assert_eq!(would(Change::Validators(Box::new(change))), "rejected: SET_INVALID");
}

#[test]
fn a_key_that_voted_for_one_does_not_vote_for_another() {
    let [a, ..] = newcomers();
    let mut world = World::with_newcomers();
    world.must_enact(seats(&[a], &[bank()]));
    let key = proven(&newcomers()[1], &voter(&bank()));
    let change = one_seat(Seat { key, ..seat(newcomers()[1]) });
    assert_eq!(world.would_move(change), "rejected: KEY_KNOWN");
    let change = seats(&[bank()], &[]);
    assert_eq!(world.would_move(change), "accepted");
}

#[test]
fn no_group_has_more_seats_than_may_lie() {
    let [a, b, c] = newcomers();
    let group = |world: &mut World, who: InstitutionId, group: &str| {
        let profile = match world.state.get_mut(&StateKey::Profile(who)) {
            Some(StateValue::Profile(profile)) => profile,
            other => panic!("{other:?} is not a profile"),
        };
        profile.group = text(group);
    };
    let mut world = World::with_newcomers();
    for who in [bank(), a, b] {
        group(&mut world, who, "holding");
    }
    // Of five and six one may lie, of seven two.
    assert_eq!(world.would_move(seats(&[a], &[])), "rejected: GROUP_SEATS");
    assert_eq!(world.would_move(seats(&[a, c], &[])), "rejected: GROUP_SEATS");
    assert_eq!(world.would_move(seats(&[a, b, c], &[])), "rejected: GROUP_SEATS");
    assert_eq!(world.would_move(seats(&[a], &[bank()])), "accepted");
    group(&mut world, b, "another");
    assert_eq!(world.would_move(seats(&[a, b, c], &[])), "accepted");
    // Nor when others leave.
    world.must_enact(seats(&[a, b, c], &[]));
    let leave = |who: &[InstitutionId]| world.would_move(seats(&[], who));
    assert_eq!(leave(&[guarantor()]), "rejected: GROUP_SEATS");
    assert_eq!(leave(&[guarantor(), a]), "accepted");
}
