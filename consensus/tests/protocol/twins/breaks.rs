//! That what is broken is seen: with each flaw some schedule fails, and in the way that it must.

use crate::twins::{
    edge::Edge,
    explore::{Totals, find, run},
    flaw::{Flaw, Lost},
    lemmas::Lemma,
    partition::{Cast, sharp_letters},
    schedule::{Between, Family, Space},
    watch::Broken,
};

/// Schedules of a few sharp rounds with these twins among four.
fn sharp(twins: &[usize], rounds: usize, between: Between) -> Space {
    let cast = Cast::new(4, twins);
    let letters = sharp_letters(&cast);
    Space { family: Family { cast, rotation: 0, between }, letters, rounds }
}

/// Asserts that a flaw breaks this in some schedule, and that without the flaw the same schedule
/// breaks nothing.
fn is_seen(space: &Space, flaw: Flaw, expected: Broken) {
    let mut edge = Edge::new(space.family.cast.n());
    let found = find(space, 1, (flaw, expected), &mut edge);
    let number = found.unwrap_or_else(|| panic!("{flaw:?} never breaks {expected:?}"));
    println!("{flaw:?} breaks {expected:?} in {}", space.describe(number));
    let schedule = space.schedule(number);
    let outcome = run(&space.family, &schedule, Flaw::None, &mut edge, &mut Totals::default());
    assert!(outcome.broken.is_empty(), "{:#?}", outcome.broken);
}

#[test]
fn disks_that_lose_certificates_let_two_blocks_be_sealed() {
    let space = sharp(&[1], 3, Between::EarlyCut);
    is_seen(&space, Flaw::Forgets(Lost::Certificates), Broken::Agreement);
    is_seen(&space, Flaw::Forgets(Lost::Certificates), Broken::Proof(Lemma::Locking));
}

#[test]
fn disks_that_lose_votes_let_validators_contradict_themselves_and_two_blocks_be_sealed() {
    let space = sharp(&[0], 3, Between::EarlyCut);
    is_seen(&space, Flaw::Forgets(Lost::Votes), Broken::Promise);
    is_seen(&space, Flaw::Forgets(Lost::Votes), Broken::Agreement);
}

#[test]
fn disks_that_lose_wishes_let_validators_fall_back() {
    let space = sharp(&[1], 3, Between::LateCut);
    is_seen(&space, Flaw::Forgets(Lost::Wishes), Broken::Promise);
}

#[test]
fn view_changes_without_their_certificates_let_two_blocks_be_sealed() {
    let space = sharp(&[1], 3, Between::Silence);
    is_seen(&space, Flaw::HidesCertificates, Broken::Agreement);
}

#[test]
fn without_view_changes_nobody_goes_on() {
    is_seen(&sharp(&[0], 1, Between::Silence), Flaw::LosesWishes, Broken::Progress);
}

#[test]
fn a_fault_that_is_not_reported_is_missed() {
    is_seen(&sharp(&[0], 2, Between::Silence), Flaw::SaysNothing, Broken::Unreported);
}

/// The other side of f: with one twin more than the set can stand, shipped code seals two blocks.
#[test]
fn one_twin_more_than_f_lets_two_blocks_be_sealed() {
    let space = sharp(&[0, 1], 1, Between::Silence);
    let mut edge = Edge::new(4);
    let found = find(&space, 1, (Flaw::None, Broken::Agreement), &mut edge);
    println!("f+1 twins: {}", space.describe(found.expect("two quorums that share liars only")));
}
