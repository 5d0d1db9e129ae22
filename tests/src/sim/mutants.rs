//! The command `mutants`: for each deliberate mistake, the first world in which it shows.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to its user")]

mod row;

use super::{
    Reduction, Report,
    command::{bar, print_json, range},
    play,
};
use clap::Parser;
use probata_types::mutation::Mutation;
use row::Row;
use serde::Serialize;
use std::{
    ops::{ControlFlow, Range},
    process::ExitCode,
    time::Instant,
};

/// Show that the simulator finds deliberate mistakes.
///
/// Each mistake is one rule of docs/PROTOCOL.md that the code of all validators breaks. For
/// each, worlds are played from the first seed on until one does not pass. Before them come
/// some worlds without a mistake, which must all pass. The number of seeds that a mistake
/// took is the same on every machine and for every --jobs.
///
///   mutants                             every mistake, up to 2,000 seeds each
///   mutants --only JoinAtF,ViewsKept    these
///   sim 17 --mistake JoinAtF            the story of one world with a mistake (of this same build)
///   sim 17 --mistake JoinAtF --shrink   and the smallest one in which it shows
///
/// Ends with 0 if every mistake was caught, 1 if one was not or a world without mistakes
/// failed, 2 for a wrong call.
#[derive(Debug, Parser)]
#[command(name = "mutants", verbatim_doc_comment)]
struct Arguments {
    /// Make these mistakes only.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = mistake)]
    only: Vec<Mutation>,
    /// Seeds for each mistake: from A up to and without B, or N seeds from A on.
    #[arg(long, value_name = "A..B|A..+N", default_value = "0..2000", value_parser = range)]
    seeds: Range<u64>,
    /// Worlds without a mistake, before the others.
    #[arg(long, value_name = "N", default_value_t = 20)]
    control: u64,
    /// Worlds at the same time, each on a thread of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Print one JSON document for machines, and no table.
    #[arg(long)]
    json: bool,
}

/// A mistake by its name.
pub(super) fn mistake(text: &str) -> Result<Mutation, String> {
    let named = Mutation::ALL.iter().find(|it| it.name().eq_ignore_ascii_case(text));
    named.copied().ok_or_else(|| {
        let names: Vec<&str> = Mutation::ALL.iter().map(|it| it.name()).collect();
        format!("there is no such mistake; there are {}", names.join(", "))
    })
}

#[derive(Debug, Serialize)]
struct Summary {
    control: Row,
    mistakes: Vec<Row>,
    seconds: f64,
}

/// Runs the command.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let started = Instant::now();
    if !arguments.json {
        println!("{}", row::HEADER);
    }
    // Before the first mistake is chosen: there is no way back.
    let seeds = arguments.seeds.start..arguments.seeds.start.saturating_add(arguments.control);
    let control = Row::new(None, &seeds, first_failure(seeds.clone(), &arguments));
    tell(&control, &arguments);
    let all = if arguments.only.is_empty() { Mutation::ALL } else { &arguments.only };
    let mistakes: Vec<Row> = all.iter().map(|it| hunt(*it, &arguments)).collect();
    let seconds = started.elapsed().as_secs_f64();
    let missed = mistakes.iter().filter(|row| !row.is_caught()).count();
    let good = missed == 0 && !control.is_caught();
    if arguments.json {
        print_json(&Summary { control, mistakes, seconds });
    } else {
        let (caught, count) = (mistakes.len() - missed, mistakes.len());
        println!("\n{caught} of {count} mistakes were caught, in {seconds:.0} s");
        if control.is_caught() {
            eprintln!(
                "error: a world without a mistake fails: nothing else of this is to be believed"
            );
        }
    }
    ExitCode::from(u8::from(!good))
}

/// Makes a mistake, and plays worlds until one fails.
fn hunt(mutation: Mutation, arguments: &Arguments) -> Row {
    mutation.choose();
    let seeds = &arguments.seeds;
    let row = Row::new(Some(mutation), seeds, first_failure(seeds.clone(), arguments));
    tell(&row, arguments);
    row
}

/// What came of the first seed whose world fails.
fn first_failure(seeds: Range<u64>, arguments: &Arguments) -> Option<Report> {
    let bar = bar(&seeds, arguments.json);
    let mut first: Option<Report> = None;
    play(seeds, arguments.jobs, &Reduction::default(), |report| {
        bar.inc(1);
        let earlier = first.as_ref().is_none_or(|it| report.seed < it.seed);
        if !report.verdict.is_pass() && earlier {
            first = Some(report);
        }
        if first.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    first
}

fn tell(row: &Row, arguments: &Arguments) {
    if !arguments.json {
        println!("{row}");
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
    fn mistakes_are_known_by_their_names() {
        assert_eq!(mistake("joinatf"), Ok(Mutation::JoinAtF));
        assert!(mistake("JoinAtG").unwrap_err().contains("JoinAtF"));
    }
}
