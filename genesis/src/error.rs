//! Why a document was refused, so that whoever reads it knows what to change.

use crate::{EntryError, ParameterError};
use probata_types::{
    Hash, InstitutionId, PublicKey, rule_pack::RulePackError, validator::ValidatorSetError,
};
use serde::{Serialize, de::DeserializeOwned};

/// A text that is not the JSON that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Longer than such a text may be.
    #[error("{got} bytes are more than the {max} allowed: this is not such a file")]
    TooLong {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not JSON, or with a field that is missing, unknown, twice, or of the wrong kind.
    #[error("line {line}, column {column}: {what}")]
    At {
        /// The line, from 1.
        line: usize,
        /// The column, from 1; 0 is the end of the line before.
        column: usize,
        /// What is wrong there.
        what: String,
    },
}

/// Why a genesis document was refused. Paths are those of the JSON text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// Not JSON of the right form.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Another kind of file.
    #[error("format is {0:?}: a genesis document has \"probata-genesis\"")]
    Format(String),
    /// A version that this program does not know.
    #[error("version is {0}: this program reads version 1; use a newer program")]
    Version(u64),
    /// A chain without a proper name.
    #[error("chain_name is empty or has space around it: write it without")]
    BlankChainName,
    /// Parameters that do not fit.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// A rule pack that contradicts itself.
    #[error("rule_pack: {0}")]
    RulePack(#[from] RulePackError),
    /// More institutions than a document may have.
    #[error("{got} entries are more than the {max} allowed")]
    TooManyEntries {
        /// Entries given.
        got: usize,
        /// Entries allowed.
        max: usize,
    },
    /// An entry that does not hold by itself.
    #[error("entries[{index}] ({institution}): {error}")]
    Entry {
        /// Its place.
        index: usize,
        /// Its institution.
        institution: InstitutionId,
        /// What is wrong.
        error: EntryError,
    },
    /// Entries that are not in ascending order of their institutions.
    #[error("entries[{index}] ({institution}) stands after a greater id: sort the entries by id")]
    UnsortedEntries {
        /// Its place.
        index: usize,
        /// Its institution.
        institution: InstitutionId,
    },
    /// An institution twice.
    #[error("entries[{index}] is a second entry of {institution}: leave one out")]
    InstitutionTwice {
        /// The place of the second one.
        index: usize,
        /// The institution.
        institution: InstitutionId,
    },
    /// A key that two entries name.
    #[error("{first} and {second} are the same key {key}: whoever does not own it makes another")]
    KeyTwice {
        /// The key.
        key: PublicKey,
        /// Where it stands first.
        first: String,
        /// Where it stands again.
        second: String,
    },
    /// Two nodes at one address.
    #[error("the nodes {first} and {second} have the same address {address}: give each its own")]
    AddressTwice {
        /// The address.
        address: String,
        /// The identity of the first node.
        first: PublicKey,
        /// The identity of the second node.
        second: PublicKey,
    },
    /// More nodes than a mesh may have.
    #[error("{got} nodes are more than the {max} allowed")]
    TooManyNodes {
        /// Nodes named.
        got: usize,
        /// Nodes allowed.
        max: usize,
    },
    /// More validators than a set may have.
    #[error("{got} validators are more than the {max} allowed")]
    TooManyValidators {
        /// Validators named.
        got: usize,
        /// Validators allowed.
        max: usize,
    },
    /// Validators that do not make a set.
    #[error(transparent)]
    Validators(#[from] ValidatorSetError),
    /// A group with more seats than may lie.
    #[error(
        "the affiliation group {group:?} has {seats} of {validators} validators: no group may have \
         more than the {faulty} that may lie; add validators of other groups"
    )]
    Group {
        /// The group.
        group: String,
        /// Its validators.
        seats: usize,
        /// f: how many may lie.
        faulty: usize,
        /// n: all validators.
        validators: usize,
    },
    /// A consortium key that is not the one of the document.
    #[error("this subject key has the digest {got}, and subject_key is {wanted}: it is another's")]
    SubjectKey {
        /// The digest of the key given.
        got: Hash,
        /// The digest in the document.
        wanted: Hash,
    },
}

/// Reads JSON of at most `max` bytes.
pub(crate) fn read_json<T: DeserializeOwned>(json: &[u8], max: usize) -> Result<T, JsonError> {
    if json.len() > max {
        return Err(JsonError::TooLong { got: json.len(), max });
    }
    serde_json::from_slice(json).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let place = format!(" at line {line} column {column}");
        let what = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        JsonError::At { line, column, what }
    })
}

/// JSON for people, ending in a new line.
pub(crate) fn write_json<T: Serialize>(value: &T) -> String {
    let mut text =
        serde_json::to_string_pretty(value).expect("our types serialize without failing");
    text.push('\n');
    text
}
