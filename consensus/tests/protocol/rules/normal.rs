//! P3 to P9 and P23: who leads, and from a proposal to a seal.

use super::{Bench, brief};
use crate::fixtures::{
    BATCH_DELAY, HEARTBEAT, MESSAGE_DELAY, PRECISION, commit, genesis, header_of, index,
    pre_prepare, prepare, proposal, set, settings, submission, view,
};
use probata_consensus::{Input, Output, Settings};
use probata_types::{Hash, List, Millis};

#[test]
fn p3_the_leader_moves_with_the_view_and_with_rotation() {
    let set = set(4);
    let lead = |height, in_view, rotation| {
        set.leader(crate::fixtures::height(height), view(in_view), rotation).0
    };
    assert_eq!([lead(1, 0, 0), lead(9, 0, 0), lead(9, 1, 0), lead(9, 6, 0)], [0, 0, 1, 2]);
    assert_eq!([lead(1, 0, 1), lead(2, 0, 1), lead(3, 0, 1), lead(4, 1, 1)], [1, 2, 3, 1]);
    assert_eq!([lead(2, 0, 3), lead(3, 0, 3), lead(5, 0, 3), lead(6, 0, 3)], [0, 1, 1, 2]);
}

#[test]
fn p3_a_proposal_of_one_who_does_not_lead_is_ignored() {
    let mut bench = Bench::new(1);
    let by_another = proposal(&genesis(), 2, 0);
    assert_eq!(bench.hear(0, 2, pre_prepare(&by_another, 0)), ["ignored NotTheLeader"]);
}

#[test]
fn p4_a_leader_proposes_what_comes_alone_at_once_and_once() {
    let mut bench = Bench::new(0);
    let due = 10;
    assert_eq!(brief(&bench.feed(due, Input::Work(true))), ["propose 1/0"]);
    assert!(bench.feed(due + 1, Input::Work(true)).is_empty(), "asked once");
    let answer = bench.feed(due + 1, Input::Proposed(proposal(&genesis(), 0, due)));
    let expected = [
        "persist Proposed 1/0",
        "persist Prepare 1/0",
        "say PrePrepare 1/0",
        "execute 1",
        "say Prepare 1/0",
    ];
    assert_eq!(brief(&answer), expected);
    let again = bench.feed(due + 2, Input::Proposed(proposal(&genesis(), 0, due + 2)));
    assert_eq!(brief(&again), ["ignored NotAsked"]);
}

/// A leader that has sealed a block of so many submissions at 10.
fn has_sealed(settings: Settings, submissions: u64) -> Bench {
    let (mut bench, _) = Bench::with(settings, genesis(), Vec::new());
    bench.feed(10, Input::Work(true));
    let mut it = proposal(&genesis(), 0, 10);
    it.submissions = List::new((0..submissions).map(submission).collect()).expect("few");
    bench.feed(10, Input::Proposed(it.clone()));
    bench.execute(10, &it);
    for from in 1..4 {
        bench.hear(10, from, commit(&header_of(&it, &set(4)), 0));
    }
    bench
}

#[test]
fn p4_after_a_block_of_several_a_leader_waits_for_company() {
    for (submissions, waits) in [(0, false), (1, false), (2, true), (9, true)] {
        let mut bench = has_sealed(settings(4, Some(0)), submissions);
        let said = brief(&bench.feed(20, Input::Work(true)));
        assert_eq!(said.is_empty(), waits, "after {submissions}: {said:?}");
        let due = (20 + BATCH_DELAY, vec!["propose 2/0".to_owned()]);
        assert!(!waits || bench.tick() == due, "after {submissions}");
    }
}

#[test]
fn p4_without_a_batch_delay_a_leader_never_waits() {
    let mut at_once = settings(4, Some(0));
    at_once.batch_delay = Millis::ZERO;
    let mut bench = has_sealed(at_once, 2);
    assert_eq!(brief(&bench.feed(20, Input::Work(true))), ["propose 2/0"]);
}

#[test]
fn p4_nobody_proposes_unasked_or_without_leading() {
    let mut leader = Bench::new(0);
    let unasked = leader.feed(5, Input::Proposed(proposal(&genesis(), 0, 5)));
    assert_eq!(brief(&unasked), ["ignored NotAsked"]);
    let mut other = Bench::new(1);
    assert!(other.feed(5, Input::Work(true)).is_empty());
    let not_its_turn = other.feed(6, Input::Proposed(proposal(&genesis(), 1, 6)));
    assert_eq!(brief(&not_its_turn), ["ignored NotAsked"]);
}

#[test]
fn p5_a_proposal_must_stand_on_the_head_in_time_and_be_its_leaders() {
    let good = proposal(&genesis(), 0, 1_000);
    let mut wrong_parent = good.clone();
    wrong_parent.parent = Hash([9; 32]);
    let mut as_old_as_its_parent = good.clone();
    as_old_as_its_parent.time = genesis().time;
    let mut in_anothers_name = good.clone();
    in_anothers_name.proposer = index(2);
    let cases = [
        (wrong_parent, 1_000, "ignored WrongParent"),
        (as_old_as_its_parent, 0, "ignored WrongTime"),
        (good.clone(), 1_001 + PRECISION + MESSAGE_DELAY, "ignored WrongTime"),
        (proposal(&genesis(), 0, 1_001 + PRECISION + MESSAGE_DELAY), 0, "ignored WrongTime"),
        (in_anothers_name, 1_000, "ignored BadProposal"),
    ];
    for (proposal, now, expected) in cases {
        let mut bench = Bench::new(1);
        assert_eq!(bench.hear(now, 0, pre_prepare(&proposal, 0)), [expected]);
    }
    for now in [1_000 + PRECISION + MESSAGE_DELAY, 0] {
        let taken = Bench::new(1).hear(now, 0, pre_prepare(&good, 0));
        assert_eq!(taken.len(), 3, "at the edge of the time allowed: {taken:?}");
    }
}

#[test]
fn p5_the_first_proposal_of_a_view_counts_and_no_other() {
    let mut bench = Bench::new(1);
    let first = proposal(&genesis(), 0, 5);
    assert_eq!(bench.hear(5, 0, pre_prepare(&first, 0)).len(), 3);
    assert_eq!(bench.hear(6, 0, pre_prepare(&first, 0)), ["ignored Duplicate"]);
    let other = proposal(&genesis(), 0, 6);
    let said = bench.hear(6, 0, pre_prepare(&other, 0));
    assert!(!said.iter().any(|it| it.contains("say Prepare")), "{said:?}");
}

#[test]
fn p6_a_prepare_is_on_disk_before_it_is_sent() {
    let mut bench = Bench::new(1);
    let said = bench.hear(5, 0, pre_prepare(&proposal(&genesis(), 0, 5), 0));
    assert_eq!(said, ["persist Prepare 1/0", "execute 1", "say Prepare 1/0"]);
}

#[test]
fn p7_a_quorum_of_prepares_for_the_own_vote_is_a_certificate() {
    let mut bench = Bench::new(1);
    let it = proposal(&genesis(), 0, 5);
    bench.hear(5, 0, pre_prepare(&it, 0));
    assert!(bench.hear(6, 0, prepare(&it, 0)).is_empty(), "two of four");
    assert_eq!(bench.hear(6, 0, prepare(&it, 0)), ["ignored Duplicate"]);
    assert_eq!(bench.hear(7, 2, prepare(&it, 0)), ["persist Prepared 1/0"], "three of four");
    assert!(bench.hear(8, 3, prepare(&it, 0)).is_empty(), "one more changes nothing");
}

#[test]
fn p7_votes_for_another_proposal_or_without_the_own_do_not_prepare() {
    let mut bench = Bench::new(1);
    let (it, other) = (proposal(&genesis(), 0, 5), proposal(&genesis(), 0, 6));
    for from in [0, 2, 3] {
        assert!(bench.hear(5, from, prepare(&other, 0)).is_empty(), "no proposal here");
    }
    let said = bench.hear(5, 0, pre_prepare(&it, 0));
    assert_eq!(said, ["persist Prepare 1/0", "execute 1", "say Prepare 1/0"]);
}

#[test]
fn p8_a_commit_needs_certificate_and_execution_in_either_order() {
    let it = proposal(&genesis(), 0, 5);
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    assert!(bench.execute(5, &it).is_empty(), "executed, not prepared");
    bench.hear(6, 0, prepare(&it, 0));
    let said = bench.hear(6, 2, prepare(&it, 0));
    assert_eq!(said, ["persist Prepared 1/0", "persist Commit 1/0", "say Commit 1/0"]);

    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    bench.hear(6, 0, prepare(&it, 0));
    bench.hear(6, 2, prepare(&it, 0));
    assert_eq!(bench.execute(7, &it), ["persist Commit 1/0", "say Commit 1/0"]);
    assert!(bench.execute(8, &it).is_empty(), "once");
}

#[test]
fn p8_what_was_executed_for_a_height_that_is_sealed_brings_no_vote() {
    let mut bench = Bench::new(1);
    bench.seal(5, 0, 0, &genesis());
    let late = proposal(&genesis(), 0, 5);
    assert_eq!(bench.execute(9, &late), ["ignored Old"]);
}

#[test]
fn p9_a_quorum_of_commits_of_one_view_seals() {
    let it = proposal(&genesis(), 0, 5);
    let header = header_of(&it, &set(4));
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    bench.execute(5, &it);
    assert!(bench.hear(6, 0, commit(&header, 0)).is_empty());
    assert!(bench.hear(6, 2, commit(&header, 0)).is_empty());
    let outputs = bench.feed(7, Input::Message(crate::fixtures::say(4, 3, commit(&header, 0))));
    let [Output::Commit { header: sealed, seal, proposal }] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!((sealed, proposal), (&header, &it));
    assert_eq!(seal.verify(&header, &set(4)), Ok(()));
    assert_eq!(bench.replica.status().height.get(), 2);
}

#[test]
fn p9_commits_of_two_views_do_not_add_up() {
    let it = proposal(&genesis(), 0, 5);
    let header = header_of(&it, &set(4));
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    bench.execute(5, &it);
    bench.hear(6, 0, commit(&header, 0));
    bench.hear(6, 2, commit(&header, 0));
    assert_eq!(bench.hear(7, 3, commit(&header, 1)), ["ignored KeptForLater"]);
    assert_eq!(bench.replica.status().height.get(), 1);
}

#[test]
fn p9_a_commit_that_comes_twice_counts_once() {
    let it = proposal(&genesis(), 0, 5);
    let header = header_of(&it, &set(4));
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    bench.execute(5, &it);
    assert!(bench.hear(6, 0, commit(&header, 0)).is_empty());
    for _ in 0..3 {
        assert_eq!(bench.hear(7, 0, commit(&header, 0)), ["ignored Duplicate"]);
    }
    assert_eq!(bench.replica.status().commits, 1);
}

#[test]
fn p9_commits_before_the_execution_wait_for_it() {
    let it = proposal(&genesis(), 0, 5);
    let header = header_of(&it, &set(4));
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    for from in [0, 2, 3] {
        assert!(bench.hear(6, from, commit(&header, 0)).is_empty());
    }
    assert_eq!(bench.execute(7, &it), ["commit 1/0"]);
}

#[test]
fn p23_an_idle_leader_proposes_at_the_heartbeat() {
    let mut bench = Bench::new(0);
    assert_eq!(bench.tick(), (HEARTBEAT, vec!["propose 1/0".to_owned()]));
}

#[test]
fn p23_a_heartbeat_is_counted_from_the_last_seal() {
    let mut bench = Bench::new(0);
    let due = 10;
    bench.feed(due, Input::Work(true));
    let it = proposal(&genesis(), 0, due);
    bench.feed(due, Input::Proposed(it.clone()));
    bench.execute(due, &it);
    for from in 1..4 {
        bench.hear(700, from, commit(&header_of(&it, &set(4)), 0));
    }
    assert_eq!(bench.tick(), (700 + HEARTBEAT, vec!["propose 2/0".to_owned()]));
}
