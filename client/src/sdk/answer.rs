//! From a node's answer to something believed: nothing counts that the light client did not check.

use super::{
    http::{Reply, problem as problem_of},
    limits,
    receipt::Receipt,
    seals::KnownSeals,
    sets::{Doubt, ProvenSets},
};
use crate::light::{self, Check, Level, Request, Status};
use probata_genesis::Genesis;
use probata_types::{
    Checkpoint, Hash, Header, Height, RecordId, Seal, Submission, codec,
    evidence::{EvidenceFile, Parsed},
    fault::FaultFile,
    receipt::{BatchAnswer, Fate},
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// What may fail for a record that was rejected: that it was not, and one reason why.
const OF_ACCEPTED_ONLY: [&str; 2] = ["outcome_is_accepted", "sealed_before_expiry"];

/// What a node said of a submission.
#[derive(Debug, Clone)]
pub(super) enum Answered {
    /// It is sealed, and that is proved.
    Sealed(Box<Receipt>),
    /// It is not, or there was no answer.
    Not(Result<Reply, String>),
    /// Something that does not hold.
    Lied(String),
}

impl Answered {
    /// How long the node asks not to be sent more, if it does.
    pub(super) const fn asks_for_time(&self) -> Option<Duration> {
        match self {
            Self::Not(Ok(Reply::Busy { after, .. })) => *after,
            _ => None,
        }
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
struct HeadersAnswer {
    headers: Vec<SealedHeader>,
}

/// What became of each submission that was sent to `node`, if what it says of them is proved.
pub(super) fn batch(
    (genesis, sets, seals): (&Genesis, &ProvenSets, &KnownSeals),
    (node, sent): (&str, &[Submission]),
    bytes: &[u8],
) -> Result<Vec<Answered>, Doubt> {
    let lie = |why: String| Doubt::Lie(why);
    let answer: BatchAnswer =
        codec::decode(bytes, limits::ANSWER_BYTES).map_err(|error| lie(error.to_string()))?;
    if answer.fates.len() != sent.len() {
        return Err(lie(format!("{} answers to {} submissions", answer.fates.len(), sent.len())));
    }
    let mut blocks = Vec::with_capacity(answer.blocks.len());
    for block in &answer.blocks {
        if block.header.chain != genesis.chain() {
            return Err(lie(format!("a header of another chain, {}", block.header.chain)));
        }
        blocks.push(seals.check(block, sets)?);
    }
    let mut answers = Vec::with_capacity(sent.len());
    for (submission, fate) in sent.iter().zip(answer.fates.into_vec()) {
        answers.push(match fate {
            Fate::Pending => Answered::Not(Ok(Reply::Pending)),
            Fate::Refused { status, retry_after, problem } => {
                Answered::Not(Ok(problem_of(node, status, retry_after, problem.as_bytes())))
            }
            Fate::Sealed { block, receipt } => {
                let block = usize::try_from(block).ok().and_then(|block| blocks.get(block));
                let block = block.ok_or_else(|| lie("a receipt of no block".to_owned()))?;
                match receipt.check(submission, &block.header) {
                    Ok(()) => {
                        let (sent, block) = (submission.clone(), Arc::clone(block));
                        let receipt = Receipt::new(sent, block, receipt, sets.changes());
                        Answered::Sealed(Box::new(receipt))
                    }
                    // Who sent it may be the reason, with other records or another signature than those that are
                    // sealed; the others have nothing to do with it.
                    Err(error) => Answered::Lied(error.to_string()),
                }
            }
        });
    }
    Ok(answers)
}

/// An evidence file, if all of its proofs hold and it agrees with the checkpoints.
pub(super) fn evidence(
    (genesis, checkpoints): (&Genesis, &[Checkpoint]),
    bytes: &[u8],
) -> Result<EvidenceFile, String> {
    match EvidenceFile::parse(bytes).map_err(|error| error.to_string())? {
        Parsed::Evidence(file) => {
            check(genesis, None, &file)?;
            for checkpoint in checkpoints {
                check(genesis, Some(checkpoint), &file)?;
            }
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
        let set = sets.known(header.height, &header.validators)?;
        seal.verify(header, set).map_err(|error| Doubt::Lie(error.to_string()))?;
        expected = expected.next();
        sets.known(expected, &header.next_validators)?;
        before = Some(header);
    }
    Ok(answer.headers)
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
pub(super) fn check(
    genesis: &Genesis,
    checkpoint: Option<&Checkpoint>,
    file: &EvidenceFile,
) -> Result<(), String> {
    let request = Request { genesis: Some(genesis), checkpoint, ..Request::default() };
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
