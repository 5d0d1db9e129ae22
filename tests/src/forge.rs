//! The forged corpus: evidence files that somebody has worked on, and genuine ones beside them, with what a verifier has
//! to say of each. Both verifiers, in Rust and in JavaScript, judge all of it (`tests/vectors/evidence`).
//!
//! What is expected is written here by hand, row by row; no verifier is asked when the corpus is made.
#![expect(
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "the functions are tables: one row for each attack"
)]

mod base;
mod brought;
mod content;
mod places;
mod seals;
mod spelling;
mod state;
mod write;

pub use base::Base;
pub use write::{INDEX, Judged, folder, read_index, write};

use crate::trouble::Trouble;
use probata_types::{Checkpoint, EvidenceFile, Timestamp};
use serde::{Deserialize, Serialize};

/// One file, with what comes with it and what is to be said of it.
pub struct Row {
    /// What it is called; also the name of its file.
    pub name: String,
    /// The threat that it stands for, as `T11`; none for what is genuine.
    pub threat: &'static str,
    /// What somebody has done.
    pub attack: String,
    /// The bytes of the evidence file.
    pub evidence: Vec<u8>,
    /// The documents that are brought, by name.
    pub documents: Vec<(String, Vec<u8>)>,
    /// Which genesis document is trusted.
    pub genesis: Trusted,
    /// The checkpoint that is kept.
    pub checkpoint: Option<Checkpoint>,
    /// The sealed header that another node shows, as a checkpoint.
    pub second: Option<Checkpoint>,
    /// The record that is asked for.
    pub record: Option<String>,
    /// The time for which it is asked.
    pub as_of: Option<Timestamp>,
    /// What is to be said.
    pub expected: Expected,
}

/// The genesis document that the verifier trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trusted {
    /// That of the chain.
    Own,
    /// That of another consortium.
    Other,
    /// None was given.
    None,
}

/// What is to be said of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The verdict, as in a report's JSON.
    pub verdict: String,
    /// The level reached.
    pub level: Option<String>,
    /// The checks that did not pass, in the order of the report, each with its status.
    pub checks: Vec<(String, String)>,
    /// The numbers of the findings.
    pub findings: Vec<u16>,
}

/// All rows.
///
/// # Errors
/// [`Trouble`] if the genuine files cannot be made.
pub fn rows(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = base.genuine()?;
    rows.extend(content::rows(base)?);
    rows.extend(places::rows(base)?);
    rows.extend(seals::rows(base)?);
    rows.extend(state::rows(base)?);
    rows.extend(spelling::rows(base)?);
    rows.extend(brought::rows(base)?);
    Ok(rows)
}

impl Row {
    /// A file of a base with its documents, judged by the chain's own genesis; said to be consistent at E5 until
    /// [`Self::fails`] and the like say otherwise.
    ///
    /// # Errors
    /// [`Trouble`] if no reader would take a file of this length.
    pub fn new(
        base: &Base,
        (name, threat, attack): (&str, &'static str, &str),
        file: &EvidenceFile,
    ) -> Result<Self, Trouble> {
        Ok(Self::of_text(base, (name, threat, attack), file.to_json()?.into_bytes()))
    }

    /// The same of any bytes.
    pub fn of_text(
        base: &Base,
        (name, threat, attack): (&str, &'static str, &str),
        evidence: Vec<u8>,
    ) -> Self {
        Self {
            name: name.replace(' ', "-"),
            threat,
            attack: attack.to_owned(),
            evidence,
            documents: base.documents.clone(),
            genesis: Trusted::Own,
            checkpoint: None,
            second: None,
            record: None,
            as_of: None,
            expected: Expected {
                verdict: "consistent".to_owned(),
                level: Some("E5".to_owned()),
                checks: Vec::new(),
                findings: Vec::new(),
            },
        }
    }

    /// Some checks fail, and the level is what is left.
    #[must_use]
    pub fn fails(self, level: &str, checks: &[&str]) -> Self {
        self.expect("inconsistent", level, checks, "failed")
    }

    /// Further checks are not run.
    #[must_use]
    pub fn not_run(self, checks: &[&str]) -> Self {
        let (verdict, level) = (self.expected.verdict.clone(), self.expected.level.clone());
        self.expect(&verdict, &level.unwrap_or_default(), checks, "not_run")
    }

    /// Documents are missing, whatever else is wrong.
    #[must_use]
    pub fn without(mut self, documents: &[&str]) -> Self {
        let absent = documents.iter().map(|check| ((*check).to_owned(), "not_present".to_owned()));
        self.expected.checks.extend(absent);
        self
    }

    /// Something is missing.
    #[must_use]
    pub fn indeterminate(self, level: &str, checks: &[&str], status: &str) -> Self {
        self.expect("indeterminate", level, checks, status)
    }

    /// It stays consistent, with a lower level.
    #[must_use]
    pub fn reaches(self, level: &str, absent: &[&str]) -> Self {
        let verdict = self.expected.verdict.clone();
        self.expect(&verdict, level, absent, "not_present")
    }

    /// It is consistent with these findings.
    #[must_use]
    pub fn with_findings(mut self, findings: &[u16]) -> Self {
        "consistent_with_findings".clone_into(&mut self.expected.verdict);
        self.expected.findings = findings.to_vec();
        self
    }

    /// The findings, whatever the verdict.
    #[must_use]
    pub fn finding(mut self, findings: &[u16]) -> Self {
        self.expected.findings = findings.to_vec();
        self
    }

    /// The chain has forked.
    #[must_use]
    pub fn forked(mut self) -> Self {
        "forked".clone_into(&mut self.expected.verdict);
        self
    }

    /// Nothing is brought with it.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.documents.clear();
        self
    }

    fn expect(mut self, verdict: &str, level: &str, checks: &[&str], status: &str) -> Self {
        verdict.clone_into(&mut self.expected.verdict);
        self.expected.level = (!level.is_empty()).then(|| level.to_owned());
        let checks = checks.iter().map(|check| ((*check).to_owned(), status.to_owned()));
        self.expected.checks.extend(checks);
        self
    }
}
