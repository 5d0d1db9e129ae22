//! Changes genuine evidence files at random and judges each: `cargo run --release --bin tamper -- --count 1000000`.
#![expect(clippy::print_stdout, reason = "a program for people")]

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use probata_tests::{
    Trouble,
    tamper::{Plan, pair, run},
};
use std::process::ExitCode;

/// Change genuine evidence files of the corpus at random, and judge each by the light client.
///
/// Exit code 1 if one that says something else is found consistent. A panic ends the program.
#[derive(Parser)]
struct Arguments {
    /// Changed files.
    #[arg(long, default_value_t = 100_000)]
    count: u64,
    /// From which all choices follow; the same seed changes the same files in the same way.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    jobs: u64,
    /// Print the changed file of this number and the genuine one, a line each, and judge none.
    #[arg(long)]
    show: Option<u64>,
}

fn main() -> Result<ExitCode, Trouble> {
    let Arguments { count, seed, jobs, show } = Arguments::parse();
    if let Some(number) = show {
        let (changed, genuine) = pair(seed, number)?;
        for bytes in [changed, genuine] {
            println!("{}", String::from_utf8_lossy(&bytes).replace('\n', ""));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} changed files, {per_sec}, {eta} left")?;
    let bar = ProgressBar::new(count).with_style(style);
    let tally = run(Plan { seed, count, jobs }, &|done| {
        if done.is_multiple_of(1_000) {
            bar.set_position(done);
        }
    })?;
    bar.finish_and_clear();
    println!("{count} changed files, seed {seed}: verdicts {:?}", tally.verdicts);
    println!("first caught by {:?}", tally.caught_by);
    println!("{} said the same as a genuine one", tally.harmless);
    println!("false consistent: {} {:?}", tally.false_consistent.len(), tally.false_consistent);
    Ok(ExitCode::from(u8::from(!tally.false_consistent.is_empty())))
}
