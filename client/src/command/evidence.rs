//! `probata evidence`: fetch the evidence file of a record, verified.

use super::{Common, context, failure::Failure, output::Output};
use crate::sdk::{ClientError, OpeningsFile, write_evidence};
use clap::Subcommand;
use probata_types::{EvidenceFile, RecordId, evidence::Parsed, limits::EVIDENCE_BYTES};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum EvidenceCommand {
    /// Fetch one, check it, and print it or write it to a file.
    ///
    /// Example: probata evidence get RECORD --out loan.evidence.json --openings loan.openings.json
    Get {
        /// The record's id: 64 hex digits.
        record: RecordId,
        /// Write it here instead of printing it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// List every accepted record of the flow, so that the history is shown to be complete.
        #[arg(long)]
        events: bool,
        /// The record's openings, to show the fields that --disclose names.
        #[arg(long, value_name = "FILE")]
        openings: Option<PathBuf>,
        /// A committed field to show, such as contract_no or documents.0.name.
        #[arg(long, value_name = "FIELD", requires = "openings")]
        disclose: Vec<String>,
        /// A checkpoint that the reader keeps: the file shows that it tells the same history.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
    /// Make newer evidence of the same record: with today's anchor, which goes on from the old one.
    ///
    /// What the old file discloses or lists, the new one does too.
    /// Example: probata evidence refresh loan.evidence.json --out loan.evidence.json --checkpoint court.checkpoint.json
    Refresh {
        /// The evidence file.
        file: PathBuf,
        /// Write it here instead of printing it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// A checkpoint that the reader keeps: the file shows that it tells the same history.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
}

pub(super) async fn run(
    command: &EvidenceCommand,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let client = context::client(common, None)?;
    let (file, out) = match command {
        EvidenceCommand::Get { record, out, events, openings, disclose, checkpoint } => {
            let checkpoint = checkpoint.as_deref().map(context::read_checkpoint).transpose()?;
            let checkpoints = checkpoint.into_iter().collect();
            let mut file = client.evidence_from(record, *events, checkpoints).await?;
            if let Some(path) = openings {
                let fields = disclose.iter().map(String::as_str);
                OpeningsFile::read(path)?.disclose(&mut file, fields).map_err(ClientError::from)?;
            }
            (file, out)
        }
        EvidenceCommand::Refresh { file, out, checkpoint } => {
            let checkpoint = checkpoint.as_deref().map(context::read_checkpoint).transpose()?;
            let old = read_evidence(file)?;
            (client.refresh(&old, checkpoint.as_ref()).await?, out)
        }
    };
    let record = file.record_id();
    match out {
        Some(path) => {
            write_evidence(&file, path)?;
            let height = file.header.height;
            let text = format!("{}: record {record}, sealed at height {height}", path.display());
            output.answer(&text, &json!({ "record": record, "height": height, "file": path }));
        }
        None => {
            let text = file.to_json().map_err(|error| Failure::local(error.to_string()))?;
            let value = serde_json::to_value(&file).map_err(|e| Failure::local(e.to_string()))?;
            output.answer(&text, &value);
        }
    }
    Ok(0)
}

fn read_evidence(path: &Path) -> Result<EvidenceFile, Failure> {
    let json = context::read(path, EVIDENCE_BYTES as u64)?;
    match EvidenceFile::parse(&json).map_err(|error| Failure::file(path, &error))? {
        Parsed::Evidence(file) => Ok(*file),
        Parsed::Unsupported(unsupported) => Err(Failure::file(path, &unsupported)),
    }
}
