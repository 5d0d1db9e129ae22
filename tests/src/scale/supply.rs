//! Submissions of the sample case's records, in about the mix of a year.

use crate::{
    consortium::{self, BEGIN, Purpose, SUITE},
    trouble::Trouble,
    writer::case_folder,
};
use probata_client::{
    case::Case,
    sdk::{Author, DraftContext, FlowWriter, Names},
};
use probata_types::{
    Hash, List, Record, Signature, Submission, SubmissionHead, Timestamp,
    submission::{IdempotencyKey, records_root},
};
use std::collections::BTreeMap;

/// The chain of all simulated replicas.
pub(super) const CHAIN: Hash = Hash([7; 32]);
/// Records of a year in millions, by the draft of the sample case that stands for them. What has no draft is
/// counted with what is most like it.
const MIX: [(&str, usize); 7] = [
    ("repayment", 54),
    ("access", 43),
    ("collection", 21),
    ("contract", 15),
    ("disbursement", 14),
    ("consent", 12),
    ("guarantee", 4),
];

/// Makes submissions. Consensus orders them; that they are good is known before it sees them, so their
/// signatures are not made: what it costs to check them is a part of [`super::Costs`].
#[derive(Debug, Clone)]
pub(super) struct Supply {
    /// In an order that repeats, each as often as the mix says.
    records: Vec<Record>,
    per_submission: usize,
    head: SubmissionHead,
}

impl Supply {
    /// Submissions of so many records each.
    ///
    /// # Errors
    /// [`Trouble`] if the sample case cannot be read.
    pub(super) fn new(per_submission: usize) -> Result<Self, Trouble> {
        let kinds = case_records()?;
        let mut records = Vec::new();
        for (name, weight) in MIX {
            let record = kinds.get(name).ok_or_else(|| Trouble::new(format!("no {name}")))?;
            records.extend(std::iter::repeat_n(record.clone(), weight));
        }
        crate::seed::Seeded::new(1).shuffle(&mut records);
        let head = SubmissionHead {
            version: SubmissionHead::VERSION,
            suite: SUITE,
            chain: CHAIN,
            institution: consortium::institution(0),
            key: consortium::pair(0, Purpose::Submission).public(),
            idempotency_key: IdempotencyKey([0; 16]),
            submitted_at: BEGIN,
            expires_at: BEGIN.saturating_add(86_400_000),
            record_count: u32::try_from(per_submission)?,
            records_root: Hash::ZERO,
        };
        Ok(Self { records, per_submission, head })
    }

    /// Number `number`: always the same.
    pub(super) fn submission(&self, number: usize) -> Submission {
        let places = number * self.per_submission..(number + 1) * self.per_submission;
        let records: Vec<Record> =
            places.map(|place| self.records[place % self.records.len()].clone()).collect();
        let SubmissionHead { suite, chain, institution, .. } = &self.head;
        let ids: Vec<_> = records.iter().map(|it| it.id(*suite, chain, institution)).collect();
        let mut key = [0; 16];
        key[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let head = SubmissionHead {
            idempotency_key: IdempotencyKey(key),
            records_root: records_root(*suite, &ids),
            ..self.head.clone()
        };
        Submission::new(head, Signature([0; 64]), List::new(records).expect("a moderate number"))
    }

    /// The number that a submission was made with.
    pub(super) fn number(submission: &Submission) -> usize {
        let key = submission.head.idempotency_key.0;
        let number = u64::from_be_bytes(*key.first_chunk().expect("a key is longer"));
        usize::try_from(number).expect("it was made of one")
    }

    /// Bytes of one submission, on average.
    pub(super) fn mean_bytes(&self) -> u64 {
        let once = self.records.len();
        let bytes: usize = (0..once).map(|number| self.submission(number).size()).sum();
        (bytes / once) as u64
    }
}

/// The records of the sample case by the names of their drafts.
fn case_records() -> Result<BTreeMap<String, Record>, Trouble> {
    let folder = case_folder();
    let institutions =
        (0..4).map(|number| (consortium::name(number), consortium::institution(number)));
    let mut names = Names { institutions: institutions.collect(), flows: BTreeMap::new() };
    let subject_key = consortium::subject_key();
    let context = DraftContext {
        suite: SUITE,
        rule_pack: 1,
        utc_offset_minutes: 480,
        now: Timestamp::new(BEGIN.get() + 1),
        folder: &folder,
        subject_key: Some(&subject_key),
    };
    let author = Author { suite: SUITE, chain: CHAIN, institution: consortium::institution(0) };
    let mut records = BTreeMap::new();
    for step in Case::read(&folder)?.steps {
        let prepared = step.draft.prepare(&context, &mut names)?;
        let (_, record) = FlowWriter::new(author, prepared.flow).append(prepared.statement);
        records.insert(prepared.name, record);
    }
    Ok(records)
}
