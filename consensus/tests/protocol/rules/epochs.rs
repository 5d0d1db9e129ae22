//! P24: where one validator set ends and the next begins.

use super::{Bench, brief};
use crate::fixtures::{
    at, commit, genesis, head_of, header_of, height, keypair, pre_prepare, prepare, proposal, seal,
    set, settings, view, view_change,
};
use probata_consensus::{Head, Input, Output, Promise, Replica, Settings};
use probata_types::{Hash, Header, Height, View};

/// The last header of the epoch of four validators: the next height is that of five.
fn last() -> Header {
    let mut header = header_of(&proposal(&genesis(), 0, 5), &set(4));
    header.next_validators = set(5).hash(header.suite);
    header
}

/// Where a replica of the five begins: views are counted anew, whatever view sealed the block before.
fn beginning() -> (Settings, Head) {
    let head = head_of(&last(), View::ZERO);
    (Settings { first: Height::new(2), ..settings(5, Some(1)) }, head)
}

#[test]
fn p24_a_replica_is_over_when_it_has_the_last_block_of_its_epoch() {
    let header = last();
    let it = proposal(&genesis(), 0, 5);
    let mut bench = Bench::new(1);
    bench.hear(5, 0, pre_prepare(&it, 0));
    let digest = it.digest();
    bench.feed(5, Input::Executed { digest, header: header.clone() });
    bench.hear(5, 2, prepare(&it, 0));
    bench.hear(5, 3, prepare(&it, 0));
    // Work for the next height, and a proposal for it, are there already.
    bench.feed(5, Input::Work(true));
    let next = proposal(&head_of(&header, view(0)), 0, 6);
    assert_eq!(bench.hear(5, 0, pre_prepare(&next, 0)), ["ignored KeptForLater"]);
    bench.hear(6, 2, commit(&header, 0));
    assert_eq!(bench.hear(6, 3, commit(&header, 0)), ["commit 1/0"], "and nothing of the next");
    assert_eq!(bench.replica.deadline(), None);
    assert_eq!(bench.hear(7, 0, pre_prepare(&next, 0)), ["ignored EpochOver"]);
    assert_eq!(brief(&bench.feed(9_999, Input::Tick)), ["ignored EpochOver"]);
    assert_eq!(bench.replica.promises(), []);
}

#[test]
fn p24_a_block_that_was_handed_over_ends_an_epoch_too() {
    let header = last();
    let mut bench = Bench::new(1);
    bench.hear(5, 2, view_change(1, 1, None));
    bench.hear(5, 3, view_change(1, 1, None));
    assert_eq!(bench.replica.status().view, view(1));
    let said = brief(&bench.feed(6, Input::Sealed { seal: seal(&header, 0, &[0, 2, 3]), header }));
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(bench.replica.deadline(), None);
    assert_eq!(bench.replica.promises(), [], "what it entered and asked for ends with the epoch");
}

#[test]
fn p24_views_begin_again_and_promises_of_the_epoch_before_do_not_bind() {
    let (settings, head) = beginning();
    let promises = vec![
        Promise::Entered { height: height(1), view: view(7) },
        Promise::ViewChange { height: height(1), view: view(9) },
        Promise::Prepare { height: height(1), view: view(7), digest: Hash([7; 32]) },
    ];
    let (bench, said) = Bench::with(settings, head, promises);
    assert!(said.is_empty(), "no wish is said again: {:?}", brief(&said));
    let status = bench.replica.status();
    assert_eq!((status.height, status.view, status.leaving_for), (height(2), View::ZERO, None));
}

#[test]
fn p24_promises_of_the_new_epoch_bind() {
    let (settings, head) = beginning();
    let it = proposal(&head, 0, 6);
    let promises = vec![
        Promise::ViewChange { height: height(1), view: view(9) },
        Promise::Prepare { height: height(2), view: view(0), digest: Hash([7; 32]) },
        Promise::ViewChange { height: height(2), view: view(1) },
    ];
    let (mut bench, said) = Bench::with(settings, head, promises);
    assert_eq!(brief(&said), ["say ViewChange 2/1"]);
    assert_eq!(bench.hear(6, 0, pre_prepare(&it, 0)), ["ignored LeavingView"]);
}

#[test]
fn p24_the_new_set_decides_by_its_own_quorum_and_leader() {
    let (settings, head) = beginning();
    let (mut bench, _) = Bench::with(settings, head.clone(), Vec::new());
    let it = proposal(&head, 0, 6);
    let header = header_of(&it, &set(5));
    bench.hear(6, 0, pre_prepare(&it, 0));
    bench.execute(6, &it);
    bench.hear(6, 2, prepare(&it, 0));
    assert_eq!(bench.replica.status().prepares, 2, "three of five are no quorum yet");
    bench.hear(6, 3, prepare(&it, 0));
    bench.hear(6, 4, prepare(&it, 0));
    bench.hear(6, 0, commit(&header, 0));
    bench.hear(6, 2, commit(&header, 0));
    assert_eq!(bench.hear(6, 4, commit(&header, 0)), ["commit 2/0"]);
}

#[test]
fn p24_a_follower_is_over_too() {
    let header = last();
    let (mut replica, _) =
        Replica::new(settings(4, None), None, genesis(), Vec::new(), at(0)).unwrap();
    let sealed = Input::Sealed { seal: seal(&header, 0, &[0, 1, 2]), header };
    assert!(replica.step(at(1), sealed.clone()).is_empty());
    let said = replica.step(at(2), sealed);
    assert!(matches!(said[..], [Output::Ignored(_)]));
    assert_eq!(brief(&said), ["ignored EpochOver"]);
}

#[test]
#[should_panic(expected = "the next height is this set's")]
fn p24_a_replica_of_a_set_that_is_not_in_force_yet_is_a_mistake_of_the_driver() {
    let settings = Settings { first: Height::new(2), ..settings(4, Some(1)) };
    let _ = Replica::new(settings, Some(keypair(1)), genesis(), Vec::new(), at(0));
}
