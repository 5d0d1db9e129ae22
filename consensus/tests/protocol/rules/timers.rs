//! P15 and P16: when a view is left, and what is said again.

use super::{Bench, brief};
use crate::fixtures::{
    HEARTBEAT, RETRANSMIT, VIEW_TIMEOUT, VIEW_TIMEOUT_CAP, commit, genesis, header_of, new_view,
    pre_prepare, prepare, proposal, set, sign, view, view_change,
};
use probata_consensus::Input;
use probata_types::Hash;

/// Ticks until the view is left, and says when that was.
fn left_at(bench: &mut Bench) -> u64 {
    loop {
        let (due, said) = bench.tick();
        if said.iter().any(|it| it.starts_with("persist ViewChange")) {
            return due;
        }
    }
}

#[test]
fn p15_an_idle_replica_waits_for_the_heartbeat_and_a_timeout() {
    assert_eq!(left_at(&mut Bench::new(3)), HEARTBEAT + VIEW_TIMEOUT);
}

#[test]
fn p15_work_a_proposal_or_the_votes_of_more_than_f_start_the_timeout() {
    let it = proposal(&genesis(), 0, 40);
    let mut with_work = Bench::new(3);
    with_work.feed(40, Input::Work(true));
    assert_eq!(left_at(&mut with_work), 40 + VIEW_TIMEOUT);
    let mut with_proposal = Bench::new(3);
    with_proposal.hear(40, 0, pre_prepare(&it, 0));
    assert_eq!(left_at(&mut with_proposal), 40 + VIEW_TIMEOUT);
    let mut with_votes = Bench::new(3);
    with_votes.hear(30, 1, prepare(&it, 0));
    with_votes.hear(40, 2, prepare(&it, 0));
    assert_eq!(left_at(&mut with_votes), 40 + VIEW_TIMEOUT);
}

#[test]
fn p15_the_votes_of_f_validators_may_be_made_up_and_start_nothing() {
    let mut bench = Bench::new(3);
    let digest = Hash([1; 32]);
    let (height, view) = (crate::fixtures::height(1), view(0));
    bench.hear(40, 1, probata_consensus::MessageBody::Prepare { height, view, digest });
    let header = header_of(&proposal(&genesis(), 0, 40), &set(4));
    bench.hear(40, 1, commit(&header, 0));
    assert_eq!(left_at(&mut bench), HEARTBEAT + VIEW_TIMEOUT);
}

#[test]
fn p15_whoever_leaves_alone_does_not_run_ahead() {
    let mut bench = Bench::new(3);
    bench.feed(0, Input::Work(true));
    let left = left_at(&mut bench);
    let mut now = left;
    while now < left + 50 * VIEW_TIMEOUT_CAP {
        let (due, said) = bench.tick();
        assert_eq!(said, ["say ViewChange 1/1"], "it repeats, and asks for no more");
        now = due;
    }
    assert_eq!(bench.replica.status().leaving_for, Some(view(1)));
}

#[test]
fn p15_with_a_quorum_the_timeout_doubles_up_to_the_cap() {
    let mut bench = Bench::new(3);
    bench.feed(0, Input::Work(true));
    let mut before = left_at(&mut bench);
    assert_eq!(before, VIEW_TIMEOUT);
    for (to, length) in [(1, 2_000), (2, 4_000), (3, VIEW_TIMEOUT_CAP), (4, VIEW_TIMEOUT_CAP)] {
        bench.hear(before, 1, view_change(1, to, None));
        bench.hear(before, 2, view_change(1, to, None));
        let left = left_at(&mut bench);
        assert_eq!(left - before, length, "from view {to}");
        before = left;
    }
}

#[test]
fn p15_a_seal_brings_the_timeout_back_to_its_base() {
    let mut bench = Bench::new(3);
    bench.feed(0, Input::Work(true));
    let left = left_at(&mut bench);
    let wishes = [0, 1, 2].map(|from| sign(from, view_change(1, 1, None)));
    bench.hear(left, 1, new_view(&wishes, None));
    let head = bench.seal(left + 1, 1, 1, &genesis());
    bench.feed(left + 2, Input::Work(true));
    assert_eq!(left_at(&mut bench), left + 2 + VIEW_TIMEOUT);
    assert_eq!(head.height.get(), 1);
}

#[test]
fn p15_without_a_seal_the_next_view_gets_the_doubled_time() {
    let mut bench = Bench::new(3);
    bench.feed(0, Input::Work(true));
    let left = left_at(&mut bench);
    let wishes = [0, 1, 2].map(|from| sign(from, view_change(1, 1, None)));
    bench.hear(left, 1, new_view(&wishes, None));
    assert_eq!(left_at(&mut bench), left + 2 * VIEW_TIMEOUT);
}

#[test]
fn p15_a_tick_before_its_time_does_nothing() {
    let mut bench = Bench::new(3);
    assert_eq!(brief(&bench.feed(5, Input::Tick)), ["ignored NothingDue"]);
}

#[test]
fn p16_own_messages_are_repeated_while_the_height_is_open() {
    let it = proposal(&genesis(), 0, 5);
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    assert_eq!(bench.tick(), (5 + RETRANSMIT, vec!["say Prepare 1/0".to_owned()]));
    bench.execute(310, &it);
    bench.hear(310, 0, prepare(&it, 0));
    bench.hear(310, 2, prepare(&it, 0));
    let again = ["say Prepare 1/0", "say Commit 1/0"].map(str::to_owned).to_vec();
    assert_eq!(bench.tick(), (310 + RETRANSMIT, again));
    let header = header_of(&it, &set(4));
    bench.hear(700, 0, commit(&header, 0));
    bench.hear(700, 2, commit(&header, 0));
    assert!(bench.replica.deadline().expect("a heartbeat").get() > 700 + RETRANSMIT, "silence");
}

#[test]
fn p16_a_leader_repeats_its_proposal() {
    let mut bench = Bench::new(0);
    let due = 5;
    bench.feed(due, Input::Work(true));
    bench.feed(due, Input::Proposed(proposal(&genesis(), 0, due)));
    let again = ["say PrePrepare 1/0", "say Prepare 1/0"].map(str::to_owned).to_vec();
    assert_eq!(bench.tick(), (due + RETRANSMIT, again));
}

#[test]
fn p16_of_a_view_that_is_left_only_the_wish_to_leave_is_repeated() {
    let mut bench = Bench::new(3);
    bench.hear(5, 0, pre_prepare(&proposal(&genesis(), 0, 5), 0));
    bench.feed(10, Input::Censored);
    assert_eq!(bench.tick(), (10 + RETRANSMIT, vec!["say ViewChange 1/1".to_owned()]));
}

#[test]
fn p16_whoever_asks_for_the_view_that_others_are_in_is_shown_its_new_view() {
    let mut bench = Bench::new(3);
    let wishes = [0, 1, 2].map(|from| sign(from, view_change(1, 1, None)));
    bench.hear(5, 1, new_view(&wishes, None));
    let asks = || view_change(1, 1, None);
    assert_eq!(bench.hear(10, 0, asks()), ["send 0 NewView 1/1", "ignored Old"]);
    assert_eq!(bench.hear(11, 0, asks()), ["ignored Old"], "not without end");
    let later = 10 + RETRANSMIT;
    assert_eq!(bench.hear(later, 0, asks()), ["send 0 NewView 1/1", "ignored Old"]);
}
