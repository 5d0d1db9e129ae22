//! The command `sim`: one seed with its story, or many with their numbers.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to its user")]

mod sweep;

#[cfg(mutants)]
pub(super) use sweep::bar;

use super::{Level, Plan, Reduction, Report, Trace, run, shrink};
use clap::Parser;
use std::{ops::Range, process::ExitCode};

/// Play whole chains in worlds drawn from a number, and say whether they held.
///
/// One number is one world: a committee, a network, clocks, liars, and what goes wrong.
/// The same number is the same world, event for event.
///
///   sim 17                      the story of seed 17 and its verdict
///   sim 17 --trace messages     with every message
///   sim --seeds 0..2000 --jobs 2
///   sim 17 --shrink             the smallest world of seed 17 that still fails
///
/// Ends with 0 if every world passed, 1 if one did not, 2 for a wrong call.
/// docs/SIMULATOR.md says how to read a verdict.
#[derive(Debug, Parser)]
#[command(name = "sim", verbatim_doc_comment)]
pub struct Arguments {
    /// Run this seed and tell what happens.
    #[arg(required_unless_present = "seeds", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Run many seeds: from A up to and without B, or N seeds from A on.
    #[arg(long, value_name = "A..B|A..+N", value_parser = range)]
    seeds: Option<Range<u64>>,
    /// Worlds at the same time, each on a thread of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// How much of one seed is told.
    #[arg(long, value_name = "LEVEL", default_value = "story")]
    trace: Level,
    /// Print one JSON document for machines, and no story.
    #[arg(long)]
    json: bool,
    /// Take out of the first world that fails what it fails without.
    #[arg(long)]
    shrink: bool,
    #[command(flatten)]
    reduction: Reduction,
    /// Let all validators make this mistake: see the command `mutants`.
    #[cfg(mutants)]
    #[arg(long, value_name = "NAME", value_parser = super::mutants::mistake)]
    mistake: Option<probata_types::mutation::Mutation>,
}

/// `A..B`, or `A..+N`.
pub(super) fn range(text: &str) -> Result<Range<u64>, String> {
    let example = || format!("`{text}` is not like 0..2000 or 5000..+200");
    let (from, to) = text.split_once("..").ok_or_else(example)?;
    let from: u64 = from.parse().map_err(|_| example())?;
    let to = match to.strip_prefix('+') {
        Some(count) => from.checked_add(count.parse().map_err(|_| example())?),
        None => Some(to.parse().map_err(|_| example())?),
    };
    let to = to.filter(|to| *to > from).ok_or_else(|| format!("`{text}` holds no seed"))?;
    Ok(from..to)
}

/// Runs the command.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[cfg(mutants)]
    (arguments.mistake.into_iter().for_each(probata_types::mutation::Mutation::choose));
    let failed = match (&arguments.seeds, arguments.seed) {
        (Some(seeds), _) => sweep::sweep(seeds.clone(), &arguments),
        (None, Some(seed)) => one(seed, &arguments),
        (None, None) => unreachable!("clap asks for one of them"),
    };
    if let (Some(seed), true) = (failed, arguments.shrink) {
        shrunk(seed, &arguments);
    }
    ExitCode::from(u8::from(failed.is_some()))
}

/// Runs one seed; the seed, if it failed.
fn one(seed: u64, arguments: &Arguments) -> Option<u64> {
    let plan = Plan::draw(seed, &arguments.reduction);
    let level = if arguments.json { Level::Quiet } else { arguments.trace };
    if level > Level::Quiet {
        println!("{plan}\n");
    }
    let mut trace = Trace::new(level, |line| println!("{line}"));
    let report = run(&plan, &mut trace);
    if arguments.json {
        print_json(&report);
    } else {
        println!("\n{}", report.counts);
        println!("seed {seed}: {}", report.verdict);
        println!(
            "{} events, {} ms of the world, hash {}",
            report.events, report.passed, report.hash
        );
    }
    failing(&report)
}

fn failing(report: &Report) -> Option<u64> {
    (!report.verdict.is_pass()).then_some(report.seed)
}

pub(super) fn print_json<T: serde::Serialize>(value: &T) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => println!("{text}"),
        Err(error) => eprintln!("error: {error}"),
    }
}

/// Says what is left of a failing world.
fn shrunk(seed: u64, arguments: &Arguments) {
    let Some(smallest) = shrink::shrink(seed, &arguments.reduction, |tried| eprintln!("{tried}"))
    else {
        eprintln!("seed {seed} does not fail any more");
        return;
    };
    if arguments.json {
        print_json(&smallest);
        return;
    }
    println!(
        "\nThe smallest world that was found, in {} worlds:\n\n{}",
        smallest.tried, smallest.plan
    );
    for planned in &smallest.plan.troubles {
        println!("  at {} ms [{}] {}", planned.at, planned.number, planned.trouble);
    }
    println!("\n{}", smallest.report.verdict);
    println!("\nTo see it:\n  {}", again(seed, &smallest.reduction, arguments));
}

/// The command that plays a world again.
fn again(seed: u64, reduction: &Reduction, arguments: &Arguments) -> String {
    let (build, mistake) = arguments.mistake();
    format!("{build}cargo run --release --bin sim -- {seed}{mistake}{reduction}")
}

impl Arguments {
    /// What comes before the command, and which option, so that the same mistake is made.
    #[cfg(mutants)]
    fn mistake(&self) -> (&'static str, String) {
        let Some(mistake) = self.mistake else { return Default::default() };
        let build = "RUSTC_WORKSPACE_WRAPPER=$PWD/tests/mutants/rustc ";
        (build, format!(" --mistake {}", mistake.name()))
    }

    #[cfg(not(mutants))]
    const fn mistake(&self) -> (&'static str, &'static str) {
        let _ = self;
        ("", "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn seeds_are_a_range_or_a_count() {
        assert_eq!(range("3..5"), Ok(3..5));
        assert_eq!(range("3..+5"), Ok(3..8));
        for wrong in ["3", "3..3", "5..3", "a..b", "3..+0", "18446744073709551615..+1"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }
}
