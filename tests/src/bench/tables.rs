//! The short set: what the table of the document says, measured anew.

use super::{
    command::{self, Load},
    hardware::Hardware,
    profile::Profile,
    result::Measured,
};
use crate::{document, trouble::Trouble};
use clap::Args;
use comfy_table::{Table, presets};
use probata_client::sdk::clock;
use std::{io::Write as _, path::PathBuf};

/// What the tables are called in a document.
const LOAD: &str = "load";
const MACHINE: &str = "machine";
/// Submissions on their way in the first load.
const IN_FLIGHT: usize = 256;

/// What is measured how often.
#[derive(Debug, Clone, Args)]
pub(super) struct Arguments {
    /// Seconds of each run, after its warm-up.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Runs of each load; the table has their medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// Write the tables into this document, too.
    #[arg(long)]
    document: Option<PathBuf>,
}

/// A line of the table: the medians of some runs.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    load: String,
    submissions_per_second: u64,
    /// The other columns, in the order of [`COLUMNS`].
    figures: Vec<f64>,
}

/// A column: what stands above it, its figure, and how many digits it has after the point.
type Column = (&'static str, fn(&Measured) -> f64, usize);

#[expect(clippy::cast_precision_loss, reason = "figures for people: nothing is decided by them")]
const COLUMNS: [Column; 9] = [
    ("records/s", |it| it.records_per_second as f64, 0),
    ("p50, ms", |it| it.p50_ms, 1),
    ("p99, ms", |it| it.p99_ms, 1),
    ("processor a record, µs", |it| it.cpu_us_per_record as f64, 0),
    ("syncs a thousand records", |it| it.syncs_per_thousand as f64, 0),
    ("frames a thousand", |it| it.mesh_frames_per_thousand as f64, 0),
    ("mesh bytes a record", |it| it.mesh_bytes_per_record as f64, 0),
    ("written bytes a record", |it| it.written_bytes_per_record as f64, 0),
    ("largest node, MB", |it| it.rss_mb_max as f64, 0),
];

/// Measures, prints, and writes the document. Says whether nothing was lost, rejected or left without an answer.
///
/// # Errors
/// [`Trouble`] of a run, or if the document has no place for a table.
pub(super) async fn measure(wanted: &Arguments) -> Result<bool, Trouble> {
    let machine = format!("{} Measured {}.", Hardware::measure()?.line(), clock::now().date(0));
    say(&machine);
    let load = |profile| Load {
        profile,
        seconds: Some(wanted.seconds),
        rate: None,
        in_flight: None,
        kill_leader_at: None,
        restart_every: None,
        records: None,
        keep: None,
        validators: 4,
        member: false,
        seed: 1,
    };
    let (single, hundred) = (load(Profile::Single), load(Profile::Hundred));
    let all = Load { in_flight: Some(IN_FLIGHT), ..single.clone() };
    let (ceiling, mut holds) = median_of(&all, wanted.runs).await?;
    let half = Load { rate: Some((ceiling.submissions_per_second / 2).max(1)), ..single.clone() };
    let alone = Load { in_flight: Some(1), ..single };
    let mut rows = vec![ceiling];
    for load in [half, alone, hundred] {
        let (row, well) = median_of(&load, wanted.runs).await?;
        rows.push(row);
        holds &= well;
    }
    let table = table(&rows).to_string();
    say(&table);
    if let Some(path) = &wanted.document {
        document::write(path, MACHINE, &machine)?;
        document::write(path, LOAD, &table)?;
    }
    Ok(holds)
}

/// Measures a load some times; whether each run was without loss.
async fn median_of(load: &Load, runs: u64) -> Result<(Row, bool), Trouble> {
    let mut measured = Vec::new();
    for _ in 0..runs {
        measured.push(command::run(load).await?);
    }
    let holds = measured.iter().all(Measured::holds);
    Ok((Row::of(load, &measured), holds))
}

impl Row {
    fn of(load: &Load, measured: &[Measured]) -> Self {
        let how = match (load.rate, load.in_flight) {
            (Some(rate), _) => format!(", `--rate {rate}`"),
            (None, Some(most)) => format!(", `--in-flight {most}`"),
            (None, None) => String::new(),
        };
        let rates = measured.iter().map(|it| it.submissions_per_second).collect();
        let figure = |(_, of, _): &Column| median(measured.iter().map(of).collect());
        Self {
            load: format!("{}{how}", load.profile.name()),
            submissions_per_second: median_of_whole(rates),
            figures: COLUMNS.iter().map(figure).collect(),
        }
    }
}

fn median_of_whole(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let titles = COLUMNS.iter().map(|(title, ..)| *title);
    table.set_header(["load", "submissions/s"].into_iter().chain(titles));
    for row in rows {
        let figures = row.figures.iter().zip(&COLUMNS);
        let figures = figures.map(|(figure, (_, _, digits))| format!("{figure:.digits$}"));
        let first = [row.load.clone(), row.submissions_per_second.to_string()];
        table.add_row(first.into_iter().chain(figures));
    }
    table
}

fn say(text: &str) {
    // A reader that has gone, as after `| head`, is no failure.
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_one_in_the_middle() {
        assert_eq!(median_of_whole(vec![9, 1, 5]), 5);
        assert_eq!(median(vec![9.5, 1.0, 5.25]).to_string(), "5.25");
        assert_eq!(median_of_whole(Vec::new()), 0);
    }

    #[test]
    fn every_row_has_a_cell_for_every_title() {
        let figures = (1..=COLUMNS.len()).map(|it| it as f64).collect();
        let row = Row { load: "single".to_owned(), submissions_per_second: 7, figures };
        let text = table(&[row]).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[2].contains("single") && lines[2].contains("| 2.0 ") && lines[2].contains("| 9 "),
            "{text}"
        );
        let cells = |line: &str| line.matches('|').count();
        assert_eq!(cells(lines[0]), cells(lines[2]));
    }
}
