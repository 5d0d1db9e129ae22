//! Putting the genesis document together.

use super::{
    Answer, CommandError, Format,
    files::{self, Readers},
    keys::SUITE,
    text,
};
use clap::Args;
use probata_genesis::{
    ChainName, Draft, Genesis, JsonError, Parameters, SignedEntry, SubjectKey, limits,
    parse_rule_pack,
};
use probata_types::{Timestamp, limits::MAX_SAFE_INTEGER, rule_pack::RulePack};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// Arguments of `genesis assemble`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub struct AssembleArguments {
    /// The name of the chain, for which every entry was signed.
    #[arg(long, value_name = "NAME", value_parser = text::<{ limits::CHAIN_NAME_BYTES }>)]
    pub chain_name: ChainName,
    /// A signed entry. Repeated, or followed by several files.
    #[arg(long = "entry", value_name = "FILE", required = true, num_args = 1..)]
    pub entries: Vec<PathBuf>,
    /// Parameters in TOML, as `genesis/networks/consortium.toml`, which holds the values taken
    /// without it.
    #[arg(long, value_name = "FILE")]
    pub parameters: Option<PathBuf>,
    /// The rule pack at the start, in JSON.
    #[arg(long, value_name = "FILE")]
    pub rule_pack: PathBuf,
    /// The subject key that `genesis subject-key` made; the document gets its digest only.
    #[arg(long, value_name = "FILE")]
    pub subject_key: PathBuf,
    /// When the chain begins, in milliseconds since 1970-01-01 UTC; every block is later. Now, if
    /// not given.
    #[arg(long, value_name = "MILLISECONDS", value_parser = timestamp)]
    pub created_at: Option<Timestamp>,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How to answer.
    #[command(flatten)]
    pub format: Format,
}

const EXAMPLE: &str = "\
Example:
  probata-node genesis assemble --chain-name credit --entry *.entry.json \\
    --rule-pack rule-pack.json --subject-key subject.key.json --out genesis.json";

fn timestamp(argument: &str) -> Result<Timestamp, String> {
    let millis: u64 = argument.parse().map_err(|_| "not a number of milliseconds".to_owned())?;
    if millis > MAX_SAFE_INTEGER {
        return Err(format!("at most {MAX_SAFE_INTEGER}"));
    }
    Ok(Timestamp::new(millis))
}

pub(super) fn assemble(arguments: &AssembleArguments) -> Result<Answer, CommandError> {
    files::refuse_existing(&arguments.out)?;
    if arguments.entries.len() > limits::INSTITUTIONS {
        return Err(CommandError::TooMany { what: "entries", max: limits::INSTITUTIONS });
    }
    let parameters = match &arguments.parameters {
        Some(path) => read_parameters(path)?,
        None => Parameters::recommended(),
    };
    let subject_key = files::read(&arguments.subject_key, limits::KEY_FILE_BYTES)?;
    let subject_key = SubjectKey::parse(&subject_key)
        .map_err(|source| CommandError::Key { path: arguments.subject_key.clone(), source })?;
    let entries = arguments.entries.iter().map(|path| read_entry(path, &arguments.chain_name));
    let genesis = Genesis::assemble(Draft {
        suite: SUITE,
        created_at: arguments.created_at.unwrap_or_else(now),
        subject_key: subject_key.hash(SUITE),
        parameters,
        rule_pack: read_rule_pack(&arguments.rule_pack)?,
        entries: entries.collect::<Result<_, _>>()?,
        chain_name: arguments.chain_name.clone(),
    })?;
    files::create(&arguments.out, genesis.to_json().as_bytes(), Readers::All)?;
    let (chain, set, out) = (genesis.chain(), genesis.validator_set(), &arguments.out);
    let text = format!(
        "{}: {} institutions, {} validators, chain id\n{chain}\n\
         Everybody now runs `genesis check` on it and compares this id by a channel of trust.\n",
        out.display(),
        genesis.entries().count(),
        set.size(),
    );
    let created_at = genesis.created_at();
    Ok(Answer { text, json: json!({ "file": out, "chain": chain, "created_at": created_at }) })
}

/// Reads an entry and checks it at once, so that an error names the file.
fn read_entry(path: &Path, chain_name: &ChainName) -> Result<SignedEntry, CommandError> {
    let bytes = files::read(path, limits::ENTRY_BYTES)?;
    let signed = SignedEntry::parse(&bytes)
        .map_err(|source| CommandError::Json { path: path.to_owned(), source })?;
    signed
        .check(SUITE, chain_name)
        .map_err(|source| CommandError::SignedEntry { path: path.to_owned(), source })?;
    Ok(signed)
}

fn read_parameters(path: &Path) -> Result<Parameters, CommandError> {
    let bytes = files::read(path, limits::PARAMETERS_BYTES)?;
    if bytes.len() > limits::PARAMETERS_BYTES {
        let source = JsonError::TooLong { got: bytes.len(), max: limits::PARAMETERS_BYTES };
        return Err(CommandError::Json { path: path.to_owned(), source });
    }
    toml::from_slice(&bytes)
        .map_err(|source| CommandError::Parameters { path: path.to_owned(), source })
}

fn read_rule_pack(path: &Path) -> Result<RulePack, CommandError> {
    parse_rule_pack(&files::read(path, limits::RULE_PACK_BYTES)?)
        .map_err(|source| CommandError::Json { path: path.to_owned(), source })
}

fn now() -> Timestamp {
    // A clock before 1970 is wrong in a way that the validators' own clocks will show.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(MAX_SAFE_INTEGER);
    Timestamp::new(millis.min(MAX_SAFE_INTEGER))
}
