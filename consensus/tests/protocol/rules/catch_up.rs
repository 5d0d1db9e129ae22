//! P17 to P19: messages for later, blocks that are missing, and those who lag behind.

use super::{Bench, brief};
use crate::fixtures::{
    RETRANSMIT, certificate, commit, genesis, head_of, header_of, height, new_view, pre_prepare,
    prepare, proposal, seal, set, settings, sign, view, view_change,
};
use probata_consensus::{Head, Input, MessageBody, limits};
use probata_types::Header;

fn first() -> (Header, Head) {
    let header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    let head = head_of(&header, view(0));
    (header, head)
}

/// A replica that goes on from the first block, and that block.
fn after_first(me: usize) -> (Bench, Head) {
    let (header, head) = first();
    let (mut bench, _) = Bench::with(settings(4, Some(me)), head.clone(), Vec::new());
    let seal = seal(&header, 0, &[0, 1, 2]);
    assert!(bench.feed(0, Input::Sealed { header, seal }).is_empty());
    (bench, head)
}

#[test]
fn p17_what_comes_too_early_is_taken_when_its_height_has_come() {
    let (header, head) = first();
    let next = proposal(&head, 0, 6);
    let mut bench = Bench::new(1);
    assert_eq!(bench.hear(5, 2, prepare(&next, 0)), ["ignored KeptForLater"]);
    assert_eq!(bench.hear(5, 0, pre_prepare(&next, 0)), ["ignored KeptForLater"]);
    let of_next = header_of(&next, &set(4));
    assert_eq!(bench.hear(5, 3, commit(&of_next, 0)), ["ignored KeptForLater"]);
    let said = brief(&bench.feed(6, Input::Sealed { seal: seal(&header, 0, &[0, 1, 2]), header }));
    assert_eq!(said, ["persist Prepare 2/0", "execute 2", "say Prepare 2/0"]);
    assert_eq!(bench.replica.status().prepares, 2, "the vote of 2 was kept");
    assert_eq!(bench.replica.status().commits, 1, "the vote of 3 was kept");
}

#[test]
fn p17_what_is_for_a_higher_view_waits_for_its_new_view() {
    let it = proposal(&genesis(), 1, 6);
    let mut bench = Bench::new(3);
    assert_eq!(bench.hear(5, 1, pre_prepare(&it, 1)), ["ignored KeptForLater"]);
    assert_eq!(bench.hear(5, 2, prepare(&it, 1)), ["ignored KeptForLater"]);
    let wishes = [0, 1, 2].map(|from| sign(from, view_change(1, 1, None)));
    let said = bench.hear(6, 1, new_view(&wishes, None));
    let expected = ["persist Entered 1/1", "persist Prepare 1/1", "execute 1", "say Prepare 1/1"];
    assert_eq!(said, expected);
    assert_eq!(bench.replica.status().prepares, 2);
}

#[test]
fn p17_what_is_kept_is_bounded_for_each_sender() {
    let mut bench = Bench::new(3);
    let it = proposal(&genesis(), 0, 5);
    for in_view in 1..50 {
        assert_eq!(bench.hear(5, 2, prepare(&it, in_view)), ["ignored KeptForLater"]);
        assert_eq!(bench.hear(5, 2, prepare(&it, in_view)), ["ignored Duplicate"]);
    }
    assert_eq!(bench.hear(5, 2, prepare(&it, 3)), ["ignored Duplicate"], "the newest stays");
    let far = MessageBody::Prepare {
        height: height(2 + limits::HEIGHTS_AHEAD),
        view: view(0),
        digest: it.digest(),
    };
    assert_eq!(bench.hear(5, 2, far), ["ignored TooFarAhead"]);
    assert_eq!(bench.hear(5, 2, pre_prepare(&it, 1)), ["ignored NotTheLeader"]);
}

#[test]
fn p17_of_proposals_the_nearest_stay() {
    let (header, head) = first();
    let mut bench = Bench::new(3);
    let next = proposal(&head, 0, 6);
    bench.hear(5, 0, pre_prepare(&next, 0));
    for (leader, in_view) in [(1, 1), (2, 2)] {
        bench.hear(5, leader, pre_prepare(&proposal(&genesis(), leader, 5), in_view));
    }
    let said = brief(&bench.feed(6, Input::Sealed { seal: seal(&header, 0, &[0, 1, 2]), header }));
    assert!(said.is_empty(), "two nearer ones took its place, and it is sent again: {said:?}");
    assert_eq!(bench.hear(7, 0, pre_prepare(&next, 0)).len(), 3);
}

#[test]
fn p17_what_was_kept_is_judged_like_any_other_when_its_time_has_come() {
    let (header, mut head) = first();
    head.hash.0[0] ^= 1;
    let elsewhere = proposal(&head, 0, 6);
    let mut bench = Bench::new(1);
    assert_eq!(bench.hear(5, 0, pre_prepare(&elsewhere, 0)), ["ignored KeptForLater"]);
    let said = brief(&bench.feed(6, Input::Sealed { seal: seal(&header, 0, &[0, 1, 2]), header }));
    assert_eq!(said, ["ignored WrongParent"]);
}

#[test]
fn p18_one_seal_above_is_reason_enough_to_fetch() {
    let (_, head) = first();
    let second = header_of(&proposal(&head, 0, 6), &set(4));
    let mut bench = Bench::new(3);
    let shown = MessageBody::Head { seal: seal(&second, 0, &[0, 1, 2]), header: second };
    assert_eq!(bench.hear(5, 2, shown.clone()), ["fetch 2 from 2"]);
    assert!(bench.hear(6, 1, shown.clone()).is_empty(), "asked already");
    assert_eq!(bench.hear(5 + RETRANSMIT, 1, shown), ["fetch 2 from 1"]);
}

#[test]
fn p18_more_than_f_that_speak_of_more_are_believed_and_fewer_are_not() {
    let (_, head) = first();
    let far = MessageBody::Prepare { height: height(9), view: view(0), digest: head.hash };
    let mut bench = Bench::new(3);
    assert_eq!(bench.hear(5, 1, far.clone()), ["ignored TooFarAhead"], "one may lie");
    let farther = MessageBody::Prepare { height: height(12), view: view(0), digest: head.hash };
    assert_eq!(bench.hear(6, 2, farther), ["fetch 8 from 1", "ignored TooFarAhead"]);
}

#[test]
fn p18_one_height_ahead_is_usual_for_a_while() {
    let (_, head) = first();
    let next = proposal(&head, 0, 6);
    let mut bench = Bench::new(3);
    for from in [1, 2] {
        assert_eq!(bench.hear(5, from, prepare(&next, 0)), ["ignored KeptForLater"]);
    }
    let (due, said) = bench.tick();
    assert_eq!((due, said), (RETRANSMIT, vec!["fetch 1 from 2".to_owned()]));
}

#[test]
fn p18_a_quorum_of_commits_without_the_proposal_is_fetched_until_it_comes() {
    let (header, _) = first();
    let mut bench = Bench::new(3);
    for from in [0, 1] {
        assert!(bench.hear(5, from, commit(&header, 0)).is_empty());
    }
    assert_eq!(bench.hear(5, 2, commit(&header, 0)), ["fetch 1 from 0"]);
    assert_eq!(bench.tick(), (RETRANSMIT, Vec::new()), "asked a moment ago");
    assert_eq!(bench.tick(), (2 * RETRANSMIT, vec!["fetch 1 from 0".to_owned()]));
    let seal = seal(&header, 0, &[0, 1, 2]);
    bench.feed(700, Input::Sealed { header, seal });
    assert_eq!(bench.replica.status().height.get(), 2);
}

#[test]
fn p19_whoever_lags_is_shown_the_newest_seal_now_and_then() {
    let (mut bench, _) = after_first(3);
    let old = || prepare(&proposal(&genesis(), 0, 5), 0);
    assert_eq!(bench.hear(5, 2, old()), ["ignored Old"], "late votes are usual");
    let later = RETRANSMIT;
    assert_eq!(bench.hear(later, 2, old()), ["send 2 Head 1/0", "ignored Old"]);
    assert_eq!(bench.hear(later + 1, 2, old()), ["ignored Old"], "not without end");
    assert_eq!(bench.hear(later + 2, 1, old()), ["send 1 Head 1/0", "ignored Old"]);
    let again = later + RETRANSMIT;
    assert_eq!(bench.hear(again, 2, old()), ["send 2 Head 1/0", "ignored Old"]);
}

#[test]
fn p19_a_laggard_that_leaves_its_view_is_helped_and_not_counted() {
    let (mut bench, _) = after_first(3);
    let said = bench.hear(RETRANSMIT, 2, view_change(1, 1, None));
    assert_eq!(said, ["send 2 Head 1/0", "ignored Old"]);
    assert!(bench.hear(RETRANSMIT, 1, view_change(2, 1, None)).is_empty(), "one of this height");
    let said = bench.hear(RETRANSMIT, 2, view_change(2, 1, None));
    assert_eq!(said, ["persist ViewChange 2/1", "say ViewChange 2/1"], "f+1 want it");
}

#[test]
fn p19_a_head_that_is_known_is_ignored() {
    let (header, _) = first();
    let (mut bench, _) = after_first(3);
    let shown = MessageBody::Head { seal: seal(&header, 0, &[0, 1, 2]), header };
    assert_eq!(bench.hear(5, 2, shown), ["ignored Old"]);
}

#[test]
fn p19_a_restarted_replica_can_show_its_head_once_it_was_handed_over() {
    let (header, head) = first();
    let (mut bench, _) = Bench::with(settings(4, Some(3)), head, Vec::new());
    let old = || prepare(&proposal(&genesis(), 0, 5), 0);
    assert_eq!(bench.hear(RETRANSMIT, 2, old()), ["ignored Old"]);
    let handed_over = Input::Sealed { seal: seal(&header, 0, &[0, 1, 2]), header };
    assert!(bench.feed(RETRANSMIT, handed_over.clone()).is_empty());
    assert_eq!(brief(&bench.feed(RETRANSMIT, handed_over)), ["ignored Old"]);
    assert_eq!(bench.hear(RETRANSMIT, 2, old()), ["send 2 Head 1/0", "ignored Old"]);
}

#[test]
fn p18_followers_go_where_blocks_lead_and_say_nothing() {
    let (header, _) = first();
    let (mut bench, _) = Bench::with(settings(4, None), genesis(), Vec::new());
    assert_eq!(bench.replica.deadline(), None);
    let it = proposal(&genesis(), 0, 5);
    assert_eq!(bench.hear(5, 0, pre_prepare(&it, 0)), ["ignored Follower"]);
    let locked = certificate(&it, 0, &[0, 1, 2]);
    assert_eq!(bench.hear(5, 0, view_change(1, 1, Some(locked))), ["ignored Follower"]);
    let seal = seal(&header, 0, &[0, 1, 2]);
    assert!(bench.feed(6, Input::Sealed { header, seal }).is_empty());
    assert_eq!(bench.replica.status().height.get(), 2);
}
