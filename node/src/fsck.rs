//! `probata-node fsck`: derive everything from the block log again, and compare.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its terminal")]

mod meter;
mod scratch;

use crate::{
    config::Config,
    run::{RunError, load_genesis, open_stores},
    stop,
};
use clap::Args;
use meter::Meter;
use probata_ledger::{Fsck, FsckError, Progress, Report, Setup};
use probata_types::{Proposal, state::StateRead};
use scratch::{Scratch, ScratchError};
use std::{
    num::NonZeroUsize,
    path::PathBuf,
    pin::pin,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

/// What `probata-node fsck` is told.
#[derive(Debug, Clone, Args)]
pub struct FsckArguments {
    /// The node's configuration. The node must not be running.
    #[arg(long, value_name = "FILE", default_value = "node.toml")]
    pub config: PathBuf,
    /// Where to keep what is derived again: on a disk with as much room as `data/derived` takes. A folder of its own is made
    /// there and removed at the end. [default: the data folder]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Threads that check blocks, beside the one that executes them. [default: the number of cores]
    #[arg(long, value_name = "NUMBER")]
    pub workers: Option<NonZeroUsize>,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Checks the data of a stopped node and prints what it found.
pub fn fsck(arguments: &FsckArguments) -> ExitCode {
    let begin = Instant::now();
    match check(arguments) {
        Ok(report) => {
            print(&report, begin.elapsed(), arguments.json);
            ExitCode::from(u8::from(!report.is_clean()))
        }
        Err(error) => {
            eprintln!("error: the check could not be done: {error}");
            ExitCode::from(2)
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    #[error(transparent)]
    Fsck(#[from] FsckError),
    #[error("signals cannot be waited for: {0}")]
    Signals(std::io::Error),
}

fn check(arguments: &FsckArguments) -> Result<Report, CommandError> {
    let config = Config::load(&arguments.config)?;
    let genesis = load_genesis(&config)?;
    let (storage, store) = open_stores(&config)?;
    // From here on the process ends when the check has tidied up.
    let stop = stop_flag()?;
    let scratch = Scratch::open(&config, arguments.scratch.as_deref())?;
    let execute = |proposal: &Proposal, state: &dyn StateRead| {
        let execution = probata_contracts::execute(proposal, state)?;
        Ok((execution.outcomes, execution.changes))
    };
    let setup = Setup {
        storage,
        store,
        suite: genesis.suite(),
        chain: genesis.chain(),
        initial: genesis.initial_state(),
    };
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let meter = Meter::new();
    let fsck = Fsck {
        setup,
        scratch: scratch.store(),
        execute: &execute,
        workers: arguments.workers.unwrap_or_else(cores),
        stop: &stop,
        progress: &|progress: &Progress| meter.show(progress),
    };
    let report = fsck.run();
    meter.end();
    scratch.remove()?;
    Ok(report?)
}

/// Is set when the process is told to stop, so that the check can end and tidy up.
fn stop_flag() -> Result<Arc<AtomicBool>, CommandError> {
    let flag = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CommandError::Signals)?;
    let (set, (ready, is_ready)) = (Arc::clone(&flag), mpsc::sync_channel(1));
    let wait = async move {
        let mut requested = pin!(stop::requested());
        if futures::poll!(&mut requested).is_pending() {
            // The signals are caught now. Whoever waited for that is still there.
            let _ = ready.send(());
            requested.await;
        }
        set.store(true, Ordering::Relaxed);
    };
    // Nobody waits for its end: that is the end of the process.
    let thread = std::thread::Builder::new().name("signals".into());
    thread.spawn(move || runtime.block_on(wait)).map_err(CommandError::Signals)?;
    // An error means that a signal was there already, and is noted.
    let _ = is_ready.recv();
    Ok(flag)
}

fn print(report: &Report, took: Duration, json: bool) {
    let per_second = per_second(report.bytes, took);
    if json {
        let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        println!(
            "{}",
            serde_json::json!({
                "clean": report.is_clean(),
                "from": report.from,
                "log": report.log,
                "checked": report.checked,
                "state_from": report.state_from,
                "state_at": report.state_at,
                "archived_to": report.archived_to,
                "blocks": report.blocks,
                "records": report.records,
                "bytes": report.bytes,
                "seconds": took.as_secs_f64(),
                "bytes_per_second": per_second,
                "derived": report.derived,
                "compared": report.compared,
                "skipped": report.skipped,
                "torn_bytes": report.torn,
                "findings": findings,
                "more": report.more,
            })
        );
        return;
    }
    for finding in &report.findings {
        println!("{finding}");
    }
    if report.more > 0 {
        println!("… and {} more", report.more);
    }
    print_notes(report);
    let state = if report.is_clean() { "clean" } else { "DAMAGED" };
    println!(
        "{state}: {} blocks with {} records checked, up to block {} of {}; {} derived entries compared",
        report.blocks, report.records, report.checked, report.log, report.compared
    );
    println!(
        "{} of log in {:.1} s, {} a second",
        meter::megabytes(report.bytes),
        took.as_secs_f64(),
        meter::megabytes(per_second)
    );
}

/// What somebody must know who reads "clean".
fn print_notes(report: &Report) {
    if report.torn > 0 {
        println!(
            "a crash left {} bytes at the end of the log; opening the node cuts them",
            report.torn
        );
    }
    if report.from.get() <= 1 {
        return;
    }
    let from = report.from;
    match report.archived_to {
        Some(last) => println!(
            "the blocks up to {last} are in the archive, which cannot be read now, and were not checked; {} entries of \
             the derived store are of them",
            report.skipped
        ),
        None => println!("the blocks before {from} are not here, and were not checked"),
    }
    let until = report.state_from.and_then(probata_types::Height::previous).unwrap_or(report.log);
    println!(
        "blocks {from} to {until} were not executed again: their place, content, signatures and seals were checked, and what \
         came of their records is taken from what is sealed"
    );
    if let Some(at) = report.state_at {
        println!(
            "the state was put together from its objects, and compared with the root in block {at}"
        );
    }
}

fn per_second(bytes: u64, took: Duration) -> u64 {
    let millis = took.as_millis().max(1);
    u64::try_from(u128::from(bytes) * 1_000 / millis).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
