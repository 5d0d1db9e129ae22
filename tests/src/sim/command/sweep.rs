//! Many seeds, on some threads.

use super::{Arguments, again, print_json};
use crate::sim::{Counts, Report, play};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    ops::{ControlFlow, Range},
    time::{Duration, Instant},
};

/// What came of many seeds.
#[derive(Debug, Serialize)]
struct Summary {
    from: u64,
    to: u64,
    seconds: f64,
    seeds_per_second: f64,
    verdicts: BTreeMap<&'static str, u64>,
    failures: Vec<Report>,
    counts: Counts,
}

/// Runs all seeds; the first that failed, if one did.
pub(super) fn sweep(seeds: Range<u64>, arguments: &Arguments) -> Option<u64> {
    let started = Instant::now();
    let bar = bar(&seeds, arguments.json);
    let mut summary = Summary {
        from: seeds.start,
        to: seeds.end,
        seconds: 0.0,
        seeds_per_second: 0.0,
        verdicts: BTreeMap::new(),
        failures: Vec::new(),
        counts: Counts::default(),
    };
    play(seeds.clone(), arguments.jobs, &arguments.reduction, |report| {
        take(&mut summary, report, &bar, arguments.json);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    summary.failures.sort_by_key(|report| report.seed);
    let first = summary.failures.first().map(|report| report.seed);
    (summary.seconds, summary.seeds_per_second) = speed(started.elapsed(), &seeds);
    if arguments.json {
        print_json(&summary);
    } else {
        tell(&summary, arguments);
    }
    first
}

#[expect(clippy::float_arithmetic, reason = "a speed for people")]
fn speed(elapsed: Duration, seeds: &Range<u64>) -> (f64, f64) {
    let count = u32::try_from(seeds.end - seeds.start).unwrap_or(u32::MAX);
    let seconds = elapsed.as_secs_f64();
    (seconds, f64::from(count) / seconds.max(f64::EPSILON))
}

pub(in crate::sim) fn bar(seeds: &Range<u64>, hidden: bool) -> ProgressBar {
    if hidden {
        return ProgressBar::hidden();
    }
    let style = "{bar:40} {pos} of {len} seeds, {per_sec}, {eta} to go {msg}";
    let style = ProgressStyle::with_template(style).expect("a constant");
    ProgressBar::new(seeds.end - seeds.start).with_style(style)
}

fn take(summary: &mut Summary, report: Report, bar: &ProgressBar, json: bool) {
    *summary.verdicts.entry(report.verdict.name()).or_default() += 1;
    summary.counts.take_in(&report.counts);
    if !report.verdict.is_pass() {
        if !json {
            bar.suspend(|| println!("seed {}: {}", report.seed, report.verdict));
        }
        summary.failures.push(report);
    }
    bar.inc(1);
}

fn tell(summary: &Summary, arguments: &Arguments) {
    let Summary { from, to, seconds, seeds_per_second, verdicts, failures, counts } = summary;
    println!("What happened in these worlds:\n{counts}");
    let verdicts: Vec<String> =
        verdicts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    println!(
        "seeds {from}..{to}: {}; {seconds:.1} s, {seeds_per_second:.1} seeds a second",
        verdicts.join(", ")
    );
    for failure in failures {
        println!("  to see it: {}", again(failure.seed, &arguments.reduction, arguments));
    }
}
