//! `probata-node archive` and `archive undo`: old segments of a stopped node's log go to the archive, and come back.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its terminal")]

use crate::{
    chain::{ChainError, reapply},
    config::{Config, ConfigError},
    limits,
    run::{RunError, load_genesis, open_storage, open_store},
};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use probata_ledger::{
    ArchivedSegment, ArchivedStorage, FileError, Ledger, LedgerError, LedgerReader, OpenError,
    Segment, Setup,
};
use probata_types::{Height, Timestamp};
use std::{path::PathBuf, process::ExitCode, sync::Arc};

/// What `probata-node archive` is told.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ArchiveArguments {
    /// What else than to archive.
    #[command(subcommand)]
    pub command: Option<ArchiveCommand>,
    /// The node's configuration, which names the archive. The node must not be running.
    #[arg(long, value_name = "FILE", default_value = "node.toml")]
    pub config: PathBuf,
    /// Archive what lies whole before this block, however old it is.
    #[arg(long, value_name = "HEIGHT", conflicts_with = "older_than")]
    pub before: Option<u64>,
    /// Archive what is older than so many days. [default: archive.horizon_days of node.toml]
    #[arg(long, value_name = "DAYS")]
    pub older_than: Option<u32>,
    /// Only say what would be moved.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// What else than to archive.
#[derive(Debug, Clone, Subcommand)]
pub enum ArchiveCommand {
    /// Bring every archived segment back to the log folder, and check each.
    ///
    /// The objects stay in the archive: other nodes may have the same ones. Cut short, it goes on when it is begun again.
    Undo(UndoArguments),
}

/// What `probata-node archive undo` is told.
#[derive(Debug, Clone, Args)]
pub struct UndoArguments {
    /// The node's configuration, which names the archive. The node must not be running.
    #[arg(long, value_name = "FILE", default_value = "node.toml")]
    pub config: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Moves old segments to the archive, or all of them back.
pub fn archive(arguments: &ArchiveArguments) -> ExitCode {
    let (result, json) = match &arguments.command {
        None => (put_away(arguments), arguments.json),
        Some(ArchiveCommand::Undo(undo)) => (bring_back(undo), undo.json),
    };
    match result {
        Ok(outcome) => {
            outcome.print(json);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("the ledger cannot be opened: {0}")]
    Open(#[from] OpenError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("{0}. Nothing is lost; the same command goes on from here")]
    File(#[from] FileError),
    #[error("node.toml names no archive: set archive.url")]
    NoArchive,
    #[error("--before names block {0}: no chain is so long")]
    Height(u64),
    #[error(
        "the ledger began from a snapshot, and blocks before {0} are still to come: archive once they are here"
    )]
    Incomplete(Height),
}

/// What was moved, or would be.
pub(super) struct Outcome {
    what: &'static str,
    pub(super) segments: Vec<Shown>,
    /// The last block that is in the archive now.
    pub(super) archived_to: Option<Height>,
}

/// A segment, and its object if it has one.
pub(super) struct Shown {
    pub(super) segment: Segment,
    pub(super) object: Option<ArchivedSegment>,
}

impl Shown {
    fn archived(object: ArchivedSegment) -> Self {
        let ArchivedSegment { first, last, bytes, .. } = object;
        Self { segment: Segment { first, last, bytes }, object: Some(object) }
    }
}

pub(super) fn put_away(arguments: &ArchiveArguments) -> Result<Outcome, CommandError> {
    let config = Config::load(&arguments.config)?;
    let archive = config.archive.as_ref().ok_or(CommandError::NoArchive)?;
    let days = arguments.older_than.unwrap_or(archive.horizon_days);
    let limit = match arguments.before {
        Some(height) if height > Height::MAX.get() => return Err(CommandError::Height(height)),
        Some(height) => Limit::Before(Height::new(height)),
        None => {
            let age = u64::from(days).saturating_mul(limits::DAY_MS);
            Limit::Time(Timestamp::new(crate::api::wall_clock().get().saturating_sub(age)))
        }
    };
    let genesis = load_genesis(&config)?;
    let storage = open_storage(&config)?;
    let chosen = choose(&config, &storage, limit)?;
    if arguments.dry_run {
        let segments = chosen.into_iter().map(|segment| Shown { segment, object: None });
        return Ok(outcome("would be archived", segments.collect(), &storage));
    }
    let bar = bar(chosen.iter().map(|segment| segment.bytes).sum());
    let prefix = format!("{}/", genesis.chain());
    let moved = storage.put_away(&chosen, &prefix, &|segment| show(&bar, segment))?;
    bar.finish_and_clear();
    let segments = moved.segments.into_iter().map(Shown::archived).collect();
    Ok(outcome("archived", segments, &storage))
}

pub(super) fn bring_back(arguments: &UndoArguments) -> Result<Outcome, CommandError> {
    let config = Config::load(&arguments.config)?;
    let storage = open_storage(&config)?;
    let bar = bar(storage.archived().iter().map(|segment| segment.bytes).sum());
    let moved = storage.bring_back(&|segment| show(&bar, segment))?;
    bar.finish_and_clear();
    let segments = moved.segments.into_iter().map(Shown::archived).collect();
    Ok(outcome("brought back", segments, &storage))
}

/// Which segments go.
enum Limit {
    /// Those whose blocks are all before this one.
    Before(Height),
    /// Those whose blocks are all older.
    Time(Timestamp),
}

/// The segments that go. What is derived from them is brought up to date first: it must not be needed to open the ledger.
fn choose(
    config: &Config,
    storage: &Arc<ArchivedStorage>,
    limit: Limit,
) -> Result<Vec<Segment>, CommandError> {
    let genesis = load_genesis(config)?;
    let setup = Setup {
        storage: Arc::<ArchivedStorage>::clone(storage),
        store: open_store(config)?,
        suite: genesis.suite(),
        chain: genesis.chain(),
        initial: genesis.initial_state(),
    };
    let mut ledger = Ledger::open(setup)?;
    reapply(&mut ledger, &|_, _| ())?;
    let reader = ledger.reader();
    if reader.history_from() > Height::new(1) {
        return Err(CommandError::Incomplete(reader.history_from()));
    }
    let mut chosen = Vec::new();
    for segment in storage.movable()? {
        if !goes(&reader, &segment, &limit)? {
            break;
        }
        chosen.push(segment);
    }
    ledger.close()?;
    Ok(chosen)
}

fn goes(reader: &LedgerReader, segment: &Segment, limit: &Limit) -> Result<bool, LedgerError> {
    match limit {
        Limit::Before(height) => Ok(segment.last < *height),
        Limit::Time(time) => {
            let sealed = reader.sealed_header(segment.last)?;
            Ok(sealed.is_some_and(|(header, _)| header.time < *time))
        }
    }
}

fn outcome(what: &'static str, segments: Vec<Shown>, storage: &ArchivedStorage) -> Outcome {
    let archived_to = storage.archived().last().map(|segment| segment.last);
    Outcome { what, segments, archived_to }
}

impl Outcome {
    fn print(&self, json: bool) {
        let bytes: u64 = self.segments.iter().map(|shown| shown.segment.bytes).sum();
        if json {
            let segments = self.segments.iter().map(|Shown { segment, object }| {
                serde_json::json!({
                    "first": segment.first,
                    "last": segment.last,
                    "bytes": segment.bytes,
                    "object": object.as_ref().map(|object| object.object.to_string()),
                    "blake3": object.as_ref().map(|object| object.hash),
                })
            });
            let segments: Vec<serde_json::Value> = segments.collect();
            let archived_to = self.archived_to;
            println!(
                "{}",
                serde_json::json!({
                    "segments": segments, "bytes": bytes, "archived_to": archived_to,
                })
            );
            return;
        }
        for Shown { segment, object } in &self.segments {
            let Segment { first, last, bytes } = segment;
            let object = object.as_ref().map_or(String::new(), |it| format!(", {}", it.object));
            println!("blocks {first} to {last}, {bytes} bytes{object}");
        }
        println!("{} segments with {bytes} bytes {}", self.segments.len(), self.what);
        match self.archived_to {
            Some(last) => println!("the blocks up to {last} are in the archive"),
            None => println!("nothing is in the archive"),
        }
    }
}

/// On a terminal only; indicatif hides it elsewhere.
fn bar(bytes: u64) -> ProgressBar {
    let template =
        "{wide_bar} {percent} %  {decimal_bytes} of {decimal_total_bytes}, {eta} left  {msg}";
    let style = ProgressStyle::with_template(template).expect("the template is well-formed");
    ProgressBar::new(bytes).with_style(style)
}

/// Says which segment is moved now.
fn show(bar: &ProgressBar, segment: &Segment) {
    bar.set_message(format!("blocks {} to {}", segment.first, segment.last));
    bar.inc(segment.bytes);
}
