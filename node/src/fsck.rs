//! `probata-node fsck`: derive everything from the block log again, and compare.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its terminal")]

use crate::{
    config::Config,
    run::{RunError, load_genesis, open_stores},
};
use clap::Args;
use probata_ledger::{Fsck, LedgerError, MemoryStore, Report, Setup};
use probata_types::{Height, Proposal, state::StateRead};
use std::{path::PathBuf, process::ExitCode, sync::Arc};

/// What `probata-node fsck` is told.
#[derive(Debug, Clone, Args)]
pub struct FsckArguments {
    /// The node's configuration. The node must not be running.
    #[arg(long, value_name = "FILE", default_value = "node.toml")]
    pub config: PathBuf,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Checks the data of a stopped node and prints what it found.
pub fn fsck(arguments: &FsckArguments) -> ExitCode {
    match check(arguments) {
        Ok(report) => {
            print(&report, arguments.json);
            ExitCode::from(u8::from(!report.is_clean()))
        }
        Err(error) => {
            eprintln!("error: the check could not be done: {error}");
            ExitCode::from(2)
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum FsckError {
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

fn check(arguments: &FsckArguments) -> Result<Report, FsckError> {
    let config = Config::load(&arguments.config)?;
    let genesis = load_genesis(&config)?;
    let (storage, store) = open_stores(&config)?;
    let execute = |proposal: &Proposal, state: &dyn StateRead| {
        let execution = probata_contracts::execute(proposal, state)?;
        Ok((execution.outcomes, execution.changes))
    };
    let progress = |at: Height, of: Height| {
        if at == of || at.get().is_multiple_of(crate::limits::PROGRESS_BLOCKS) {
            eprintln!("checked block {at} of {of}");
        }
    };
    let setup = Setup {
        storage,
        store,
        suite: genesis.suite(),
        chain: genesis.chain(),
        initial: genesis.initial_state(),
    };
    let fsck = Fsck {
        setup,
        scratch: Arc::new(MemoryStore::default()),
        execute: &execute,
        progress: &progress,
    };
    Ok(fsck.run()?)
}

fn print(report: &Report, json: bool) {
    if json {
        let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        println!(
            "{}",
            serde_json::json!({
                "clean": report.is_clean(),
                "blocks": report.log,
                "checked": report.checked,
                "derived": report.derived,
                "compared": report.compared,
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
    if report.torn > 0 {
        println!(
            "a crash left {} bytes at the end of the log; opening the node cuts them",
            report.torn
        );
    }
    let state = if report.is_clean() { "clean" } else { "DAMAGED" };
    println!(
        "{state}: {} of {} blocks checked, {} derived entries compared",
        report.checked, report.log, report.compared
    );
}
