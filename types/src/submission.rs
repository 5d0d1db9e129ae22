//! The submission: what an institution signs and sends, 1 to 1,024 records under one signature.

use crate::{
    Domain, Hash, InstitutionId, List, PublicKey, Signature, Suite, Timestamp, Verified,
    bytes::byte_string,
    codec,
    key::{self, Signed},
    limits,
    memo::{Memo, Memorable},
    merkle::{self, MerklePath},
    record::{Record, RecordId},
};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

byte_string! {
    /// The digest of a submission's head, which its signature signs.
    SubmissionId, 32
}

byte_string! {
    /// Chosen by the submitter, unique among its submissions: sending the same again is answered
    /// with the first answer.
    IdempotencyKey, 16
}

/// What a submission's signature covers: who, to which chain, when, and every byte of every record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmissionHead {
    /// Version of this layout; 1.
    pub version: u16,
    /// The algorithms.
    pub suite: Suite,
    /// The chain: its genesis hash.
    pub chain: Hash,
    /// The submitter.
    pub institution: InstitutionId,
    /// The key of the submitter that signs.
    pub key: PublicKey,
    /// Makes retries safe.
    pub idempotency_key: IdempotencyKey,
    /// The submitter's clock when it signed.
    pub submitted_at: Timestamp,
    /// A block with a later time refuses it.
    pub expires_at: Timestamp,
    /// Number of records, 1 to [`limits::RECORDS_PER_SUBMISSION`].
    pub record_count: u32,
    /// Merkle root over the record ids (domain [`Domain::Records`]).
    pub records_root: Hash,
}

impl SubmissionHead {
    /// The version written here.
    pub const VERSION: u16 = 1;

    /// The identifier: the digest that the signature signs.
    pub fn id(&self) -> SubmissionId {
        SubmissionId(self.suite.hash_value(Domain::Submission, self).0)
    }

    /// Checks the signature over this head.
    ///
    /// # Errors
    /// [`SubmissionError::Signature`].
    pub fn check_signature(&self, signature: &Signature) -> Result<(), SubmissionError> {
        key::verify(&self.key, &Hash(self.id().0), signature)
            .map_err(|_| SubmissionError::Signature)
    }
}

/// A signed submission, shared: see [`Memo`]. Its fields are those of [`SubmissionParts`].
pub type Submission = Memo<SubmissionParts>;

/// What a submission is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "Submission")]
pub struct SubmissionParts {
    /// What is signed.
    pub head: SubmissionHead,
    /// By `head.key`, over the digest of the head.
    pub signature: Signature,
    /// The records, in order.
    pub records: List<Record, { limits::RECORDS_PER_SUBMISSION }>,
}

/// Why a submission is not well-formed. Who may submit what is judged by the contracts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// A version that this software does not know.
    #[error("unknown submission or record version {0}")]
    Version(u16),
    /// For another chain.
    #[error("the submission is for chain {got}, this is {expected}")]
    Chain {
        /// The chain it names.
        got: Hash,
        /// This chain.
        expected: Hash,
    },
    /// No records.
    #[error("a submission holds at least one record")]
    Empty,
    /// The head's count is not the number of records.
    #[error("the head states {stated} records, {got} are there")]
    Count {
        /// As signed.
        stated: u32,
        /// As found.
        got: usize,
    },
    /// A record that is too large.
    #[error("record {index} takes {got} bytes, {max} are allowed")]
    RecordTooLarge {
        /// Position of the record.
        index: usize,
        /// Its canonical bytes.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The whole is too large.
    #[error("the submission takes {got} bytes, {max} are allowed")]
    TooLarge {
        /// Canonical bytes.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The head's root is not that of the records.
    #[error("the records are not those that the head commits to")]
    Root,
    /// The expiry is not after the signing time.
    #[error("expires_at must be later than submitted_at")]
    Expiry,
    /// The signature is not valid.
    #[error("the signature is not valid for this key and content")]
    Signature,
}

/// What names a submission and its records, and how long they are.
#[derive(Debug, Clone)]
pub struct Digests {
    id: SubmissionId,
    leaf: Hash,
    records: Vec<RecordId>,
    /// Canonical bytes of each record.
    record_bytes: Vec<usize>,
    /// Canonical bytes of the whole.
    bytes: usize,
}

impl Memorable for SubmissionParts {
    type Memory = OnceLock<Digests>;
}

impl Digests {
    fn of(submission: &SubmissionParts) -> Self {
        let SubmissionParts { head, signature, records } = submission;
        let mut buffer = Vec::new();
        codec::encode_into(head, &mut buffer);
        let id = SubmissionId(head.suite.hash(Domain::Submission, &[&buffer]).0);
        let leaf = submission_leaf(head.suite, &id, signature);
        let submitter = codec::encode(&head.institution);
        // The head, the signature, and how many records there are.
        let mut bytes = buffer.len() + Signature::LEN + size_of::<u64>();
        let (mut ids, mut record_bytes) = (Vec::new(), Vec::new());
        for record in records {
            buffer.clear();
            codec::encode_into(record, &mut buffer);
            ids.push(RecordId::of_bytes(head.suite, &head.chain, &submitter, &buffer));
            record_bytes.push(buffer.len());
            bytes += buffer.len();
        }
        Self { id, leaf, records: ids, record_bytes, bytes }
    }
}

impl Submission {
    /// A submission of its parts. Nothing is checked.
    pub fn new(
        head: SubmissionHead,
        signature: Signature,
        records: List<Record, { limits::RECORDS_PER_SUBMISSION }>,
    ) -> Self {
        SubmissionParts { head, signature, records }.into()
    }

    /// The identifier.
    pub fn id(&self) -> SubmissionId {
        self.digests().id
    }

    /// The digest of its leaf among the submissions of a block: of the head and of the signature.
    pub fn leaf(&self) -> Hash {
        self.digests().leaf
    }

    /// The ids of the records, in order.
    pub fn record_ids(&self) -> &[RecordId] {
        &self.digests().records
    }

    /// How many canonical bytes it takes.
    pub fn size(&self) -> usize {
        self.digests().bytes
    }

    fn digests(&self) -> &Digests {
        self.memory().get_or_init(|| Digests::of(self))
    }

    /// The path from record `index` to the root that the head signs; `None` if there is no such record.
    pub fn record_path(&self, index: usize) -> Option<MerklePath> {
        let leaf = |id: &RecordId| merkle::leaf(self.head.suite, Domain::Records, id.as_bytes());
        let leaves: Vec<Hash> = self.record_ids().iter().map(leaf).collect();
        merkle::path(self.head.suite, Domain::Records, &leaves, index)
    }

    /// Checks all that can be checked without the state: versions, chain, sizes, counts, the root over
    /// the records, and the signature.
    ///
    /// # Errors
    /// [`SubmissionError`], the first thing wrong.
    pub fn verify(self, chain: &Hash) -> Result<Verified<Self>, SubmissionError> {
        self.check_content(chain)?;
        self.head.check_signature(&self.signature)?;
        Ok(Verified::assume(self))
    }

    /// Checks all that [`Self::verify`] does but the signature: for one whose head and signature are known
    /// good, or are checked with many others at once.
    ///
    /// # Errors
    /// [`SubmissionError`], the first thing wrong.
    pub fn check_content(&self, chain: &Hash) -> Result<(), SubmissionError> {
        self.check_shape(chain)?;
        if records_root(self.head.suite, self.record_ids()) != self.head.records_root {
            return Err(SubmissionError::Root);
        }
        Ok(())
    }

    fn check_shape(&self, chain: &Hash) -> Result<(), SubmissionError> {
        let head = &self.head;
        if head.version != SubmissionHead::VERSION {
            return Err(SubmissionError::Version(head.version));
        }
        if head.chain != *chain {
            return Err(SubmissionError::Chain { got: head.chain, expected: *chain });
        }
        if self.records.is_empty() {
            return Err(SubmissionError::Empty);
        }
        if head.record_count as usize != self.records.len() {
            let (stated, got) = (head.record_count, self.records.len());
            return Err(SubmissionError::Count { stated, got });
        }
        if head.expires_at <= head.submitted_at {
            return Err(SubmissionError::Expiry);
        }
        let mut total = 0;
        let sizes = self.digests().record_bytes.iter().copied();
        for (index, (record, got)) in self.records.iter().zip(sizes).enumerate() {
            if record.version != Record::VERSION {
                return Err(SubmissionError::Version(record.version));
            }
            if got > limits::RECORD_BYTES {
                let max = limits::RECORD_BYTES;
                return Err(SubmissionError::RecordTooLarge { index, got, max });
            }
            total += got;
        }
        if total > limits::SUBMISSION_BYTES {
            return Err(SubmissionError::TooLarge { got: total, max: limits::SUBMISSION_BYTES });
        }
        Ok(())
    }
}

/// Which of the submissions, by position, are not signed by the key that they name. All signatures are checked at
/// once, at a third of the price, and one by one only if any is wrong.
///
/// # Panics
/// If checking at once and one by one disagree: by the rule of [`key`] they cannot.
pub fn wrongly_signed<'a>(submissions: impl IntoIterator<Item = &'a Submission>) -> Vec<usize> {
    let signed = |one: &Submission| Signed {
        key: one.head.key,
        digest: Hash(one.id().0),
        signature: one.signature,
    };
    let batch: Vec<Signed> = submissions.into_iter().map(signed).collect();
    if key::verify_batch(&batch).is_ok() {
        return Vec::new();
    }
    let wrong = |one: &Signed| key::verify(&one.key, &one.digest, &one.signature).is_err();
    let wrong: Vec<usize> = (0..batch.len()).filter(|at| wrong(&batch[*at])).collect();
    assert!(!wrong.is_empty(), "batch and single verification agree");
    wrong
}

/// The digest of the leaf that stands for a signed submission: over `submission id ‖ signature`.
pub fn submission_leaf(suite: Suite, id: &SubmissionId, signature: &Signature) -> Hash {
    let mut data = [0u8; 96];
    data[..32].copy_from_slice(id.as_bytes());
    data[32..].copy_from_slice(signature.as_bytes());
    merkle::leaf(suite, Domain::Submissions, &data)
}

/// The Merkle root over record ids that a submission's head commits to.
pub fn records_root(suite: Suite, ids: &[RecordId]) -> Hash {
    let leaves: Vec<Hash> =
        ids.iter().map(|id| merkle::leaf(suite, Domain::Records, id.as_bytes())).collect();
    merkle::root(suite, Domain::Records, &leaves)
}
