//! What is explored of sets of four, five and seven, here and in full.

use crate::twins::{
    explore::{
        Extent::{All, Every},
        Totals,
    },
    plan::{
        Alphabet::{Complete, Neighbours, Sharp},
        Plan, carry_out,
    },
};

const OF_FOUR: [Plan; 5] = [
    Plan { twins: &[&[0], &[1]], alphabet: Complete, rounds: 2, quick: Every(997), full: All },
    Plan { twins: &[&[0], &[1]], alphabet: Sharp, rounds: 3, quick: Every(499), full: All },
    Plan {
        twins: &[&[1], &[2]],
        alphabet: Sharp,
        rounds: 4,
        quick: Every(19_997),
        full: Every(73),
    },
    Plan {
        twins: &[&[0], &[1], &[2]],
        alphabet: Neighbours,
        rounds: 3,
        quick: Every(70_001),
        full: Every(499),
    },
    Plan {
        twins: &[&[0], &[1], &[2], &[3]],
        alphabet: Neighbours,
        rounds: 6,
        quick: Every(60_000_000_007),
        full: Every(1_000_000_007),
    },
];

const OF_FIVE: [Plan; 3] = [
    Plan {
        twins: &[&[0], &[1]],
        alphabet: Neighbours,
        rounds: 2,
        quick: Every(2_003),
        full: Every(7),
    },
    Plan { twins: &[&[0], &[1]], alphabet: Sharp, rounds: 3, quick: Every(7_001), full: Every(41) },
    Plan {
        twins: &[&[0], &[1], &[2]],
        alphabet: Neighbours,
        rounds: 4,
        quick: Every(30_000_001),
        full: Every(1_000_003),
    },
];

const OF_SEVEN: [Plan; 3] = [
    Plan {
        twins: &[&[0, 1], &[0, 2]],
        alphabet: Neighbours,
        rounds: 2,
        quick: Every(200_003),
        full: Every(997),
    },
    Plan {
        twins: &[&[0, 1], &[1, 2]],
        alphabet: Sharp,
        rounds: 3,
        quick: Every(500_009),
        full: Every(5_003),
    },
    Plan {
        twins: &[&[0, 2], &[1, 3]],
        alphabet: Neighbours,
        rounds: 4,
        quick: Every(200_000_000_041),
        full: Every(2_000_000_011),
    },
];

/// Whether all is to be run.
fn in_full() -> bool {
    match std::env::var("PROBATA_TWINS").as_deref() {
        Err(_) => false,
        Ok("full") => true,
        Ok(other) => panic!("PROBATA_TWINS is {other:?}: it may be \"full\", or not be set"),
    }
}

/// Explores, and makes sure that what the exploration is for did happen.
fn explored(n: usize, plans: &[Plan], at_least: u64) -> Totals {
    let totals = carry_out(n, plans, in_full());
    assert!(
        totals.schedules >= at_least,
        "{} are few: the numbers lost their way",
        totals.schedules
    );
    assert!(totals.sealed > 2 * totals.schedules, "two blocks after healing, and some before");
    assert!(totals.with_faults > 0 && totals.with_faults < totals.schedules, "some are found out");
    assert!(totals.demanded > 0, "some views began with what an earlier one had prepared");
    totals
}

#[test]
fn four_validators_with_one_twin_agree_and_go_on() {
    explored(4, &OF_FOUR, 200);
}

#[test]
fn five_validators_with_one_twin_agree_and_go_on() {
    explored(5, &OF_FIVE, 100);
}

#[test]
fn seven_validators_with_two_twins_agree_and_go_on() {
    explored(7, &OF_SEVEN, 50);
}

/// Every number that a failure names leads back to the same events.
#[test]
fn the_same_schedules_go_the_same_way_twice() {
    let every = |step: u64| {
        let [_, sharp, ..] = OF_FOUR;
        carry_out(4, &[Plan { quick: Every(step), ..sharp }], false)
    };
    let first = every(3_001);
    assert_eq!(every(3_001), first);
    assert_ne!(every(2_903).trace, first.trace, "other schedules, other events");
}
