//! A first look at a file: is it of a kind that this software knows? What it does not know it must
//! not judge, so an unknown kind is neither an error of form nor a pass.

use super::EvidenceFile;
use crate::{Header, Record, SubmissionHead, Suite, Text, body::RecordType};
use serde_json::Value;

/// Why no judgement is possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// A later version of the file, or of something in it.
    #[error("unknown version {version} of {what}")]
    Version {
        /// Of what.
        what: &'static str,
        /// The version found.
        version: u64,
    },
    /// Algorithms that this software does not have.
    #[error("unknown algorithm suite {0}")]
    Suite(String),
    /// A type of record that this software does not have.
    #[error("unknown record type {0}")]
    RecordType(String),
}

/// A part of a file, by what it is called, with the version that this software knows.
pub(super) type Part<'a> = (&'static str, &'a Value, u16);

/// What in an evidence file this software does not know, if anything. Whatever has another shape than it should is
/// left to the reading that follows, which refuses it.
pub(super) fn of_evidence(file: &Value) -> Option<Unsupported> {
    let parts = [
        ("the submission", &file["submission"]["head"], SubmissionHead::VERSION),
        ("the record", &file["record"], Record::VERSION),
        ("a header", &file["header"], Header::VERSION),
        ("a header", &file["anchor"]["header"], Header::VERSION),
    ];
    of_file(file, ("the evidence file", EvidenceFile::VERSION), parts)
        .or_else(|| unknown_record_type(&file["record"]["body"]))
}

/// What in a file with a suite and with changes of the validator set is not known: its version, its suite, or the
/// version of one of its parts.
pub(super) fn of_file<'a>(
    file: &'a Value,
    (what, version): (&'static str, u16),
    parts: impl IntoIterator<Item = Part<'a>>,
) -> Option<Unsupported> {
    let changes = file["sets"].as_array().into_iter().flatten();
    let changes = changes.map(|change| ("a header", &change["header"], Header::VERSION));
    unknown_version((what, file, version))
        .or_else(|| unknown_suite(&file["suite"]))
        .or_else(|| parts.into_iter().chain(changes).find_map(unknown_version))
}

fn unknown_version((what, part, known): Part<'_>) -> Option<Unsupported> {
    let version = part["version"].as_u64().filter(|version| *version != u64::from(known))?;
    Some(Unsupported::Version { what, version })
}

fn unknown_suite(suite: &Value) -> Option<Unsupported> {
    let known = serde_json::from_value::<Suite>(suite.clone()).is_ok();
    let name = suite.as_str().filter(|_| !known)?;
    Some(Unsupported::Suite(printable(name)))
}

fn unknown_record_type(body: &Value) -> Option<Unsupported> {
    let body = body.as_object().filter(|body| body.len() == 1)?;
    let name = body.keys().next().filter(|name| RecordType::from_name(name).is_none())?;
    Some(Unsupported::RecordType(printable(name)))
}

/// A name from the file, if it can be shown as it is.
fn printable(name: &str) -> String {
    Text::<64>::new(name).map_or_else(|_| "(unprintable)".into(), |text| text.to_string())
}
