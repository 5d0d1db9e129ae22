//! From a node's answer to something believed: nothing counts that the light client did not check.

use crate::light::{self, Check, Level, Request, Status};
use probata_genesis::Genesis;
use probata_types::{
    Header, Height, Outcome, RecordId, Seal, Submission, SubmissionId,
    evidence::{EvidenceFile, Parsed},
};
use serde::Deserialize;

/// What may fail for a record that was rejected: that it was not, and one reason why.
const OF_ACCEPTED_ONLY: [&str; 2] = ["outcome_is_accepted", "sealed_before_expiry"];

/// What became of a submission, proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The submission.
    pub submission: SubmissionId,
    /// The block that holds it.
    pub height: Height,
    /// The decision on each record, in the order in which they were sent.
    pub records: Vec<RecordReceipt>,
}

/// What became of a record, proven by its evidence file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordReceipt {
    /// The record.
    pub record: RecordId,
    /// The evidence file, verified. Keep it beside the documents.
    pub evidence: EvidenceFile,
}

impl RecordReceipt {
    /// What the chain decided.
    pub const fn outcome(&self) -> &Outcome {
        &self.evidence.outcome
    }
}

/// A sealed header whose seal was checked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SealedHeader {
    /// The header.
    pub header: Header,
    /// Its seal.
    pub seal: Seal,
}

#[derive(Deserialize)]
struct SubmissionAnswer {
    records: Vec<DecidedRecord>,
}

#[derive(Deserialize)]
struct DecidedRecord {
    evidence: Option<EvidenceFile>,
}

#[derive(Deserialize)]
struct HeadersAnswer {
    headers: Vec<SealedHeader>,
}

/// The receipt of `sent`, if the answer proves the decision on each of its records.
pub(super) fn receipt(
    genesis: &Genesis,
    sent: &Submission,
    bytes: &[u8],
) -> Result<Receipt, String> {
    let answer: SubmissionAnswer =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let ids = sent.record_ids();
    if answer.records.len() != ids.len() {
        return Err(format!("{} decisions on {} records", answer.records.len(), ids.len()));
    }
    let mut height = Height::ZERO;
    let mut records = Vec::with_capacity(ids.len());
    for (record, decided) in ids.into_iter().zip(answer.records) {
        let evidence = decided.evidence.ok_or("a decision comes without evidence")?;
        check(genesis, &evidence)?;
        is_of(&evidence, &record)?;
        if evidence.submission.head != sent.head {
            return Err(format!("the evidence of {record} is of another submission"));
        }
        height = evidence.header.height;
        records.push(RecordReceipt { record, evidence });
    }
    Ok(Receipt { submission: sent.id(), height, records })
}

/// An evidence file, if all of its proofs hold.
pub(super) fn evidence(genesis: &Genesis, bytes: &[u8]) -> Result<EvidenceFile, String> {
    match EvidenceFile::parse(bytes).map_err(|error| error.to_string())? {
        Parsed::Evidence(file) => {
            check(genesis, &file)?;
            Ok(*file)
        }
        Parsed::Unsupported(unsupported) => Err(unsupported.to_string()),
    }
}

/// Whether a file is about the record that was asked for.
pub(super) fn is_of(file: &EvidenceFile, record: &RecordId) -> Result<(), String> {
    let got = file.record_id();
    if got == *record { Ok(()) } else { Err(format!("evidence of {got} instead of {record}")) }
}

/// Headers from `from` on without a gap, if each is sealed by the validators of genesis.
pub(super) fn headers(
    genesis: &Genesis,
    from: Height,
    bytes: &[u8],
) -> Result<Vec<SealedHeader>, String> {
    let answer: HeadersAnswer = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut expected = from;
    for sealed in &answer.headers {
        let header = &sealed.header;
        if header.chain != genesis.chain() || header.height != expected {
            return Err(format!("a header of height {} where {expected} was due", header.height));
        }
        let set = genesis.validator_set();
        sealed.seal.verify(header, set).map_err(|error| error.to_string())?;
        expected = expected.next();
    }
    Ok(answer.headers)
}

/// Whether every proof of the file holds, its outcome aside. Documents are not looked at: the
/// caller made the record from them.
fn check(genesis: &Genesis, file: &EvidenceFile) -> Result<(), String> {
    let request = Request { genesis: Some(genesis), ..Request::default() };
    let report = light::verify_file(file, &request);
    let rejected = !file.outcome.is_accepted();
    let stands = |check: &Check| match check.status {
        Status::Passed => true,
        // The state shows what was accepted. A rejection stands by its block alone.
        _ if rejected && check.level == Some(Level::E5) => true,
        Status::Failed => rejected && OF_ACCEPTED_ONLY.contains(&check.predicate.as_str()),
        Status::NotPresent | Status::NotRun => !(check.required && check.level.is_some()),
    };
    match report.checks.iter().find(|check| !stands(check)) {
        Some(check) => Err(format!("{}: {}", check.predicate, check.compared)),
        None => Ok(()),
    }
}
