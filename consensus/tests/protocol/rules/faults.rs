//! P21 and P22: contradictions of others, and results that others do not share.

use super::{Bench, brief};
use crate::fixtures::{
    commit, genesis, header_of, index, pre_prepare, prepare, proposal, say, seal, set, view,
};
use probata_consensus::{Fault, FaultError, Input, MessageBody, Output, VoteKind};
use probata_types::{Domain, Header, Keypair, codec};

/// What a replica reports when `from` says one thing and then another.
fn contradict(from: usize, first: MessageBody, second: MessageBody) -> Vec<Output> {
    let mut bench = Bench::new(1);
    bench.hear(5, from, first);
    bench.feed(6, Input::Message(say(4, from, second)))
}

fn fault_in(outputs: &[Output]) -> Fault {
    let fault = outputs.iter().find_map(|output| match output {
        Output::Fault(fault) => Some(fault.clone()),
        _ => None,
    });
    fault.expect("a fault")
}

fn two_headers() -> (Header, Header) {
    let one = proposal(&genesis(), 0, 5);
    (header_of(&one, &set(4)), header_of(&proposal(&genesis(), 0, 6), &set(4)))
}

#[test]
fn p21_two_votes_in_one_view_are_a_fault_that_anybody_can_check() {
    let (one, other) = (proposal(&genesis(), 0, 5), proposal(&genesis(), 0, 6));
    let (header, unlike) = two_headers();
    let cases = [
        (VoteKind::PrePrepare, 0, pre_prepare(&one, 0), pre_prepare(&other, 0)),
        (VoteKind::Prepare, 2, prepare(&one, 0), prepare(&other, 0)),
        (VoteKind::Commit, 3, commit(&header, 0), commit(&unlike, 0)),
    ];
    for (phase, from, first, second) in cases {
        let fault = fault_in(&contradict(from, first, second));
        assert_eq!((fault.kind, fault.validator), (phase, index(from)));
        assert_eq!(fault.verify(&set(4)), Ok(()));
        let bytes = codec::encode(&fault);
        assert!(bytes.len() < 400, "{} bytes", bytes.len());
        assert_eq!(codec::decode::<Fault>(&bytes, 400), Ok(fault));
    }
}

#[test]
fn p21_a_leader_that_contradicts_itself_is_left_and_reported_once() {
    let mut bench = Bench::new(3);
    let at = |time| pre_prepare(&proposal(&genesis(), 0, time), 0);
    bench.hear(5, 0, at(5));
    let said = bench.hear(6, 0, at(6));
    assert_eq!(said, ["persist ViewChange 1/1", "fault PrePrepare of 0", "say ViewChange 1/1"]);
    assert_eq!(bench.hear(7, 0, at(7)), ["ignored NotTheFirst"]);
}

#[test]
fn p21_the_first_vote_counts_after_a_contradiction() {
    let it = proposal(&genesis(), 0, 5);
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    bench.hear(6, 2, prepare(&proposal(&genesis(), 0, 6), 0));
    assert_eq!(bench.hear(7, 2, prepare(&it, 0)), ["fault Prepare of 2"]);
    assert!(bench.hear(8, 0, prepare(&it, 0)).is_empty(), "two of four, 2's does not count");
    assert_eq!(bench.hear(9, 3, prepare(&it, 0)), ["persist Prepared 1/0"]);
}

#[test]
fn p21_the_same_twice_or_in_two_views_is_no_fault() {
    let (one, other) = (proposal(&genesis(), 0, 5), proposal(&genesis(), 1, 6));
    let again = contradict(2, prepare(&one, 0), prepare(&one, 0));
    assert_eq!(brief(&again), ["ignored Duplicate"]);
    let elsewhere = contradict(2, prepare(&one, 0), prepare(&other, 1));
    assert_eq!(brief(&elsewhere), ["ignored KeptForLater"]);
}

#[test]
fn p21_a_made_up_fault_proves_nothing() {
    let (one, other) = (proposal(&genesis(), 0, 5), proposal(&genesis(), 0, 6));
    let real = fault_in(&contradict(2, prepare(&one, 0), prepare(&other, 0)));
    let mut same = real.clone();
    same.second = same.first;
    assert_eq!(same.verify(&set(4)), Err(FaultError::Same));
    let mut of_another = real.clone();
    of_another.validator = index(3);
    assert_eq!(of_another.verify(&set(4)), Err(FaultError::Stranger));
    let mut stranger = real.clone();
    stranger.key = Keypair::from_secret(&[1; 32]).public();
    assert_eq!(stranger.verify(&set(4)), Err(FaultError::Stranger));
    for bend in [
        |fault: &mut Fault| fault.view = view(1),
        |fault: &mut Fault| fault.height = fault.height.next(),
        |fault: &mut Fault| fault.kind = VoteKind::Commit,
        |fault: &mut Fault| fault.first.content.0[0] ^= 1,
        |fault: &mut Fault| fault.second.signature.0[5] ^= 1,
        |fault: &mut Fault| fault.chain.0[5] ^= 1,
    ] {
        let mut bent = real.clone();
        bend(&mut bent);
        assert_eq!(bent.verify(&set(4)), Err(FaultError::Signature), "{bent:?}");
    }
    assert_eq!(VoteKind::Prepare.domain(), Domain::Prepare);
}

fn unlike(header: &Header) -> Header {
    let mut other = header.clone();
    other.state_root.0[0] ^= 1;
    other
}

#[test]
fn p22_a_quorum_that_computed_something_else_stops_this_replica() {
    let it = proposal(&genesis(), 0, 5);
    let theirs = unlike(&header_of(&it, &set(4)));
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    bench.execute(5, &it);
    bench.hear(6, 0, commit(&theirs, 0));
    bench.hear(6, 2, commit(&theirs, 0));
    assert_eq!(bench.hear(6, 3, commit(&theirs, 0)), ["diverged at 1 from 3"]);
    assert_eq!(bench.hear(7, 0, prepare(&it, 0)), ["ignored Halted"]);
    assert_eq!(bench.replica.deadline(), None);
}

#[test]
fn p22_votes_so_divided_that_nothing_can_be_sealed_stop_it_too() {
    let it = proposal(&genesis(), 0, 5);
    let header = header_of(&it, &set(4));
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    bench.hear(5, 0, prepare(&it, 0));
    bench.hear(5, 2, prepare(&it, 0));
    bench.execute(5, &it);
    assert!(bench.hear(6, 0, commit(&unlike(&header), 0)).is_empty(), "one may lie");
    let mut third = unlike(&header);
    third.outcomes_root.0[0] ^= 1;
    assert_eq!(bench.hear(6, 2, commit(&third, 0)), ["diverged at 1 from 2"]);
}

#[test]
fn p22_another_proposal_is_no_divergence_its_block_is_fetched() {
    let mine = proposal(&genesis(), 0, 5);
    let theirs = header_of(&proposal(&genesis(), 0, 6), &set(4));
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&mine, 0));
    bench.execute(5, &mine);
    bench.hear(6, 0, commit(&theirs, 0));
    bench.hear(6, 2, commit(&theirs, 0));
    assert_eq!(bench.hear(6, 3, commit(&theirs, 0)), ["fetch 1 from 0"]);
}

#[test]
fn p22_a_halted_replica_votes_no_more_even_if_blocks_come() {
    let it = proposal(&genesis(), 0, 5);
    let header = header_of(&it, &set(4));
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    bench.execute(5, &it);
    let next = proposal(&crate::fixtures::head_of(&header, view(0)), 0, 6);
    bench.hear(6, 0, pre_prepare(&next, 0));
    for from in [0, 2, 3] {
        bench.hear(6, from, commit(&unlike(&header), 0));
    }
    let seal = seal(&header, 0, &[0, 2, 3]);
    assert!(bench.feed(7, Input::Sealed { header, seal }).is_empty(), "it follows, silently");
    assert_eq!(bench.replica.status().height.get(), 2);
}
