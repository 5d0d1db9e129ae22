//! The light client: is this record what it claims to be? Decided from an evidence file, the
//! documents and the genesis document alone; no network, no clock, no randomness, no file access.
//!
//! ```text
//! evidence file ──parse──> checks E1 … E5 ──┐
//! documents, disclosures ──────> compare ───┼──> verdict, level, report
//! second source ───────> fork? ─────────────┘
//! ```
//!
//! One named predicate for each check; a failed one never hides those after it. The verdict is, in
//! this order: `Forked` if two different headers of one height are validly sealed; `Inconsistent`
//! if a check failed; `Indeterminate` if something is missing that it needs (the genesis, a
//! document, a known format); else `Consistent`, with or without findings. It needs all checks up
//! to E4: status and history (E5) are more, and a file without them says so in a finding.
//!
//! **A rejected record** is provably in its block with the code of its rejection, but
//! `outcome_is_accepted` fails, so the verdict is `Inconsistent` and the level stays E1: its file
//! never reads as recorded and accepted.
//!
//! **As of a day.** A record sealed after that day leaves the verdict `Indeterminate`: as of then there was
//! nothing to judge. An anchor before it is fine, and the report says up to when the status is
//! known. An anchor after it gives a finding, because the status shown may be younger than asked
//! for.
//!
//! **What a file cannot show** is that it is the newest: a holder may show an old anchor. And whoever
//! holds the keys of a quorum of a *retired* set can make another history with an anchor that hides the
//! set's change: it does not agree with a checkpoint from after the change, nor with a header of the anchor's
//! height from a second source.

mod absence;
mod anchored;
mod check;
mod checkpoint;
mod current;
mod disclosures;
mod documents;
mod explain;
mod fault;
mod findings;
#[cfg(test)]
pub(crate) mod fixtures;
mod fork;
mod pinned;
mod recorded;
mod report;
mod rooted;
mod sets;
mod signed;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod verdict;

pub use absence::{AbsenceReport, AbsenceRequest, verify_absence};
pub use check::{Check, Status};
pub use checkpoint::{CheckpointFailure, verify_checkpoint};
pub use documents::{DocumentResult, Given};
pub use explain::Line;
pub use fault::{FaultReport, FaultRequest, FaultVerdict, verify_fault};
pub use findings::Finding;
pub use fork::{Fork, SealedHeader, compare};
pub use report::{Conclusion, Report};
pub use summary::{AnchorPoint, Decision, Named, Submitter, Summary, Times};
pub use verdict::{LIMITS, Level, Missing, Verdict, Wording};

use check::{Answer, PREDICATES, Predicate};
use probata_genesis::Genesis;
use probata_types::{
    Checkpoint, EvidenceFile, RecordId, Timestamp,
    evidence::{EvidenceError, Parsed, Unsupported},
};
use report::Parts;
use sets::Sets;

/// What is to be examined.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The bytes of the evidence file.
    pub evidence: &'a [u8],
    /// The documents.
    pub documents: &'a [Given<'a>],
    /// The genesis that the caller trusts, which never comes with the evidence.
    pub genesis: Option<&'a Genesis>,
    /// The record that the file must be about, if the caller knows it.
    pub record: Option<RecordId>,
    /// The day for which the answer is wanted.
    pub as_of: Option<Timestamp>,
    /// A sealed header that somebody else shows, at the height of the record or of the anchor.
    pub second_source: Option<&'a SealedHeader>,
    /// A sealed header that the caller has kept and trusts, as [`verify_checkpoint`] found it.
    pub checkpoint: Option<&'a Checkpoint>,
    /// List every digest on the way in [`Report::explain`].
    pub explain: bool,
}

/// Examines an evidence file. Never fails: whatever is wrong is in the report.
pub fn verify(request: &Request<'_>) -> Report {
    Report::of(match EvidenceFile::parse(request.evidence) {
        Ok(Parsed::Evidence(file)) => examine(&file, request),
        Ok(Parsed::Unsupported(unsupported)) => unreadable(request, unknown_kind(&unsupported)),
        Err(error) => unreadable(request, malformed(&error)),
    })
}

/// Examines a file that was read already, such as one in the answer of a node: the same checks,
/// where the bytes of the request are not looked at.
pub fn verify_file(file: &EvidenceFile, request: &Request<'_>) -> Report {
    Report::of(match file.unsupported() {
        Some(unsupported) => unreadable(request, unknown_kind(&unsupported)),
        None if !file.names_one_chain() => {
            unreadable(request, Answer::Failed("its headers are of several chains".to_owned()))
        }
        None => examine(file, request),
    })
}

fn malformed(error: &EvidenceError) -> Answer {
    Answer::Failed(error.to_string())
}

fn unknown_kind(unsupported: &Unsupported) -> Answer {
    let missing = match unsupported {
        Unsupported::RecordType(_) => Missing::RecordType,
        Unsupported::Version { .. } | Unsupported::Suite(_) => Missing::Algorithm,
    };
    Answer::NotRun(missing, unsupported.to_string())
}

/// The report on a file that says nothing: every check is listed, none could run.
fn unreadable(request: &Request<'_>, reason: Answer) -> Parts {
    let not_run = || Answer::NotRun(Missing::Proof, "the file could not be read".to_owned());
    let mut parts = Parts::default();
    parts.add(&check::FILE_IS_WELL_FORMED, reason);
    for predicate in &PREDICATES[1..] {
        parts.add(predicate, not_run());
    }
    for given in request.documents {
        let name = format!("document:{}", given.name);
        parts.checks.push(Check::extra(name, "R02", not_run()));
    }
    parts
}

fn examine(file: &EvidenceFile, request: &Request<'_>) -> Parts {
    let genesis = request.genesis;
    let second = request.second_source.map(|other| (&other.header, &other.seal));
    let sets = Sets::of_file(file, genesis, second);
    let mut parts = Parts::default();
    let version = format!("evidence file of version {}", file.version);
    parts.add(&check::FILE_IS_WELL_FORMED, Answer::Passed(version));
    parts.add(&check::SUBMISSION_SIGNATURE, signed::submission_signature(file));
    parts.add(&check::RECORD_IN_SUBMISSION, signed::record_in_submission(file));
    parts.add(&check::SUBMISSION_IN_BLOCK, recorded::submission_in_block(file));
    parts.add(&check::OUTCOME_IN_BLOCK, recorded::outcome_in_block(file));
    parts.add(&check::OUTCOME_IS_ACCEPTED, recorded::outcome_is_accepted(file));
    parts.add(&check::SEALED_BEFORE_EXPIRY, recorded::sealed_before_expiry(file));
    parts.add(&check::BLOCK_SEAL, recorded::seal_holds(&sets, &file.header, &file.seal));
    parts.add(&check::ANCHOR_SEAL, anchored::anchor_seal(file, &sets));
    parts.add(&check::HISTORY_PATH, anchored::history_path(file));
    parts.add(&check::CHAIN_IS_THE_GENESIS, rooted::chain_is_the_genesis(file, genesis));
    parts.add(
        &check::VALIDATORS_FOLLOW_FROM_GENESIS,
        rooted::validators_follow_from_genesis(file, &sets),
    );
    parts.add(&check::FLOW_STATE, current::flow_state(file));
    parts.add(&check::INSTITUTION_STATE, current::institution_state(file));
    parts.add(&check::INSTITUTION_ACTIVE_AT_HEIGHT, current::institution_active_at_height(file));
    parts.add(&check::KEY_VALID_AT_HEIGHT, current::key_valid_at_height(file, &sets));
    parts.add(&check::EVENT_HISTORY_COMPLETE, current::event_history_complete(file));
    brought(file, request, &sets, &mut parts);
    parts.findings = findings::all(file, request.as_of);
    parts.summary = Some(Summary::of(file, genesis));
    if request.explain {
        parts.explain = explain::lines(file);
    }
    parts
}

/// Checks on what the caller brings or asks, and on what the holder chose to show.
fn brought(file: &EvidenceFile, request: &Request<'_>, sets: &Sets<'_>, parts: &mut Parts) {
    if let Some(expected) = request.record {
        let got = file.record_id();
        let answer = Answer::that(got == expected, format!("{got}, asked for {expected}"));
        parts.checks.push(Check::extra("record_is_the_one_asked_for".to_owned(), "R03", answer));
    }
    if let Some(as_of) = request.as_of {
        let answer = recorded_by(file, as_of);
        parts.checks.push(Check::extra("recorded_by_as_of".to_owned(), "R07", answer));
    }
    let (checks, documents) = documents::compare(file, request.documents);
    parts.checks.extend(checks);
    parts.documents = documents;
    parts.checks.extend(disclosures::compare(file));
    if let Some(other) = request.second_source {
        let answer = fork::second_source(file, other, sets);
        parts.checks.push(Check::extra("second_source".to_owned(), "R16", answer));
    }
    if let Some(checkpoint) = request.checkpoint {
        let answer = pinned::agrees_with_checkpoint(&file.into(), checkpoint, sets);
        parts.add(&check::AGREES_WITH_CHECKPOINT, answer);
    }
    parts.fork = fork::find(&file.chain, sets);
}

fn recorded_by(file: &EvidenceFile, as_of: Timestamp) -> Answer {
    let sealed = file.header.time;
    let compared = format!("block time {sealed}, asked for {as_of}");
    if sealed <= as_of {
        Answer::Passed(compared)
    } else {
        Answer::NotPresent(Missing::Record, compared)
    }
}

impl Parts {
    fn add(&mut self, predicate: &Predicate, answer: Answer) {
        self.checks.push(Check::of(predicate, answer));
    }
}
