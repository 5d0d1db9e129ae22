//! Twins.

mod arena;
mod contradictions;
mod edge;
mod explore;
mod flaw;
mod lemmas;
mod partition;
mod schedule;
mod watch;

use edge::Edge;
use explore::{Extent, Totals, explore};
use partition::{Cast, all_partitions, letters};
use schedule::{Between, Family, Space};

#[test]
fn probe() {
    let step = std::env::var("PROBE").map_or(997, |it| it.parse().unwrap());
    let rounds = std::env::var("ROUNDS").map_or(3, |it| it.parse().unwrap());
    let mut edge = Edge::new(4);
    for between in Between::ALL {
        for rotation in [0, 1] {
            for twin in 0..2 {
                let cast = Cast::new(4, &[twin]);
                let letters = letters(&cast, if std::env::var("TWO").is_ok() {partition::neighbourly_partitions(&cast)} else {all_partitions(&cast)});
                let family = Family { cast, rotation, between };
                let space = Space { family, letters, rounds };
                let mut totals = Totals::default();
                let before = std::process::Command::new("date").arg("+%s.%N").output().unwrap();
                explore(&space, if step==0 {Extent::All} else {Extent::Every(step)}, &mut edge, &mut totals);
                let after = std::process::Command::new("date").arg("+%s.%N").output().unwrap();
                let t = |o: std::process::Output| String::from_utf8(o.stdout).unwrap().trim().parse::<f64>().unwrap();
                println!("{between:?} {rotation} {twin} letters {} {totals} {:.2}s", space.letters.len(), t(after) - t(before));
            }
        }
    }
}
