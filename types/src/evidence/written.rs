//! How an evidence file is written: every fact once. `chain` and `suite` stand at the top, and are put back into
//! the submission's head and into every header when it is read; proof material is base64.

use super::{
    Anchor, Disclosure, EvidenceFile, Format, HistoryLink, SetChange, SetChanges, ShownFlow,
    ShownInstitution, ShownPlace, ShownState, ShownSubmission, base64::Base64,
};
use crate::{
    Hash, Header, Height, Index, InstitutionId, List, Outcome, PublicKey, Record, RecordId, Seal,
    Signature, SubmissionHead, Suite, Timestamp, ValidatorIndex, ValidatorSet, View, limits,
    merkle::MerklePath,
    object::FlowState,
    seal::SealVote,
    sparse::{SparseEnd, SparsePath},
    state::InstitutionState,
    submission::IdempotencyKey,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "EvidenceFile")]
pub(super) struct WrittenFile {
    format: Format,
    version: u16,
    suite: Suite,
    chain: Hash,
    made_at: Timestamp,
    submission: WrittenSubmission,
    record: Record,
    record_place: WrittenPlace,
    outcome: Outcome,
    outcome_place: WrittenPlace,
    header: WrittenHeader,
    seal: WrittenSeal,
    anchor: Option<WrittenAnchor>,
    state: Option<WrittenState>,
    events: Option<List<RecordId, { limits::EVIDENCE_EVENTS }>>,
    sets: List<WrittenChange, { limits::EVIDENCE_SETS }>,
    links: List<WrittenLink, { limits::EVIDENCE_LINKS }>,
    disclosures: List<Disclosure, { limits::DISCLOSURES }>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSubmission {
    head: WrittenHead,
    signature: Base64<Signature>,
    place: WrittenPlace,
}

/// A submission's head without the file's chain and suite.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHead {
    version: u16,
    institution: InstitutionId,
    key: PublicKey,
    idempotency_key: IdempotencyKey,
    submitted_at: Timestamp,
    expires_at: Timestamp,
    record_count: u32,
    records_root: Base64<Hash>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPlace {
    index: Index,
    path: Base64<MerklePath>,
}

/// A header without the file's chain and suite.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenHeader {
    version: u16,
    height: Height,
    time: Timestamp,
    parent: Base64<Hash>,
    submission_count: u32,
    submissions_root: Base64<Hash>,
    record_count: u32,
    outcomes_root: Base64<Hash>,
    state_root: Base64<Hash>,
    history_root: Base64<Hash>,
    validators: Base64<Hash>,
    next_validators: Base64<Hash>,
    proposer: ValidatorIndex,
}

/// Who voted, and the signatures in the same order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSeal {
    view: View,
    validators: List<ValidatorIndex, { limits::VALIDATORS }>,
    signatures: Base64<List<Signature, { limits::VALIDATORS }>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAnchor {
    header: WrittenHeader,
    seal: WrittenSeal,
    history_path: Base64<MerklePath>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenState {
    flow: WrittenFlow,
    institution: WrittenInstitution,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFlow {
    value: FlowState,
    path: WrittenPath,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenInstitution {
    value: InstitutionState,
    path: WrittenPath,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPath {
    end: SparseEnd,
    siblings: Base64<List<Hash, { limits::SPARSE_PATH }>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenChange {
    header: WrittenHeader,
    seal: WrittenSeal,
    set: ValidatorSet,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenLink {
    of: Height,
    size: Height,
    path: Base64<MerklePath>,
}

impl From<EvidenceFile> for WrittenFile {
    fn from(file: EvidenceFile) -> Self {
        Self {
            format: file.format,
            version: file.version,
            suite: file.suite,
            chain: file.chain,
            made_at: file.made_at,
            submission: file.submission.into(),
            record: file.record,
            record_place: file.record_place.into(),
            outcome: file.outcome,
            outcome_place: file.outcome_place.into(),
            header: file.header.into(),
            seal: file.seal.into(),
            anchor: file.anchor.map(Into::into),
            state: file.state.map(Into::into),
            events: file.events,
            sets: written_changes(file.sets),
            links: written_links(file.links),
            disclosures: file.disclosures,
        }
    }
}

impl TryFrom<WrittenFile> for EvidenceFile {
    type Error = &'static str;

    fn try_from(written: WrittenFile) -> Result<Self, Self::Error> {
        let chain = Chain { suite: written.suite, chain: written.chain };
        Ok(Self {
            format: written.format,
            version: written.version,
            suite: written.suite,
            chain: written.chain,
            made_at: written.made_at,
            submission: chain.submission(written.submission),
            record: written.record,
            record_place: written.record_place.into(),
            outcome: written.outcome,
            outcome_place: written.outcome_place.into(),
            header: chain.header(written.header),
            seal: written.seal.seal()?,
            anchor: written.anchor.map(|anchor| chain.anchor(anchor)).transpose()?,
            state: written.state.map(Into::into),
            events: written.events,
            sets: chain.changes(written.sets)?,
            links: each(written.links, Into::into),
            disclosures: written.disclosures,
        })
    }
}

pub(super) fn written_changes(
    changes: SetChanges,
) -> List<WrittenChange, { limits::EVIDENCE_SETS }> {
    each(changes, Into::into)
}

pub(super) fn written_links(
    links: List<HistoryLink, { limits::EVIDENCE_LINKS }>,
) -> List<WrittenLink, { limits::EVIDENCE_LINKS }> {
    each(links, Into::into)
}

fn each<A, B, const MAX: usize>(list: List<A, MAX>, into: fn(A) -> B) -> List<B, MAX> {
    List::new(list.into_vec().into_iter().map(into).collect()).expect("as many as there were")
}

/// What is written once, and belongs into every head and header.
#[derive(Clone, Copy)]
pub(super) struct Chain {
    pub(super) suite: Suite,
    pub(super) chain: Hash,
}

impl Chain {
    fn submission(self, written: WrittenSubmission) -> ShownSubmission {
        let head = written.head;
        ShownSubmission {
            head: SubmissionHead {
                version: head.version,
                suite: self.suite,
                chain: self.chain,
                institution: head.institution,
                key: head.key,
                idempotency_key: head.idempotency_key,
                submitted_at: head.submitted_at,
                expires_at: head.expires_at,
                record_count: head.record_count,
                records_root: head.records_root.0,
            },
            signature: written.signature.0,
            place: written.place.into(),
        }
    }

    pub(super) fn header(self, written: WrittenHeader) -> Header {
        Header {
            version: written.version,
            suite: self.suite,
            chain: self.chain,
            height: written.height,
            time: written.time,
            parent: written.parent.0,
            submission_count: written.submission_count,
            submissions_root: written.submissions_root.0,
            record_count: written.record_count,
            outcomes_root: written.outcomes_root.0,
            state_root: written.state_root.0,
            history_root: written.history_root.0,
            validators: written.validators.0,
            next_validators: written.next_validators.0,
            proposer: written.proposer,
        }
    }

    fn anchor(self, written: WrittenAnchor) -> Result<Anchor, &'static str> {
        Ok(Anchor {
            header: self.header(written.header),
            seal: written.seal.seal()?,
            history_path: written.history_path.0,
        })
    }

    pub(super) fn changes(
        self,
        written: List<WrittenChange, { limits::EVIDENCE_SETS }>,
    ) -> Result<SetChanges, &'static str> {
        let mut changes = Vec::with_capacity(written.len());
        for WrittenChange { header, seal, set } in written.into_vec() {
            changes.push(SetChange { header: self.header(header), seal: seal.seal()?, set });
        }
        Ok(List::new(changes).expect("as many as were read"))
    }
}

impl WrittenSeal {
    pub(super) fn seal(self) -> Result<Seal, &'static str> {
        let (validators, signatures) = (self.validators.into_vec(), self.signatures.0.into_vec());
        if validators.len() != signatures.len() {
            return Err("a seal has as many signatures as validators");
        }
        let votes = validators.into_iter().zip(signatures);
        let votes = votes.map(|(validator, signature)| SealVote { validator, signature }).collect();
        Ok(Seal { view: self.view, votes: List::new(votes).expect("both lists have the bound") })
    }
}

impl From<Seal> for WrittenSeal {
    fn from(seal: Seal) -> Self {
        let votes = seal.votes.into_vec();
        let validators = votes.iter().map(|vote| vote.validator).collect();
        let signatures = votes.iter().map(|vote| vote.signature).collect();
        let bounded = "the votes have the same bound";
        Self {
            view: seal.view,
            validators: List::new(validators).expect(bounded),
            signatures: Base64(List::new(signatures).expect(bounded)),
        }
    }
}

impl From<ShownSubmission> for WrittenSubmission {
    fn from(shown: ShownSubmission) -> Self {
        let head = shown.head;
        Self {
            head: WrittenHead {
                version: head.version,
                institution: head.institution,
                key: head.key,
                idempotency_key: head.idempotency_key,
                submitted_at: head.submitted_at,
                expires_at: head.expires_at,
                record_count: head.record_count,
                records_root: Base64(head.records_root),
            },
            signature: Base64(shown.signature),
            place: shown.place.into(),
        }
    }
}

impl From<Header> for WrittenHeader {
    fn from(header: Header) -> Self {
        Self {
            version: header.version,
            height: header.height,
            time: header.time,
            parent: Base64(header.parent),
            submission_count: header.submission_count,
            submissions_root: Base64(header.submissions_root),
            record_count: header.record_count,
            outcomes_root: Base64(header.outcomes_root),
            state_root: Base64(header.state_root),
            history_root: Base64(header.history_root),
            validators: Base64(header.validators),
            next_validators: Base64(header.next_validators),
            proposer: header.proposer,
        }
    }
}

impl From<Anchor> for WrittenAnchor {
    fn from(anchor: Anchor) -> Self {
        Self {
            header: anchor.header.into(),
            seal: anchor.seal.into(),
            history_path: Base64(anchor.history_path),
        }
    }
}

impl From<SetChange> for WrittenChange {
    fn from(change: SetChange) -> Self {
        Self { header: change.header.into(), seal: change.seal.into(), set: change.set }
    }
}

impl From<ShownState> for WrittenState {
    fn from(ShownState { flow, institution }: ShownState) -> Self {
        Self {
            flow: WrittenFlow { value: flow.value, path: flow.path.into() },
            institution: WrittenInstitution {
                value: institution.value,
                path: institution.path.into(),
            },
        }
    }
}

impl From<WrittenState> for ShownState {
    fn from(WrittenState { flow, institution }: WrittenState) -> Self {
        Self {
            flow: ShownFlow { value: flow.value, path: flow.path.into() },
            institution: ShownInstitution {
                value: institution.value,
                path: institution.path.into(),
            },
        }
    }
}

impl From<SparsePath> for WrittenPath {
    fn from(path: SparsePath) -> Self {
        Self { end: path.end, siblings: Base64(path.siblings) }
    }
}

impl From<WrittenPath> for SparsePath {
    fn from(written: WrittenPath) -> Self {
        Self { end: written.end, siblings: written.siblings.0 }
    }
}

impl From<ShownPlace> for WrittenPlace {
    fn from(place: ShownPlace) -> Self {
        Self { index: place.index, path: Base64(place.path) }
    }
}

impl From<WrittenPlace> for ShownPlace {
    fn from(written: WrittenPlace) -> Self {
        Self { index: written.index, path: written.path.0 }
    }
}

impl From<HistoryLink> for WrittenLink {
    fn from(link: HistoryLink) -> Self {
        Self { of: link.of, size: link.size, path: Base64(link.path) }
    }
}

impl From<WrittenLink> for HistoryLink {
    fn from(written: WrittenLink) -> Self {
        Self { of: written.of, size: written.size, path: written.path.0 }
    }
}
