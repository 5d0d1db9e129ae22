//! A case: the records of one matter, by several institutions, submitted one after the other and
//! stored as a court would hold them.
//!
//! A case is a folder with `case.json` and the documents. Each step names who submits, and which
//! committed values go into the evidence file.

use crate::sdk::{
    Author, Client, ClientError, Draft, DraftContext, DraftError, FlowWriter, Names, OpeningsFile,
    Prepared, RecordReceipt, Signer, clock, draft::read_bounded, limits, sign, write_evidence,
};
use probata_genesis::SubjectKey;
use probata_types::{FlowId, InstitutionId, Outcome, RecordId, Timestamp, evidence::EvidenceFile};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

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
    /// Committed fields whose values go into the evidence file.
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

/// A record that was submitted, decided and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotarisedRecord {
    /// The draft's name.
    pub name: String,
    /// The participant that submitted it.
    pub by: String,
    /// The record.
    pub record: RecordId,
    /// Its flow.
    pub flow: FlowId,
    /// What the chain decided.
    pub outcome: Outcome,
    /// Its evidence file.
    pub evidence: PathBuf,
    /// The copies of its documents.
    pub documents: Vec<PathBuf>,
}

/// Submits the case's records in order, each after the one before is sealed, and stores for each
/// `NAME.evidence.json`, `NAME.openings.json` and copies of its documents in the out folder. Once all
/// are sealed, the evidence files are fetched anew, so that each shows the flow as the case left it.
///
/// # Errors
/// [`ClientError`]. Records before the failing one are sealed and stored.
pub async fn run(
    folders: Folders<'_>,
    participants: &BTreeMap<String, Participant>,
    subject_key: &SubjectKey,
    client: &Client,
) -> Result<Vec<NotarisedRecord>, ClientError> {
    let json = read_bounded(&folders.case.join(CASE_FILE), limits::DRAFT_BYTES)?;
    let case: Case =
        serde_json::from_slice(&json).map_err(|error| DraftError::Form(error.to_string()))?;
    fs::create_dir_all(folders.out).map_err(|error| ClientError::file(folders.out, error))?;
    let institutions = participants.iter();
    let institutions = institutions.map(|(name, one)| (name.clone(), one.institution)).collect();
    let mut runner = Runner {
        folders,
        participants,
        subject_key,
        client,
        names: Names { institutions, ..Names::default() },
        writers: BTreeMap::new(),
    };
    let mut done = Vec::with_capacity(case.steps.len());
    for step in &case.steps {
        done.push(runner.step(step).await?);
    }
    for (step, notarised) in case.steps.iter().zip(&done) {
        let evidence = client.evidence(&notarised.record, true).await?;
        runner.store(step, notarised, evidence)?;
    }
    Ok(done)
}

struct Runner<'a> {
    folders: Folders<'a>,
    participants: &'a BTreeMap<String, Participant>,
    subject_key: &'a SubjectKey,
    client: &'a Client,
    names: Names,
    writers: BTreeMap<(InstitutionId, FlowId), FlowWriter>,
}

impl Runner<'_> {
    async fn step(&mut self, step: &Step) -> Result<NotarisedRecord, ClientError> {
        let participants = self.participants;
        let submitter = participants.get(&step.by).ok_or_else(|| {
            let known: Vec<&str> = participants.keys().map(String::as_str).collect();
            let known = known.join(", ");
            DraftError::Form(format!("there is no participant {:?}; there are: {known}", step.by))
        })?;
        let genesis = self.client.genesis();
        let (suite, chain) = (genesis.suite(), genesis.chain());
        let author = Author { suite, chain, institution: submitter.institution };
        let now = clock::now();
        let prepared = self.prepare(step, now)?;
        let key = (submitter.institution, prepared.flow);
        let writer = self.writers.get(&key).cloned();
        let mut writer = writer.unwrap_or_else(|| FlowWriter::new(author, prepared.flow));
        let (id, record) = writer.append(prepared.statement.clone());
        let openings = OpeningsFile::new(chain, id, prepared.book.openings());
        let path = self.path(&prepared.name, "openings.json");
        openings.write(&path)?;
        let signer = submitter.signer.as_ref();
        let submission = sign(vec![record], &author, signer, now, limits::LIFETIME)?;
        let receipt = self.client.submit(&submission).await?;
        let [decided] = receipt.records.as_slice() else {
            unreachable!("a receipt has one decision for each record sent");
        };
        // A rejected record takes no number: the next one stands in its place.
        if decided.outcome().is_accepted() {
            self.writers.insert(key, writer);
            self.names.records.insert(prepared.name.clone(), id);
        }
        let notarised = self.notarised(step, &prepared, decided)?;
        self.store(step, &notarised, decided.evidence.clone())?;
        Ok(notarised)
    }

    fn prepare(&mut self, step: &Step, now: Timestamp) -> Result<Prepared, ClientError> {
        let genesis = self.client.genesis();
        let context = DraftContext {
            suite: genesis.suite(),
            rule_pack: genesis.rule_pack().version,
            utc_offset_minutes: genesis.rule_pack().utc_offset_minutes,
            now,
            folder: self.folders.case,
            subject_key: Some(self.subject_key),
        };
        Ok(step.draft.prepare(&context, &mut self.names)?)
    }

    fn notarised(
        &self,
        step: &Step,
        prepared: &Prepared,
        decided: &RecordReceipt,
    ) -> Result<NotarisedRecord, ClientError> {
        let mut documents = Vec::with_capacity(prepared.documents.len());
        for document in &prepared.documents {
            let Some(name) = document.file_name() else { continue };
            let copy = self.folders.out.join(name);
            fs::copy(document, &copy).map_err(|error| ClientError::file(document, error))?;
            documents.push(copy);
        }
        Ok(NotarisedRecord {
            name: prepared.name.clone(),
            by: step.by.clone(),
            record: decided.record,
            flow: prepared.flow,
            outcome: decided.outcome().clone(),
            evidence: self.path(&prepared.name, "evidence.json"),
            documents,
        })
    }

    /// Writes an evidence file with what the step discloses.
    fn store(
        &self,
        step: &Step,
        notarised: &NotarisedRecord,
        mut evidence: EvidenceFile,
    ) -> Result<(), ClientError> {
        let openings = OpeningsFile::read(&self.path(&notarised.name, "openings.json"))?;
        openings.disclose(&mut evidence, step.disclose.iter().map(String::as_str))?;
        write_evidence(&evidence, &notarised.evidence)
    }

    fn path(&self, name: &str, extension: &str) -> PathBuf {
        self.folders.out.join(format!("{name}.{extension}"))
    }
}
