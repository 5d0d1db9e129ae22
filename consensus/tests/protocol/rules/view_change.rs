//! P10 to P14: into a view by a seal, out of it, and into the next one.

use super::Bench;
use crate::fixtures::{
    Locked, VIEW_TIMEOUT, certificate, commit, genesis, header_of, new_view, pre_prepare, prepare,
    proposal, seal, set, settings, sign, view, view_change,
};
use probata_consensus::{Input, Message, MessageBody, Promise, limits};
use probata_types::Proposal;

fn wishes(from: &[usize], to: u64) -> Vec<Message> {
    from.iter().map(|from| sign(*from, view_change(1, to, None))).collect()
}

/// View changes of 1, 2 and 3 for view 1, of which 2's shows a certificate.
fn wishes_with(prepared: &Locked) -> Vec<Message> {
    let mut all = wishes(&[1, 2, 3], 1);
    all[1] = sign(2, view_change(1, 1, Some(prepared.clone())));
    all
}

fn locked() -> (Proposal, Locked) {
    let it = proposal(&genesis(), 0, 5);
    (it.clone(), certificate(&it, 0, &[0, 2, 3]))
}

/// A replica that holds a certificate for a proposal of view 0.
fn prepared(me: usize) -> (Bench, Proposal) {
    let it = proposal(&genesis(), 0, 5);
    let mut bench = Bench::new(me);
    bench.hear(5, 0, pre_prepare(&it, 0));
    for from in [0, 2, 3] {
        bench.hear(6, from, prepare(&it, 0));
    }
    (bench, it)
}

#[test]
fn p10_a_seal_carries_its_view_to_whoever_gets_it() {
    let mut bench = Bench::new(3);
    let header = header_of(&proposal(&genesis(), 2, 5), &set(4));
    let of_quorum = seal(&header, 2, &[0, 1, 2]);
    bench.feed(9, Input::Sealed { header: header.clone(), seal: of_quorum });
    let status = bench.replica.status();
    assert_eq!((status.height.get(), status.view), (2, view(2)));
    let next = proposal(&crate::fixtures::head_of(&header, view(2)), 2, 10);
    let said = bench.hear(10, 2, pre_prepare(&next, 2));
    assert_eq!(said, ["persist Prepare 2/2", "execute 2", "say Prepare 2/2"], "freely proposed");
}

#[test]
fn p10_a_seal_ends_the_wish_to_leave_whatever_its_view() {
    for sealed_in in [0, 1, 2] {
        let mut bench = Bench::new(3);
        bench.feed(5, Input::Censored);
        assert_eq!(bench.replica.status().leaving_for, Some(view(1)));
        let header = header_of(&proposal(&genesis(), 2, 5), &set(4));
        let head = crate::fixtures::head_of(&header, view(sealed_in));
        let seal = seal(&header, sealed_in, &[0, 1, 2]);
        assert!(bench.feed(9, Input::Sealed { header, seal }).is_empty());
        assert_eq!(bench.replica.status().leaving_for, None, "sealed in {sealed_in}");
        assert_eq!(bench.replica.status().view, view(sealed_in));
        let leader = usize::try_from(sealed_in).expect("below four");
        let next = pre_prepare(&proposal(&head, leader, 10), sealed_in);
        let said = bench.hear(10, leader, next);
        assert_eq!(said.last(), Some(&format!("say Prepare 2/{sealed_in}")), "it votes again");
    }
}

#[test]
fn p10_who_asked_for_views_of_a_sealed_height_is_not_counted_at_the_next() {
    let mut bench = Bench::new(3);
    bench.hear(5, 1, view_change(1, 1, None));
    bench.seal(6, 0, 0, &genesis());
    assert!(bench.hear(7, 2, view_change(2, 1, None)).is_empty(), "one of this height");
    assert_eq!(bench.hear(8, 1, view_change(1, 2, None)), ["ignored Old"]);
    assert_eq!(bench.replica.status().leaving_for, None);
}

#[test]
fn p12_wishes_of_the_next_height_are_heeded_when_it_comes() {
    let mut bench = Bench::new(1);
    bench.hear(5, 2, view_change(2, 1, None));
    bench.hear(5, 3, view_change(2, 1, None));
    assert_eq!(bench.replica.status().leaving_for, None, "this height is not theirs");
    let header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    let seal = seal(&header, 0, &[0, 2, 3]);
    let said = super::brief(&bench.feed(9, Input::Sealed { header, seal }));
    let expected =
        ["persist ViewChange 2/1", "persist Entered 2/1", "say ViewChange 2/1", "say NewView 2/1"];
    assert_eq!(said, expected, "joined, and opened by its leader");
}

#[test]
fn p10_a_seal_of_a_lower_view_does_not_lower_the_view() {
    let mut bench = Bench::new(3);
    bench.get(5, sign(1, new_view(&wishes(&[0, 1, 2], 1), None)));
    assert_eq!(bench.replica.status().view, view(1));
    let header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    let seal = seal(&header, 0, &[0, 1, 2]);
    bench.feed(9, Input::Sealed { header, seal });
    assert_eq!(bench.replica.status().view, view(1));
}

#[test]
fn p11_who_leaves_says_what_is_prepared_and_votes_no_more() {
    let (mut bench, it) = prepared(1);
    let said = super::brief(&bench.feed(50, Input::Censored));
    // It leads view 1, where two more are needed.
    assert_eq!(said, ["persist ViewChange 1/1", "say ViewChange 1/1"]);
    assert!(bench.execute(60, &it).is_empty(), "no Commit any more");
    let (mut bench, it) = prepared(3);
    let outputs = bench.feed(50, Input::Censored);
    let shown = outputs.iter().find_map(|output| match output {
        probata_consensus::Output::Broadcast(message) => message.proposal(),
        _ => None,
    });
    assert_eq!(shown, Some(&it));
    assert_eq!(bench.hear(60, 0, pre_prepare(&it, 0)), ["ignored Duplicate"]);
}

#[test]
fn p11_a_proposal_that_comes_after_leaving_is_not_voted_for() {
    let mut bench = Bench::new(3);
    bench.feed(5, Input::Censored);
    let said = bench.hear(6, 0, pre_prepare(&proposal(&genesis(), 0, 5), 0));
    assert_eq!(said, ["ignored LeavingView"]);
}

#[test]
fn p11_censorship_is_no_reason_for_the_leader_and_only_once() {
    let mut leader = Bench::new(0);
    assert_eq!(super::brief(&leader.feed(5, Input::Censored)), ["ignored NotAsked"]);
    let mut other = Bench::new(3);
    assert_eq!(other.feed(5, Input::Censored).len(), 2);
    assert_eq!(super::brief(&other.feed(6, Input::Censored)), ["ignored LeavingView"]);
}

#[test]
fn p11_seals_are_taken_from_the_view_that_is_being_left() {
    let it = proposal(&genesis(), 0, 5);
    let mut bench = Bench::new(3);
    bench.hear(5, 0, pre_prepare(&it, 0));
    bench.execute(5, &it);
    bench.feed(6, Input::Censored);
    let header = header_of(&it, &set(4));
    bench.hear(7, 0, commit(&header, 0));
    bench.hear(7, 1, commit(&header, 0));
    assert_eq!(bench.hear(7, 2, commit(&header, 0)), ["commit 1/0"]);
}

#[test]
fn p12_more_than_f_who_want_higher_views_are_joined_at_the_lowest_of_them() {
    let mut bench = Bench::new(3);
    assert!(bench.hear(5, 1, view_change(1, 5, None)).is_empty(), "one may lie");
    assert_eq!(bench.hear(6, 1, view_change(1, 5, None)), ["ignored Duplicate"]);
    let said = bench.hear(7, 2, view_change(1, 2, None));
    assert_eq!(said, ["persist ViewChange 1/2", "say ViewChange 1/2"]);
    assert_eq!(bench.replica.status().leaving_for, Some(view(2)));
}

#[test]
fn p12_wishes_of_different_heights_do_not_add_up() {
    let mut bench = Bench::new(3);
    bench.hear(5, 1, view_change(1, 2, None));
    assert!(bench.hear(7, 2, view_change(2, 2, None)).is_empty());
    let said = bench.hear(8, 0, view_change(1, 1, None));
    assert_eq!(said, ["persist ViewChange 1/1", "say ViewChange 1/1"]);
}

#[test]
fn p13_a_quorum_lets_the_leader_open_the_view_and_propose_freely() {
    let mut bench = Bench::new(1);
    bench.feed(4, Input::Work(true));
    bench.hear(5, 2, view_change(1, 1, None));
    let said = bench.hear(6, 3, view_change(1, 1, None));
    let expected = [
        "persist ViewChange 1/1",
        "persist Entered 1/1",
        "say ViewChange 1/1",
        "say NewView 1/1",
        "propose 1/1",
    ];
    assert_eq!(said, expected);
}

#[test]
fn p13_the_proposal_of_the_highest_certificate_is_taken_up() {
    let (it, locked) = locked();
    let mut bench = Bench::new(1);
    bench.hear(5, 2, view_change(1, 1, Some(locked)));
    let said = bench.hear(6, 3, view_change(1, 1, None));
    let expected = [
        "persist ViewChange 1/1",
        "persist Entered 1/1",
        "persist Prepare 1/1",
        "say ViewChange 1/1",
        "say NewView 1/1",
        "execute 1",
        "say Prepare 1/1",
    ];
    assert_eq!(said, expected);
    let Some(Promise::Prepare { digest, .. }) = bench.journal.last() else { panic!("a Prepare") };
    assert_eq!(*digest, it.digest());
}

#[test]
fn p13_a_certificate_without_its_body_is_left_out_until_the_body_comes() {
    let (_, (certificate, body)) = locked();
    let bare = |from: usize| {
        let body = MessageBody::ViewChange {
            height: crate::fixtures::height(1),
            view: view(1),
            prepared: Some(certificate.clone()),
            proposal: None,
        };
        sign(from, body)
    };
    let mut bench = Bench::new(1);
    bench.get(5, bare(2));
    bench.get(5, sign(3, view_change(1, 1, None)));
    assert!(bench.replica.status().changing_view, "two of three could be used");
    let said = bench.get(6, sign(0, view_change(1, 1, None)));
    assert_eq!(said, ["persist Entered 1/1", "say NewView 1/1"], "three without it are a quorum");

    let mut bench = Bench::new(1);
    bench.get(5, bare(2));
    bench.get(5, sign(3, view_change(1, 1, None)));
    let shown = view_change(1, 1, Some((certificate.clone(), body)));
    let said = bench.hear(6, 2, shown);
    assert!(said.contains(&"say NewView 1/1".to_owned()), "the body came: {said:?}");
}

#[test]
fn p13_of_bodies_the_last_shown_stay_and_others_come_back_when_shown_again() {
    let shown = |number: u64| {
        let it = proposal(&genesis(), 0, 5 + number);
        let locked = certificate(&it, number, &[0, 2, 3]);
        (it, view_change(1, 5, Some(locked)))
    };
    let mut bench = Bench::new(1);
    let (_, highest) = shown(4);
    bench.hear(5, 0, highest.clone());
    // A liar shows others, one wish higher than the other, as often as it likes.
    for number in 0..=limits::BODIES_KEPT as u64 {
        let locked = certificate(&shown(number).0, number, &[0, 2, 3]);
        bench.hear(6, 2, view_change(1, 6 + number, Some(locked)));
    }
    assert_eq!(bench.replica.status().leaving_for, Some(view(5)), "asked for by f+1");
    let said = bench.hear(7, 3, view_change(1, 5, None));
    assert!(said.is_empty(), "what 0 has prepared must be taken up, and is gone: {said:?}");
    let said = bench.hear(8, 0, highest);
    assert!(said.contains(&"ignored Duplicate".to_owned()), "{said:?}");
    let opened = said.contains(&"say NewView 1/5".to_owned());
    assert!(opened, "it is repeated, and the view opens with it: {said:?}");
}

#[test]
fn p14_messages_of_a_view_that_was_left_are_ignored() {
    let mut bench = Bench::new(3);
    bench.get(5, sign(1, new_view(&wishes(&[0, 1, 2], 1), None)));
    let it = proposal(&genesis(), 0, 5);
    let header = header_of(&it, &set(4));
    for of_old in [pre_prepare(&it, 0), prepare(&it, 0), commit(&header, 0)] {
        assert_eq!(bench.hear(6, 0, of_old), ["ignored Old"]);
    }
}

#[test]
fn p13_nobody_opens_a_view_that_another_leads_or_with_too_few() {
    let mut other = Bench::new(3);
    for from in [0, 1, 2] {
        other.hear(5, from, view_change(1, 1, None));
    }
    assert!(other.replica.status().changing_view);
    let mut leader = Bench::new(1);
    leader.feed(5, Input::Censored);
    assert!(leader.hear(6, 2, view_change(1, 1, None)).is_empty(), "two of four");
    assert!(leader.hear(6, 3, view_change(2, 1, None)).is_empty(), "of another height");
    assert!(leader.replica.status().changing_view);
}

#[test]
fn p14_a_new_view_is_entered_and_its_proposal_voted_for_whatever_the_clock_says() {
    let (it, locked) = locked();
    let late = 60_000;
    let mut bench = Bench::new(3);
    let said = bench.hear(late, 1, new_view(&wishes_with(&locked), Some(it)));
    let expected = ["persist Entered 1/1", "persist Prepare 1/1", "execute 1", "say Prepare 1/1"];
    assert_eq!(said, expected);
    let other = proposal(&genesis(), 1, late);
    assert_eq!(bench.hear(late, 1, pre_prepare(&other, 1)), ["ignored NotTheFirst"]);
}

#[test]
fn p14_after_a_free_new_view_the_leader_proposes() {
    let mut bench = Bench::new(3);
    let said = bench.hear(5, 1, new_view(&wishes(&[0, 1, 2], 1), None));
    assert_eq!(said, ["persist Entered 1/1"]);
    let said = bench.hear(6, 1, pre_prepare(&proposal(&genesis(), 1, 6), 1));
    assert_eq!(said, ["persist Prepare 1/1", "execute 1", "say Prepare 1/1"]);
}

#[test]
fn p14_new_views_of_others_than_the_leader_and_of_views_left_are_ignored() {
    let mut bench = Bench::new(3);
    let by_another = sign(2, new_view(&wishes(&[0, 1, 2], 1), None));
    assert_eq!(bench.get(5, by_another), ["ignored NotTheLeader"]);
    bench.get(6, sign(2, new_view(&wishes(&[0, 1, 2], 2), None)));
    assert_eq!(bench.replica.status().view, view(2));
    let of_old = sign(1, new_view(&wishes(&[0, 1, 2], 1), None));
    assert_eq!(bench.get(7, of_old), ["ignored Old"]);
    let again = sign(2, new_view(&wishes(&[0, 1, 2], 2), None));
    assert_eq!(bench.get(8, again), ["ignored Old"]);
}

#[test]
fn p14_who_asked_for_a_higher_view_does_not_enter_a_lower_one() {
    let mut bench = Bench::new(3);
    bench.hear(5, 1, view_change(1, 5, None));
    bench.hear(5, 2, view_change(1, 5, None));
    assert_eq!(bench.replica.status().leaving_for, Some(view(5)));
    let lower = sign(1, new_view(&wishes(&[0, 1, 2], 1), None));
    assert_eq!(bench.get(6, lower), ["ignored LeavingView"]);
    let higher = sign(2, new_view(&wishes(&[0, 1, 2], 6), None));
    assert_eq!(bench.get(6, higher), ["persist Entered 1/6"]);
}

#[test]
fn p14_a_proposal_on_another_parent_does_not_open_a_view() {
    let head = Bench::new(3).seal(5, 0, 0, &genesis());
    let mut elsewhere = head.clone();
    elsewhere.hash.0[0] ^= 1;
    let strange = proposal(&elsewhere, 0, 9);
    let locked = certificate(&strange, 0, &[0, 1, 2]);
    let body = view_change(2, 1, Some(locked));
    let all = [0, 1, 2].map(|from| sign(from, body.clone()));
    let (mut bench, _) = Bench::with(settings(4, Some(3)), head, Vec::new());
    let said = bench.hear(10, 1, new_view(&all, Some(strange)));
    assert_eq!(said, ["ignored WrongParent"]);
    assert_eq!(bench.replica.status().view, view(0));
}

#[test]
fn p14_the_same_proposal_goes_all_the_way_in_the_new_view() {
    let (mut bench, it) = prepared(3);
    bench.execute(7, &it);
    let header = header_of(&it, &set(4));
    let locked = certificate(&it, 0, &[0, 1, 2]);
    let late = 10 * VIEW_TIMEOUT;
    let said = bench.hear(late, 1, new_view(&wishes_with(&locked), Some(it.clone())));
    assert_eq!(said, ["persist Entered 1/1", "persist Prepare 1/1", "say Prepare 1/1"]);
    bench.hear(late, 1, prepare(&it, 1));
    let said = bench.hear(late, 2, prepare(&it, 1));
    assert_eq!(said, ["persist Prepared 1/1", "persist Commit 1/1", "say Commit 1/1"]);
    bench.hear(late, 1, commit(&header, 1));
    assert_eq!(bench.hear(late, 2, commit(&header, 1)), ["commit 1/1"]);
}
