//! `probata verify-fault`: the proof that a validator contradicted itself, against the genesis document.
//! It reads the files named, and nothing else; it has no network.

use super::{Common, context, failure::Failure, output::Output};
use crate::light::{FaultRequest, verify_fault};
use clap::Args;
use probata_types::limits::{EVIDENCE_BYTES, FAULT_FILE_BYTES};
use std::path::PathBuf;

const EXAMPLE: &str = "\
Examples:
  probata verify-fault x.fault.json --genesis genesis.json --evidence x.evidence.json
  probata faults --out faults/        (fetches both files from a node)

The evidence file is one of any record of the same chain, anchored at the height before the fault's or
later; it shows every change of the validator set until then, and so who had the seats. Without it only
a fault at height 1 can be judged: the set may have changed since, and nobody is blamed for a key that
was no validator's.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct VerifyFaultArguments {
    /// The fault file.
    fault: PathBuf,
    /// An evidence file of the same chain, anchored at the height before the fault's or later.
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
}

pub(super) fn run(
    arguments: &VerifyFaultArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    // One byte more than allowed is read, so that the light client itself says that a file is too large.
    let fault = context::read(&arguments.fault, FAULT_FILE_BYTES as u64 + 1)?;
    let evidence = arguments.evidence.as_deref();
    let evidence =
        evidence.map(|path| context::read(path, EVIDENCE_BYTES as u64 + 1)).transpose()?;
    let genesis = common.genesis.as_deref().map(context::read_genesis).transpose()?;
    let report = verify_fault(&FaultRequest {
        fault: &fault,
        genesis: genesis.as_ref(),
        evidence: evidence.as_deref(),
    });
    let value = serde_json::to_value(&report).map_err(|error| Failure::local(error.to_string()))?;
    output.answer(&report.to_string(), &value);
    Ok(report.verdict.exit_code())
}
