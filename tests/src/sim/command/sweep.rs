//! Many seeds, on some threads.

use super::{Arguments, print_json};
use crate::sim::{Counts, Plan, Report, Trace, run};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// Reports that wait for being counted.
const WAITING: usize = 64;

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
    let next = AtomicU64::new(seeds.start);
    let (send, reports) = mpsc::sync_channel(WAITING);
    thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            let (send, next, end) = (send.clone(), &next, seeds.end);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let plan = Plan::draw(seed, &arguments.reduction);
                    let report = run(&plan, &mut Trace::silent());
                    if send.send(report).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for report in reports {
            take(&mut summary, report, &bar, arguments.json);
        }
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

fn bar(seeds: &Range<u64>, hidden: bool) -> ProgressBar {
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
        println!(
            "  to see it: cargo run --release --bin sim -- {}{}",
            failure.seed, arguments.reduction
        );
    }
}
