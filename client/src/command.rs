//! The `probata` command: arguments, exit codes, and the way out of every subcommand. In the
//! library so that whoever needs a process of it can be one.

mod absence;
mod checkpoint;
mod context;
mod draft;
mod evidence;
mod failure;
mod faults;
mod flow;
mod governance;
mod key;
mod output;
mod search;
mod status;
mod submit;
mod verify;
mod verify_fault;
mod watch;

use absence::AbsenceCommand;
use checkpoint::CheckpointCommand;
use clap::{Args, Parser, Subcommand};
use failure::Failure;
use output::Output;
use std::{path::PathBuf, process::ExitCode, time::Duration};

const AFTER_HELP: &str = "\
Exit codes:
  0   done; for verify: consistent; for verify-fault: proven
  1   verify, absence, checkpoint verify: inconsistent; verify-fault: not proven; submit: a record was rejected
  2   verify, verify-fault: indeterminate, something needed is missing
  3   verify, compare, checkpoint new: the chain has forked
  64  wrong usage, or something given does not fit
  69  no node can be reached
  70  a local failure: disk, random source
  75  not sealed yet; do the same again

Start with:
  probata verify contract.evidence.json --genesis genesis.json
  probata status --node http://127.0.0.1:7101 --genesis genesis.json";

/// Submit records to a Probata chain, fetch their evidence, and verify it yourself.
///
/// Nothing that a node answers is believed before it is checked against the genesis document.
#[derive(Debug, Parser)]
#[command(name = "probata", version, after_help = AFTER_HELP, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What several commands need.
#[derive(Debug, Clone, Args)]
struct Common {
    /// Answer in JSON, for programs; errors too, on standard error.
    #[arg(long, global = true)]
    json: bool,
    /// The genesis document: the only thing that is trusted.
    #[arg(long, global = true, env = "PROBATA_GENESIS", value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// A node's API, such as http://127.0.0.1:7101. Name several, and the next one is asked when
    /// one fails.
    #[arg(
        long = "node",
        global = true,
        env = "PROBATA_NODE",
        value_name = "URL",
        value_delimiter = ','
    )]
    nodes: Vec<String>,
    /// The institution's submission key file.
    #[arg(long, global = true, env = "PROBATA_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
    /// The consortium's subject key file, to make handles of persons.
    #[arg(long, global = true, env = "PROBATA_SUBJECT_KEY", value_name = "FILE")]
    subject_key: Option<PathBuf>,
    /// Seconds for a node to give an answer that verifies.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    deadline: u64,
}

impl Common {
    fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key file, or show the public half of one.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Print a draft of a record type, to be filled in.
    Draft(draft::DraftArguments),
    /// Submit the records that draft files describe, and store their evidence.
    Submit(submit::SubmitArguments),
    /// Submit one document under a draft, and store its evidence.
    Notarise(submit::NotariseArguments),
    /// Fetch evidence files.
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// Verify an evidence file and its documents. Needs no network.
    Verify(verify::VerifyArguments),
    /// Fetch, or check, proof that something did not happen.
    #[command(subcommand)]
    Absence(absence::AbsenceCommand),
    /// Fetch a sealed header to keep, or check one that was kept.
    #[command(subcommand)]
    Checkpoint(checkpoint::CheckpointCommand),
    /// Show whether the nodes named tell one history.
    Compare(checkpoint::CompareArguments),
    /// Fetch the proofs that validators contradicted themselves.
    Faults(faults::FaultsArguments),
    /// Verify such a proof. Needs no network.
    VerifyFault(verify_fault::VerifyFaultArguments),
    /// Change who takes part: motions, and ballots on them.
    #[command(subcommand)]
    Governance(governance::GovernanceCommand),
    /// Show the records of a flow, and whether the list is complete.
    Flow(flow::FlowArguments),
    /// Find records by one criterion.
    Search(search::SearchArguments),
    /// Show what each node says about the chain.
    Status,
    /// Print new blocks as they are sealed, their seals checked.
    Watch(watch::WatchArguments),
}

/// Reads the arguments of the process and does what they say.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let mut output = Output::new(cli.common.json);
    let result = match &cli.command {
        Command::Key(command) => key::run(command, &mut output),
        Command::Draft(arguments) => draft::run(arguments, &mut output),
        Command::Verify(arguments) => verify::run(arguments, &cli.common, &mut output),
        Command::Absence(AbsenceCommand::Verify { file, checkpoint }) => {
            absence::verify(file, checkpoint.as_deref(), &cli.common, &mut output)
        }
        Command::Checkpoint(CheckpointCommand::Verify { file }) => {
            checkpoint::verify(file, &cli.common, &mut output)
        }
        Command::VerifyFault(arguments) => verify_fault::run(arguments, &cli.common, &mut output),
        online => run_online(online, &cli.common, &mut output),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.code)
        }
    }
}

/// Prints what there is to say without a command: help, the version, or what is wrong with the
/// arguments.
fn usage(error: &clap::Error) -> ExitCode {
    let _closed = error.print();
    if error.use_stderr() { ExitCode::from(failure::USAGE) } else { ExitCode::SUCCESS }
}

/// Runs a command that talks to nodes.
fn run_online(command: &Command, common: &Common, output: &mut Output) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::local(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        match command {
            Command::Submit(arguments) => submit::submit(arguments, common, output).await,
            Command::Notarise(arguments) => submit::notarise(arguments, common, output).await,
            Command::Evidence(command) => evidence::run(command, common, output).await,
            Command::Absence(command) => absence::fetch(command, common, output).await,
            Command::Checkpoint(CheckpointCommand::New { out, height }) => {
                checkpoint::new((out, *height), common, output).await
            }
            Command::Compare(arguments) => checkpoint::compare(arguments, common, output).await,
            Command::Faults(arguments) => faults::run(arguments, common, output).await,
            Command::Governance(command) => governance::run(command, common, output).await,
            Command::Flow(arguments) => flow::run(arguments, common, output).await,
            Command::Search(arguments) => search::run(arguments, common, output).await,
            Command::Status => status::run(common, output).await,
            Command::Watch(arguments) => watch::run(arguments, common, output).await,
            Command::Key(_)
            | Command::Draft(_)
            | Command::Verify(_)
            | Command::Checkpoint(CheckpointCommand::Verify { .. })
            | Command::VerifyFault(_) => {
                unreachable!("they run without a network")
            }
        }
    })
}
