//! Nothing goes wrong, or only on the submitter's side.

use super::{MINUTE, SECOND, height, pending, root, sealed, sealed_at};
use probata_node::handle::{Admission, Refusal};
use probata_tests::{
    Trouble,
    cluster::{Client, Cluster},
};
use probata_types::{Height, Millis, Submission, catalogue::failure, submission::IdempotencyKey};

fn refused(cluster: &mut Cluster, submission: &Submission) -> Refusal {
    match cluster.submit(0, submission).expect("the node answers") {
        Admission::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_submission_is_sealed_once_by_all_whoever_was_asked() -> Result<(), Trouble> {
    for validators in [4, 7] {
        let mut cluster = Cluster::new(validators)?;
        let client = Client::of(0)?;
        // The leader, another validator, the member node.
        for (number, at) in (1..).zip([0, 2, cluster.validators()]) {
            let submission = client.submission(&cluster)?;
            let mut waiter = pending(cluster.submit(at, &submission)?);
            sealed(&mut cluster, &submission)?;
            cluster.deliver_all()?;
            assert_eq!(
                waiter.try_recv()?.height(),
                height(number),
                "whoever waits is told the height"
            );
            for node in 0..=cluster.validators() {
                let place = cluster.reader(node).submission(&submission.id())?.unwrap();
                assert_eq!((place.height, place.accepted), (height(number), true));
                assert_eq!(root(&cluster, node), root(&cluster, 0));
                assert_eq!(cluster.status(node).pending_submissions, 0);
            }
        }
    }
    Ok(())
}

#[test]
fn the_same_submission_again_gets_the_first_answer() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let submission = Client::of(1)?.submission(&cluster)?;
    let mut first = pending(cluster.submit(0, &submission)?);
    let mut again = pending(cluster.submit(0, &submission)?);
    let mut elsewhere = pending(cluster.submit(3, &submission)?);
    sealed(&mut cluster, &submission)?;
    for waiter in [&mut first, &mut again, &mut elsewhere] {
        assert_eq!(waiter.try_recv()?.height(), height(1));
    }
    for node in 0..=cluster.validators() {
        let answer = cluster.submit(node, &submission)?;
        assert!(matches!(answer, Admission::Sealed(at) if at == height(1)), "{answer:?}");
    }
    cluster.pass(SECOND)?;
    assert_eq!(cluster.status(0).height, height(1), "nothing is left to be sealed");
    Ok(())
}

/// Found by the simulator: the one node that knew of it kept it to itself for ever.
#[test]
fn a_submission_that_another_node_handed_on_is_handed_on_again_when_it_is_offered()
-> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let submission = Client::of(0)?.submission(&cluster)?;
    for to in [0, 2, 4] {
        cluster.cut(1, to);
    }
    pending(cluster.submit(1, &submission)?);
    cluster.deliver_all()?;
    // The one node that was asked forgets it; the only other one that has it is asked next.
    cluster.restart(1)?;
    cluster.heal();
    let mut waiter = pending(cluster.submit(3, &submission)?);
    sealed(&mut cluster, &submission)?;
    assert_eq!(waiter.try_recv()?.height(), height(1));
    Ok(())
}

#[test]
fn every_refusal_has_its_reason() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let client = Client::of(0)?;
    let first = client.submission(&cluster)?;
    let other = client.with_head(client.submission(&cluster)?, |head| {
        head.idempotency_key = first.head.idempotency_key;
    });
    pending(cluster.submit(0, &first)?);
    let conflict = Refusal::IdempotencyConflict { first: first.id() };
    assert_eq!(refused(&mut cluster, &other), conflict, "while the first one waits");
    sealed(&mut cluster, &first)?;
    assert_eq!(refused(&mut cluster, &other), conflict, "after it was sealed");

    cluster.pass(SECOND)?;
    let now = cluster.now().wall;
    let max_lifetime = cluster.genesis().parameters().max_submission_lifetime;
    let expires = |at| {
        client.with_head(first.clone(), |head| {
            head.idempotency_key = IdempotencyKey([9; 16]);
            head.expires_at = at;
        })
    };
    let long = first.head.submitted_at.saturating_add(max_lifetime.get() + 1);
    for expires_at in [now, long] {
        let refusal = refused(&mut cluster, &expires(expires_at));
        assert_eq!(refusal, Refusal::Expiry { expires_at, max_lifetime });
    }
    let future = client.with_head(client.submission(&cluster)?, |head| {
        head.submitted_at = now.saturating_add(3_600_000);
        head.expires_at = now.saturating_add(7_200_000);
    });
    let code = failure::SUBMITTED_IN_FUTURE;
    assert_eq!(refused(&mut cluster, &future), Refusal::Rejected { code });
    Ok(())
}

#[test]
fn an_institution_fills_its_own_share_and_nobody_elses() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let quota = usize::try_from(cluster.genesis().parameters().pending_per_institution)?;
    // Without a quorum nothing is sealed, and everything waits.
    (1..4).try_for_each(|at| cluster.stop(at))?;
    let client = Client::of(0)?;
    let submission = client.submission(&cluster)?;
    for number in 0..=u64::try_from(quota)? {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&number.to_be_bytes());
        let one = client.with_head(submission.clone(), |head| {
            head.idempotency_key = IdempotencyKey(key);
        });
        match cluster.submit(0, &one)? {
            Admission::Pending(_) => assert!(number < u64::try_from(quota)?),
            Admission::Refused(refusal) => {
                assert_eq!(refusal, Refusal::Quota { pending: quota, quota });
            }
            Admission::Sealed(at) => panic!("sealed at {at} without a quorum"),
        }
    }
    let other = Client::of(1)?.submission(&cluster)?;
    pending(cluster.submit(0, &other)?);
    assert_eq!(cluster.status(0).pending_submissions, quota + 1);
    Ok(())
}

#[test]
fn what_expires_unsealed_is_let_go_and_said() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    (2..4).try_for_each(|at| cluster.stop(at))?;
    let client = Client::of(0)?;
    let expires_at = cluster.now().wall.saturating_add(5_000);
    let submission =
        client.with_head(client.submission(&cluster)?, |head| head.expires_at = expires_at);
    let mut waiter = pending(cluster.submit(0, &submission)?);
    cluster.pass(Millis::new(4_000))?;
    assert!(waiter.try_recv().is_err() && !waiter.is_terminated(), "it still waits");
    cluster.pass(Millis::new(2_000))?;
    assert!(waiter.is_terminated() || waiter.try_recv().is_err());
    assert_eq!(cluster.status(0).pending_submissions, 0);
    (2..4).try_for_each(|at| cluster.start(at))?;
    cluster.reach(height(1), MINUTE)?;
    assert_eq!(sealed_at(&cluster, 0, &submission.id()), None);
    Ok(())
}

#[test]
fn an_idle_chain_keeps_time() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let heartbeat = cluster.genesis().parameters().heartbeat;
    cluster.pass(Millis::new(heartbeat.get() * 5 + 1_000))?;
    for at in cluster.running() {
        let status = cluster.status(at);
        assert_eq!((status.height, status.view_changes), (height(5), 0), "node {at}");
        assert!(cluster.now().wall.since(status.sealed_at) <= heartbeat.get());
        assert_eq!(cluster.reader(at).block(Height::new(3))?.unwrap().header.record_count, 0);
    }
    Ok(())
}
