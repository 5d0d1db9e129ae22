//! From a node's answer to something believed: nothing counts that the light client did not check.

use super::sets::{Doubt, ProvenSets};
use crate::light::{self, Check, Level, Request, Status};
use probata_genesis::Genesis;
use probata_types::{
    Hash, Header, Height, Outcome, RecordId, Seal, Submission, SubmissionId, ValidatorSet,
    evidence::{EvidenceFile, Parsed},
    fault::FaultFile,
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

/// A validator's fault, proven by its file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FoundFault {
    /// The file, checked.
    pub file: FaultFile,
    /// The record of it, as the node says; its evidence file proves it. None if the chain has none yet.
    pub record: Option<RecordId>,
}

#[derive(Deserialize)]
struct FaultsAnswer {
    faults: Vec<FoundFault>,
    next: Option<String>,
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

/// Headers from `from` on without a gap, if each is sealed by the validators that genesis leads to.
pub(super) fn headers(
    (chain, sets): (Hash, &ProvenSets),
    from: Height,
    bytes: &[u8],
) -> Result<Vec<SealedHeader>, Doubt> {
    let lie = |why: String| Err(Doubt::Lie(why));
    let answer: HeadersAnswer =
        serde_json::from_slice(bytes).map_err(|error| Doubt::Lie(error.to_string()))?;
    let mut expected = from;
    let mut before: Option<&Header> = None;
    for SealedHeader { header, seal } in &answer.headers {
        if header.chain != chain || header.height != expected {
            return lie(format!("a header of height {} where {expected} was due", header.height));
        }
        let follows = |before: &Header| {
            (before.hash(), before.next_validators) == (header.parent, header.validators)
        };
        if !before.is_none_or(follows) {
            return lie(format!("the header of height {expected} does not follow the one before"));
        }
        let set = known(sets, header.height, &header.validators)?;
        seal.verify(header, set).map_err(|error| Doubt::Lie(error.to_string()))?;
        expected = expected.next();
        known(sets, expected, &header.next_validators)?;
        before = Some(header);
    }
    Ok(answer.headers)
}

/// The set that seals a height, if it is the one that a header names.
fn known<'a>(
    sets: &'a ProvenSets,
    height: Height,
    named: &Hash,
) -> Result<&'a ValidatorSet, Doubt> {
    let (hash, set) = sets.in_force(height);
    if hash == named {
        return Ok(set);
    }
    let why = format!("at height {height} the genesis leads to the set {hash}, not to {named}");
    Err(Doubt::UnknownSet(why))
}

/// The faults on a page, each proven, and where to go on.
pub(super) fn faults(
    (chain, sets): (Hash, &ProvenSets),
    bytes: &[u8],
) -> Result<(Vec<FoundFault>, Option<String>), Doubt> {
    let lie = |why: String| Err(Doubt::Lie(why));
    let answer: FaultsAnswer =
        serde_json::from_slice(bytes).map_err(|error| Doubt::Lie(error.to_string()))?;
    for FoundFault { file, .. } in &answer.faults {
        let (fault, height) = (file.fault(), file.height);
        if file.version != FaultFile::VERSION || fault.chain != chain {
            return lie(format!("the fault at height {height} is of another version or chain"));
        }
        fault.check_signatures().map_err(|e| Doubt::Lie(format!("a fault at {height}: {e}")))?;
        let (_, set) = sets.in_force(height);
        let seat = set.get(file.validator);
        if seat.is_none_or(|it| (it.key, it.institution) != (file.key, file.institution)) {
            let why = format!("the key of the fault at height {height} had no seat there");
            return Err(Doubt::UnknownSet(why));
        }
    }
    let plain = |next: &String| next.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !answer.next.as_ref().is_none_or(plain) {
        return lie("where to go on is not hex".to_owned());
    }
    Ok((answer.faults, answer.next))
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
