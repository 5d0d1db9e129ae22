//! Validators that compute different results: nothing is sealed, and people are told.

use super::{MINUTE, SECOND, height, pending, sealed};
use probata_consensus::MessageBody;
use probata_node::handle::{Admission, Command, Refusal};
use probata_tests::{
    Trouble,
    cluster::{Client, Cluster},
    consortium::{self, Purpose, SUITE},
};
use probata_types::{
    Hash, Header, Height, List, Proposal, ProposalParts, Seal, SealedBlock, ValidatorIndex, View,
    seal::{SealVote, commit_digest},
};

/// A seal of the first three validators.
fn seal(header: &Header) -> Seal {
    let view = View::ZERO;
    let digest = commit_digest(SUITE, &header.chain, header.height, view, &header.hash());
    let votes = (0u16..3).map(|number| SealVote {
        validator: ValidatorIndex(number),
        signature: consortium::pair(number, Purpose::Validator).sign(&digest),
    });
    Seal { view, votes: List::new(votes.collect()).expect("a few") }
}

/// What a halted node does and does not do.
fn is_halted(cluster: &mut Cluster, at: usize, names: &[&str]) -> Result<(), Trouble> {
    let reason = cluster.status(at).halted.expect("it halted");
    for name in names {
        assert!(reason.contains(name), "{name} is not named: {reason}");
    }
    let submission = Client::of(0)?.submission(cluster)?;
    let answer = cluster.submit(at, &submission)?;
    assert!(matches!(answer, Admission::Refused(Refusal::Halted)), "{answer:?}");
    let before = cluster.status(at);
    cluster.pass(MINUTE)?;
    let after = cluster.status(at);
    assert_eq!((after.height, after.view), (before.height, before.view));
    assert_eq!(after.halted, before.halted);
    Ok(())
}

#[test]
fn a_validator_that_alone_computes_otherwise_halts_and_names_the_fields() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    (0..3).for_each(|at| cluster.crash(at));
    let proposal = Proposal::from(ProposalParts {
        suite: SUITE,
        chain: cluster.genesis().chain(),
        height: height(1),
        parent: cluster.genesis().chain(),
        time: cluster.now().wall.saturating_add(1),
        proposer: ValidatorIndex(0),
        submissions: List::new(vec![Client::of(0)?.submission(&cluster)?])?,
    });
    let (height, view, digest) = (height(1), View::ZERO, proposal.digest());
    let proposal = cluster.sign(0, MessageBody::PrePrepare { height, view, proposal });
    cluster.inject(3, &proposal);
    for from in 0..3 {
        let vote = cluster.sign(from, MessageBody::Prepare { height, view, digest });
        cluster.inject(3, &vote);
    }
    cluster.deliver_all()?;
    let mine = cluster.committed(3).expect("it voted").clone();
    let header = Header { state_root: Hash([7; 32]), outcomes_root: Hash([8; 32]), ..mine };
    for from in 0..3 {
        let header = header.clone();
        let vote = cluster.sign(from, MessageBody::Commit { view, header });
        cluster.inject(3, &vote);
    }
    cluster.deliver_all()?;
    assert_eq!(cluster.status(3).height, Height::ZERO, "nothing wrong is committed");
    is_halted(&mut cluster, 3, &["height 1", "state_root", "outcomes_root"])
}

#[test]
fn a_sealed_block_that_a_node_computes_otherwise_halts_it() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    for at in [3, 4] {
        cluster.stop(at)?;
    }
    let submission = Client::of(0)?.submission(&cluster)?;
    pending(cluster.submit(0, &submission)?);
    sealed(&mut cluster, &submission)?;
    let block = cluster.reader(0).block(height(1))?.expect("it is sealed");
    (0..3).for_each(|at| cluster.crash(at));
    let header = Header { state_root: Hash([7; 32]), ..block.header.clone() };
    let other = SealedBlock { seal: seal(&header), header, ..block };
    let from = cluster.id(0);
    // A validator and a member node.
    for at in [3, 4] {
        cluster.start(at)?;
        let blocks = vec![other.clone()];
        cluster.command(at, Command::Blocks { from, blocks })?;
        assert_eq!(cluster.status(at).height, Height::ZERO);
        is_halted(&mut cluster, at, &["height 1", "state_root"])?;
        cluster.stop(at)?;
    }
    Ok(())
}

#[test]
fn one_liar_halts_nobody() -> Result<(), Trouble> {
    let mut cluster = Cluster::new(4)?;
    let submission = Client::of(0)?.submission(&cluster)?;
    pending(cluster.submit(1, &submission)?);
    sealed(&mut cluster, &submission)?;
    let mine = cluster.committed(1).expect("it voted").clone();
    cluster.crash(3);
    for number in 0..5u8 {
        let submission = Client::of(0)?.submission(&cluster)?;
        let next = cluster.status(0).height.next();
        let parent = cluster.reader(0).head().hash;
        let state_root = Hash([number; 32]);
        let header = Header { height: next, parent, state_root, ..mine.clone() };
        let vote = cluster.sign(3, MessageBody::Commit { view: View::ZERO, header });
        (0..3).for_each(|to| cluster.inject(to, &vote));
        pending(cluster.submit(0, &submission)?);
        sealed(&mut cluster, &submission)?;
    }
    cluster.pass(SECOND)?;
    for at in cluster.running() {
        assert_eq!(cluster.status(at).halted, None, "node {at}");
    }
    Ok(())
}
