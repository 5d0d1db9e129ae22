//! Whatever is moved and approved, in whatever order: the consortium can go on.

use crate::fixtures::*;
use probata_types::{
    Height, InstitutionId, Keypair, ValidatorIndex,
    body::{Ballot, Body, Change, KeyChange, Motion, Revocation, SeatChange},
    directory::voting_node,
    epoch,
    object::MotionStatus,
    record::FlowId,
    state::{StateKey, StateValue},
};
use proptest::prelude::*;

/// What somebody moves, about institutions by their numbers in [`everybody`].
#[derive(Debug, Clone)]
enum Wish {
    Seats { join: Vec<usize>, leave: Vec<usize> },
    Admit(usize),
    Suspend(usize),
    Keys { whose: usize, add: Option<u8>, revoke: Option<(u8, u64)> },
}

/// Members and newcomers.
fn everybody() -> Vec<InstitutionId> {
    [&seated()[..], &[court()], &newcomers()].concat()
}

/// The keys that an institution may come to sign with; number 9 is its first.
fn pair(who: &InstitutionId, number: u8) -> Keypair {
    if number == 9 { keypair(who) } else { derived(who, number) }
}

fn wish() -> impl Strategy<Value = Wish> {
    let some = || prop::collection::vec(0usize..8, 0..4);
    let key = || 9u8..13;
    prop_oneof![
        4 => (some(), some()).prop_map(|(join, leave)| Wish::Seats { join, leave }),
        2 => (5usize..8).prop_map(Wish::Admit),
        1 => (0usize..8).prop_map(Wish::Suspend),
        3 => (0usize..8, prop::option::of(key()), prop::option::of((key(), 0u64..40)))
            .prop_map(|(whose, add, revoke)| Wish::Keys { whose, add, revoke }),
    ]
}

fn change(wish: &Wish) -> Change {
    let all = everybody();
    let named = |some: &[usize]| some.iter().map(|at| all[*at]).collect::<Vec<_>>();
    match wish {
        Wish::Seats { join, leave } => Change::Validators(Box::new(SeatChange {
            seats: list(named(join).into_iter().map(seat).collect()),
            leave: list(named(leave)),
        })),
        Wish::Admit(who) => admit_body(all[*who]),
        Wish::Suspend(who) => Change::Suspend(all[*who]),
        Wish::Keys { whose, add, revoke } => {
            let who = all[*whose];
            key_change(KeyChange {
                institution: who,
                add: add.map(|number| proven(&who, &pair(&who, number))),
                revoke: revoke.map(|(number, overlap)| Revocation {
                    key: pair(&who, number).public(),
                    overlap,
                }),
            })
        }
    }
}

/// The next block of one record of an institution that has a seat, signed with a key that it has.
fn speak(world: &mut World, who: InstitutionId, flow: FlowId, body: Body) -> String {
    let state = world.institution_state(who);
    let valid = |pair: &Keypair| state.key_is_valid(&pair.public(), world.height);
    let signer = (9..13).map(|number| pair(&who, number)).find(valid).expect("it has a key");
    let record = world.record(who, flow, body);
    let submission = world.submission_by(who, &signer, vec![record]);
    verdict(&world.block(vec![submission])[0].outcome)
}

/// Moves, and has every elector approve. Answers with what became of it, `None` if it was no motion.
fn move_and_approve(world: &mut World, wish: &Wish, ahead: u64) -> Option<MotionStatus> {
    let id = FlowId([u8::try_from(world.height.get() % 251).unwrap(); 16]);
    let from = world.height.saturating_add(ahead);
    let body = Motion { from, ..world.motion_body(change(wish)) };
    let electors = world.seated_now();
    let moved = speak(world, electors[0], id, Body::Motion(Box::new(body)));
    if moved != "accepted" {
        return None;
    }
    for who in electors {
        let motion = world.motion(id);
        // Meanwhile the epoch may have changed: then it has lapsed.
        if motion.status != MotionStatus::Open || motion.epoch != world.epoch().number {
            break;
        }
        let places = (0u16..).map(ValidatorIndex).take(motion.seen.len()).collect();
        let ballot = Ballot { motion: id, approve: true, seen: list(places) };
        let flow = ballot_flow(id, &who);
        assert_eq!(speak(world, who, flow, Body::Ballot(Box::new(ballot))), "accepted");
    }
    Some(world.motion(id).status)
}

/// Heights for which it is seen that keys overlap: more than any wish looks ahead.
const HORIZON: u64 = 100;

fn assert_it_can_go_on(world: &World) {
    let stand = epoch::validators(&world.state).unwrap();
    let scheduled = stand.scheduled.map(|it| it.epoch);
    if let Some(next) = &scheduled {
        assert!(next.first > world.height, "an epoch was missed");
    }
    let current = world.epoch();
    for epoch in [Some(&current), scheduled.as_ref()].into_iter().flatten() {
        for (_, validator) in epoch.set.iter() {
            let state = world.institution_state(validator.institution);
            assert_eq!(state.suspended_at, None, "a validator's institution votes on motions");
            assert!(state.admitted_at <= epoch.first);
        }
    }
    let directory = world.directory();
    for who in world.seated_now() {
        let voting = directory.iter().filter(|it| it.institution == who && it.votes).count();
        assert_eq!(voting, 1);
        assert_eq!(voting_node(&directory, &who).unwrap().node, node(&who).public());
    }
    for who in everybody() {
        let key = StateKey::Institution(who);
        let Some(StateValue::Institution(state)) = world.state.get(&key) else { continue };
        let from = world.height.max(state.admitted_at).get();
        for height in (from..from + HORIZON).map(Height::new) {
            let can = state.keys.iter().any(|key| key.is_valid(height));
            assert!(can || !state.is_active(height), "{who} has no key at {height}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_approved_the_consortium_can_go_on(
        wishes in prop::collection::vec((wish(), 0u64..30, 0u64..12), 1..16),
    ) {
        let mut world = World::new();
        for (wish, ahead, pause) in wishes {
            let status = move_and_approve(&mut world, &wish, ahead);
            if let (Wish::Seats { .. }, Some(MotionStatus::Approved { from, .. })) = (&wish, status) {
                let begins = world.epoch().first == from;
                let waits = epoch::validators(&world.state).unwrap().scheduled;
                prop_assert!(begins || waits.is_some_and(|it| it.epoch.first == from));
            }
            assert_it_can_go_on(&world);
            for _ in 0..pause {
                world.block(Vec::new());
                assert_it_can_go_on(&world);
            }
        }
    }
}

/// The wishes above reach what they are to try.
#[test]
fn wishes_come_true() {
    let mut world = World::new();
    let steps = [
        Wish::Admit(5),
        Wish::Admit(6),
        Wish::Keys { whose: 0, add: Some(10), revoke: Some((9, 20)) },
        Wish::Seats { join: vec![5, 6], leave: vec![1] },
        Wish::Suspend(1),
        Wish::Keys { whose: 0, add: None, revoke: Some((9, 0)) },
    ];
    for wish in &steps {
        let status = move_and_approve(&mut world, wish, 0);
        assert!(matches!(status, Some(MotionStatus::Approved { .. })), "{wish:?}: {status:?}");
        assert_it_can_go_on(&world);
    }
    assert_eq!(world.epoch().set.size(), 5);
}
