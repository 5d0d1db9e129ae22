//! What a validator does not vote for, though its leader signed it.

use super::{MINUTE, height, pending, sealed};
use probata_consensus::MessageBody;
use probata_node::handle::{Admission, Command, Refusal};
use probata_tests::{
    Trouble,
    cluster::{Client, Cluster},
    consortium::SUITE,
};
use probata_types::{
    Height, List, Proposal, ProposalParts, Submission, SubmissionHead, ValidatorIndex, View,
    submission::IdempotencyKey,
};

/// Cuts the last validator off, and lets the others seal one submission.
fn one_behind(cluster: &mut Cluster, submission: &Submission) -> Result<(), Trouble> {
    for at in [0, 1, 2, 4] {
        cluster.cut(at, 3);
        cluster.cut(3, at);
    }
    pending(cluster.submit(0, submission)?);
    let id = submission.id();
    cluster.until("the others seal it", MINUTE, |it| {
        (0..3).all(|at| super::sealed_at(it, at, &id).is_some())
    })?;
    assert_eq!(cluster.status(3).height, Height::ZERO);
    Ok(())
}

/// Shows the last validator a proposal of the leader on top of what the first one has.
fn propose(cluster: &mut Cluster, submissions: Vec<Submission>) -> Result<Height, Trouble> {
    let head = cluster.reader(0).head();
    let proposal = Proposal::from(ProposalParts {
        suite: SUITE,
        chain: cluster.genesis().chain(),
        height: head.height.next(),
        parent: head.hash,
        time: cluster.now().wall.saturating_add(1),
        proposer: ValidatorIndex(0),
        submissions: List::new(submissions)?,
    });
    let height = proposal.height;
    let message = cluster.sign(0, MessageBody::PrePrepare { height, view: View::ZERO, proposal });
    cluster.inject(3, &message);
    Ok(height)
}

fn show_block(cluster: &mut Cluster, number: u64) -> Result<(), Trouble> {
    let block = cluster.reader(0).block(height(number))?.expect("it is sealed");
    let from = cluster.id(0);
    cluster.command(3, Command::Blocks { from, blocks: vec![block] })?;
    cluster.deliver_all()
}

fn with_key_of(client: &Client, new: Submission, old: &SubmissionHead) -> Submission {
    client.with_head(new, |head| head.idempotency_key = old.idempotency_key)
}

#[test]
fn a_proposal_that_came_early_is_judged_when_its_height_has_come() -> Result<(), Trouble> {
    let client = Client::of(0)?;
    for (with_sealed, votes) in [(true, false), (false, true)] {
        let mut cluster = Cluster::new(4)?;
        let first = client.submission(&cluster)?;
        one_behind(&mut cluster, &first)?;
        let second = client.submission(&cluster)?;
        let height = propose(&mut cluster, vec![if with_sealed { first } else { second }])?;
        cluster.deliver_all()?;
        assert!(!cluster.voted(3, height), "its height has not come");
        show_block(&mut cluster, 1)?;
        assert_eq!(cluster.voted(3, height), votes, "with what is sealed: {with_sealed}");
    }
    Ok(())
}

#[test]
fn nothing_is_sealed_twice() -> Result<(), Trouble> {
    let client = Client::of(0)?;
    let make = |cluster: &mut Cluster| -> Result<[Submission; 3], Trouble> {
        let first = client.submission(cluster)?;
        one_behind(cluster, &first)?;
        show_block(cluster, 1)?;
        let other = client.submission(cluster)?;
        let same_key = with_key_of(&client, client.submission(cluster)?, &other.head);
        Ok([first, other, same_key])
    };
    type Choose = fn([Submission; 3], &Client) -> Vec<Submission>;
    let cases: [(&str, Choose, bool); 5] = [
        ("a fresh one", |[_, other, _], _| vec![other], true),
        ("a sealed one", |[first, ..], _| vec![first], false),
        ("one twice", |[_, other, _], _| vec![other.clone(), other], false),
        ("two under one key", |[_, other, same], _| vec![other, same], false),
        (
            "another under a sealed key",
            |[first, other, _], client| vec![with_key_of(client, other, &first.head)],
            false,
        ),
    ];
    for (what, choose, votes) in cases {
        let mut cluster = Cluster::new(4)?;
        let made = make(&mut cluster)?;
        let height = propose(&mut cluster, choose(made, &client))?;
        cluster.deliver_all()?;
        assert_eq!(cluster.voted(3, height), votes, "{what}");
    }
    Ok(())
}

#[test]
fn a_proposal_keeps_the_limits_of_genesis() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let client = Client::of(0)?;
    let large = client.large(&cluster)?;
    let bytes = probata_types::codec::encode(&large).len();
    let max = usize::try_from(cluster.genesis().parameters().max_proposal_bytes)?;
    let number = max / bytes + 1;
    assert!(number * large.records.len() < 16_384, "only the bytes are too many");
    let copies = (0..u8::try_from(number)?).map(|number| {
        client.with_head(large.clone(), |head| {
            head.idempotency_key = IdempotencyKey([number; 16]);
        })
    });
    let copies: Vec<Submission> = copies.collect();
    let mut fewer = copies.clone();
    fewer.pop();
    let height = propose(&mut cluster, copies)?;
    cluster.deliver_all()?;
    assert!(!cluster.voted(3, height), "{number} submissions of {bytes} bytes");
    let height = propose(&mut cluster, fewer)?;
    cluster.deliver_all()?;
    assert!(cluster.voted(3, height));
    Ok(())
}

#[test]
fn what_waits_under_a_sealed_key_is_let_go() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let client = Client::of(0)?;
    let mine = client.submission(&cluster)?;
    let theirs = with_key_of(&client, client.submission(&cluster)?, &mine.head);
    // A client gives two nodes two submissions under one key, where neither can warn the other.
    for at in [0, 1, 2, 4] {
        cluster.cut(at, 3);
        cluster.cut(3, at);
    }
    let mut loser = pending(cluster.submit(3, &theirs)?);
    pending(cluster.submit(0, &mine)?);
    cluster.until("the others seal theirs", MINUTE, |it| it.status(0).height == height(1))?;
    assert_eq!(cluster.status(3).pending_submissions, 1);
    cluster.heal();
    sealed(&mut cluster, &mine)?;
    assert!(loser.try_recv().is_err() && loser.is_terminated(), "nobody waits in vain");
    for at in 0..=4 {
        assert_eq!(cluster.status(at).pending_submissions, 0, "node {at}");
        let answer = cluster.submit(at, &theirs)?;
        let conflict = Refusal::IdempotencyConflict { first: mine.id() };
        assert!(matches!(&answer, Admission::Refused(it) if *it == conflict), "{answer:?}");
    }
    let heartbeats = MINUTE.get() / cluster.genesis().parameters().heartbeat.get();
    cluster.pass(MINUTE)?;
    let status = cluster.status(0);
    assert_eq!(
        (status.height, status.view),
        (height(1 + heartbeats), View::ZERO),
        "no work is left"
    );
    Ok(())
}
