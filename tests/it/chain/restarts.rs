//! Power cuts at any moment, and what must not be lost.

use super::{MINUTE, SECOND, height, pending, root, sealed, sealed_at};
use probata_node::{
    chain::ChainError,
    handle::{Admission, Command},
};
use probata_tests::{
    Trouble,
    cluster::{Client, Cluster},
    consortium::{self, Purpose},
    seed::Seeded,
};
use probata_types::{Hash, Height, Millis, SubmissionId};

fn seal_one(cluster: &mut Cluster, at: usize) -> Result<SubmissionId, Trouble> {
    let submission = Client::of(0)?.submission(cluster)?;
    pending(cluster.submit(at, &submission)?);
    sealed(cluster, &submission)?;
    Ok(submission.id())
}

/// Cuts the power of nodes at random moments while submissions are sealed. The cluster itself watches that
/// nobody contradicts what it said before, and that all seal the same.
fn storm(validators: u16, seed: u64) -> Result<(), Trouble> {
    let mut cluster = Cluster::new(validators)?;
    let mut random = Seeded::new(seed);
    let nodes = u64::from(validators) + 1;
    let client = Client::of(0)?;
    let mut acknowledged = Vec::new();
    let mut waiting = Vec::new();
    for _ in 0..60 {
        let at = usize::try_from(random.number() % nodes)?;
        let submission = client.submission(&cluster)?;
        let waiter = pending(cluster.submit(at, &submission)?);
        waiting.push((submission.id(), waiter));
        for _ in 0..random.number() % 120 {
            cluster.go_on()?;
        }
        for (id, waiter) in &mut waiting {
            acknowledged.extend(waiter.try_recv().ok().map(|block| (*id, block.height())));
        }
        let victim = usize::try_from(random.number() % nodes)?;
        match random.number() % 4 {
            0 => {
                cluster.crash(victim);
                cluster.wipe_store(victim);
                cluster.start(victim)?;
            }
            1 => {
                cluster.stop(victim)?;
                cluster.start(victim)?;
            }
            _ => cluster.restart(victim)?,
        }
    }
    seal_one(&mut cluster, 1)?;
    cluster.pass(SECOND)?;
    assert!(acknowledged.len() > 10, "only {} were acknowledged", acknowledged.len());
    for at in 0..=cluster.validators() {
        assert_eq!(root(&cluster, at), root(&cluster, 0), "node {at}");
        for (id, height) in &acknowledged {
            assert_eq!(sealed_at(&cluster, at, id), Some(*height), "node {at}");
        }
    }
    Ok(())
}

#[test]
fn power_cuts_at_any_moment_break_no_promise_and_lose_nothing() -> Result<(), Trouble> {
    for seed in 0..6 {
        storm(4, seed).map_err(|error| Trouble::new(format!("seed {seed}: {error}")))?;
    }
    storm(7, 100).map_err(|error| Trouble::new(format!("seven, seed 100: {error}")))
}

#[test]
fn all_lose_power_at_once_between_any_two_messages() -> Result<(), Trouble> {
    for steps in 0..40 {
        let mut cluster = Cluster::new(4)?;
        seal_one(&mut cluster, 0)?;
        let submission = Client::of(0)?.submission(&cluster)?;
        let mut waiter = pending(cluster.submit(0, &submission)?);
        for _ in 0..steps {
            cluster.go_on()?;
        }
        let told = waiter.try_recv().ok().map(|block| block.height());
        (0..5).for_each(|at| cluster.crash(at));
        (0..5).try_for_each(|at| cluster.start(at))?;
        // What a submitter does when its node is back.
        let again = cluster.submit(0, &submission)?;
        assert!(!matches!(again, Admission::Refused(_)), "{again:?}");
        sealed(&mut cluster, &submission)?;
        let at = sealed_at(&cluster, 4, &submission.id());
        assert!(told.is_none() || told == at, "after {steps} steps: told {told:?}, is {at:?}");
    }
    Ok(())
}

#[test]
fn a_restarted_node_shows_its_head_to_those_behind() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.crash(3);
    seal_one(&mut cluster, 0)?;
    // The others know the seal from their disks only.
    for at in [0, 1, 2] {
        cluster.stop(at)?;
        cluster.start(at)?;
    }
    assert_eq!(cluster.status(0).height, height(1));
    assert_eq!(cluster.status(0).sealed_at, cluster.status(0).header.unwrap().time);
    // It wants to go on at a height that is sealed, and hears of it only by being helped.
    cluster.announcements_are_lost = true;
    cluster.start(3)?;
    let submission = Client::of(0)?.submission(&cluster)?;
    let checked = submission.verify(&cluster.genesis().chain())?;
    cluster.command(3, Command::Submit { submissions: vec![checked], answer: None })?;
    cluster.until("it has the block", Millis::new(5_000), |it| it.status(3).height == height(1))
}

#[test]
fn without_its_journal_a_validator_must_not_vote() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    for _ in 0..3 {
        seal_one(&mut cluster, 0)?;
    }
    cluster.crash(3);
    cluster.disk(3).lose("journal")?;
    for _ in 0..2 {
        let error = cluster.try_start(3)?.unwrap_err();
        assert!(matches!(error, ChainError::JournalLost(3)), "{error}");
        assert!(error.to_string().contains("new validator key"), "{error}");
    }
    // It may follow, as the error says; that gives it its vote back by no back door.
    cluster.set_key(3, None);
    cluster.start(3)?;
    seal_one(&mut cluster, 0)?;
    assert_eq!((cluster.status(3).height, cluster.status(3).me), (height(4), None));
    cluster.stop(3)?;
    cluster.set_key(3, Some(consortium::pair(3, Purpose::Validator)));
    let error = cluster.try_start(3)?.unwrap_err();
    assert!(matches!(error, ChainError::JournalLost(4)), "{error}");
    Ok(())
}

#[test]
fn a_validator_that_followed_for_a_while_still_keeps_its_promises() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.crash(0);
    seal_one(&mut cluster, 1)?;
    cluster.crash(3);
    cluster.set_key(3, None);
    cluster.start(3)?;
    cluster.start(0)?;
    seal_one(&mut cluster, 1)?;
    cluster.crash(3);
    cluster.set_key(3, Some(consortium::pair(3, Purpose::Validator)));
    cluster.start(3)?;
    cluster.crash(0);
    // Now its vote is needed.
    seal_one(&mut cluster, 1)?;
    assert_eq!(cluster.status(3).height, height(3));
    Ok(())
}

#[test]
fn a_node_whose_key_has_no_seat_follows() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.stop(2)?;
    cluster.set_key(2, Some(consortium::pair(2, Purpose::Submission)));
    cluster.start(2)?;
    assert_eq!(cluster.status(2).me, None);
    seal_one(&mut cluster, 1)?;
    cluster.reach(Height::new(1), MINUTE)
}

#[test]
fn what_is_derived_can_be_lost() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    for _ in 0..5 {
        seal_one(&mut cluster, 0)?;
    }
    let before: Vec<Hash> = (0..5).map(|at| root(&cluster, at)).collect();
    for at in 0..5 {
        cluster.stop(at)?;
        cluster.wipe_store(at);
        cluster.start(at)?;
    }
    let after: Vec<Hash> = (0..5).map(|at| root(&cluster, at)).collect();
    assert_eq!(before, after);
    let id = seal_one(&mut cluster, 0)?;
    assert_eq!(sealed_at(&cluster, 4, &id), Some(height(6)));
    cluster.reach(Height::new(6), MINUTE)
}
