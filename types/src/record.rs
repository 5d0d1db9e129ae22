//! The record: one typed statement that an institution makes. This is its envelope; what it says is
//! its [`Body`].

use crate::{
    InstitutionId, List, Text, Timestamp,
    body::Body,
    bytes::byte_string,
    hash::{Domain, Hash, Suite},
    limits,
};
use serde::{Deserialize, Serialize};

byte_string! {
    /// The identifier of a flow, drawn at random by the institution that opens it.
    FlowId, 16
}

byte_string! {
    /// A commitment to a value: see [`Commitment::new`].
    Commitment, 32
}

byte_string! {
    /// The salt of a commitment: 32 random bytes, fresh for each field of each record.
    Salt, 32
}

byte_string! {
    /// A borrower or person as the chain knows them: a keyed digest, see [`Subject::handle`].
    Subject, 32
}

impl Commitment {
    /// Commits to a value: `hash(Commitment, len(field) as one byte ‖ field ‖ salt ‖ value)`.
    /// The field's name is bound in, so a salt cannot be moved to another field.
    ///
    /// # Panics
    /// If the field's name is longer than 255 bytes; names are constants of [`crate::body`].
    pub fn new(suite: Suite, field: &str, salt: &Salt, value: &[u8]) -> Self {
        let length = u8::try_from(field.len()).expect("field names are short constants");
        let parts: [&[u8]; 4] = [&[length], field.as_bytes(), salt.as_bytes(), value];
        Self(suite.hash(Domain::Commitment, &parts).0)
    }
}

impl Subject {
    /// The handle of a person or business under the consortium key: a keyed digest of the
    /// identifier (resident identity number, unified social credit code, …) as UTF-8.
    /// Members can link a borrower across institutions; whoever lacks the key cannot guess.
    pub fn handle(suite: Suite, key: &[u8; 32], identifier: &str) -> Self {
        Self(suite.keyed_hash(key, Domain::Subject, &[identifier.as_bytes()]).0)
    }
}

byte_string! {
    /// What names a record for ever: the digest of its canonical bytes under its chain and submitter.
    RecordId, 32
}

impl RecordId {
    /// Stands for "no record before this one".
    pub const NONE: Self = Self([0; 32]);

    /// The identifier of the canonical bytes of a record, under those of its submitter.
    pub(crate) fn of_bytes(suite: Suite, chain: &Hash, submitter: &[u8], record: &[u8]) -> Self {
        Self(suite.hash(Domain::Record, &[chain.as_bytes(), submitter, record]).0)
    }
}

/// One typed statement of an institution. At most [`limits::RECORD_BYTES`] in canonical bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this layout; 1.
    pub version: u16,
    /// The matter that it belongs to.
    pub flow: FlowId,
    /// Its number among the records of its submitter in the flow, from 1, without gaps.
    pub seq: u64,
    /// The submitter's record before it in the flow; [`RecordId::NONE`] for the first.
    pub prev: RecordId,
    /// Where it stands in the life of a loan.
    pub phase: Phase,
    /// When the submitter says that it happened.
    pub occurred_at: Timestamp,
    /// The version of the law's parameters that the submitter applied.
    pub rule_pack: u32,
    /// Sensitivity of what is committed to. C3 (credentials, biometrics) has no place on the chain.
    pub data_class: DataClass,
    /// Data security level 1 to 5 (JR/T 0197-2020).
    pub level: u8,
    /// How long the institution keeps what stands behind the record.
    pub retention: Retention,
    /// The documents that the record binds.
    pub documents: List<Document, { limits::DOCUMENTS_PER_RECORD }>,
    /// What it says.
    pub body: Body,
}

impl Record {
    /// The version written here.
    pub const VERSION: u16 = 1;

    /// The identifier of this record when `institution` submits it to `chain`.
    pub fn id(&self, suite: Suite, chain: &Hash, institution: &InstitutionId) -> RecordId {
        let submitter = crate::codec::encode(institution);
        RecordId::of_bytes(suite, chain, &submitter, &crate::codec::encode(self))
    }
}

/// The phases of a facility, in their usual order (the codes of courts' filing platforms).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Identity.
    P01,
    /// Consent.
    P02,
    /// Data access, credit query.
    P03,
    /// Model decision; training.
    P04,
    /// Rate and fee disclosure.
    P05,
    /// Clause prompt.
    P06,
    /// Will authentication.
    P07,
    /// Contract signed.
    P08,
    /// Guarantee signed.
    P09,
    /// Notarial enforceability.
    P10,
    /// Disbursement.
    P11,
    /// Repayment.
    P12,
    /// Amendment.
    P13,
    /// Overdue notice.
    P14,
    /// Collection.
    P15,
    /// Acceleration or termination notice.
    P16,
    /// Guarantee claim and payment.
    P17,
    /// Settlement, release.
    P18,
    /// Dispute events, court write-back.
    P19,
    /// Of no facility: governance of the chain itself.
    P00,
}

/// Sensitivity class of personal financial information (JR/T 0171-2020). C3 is refused by having no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataClass {
    /// Internal information.
    C1,
    /// Identifies a person's financial state.
    C2,
}

/// How long the institution keeps what stands behind a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retention {
    /// Access and operation logs: at least six months.
    Log,
    /// Impact assessments: at least three years.
    Assessment,
    /// Collection records: at least five years.
    Collection,
    /// The loan file: at least five years after settlement.
    LoanFile,
}

/// A document, bound by two digests of its exact bytes so that stock tools check it
/// (`sha256sum`, `openssl dgst -sm3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// SHA-256 (FIPS 180-4) of the bytes.
    pub sha256: Digest256,
    /// SM3 (GB/T 32905-2016) of the bytes.
    pub sm3: Digest256,
    /// Length in bytes.
    pub length: u64,
    /// Media type (RFC 6838), such as `application/pdf`.
    pub media_type: Text<64>,
    /// What the document is to the record.
    pub role: DocumentRole,
    /// Commitment to the file's name.
    pub name: Commitment,
}

/// The field that the commitment to the name of document `index` (from 0) is made under.
pub fn document_name_field(index: usize) -> String {
    format!("documents.{index}.name")
}

byte_string! {
    /// A 256-bit digest of a stock algorithm that its field names.
    Digest256, 32
}

/// What a document is to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentRole {
    /// The signed contract.
    Contract,
    /// General terms.
    Terms,
    /// The page that disclosed rate and fees.
    Disclosure,
    /// The log of prompted clauses.
    ClausePrompt,
    /// A guarantee letter or contract.
    Guarantee,
    /// A resolution of a company's board or shareholders.
    Resolution,
    /// A payment voucher.
    Voucher,
    /// A collection letter, notice or note.
    Notice,
    /// A sound recording.
    Recording,
    /// A transcript.
    Transcript,
    /// The text shown to a person who consented.
    ConsentNotice,
    /// A report, such as one of tests.
    Report,
    /// Anything else.
    Other,
}
