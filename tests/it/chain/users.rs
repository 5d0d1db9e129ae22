//! Liveness as users feel it: nobody is left out, one sick validator is nobody else's trouble, and a chain
//! that sleeps wakes at once.

use super::{
    MINUTE, SECOND,
    epochs::{decide, seal_some},
    height, pending, sealed, sealed_at,
};
use probata_node::{handle::Admission, limits::HOUSEKEEPING_INTERVAL_MS};
use probata_tests::{
    Trouble,
    cluster::{Client, Cluster},
    consortium::{self, Purpose},
    governance::later,
};
use probata_types::{Millis, View};
use tokio::sync::oneshot::error::TryRecvError;

/// What every message takes from one node to another, where it takes any time.
const LINK: Millis = Millis::new(20);
/// Submissions whose seals are timed.
const TIMED: usize = 20;

/// Seals submissions one after the other at the first three validators; when each was sealed, in
/// milliseconds since the first was submitted.
fn seal_times(cluster: &mut Cluster, count: usize) -> Result<Vec<u64>, Trouble> {
    let (client, begin) = (Client::of(1)?, cluster.now().monotonic);
    let mut times = Vec::new();
    for _ in 0..count {
        let submission = client.submission(cluster)?;
        let id = submission.id();
        pending(cluster.submit(1, &submission)?);
        cluster.until("three validators have it", MINUTE, |it| {
            (0..3).all(|at| sealed_at(it, at, &id).is_some())
        })?;
        times.push(cluster.now().monotonic.since(begin));
    }
    Ok(times)
}

/// The same in a network where nothing is wrong.
fn undisturbed() -> Result<Vec<u64>, Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.delay_all(LINK);
    seal_times(&mut cluster, TIMED)
}

#[test]
fn a_censor_is_left_at_the_deadline_and_what_it_left_out_is_sealed() -> Result<(), Trouble> {
    for validators in [4, 7] {
        let mut cluster = Cluster::new(validators)?;
        let (victim, other) = (Client::of(1)?, Client::of(2)?);
        cluster.censor(0, consortium::institution(1));
        let left_out = victim.submission(&cluster)?;
        let (id, begin) = (left_out.id(), cluster.now().monotonic);
        pending(cluster.submit(1, &left_out)?);
        let parameters = cluster.genesis().parameters().clone();
        let deadline = parameters.inclusion_deadline.get();
        // The leader seals all others, many times, until the deadline.
        while cluster.now().monotonic.since(begin) < deadline {
            let submission = other.submission(&cluster)?;
            pending(cluster.submit(2, &submission)?);
            sealed(&mut cluster, &submission)?;
            let left = deadline - cluster.now().monotonic.since(begin).min(deadline);
            cluster.pass(Millis::new(left.min(250)))?;
        }
        assert_eq!(cluster.status(1).view, View::ZERO, "nobody is suspected before");
        assert_eq!(sealed_at(&cluster, 1, &id), None);
        let look = Millis::new(HOUSEKEEPING_INTERVAL_MS);
        cluster.until("the censor is left", look, |it| it.status(1).view == View::new(1))?;
        cluster.until("the submission is sealed", parameters.batch_delay, |it| {
            sealed_at(it, 1, &id).is_some()
        })?;
        assert_eq!(cluster.status(1).view_changes, 1, "one leader is left, and no more");
    }
    Ok(())
}

#[test]
fn a_slow_validator_slows_nobody_else() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.delay_all(LINK);
    cluster.delay_node(3, Millis::new(3_000));
    assert_eq!(seal_times(&mut cluster, TIMED)?, undisturbed()?, "to the millisecond");
    assert!((0..3).all(|at| cluster.status(at).view_changes == 0));
    cluster.pass(Millis::new(10_000))?;
    assert_eq!(cluster.status(3).height, cluster.status(0).height, "it follows");
    Ok(())
}

#[test]
fn a_slow_validator_costs_one_view_when_its_turn_to_lead_comes() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.delay_all(LINK);
    cluster.delay_node(3, Millis::new(3_000));
    let parameters = cluster.genesis().parameters().clone();
    // The third turn ends here; the fourth is that of the slow one.
    let turn = parameters.rotation * 3;
    seal_times(&mut cluster, usize::try_from(turn)? - 1)?;
    assert_eq!(cluster.status(0).height, height(turn - 1));
    assert_eq!(cluster.status(0).view_changes, 0);
    let taken = seal_times(&mut cluster, 1)?[0];
    // One timeout, the view change, the phases of the normal case, each step one link long.
    let bound = parameters.view_timeout.get() + parameters.batch_delay.get() + 6 * LINK.get();
    assert!(taken <= bound, "{taken} ms where {bound} are enough");
    assert_eq!(cluster.status(0).view_changes, 1);
    Ok(())
}

#[test]
fn a_wrong_clock_is_the_trouble_of_its_owner_who_is_told() -> Result<(), Trouble> {
    for off in [60_000, -60_000, 3_600_000, -3_000] {
        let mut cluster = Cluster::new(4)?;
        cluster.delay_all(LINK);
        cluster.set_clock(3, off);
        assert_eq!(seal_times(&mut cluster, TIMED)?, undisturbed()?, "to the millisecond");
        cluster.pass(SECOND)?;
        let head = cluster.status(0).height;
        assert_eq!(cluster.status(3).height, head, "it follows");
        assert!(!cluster.voted(3, head), "it takes no proposal of that time");
        // The message was under way meanwhile.
        let seen = off + i64::try_from(LINK.get())?;
        assert_eq!(cluster.status(3).clock_off_ms, Some(seen));
        assert!((0..3).all(|at| cluster.status(at).clock_off_ms.is_none()));
        assert!((0..3).all(|at| cluster.status(at).view_changes == 0));

        cluster.set_clock(3, 0);
        seal_times(&mut cluster, 3)?;
        cluster.pass(SECOND)?;
        assert_eq!(cluster.status(3).clock_off_ms, None, "it is told that all is well");
        assert!(cluster.voted(3, cluster.status(0).height));
    }
    Ok(())
}

#[test]
fn a_clock_within_what_genesis_allows_is_right() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.delay_all(LINK);
    cluster.set_clock(3, 2_000);
    seal_times(&mut cluster, 3)?;
    cluster.pass(SECOND)?;
    assert_eq!(cluster.status(3).clock_off_ms, None);
    assert!(cluster.voted(3, cluster.status(0).height));
    Ok(())
}

#[test]
fn an_idle_chain_wakes_at_once() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.delay_all(LINK);
    let parameters = cluster.genesis().parameters().clone();
    // Idle for long, and then for half a heartbeat.
    cluster.pass(Millis::new(20 * parameters.heartbeat.get()))?;
    cluster.pass(Millis::new(parameters.heartbeat.get() / 2))?;
    // To the leader, and then the three phases.
    let bound = parameters.batch_delay.get() + 4 * LINK.get();
    for at in [0, 1, 3] {
        let submission = Client::of(1)?.submission(&cluster)?;
        let (id, begin) = (submission.id(), cluster.now().monotonic);
        pending(cluster.submit(at, &submission)?);
        cluster.until("it is sealed where it was submitted", MINUTE, |it| {
            sealed_at(it, at, &id).is_some()
        })?;
        let taken = cluster.now().monotonic.since(begin);
        assert!(taken <= bound, "{taken} ms by node {at}, where {bound} are enough");
        cluster.pass(Millis::new(parameters.heartbeat.get() / 2))?;
    }
    Ok(())
}

#[test]
fn a_validator_that_missed_two_thousand_blocks_catches_up_while_the_others_go_on()
-> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.crash(3);
    cluster.stop(4)?;
    let heartbeat = cluster.genesis().parameters().heartbeat.get();
    // Some beats are lost to the turns of the one that is away.
    cluster.pass(Millis::new(2_020 * heartbeat))?;
    let (missed, views) = (cluster.status(0).height, cluster.status(0).view_changes);
    assert!(missed >= height(2_000), "{missed}");
    cluster.start(3)?;
    cluster.delay_all(LINK);
    // Many answers bring it what it lacks, and the others do not wait for it.
    let (times, undisturbed) = (seal_times(&mut cluster, TIMED)?, undisturbed()?);
    let as_quick = times.iter().zip(&undisturbed).all(|(time, bound)| time <= bound);
    assert!(as_quick, "{times:?} where {undisturbed:?} are usual");
    cluster.pass(SECOND)?;
    assert_eq!(cluster.status(3).height, cluster.status(0).height);
    assert_eq!(cluster.status(0).view_changes, views, "no leader was left meanwhile");
    // It votes again: without it two of four would not be a quorum.
    cluster.crash(1);
    let submission = Client::of(2)?.submission(&cluster)?;
    pending(cluster.submit(2, &submission)?);
    sealed(&mut cluster, &submission)
}

/// Where nobody leads nobody would find out: it would wait for its seal until it expires.
#[test]
fn what_a_revoked_key_signed_is_let_go_by_all_that_hold_it() -> Result<(), Trouble> {
    let mut cluster = Cluster::with_candidates(4, 1)?;
    let member = cluster.validators();
    (0..member).for_each(|at| cluster.censor(at, consortium::institution(1)));
    let held = Client::of(1)?.submission(&cluster)?;
    let mut waiter = pending(cluster.submit(member, &held)?);
    let (old, new) = (consortium::pair(1, Purpose::Submission), later(1, Purpose::Submission, 1));
    decide(&mut cluster, |it| it.rotation(1, &new, old.public(), 2), [0, 2, 3], &[])?;
    assert_eq!(cluster.status(member).pending_submissions, 1, "its key is still good");
    seal_some(&mut cluster, 3)?;
    assert_eq!(cluster.status(member).pending_submissions, 0);
    assert!(matches!(waiter.try_recv(), Err(TryRecvError::Closed)), "whoever waits may ask again");
    let refused = cluster.submit(member, &held)?;
    assert!(matches!(refused, Admission::Refused(_)), "{refused:?}");
    Ok(())
}
