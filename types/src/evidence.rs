//! The evidence file: all that a court needs to check one record, in one file, offline, years
//! later.
//!
//! JSON for people, each fact in it once (`written`). Whatever is signed or hashed is rebuilt canonically by the
//! verifier from the fields shown; there is no opaque blob. How a node fills it for the record at leaf `o` of
//! block `h`:
//!
//! | field | from |
//! | --- | --- |
//! | `submission` | the head that was signed, its signature, its place among the block's submissions |
//! | `record`, `record_place` | the record and [`crate::Submission::record_path`] |
//! | `outcome`, `outcome_place` | the decision and its path, leaf `o`, in the block's outcome tree |
//! | `header`, `seal` | of block `h` |
//! | `anchor` | the newest sealed header, and block `h` in its history; `null` if `h` is the newest |
//! | `state` | flow and submitter under the anchor's state root; `null` if the flow does not exist |
//! | `events` | every accepted record of the flow up to the anchor; `null` if they do not fit |
//! | `sets` | each block up to the anchor whose `next_validators` differs from its `validators` |
//! | `links` | the places in the history that were asked for, so that a checkpoint can be held against the file |
//! | `disclosures` | empty; the holder adds what it chooses to show |

mod absence;
mod base64;
mod checkpoint;
mod disclosure;
pub(crate) mod json;
mod preview;
#[cfg(test)]
mod tests;
mod written;

pub use absence::{AbsenceError, AbsenceFile, AbsenceFormat, Claim, Found, ShownOutcome};
pub use checkpoint::{Checkpoint, CheckpointError, CheckpointFormat};
pub use disclosure::{DisclosedValue, Disclosure, HexBytes};
pub use preview::Unsupported;

use crate::{
    Domain, Hash, Header, Height, Index, List, Outcome, Record, RecordId, Seal, Signature,
    SubmissionHead, Suite, Timestamp, ValidatorSet, block, limits,
    merkle::{self, MerkleError, MerklePath},
    object::FlowState,
    outcome::OutcomeLeaf,
    sparse::SparsePath,
    state::InstitutionState,
};
use serde::{Deserialize, Serialize};

/// An evidence file for one record. At most [`limits::EVIDENCE_BYTES`] of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "written::WrittenFile", into = "written::WrittenFile")]
pub struct EvidenceFile {
    /// What kind of file this is.
    pub format: Format,
    /// Version of this layout; 1.
    pub version: u16,
    /// The algorithms of the chain.
    pub suite: Suite,
    /// The chain: its genesis hash. A claim; the verifier compares it with the genesis it trusts.
    pub chain: Hash,
    /// When the file was made. Information only: nothing proves it.
    pub made_at: Timestamp,
    /// What the institution signed.
    pub submission: ShownSubmission,
    /// The record.
    pub record: Record,
    /// Its place under `submission.head.records_root`, a tree of `submission.head.record_count`
    /// leaves.
    pub record_place: ShownPlace,
    /// What the chain decided.
    pub outcome: Outcome,
    /// The decision's place under `header.outcomes_root`, a tree of `header.record_count` leaves.
    pub outcome_place: ShownPlace,
    /// The block that holds the record.
    pub header: Header,
    /// Its seal.
    pub seal: Seal,
    /// A later sealed header that has this block in its history; without one, the block is its own
    /// anchor.
    pub anchor: Option<Anchor>,
    /// The status at the anchor.
    pub state: Option<ShownState>,
    /// Every accepted record of the flow up to the anchor, in order.
    pub events: Option<List<RecordId, { limits::EVIDENCE_EVENTS }>>,
    /// The changes of the validator set from genesis to the anchor, by ascending height.
    pub sets: SetChanges,
    /// Further places in the history, so that a header known from elsewhere can be held against the anchor.
    pub links: List<HistoryLink, { limits::EVIDENCE_LINKS }>,
    /// Values behind commitments that the holder chose to show.
    pub disclosures: List<Disclosure, { limits::DISCLOSURES }>,
}

/// The name that opens every evidence file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// An evidence file.
    #[serde(rename = "probata-evidence")]
    Evidence,
}

/// The signed head of the submission that held the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownSubmission {
    /// What the signature covers.
    pub head: SubmissionHead,
    /// By `head.key`.
    pub signature: Signature,
    /// Its place under `header.submissions_root`, a tree of `header.submission_count` leaves.
    pub place: ShownPlace,
}

/// A place in a Merkle tree, and the path from there to the root. The root and the tree's size are
/// taken from what is signed, never from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPlace {
    /// The leaf, from 0.
    pub index: Index,
    /// Siblings up to the root.
    pub path: MerklePath,
}

/// A later sealed header and the proof that it has the record's block in its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The later header.
    pub header: Header,
    /// Its seal.
    pub seal: Seal,
    /// From the leaf at the record's height to the anchor's `history_root`, a tree of as many
    /// leaves as the anchor's height.
    pub history_path: MerklePath,
}

/// One header among the history that another commits to. Of two heights known to somebody, the lower is the leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLink {
    /// The height of the leaf.
    pub of: Height,
    /// The height of the header whose `history_root` the path leads to: as many leaves has its tree.
    pub size: Height,
    /// From the leaf up.
    pub path: MerklePath,
}

impl HistoryLink {
    /// Checks that `later`, the header of height `size`, has a header of that hash at height `of` in its history.
    ///
    /// # Errors
    /// [`MerkleError`] if the path does not show it.
    pub fn check(&self, hash: &Hash, later: &Header) -> Result<(), MerkleError> {
        let place = merkle::Place { index: self.of.get(), size: self.size.get() };
        let leaf = block::history_leaf(later.suite, hash);
        self.path.check(later.suite, Domain::History, place, &leaf, &later.history_root)
    }
}

/// The status at the anchor, proven under its state root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownState {
    /// The record's flow.
    pub flow: ShownFlow,
    /// The submitter with the history of its keys.
    pub institution: ShownInstitution,
}

/// The record's flow at the anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownFlow {
    /// The flow.
    pub value: FlowState,
    /// To the anchor's state root.
    pub path: SparsePath,
}

/// The submitter at the anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownInstitution {
    /// The institution.
    pub value: InstitutionState,
    /// To the anchor's state root.
    pub path: SparsePath,
}

/// A change of the validator set: the last header that the old set sealed, and the set it names
/// next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetChange {
    /// Sealed by the set before; its `next_validators` is the digest of `set`.
    pub header: Header,
    /// By the set before.
    pub seal: Seal,
    /// The set from the next height on.
    pub set: ValidatorSet,
}

/// Changes of the validator set, by ascending height.
pub type SetChanges = List<SetChange, { limits::EVIDENCE_SETS }>;

impl SetChange {
    /// Judges the change by the set in force from a height on: it is of the chain, that set sealed it, and it
    /// names the set shown as the next. Answers from which height on that one is in force.
    ///
    /// # Errors
    /// What is wrong with the change, in words.
    pub fn follow(
        &self,
        chain: &Hash,
        (from, current): (Height, &ValidatorSet),
    ) -> Result<Height, String> {
        let next = self.names_next(chain, from)?;
        self.seal.verify(&self.header, current).map_err(|error| self.because(&error))?;
        Ok(next)
    }

    /// As [`Self::follow`], but for the seal.
    ///
    /// # Errors
    /// As [`Self::follow`].
    pub fn names_next(&self, chain: &Hash, from: Height) -> Result<Height, String> {
        let header = &self.header;
        if header.chain != *chain {
            return Err(self.because(&format_args!("it is of chain {}", header.chain)));
        }
        if header.height < from {
            return Err(self.because(&"it is not after the one before it"));
        }
        let (named, next) = (header.next_validators, self.set.hash(header.suite));
        if named != next {
            let differ = format_args!("it names the next set {named}, the set shown is {next}");
            return Err(self.because(&differ));
        }
        if next == header.validators {
            return Err(self.because(&"it changes nothing"));
        }
        if header.height == Height::MAX {
            // Its own set would be in force at its own height.
            return Err(self.because(&"after it there is no height"));
        }
        Ok(header.height.next())
    }

    /// What is wrong with the change, in words.
    pub fn because(&self, why: &dyn std::fmt::Display) -> String {
        format!("the change at height {}: {why}", self.header.height)
    }
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// A well-formed file of this version.
    Evidence(Box<EvidenceFile>),
    /// An evidence file, but of a kind that this software does not know: no judgement is possible.
    Unsupported(Unsupported),
}

/// Why a file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Too many bytes.
    #[error("the file has {got} bytes, {max} are allowed")]
    TooLarge {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Nested too deeply.
    #[error("the file nests deeper than {max} levels")]
    TooDeep {
        /// Levels allowed.
        max: usize,
    },
    /// A number that is not a plain integer of at most 2^53 - 1 in magnitude.
    #[error("at byte {offset}: numbers are plain integers between -(2^53 - 1) and 2^53 - 1")]
    Number {
        /// Where it begins.
        offset: usize,
    },
    /// Not the JSON of an evidence file.
    #[error("not an evidence file: {0}")]
    Json(String),
    /// A value spelled in another way than the one that the format has: a field left out, a list in
    /// the place of an object.
    #[error("a field is missing, or is not spelled the one way that the format has")]
    Spelling,
}

impl EvidenceFile {
    /// The version written here.
    pub const VERSION: u16 = 1;

    /// Reads a file strictly: no unknown, missing or doubled field, no trailing data, no number
    /// that a JSON reader might round, no second way to spell a value.
    ///
    /// # Errors
    /// [`EvidenceError`], the first thing wrong. Memory stays proportional to the length of the
    /// file.
    pub fn parse(bytes: &[u8]) -> Result<Parsed, EvidenceError> {
        json::bounded(bytes.len())?;
        let value = json::strict(bytes)?;
        json::named(&value, "probata-evidence")?;
        if let Some(unsupported) = preview::of_evidence(&value) {
            return Ok(Parsed::Unsupported(unsupported));
        }
        json::spelled(&value).map(|file| Parsed::Evidence(Box::new(file)))
    }

    /// The first version in the file that this software does not know. [`Self::parse`] has looked
    /// at it; whoever comes by a file in another way, such as inside a node's answer, asks.
    pub fn unsupported(&self) -> Option<Unsupported> {
        let changes = self.sets.iter().map(|change| &change.header);
        let headers = [&self.header, self.anchor_header()].into_iter().chain(changes);
        let headers = headers.map(|header| ("a header", header.version, Header::VERSION));
        let head = self.submission.head.version;
        [
            ("the evidence file", self.version, Self::VERSION),
            ("the submission", head, SubmissionHead::VERSION),
            ("the record", self.record.version, Record::VERSION),
        ]
        .into_iter()
        .chain(headers)
        .find(|(_, version, known)| version != known)
        .map(|(what, version, _)| Unsupported::Version { what, version: version.into() })
    }

    /// Whether the submission and all headers are of the file's chain and suite. Read from JSON they always are;
    /// whoever builds a file from other messages asks.
    pub fn names_one_chain(&self) -> bool {
        let changes = self.sets.iter().map(|change| &change.header);
        let head = &self.submission.head;
        let mut headers = [&self.header, self.anchor_header()].into_iter().chain(changes);
        (head.chain, head.suite) == (self.chain, self.suite)
            && headers.all(|header| (header.chain, header.suite) == (self.chain, self.suite))
    }

    /// The file's text: JSON with a line for each field of the file and of what the field holds, the same bytes for
    /// the same content. More lines would be a tenth of the file and prove nothing.
    ///
    /// # Errors
    /// [`EvidenceError::TooLarge`] if no reader would take it.
    pub fn to_json(&self) -> Result<String, EvidenceError> {
        json::text(self)
    }

    /// The record's identifier, rebuilt from the record, the chain and the submitter.
    pub fn record_id(&self) -> RecordId {
        let head = &self.submission.head;
        self.record.id(head.suite, &head.chain, &head.institution)
    }

    /// The leaf of the outcome tree, rebuilt from the record, the submission and the decision.
    pub fn outcome_leaf(&self) -> OutcomeLeaf {
        OutcomeLeaf {
            record: self.record_id(),
            submission: self.submission.head.id(),
            outcome: self.outcome.clone(),
        }
    }

    /// The header under whose state root the status is proven: the anchor's, or the block's own.
    pub fn anchor_header(&self) -> &Header {
        self.anchor.as_ref().map_or(&self.header, |anchor| &anchor.header)
    }
}
