//! Openings: the salts and values behind the commitments of a record. They stay with the
//! institution; whoever loses them can no longer show a committed value, and whoever deletes them
//! erases it.

use super::{
    draft::read_bounded,
    error::ClientError,
    random::{self, RandomError},
    spool::{Readers, write_durably},
};
use probata_types::{
    Hash, RecordId, Suite, Text,
    bounded::{ListError, TextError},
    evidence::{DisclosedValue, Disclosure, EvidenceFile},
    limits::EVIDENCE_BYTES,
    record::{Commitment, Record, document_name_field},
};
use serde::{Deserialize, Serialize};
use std::{io, path::Path};

/// A value cannot be committed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpeningError {
    /// Not a text that can be disclosed later.
    #[error("the value of {field}: {error}")]
    Text {
        /// The field.
        field: String,
        /// Why.
        error: TextError,
    },
    /// No salt.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// More disclosures than an evidence file holds.
    #[error("disclosures: {0}")]
    TooMany(ListError),
    /// Openings of another record.
    #[error("these are the openings of record {wanted}, the evidence is of {got}")]
    OtherRecord {
        /// The record of the evidence.
        got: RecordId,
        /// The record of the openings.
        wanted: RecordId,
    },
    /// A field that was not committed to.
    #[error("there is no committed field {0:?}; there are: {1}")]
    Unknown(String, String),
}

/// Collects the openings of one record while it is built. There is no way to commit without a salt.
#[derive(Debug, Clone)]
pub struct OpeningBook {
    suite: Suite,
    openings: Vec<Disclosure>,
}

impl OpeningBook {
    /// An empty book.
    pub const fn new(suite: Suite) -> Self {
        Self { suite, openings: Vec::new() }
    }

    /// Commits to `value` under `field` with a fresh salt, and notes the opening. The field is
    /// named as [`probata_types::body::Body::commitments`] names it, or by [`document_name_field`].
    ///
    /// # Errors
    /// [`OpeningError`] if the value is too long, not NFC or has control characters, or without
    /// randomness.
    pub fn commit(&mut self, field: &str, value: &str) -> Result<Commitment, OpeningError> {
        let wrong = |error| OpeningError::Text { field: field.to_owned(), error };
        let opening = Disclosure {
            field: Text::new(field).map_err(wrong)?,
            salt: random::salt()?,
            value: DisclosedValue::Text(Text::new(value).map_err(wrong)?),
        };
        let commitment = opening.commitment(self.suite);
        self.openings.push(opening);
        Ok(commitment)
    }

    /// The openings noted so far.
    pub fn openings(&self) -> &[Disclosure] {
        &self.openings
    }

    /// The first commitment of `record` that no opening of this book opens, by its field.
    pub fn missing_in(&self, record: &Record) -> Option<String> {
        let names = record.documents.iter().enumerate();
        let names = names.map(|(at, document)| (document_name_field(at), document.name));
        let fields = record.body.commitments().into_iter();
        fields.map(|(field, commitment)| (field.to_string(), commitment)).chain(names).find_map(
            |(field, commitment)| {
                let opens = self.openings.iter().any(|opening| {
                    *opening.field == *field && opening.commitment(self.suite) == commitment
                });
                (!opens).then_some(field)
            },
        )
    }
}

/// The openings of one record, as the institution keeps them beside the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningsFile {
    /// What kind of file this is.
    pub format: OpeningsFormat,
    /// The chain of the record.
    pub chain: Hash,
    /// The record.
    pub record: RecordId,
    /// Salts and values. SECRET: whoever has them can open the commitments.
    pub openings: Vec<Disclosure>,
}

/// The name that opens every openings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpeningsFormat {
    /// An openings file.
    #[serde(rename = "probata-openings")]
    Openings,
}

impl OpeningsFile {
    /// The file of a record's openings.
    pub fn new(chain: Hash, record: RecordId, openings: &[Disclosure]) -> Self {
        Self { format: OpeningsFormat::Openings, chain, record, openings: openings.to_vec() }
    }

    /// Writes the file so that only its owner reads it, durably. Do it before the record is sent: a
    /// salt that is lost after sealing cannot be made again. For the same reason the openings of
    /// another record are never overwritten.
    ///
    /// # Errors
    /// [`ClientError::File`].
    pub fn write(&self, path: &Path) -> Result<(), ClientError> {
        if path.exists() && Self::read(path)?.record != self.record {
            let why =
                "the openings of another record are there: move them, or name this draft otherwise";
            return Err(ClientError::file(path, io::Error::new(io::ErrorKind::AlreadyExists, why)));
        }
        let write = || -> io::Result<()> {
            let mut text = serde_json::to_string_pretty(self)?;
            text.push('\n');
            write_durably(path, text.as_bytes(), Readers::Owner)
        };
        write().map_err(|error| ClientError::file(path, error))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`ClientError::Draft`] if it cannot be read, [`ClientError::File`] if it is something else.
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        let json = read_bounded(path, EVIDENCE_BYTES as u64)?;
        serde_json::from_slice(&json).map_err(|error| ClientError::file(path, error))
    }

    /// Puts the openings of the fields named into the evidence file of the same record.
    ///
    /// # Errors
    /// [`OpeningError`] for a field that the record does not commit to, for the file of another
    /// record, or for more fields than a file shows.
    pub fn disclose<'a>(
        &self,
        evidence: &mut EvidenceFile,
        fields: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), OpeningError> {
        let got = evidence.record_id();
        if got != self.record {
            return Err(OpeningError::OtherRecord { got, wanted: self.record });
        }
        for field in fields {
            let opening = self.openings.iter().find(|one| *one.field == *field);
            let opening = opening.ok_or_else(|| {
                let known: Vec<&str> = self.openings.iter().map(|one| &*one.field).collect();
                OpeningError::Unknown(field.to_owned(), known.join(", "))
            })?;
            if evidence.disclosures.contains(opening) {
                continue;
            }
            evidence.disclosures.push(opening.clone()).map_err(OpeningError::TooMany)?;
        }
        Ok(())
    }
}

/// Writes an evidence file for people, as `NAME.evidence.json`.
///
/// # Errors
/// [`ClientError::File`].
pub fn write_evidence(evidence: &EvidenceFile, path: &Path) -> Result<(), ClientError> {
    let json =
        evidence.to_json().map_err(|error| ClientError::file(path, io::Error::other(error)))?;
    write_durably(path, json.as_bytes(), Readers::All)
        .map_err(|error| ClientError::file(path, error))
}
