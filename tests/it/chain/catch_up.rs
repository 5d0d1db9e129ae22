//! Nodes that are behind, among peers that lie about blocks.

use super::{MINUTE, SECOND, height, pending, root, sealed};
use probata_node::handle::Command;
use probata_tests::{
    Trouble,
    cluster::{Answers, Client, Cluster},
};
use probata_types::{Hash, Height, List, Millis, SealedBlock};

/// Seals so many blocks of one submission each.
fn seal(cluster: &mut Cluster, count: u64) -> Result<(), Trouble> {
    let client = Client::of(0)?;
    for _ in 0..count {
        let submission = client.submission(cluster)?;
        pending(cluster.submit(0, &submission)?);
        sealed(cluster, &submission)?;
    }
    Ok(())
}

/// A cluster whose member node missed five blocks.
fn member_behind() -> Result<Cluster, Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.stop(4)?;
    seal(&mut cluster, 5)?;
    cluster.deliver_all()?;
    cluster.fetches.clear();
    Ok(cluster)
}

#[test]
fn a_member_node_follows_and_never_votes() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    seal(&mut cluster, 10)?;
    let status = cluster.status(4);
    assert_eq!((status.height, status.me), (height(10), None));
    assert_eq!(root(&cluster, 4), root(&cluster, 0));
    // Its own submissions find their way.
    let submission = Client::of(4)?.submission(&cluster)?;
    let mut waiter = pending(cluster.submit(4, &submission)?);
    sealed(&mut cluster, &submission)?;
    assert_eq!(waiter.try_recv()?.height(), height(11));
    Ok(())
}

#[test]
fn more_blocks_than_one_answer_holds() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.stop(3)?;
    cluster.stop(4)?;
    let heartbeat = cluster.genesis().parameters().heartbeat.get();
    cluster.pass(Millis::new(heartbeat * 300))?;
    let target = cluster.status(0).height;
    assert!(target > height(256), "{target}");
    cluster.start(3)?;
    cluster.start(4)?;
    let begin = cluster.now().monotonic;
    cluster.reach(target, MINUTE)?;
    assert!(cluster.now().monotonic.since(begin) < 5_000, "two answers are enough");
    assert_eq!(cluster.status(4).sealed_at, cluster.status(4).header.unwrap().time);
    Ok(())
}

#[test]
fn a_validator_catches_up_while_the_others_go_on() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    cluster.crash(3);
    seal(&mut cluster, 20)?;
    cluster.start(3)?;
    seal(&mut cluster, 20)?;
    cluster.pass(SECOND)?;
    assert_eq!(cluster.status(3).height, cluster.status(0).height);
    assert_eq!(cluster.status(0).view_changes, 0);
    // It votes again: without it the three others, one of them dead, would not be a quorum.
    cluster.crash(1);
    seal(&mut cluster, 1)
}

type Change = Box<dyn Fn(&mut SealedBlock)>;

#[test]
fn blocks_that_do_not_hold_are_refused_and_another_peer_is_asked() -> Result<(), Trouble> {
    let swap = |other: SealedBlock| -> Change {
        Box::new(move |block| block.proposal.submissions = other.proposal.submissions.clone())
    };
    let other = {
        let mut cluster = Cluster::new(4)?;
        seal(&mut cluster, 1)?;
        cluster.reader(0).block(height(1))?.unwrap()
    };
    let records = other.proposal.submissions[0].records.clone();
    let cases: Vec<(&str, Change)> = vec![
        (
            "a vote less",
            Box::new(|block| {
                let votes = block.seal.votes[1..].to_vec();
                block.seal.votes = List::new(votes).unwrap();
            }),
        ),
        (
            "one vote twice",
            Box::new(|block| {
                let mut votes = block.seal.votes.to_vec();
                votes[1] = votes[0].clone();
                block.seal.votes = List::new(votes).unwrap();
            }),
        ),
        ("another view", Box::new(|block| block.seal.view = block.seal.view.next())),
        ("another state", Box::new(|block| block.header.state_root = Hash([7; 32]))),
        ("another chain", Box::new(|block| block.header.chain = Hash([7; 32]))),
        ("another height", Box::new(|block| block.header.height = block.header.height.next())),
        ("another body", swap(other)),
        (
            "other records under the same heads",
            Box::new(move |block| {
                let mut submissions = block.proposal.submissions.to_vec();
                for submission in &mut submissions {
                    submission.records = records.clone();
                }
                block.proposal.submissions = List::new(submissions).unwrap();
            }),
        ),
        (
            "another time",
            Box::new(|block| {
                block.proposal.time = block.proposal.time.saturating_add(1);
            }),
        ),
        ("no body", Box::new(|block| block.proposal.submissions = List::empty())),
    ];
    for (what, change) in cases {
        let mut cluster = member_behind()?;
        let change = std::rc::Rc::new(change);
        // Three of the four it could ask lie.
        for liar in [0, 1, 3] {
            let change = std::rc::Rc::clone(&change);
            cluster.set_answers(liar, Answers::changed(move |block| change(block)));
        }
        cluster.start(4)?;
        let begin = cluster.now().monotonic;
        cluster
            .reach(height(5), MINUTE)
            .map_err(|error| Trouble::new(format!("{what}: {error}")))?;
        assert!(cluster.now().monotonic.since(begin) < 3_000, "{what}");
        assert_eq!(cluster.status(4).halted, None, "{what}");
        assert_eq!(root(&cluster, 4), root(&cluster, 0), "{what}");
    }
    Ok(())
}

#[test]
fn outcomes_that_a_peer_made_up_are_not_believed() -> Result<(), Trouble> {
    let mut cluster = member_behind()?;
    for at in 0..4 {
        cluster.set_answers(at, Answers::changed(|block| block.outcomes = List::empty()));
    }
    cluster.start(4)?;
    cluster.reach(height(5), MINUTE)?;
    let (mine, theirs) = (cluster.reader(4).block(height(3))?, cluster.reader(0).block(height(3))?);
    assert_eq!(mine.unwrap().outcomes, theirs.unwrap().outcomes);
    Ok(())
}

#[test]
fn a_peer_that_claims_the_sky_starves_nobody() -> Result<(), Trouble> {
    let lies = [
        ("nothing", Answers::other(|_| Vec::new())),
        ("never", Answers::never()),
        (
            "the first block",
            Answers::other(|mut blocks| {
                blocks.truncate(1);
                blocks.iter_mut().for_each(|it| it.header.height = height(1));
                blocks
            }),
        ),
    ];
    for (what, answers) in lies {
        let mut cluster = member_behind()?;
        cluster.set_answers(1, answers);
        cluster.start(4)?;
        let liar = cluster.id(1);
        let begin = cluster.now().monotonic;
        let client = Client::of(0)?;
        let mut seconds = 0;
        while cluster.now().monotonic.since(begin) < 60_000 {
            let claim = Height::new(1 << 52);
            for _ in 0..20 {
                cluster.command(4, Command::PeerHead { from: liar, height: claim })?;
                cluster.pass(Millis::new(10))?;
            }
            let submission = client.submission(&cluster)?;
            pending(cluster.submit(0, &submission)?);
            cluster.pass(Millis::new(800))?;
            seconds += 1;
            let (behind, ahead) = (cluster.status(4).height, cluster.status(0).height);
            let lag = if seconds < 5 { 10 } else { 4 };
            assert!(ahead.since(behind) <= lag, "{what}: {behind} of {ahead} after {seconds} s");
        }
        let asked = cluster.fetches.iter().filter(|(from, to)| (*from, *to) == (4, 1)).count();
        assert!(asked <= 12, "{what}: the liar was asked {asked} times in a minute");
        assert_eq!(cluster.status(4).halted, None, "{what}");
    }
    Ok(())
}

#[test]
fn a_validator_is_not_led_astray_by_heads_alone() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    seal(&mut cluster, 3)?;
    let liar = cluster.id(4);
    cluster.set_answers(4, Answers::other(|_| Vec::new()));
    for _ in 0..200 {
        cluster.command(2, Command::PeerHead { from: liar, height: Height::MAX })?;
        cluster.pass(Millis::new(50))?;
    }
    seal(&mut cluster, 3)?;
    assert_eq!(cluster.status(0).view_changes, 0);
    let asked = cluster.fetches.iter().filter(|(from, to)| (*from, *to) == (2, 4)).count();
    assert!(asked < 10, "asked {asked} times in ten seconds");
    Ok(())
}
