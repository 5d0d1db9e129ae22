//! The protocol as it is written, in every state of a small model; and broken, so that the model is seen to see.

use clap::ValueEnum;
use probata_tests::model::{Bounds, Protocol, check::check, mutation::Mutation, state::State};
use stateright::{Expectation, Model};
use std::collections::BTreeSet;

const SMALL: Bounds = Bounds { heights: 1, views: 2 };

/// Counterexamples that take millions of states: `cargo run --release --bin model -- --mutation NAME`.
const LONG: [Mutation; 2] = [Mutation::ForgetLater, Mutation::LowestCertificate];

fn holds(heights: u8, views: u8, liar: Option<u8>) {
    let report = check(Protocol::new(Bounds { heights, views }, liar), None);
    println!("heights {heights}, views {views}, liar {liar:?}: {report}");
    assert!(report.holds(), "{report:?}");
}

#[test]
fn safety_holds_in_every_state_with_lying_leaders_and_two_heights() {
    holds(2, 2, None);
}

#[test]
fn safety_holds_in_every_state_with_lying_leaders_and_three_views() {
    holds(1, 3, None);
}

#[test]
fn safety_holds_in_every_state_wherever_the_liar_sits() {
    for seat in 0..4 {
        holds(1, 2, Some(seat));
    }
}

/// The reductions neither lose nor add a state, and no claim looks different for them.
#[test]
fn what_is_forgotten_makes_no_difference() {
    for liar in [None, Some(0), Some(1), Some(3)] {
        let reduced = Protocol::new(SMALL, liar);
        let whole = Protocol { forgets: false, ..reduced };
        let (all, few) = (reachable(&whole), reachable(&reduced));
        assert!(few.len() * 2 < all.len());
        let images: BTreeSet<State> = all.iter().map(|it| reduced.representative(it).0).collect();
        assert_eq!(images, few);
        let claims = reduced.properties();
        for claim in claims.iter().filter(|it| it.expectation == Expectation::Always) {
            for state in &all {
                let image = reduced.representative(state).0;
                let same = (claim.condition)(&whole, state) == (claim.condition)(&reduced, &image);
                assert!(same, "{}: {state:?}", claim.name);
            }
        }
    }
}

/// Every state that can be, found without the checker.
fn reachable(protocol: &Protocol) -> BTreeSet<State> {
    let mut found: BTreeSet<State> = protocol.init_states().into_iter().collect();
    let mut open: Vec<State> = found.iter().copied().collect();
    while let Some(state) = open.pop() {
        for next in protocol.next_states(&state) {
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    found
}

#[test]
fn each_broken_rule_has_a_counterexample() {
    for mutation in Mutation::value_variants().iter().filter(|it| !LONG.contains(it)) {
        let report = check(Protocol::broken(*mutation), Some(mutation.violates()));
        let trace = report.trace(mutation.violates());
        let trace = trace.unwrap_or_else(|| panic!("{mutation:?} shows in no state: {report}"));
        println!("{mutation:?} violates \"{}\":\n  {}", mutation.violates(), trace.join("\n  "));
    }
}
