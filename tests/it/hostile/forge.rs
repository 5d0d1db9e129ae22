//! Submissions as a member could make them, and as it should not.

use probata_client::{
    case::Case,
    sdk::{Draft, DraftContext, Names, clock},
};
use probata_genesis::{KeyFile, KeyUse, SubjectKey};
use probata_tests::{Trouble, network::Network, writer::case_folder};
use probata_types::{
    FlowId, Hash, InstitutionId, Keypair, List, Record, RecordId, Submission, SubmissionHead,
    Suite, Timestamp,
    submission::{IdempotencyKey, records_root},
};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf};

/// Milliseconds from a submission's making to its expiry.
const LIFETIME: u64 = 10 * 60 * 1_000;

/// An institution whose key is used for everything but what it is for.
pub(super) struct Forge {
    pub(super) suite: Suite,
    pub(super) chain: Hash,
    pub(super) institution: InstitutionId,
    pub(super) key: Keypair,
    rule_pack: u32,
    utc_offset_minutes: i32,
    subject_key: SubjectKey,
    drafts: Vec<Draft>,
    names: Names,
    folder: PathBuf,
    /// Makes flows and idempotency keys differ, between forges too.
    counter: u128,
}

impl Forge {
    /// The institution of a node.
    pub(super) fn of(network: &Network, node: usize) -> Result<Self, Trouble> {
        let genesis = network.genesis();
        let key = std::fs::read(network.path(node, "submission.key.json"))?;
        let subject_key = std::fs::read(network.folder().join("subject.key.json"))?;
        let folder = case_folder();
        let drafts = Case::read(&folder)?.steps.into_iter().map(|step| step.draft).collect();
        let institutions =
            network.nodes().iter().map(|node| (node.name.clone(), node.institution)).collect();
        // Flows that the drafts cite and that are not there.
        let flows = [("consent", 0xc0), ("loan", 0xc1), ("model", 0xc2), ("access-log", 0xc3)];
        let flows: BTreeMap<String, FlowId> =
            flows.into_iter().map(|(name, byte)| (name.to_owned(), FlowId([byte; 16]))).collect();
        Ok(Self {
            suite: genesis.suite(),
            chain: genesis.chain(),
            institution: network.nodes()[node].institution,
            key: KeyFile::parse_for(KeyUse::Submission, &key)?,
            rule_pack: genesis.rule_pack().version,
            utc_offset_minutes: genesis.rule_pack().utc_offset_minutes,
            subject_key: SubjectKey::parse(&subject_key)?,
            drafts,
            names: Names { institutions, flows },
            folder,
            counter: u128::try_from(node)? << 64,
        })
    }

    /// A record of the sample case that opens a flow of its own.
    pub(super) fn record(&mut self, draft: &str) -> Result<Record, Trouble> {
        let found = self.drafts.iter().find(|one| one.name == draft);
        let found = found.ok_or_else(|| Trouble::new(format!("no draft {draft}")))?;
        let context = DraftContext {
            suite: self.suite,
            rule_pack: self.rule_pack,
            utc_offset_minutes: self.utc_offset_minutes,
            now: clock::now(),
            folder: &self.folder,
            subject_key: Some(&self.subject_key),
        };
        let statement = found.prepare(&context, &mut self.names.clone())?.statement;
        self.counter += 1;
        Ok(Record {
            version: Record::VERSION,
            flow: FlowId(self.counter.to_be_bytes()),
            seq: 1,
            prev: RecordId::NONE,
            phase: statement.phase,
            occurred_at: statement.occurred_at,
            rule_pack: statement.rule_pack,
            data_class: statement.data_class,
            level: statement.level,
            retention: statement.retention,
            documents: statement.documents,
            body: statement.body,
        })
    }

    /// Such a record after a change to its JSON.
    pub(super) fn changed(
        &mut self,
        draft: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Record, Trouble> {
        let mut value = serde_json::to_value(self.record(draft)?)?;
        change(&mut value);
        Ok(serde_json::from_value(value)?)
    }

    /// The loan contract, which cites nothing, after a change to its body.
    pub(super) fn contract(&mut self, change: impl FnOnce(&mut Value)) -> Result<Record, Trouble> {
        self.changed("contract", |record| {
            let body = &mut record["body"]["loan_contract"];
            body["consent"] = Value::Null;
            change(body);
        })
    }

    /// A good submission of one record.
    pub(super) fn good(&mut self) -> Result<Submission, Trouble> {
        let record = self.record("consent")?;
        self.submission(vec![record])
    }

    /// Records, well signed.
    pub(super) fn submission(&mut self, records: Vec<Record>) -> Result<Submission, Trouble> {
        let head = self.head(&records)?;
        self.sign(head, records)
    }

    /// A good submission after a change to its head, signed after the change.
    pub(super) fn with_head(
        &mut self,
        change: impl FnOnce(&mut SubmissionHead),
    ) -> Result<Submission, Trouble> {
        let records = vec![self.record("consent")?];
        let mut head = self.head(&records)?;
        change(&mut head);
        // Ids depend on the submitter and the chain; the root must fit whatever they are now.
        let ids: Vec<RecordId> = records
            .iter()
            .map(|record| record.id(head.suite, &head.chain, &head.institution))
            .collect();
        head.records_root = records_root(head.suite, &ids);
        self.sign(head, records)
    }

    /// The head that fits records.
    pub(super) fn head(&mut self, records: &[Record]) -> Result<SubmissionHead, Trouble> {
        let id = |record: &Record| record.id(self.suite, &self.chain, &self.institution);
        let ids: Vec<RecordId> = records.iter().map(id).collect();
        let now = clock::now();
        self.counter += 1;
        Ok(SubmissionHead {
            version: SubmissionHead::VERSION,
            suite: self.suite,
            chain: self.chain,
            institution: self.institution,
            key: self.key.public(),
            idempotency_key: IdempotencyKey(self.counter.to_be_bytes()),
            submitted_at: now,
            expires_at: later(now, LIFETIME),
            record_count: u32::try_from(records.len())?,
            records_root: records_root(self.suite, &ids),
        })
    }

    /// A head as it is, signed.
    pub(super) fn sign(
        &self,
        head: SubmissionHead,
        records: Vec<Record>,
    ) -> Result<Submission, Trouble> {
        let signature = self.key.sign(&Hash(head.id().0));
        Ok(Submission::new(head, signature, List::new(records)?))
    }
}

/// A point in time so many milliseconds later.
pub(super) fn later(time: Timestamp, millis: u64) -> Timestamp {
    time.saturating_add(millis)
}
