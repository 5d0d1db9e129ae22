//! The command `scale`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to its user")]

use super::{
    compare::{Row, compare},
    costs::Costs,
    page::{self, VALIDATORS},
    setting::{Load, Setting},
    supply::Supply,
};
use crate::trouble::Trouble;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Mutex, PoisonError},
};

/// Round trips that are looked at, in milliseconds.
const ROUND_TRIPS: [u64; 4] = [1, 10, 30, 60];
/// Records a second that are offered: what the chain is to sustain.
const OFFERED: u64 = 2_000;

/// Compute how far the chain goes, play it in virtual time, and print both side by side.
///
///   scale                               the tables of docs/SCALE.md, some minutes
///   scale --write docs/SCALE.md         put them into the page
///   scale --validators 4,7 --round-trips 10
///   scale --json                        one document for machines
///
/// What machines need for what stands in tests/src/scale/costs.rs. Nothing is timed: the same costs give the
/// same tables. Ends with 0; with 1 if model and simulation differ by more than 20 %; with 2 for a wrong call.
#[derive(Debug, Parser)]
#[command(name = "scale", verbatim_doc_comment)]
struct Arguments {
    /// Numbers of validators.
    #[arg(long, value_delimiter = ',', default_values_t = VALIDATORS.map(|it| it as u16),
          value_parser = clap::value_parser!(u16).range(4..=128))]
    validators: Vec<u16>,
    /// Milliseconds from one validator to another and back.
    #[arg(long, value_delimiter = ',', default_values_t = ROUND_TRIPS,
          value_parser = clap::value_parser!(u64).range(1..=400))]
    round_trips: Vec<u64>,
    /// Settings at the same time, each on a thread of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Put the tables into this page, between their marks.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Print one JSON document for machines.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::from(2)
        }
    }
}

/// Whether model and simulation agree.
fn run(arguments: &Arguments) -> Result<bool, Trouble> {
    let rows = play(&settings(arguments), arguments.jobs)?;
    let tables = page::tables(&rows, &Costs::MEASURED, Supply::new(1)?.mean_bytes());
    if let Some(path) = &arguments.write {
        let page = std::fs::read_to_string(path)?;
        let filled = page::fill(&page, &tables);
        let lacks = |mark| Trouble::new(format!("{} has no line {mark}", path.display()));
        std::fs::write(path, filled.map_err(lacks)?)?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string(&rows)?);
    } else if arguments.write.is_none() {
        tables.iter().for_each(|(name, text)| println!("{name}\n\n{text}"));
    }
    let mut agree = true;
    for row in &rows {
        for (what, difference) in row.differences().iter().filter(|it| it.1.abs() > super::AGREE) {
            agree = false;
            eprintln!("{what} differs by {difference:.0} %: {}", row.setting);
        }
    }
    Ok(agree)
}

fn settings(arguments: &Arguments) -> Vec<Setting> {
    let mut settings = Vec::new();
    for load in [Load::Offered(OFFERED), Load::Full] {
        for validators in &arguments.validators {
            settings.extend(arguments.round_trips.iter().map(|round_trip_ms| Setting {
                validators: usize::from(*validators),
                round_trip_ms: *round_trip_ms,
                records_per_submission: 1,
                load,
                costs: Costs::MEASURED,
            }));
        }
    }
    settings
}

/// Plays all of them, in their order, whoever is done first.
fn play(settings: &[Setting], jobs: u16) -> Result<Vec<Row>, Trouble> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} settings");
    let bar = ProgressBar::new(settings.len() as u64)
        .with_style(style.expect("the template is a fixed one"));
    // The largest first, so that none of them is left for the end.
    let mut order: Vec<usize> = (0..settings.len()).collect();
    order.sort_by_key(|at| settings[*at].validators);
    let left = Mutex::new(order);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(at) = next else { break };
                    let row = compare(settings[at])
                        .map_err(|error| Trouble::new(format!("{}: {error}", settings[at])));
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, row));
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
