//! `probata-node snapshot` and `restore`: the state of a stopped node, for nodes that join.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its terminal")]

use crate::{
    chain::{ChainError, reapply},
    config::{Config, ConfigError},
    run::{RunError, load_genesis, open_stores},
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use probata_ledger::{
    DiskStorage, Ledger, LedgerError, Manifest, OpenError, Restore, Setup, SnapshotError,
    SnapshotFiles, Written, restore,
};
use probata_types::Hash;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// What `probata-node snapshot` is told.
#[derive(Debug, Clone, Args)]
pub struct SnapshotArguments {
    /// The node's configuration. The node must not be running.
    #[arg(long, value_name = "FILE", default_value = "node.toml")]
    pub config: PathBuf,
    /// The folder to write to: it is made, or must hold no snapshot.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// What `probata-node restore` is told.
#[derive(Debug, Clone, Args)]
pub struct RestoreArguments {
    /// The node's configuration. Its data folder must hold no blocks.
    #[arg(long, value_name = "FILE", default_value = "node.toml")]
    pub config: PathBuf,
    /// The folder of the snapshot.
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// The hash of the snapshot's block, as you were told it by another way; any other is refused.
    #[arg(long, value_name = "HASH")]
    pub block: Option<Hash>,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, thiserror::Error)]
enum CommandError {
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
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error("the folder {0} cannot be used: {1}")]
    Folder(PathBuf, std::io::Error),
}

/// Writes a snapshot of a stopped node.
pub fn snapshot(arguments: &SnapshotArguments) -> ExitCode {
    match write(arguments) {
        Ok(written) => {
            let Written { height, hash, state_root, chunks, bytes } = written;
            report(
                &Shown { height: height.get(), hash, state_root, chunks, bytes },
                arguments.json,
            );
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

/// Fills an empty data folder from a snapshot.
pub fn restore_snapshot(arguments: &RestoreArguments) -> ExitCode {
    match fill(arguments) {
        Ok(manifest) => {
            let header = manifest.header();
            let shown = Shown {
                height: header.height.get(),
                hash: header.hash(),
                state_root: header.state_root,
                chunks: manifest.chunks(),
                bytes: manifest.bytes(),
            };
            report(&shown, arguments.json);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

fn write(arguments: &SnapshotArguments) -> Result<Written, CommandError> {
    let setup = setup(&arguments.config)?;
    let mut ledger = Ledger::open(setup)?;
    reapply(&mut ledger, &|_, _| ())?;
    let bar = bar();
    let frozen = ledger.freeze()?;
    let written = frozen.write(&files(&arguments.out)?, &|done| {
        bar.set_length(1 << 16);
        bar.set_position(done.into());
    })?;
    bar.finish_and_clear();
    Ok(written)
}

fn fill(arguments: &RestoreArguments) -> Result<Manifest, CommandError> {
    // Opening a folder makes it, which would hide a wrong name.
    if !arguments.from.is_dir() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(CommandError::Folder(arguments.from.clone(), missing));
    }
    let (setup, from) = (setup(&arguments.config)?, files(&arguments.from)?);
    let bar = bar();
    let progress = |done: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    let expected = arguments.block;
    let manifest = restore(&Restore { setup: &setup, from: &from, expected, progress: &progress })?;
    bar.finish_and_clear();
    Ok(manifest)
}

fn setup(config: &Path) -> Result<Setup, CommandError> {
    let config = Config::load(config)?;
    let genesis = load_genesis(&config)?;
    let (storage, store) = open_stores(&config)?;
    Ok(Setup {
        storage,
        store,
        suite: genesis.suite(),
        chain: genesis.chain(),
        initial: genesis.initial_state(),
    })
}

fn files(folder: &Path) -> Result<SnapshotFiles, CommandError> {
    let storage = DiskStorage::open(folder);
    let storage = storage.map_err(|error| CommandError::Folder(folder.to_owned(), error))?;
    Ok(SnapshotFiles::new(Arc::new(storage)))
}

/// On a terminal only; indicatif hides it elsewhere.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {percent} %  {elapsed} / {eta} left");
    ProgressBar::new(1).with_style(style.expect("the template is well-formed"))
}

struct Shown {
    height: u64,
    hash: Hash,
    state_root: Hash,
    chunks: usize,
    bytes: u64,
}

fn report(shown: &Shown, json: bool) {
    let Shown { height, hash, state_root, chunks, bytes } = shown;
    if json {
        println!(
            "{}",
            serde_json::json!({
                "height": height,
                "block": hash,
                "state_root": state_root,
                "chunks": chunks,
                "bytes": bytes,
            })
        );
    } else {
        println!("block {height}, {hash}\nstate root {state_root}\n{chunks} chunks, {bytes} bytes");
    }
}

fn fail(error: &CommandError) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests;
