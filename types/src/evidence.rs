//! The evidence file: all that a court needs to check one record, in one file, offline, years
//! later.
//!
//! JSON for people. Whatever is signed or hashed is rebuilt canonically by the verifier from the
//! fields shown; there is no opaque blob. How a node fills it for the record at leaf `o` of block
//! `h`:
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
//! | `disclosures` | empty; the holder adds what it chooses to show |

mod disclosure;
pub(crate) mod json;
mod preview;
#[cfg(test)]
mod tests;

pub use disclosure::{DisclosedValue, Disclosure, HexBytes};
pub use preview::Unsupported;

use crate::{
    Hash, Header, Height, Index, List, Outcome, Record, RecordId, Seal, Signature, SubmissionHead,
    Suite, Timestamp, ValidatorSet, limits, merkle::MerklePath, object::FlowState,
    outcome::OutcomeLeaf, sparse::SparsePath, state::InstitutionState,
};
use serde::{Deserialize, Serialize};

/// An evidence file for one record. At most [`limits::EVIDENCE_BYTES`] of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    pub sets: List<SetChange, { limits::EVIDENCE_SETS }>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownPlace {
    /// The leaf, from 0.
    pub index: Index,
    /// Siblings up to the root.
    pub path: MerklePath,
}

/// A later sealed header and the proof that it has the record's block in its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The later header.
    pub header: Header,
    /// Its seal.
    pub seal: Seal,
    /// From the leaf at the record's height to the anchor's `history_root`, a tree of as many
    /// leaves as the anchor's height.
    pub history_path: MerklePath,
}

/// The status at the anchor, proven under its state root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownState {
    /// The record's flow.
    pub flow: ShownFlow,
    /// The submitter with the history of its keys.
    pub institution: ShownInstitution,
}

/// The record's flow at the anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownFlow {
    /// The flow.
    pub value: FlowState,
    /// To the anchor's state root.
    pub path: SparsePath,
}

/// The submitter at the anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
        let header = &self.header;
        let at = format!("the change at height {}", header.height);
        if header.chain != *chain {
            return Err(format!("{at} is of chain {}", header.chain));
        }
        if header.height < from {
            return Err(format!("{at} is not after the one before it"));
        }
        self.seal.verify(header, current).map_err(|error| format!("{at}: {error}"))?;
        let next = self.set.hash(header.suite);
        if header.next_validators != next {
            let named = header.next_validators;
            return Err(format!("{at} names the next set {named}, the set shown is {next}"));
        }
        if next == header.validators {
            return Err(format!("{at} changes nothing"));
        }
        // A hostile header may stand at the last height there is.
        Ok(header.height.saturating_add(1))
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
        if bytes.len() > limits::EVIDENCE_BYTES {
            return Err(EvidenceError::TooLarge { got: bytes.len(), max: limits::EVIDENCE_BYTES });
        }
        json::scan(bytes)?;
        if let Some(unsupported) = preview::unsupported(bytes)? {
            return Ok(Parsed::Unsupported(unsupported));
        }
        let file: Self = json::read(bytes)?;
        // A reader of another language sees what is written, so what is written has one spelling:
        // serde alone would take a list for a struct, and an absent field for a null one.
        if json::value(&file)? != json::read::<serde_json::Value>(bytes)? {
            return Err(EvidenceError::Spelling);
        }
        Ok(match file.unsupported() {
            Some(unsupported) => Parsed::Unsupported(unsupported),
            None => Parsed::Evidence(Box::new(file)),
        })
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

    /// The file's text: JSON with a line for each value, the same bytes for the same content. Indentation would be a
    /// quarter of the file and prove nothing.
    ///
    /// # Errors
    /// [`EvidenceError::TooLarge`] if no reader would take it.
    pub fn to_json(&self) -> Result<String, EvidenceError> {
        let mut bytes = Vec::new();
        let lines = serde_json::ser::PrettyFormatter::with_indent(b"");
        self.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, lines))
            .map_err(|error| json::error(&error))?;
        let mut text = String::from_utf8(bytes).expect("JSON is UTF-8");
        text.push('\n');
        if text.len() > limits::EVIDENCE_BYTES {
            return Err(EvidenceError::TooLarge { got: text.len(), max: limits::EVIDENCE_BYTES });
        }
        Ok(text)
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
