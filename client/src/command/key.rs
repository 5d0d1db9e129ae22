//! `probata key`: make a submission key, or show the public half of a key file.

use super::{context, failure::Failure, output::Output};
use crate::sdk::random;
use clap::Subcommand;
use probata_genesis::{KeyFile, KeyUse};
use probata_types::Keypair;
use serde_json::json;
use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key that signs submissions. Only its owner can read the file; nothing is overwritten.
    ///
    /// Example: probata key new bank.key.json
    New {
        /// Where to write it.
        file: PathBuf,
    },
    /// Show what a key file is for, and its public half. The secret is never shown.
    Show {
        /// The key file.
        file: PathBuf,
    },
}

pub(super) fn run(command: &KeyCommand, output: &mut Output) -> Result<u8, Failure> {
    let key = match command {
        KeyCommand::New { file } => {
            let secret = random::secret().map_err(|error| Failure::local(error.to_string()))?;
            let pair = Keypair::from_secret(&secret);
            let key = KeyFile { purpose: KeyUse::Submission, pair };
            write(file, &key.to_json())?;
            key
        }
        KeyCommand::Show { file } => context::read_key(file)?,
    };
    let (purpose, public) = (key.purpose, key.pair.public());
    let value = json!({ "use": purpose.to_string(), "public": public.to_string() });
    output.answer(&format!("{purpose} key, public half:\n{public}"), &value);
    Ok(0)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| Failure::file(path, &error))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|error| Failure::local(format!("{}: {error}", path.display())))
}
