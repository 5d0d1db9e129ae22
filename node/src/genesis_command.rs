//! `probata-node genesis`: the ceremony that begins a chain, and the check that everybody makes.
//!
//! The commands only read and write files; what holds and what does not is decided by
//! [`probata_genesis`].

use clap::{Args, Subcommand};
use probata_genesis::{EntryError, GenesisError, JsonError, KeyFileError};
use probata_types::{Hash, Text};
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

mod assemble;
mod check;
mod entry;
mod files;
mod keys;

pub use assemble::AssembleArguments;
pub use check::CheckArguments;
pub use entry::{EntryArguments, NodeAt};
pub use keys::{KeysArguments, SubjectKeyArguments};

/// Make keys, entries and the genesis document.
#[derive(Debug, Subcommand)]
#[command(after_help = CEREMONY)]
pub enum GenesisCommand {
    /// Make an institution's keys: to submit, to vote, and for its node on the mesh.
    ///
    /// Writes submission.key.json (signs what the institution submits: for its back office),
    /// validator.key.json (signs votes) and node.key.json (the node's identity on the mesh; both
    /// for its server). Only their owner may read them. Back them up: nobody can make them again.
    Keys(KeysArguments),
    /// Make the consortium key, under which members know borrowers by handles.
    ///
    /// All member nodes hold the same subject key. Whoever has it can guess who is behind a handle,
    /// so it travels by a private channel only. The genesis document holds its digest.
    SubjectKey(SubjectKeyArguments),
    /// Write an institution's entry and sign it with every key that it names.
    ///
    /// The signatures prove that the institution holds the keys. The entry has no secrets: send it
    /// to whoever assembles the genesis document. It is valid for one chain name.
    Entry(Box<EntryArguments>),
    /// Put signed entries, parameters and rules together into the genesis document.
    ///
    /// Checks every entry, and everything that must hold between them. The order of the entries
    /// does not matter: with the same --created-at, everybody who assembles the same files gets the
    /// same chain id.
    Assemble(Box<AssembleArguments>),
    /// Check a genesis document and show what it says: chain id, institutions, validators, groups.
    ///
    /// Equal chain ids are equal documents: compare yours with the others' by a channel that you
    /// trust. Find your own institution in the list, with its keys (--json shows them), before you
    /// agree.
    Check(CheckArguments),
}

const CEREMONY: &str = "\
The ceremony:
  1. Each institution:  genesis keys, then genesis entry; it sends the entry to whoever assembles.
  2. One of them:       genesis subject-key; it hands the file to the other members in private.
  3. Anybody:           genesis assemble; sends the document to all.
  4. Everybody:         genesis check; all compare the chain id by telephone.

Exit codes:
  0  done
  1  something given does not hold; the message says what and where
  2  wrong usage, or a file cannot be read or written (none is ever overwritten)";

/// How a command answers.
#[derive(Debug, Clone, Copy, Args)]
pub struct Format {
    /// Answer in JSON, for programs; errors too, on standard error.
    #[arg(long)]
    pub json: bool,
}

/// What a command answers, for people and for programs. Never a secret.
struct Answer {
    text: String,
    json: serde_json::Value,
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{0} exists and is not overwritten: move it away, or choose another place")]
    Exists(PathBuf),
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    #[error("{path}: {source}")]
    Json { path: PathBuf, source: JsonError },
    #[error("{path}: {source}")]
    Key { path: PathBuf, source: KeyFileError },
    #[error("{path}: {source}")]
    Parameters { path: PathBuf, source: toml::de::Error },
    #[error("the entry does not hold: {0}")]
    Entry(#[from] EntryError),
    #[error("{path}: {source}")]
    SignedEntry { path: PathBuf, source: EntryError },
    #[error("the genesis document does not hold: {0}")]
    Genesis(#[from] GenesisError),
    #[error("the chain id is {got} and not {wanted}: this is another genesis document")]
    Chain { got: Hash, wanted: Hash },
    #[error("too many {what}: at most {max} are allowed")]
    TooMany { what: &'static str, max: usize },
}

impl CommandError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Read { .. }
            | Self::Write { .. }
            | Self::Exists(_)
            | Self::Random(_)
            | Self::TooMany { .. } => 2,
            Self::Json { .. }
            | Self::Key { .. }
            | Self::Parameters { .. }
            | Self::Entry(_)
            | Self::SignedEntry { .. }
            | Self::Genesis(_)
            | Self::Chain { .. } => 1,
        }
    }
}

/// Does what was asked, answers on standard output, complains on standard error.
pub fn run(command: GenesisCommand) -> ExitCode {
    let format = command.format();
    let result = execute(command);
    // A terminal that went away is no failure of the command: what was to be written is written.
    match result {
        Ok(answer) => {
            let text = if format.json { pretty(&answer.json) } else { answer.text };
            let _ = writeln!(io::stdout(), "{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let text = if format.json {
                pretty(&serde_json::json!({ "error": error.to_string() }))
            } else {
                format!("error: {error}")
            };
            let _ = writeln!(io::stderr(), "{text}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn execute(command: GenesisCommand) -> Result<Answer, CommandError> {
    match command {
        GenesisCommand::Keys(arguments) => keys::make_keys(&arguments),
        GenesisCommand::SubjectKey(arguments) => keys::make_subject_key(&arguments),
        GenesisCommand::Entry(arguments) => entry::make_entry(*arguments),
        GenesisCommand::Assemble(arguments) => assemble::assemble(&arguments),
        GenesisCommand::Check(arguments) => check::check(&arguments),
    }
}

impl GenesisCommand {
    const fn format(&self) -> Format {
        match self {
            Self::Keys(arguments) => arguments.format,
            Self::SubjectKey(arguments) => arguments.format,
            Self::Entry(arguments) => arguments.format,
            Self::Assemble(arguments) => arguments.format,
            Self::Check(arguments) => arguments.format,
        }
    }
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}

/// Reads a text of the command line into its bounded type.
fn text<const MAX: usize>(argument: &str) -> Result<Text<MAX>, String> {
    Text::new(argument).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
