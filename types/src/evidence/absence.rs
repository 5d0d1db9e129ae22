//! The absence file: what did not happen up to a height, proven by the state at a later anchor.
//!
//! The state forgets nothing that a claim here is about: flows and sightings of documents are never removed, and the
//! guarantees of a facility are only added to. So what the anchor's state lacks was never there before it, and what it
//! has says when it came.

use super::{
    EvidenceError, HistoryLink, SetChanges, ShownPlace, Unsupported,
    base64::Base64,
    json, preview,
    written::{
        Chain, WrittenChange, WrittenHeader, WrittenLink, WrittenPath, WrittenPlace, WrittenSeal,
        written_changes, written_links,
    },
};
use crate::{
    Hash, Header, Height, List, Outcome, RecordId, Seal, SubmissionId, Suite, Timestamp, limits,
    merkle::MerklePath,
    object::FlowState,
    outcome::OutcomeLeaf,
    record::{Digest256, FlowId},
    sparse::SparsePath,
    state::Sighting,
};
use serde::{Deserialize, Serialize};

/// A claim that something did not happen, with its proof. At most [`limits::EVIDENCE_BYTES`] of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenAbsence", into = "WrittenAbsence")]
pub struct AbsenceFile {
    /// What kind of file this is.
    pub format: AbsenceFormat,
    /// Version of this layout; 1.
    pub version: u16,
    /// The algorithms of the chain.
    pub suite: Suite,
    /// The chain: its genesis hash. A claim; the verifier compares it with the genesis it trusts.
    pub chain: Hash,
    /// When the file was made. Information only: nothing proves it.
    pub made_at: Timestamp,
    /// What did not happen.
    pub claim: Claim,
    /// The anchor: the header whose state proves it.
    pub header: Header,
    /// Its seal.
    pub seal: Seal,
    /// What the anchor's state holds under the key of the claim.
    pub found: Found,
    /// To the anchor's state root.
    pub path: SparsePath,
    /// Where the anchor's state names records: that each of them came later than the claim says.
    pub later: List<ShownOutcome, { limits::GUARANTEES_PER_FACILITY }>,
    /// The changes of the validator set from genesis to the anchor.
    pub sets: SetChanges,
    /// Further places in the history, so that a checkpoint can be held against the anchor.
    pub links: List<HistoryLink, { limits::EVIDENCE_LINKS }>,
}

/// The name that opens every absence file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AbsenceFormat {
    /// An absence file.
    #[serde(rename = "probata-absence")]
    Absence,
}

/// What did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Claim {
    /// After the block of a height, no guarantee had been recorded on a facility.
    NoGuarantee {
        /// The facility's flow.
        flow: FlowId,
        /// The height.
        at: Height,
    },
    /// No record of a block below a height binds a document.
    NotRecordedBefore {
        /// The document's SHA-256.
        sha256: Digest256,
        /// The height.
        height: Height,
    },
}

/// What the state holds under the key of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// Nothing.
    Nothing,
    /// The flow.
    Flow(Box<FlowState>),
    /// Where the document was first bound.
    Document(Sighting),
}

/// A record's outcome in its block, and the block in the anchor's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownOutcome {
    /// The record.
    pub record: RecordId,
    /// The submission that held it.
    pub submission: SubmissionId,
    /// What the chain decided.
    pub outcome: Outcome,
    /// Its place under `header.outcomes_root`.
    pub place: ShownPlace,
    /// The block.
    pub header: Header,
    /// From the leaf at its height to the anchor's `history_root`.
    pub history_path: MerklePath,
}

impl ShownOutcome {
    /// The leaf of the outcome tree.
    pub fn leaf(&self) -> OutcomeLeaf {
        OutcomeLeaf {
            record: self.record,
            submission: self.submission,
            outcome: self.outcome.clone(),
        }
    }
}

/// Why an absence file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AbsenceError {
    /// Not the JSON of an absence file.
    #[error("not an absence file: {0}")]
    Malformed(#[from] EvidenceError),
    /// An absence file of a kind that this software does not know.
    #[error("an absence file that this software does not know: {0}")]
    Unsupported(Unsupported),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "AbsenceFile")]
struct WrittenAbsence {
    format: AbsenceFormat,
    version: u16,
    suite: Suite,
    chain: Hash,
    made_at: Timestamp,
    claim: Claim,
    header: WrittenHeader,
    seal: WrittenSeal,
    found: Found,
    path: WrittenPath,
    later: List<WrittenOutcome, { limits::GUARANTEES_PER_FACILITY }>,
    sets: List<WrittenChange, { limits::EVIDENCE_SETS }>,
    links: List<WrittenLink, { limits::EVIDENCE_LINKS }>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOutcome {
    record: RecordId,
    submission: SubmissionId,
    outcome: Outcome,
    place: WrittenPlace,
    header: WrittenHeader,
    history_path: Base64<MerklePath>,
}

impl AbsenceFile {
    /// The version written here.
    pub const VERSION: u16 = 1;

    /// Reads a file as strictly as an evidence file.
    ///
    /// # Errors
    /// [`AbsenceError`], the first thing wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, AbsenceError> {
        json::bounded(bytes.len())?;
        let value = json::strict(bytes)?;
        json::named(&value, "probata-absence")?;
        let later = value["later"].as_array().into_iter().flatten();
        let later = later.map(|one| ("a header", &one["header"], Header::VERSION));
        let parts = std::iter::once(("a header", &value["header"], Header::VERSION)).chain(later);
        match preview::of_file(&value, ("the absence file", Self::VERSION), parts) {
            Some(unsupported) => Err(AbsenceError::Unsupported(unsupported)),
            None => Ok(json::spelled(&value)?),
        }
    }

    /// The file's text, the same bytes for the same content.
    ///
    /// # Errors
    /// [`EvidenceError::TooLarge`] if no reader would take it.
    pub fn to_json(&self) -> Result<String, EvidenceError> {
        json::text(self)
    }
}

impl From<AbsenceFile> for WrittenAbsence {
    fn from(file: AbsenceFile) -> Self {
        let later = file.later.into_vec().into_iter().map(Into::into).collect();
        Self {
            format: file.format,
            version: file.version,
            suite: file.suite,
            chain: file.chain,
            made_at: file.made_at,
            claim: file.claim,
            header: file.header.into(),
            seal: file.seal.into(),
            found: file.found,
            path: file.path.into(),
            later: List::new(later).expect("as many as there were"),
            sets: written_changes(file.sets),
            links: written_links(file.links),
        }
    }
}

impl From<ShownOutcome> for WrittenOutcome {
    fn from(shown: ShownOutcome) -> Self {
        Self {
            record: shown.record,
            submission: shown.submission,
            outcome: shown.outcome,
            place: shown.place.into(),
            header: shown.header.into(),
            history_path: Base64(shown.history_path),
        }
    }
}

impl TryFrom<WrittenAbsence> for AbsenceFile {
    type Error = &'static str;

    fn try_from(written: WrittenAbsence) -> Result<Self, Self::Error> {
        let chain = Chain { suite: written.suite, chain: written.chain };
        let later = written.later.into_vec().into_iter().map(|one| ShownOutcome {
            record: one.record,
            submission: one.submission,
            outcome: one.outcome,
            place: one.place.into(),
            header: chain.header(one.header),
            history_path: one.history_path.0,
        });
        Ok(Self {
            format: written.format,
            version: written.version,
            suite: written.suite,
            chain: written.chain,
            made_at: written.made_at,
            claim: written.claim,
            header: chain.header(written.header),
            seal: written.seal.seal()?,
            found: written.found,
            path: written.path.into(),
            later: List::new(later.collect()).expect("as many as were read"),
            sets: chain.changes(written.sets)?,
            links: List::new(written.links.into_vec().into_iter().map(Into::into).collect())
                .expect("as many as were read"),
        })
    }
}
