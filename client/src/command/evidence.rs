//! `probata evidence`: fetch the evidence file of a record, verified.

use super::{Common, context, failure::Failure, output::Output};
use crate::sdk::{ClientError, OpeningsFile, write_evidence};
use clap::Subcommand;
use probata_types::RecordId;
use serde_json::json;
use std::path::PathBuf;

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
    },
}

pub(super) async fn run(
    command: &EvidenceCommand,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let EvidenceCommand::Get { record, out, events, openings, disclose } = command;
    let client = context::client(common, None)?;
    let mut file = client.evidence(record, *events).await?;
    if let Some(path) = openings {
        let fields = disclose.iter().map(String::as_str);
        OpeningsFile::read(path)?.disclose(&mut file, fields).map_err(ClientError::from)?;
    }
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
