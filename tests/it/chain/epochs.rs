//! P24 with real chains: validator sets that grow, shrink and change their keys while records are sealed.

use super::{MINUTE, SECOND, pending, sealed};
use probata_node::handle::Admission;
use probata_tests::{
    Trouble,
    cluster::{Client, Cluster},
    consortium::{self, Purpose},
    governance::{Chamber, later},
};
use probata_types::{
    FlowId, Height, Outcome, SealedBlock, Submission, View,
    body::{Ballot, Change},
    catalogue::failure,
    object::{MotionStatus, Object},
    outcome::Code,
    state::{StateKey, StateValue},
};

/// Seals a submission, whatever becomes of its record.
fn put(cluster: &mut Cluster, at: usize, submission: &Submission) -> Result<(), Trouble> {
    pending(cluster.submit(at, submission)?);
    sealed(cluster, submission)
}

fn chamber(cluster: &Cluster) -> Chamber {
    Chamber::fixed(cluster.genesis(), cluster.now().wall)
}

/// Moves a change for the height after next, and lets these institutions vote for it.
pub(super) fn decide(
    cluster: &mut Cluster,
    change: impl FnOnce(&Chamber) -> Change,
    voters: impl IntoIterator<Item = u16>,
    seen: &[u16],
) -> Result<FlowId, Trouble> {
    let from = cluster.status(0).height.next();
    let mut chamber = chamber(cluster);
    let (motion, submission) = chamber.motion(0, change(&chamber), from);
    put(cluster, 0, &submission)?;
    for voter in voters {
        chamber.now = cluster.now().wall;
        let ballot = chamber.ballot(voter, motion, true, seen.iter().copied());
        put(cluster, usize::from(voter) % cluster.validators(), &ballot)?;
    }
    Ok(motion)
}

fn status(cluster: &Cluster, motion: FlowId) -> MotionStatus {
    let running = cluster.running().next().expect("somebody runs");
    let (value, _) =
        cluster.reader(running).state(&StateKey::Flow(motion)).expect("memory can be read");
    match value {
        Some(StateValue::Flow(flow)) => match flow.object {
            Object::Motion(motion) => motion.status,
            other => panic!("not a motion: {other:?}"),
        },
        other => panic!("no flow: {other:?}"),
    }
}

fn refused(code: Code) -> MotionStatus {
    MotionStatus::Refused { code }
}

pub(super) fn seal_some(cluster: &mut Cluster, count: usize) -> Result<(), Trouble> {
    for _ in 0..count {
        let submission = Client::of(0)?.submission(cluster)?;
        put(cluster, 0, &submission)?;
    }
    Ok(())
}

fn voter(number: u16) -> (u16, probata_types::Keypair) {
    (number, consortium::pair(number, Purpose::Validator))
}

#[test]
fn p24_four_become_seven_and_four_again() -> Result<(), Trouble> {
    let mut cluster = Cluster::with_candidates(4, 3)?;
    seal_some(&mut cluster, 2)?;
    let all = [0, 1, 2, 3, 4, 5, 6];
    let grow = decide(&mut cluster, |it| it.seats((4..7).map(voter), []), 0..3, &all)?;
    assert!(matches!(status(&cluster, grow), MotionStatus::Approved { .. }));
    cluster.until("the seven seal", MINUTE, |it| {
        it.running().all(|at| it.status(at).membership.epoch.number == 1)
    })?;
    for at in 0..7 {
        let status = cluster.status(at);
        assert_eq!(status.membership.set().size(), 7);
        assert_eq!(status.me.map(|me| me.0), Some(u16::try_from(at)?), "each has its seat");
    }
    // Two of the seven may fail now.
    cluster.crash(5);
    cluster.crash(6);
    seal_some(&mut cluster, 2)?;
    cluster.start(5)?;
    cluster.start(6)?;
    let shrink = decide(&mut cluster, |it| it.seats([], 0..3), 0..5, &[0, 1, 2, 3])?;
    assert!(matches!(status(&cluster, shrink), MotionStatus::Approved { .. }));
    cluster.until("the four seal", MINUTE, |it| {
        it.running().all(|at| it.status(at).membership.epoch.number == 2)
    })?;
    assert_eq!(cluster.status(0).me, None, "who left follows");
    assert_eq!(cluster.status(3).me.map(|me| me.0), Some(0), "and the others move up");
    seal_some(&mut cluster, 3)?;
    for at in 0..7 {
        cluster.restart(at)?;
    }
    seal_some(&mut cluster, 1)
}

#[test]
fn p24_views_begin_again_with_the_epoch() -> Result<(), Trouble> {
    let mut cluster = Cluster::with_candidates(4, 1)?;
    cluster.crash(0);
    let submission = Client::of(1)?.submission(&cluster)?;
    put(&mut cluster, 1, &submission)?;
    assert!(cluster.status(1).view > View::ZERO, "the dead leader was left");
    cluster.start(0)?;
    seal_some(&mut cluster, 1)?;
    decide(&mut cluster, |it| it.seats([voter(4)], []), 0..3, &[0, 1, 2, 3, 4])?;
    cluster.until("the five seal", MINUTE, |it| {
        it.running().all(|at| it.status(at).membership.epoch.number == 1)
    })?;
    assert_eq!(cluster.status(1).view, View::ZERO);
    seal_some(&mut cluster, 1)?;
    assert_eq!(cluster.status(1).view, View::ZERO, "its leader works");
    Ok(())
}

#[test]
fn p24_every_validator_key_is_replaced_while_the_old_ones_still_vote() -> Result<(), Trouble> {
    let mut cluster = Cluster::with_candidates(4, 0)?;
    for at in 0..4 {
        cluster.stop(at)?;
        cluster.add_key(at, later(u16::try_from(at)?, Purpose::Validator, 1));
        cluster.start(at)?;
        seal_some(&mut cluster, 1)?;
    }
    for number in 0..4 {
        let new = later(number, Purpose::Validator, 1);
        let expected = new.public();
        decide(&mut cluster, |it| it.seats([(number, new)], []), 0..3, &[0, 1, 2, 3])?;
        cluster.until("the key is in force", MINUTE, |it| {
            it.running().all(|at| it.status(at).membership.epoch.number == u32::from(number) + 1)
        })?;
        let set = cluster.status(0).membership.epoch.set.clone();
        let seat = cluster.status(usize::from(number)).me.expect("it keeps its seat");
        assert_eq!(set.get(seat).map(|it| it.key), Some(expected));
    }
    cluster.crash(0);
    seal_some_at(&mut cluster, 1)
}

fn seal_some_at(cluster: &mut Cluster, at: usize) -> Result<(), Trouble> {
    let submission = Client::of(0)?.submission(cluster)?;
    put(cluster, at, &submission)
}

#[test]
fn p24_a_key_for_submissions_is_rotated_with_an_overlap() -> Result<(), Trouble> {
    let mut cluster = Cluster::with_candidates(4, 0)?;
    let old = consortium::pair(0, Purpose::Submission).public();
    let new = later(0, Purpose::Submission, 1);
    let added = new.clone();
    let motion = decide(&mut cluster, |it| it.rotation(0, &added, old, 2), 0..3, &[])?;
    let MotionStatus::Approved { from, .. } = status(&cluster, motion) else {
        panic!("not approved")
    };
    let ballot = |cluster: &Cluster, pair| {
        let nothing = Ballot { motion, approve: true, seen: probata_types::List::empty() };
        chamber(cluster).ballot_by(0, pair, nothing)
    };
    let old_pair = consortium::pair(0, Purpose::Submission);
    // What is said in the same millisecond again is what was said before.
    cluster.pass(SECOND)?;
    // Both are good meanwhile; what the ballot says is too late, which is another matter.
    for pair in [&old_pair, &new] {
        let submission = ballot(&cluster, pair);
        put(&mut cluster, 1, &submission)?;
        cluster.pass(SECOND)?;
    }
    assert!(cluster.status(0).height.next() >= Height::new(from.get() + 2));
    let submission = ballot(&cluster, &old_pair);
    let refused = cluster.submit(1, &submission)?;
    let Admission::Refused(refusal) = refused else { panic!("taken: {refused:?}") };
    assert!(refusal.to_string().contains(&failure::KEY_NOT_VALID.to_string()), "{refusal}");
    let submission = ballot(&cluster, &new);
    put(&mut cluster, 1, &submission)
}

#[test]
fn p24_a_set_that_could_not_go_on_is_refused_with_its_reason() -> Result<(), Trouble> {
    let mut cluster = Cluster::with_candidates(4, 3)?;
    for at in 4..7 {
        cluster.crash(at);
    }
    // Seven need five, and the three that are to join are down: nobody sees them.
    let motion = decide(&mut cluster, |it| it.seats((4..7).map(voter), []), 0..3, &[0, 1, 2, 3])?;
    assert_eq!(status(&cluster, motion), refused(failure::LIVE_QUORUM));
    // One voter that says it sees them is not enough: it may lie.
    let mut chamber = chamber(&cluster);
    let from = cluster.status(0).height;
    let (motion, moved) = chamber.motion(0, chamber.seats((4..7).map(voter), []), from);
    put(&mut cluster, 0, &moved)?;
    for (number, seen) in [(0, 0..7), (1, 0..4), (2, 0..4)] {
        chamber.now = cluster.now().wall;
        let ballot = chamber.ballot(number, motion, true, seen);
        put(&mut cluster, usize::from(number), &ballot)?;
    }
    assert_eq!(status(&cluster, motion), refused(failure::LIVE_QUORUM));
    chamber.now = cluster.now().wall;
    let (_, moved) = chamber.motion(0, chamber.seats([], [3]), from);
    put(&mut cluster, 0, &moved)?;
    assert_eq!(outcome(&cluster, &moved), Outcome::Rejected { code: failure::SET_TOO_SMALL });
    seal_some(&mut cluster, 1)
}

fn outcome(cluster: &Cluster, submission: &Submission) -> Outcome {
    let reader = cluster.reader(0);
    let place =
        reader.submission(&submission.id()).expect("memory can be read").expect("it is sealed");
    let block: SealedBlock =
        reader.block(place.height).expect("memory can be read").expect("the index names it");
    assert_eq!(block.outcomes.len(), 1);
    block.outcomes[0].clone()
}

#[test]
fn p24_who_was_away_over_two_changes_comes_back_through_both() -> Result<(), Trouble> {
    let mut cluster = Cluster::with_candidates(5, 2)?;
    cluster.crash(1);
    seal_some(&mut cluster, 1)?;
    let six = [0, 2, 3, 4, 5];
    decide(&mut cluster, |it| it.seats([voter(5)], []), [0, 2, 3, 4], &six)?;
    seal_some(&mut cluster, 3)?;
    let seven = [0, 2, 3, 4, 5, 6];
    decide(&mut cluster, |it| it.seats([voter(6)], []), [0, 2, 3, 4], &seven)?;
    seal_some(&mut cluster, 3)?;
    assert_eq!(cluster.status(0).membership.epoch.number, 2);
    cluster.start(1)?;
    cluster.until("it is in the newest epoch", MINUTE, |it| {
        it.status(1).membership.epoch.number == 2 && it.status(1).height == it.status(0).height
    })?;
    cluster.crash(0);
    cluster.crash(3);
    // Five of seven: its vote is needed.
    seal_some_at(&mut cluster, 1)
}
