//! Signed submissions of real drafts: consents of the sample case, each in a flow of its own.

use crate::{network::Network, trouble::Trouble};
use probata_client::{
    case::Case,
    sdk::{Author, Draft, DraftContext, FlowWriter, Names, clock, limits::LIFETIME, sign},
};
use probata_genesis::{KeyFile, KeyUse, SubjectKey};
use probata_types::{Keypair, Record, Submission, Timestamp};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

/// The draft of the sample case that the writer repeats: it needs nothing that was recorded before.
const DRAFT: &str = "consent";
/// The document that it binds.
pub const DOCUMENT: &str = "consent.txt";

/// An institution that submits.
#[derive(Clone)]
pub struct Writer {
    author: Author,
    /// Shared by all copies.
    key: Arc<RwLock<Keypair>>,
    subject_key: SubjectKey,
    draft: Draft,
    names: Names,
    folder: PathBuf,
    rule_pack: u32,
    utc_offset_minutes: i32,
}

impl Writer {
    /// The first institution of the network, a bank, with the drafts of the sample case.
    ///
    /// # Errors
    /// [`Trouble`] if a key or the case cannot be read.
    pub fn of(network: &Network) -> Result<Self, Trouble> {
        let genesis = network.genesis();
        let institution = network.nodes()[0].institution;
        let key = std::fs::read(network.path(0, "submission.key.json"))?;
        let subject_key = std::fs::read(network.folder().join("subject.key.json"))?;
        let folder = case_folder();
        let steps = Case::read(&folder)?.steps;
        let step = steps.into_iter().find(|step| step.draft.name == DRAFT);
        let draft = step.ok_or_else(|| Trouble::new("the sample case has no consent"))?.draft;
        let institutions =
            network.nodes().iter().map(|node| (node.name.clone(), node.institution)).collect();
        Ok(Self {
            author: Author { suite: genesis.suite(), chain: genesis.chain(), institution },
            key: Arc::new(RwLock::new(KeyFile::parse_for(KeyUse::Submission, &key)?)),
            subject_key: SubjectKey::parse(&subject_key)?,
            draft,
            names: Names { institutions, flows: BTreeMap::new() },
            folder,
            rule_pack: genesis.rule_pack().version,
            utc_offset_minutes: genesis.rule_pack().utc_offset_minutes,
        })
    }

    /// From now on this writer, and all copies of it, sign with another key.
    pub fn sign_with(&self, key: Keypair) {
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// A new submission of one record, which opens a flow.
    ///
    /// # Errors
    /// [`Trouble`] if it cannot be made.
    pub fn submission(&self) -> Result<Submission, Trouble> {
        self.submission_at(clock::now())
    }

    /// A new submission of many records, each of which opens a flow.
    ///
    /// # Errors
    /// [`Trouble`] if it cannot be made, or is too large.
    pub fn large_submission(&self, records: usize) -> Result<Submission, Trouble> {
        let now = clock::now();
        let made = (0..records).map(|_| self.record(now));
        let records = made.collect::<Result<Vec<_>, _>>()?;
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        Ok(sign(records, &self.author, &*key, now, LIFETIME)?)
    }

    /// A submission of one record, made at another time.
    ///
    /// # Errors
    /// [`Trouble`] if it cannot be made.
    pub fn submission_at(&self, now: Timestamp) -> Result<Submission, Trouble> {
        let record = self.record(now)?;
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        Ok(sign(vec![record], &self.author, &*key, now, LIFETIME)?)
    }

    fn record(&self, now: Timestamp) -> Result<Record, Trouble> {
        let context = DraftContext {
            suite: self.author.suite,
            rule_pack: self.rule_pack,
            utc_offset_minutes: self.utc_offset_minutes,
            now,
            folder: &self.folder,
            subject_key: Some(&self.subject_key),
        };
        let prepared = self.draft.prepare(&context, &mut self.names.clone())?;
        let mut flow = FlowWriter::new(self.author, prepared.flow);
        Ok(flow.append(prepared.statement).1)
    }
}

/// Where the project keeps the sample case.
pub fn case_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/case")
}
