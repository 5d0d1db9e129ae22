//! The simulator.
#![expect(clippy::print_stdout, reason = "a command speaks to its user")]

use probata_tests::sim::{self, Level, Plan, Reduction, Trace};

fn main() {
    let seed: u64 = std::env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    let to: u64 = std::env::args().nth(2).and_then(|it| it.parse().ok()).unwrap_or(seed + 1);
    let level = if to > seed + 1 { Level::Quiet } else { Level::Story };
    let mut counts = sim::Counts::default();
    for seed in seed..to {
        let plan = Plan::draw(seed, &Reduction::default());
        if level == Level::Story {
            println!("{plan}");
        }
        let mut trace = Trace::new(level, |line| println!("{line}"));
        let report = sim::run(&plan, &mut trace);
        counts.take_in(&report.counts);
        if !report.verdict.is_pass() || level == Level::Story {
            println!(
                "seed {seed} {} {} {} {}",
                report.verdict, report.events, report.passed, report.hash
            );
        }
    }
    println!("{counts}");
}
