//! A case: the records of one matter, by several institutions, submitted one after the other and
//! stored as a court would hold them.
//!
//! A case is a folder with `case.json` and the documents. Each step names who submits, and which
//! committed values go into the evidence file.

use crate::sdk::{
    Client, ClientError, Draft, DraftError, Names, Notary, Order, Signer, Submitter,
    draft::read_bounded, limits,
};
use probata_genesis::SubjectKey;
use probata_types::InstitutionId;
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

pub use crate::sdk::NotarisedRecord;

/// The file that describes a case.
pub const CASE_FILE: &str = "case.json";

/// A case as its file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it is about.
    pub title: String,
    /// The records, in order.
    pub steps: Vec<Step>,
}

/// One record of a case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The participant that submits it.
    pub by: String,
    /// Committed fields whose values go into the evidence file, besides the documents' names.
    pub disclose: Vec<String>,
    /// The record.
    pub draft: Draft,
}

/// Somebody who submits.
pub struct Participant {
    /// The institution.
    pub institution: InstitutionId,
    /// Its key.
    pub signer: Box<dyn Signer>,
}

/// Where a case comes from and goes to.
#[derive(Debug, Clone, Copy)]
pub struct Folders<'a> {
    /// With [`CASE_FILE`] and the documents.
    pub case: &'a Path,
    /// Gets evidence, openings and copies of the documents; made if need be.
    pub out: &'a Path,
}

impl Case {
    /// Reads the case in a folder.
    ///
    /// # Errors
    /// [`ClientError::Draft`] if there is none, or it is not one.
    pub fn read(folder: &Path) -> Result<Self, ClientError> {
        let json = read_bounded(&folder.join(CASE_FILE), limits::DRAFT_BYTES)?;
        let form = |error: serde_json::Error| DraftError::Form(error.to_string());
        Ok(serde_json::from_slice(&json).map_err(form)?)
    }
}

/// Submits the case's records in order, each after the one before is sealed, and stores for each
/// `NAME.evidence.json`, `NAME.openings.json` and copies of its documents in the out folder. Once
/// all are sealed, the evidence files are made anew, so that each shows its flow as the case left
/// it.
///
/// # Errors
/// [`ClientError`]. Records before the failing one are sealed and stored.
pub async fn run(
    folders: Folders<'_>,
    participants: &BTreeMap<String, Participant>,
    subject_key: &SubjectKey,
    client: &Client,
) -> Result<Vec<NotarisedRecord>, ClientError> {
    let case = Case::read(folders.case)?;
    let institutions = participants.iter();
    let institutions = institutions.map(|(name, one)| (name.clone(), one.institution)).collect();
    let names = Names { institutions, ..Names::default() };
    let mut notary = Notary::new(client, Some(subject_key), folders.out, names)?;
    let mut notarised = Vec::with_capacity(case.steps.len());
    for step in &case.steps {
        let participant = participant(participants, &step.by)?;
        let signer = participant.signer.as_ref();
        let submitter = Submitter { institution: participant.institution, signer };
        let order = Order { draft: &step.draft, folder: folders.case, disclose: &step.disclose };
        notarised.extend(notary.notarise(submitter, &[order]).await?);
    }
    for (step, record) in case.steps.iter().zip(&notarised) {
        notary.refresh(record, &step.disclose).await?;
    }
    Ok(notarised)
}

fn participant<'a>(
    participants: &'a BTreeMap<String, Participant>,
    name: &str,
) -> Result<&'a Participant, DraftError> {
    participants.get(name).ok_or_else(|| {
        let known: Vec<&str> = participants.keys().map(String::as_str).collect();
        let known = known.join(", ");
        DraftError::Form(format!("there is no participant {name:?}; there are: {known}"))
    })
}
