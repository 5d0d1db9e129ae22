//! A checkpoint: a sealed header that somebody keeps, so that no later file can tell another history up to it.

use super::{
    EvidenceError, EvidenceFile, SetChanges, Unsupported, json, preview,
    written::{Chain, WrittenChange, WrittenHeader, WrittenSeal, written_changes},
};
use crate::{Hash, Header, List, Seal, Suite, Timestamp, limits};
use serde::{Deserialize, Serialize};

/// A sealed header with the way from genesis to those who sealed it. At most [`limits::EVIDENCE_BYTES`] of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenCheckpoint", into = "WrittenCheckpoint")]
pub struct Checkpoint {
    /// What kind of file this is.
    pub format: CheckpointFormat,
    /// Version of this layout; 1.
    pub version: u16,
    /// The algorithms of the chain.
    pub suite: Suite,
    /// The chain: its genesis hash. A claim; the verifier compares it with the genesis it trusts.
    pub chain: Hash,
    /// When the file was made. Information only: nothing proves it.
    pub made_at: Timestamp,
    /// The header.
    pub header: Header,
    /// Its seal.
    pub seal: Seal,
    /// The changes of the validator set from genesis to the header, by ascending height.
    pub sets: SetChanges,
}

/// The name that opens every checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckpointFormat {
    /// A checkpoint.
    #[serde(rename = "probata-checkpoint")]
    Checkpoint,
}

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not the JSON of a checkpoint.
    #[error("not a checkpoint: {0}")]
    Malformed(#[from] EvidenceError),
    /// A checkpoint of a kind that this software does not know.
    #[error("a checkpoint that this software does not know: {0}")]
    Unsupported(Unsupported),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "Checkpoint")]
struct WrittenCheckpoint {
    format: CheckpointFormat,
    version: u16,
    suite: Suite,
    chain: Hash,
    made_at: Timestamp,
    header: WrittenHeader,
    seal: WrittenSeal,
    sets: List<WrittenChange, { limits::EVIDENCE_SETS }>,
}

impl Checkpoint {
    /// The version written here.
    pub const VERSION: u16 = 1;

    /// The anchor of an evidence file: worth as much as the file is.
    pub fn of_anchor(file: &EvidenceFile) -> Self {
        let (header, seal) = match &file.anchor {
            Some(anchor) => (&anchor.header, &anchor.seal),
            None => (&file.header, &file.seal),
        };
        Self {
            format: CheckpointFormat::Checkpoint,
            version: Self::VERSION,
            suite: file.suite,
            chain: file.chain,
            made_at: file.made_at,
            header: header.clone(),
            seal: seal.clone(),
            sets: file.sets.clone(),
        }
    }

    /// Reads a file as strictly as an evidence file.
    ///
    /// # Errors
    /// [`CheckpointError`], the first thing wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        json::bounded(bytes.len())?;
        let value = json::strict(bytes)?;
        json::named(&value, "probata-checkpoint")?;
        let parts = [("a header", &value["header"], Header::VERSION)];
        match preview::of_file(&value, ("the checkpoint", Self::VERSION), parts) {
            Some(unsupported) => Err(CheckpointError::Unsupported(unsupported)),
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

impl From<Checkpoint> for WrittenCheckpoint {
    fn from(checkpoint: Checkpoint) -> Self {
        Self {
            format: checkpoint.format,
            version: checkpoint.version,
            suite: checkpoint.suite,
            chain: checkpoint.chain,
            made_at: checkpoint.made_at,
            header: checkpoint.header.into(),
            seal: checkpoint.seal.into(),
            sets: written_changes(checkpoint.sets),
        }
    }
}

impl TryFrom<WrittenCheckpoint> for Checkpoint {
    type Error = &'static str;

    fn try_from(written: WrittenCheckpoint) -> Result<Self, Self::Error> {
        let chain = Chain { suite: written.suite, chain: written.chain };
        Ok(Self {
            format: written.format,
            version: written.version,
            suite: written.suite,
            chain: written.chain,
            made_at: written.made_at,
            header: chain.header(written.header),
            seal: written.seal.seal()?,
            sets: chain.changes(written.sets)?,
        })
    }
}
