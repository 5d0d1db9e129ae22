//! `probata search`: records by one criterion.

use super::{
    Common, context,
    failure::Failure,
    output::{Output, field, table},
};
use crate::{
    document::Digests,
    sdk::{clock, limits::DOCUMENT_BYTES},
};
use clap::Args;
use probata_genesis::Genesis;
use probata_types::{FlowId, InstitutionId, body::RecordType, record::Subject};
use serde_json::json;
use std::path::PathBuf;

const EXAMPLE: &str = "\
Examples:
  probata search --document contract.pdf
  probata search --type collection
  probata search --from 2026-03-01T00:00:00+08:00 --to now

What is found is what a node says; believe a record after `probata evidence get`.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct SearchArguments {
    #[command(flatten)]
    by: By,
    /// With --from: the first block time after, RFC 3339; now by default.
    #[arg(long, value_name = "TIME", requires = "from")]
    to: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct By {
    /// Of a flow.
    #[arg(long, value_name = "ID")]
    flow: Option<FlowId>,
    /// Of an institution.
    #[arg(long, value_name = "CODE")]
    institution: Option<InstitutionId>,
    /// Of a type, such as loan_contract.
    #[arg(long = "type", value_name = "TYPE", value_parser = record_type)]
    record_type: Option<RecordType>,
    /// Sealed from this time on.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// That bind this document; the file stays here, only its SHA-256 is sent.
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// About a person: an identifier, for which --subject-key is needed, or a handle in hex.
    #[arg(long, value_name = "WHO")]
    subject: Option<String>,
}

pub(super) async fn run(
    arguments: &SearchArguments,
    common: &Common,
    output: &mut Output,
) -> Result<u8, Failure> {
    let client = context::client(common, None)?;
    let criterion = criterion(arguments, common, client.genesis())?;
    let records = client.search(&criterion).await?;
    let rows =
        records.iter().map(|record| vec![field(record, "/place/height"), field(record, "/id")]);
    output.line(&table(&["HEIGHT", "RECORD"], rows.collect()));
    output.line(&format!("{} found; check one with `probata evidence get RECORD`", records.len()));
    output.value(&json!({ "records": records }));
    Ok(0)
}

fn criterion(
    arguments: &SearchArguments,
    common: &Common,
    genesis: &Genesis,
) -> Result<String, Failure> {
    let By { flow, institution, record_type, from, document, subject } = &arguments.by;
    if let Some(flow) = flow {
        return Ok(format!("flow={flow}"));
    }
    if let Some(institution) = institution {
        return Ok(format!("institution={institution}"));
    }
    if let Some(record_type) = record_type {
        return Ok(format!("type={}", record_type.name()));
    }
    if let Some(document) = document {
        let digests = Digests::of(&context::read(document, DOCUMENT_BYTES)?);
        return Ok(format!("document={}", digests.sha256));
    }
    if let Some(subject) = subject {
        return Ok(format!("subject={}", handle(subject, common, genesis)?));
    }
    let (now, offset) = (clock::now(), genesis.rule_pack().utc_offset_minutes);
    let from = clock::parse_time(from.as_deref().unwrap_or("now"), now, offset)?;
    let to = clock::parse_time(arguments.to.as_deref().unwrap_or("now"), now, offset)?;
    Ok(format!("from={from}&to={to}"))
}

fn handle(text: &str, common: &Common, genesis: &Genesis) -> Result<Subject, Failure> {
    if let Ok(handle) = text.parse() {
        return Ok(handle);
    }
    let key = context::subject_key(common, genesis)?.ok_or_else(|| {
        let action = "add --subject-key FILE, or give the handle in hex";
        Failure::usage("a person's identifier is turned into a handle first", action)
    })?;
    Ok(Subject::handle(genesis.suite(), key.as_bytes(), text))
}

fn record_type(name: &str) -> Result<RecordType, String> {
    let known = RecordType::ALL.map(RecordType::name).join(", ");
    RecordType::from_name(name).ok_or_else(|| format!("no such type; there are: {known}"))
}
