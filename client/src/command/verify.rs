//! `probata verify`: an evidence file and its documents, against the genesis document. It reads the
//! files named and those beside the evidence file, and nothing else; it has no network.

use super::{Common, context, failure::Failure, output::Output};
use crate::light::SealedHeader;
use crate::sdk::{FoundDocument, OnDisk, clock, limits::DOCUMENT_BYTES, verify_on_disk};
use clap::Args;
use probata_genesis::Genesis;
use probata_types::{Checkpoint, Hash, Timestamp, limits::EVIDENCE_BYTES};
use std::path::PathBuf;

/// Minutes that Chinese standard time is east of UTC; a day asked for is reckoned there.
const ZONE_MINUTES: i32 = 480;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

const EXAMPLE: &str = "\
Examples:
  probata verify contract.evidence.json --genesis genesis.json
  probata verify contract.evidence.json contract.pdf --genesis genesis.json --explain

Documents are those named, and those found beside the evidence file: under the name that the
evidence discloses, or by their digests. A missing one makes the verdict indeterminate; one that
differs, inconsistent. Without --genesis nobody knows who sealed: indeterminate.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct VerifyArguments {
    /// The evidence file.
    evidence: PathBuf,
    /// The documents.
    documents: Vec<PathBuf>,
    /// The day, or point in time, for which the answer is wanted, such as 2026-05-01.
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// The chain id that you trust: the genesis document must have it, and may then come from anywhere.
    #[arg(long, value_name = "HASH")]
    chain: Option<Hash>,
    /// A checkpoint that you have kept (`probata checkpoint`): the file must tell the same history.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// A checkpoint that another node gave, of the height of the record's block or of the anchor: whether the
    /// chain has forked.
    #[arg(long, value_name = "FILE")]
    second: Option<PathBuf>,
    /// Print every intermediate digest too, so that a person can redo the examination by hand.
    #[arg(long)]
    explain: bool,
}

pub(super) fn run(
    arguments: &VerifyArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    // One byte more than allowed is read, so that the light client itself says that the file is too
    // large.
    let evidence = context::read(&arguments.evidence, EVIDENCE_BYTES as u64 + 1)?;
    let genesis = common.genesis.as_deref().map(context::read_genesis).transpose()?;
    if let Some(trusted) = arguments.chain {
        let chain = genesis.as_ref().map(Genesis::chain).ok_or_else(|| {
            Failure::usage("a chain id alone names no validators", "add --genesis FILE too")
        })?;
        if chain != trusted {
            return Err(Failure::usage(
                format!("the genesis document is of chain {chain}, you trust {trusted}"),
                "get the genesis document of the chain that you trust",
            ));
        }
    }
    let as_of = arguments.as_of.as_deref().map(as_of).transpose()?;
    let documents = arguments.documents.iter().map(|path| {
        let bytes = context::read(path, DOCUMENT_BYTES)?;
        Ok(FoundDocument { name: path.display().to_string(), bytes })
    });
    let documents = documents.collect::<Result<Vec<_>, Failure>>()?;
    let checkpoint = arguments.checkpoint.as_deref().map(context::read_checkpoint).transpose()?;
    let second = arguments.second.as_deref().map(context::read_checkpoint).transpose()?;
    let second = second.map(|Checkpoint { header, seal, .. }| SealedHeader { header, seal });
    let report = verify_on_disk(&OnDisk {
        path: &arguments.evidence,
        evidence: &evidence,
        documents: &documents,
        genesis: genesis.as_ref(),
        as_of,
        second_source: second.as_ref(),
        checkpoint: checkpoint.as_ref(),
        explain: arguments.explain || output.is_json(),
    });
    if output.is_json() {
        let value =
            serde_json::to_value(&report).map_err(|error| Failure::local(error.to_string()))?;
        output.value(&value);
    } else {
        output.line(&report.to_string());
        output.line(&reproduce(arguments, genesis.as_ref()));
        if arguments.explain {
            output.line(&report.explain_text());
        }
    }
    Ok(report.verdict.exit_code())
}

/// How to repeat the check; the verdict must not depend on who asks.
fn reproduce(arguments: &VerifyArguments, genesis: Option<&Genesis>) -> String {
    let chain = genesis
        .map_or_else(|| "未提供 not given".to_owned(), |genesis| genesis.chain().to_string());
    let (version, file) = (env!("CARGO_PKG_VERSION"), arguments.evidence.display());
    let mut options = String::new();
    for document in &arguments.documents {
        options += &format!(" {}", document.display());
    }
    let files = [("checkpoint", &arguments.checkpoint), ("second", &arguments.second)];
    for (name, path) in files {
        options +=
            &path.as_ref().map_or_else(String::new, |path| format!(" --{name} {}", path.display()));
    }
    options += &arguments.chain.map_or_else(String::new, |chain| format!(" --chain {chain}"));
    options += &arguments.as_of.as_ref().map_or_else(String::new, |day| format!(" --as-of {day}"));
    format!(
        "复现 Reproduce\n  probata {version}: probata verify {file}{options} --genesis GENESIS\n  \
         链标识 Trusted chain id: {chain}\n  网络 Network used: 否 no"
    )
}

fn as_of(text: &str) -> Result<Timestamp, Failure> {
    if let Ok(day) = clock::parse_date(text, clock::now(), ZONE_MINUTES) {
        let end = (i64::from(day.0) + 1) * DAY_MS - i64::from(ZONE_MINUTES) * 60_000 - 1;
        return Ok(Timestamp::new(u64::try_from(end).unwrap_or_default()));
    }
    Ok(clock::parse_time(text, clock::now(), ZONE_MINUTES)?)
}
