//! The `probata-node` command, in the library so that whoever needs a node process can be one.
#![expect(clippy::print_stderr, reason = "a command talks to its terminal")]

use crate::{
    archive,
    config::{Config, LogFormat},
    devnet::{self, DevnetArguments},
    fsck, genesis_command, run, snapshot, stop,
};
use clap::{Parser, Subcommand};
use std::{io::IsTerminal as _, path::PathBuf, process::ExitCode};
use tracing_subscriber::EnvFilter;

/// Run a validator or a member node of a Probata chain.
///
/// To look around, start with `probata-node devnet`: four institutions on this machine notarise a loan.
/// For a real network: every institution makes its keys and its entry (`genesis keys`, `genesis entry`), somebody assembles
/// them (`genesis assemble`), everybody checks that the chain id is the same (`genesis check`), then `run`.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node until it gets SIGINT or SIGTERM.
    Run {
        /// The node's configuration; a commented example is `node/node.toml`.
        #[arg(long, value_name = "FILE", default_value = "node.toml")]
        config: PathBuf,
        /// Stop also when standard input ends: a node that is somebody's child then never outlives them.
        #[arg(long)]
        stop_with_stdin: bool,
    },
    /// Start a network of four institutions on this machine, notarise a loan case and show the verdicts.
    Devnet(DevnetArguments),
    /// Check a stopped node's data: derive everything from the block log again and compare.
    ///
    /// Every block is read, its signatures, roots and seal are checked, its records are executed, and every entry of the derived
    /// store is compared with what that gives. Nothing is changed. All cores are used; memory stays the same however long the
    /// chain is; what is derived again goes to a temporary folder on disk (`--scratch`).
    ///
    /// A node that began from a snapshot lacks its oldest blocks: then the state is compared with the sealed root instead, and
    /// the report says what was not checked (`from`, `state_from` and `state_at` with `--json`).
    ///
    /// Exit code 0: clean. 1: damage found, each listed. 2: the check could not be done, or was interrupted.
    Fsck(fsck::FsckArguments),
    /// Write the state of a stopped node to a folder, from which others join.
    ///
    /// Whoever restores it checks all of it from the genesis document: it may be handed over by anybody.
    Snapshot(snapshot::SnapshotArguments),
    /// Fill an empty data folder from a snapshot, after checking all of it. Cut short, it is begun again.
    ///
    /// The node then serves from the snapshot's block on. A validator key that has a seat does not vote on a restored
    /// ledger without its journal.
    Restore(snapshot::RestoreArguments),
    /// Move old parts of a stopped node's block log to the archive that `node.toml` names.
    ///
    /// Block bodies go, in whole files of some 64 MiB; headers, seals, the state and all proofs stay, and the running node reads
    /// from the archive what it is asked for. A file is removed here only after the archive has given all of it back. Cut short,
    /// the command goes on when it is begun again; `archive undo` brings everything back.
    Archive(archive::ArchiveArguments),
    /// Make keys, entries and the genesis document.
    Genesis {
        #[command(subcommand)]
        command: genesis_command::GenesisCommand,
    },
}

/// Reads the arguments of the process and does what they say.
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run { config, stop_with_stdin } => run_node(&config, stop_with_stdin),
        Command::Devnet(arguments) => {
            start_logs(LogFormat::Human, "warn");
            finish(block_on(devnet::devnet(arguments)))
        }
        Command::Fsck(arguments) => {
            start_logs(LogFormat::Human, "warn");
            fsck::fsck(&arguments)
        }
        Command::Snapshot(arguments) => {
            start_logs(LogFormat::Human, "warn");
            snapshot::snapshot(&arguments)
        }
        Command::Restore(arguments) => {
            start_logs(LogFormat::Human, "warn");
            snapshot::restore_snapshot(&arguments)
        }
        Command::Archive(arguments) => {
            start_logs(LogFormat::Human, "warn");
            archive::archive(&arguments)
        }
        Command::Genesis { command } => genesis_command::run(command),
    }
}

fn run_node(path: &std::path::Path, stop_with_stdin: bool) -> ExitCode {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(EXIT_CONFIGURATION);
        }
    };
    start_logs(config.log.format, &config.log.filter);
    let result = block_on(async {
        let stop = async {
            tokio::select! {
                () = stop::requested() => {}
                () = stop::end_of_stdin(), if stop_with_stdin => {}
            }
        };
        run::run(config, stop).await
    });
    if let Err(error) = &result {
        tracing::error!(%error, "the node stopped");
    }
    finish(result)
}

/// `EX_CONFIG` of sysexits.h: the configuration is wrong, a restart will not help.
const EXIT_CONFIGURATION: u8 = 78;

fn finish<E: std::fmt::Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("threads can be started").block_on(future)
}

fn start_logs(format: LogFormat, filter: &str) {
    let filter = match std::env::var("RUST_LOG") {
        Ok(from_environment) => from_environment,
        Err(_) if filter.is_empty() => "info".to_owned(),
        Err(_) => filter.to_owned(),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Human => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}
