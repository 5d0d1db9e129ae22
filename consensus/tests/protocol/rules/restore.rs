//! P20: what a replica may do after a crash, from every point of its journal.

use super::{Bench, brief};
use crate::fixtures::{
    RETRANSMIT, certificate, commit, genesis, head_of, header_of, height, keypair, new_view,
    pre_prepare, prepare, proposal, seal, set, settings, sign, view, view_change,
};
use probata_consensus::{Input, Message, Output, Promise, RestoreError};
use probata_types::{Proposal, codec};

fn back(me: usize, journal: &[Promise]) -> (Bench, Vec<String>) {
    let bytes = journal.iter().map(codec::encode);
    let journal = bytes.map(|bytes| Promise::decode(&bytes).expect("what was written"));
    let (bench, outputs) = Bench::with(settings(4, Some(me)), genesis(), journal.collect());
    (bench, brief(&outputs))
}

fn free_new_view(to: u64) -> Message {
    let leader = usize::try_from(to % 4).expect("below four");
    let wishes = [0, 1, 2].map(|from| sign(from, view_change(1, to, None)));
    sign(leader, new_view(&wishes, None))
}

/// Through the normal case up to the own Commit, at validator 1.
fn committed() -> (Bench, Proposal) {
    let it = proposal(&genesis(), 0, 5);
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    bench.execute(5, &it);
    bench.hear(6, 0, prepare(&it, 0));
    bench.hear(6, 2, prepare(&it, 0));
    (bench, it)
}

#[test]
fn p20_a_replica_without_promises_starts_silently() {
    let (bench, said) = back(1, &[]);
    assert!(said.is_empty());
    assert_eq!(bench.replica.status().view, view(0));
}

#[test]
fn p20_after_a_prepare_only_the_same_vote_is_given() {
    let (it, other) = (proposal(&genesis(), 0, 5), proposal(&genesis(), 0, 6));
    let promise = Promise::Prepare { height: height(1), view: view(0), digest: it.digest() };
    let (mut bench, said) = back(1, std::slice::from_ref(&promise));
    assert!(said.is_empty());
    let late = 60_000;
    assert_eq!(
        bench.hear(late, 0, pre_prepare(&it, 0)),
        ["execute 1", "say Prepare 1/0"],
        "the vote given in time stands, and is not promised twice"
    );
    let (mut bench, _) = back(1, &[promise]);
    let said = bench.hear(6, 0, pre_prepare(&other, 0));
    assert_eq!(said, ["execute 1", "ignored NotTheFirst"]);
    for from in [0, 2, 3] {
        let said = bench.hear(7, from, prepare(&other, 0));
        assert!(said.is_empty(), "no certificate for what it did not vote for: {said:?}");
    }
}

#[test]
fn p20_what_was_prepared_is_executed_again_and_its_commit_repeated() {
    let (bench, it) = committed();
    let full = bench.journal;
    assert_eq!(full.len(), 3, "Prepare, Prepared, Commit");
    let (mut before_commit, said) = back(1, &full[..2]);
    assert_eq!(said, ["execute 1", "say Prepare 1/0"]);
    assert_eq!(before_commit.execute(9, &it), ["persist Commit 1/0", "say Commit 1/0"]);
    let (mut bench, said) = back(1, &full);
    assert_eq!(said, ["say Commit 1/0", "execute 1", "say Prepare 1/0"]);
    assert!(bench.execute(9, &it).is_empty());
    let header = header_of(&it, &set(4));
    bench.hear(10, 0, commit(&header, 0));
    assert_eq!(bench.hear(10, 2, commit(&header, 0)), ["commit 1/0"]);
}

#[test]
fn p20_a_view_change_shows_what_was_prepared_before_the_crash() {
    let (bench, it) = committed();
    let (mut bench, _) = back(1, &bench.journal);
    let outputs = bench.feed(20, Input::Censored);
    let shown = outputs.iter().find_map(|output| match output {
        Output::Broadcast(message) => message.proposal(),
        _ => None,
    });
    assert_eq!(shown, Some(&it));
}

#[test]
fn p20_who_asked_for_a_view_votes_in_no_lower_one() {
    let promise = Promise::ViewChange { height: height(1), view: view(2) };
    let (mut bench, said) = back(3, &[promise]);
    assert_eq!(said, ["say ViewChange 1/2"]);
    let it = proposal(&genesis(), 0, 5);
    assert_eq!(bench.hear(5, 0, pre_prepare(&it, 0)), ["ignored LeavingView"]);
    assert_eq!(bench.get(6, free_new_view(1)), ["ignored LeavingView"]);
    assert_eq!(bench.get(6, free_new_view(2)), ["persist Entered 1/2"]);
}

#[test]
fn p20_a_wish_of_a_height_now_sealed_does_not_bind() {
    let header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    let head = head_of(&header, view(0));
    let promise = Promise::ViewChange { height: height(1), view: view(1) };
    let (mut bench, said) = Bench::with(settings(4, Some(3)), head.clone(), vec![promise]);
    assert!(said.is_empty());
    let said = bench.hear(9, 0, pre_prepare(&proposal(&head, 0, 9), 0));
    assert_eq!(said, ["persist Prepare 2/0", "execute 2", "say Prepare 2/0"]);
}

/// Otherwise it might vote in view 0 of the next height, crash, and be in view 1 there without what its
/// NewView demands.
#[test]
fn p20_a_view_entered_before_a_crash_is_where_the_next_height_begins() {
    let mut bench = Bench::new(3);
    bench.get(5, free_new_view(1));
    let (mut bench, _) = back(3, &bench.journal);
    assert_eq!(
        (bench.replica.status().view, bench.replica.status().leaving_for),
        (view(0), Some(view(1)))
    );
    let header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    let seal = seal(&header, 0, &[0, 1, 2]);
    bench.feed(6, Input::Sealed { header, seal });
    let status = bench.replica.status();
    assert_eq!((status.height, status.view, status.leaving_for), (height(2), view(1), None));
}

#[test]
fn p20_a_view_entered_without_a_vote_is_asked_for_again() {
    let mut bench = Bench::new(3);
    assert_eq!(bench.get(5, free_new_view(1)), ["persist Entered 1/1"]);
    let (mut bench, said) = back(3, &bench.journal);
    assert_eq!(said, ["persist ViewChange 1/1", "say ViewChange 1/1"]);
    // The NewView might have demanded a proposal: without it no other one is voted for.
    let it = proposal(&genesis(), 1, 5);
    assert_eq!(bench.hear(6, 1, pre_prepare(&it, 1)), ["ignored KeptForLater"]);
    let said = bench.get(7, free_new_view(1));
    let expected = ["persist Entered 1/1", "persist Prepare 1/1", "execute 1", "say Prepare 1/1"];
    assert_eq!(said, expected);
}

#[test]
fn p20_whoever_opened_a_view_does_not_open_it_twice() {
    let mut bench = Bench::new(1);
    bench.hear(5, 2, view_change(1, 1, None));
    bench.hear(5, 3, view_change(1, 1, None));
    assert_eq!(bench.replica.status().view, view(1));
    let (mut bench, said) = back(1, &bench.journal);
    assert_eq!(said, ["persist ViewChange 1/2", "say ViewChange 1/2"]);
    for from in [0, 2, 3] {
        assert!(bench.hear(6, from, view_change(1, 1, None)).is_empty());
    }
    assert!(bench.replica.status().changing_view);
}

#[test]
fn p20_a_view_entered_at_a_height_now_sealed_stands_open() {
    let header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    let promise = Promise::Entered { height: height(1), view: view(1) };
    let head = head_of(&header, view(0));
    let (mut bench, said) = Bench::with(settings(4, Some(3)), head.clone(), vec![promise]);
    assert!(said.is_empty());
    let said = bench.hear(9, 1, pre_prepare(&proposal(&head, 1, 9), 1));
    assert_eq!(said, ["persist Prepare 2/1", "execute 2", "say Prepare 2/1"]);
}

#[test]
fn p20_a_new_view_that_comes_again_does_not_change_a_vote() {
    let (it, other) = (proposal(&genesis(), 0, 5), proposal(&genesis(), 0, 6));
    let journal = [
        Promise::Entered { height: height(1), view: view(1) },
        Promise::Prepare { height: height(1), view: view(1), digest: it.digest() },
    ];
    for (demanded, expected) in [
        (&it, vec!["execute 1", "say Prepare 1/1"]),
        (&other, vec!["execute 1", "ignored NotTheFirst"]),
    ] {
        let locked = certificate(demanded, 0, &[0, 1, 2]);
        let body = view_change(1, 1, Some(locked));
        let wishes = [0, 1, 2].map(|from| sign(from, body.clone()));
        let (mut bench, said) = back(3, &journal);
        assert!(said.is_empty());
        let said = bench.hear(9, 1, new_view(&wishes, Some(demanded.clone())));
        assert_eq!(said, expected);
    }
}

#[test]
fn p20_a_leader_never_proposes_twice_in_a_view() {
    let it = proposal(&genesis(), 0, 5);
    let promise = Promise::Proposed { height: height(1), view: view(0), digest: it.digest() };
    let (mut bench, _) = back(0, &[promise]);
    assert!(bench.feed(9, Input::Work(true)).is_empty());
    let (_, said) = bench.tick();
    assert_eq!(said, ["persist ViewChange 1/1", "say ViewChange 1/1"], "it waits for another");
}

#[test]
fn p20_a_leader_that_had_prepared_sends_its_proposal_again() {
    let mut bench = Bench::new(0);
    let due = 5;
    bench.feed(due, Input::Work(true));
    let it = proposal(&genesis(), 0, due);
    bench.feed(due, Input::Proposed(it.clone()));
    for from in [1, 2] {
        bench.hear(due, from, prepare(&it, 0));
    }
    let (_, said) = back(0, &bench.journal);
    assert_eq!(said, ["say PrePrepare 1/0", "execute 1", "say Prepare 1/0"]);
}

#[test]
fn p20_promises_of_a_height_to_come_bind_when_it_comes() {
    let header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    let head = head_of(&header, view(0));
    let (it, other) = (proposal(&head, 0, 6), proposal(&head, 0, 7));
    let promise = Promise::Prepare { height: height(2), view: view(0), digest: it.digest() };
    let (mut bench, said) = back(1, &[promise]);
    assert!(said.is_empty());
    let seal = seal(&header, 0, &[0, 2, 3]);
    bench.feed(6, Input::Sealed { header, seal });
    let said = bench.hear(7, 0, pre_prepare(&other, 0));
    assert_eq!(said, ["execute 2", "ignored NotTheFirst"]);
}

#[test]
fn p20_a_vote_of_a_height_to_come_binds_in_its_view() {
    let header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    let head = head_of(&header, view(0));
    let it = proposal(&head, 1, 6);
    let journal = [
        Promise::Entered { height: height(2), view: view(1) },
        Promise::Prepare { height: height(2), view: view(1), digest: it.digest() },
    ];
    let (mut bench, said) = back(3, &journal);
    assert!(said.is_empty(), "of height 1 nothing was promised");
    assert_eq!(bench.replica.status().view, view(0));
    let seal = seal(&header, 0, &[0, 1, 2]);
    bench.feed(6, Input::Sealed { header, seal });
    assert_eq!(bench.replica.status().view, view(1), "no vote below the one that was given");
    let said = bench.hear(8, 1, pre_prepare(&proposal(&head, 1, 8), 1));
    assert_eq!(said, ["execute 2", "ignored NotTheFirst"]);
}

/// The log may have lost its end, and what was promised after it been said.
#[test]
fn p20_wishes_and_views_of_a_height_to_come_bind_when_it_comes() {
    let header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    let asked = Promise::ViewChange { height: height(2), view: view(2) };
    let entered = Promise::Entered { height: height(2), view: view(2) };
    for promise in [asked, entered] {
        let (mut bench, said) = back(3, &[promise]);
        assert!(said.is_empty());
        let seal = seal(&header, 0, &[0, 1, 2]);
        let said = brief(&bench.feed(6, Input::Sealed { header: header.clone(), seal }));
        assert_eq!(said.last(), Some(&"say ViewChange 2/2".to_owned()));
        let next = proposal(&head_of(&header, view(0)), 0, 7);
        assert_eq!(bench.hear(7, 0, pre_prepare(&next, 0)), ["ignored LeavingView"]);
    }
}

/// It voted at height 2 in view 0, lost the block of height 1, and went from there to view 1.
#[test]
fn p20_who_voted_here_before_it_lost_a_block_is_in_no_higher_view_without_its_new_view() {
    let header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    let head = head_of(&header, view(0));
    let it = proposal(&head, 0, 6);
    let promise = Promise::Prepare { height: height(2), view: view(0), digest: it.digest() };
    let (mut bench, _) = back(3, &[promise]);
    bench.get(5, free_new_view(1));
    assert_eq!(bench.replica.status().view, view(1));
    let seal = seal(&header, 0, &[0, 1, 2]);
    let said = brief(&bench.feed(6, Input::Sealed { header, seal }));
    assert_eq!(said, ["persist ViewChange 2/1", "say ViewChange 2/1"]);
    let free = proposal(&head, 1, 8);
    assert_eq!(bench.hear(8, 1, pre_prepare(&free, 1)), ["ignored KeptForLater"]);
    let wishes = [0, 1, 2].map(|from| sign(from, view_change(2, 1, None)));
    let said = bench.hear(9, 1, new_view(&wishes, None));
    assert_eq!(said.last(), Some(&"say Prepare 2/1".to_owned()), "{said:?}");
}

#[test]
fn p20_a_pruned_journal_keeps_a_view_entered_before_a_crash() {
    let mut bench = Bench::new(3);
    bench.get(5, free_new_view(1));
    let (bench, _) = back(3, &bench.journal);
    let (mut bench, said) = back(3, &bench.replica.promises());
    assert_eq!(said, ["say ViewChange 1/1"]);
    let header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    let seal = seal(&header, 0, &[0, 1, 2]);
    bench.feed(6, Input::Sealed { header, seal });
    assert_eq!(bench.replica.status().view, view(1));
}

#[test]
fn p20_of_two_votes_for_one_height_that_of_the_present_view_binds() {
    let (it, other) = (proposal(&genesis(), 1, 5), proposal(&genesis(), 0, 6));
    let vote = |it: &Proposal, in_view| Promise::Prepare {
        height: height(1),
        view: view(in_view),
        digest: it.digest(),
    };
    let journal = [vote(&other, 0), vote(&it, 1)];
    let (mut bench, said) = back(3, &journal);
    assert!(said.is_empty());
    assert_eq!(bench.hear(7, 1, pre_prepare(&it, 1)), ["execute 1", "say Prepare 1/1"]);
}

#[test]
fn p20_a_pruned_journal_binds_like_the_whole_one() {
    let (mut bench, it) = committed();
    bench.feed(20, Input::Censored);
    let pruned = bench.replica.promises();
    let (mut from_pruned, said_pruned) = back(1, &pruned);
    let (mut from_whole, said_whole) = back(1, &bench.journal);
    assert_eq!(said_pruned, said_whole);
    assert_eq!(said_pruned, ["say ViewChange 1/1"]);
    for bench in [&mut from_pruned, &mut from_whole] {
        assert!(bench.execute(21, &it).is_empty(), "no vote in the view that it left");
        assert_eq!(bench.replica.promises(), pruned);
    }
}

#[test]
fn p20_a_journal_that_contradicts_itself_is_refused() {
    let (it, other) = (proposal(&genesis(), 0, 5), proposal(&genesis(), 0, 6));
    let place = (height(1), view(0));
    let (height, view) = place;
    let vote = |it: &Proposal| Promise::Prepare { height, view, digest: it.digest() };
    let prepared = |it: &Proposal, body: &Proposal| Promise::Prepared {
        height,
        certificate: certificate(it, 0, &[0, 1, 2]).0,
        proposal: body.clone(),
    };
    let commit = |it: &Proposal| Promise::Commit { view, header: header_of(it, &set(4)) };
    let cases = [
        vec![vote(&it), vote(&other)],
        vec![vote(&it), prepared(&other, &other)],
        vec![vote(&it), prepared(&it, &other)],
        vec![commit(&it), commit(&other)],
    ];
    for journal in cases {
        let refused = Bench::open(settings(4, Some(1)), genesis(), journal).map(|_| ());
        assert_eq!(refused, Err(RestoreError::Contradiction { height, view }));
    }
    let fine = vec![vote(&it), vote(&it), prepared(&it, &it), commit(&it), commit(&it)];
    assert!(Bench::open(settings(4, Some(1)), genesis(), fine).is_ok());
}

#[test]
fn p20_key_and_place_must_belong_together() {
    let open = |me: Option<usize>, key: Option<usize>| {
        let pair = key.map(keypair);
        let now = crate::fixtures::at(0);
        probata_consensus::Replica::new(settings(4, me), pair, genesis(), Vec::new(), now)
            .map(|_| ())
    };
    assert_eq!(open(Some(1), Some(1)), Ok(()));
    assert_eq!(open(None, None), Ok(()));
    assert_eq!(open(None, Some(1)), Err(RestoreError::KeyWithoutPlace));
    for (me, key) in [(1, Some(2)), (1, None), (7, Some(7))] {
        let place = crate::fixtures::index(me);
        assert_eq!(open(Some(me), key), Err(RestoreError::Key(place)));
    }
}

#[test]
fn p20_a_restarted_replica_repeats_while_its_height_is_open() {
    let (bench, it) = committed();
    let (mut bench, _) = back(1, &bench.journal);
    bench.execute(1, &it);
    let (due, said) = bench.tick();
    assert_eq!((due, said.len()), (RETRANSMIT, 2));
}
