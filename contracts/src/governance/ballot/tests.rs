use crate::fixtures::*;
use probata_types::{
    Height, Timestamp, ValidatorIndex,
    body::{Ballot, Body, Change, Motion},
    object::{MotionStatus, Object},
    record::FlowId,
};

const MOTION: FlowId = FlowId([200; 16]);

/// A chain with a motion to admit an institution.
fn moved() -> World {
    let mut world = World::new();
    let body = world.motion_body(admit_body(newcomers()[0]));
    world.put_motion(MOTION, body);
    world
}

/// A chain with a motion that three institutions get seats.
fn moved_seats() -> World {
    let mut world = World::with_newcomers();
    let body = world.motion_body(seats(&newcomers(), &[]));
    world.put_motion(MOTION, body);
    world
}

fn says(world: &World, ballot: Ballot) -> String {
    world.clone().cast(bank(), ballot)
}

fn seeing(places: &[u16]) -> Ballot {
    let seen = places.iter().map(|place| ValidatorIndex(*place)).collect();
    Ballot { motion: MOTION, approve: true, seen: list(seen) }
}

#[test]
fn a_quorum_approves() {
    let mut world = moved();
    let before = world.flow_state(MOTION).unwrap();
    for who in [bank(), guarantor()] {
        assert_eq!(world.vote(who, MOTION, true), "accepted");
        assert_eq!(world.motion(MOTION).status, MotionStatus::Open);
    }
    assert!(!world.state.contains_key(&state_of(newcomers()[0])));
    assert_eq!(world.vote(provider(), MOTION, true), "accepted");
    let by = world.flow_state(ballot_flow(MOTION, &provider())).unwrap().submitters[0].last;
    let motion = world.motion(MOTION);
    let approved = MotionStatus::Approved { from: world.height, by };
    assert_eq!((motion.status, motion.status.label()), (approved, ("已通过", "approved")));
    assert_eq!((motion.count(true), motion.count(false)), (3, 0));
    assert_eq!(world.institution_state(newcomers()[0]).admitted_at, world.height);
    // Ballots are no records of the motion's flow.
    let after = world.flow_state(MOTION).unwrap();
    assert_eq!((after.count, after.head), (before.count, before.head));
    assert_eq!(after.submitters, before.submitters);
    let Object::Ballot(ballot) = world.flow_state(ballot_flow(MOTION, &bank())).unwrap().object
    else {
        panic!("a ballot");
    };
    assert_eq!(*ballot, Ballot { motion: MOTION, approve: true, seen: list(Vec::new()) });
}

fn state_of(who: probata_types::InstitutionId) -> probata_types::state::StateKey {
    probata_types::state::StateKey::Institution(who)
}

#[test]
fn it_is_voted_down_once_no_quorum_can_approve() {
    let mut world = moved();
    assert_eq!(world.vote(bank(), MOTION, false), "accepted");
    assert_eq!(world.vote(provider(), MOTION, true), "accepted");
    assert_eq!(world.motion(MOTION).status, MotionStatus::Open);
    assert_eq!(world.vote(guarantor(), MOTION, false), "accepted");
    let status = world.motion(MOTION).status;
    assert_eq!((refusal(status), status.label().1), ("VOTED_DOWN", "refused"));
    assert_eq!(world.vote(other_bank(), MOTION, true), "rejected: MOTION_CLOSED");
}

#[test]
fn nobody_votes_on_what_is_decided() {
    let mut world = moved();
    world.approve(MOTION);
    assert_eq!(world.vote(other_bank(), MOTION, true), "rejected: MOTION_CLOSED");
    assert_eq!(world.vote(other_bank(), MOTION, false), "rejected: MOTION_CLOSED");
}

#[test]
fn every_elector_votes_once() {
    let mut world = moved();
    assert_eq!(world.vote(bank(), MOTION, true), "accepted");
    for approve in [true, false] {
        let again = Body::Ballot(Box::new(world.ballot(MOTION, approve)));
        assert_eq!(world.would(bank(), flow(1), again), "rejected: BALLOT_TWICE");
    }
    assert_eq!(world.motion(MOTION).count(true), 1);
    // Nor twice in one block, in one submission or in two.
    let mut world = moved();
    let body =
        || Body::Ballot(Box::new(Ballot { motion: MOTION, approve: true, seen: list(vec![]) }));
    let [one, two, three] = [1, 2, 3].map(|at| world.record(bank(), flow(at), body()));
    let submissions =
        vec![world.submission(bank(), vec![one, two]), world.submission(bank(), vec![three])];
    let outcomes = world.block(submissions);
    let verdicts: Vec<String> = outcomes.iter().map(|leaf| verdict(&leaf.outcome)).collect();
    assert_eq!(verdicts, ["accepted", "rejected: BALLOT_TWICE", "rejected: BALLOT_TWICE"]);
    assert_eq!(world.motion(MOTION).count(true), 1);
}

#[test]
fn a_quorum_of_one_block_approves_with_its_last_ballot() {
    let mut world = moved();
    let ballots = seated().map(|who| {
        let body = Body::Ballot(Box::new(world.ballot(MOTION, true)));
        world.submission(who, vec![world.record(who, ballot_flow(MOTION, &who), body)])
    });
    let outcomes = world.block(ballots.to_vec());
    let verdicts: Vec<String> = outcomes.iter().map(|leaf| verdict(&leaf.outcome)).collect();
    assert_eq!(verdicts, ["accepted", "accepted", "accepted", "rejected: MOTION_CLOSED"]);
    let by = outcomes[2].record;
    assert_eq!(world.motion(MOTION).status, MotionStatus::Approved { from: world.height, by });
}

#[test]
fn only_institutions_of_validators_vote() {
    let mut world = moved();
    assert_eq!(world.vote(court(), MOTION, true), "rejected: NOT_ELECTOR");
    assert_eq!(world.motion(MOTION).count(true), 0);
}

#[test]
fn a_ballot_opens_its_flow_and_names_a_motion() {
    let mut world = moved();
    let ballot = |motion| Body::Ballot(Box::new(Ballot { motion, ..seeing(&[]) }));
    assert_eq!(world.would(bank(), MOTION, ballot(MOTION)), "rejected: FLOW_OPENED");
    assert_eq!(world.would(bank(), flow(1), ballot(flow(99))), "rejected: REFERENCE");
    assert_eq!(world.would(bank(), flow(1), ballot(flow(1))), "rejected: REFERENCE");
    world.say(bank(), flow(1), contract_body(contract()));
    assert_eq!(world.would(bank(), flow(2), ballot(flow(1))), "rejected: REFERENCE");
    assert_eq!(world.would(bank(), flow(1), ballot(MOTION)), "rejected: FLOW_OPENED");
}

#[test]
fn ballots_count_until_the_motion_closes() {
    let mut world = World::new();
    let body = world.motion_body(admit_body(newcomers()[0]));
    let closes_at = Timestamp::new(world.time.get() + 2 * MINUTE);
    world.put_motion(MOTION, Motion { closes_at, ..body });
    world.block(Vec::new());
    assert_eq!(world.time, closes_at);
    assert_eq!(world.vote(bank(), MOTION, true), "accepted");
    assert_eq!(world.vote(guarantor(), MOTION, true), "rejected: MOTION_CLOSED");
}

#[test]
fn a_motion_lapses_with_the_epoch_of_its_electors() {
    let mut world = World::with_newcomers();
    let body = world.motion_body(Change::Suspend(court()));
    world.put_motion(MOTION, body);
    assert_eq!(world.vote(bank(), MOTION, true), "accepted");
    world.must_enact(seats(&[newcomers()[0]], &[]));
    assert_eq!(world.epoch().number, 1);
    for who in [guarantor(), newcomers()[0]] {
        assert_eq!(world.vote(who, MOTION, true), "rejected: MOTION_CLOSED");
    }
    assert_eq!(world.motion(MOTION).status, MotionStatus::Open);
}

#[test]
fn what_is_seen_is_in_the_new_set_and_each_once() {
    let world = moved_seats();
    assert_eq!(says(&world, seeing(&[])), "accepted");
    assert_eq!(says(&world, seeing(&[0, 1, 2, 3, 4, 5, 6])), "accepted");
    assert_eq!(says(&world, seeing(&[6])), "accepted");
    assert_eq!(says(&world, seeing(&[7])), "rejected: VALUE");
    assert_eq!(says(&world, seeing(&[1, 0])), "rejected: VALUE");
    assert_eq!(says(&world, seeing(&[1, 1])), "rejected: VALUE");
    // Other motions make no set.
    assert_eq!(says(&moved(), seeing(&[0])), "rejected: VALUE");
}

#[test]
fn a_set_of_which_too_few_are_seen_does_not_come_into_force() {
    // Of seven a quorum is five; two of the four voters must see each, since one may lie.
    let status = |sights: [&[u16]; 3]| {
        let mut world = moved_seats();
        for (who, places) in [bank(), guarantor(), provider()].into_iter().zip(sights) {
            assert_eq!(world.cast(who, seeing(places)), "accepted");
        }
        world.motion(MOTION).status
    };
    let passed = |status| matches!(status, MotionStatus::Approved { .. });
    let (all, five) = (&[0, 1, 2, 3, 4, 5, 6][..], &[0, 2, 3, 5, 6][..]);
    assert!(passed(status([all, all, all])));
    assert!(passed(status([five, five, &[]])));
    assert!(passed(status([five, all, five])));
    assert_eq!(refusal(status([five, &[0, 2, 3, 5], &[0, 2, 3, 5]])), "LIVE_QUORUM");
    // One that sees everybody, and one that sees nobody, may both lie.
    assert_eq!(refusal(status([all, &[], &[]])), "LIVE_QUORUM");
    assert!(passed(status([&[], five, five])));
}

#[test]
fn who_refuses_may_see_too() {
    let mut world = moved_seats();
    let no = Ballot { approve: false, ..seeing(&[0, 1, 2, 3, 4, 5, 6]) };
    assert_eq!(world.cast(other_bank(), no), "accepted");
    for (who, places) in [(bank(), &[0, 1, 2, 3, 4][..]), (guarantor(), &[]), (provider(), &[])] {
        assert_eq!(world.cast(who, seeing(places)), "accepted");
    }
    assert!(matches!(world.motion(MOTION).status, MotionStatus::Approved { .. }));
}

#[test]
fn a_refused_change_changes_nothing() {
    let mut world = moved_seats();
    let before = (world.epoch(), world.directory());
    for who in [bank(), guarantor(), provider()] {
        assert_eq!(world.cast(who, seeing(&[])), "accepted");
    }
    assert_eq!(refusal(world.motion(MOTION).status), "LIVE_QUORUM");
    world.block(Vec::new());
    assert_eq!((world.epoch(), world.directory()), before);
    // Another motion for the same may pass later.
    world.must_enact(seats(&newcomers(), &[]));
}

#[test]
fn what_became_impossible_since_is_refused() {
    // Two motions for one thing: the first one does it.
    let twice = |change: Change| {
        let mut world = World::with_newcomers();
        for id in [MOTION, flow(201)] {
            let body = world.motion_body(change.clone());
            let from = world.height.saturating_add(50);
            world.put_motion(id, Motion { from, ..body });
        }
        assert!(matches!(world.approve(MOTION), MotionStatus::Approved { .. }));
        refusal(world.approve(flow(201)))
    };
    assert_eq!(twice(seats(&[newcomers()[0]], &[])), "SET_CHANGE_PENDING");
    assert_eq!(twice(admit_body(institution(14))), "INSTITUTION_KNOWN");
    assert_eq!(twice(Change::Suspend(court())), "INSTITUTION_INACTIVE");
}

#[test]
fn a_change_comes_at_its_height_or_at_once_if_that_is_over() {
    let from = |ahead: u64| {
        let mut world = World::new();
        let body = world.motion_body(admit_body(newcomers()[0]));
        let from = world.height.saturating_add(ahead);
        world.put_motion(MOTION, Motion { from, ..body });
        let MotionStatus::Approved { from, .. } = world.approve(MOTION) else {
            panic!("it passes")
        };
        assert_eq!(world.institution_state(newcomers()[0]).admitted_at, from);
        (from, world.height)
    };
    // Moved at height 1, decided at 4.
    assert_eq!(from(0), (Height::new(5), Height::new(5)));
    assert_eq!(from(3), (Height::new(5), Height::new(5)));
    assert_eq!(from(4), (Height::new(5), Height::new(5)));
    assert_eq!(from(5), (Height::new(6), Height::new(5)));
}
