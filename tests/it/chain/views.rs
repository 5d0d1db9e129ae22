//! Leaders that are dead, lie, or leave somebody out.

use super::{MINUTE, SECOND, height, pending, sealed, sealed_at};
use probata_consensus::{MessageBody, VoteKind};
use probata_node::handle::Command;
use probata_tests::{
    Trouble,
    cluster::{Client, Cluster},
    consortium::{self, SUITE},
};
use probata_types::{
    List, Millis, Proposal, ProposalParts, Submission, ValidatorIndex, View,
    submission::records_root,
};

/// A proposal of the first validator for height 1.
fn proposal(cluster: &Cluster, later: u64, submissions: Vec<Submission>) -> Proposal {
    Proposal::from(ProposalParts {
        suite: SUITE,
        chain: cluster.genesis().chain(),
        height: height(1),
        parent: cluster.genesis().chain(),
        time: cluster.now().wall.saturating_add(later),
        proposer: ValidatorIndex(0),
        submissions: List::new(submissions).expect("a few"),
    })
}

#[test]
fn a_dead_leader_costs_one_view() -> Result<(), Trouble> {
    for validators in [4, 7] {
        let mut cluster = Cluster::new(validators)?;
        cluster.crash(0);
        let begin = cluster.now().monotonic;
        for _ in 0..3 {
            let submission = Client::of(2)?.submission(&cluster)?;
            pending(cluster.submit(2, &submission)?);
            sealed(&mut cluster, &submission)?;
        }
        let timeout = cluster.genesis().parameters().view_timeout.get();
        let taken = cluster.now().monotonic.since(begin);
        assert!(taken < 2 * timeout, "{taken} ms for three submissions and one dead leader");
        assert_eq!(cluster.status(1).view, View::new(1));
        assert_eq!(cluster.status(1).view_changes, 1);
        // It comes back, into the view that the others are in.
        cluster.start(0)?;
        cluster.reach(height(4), MINUTE)?;
        assert_eq!(cluster.status(0).view, View::new(1));
    }
    Ok(())
}

#[test]
fn two_leaders_dead_in_a_row() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(7)?;
    cluster.crash(0);
    cluster.crash(1);
    let submission = Client::of(2)?.submission(&cluster)?;
    pending(cluster.submit(5, &submission)?);
    sealed(&mut cluster, &submission)?;
    assert_eq!(cluster.status(3).view, View::new(2));
    Ok(())
}

#[test]
fn a_leader_that_says_two_things_is_proven_and_left() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.crash(0);
    let submission = Client::of(0)?.submission(&cluster)?;
    for (later, submissions) in [(1, vec![submission.clone()]), (2, vec![])] {
        let proposal = proposal(&cluster, later, submissions);
        let body = MessageBody::PrePrepare { height: height(1), view: View::ZERO, proposal };
        let message = cluster.sign(0, body);
        (1..4).for_each(|to| cluster.inject(to, &message));
    }
    cluster.deliver_all()?;
    assert!(!cluster.faults.is_empty());
    for (_, fault) in &cluster.faults {
        assert_eq!((fault.validator, fault.kind), (ValidatorIndex(0), VoteKind::PrePrepare));
        fault.verify(cluster.genesis().validator_set())?;
    }
    for at in 1..4 {
        assert_eq!(cluster.status(at).faults.len(), 1, "node {at} shows it");
    }
    cluster.until("the view is left", SECOND, |it| {
        (1..4).all(|at| it.status(at).view >= View::new(1))
    })?;
    // What may have been prepared is not lost, and the chain goes on.
    let next = Client::of(1)?.submission(&cluster)?;
    pending(cluster.submit(1, &next)?);
    sealed(&mut cluster, &next)
}

#[test]
fn a_leader_that_leaves_one_out_is_left() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let (victim, other) = (Client::of(1)?, Client::of(2)?);
    let left_out = victim.submission(&cluster)?;
    let checked = left_out.clone().verify(&cluster.genesis().chain())?;
    // All hold it but the leader, who takes nothing of this institution and keeps sealing what others send.
    cluster.censor(0, consortium::institution(1));
    for at in 1..4 {
        let submission = checked.clone();
        cluster.command(at, Command::Submit { submissions: vec![submission], answer: None })?;
    }
    let deadline = cluster.genesis().parameters().inclusion_deadline.get();
    let begin = cluster.now().monotonic;
    while sealed_at(&cluster, 1, &left_out.id()).is_none() {
        let submission = other.submission(&cluster)?;
        pending(cluster.submit(0, &submission)?);
        sealed(&mut cluster, &submission)?;
        cluster.pass(Millis::new(200))?;
        let taken = cluster.now().monotonic.since(begin);
        assert!(taken < 3 * deadline, "{taken} ms and still left out");
    }
    assert!(cluster.now().monotonic.since(begin) >= deadline, "nobody is suspected at once");
    sealed(&mut cluster, &left_out)?;
    assert_eq!(cluster.status(1).view, View::new(1), "one leader was left, and no more");
    Ok(())
}

/// A liar may send a submission to one validator only, or die before it reached the others.
#[test]
fn who_alone_holds_a_submission_hands_it_on_before_it_complains() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let (lonely, other) = (Client::of(1)?, Client::of(2)?);
    let held = lonely.submission(&cluster)?;
    let submission = held.clone().verify(&cluster.genesis().chain())?;
    cluster.command(3, Command::Submit { submissions: vec![submission], answer: None })?;
    let deadline = cluster.genesis().parameters().inclusion_deadline.get();
    let begin = cluster.now().monotonic;
    while sealed_at(&cluster, 3, &held.id()).is_none() {
        let submission = other.submission(&cluster)?;
        pending(cluster.submit(0, &submission)?);
        sealed(&mut cluster, &submission)?;
        cluster.pass(Millis::new(200))?;
        let taken = cluster.now().monotonic.since(begin);
        assert!(taken < deadline, "{taken} ms and still with one only");
    }
    assert_eq!(cluster.status(3).view, View::ZERO, "nobody was suspected");
    Ok(())
}

#[test]
fn a_leader_cannot_use_up_the_key_of_another_institution() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let honest = Client::of(2)?.submission(&cluster)?;
    // The leader saw it on its way, and puts in its place one that its institution never signed.
    let liar = Client::of(0)?;
    let forged = liar.submission(&cluster)?;
    let (chain, institution) = (forged.head.chain, honest.head.institution);
    let ids: Vec<_> =
        forged.records.iter().map(|record| record.id(SUITE, &chain, &institution)).collect();
    let forged = liar.with_head(forged, |head| {
        head.institution = institution;
        head.idempotency_key = honest.head.idempotency_key;
        head.records_root = records_root(SUITE, &ids);
    });
    assert!(forged.clone().verify(&chain).is_ok(), "it is well-formed, and signed by its key");
    cluster.crash(0);
    let proposal = proposal(&cluster, 1, vec![forged.clone()]);
    let body = MessageBody::PrePrepare { height: height(1), view: View::ZERO, proposal };
    let message = cluster.sign(0, body);
    (1..4).for_each(|to| cluster.inject(to, &message));
    cluster.deliver_all()?;
    assert!((1..4).all(|at| !cluster.voted(at, height(1))), "nobody votes for it");
    pending(cluster.submit(1, &honest)?);
    sealed(&mut cluster, &honest)?;
    assert_eq!(sealed_at(&cluster, 1, &forged.id()), None);
    Ok(())
}
