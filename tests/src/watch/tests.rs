use super::*;
use probata_consensus::PreparedCertificate;
use probata_types::{List, Signature};

fn message(from: u16, body: MessageBody) -> Message {
    Message { from: ValidatorIndex(from), signature: Signature([0; 64]), body }
}

fn prepare(height: u64, view: u64, content: u8) -> Message {
    let (height, view) = (Height::new(height), View::new(view));
    message(1, MessageBody::Prepare { height, view, digest: Hash([content; 32]) })
}

fn wish(height: u64, view: u64) -> Message {
    let (height, view) = (Height::new(height), View::new(view));
    message(1, MessageBody::ViewChange { height, view, prepared: None, proposal: None })
}

fn opens(height: u64, view: u64) -> Message {
    let (height, view) = (Height::new(height), View::new(view));
    let view_changes = List::empty();
    message(1, MessageBody::NewView { height, view, view_changes, proposal: None })
}

/// What node 1, in place 1 of the epoch that begins at `first`, sends.
fn hear(watch: &mut Watch, first: u64, message: &Message) -> Result<(), Trouble> {
    watch.heard(1, Some(ValidatorIndex(1)), Height::new(first), message)
}

/// The others have been in many views of the first epoch.
fn among_others() -> Watch {
    Watch { highest: (Height::new(1), View::new(9)), ..Watch::default() }
}

/// Whether all but the last of some messages are right, and the last is not.
fn caught(messages: &[Message]) -> bool {
    let mut watch = among_others();
    let (last, before) = messages.split_last().unwrap();
    before.iter().for_each(|message| hear(&mut watch, 1, message).unwrap());
    hear(&mut watch, 1, last).is_err()
}

#[test]
fn two_votes_of_a_kind_in_a_view_are_caught() {
    assert!(caught(&[prepare(1, 0, 1), prepare(1, 0, 2)]));
    assert!(!caught(&[prepare(1, 0, 1), prepare(1, 0, 1)]));
    assert!(!caught(&[prepare(1, 0, 1), prepare(1, 1, 2)]));
    assert!(!caught(&[prepare(1, 0, 1), prepare(2, 0, 2)]));
}

#[test]
fn heights_and_views_that_fall_are_caught() {
    assert!(caught(&[prepare(2, 0, 1), prepare(1, 0, 1)]));
    assert!(caught(&[prepare(1, 2, 1), prepare(1, 1, 1)]));
    assert!(caught(&[wish(1, 2), prepare(1, 1, 1)]));
    assert!(!caught(&[wish(1, 2), prepare(2, 1, 1)]), "it ends with its height");
    assert!(caught(&[prepare(1, 2, 1), wish(2, 2)]), "what was voted in does not");
    assert!(caught(&[wish(2, 2), wish(1, 2)]));
    assert!(caught(&[wish(1, 3), wish(1, 2)]));
    assert!(caught(&[prepare(1, 2, 1), wish(1, 2)]), "a wish is for more");
    assert!(!caught(&[wish(1, 2), wish(2, 2), prepare(2, 2, 1), wish(2, 3)]));
}

#[test]
fn p11_what_was_committed_and_is_not_shown_is_caught() {
    let committed = Some((Height::new(1), View::new(1)));
    let floor = Floor { committed, ..Floor::default() };
    let shows = |view| {
        let mut wish = wish(1, 3);
        let MessageBody::ViewChange { prepared, .. } = &mut wish.body else { unreachable!() };
        let (view, votes) = (View::new(view), List::empty());
        *prepared = Some(PreparedCertificate { view, digest: Hash::ZERO, votes });
        wish
    };
    assert!(floor.shows_what_it_has(&wish(1, 3)).is_err());
    assert!(floor.shows_what_it_has(&shows(0)).is_err());
    assert!(floor.shows_what_it_has(&shows(1)).is_ok());
    assert!(floor.shows_what_it_has(&shows(2)).is_ok());
    assert!(floor.shows_what_it_has(&wish(2, 3)).is_ok(), "of another height");
}

#[test]
fn p12_who_is_dragged_away_by_liars_is_caught() {
    let mut watch = Watch::default();
    hear(&mut watch, 1, &wish(1, 1)).unwrap();
    hear(&mut watch, 1, &wish(1, 2)).unwrap();
    assert!(hear(&mut watch, 1, &wish(1, 4)).is_err());
    hear(&mut watch, 5, &prepare(5, 0, 1)).unwrap();
    assert!(hear(&mut watch, 5, &wish(5, 2)).is_err(), "views begin again with an epoch");
}

#[test]
fn a_view_that_is_shown_again_is_no_vote_but_one_opened_late_is() {
    assert!(!caught(&[opens(1, 1), wish(1, 2), opens(1, 1)]));
    assert!(caught(&[wish(1, 2), opens(1, 1)]));
}

#[test]
fn what_is_handed_on_is_not_held_against_whoever_does() {
    let mut watch = among_others();
    hear(&mut watch, 1, &wish(1, 5)).unwrap();
    let of_another = Message { from: ValidatorIndex(2), ..opens(1, 1) };
    hear(&mut watch, 1, &of_another).unwrap();
}

#[test]
fn p24_views_begin_again_with_an_epoch_and_heights_do_not() {
    let mut watch = among_others();
    hear(&mut watch, 1, &prepare(4, 7, 1)).unwrap();
    hear(&mut watch, 5, &prepare(5, 0, 1)).unwrap();
    assert!(hear(&mut watch, 1, &prepare(4, 8, 1)).is_err(), "its epoch is over");
    assert!(hear(&mut watch, 5, &prepare(5, 0, 2)).is_err());
}
