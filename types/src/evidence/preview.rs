//! A first look at a file: is it of a kind that this software knows? What it does not know it must
//! not judge, so an unknown kind is neither an error of form nor a pass.

use super::{EvidenceError, EvidenceFile, json};
use crate::{Header, Record, SubmissionHead, Suite, Text, body::RecordType};
use serde::{Deserialize, de::IgnoredAny};
use std::collections::BTreeMap;

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

#[derive(Deserialize)]
struct Preview {
    format: String,
    version: u64,
    suite: Option<String>,
    submission: Option<SubmissionPreview>,
    record: Option<RecordPreview>,
    header: Option<Versioned>,
    anchor: Option<AnchorPreview>,
}

#[derive(Deserialize)]
struct SubmissionPreview {
    head: Option<Versioned>,
}

#[derive(Deserialize)]
struct AnchorPreview {
    header: Option<Versioned>,
}

#[derive(Deserialize)]
struct RecordPreview {
    version: Option<u64>,
    body: Option<BTreeMap<String, IgnoredAny>>,
}

#[derive(Deserialize)]
struct Versioned {
    version: Option<u64>,
}

/// What in the file this software does not know, if anything.
pub(super) fn unsupported(bytes: &[u8]) -> Result<Option<Unsupported>, EvidenceError> {
    let preview: Preview = json::read(bytes)?;
    if preview.format != "probata-evidence" {
        return Err(EvidenceError::Json("its format is another one".into()));
    }
    let known = u64::from(EvidenceFile::VERSION);
    if preview.version != known {
        let version = preview.version;
        return Ok(Some(Unsupported::Version { what: "the evidence file", version }));
    }
    if let Some(name) = preview.suite.as_deref().filter(|name| !is_suite(name)) {
        return Ok(Some(Unsupported::Suite(printable(name))));
    }
    Ok(preview.unknown_version().or_else(|| preview.unknown_record_type()))
}

impl Preview {
    fn unknown_version(&self) -> Option<Unsupported> {
        let head = self.submission.as_ref().and_then(|submission| submission.head.as_ref());
        let anchor = self.anchor.as_ref().and_then(|anchor| anchor.header.as_ref());
        let header_version = |header: &Versioned| header.version;
        let found = [
            ("the submission", head.and_then(header_version), SubmissionHead::VERSION),
            ("the record", self.record.as_ref().and_then(|r| r.version), Record::VERSION),
            ("the header", self.header.as_ref().and_then(header_version), Header::VERSION),
            ("the anchor's header", anchor.and_then(header_version), Header::VERSION),
        ];
        found.into_iter().find_map(|(what, version, known)| {
            let version = version.filter(|version| *version != u64::from(known))?;
            Some(Unsupported::Version { what, version })
        })
    }

    fn unknown_record_type(&self) -> Option<Unsupported> {
        let body = self.record.as_ref()?.body.as_ref()?;
        let name = body.keys().next().filter(|_| body.len() == 1)?;
        match RecordType::from_name(name) {
            Some(_) => None,
            None => Some(Unsupported::RecordType(printable(name))),
        }
    }
}

fn is_suite(name: &str) -> bool {
    serde_json::from_value::<Suite>(serde_json::Value::from(name)).is_ok()
}

/// A name from the file, if it can be shown as it is.
fn printable(name: &str) -> String {
    Text::<64>::new(name).map_or_else(|_| "(unprintable)".into(), |text| text.to_string())
}
