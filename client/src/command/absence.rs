//! `probata absence`: a file that proves that something did not happen, fetched or verified.

use super::{Common, context, failure::Failure, output::Output};
use crate::{
    document::Digests,
    light::{AbsenceReport, AbsenceRequest, verify_absence},
    sdk::{limits::DOCUMENT_BYTES, write_absence},
};
use clap::Subcommand;
use probata_types::{
    Checkpoint, FlowId, Height, evidence::Claim, limits::EVIDENCE_BYTES, record::Digest256,
};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum AbsenceCommand {
    /// That a facility had no guarantee after the block of a height.
    ///
    /// Example: probata absence guarantee FLOW --at 5000 --out none.absence.json
    Guarantee {
        /// The facility's flow.
        flow: FlowId,
        /// The height.
        #[arg(long, value_name = "HEIGHT", value_parser = height)]
        at: Height,
        #[command(flatten)]
        out: Out,
    },
    /// That no record below a height binds a document.
    ///
    /// Example: probata absence document contract.pdf --before 5000 --out none.absence.json
    Document {
        /// The document, or its SHA-256 as 64 hex digits.
        document: String,
        /// The height.
        #[arg(long, value_name = "HEIGHT", value_parser = height)]
        before: Height,
        #[command(flatten)]
        out: Out,
    },
    /// Check, without a network, that a file proves what it claims.
    Verify {
        /// The absence file.
        file: PathBuf,
        /// A checkpoint that you have kept: the file must tell the same history.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Out {
    /// Write it here.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A checkpoint that the reader keeps: the file shows that it tells the same history.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

fn height(text: &str) -> Result<Height, String> {
    let number: u64 = text.parse().map_err(|_| "a height is a whole number".to_owned())?;
    if number > Height::MAX.get() {
        return Err(format!("there is no height above {}", Height::MAX));
    }
    Ok(Height::new(number))
}

pub(super) async fn fetch(
    command: &AbsenceCommand,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let (claim, out) = match command {
        AbsenceCommand::Guarantee { flow, at, out } => {
            (Claim::NoGuarantee { flow: *flow, at: *at }, out)
        }
        AbsenceCommand::Document { document, before, out } => {
            let sha256 = match document.parse::<Digest256>() {
                Ok(digest) => digest,
                Err(_) => Digests::of(&context::read(Path::new(document), DOCUMENT_BYTES)?).sha256,
            };
            (Claim::NotRecordedBefore { sha256, height: *before }, out)
        }
        AbsenceCommand::Verify { .. } => unreachable!("it runs without a network"),
    };
    let client = context::client(common, None)?;
    let checkpoint = out.checkpoint.as_deref().map(context::read_checkpoint).transpose()?;
    let (file, report) = client.absence(claim, checkpoint).await?;
    write_absence(&file, &out.out)?;
    Ok(print(&report, Some(&out.out), output))
}

pub(super) fn verify(
    file: &Path,
    checkpoint: Option<&Path>,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let absence = context::read(file, EVIDENCE_BYTES as u64 + 1)?;
    let genesis = common.genesis.as_deref().map(context::read_genesis).transpose()?;
    let checkpoint: Option<Checkpoint> = checkpoint.map(context::read_checkpoint).transpose()?;
    let report = verify_absence(&AbsenceRequest {
        absence: &absence,
        genesis: genesis.as_ref(),
        checkpoint: checkpoint.as_ref(),
    });
    Ok(print(&report, None, output))
}

fn print(report: &AbsenceReport, written: Option<&Path>, output: &mut Output) -> u8 {
    let verdict = report.verdict;
    output.line(&format!("{} {}", verdict.zh(), verdict.en()));
    output.line(&format!("{}\n{}", report.conclusion.zh, report.conclusion.en));
    for check in &report.checks {
        let status = check.status;
        output.line(&format!(
            "  {} [{} {}] {}",
            check.predicate,
            status.zh(),
            status.en(),
            check.compared
        ));
    }
    output.line(&format!("{}\n{}", report.limits.zh, report.limits.en));
    if let Some(path) = written {
        output.line(&format!("{}", path.display()));
    }
    output.value(&json!({ "report": report, "file": written }));
    verdict.exit_code()
}
