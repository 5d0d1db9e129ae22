//! The shapes of answers. Their fields are described in `docs/API.md`.

use probata_genesis::Name;
use probata_ledger::RecordPlace;
use probata_types::{
    Epoch, Hash, Header, Height, InstitutionId, Outcome, PublicKey, Record, RecordId, Seal,
    SubmissionId, Timestamp, ValidatorIndex, ValidatorSet, View,
    catalogue::{self, Severity},
    evidence::{EvidenceFile, SetChanges},
    fault::FaultFile,
    object::FlowState,
    outcome::Code,
};
use serde::Serialize;

/// A failure or a finding, with its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeView {
    /// Its stable number.
    pub code: Code,
    /// Its stable name.
    pub name: &'static str,
    /// `notice`, `warning`, `serious` or `failure`.
    pub severity: &'static str,
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
    /// The article behind it, or the rule of this chain.
    pub article: &'static str,
}

/// Of `GET /v1/catalogue`.
#[derive(Debug, Serialize)]
pub struct CatalogueAnswer {
    /// Why records are rejected.
    pub failures: Vec<CodeView>,
    /// What is found about accepted ones.
    pub findings: Vec<CodeView>,
}

/// What the chain decided about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutcomeView {
    /// `accepted` or `rejected`.
    pub status: &'static str,
    /// Why it was rejected.
    pub failure: Option<CodeView>,
    /// What was found about an accepted one.
    pub findings: Vec<CodeView>,
}

/// Where a record is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PlaceView {
    /// The block.
    pub height: Height,
    /// Its leaf in the tree over the block's outcomes.
    pub leaf: u32,
    /// Its submission among the block's.
    pub submission: u32,
    /// Its position in the submission.
    pub index: u32,
}

/// Of `POST /v1/submissions` and `GET /v1/submissions/{id}`.
#[derive(Debug, Serialize)]
pub struct SubmissionAnswer {
    /// The submission.
    pub submission: SubmissionId,
    /// `sealed` or `pending`.
    pub status: &'static str,
    /// The block that holds it, once sealed.
    pub height: Option<Height>,
    /// The height up to which this answer is complete.
    pub complete_to: Height,
    /// What was decided about each record, in order; empty while pending.
    pub records: Vec<DecidedRecord>,
}

/// A record of a sealed submission.
#[derive(Debug, Serialize)]
pub struct DecidedRecord {
    /// The record.
    pub record: RecordId,
    /// The decision.
    pub outcome: OutcomeView,
    /// Its proof, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceFile>,
}

/// Of `GET /v1/records/{id}`.
#[derive(Debug, Serialize)]
pub struct RecordAnswer {
    /// The record.
    pub id: RecordId,
    /// Who submitted it.
    pub institution: InstitutionId,
    /// In which submission.
    pub submission: SubmissionId,
    /// Where it is sealed.
    pub place: PlaceView,
    /// When: the time of the block.
    pub time: Timestamp,
    /// The hash of the block's header.
    pub header: Hash,
    /// The decision.
    pub outcome: OutcomeView,
    /// What it says.
    pub record: Record,
    /// The height up to which this answer is complete.
    pub complete_to: Height,
}

/// Of `GET /v1/flows/{id}`.
#[derive(Debug, Serialize)]
pub struct FlowAnswer {
    /// What the flow's accepted records have built; `null` if none was accepted.
    pub state: Option<FlowState>,
    /// The height that the state is as of: `complete_to`, or a block or two above.
    pub state_at: Height,
    /// Its records in the order of the chain, rejected ones too.
    pub records: Vec<FlowRecord>,
    /// Where to go on.
    pub next: Option<String>,
    /// The height up to which this answer is complete.
    pub complete_to: Height,
}

/// A record of a flow.
#[derive(Debug, Serialize)]
pub struct FlowRecord {
    /// The record.
    pub id: RecordId,
    /// Its type.
    pub record_type: &'static str,
    /// Who submitted it.
    pub institution: InstitutionId,
    /// Its number among the submitter's records in the flow.
    pub seq: u64,
    /// When it happened, as the submitter says.
    pub occurred_at: Timestamp,
    /// When it was sealed: the time of the block.
    pub time: Timestamp,
    /// Where it is sealed.
    pub place: PlaceView,
    /// The decision.
    pub outcome: OutcomeView,
}

/// Of `GET /v1/search`.
#[derive(Debug, Serialize)]
pub struct SearchAnswer {
    /// What was found, in the order of the chain.
    pub records: Vec<FoundRecord>,
    /// Where to go on.
    pub next: Option<String>,
    /// The height up to which this answer is complete.
    pub complete_to: Height,
}

/// A record that was found.
#[derive(Debug, Serialize)]
pub struct FoundRecord {
    /// The record.
    pub id: RecordId,
    /// Whether it was accepted there.
    pub accepted: bool,
    /// Where it is sealed.
    pub place: PlaceView,
}

/// A sealed header.
#[derive(Debug, Serialize)]
pub struct SealedHeader {
    /// The header's hash.
    pub hash: Hash,
    /// The header.
    pub header: Header,
    /// Its seal.
    pub seal: Seal,
}

/// Of `GET /v1/headers`.
#[derive(Debug, Serialize)]
pub struct HeadersAnswer {
    /// By ascending height.
    pub headers: Vec<SealedHeader>,
    /// Where to go on.
    pub next: Option<Height>,
    /// The height up to which this answer is complete.
    pub complete_to: Height,
}

/// Of `GET /v1/headers/{height}`.
#[derive(Debug, Serialize)]
pub struct HeaderAnswer {
    /// The header and its seal.
    #[serde(flatten)]
    pub sealed: SealedHeader,
    /// The height up to which this answer is complete.
    pub complete_to: Height,
}

/// Of `GET /v1/validators`.
#[derive(Debug, Serialize)]
pub struct ValidatorsAnswer {
    /// The number of the epoch whose set seals the next block.
    pub epoch: u32,
    /// The first height that this set seals.
    pub first: Height,
    /// How many there are.
    pub n: usize,
    /// How many may lie or fail.
    pub f: usize,
    /// How many must agree.
    pub q: usize,
    /// The digest of the set, as headers name it.
    pub hash: Hash,
    /// The validators, in order.
    pub validators: Vec<ValidatorView>,
    /// The set that is approved to follow, if any.
    pub next: Option<Epoch>,
    /// The height up to which this answer is complete.
    pub complete_to: Height,
}

/// Of `GET /v1/epochs`.
#[derive(Debug, Serialize)]
pub struct EpochsAnswer {
    /// Every change of the validator set since genesis, first to last: the sealed header that names
    /// the next set, and that set. Whoever has genesis can check them one after the other.
    pub changes: SetChanges,
    /// The height up to which this answer is complete.
    pub complete_to: Height,
}

/// A validator.
#[derive(Debug, Clone, Serialize)]
pub struct ValidatorView {
    /// Its position.
    pub index: ValidatorIndex,
    /// Who runs it.
    pub institution: InstitutionId,
    /// The institution's name.
    pub name: Option<Name>,
    /// Signs its votes.
    pub key: PublicKey,
}

/// Of `GET /v1/status`.
#[derive(Debug, Serialize)]
pub struct StatusAnswer {
    /// The chain.
    pub chain: Hash,
    /// Its name.
    pub chain_name: String,
    /// Version of this software.
    pub version: &'static str,
    /// Last sealed height.
    pub height: Height,
    /// The first block that is here; above 1 while older ones are still to come.
    pub history_from: Height,
    /// The hash of that header; the chain id at height 0.
    pub header: Hash,
    /// The state root of that header.
    pub state_root: Option<Hash>,
    /// The time of that block.
    pub time: Option<Timestamp>,
    /// When this node last sealed, by its clock.
    pub sealed_at: Timestamp,
    /// The highest height that a peer has spoken of.
    pub highest_seen: Height,
    /// The view of this node.
    pub view: View,
    /// Whether it is between two views.
    pub changing_view: bool,
    /// Views left without a seal since the start.
    pub view_changes: u64,
    /// Who leads the next height.
    pub leader: Option<ValidatorView>,
    /// Which validator this node is; `null` for a member node.
    pub me: Option<ValidatorIndex>,
    /// This node's identity on the mesh.
    pub node: PublicKey,
    /// Nodes connected, and nodes that genesis names besides this one.
    pub peers_connected: usize,
    /// Nodes that genesis names besides this one.
    pub peers: usize,
    /// Submissions that wait here.
    pub pending: usize,
    /// How far this node's clock is ahead of a quorum's (behind, if negative), in milliseconds; `null` if it
    /// is within what genesis allows.
    pub clock_off_ms: Option<i64>,
    /// Why the node no longer votes or follows, if so.
    pub halted: Option<String>,
    /// The height up to which this answer is complete.
    pub complete_to: Height,
}

/// Of `GET /v1/peers`.
#[derive(Debug, Serialize)]
pub struct PeersAnswer {
    /// The nodes that genesis names, without this one.
    pub peers: Vec<PeerView>,
    /// The height up to which this answer is complete.
    pub complete_to: Height,
}

/// A peer.
#[derive(Debug, Serialize)]
pub struct PeerView {
    /// Its identity on the mesh.
    pub node: PublicKey,
    /// Who runs it.
    pub institution: Option<InstitutionId>,
    /// Whether it votes.
    pub validator: bool,
    /// How high it says it is; `null` until it says so.
    pub height: Option<Height>,
    /// How long it has been connected, in milliseconds; `null` when it is not.
    pub connected_ms: Option<u64>,
    /// The last measured round trip, in microseconds.
    pub round_trip_us: Option<u64>,
    /// Times connected again after it was lost.
    pub reconnects: u64,
    /// Frames that were to be sent to it and were not.
    pub dropped_frames: u64,
}

/// Of `GET /v1/faults`.
#[derive(Debug, Serialize)]
pub struct FaultsAnswer {
    /// Those that the chain has recorded, in its order; on the last page, after them, those that this node
    /// has proven since its start and that are not recorded yet.
    pub faults: Vec<FaultView>,
    /// Where to go on.
    pub next: Option<String>,
    /// The height up to which this answer is complete.
    pub complete_to: Height,
}

/// A validator's provable misdeed.
#[derive(Debug, Serialize)]
pub struct FaultView {
    /// The file that proves it to anybody.
    pub file: FaultFile,
    /// The record of it; `null` if the chain has none yet.
    pub record: Option<RecordId>,
    /// Where that is sealed.
    pub height: Option<Height>,
}

/// Of `GET /health`.
#[derive(Debug, Serialize)]
pub struct HealthAnswer {
    /// Whether the node sealed within the bound and is not halted.
    pub healthy: bool,
    /// Why not.
    pub why: Option<String>,
    /// Last sealed height.
    pub height: Height,
    /// Milliseconds since this node last sealed.
    pub sealed_ms_ago: u64,
    /// The bound, in milliseconds.
    pub bound_ms: u64,
    /// How far this node's clock is off, in milliseconds; `null` if it is not.
    pub clock_off_ms: Option<i64>,
}

impl CodeView {
    /// A code of the catalogue.
    pub fn new(code: Code) -> Self {
        match catalogue::entry(code) {
            Some(entry) => Self::of_entry(entry),
            // Sealed by a later version of the rules than this software knows.
            None => Self {
                code,
                name: "UNKNOWN",
                severity: "failure",
                zh: "本版本软件未收录的代码",
                en: "This version of the software does not know the code.",
                article: "",
            },
        }
    }
}

impl CodeView {
    /// An entry of the catalogue.
    pub const fn of_entry(entry: &catalogue::Entry) -> Self {
        let severity = match entry.severity {
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Serious => "serious",
            Severity::Failure => "failure",
        };
        let catalogue::Entry { code, name, zh, en, article, .. } = *entry;
        Self { code, name, severity, zh, en, article }
    }
}

impl OutcomeView {
    /// A decision with its texts.
    pub fn new(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Accepted { findings } => {
                let findings = findings.iter().map(|code| CodeView::new(*code)).collect();
                Self { status: "accepted", failure: None, findings }
            }
            Outcome::Rejected { code } => Self {
                status: "rejected",
                failure: Some(CodeView::new(*code)),
                findings: Vec::new(),
            },
        }
    }
}

impl PlaceView {
    /// A place of the ledger.
    pub const fn new(place: &RecordPlace) -> Self {
        let RecordPlace { height, leaf, submission, index, .. } = *place;
        Self { height, leaf, submission, index }
    }
}

impl SealedHeader {
    /// A header and its seal.
    pub fn new((header, seal): (Header, Seal)) -> Self {
        Self { hash: header.hash(), header, seal }
    }
}

impl ValidatorView {
    /// The validators of a set, by their places.
    pub fn all(set: &ValidatorSet, name: impl Fn(&InstitutionId) -> Option<Name>) -> Vec<Self> {
        set.iter()
            .map(|(index, validator)| Self {
                index,
                institution: validator.institution,
                name: name(&validator.institution),
                key: validator.key,
            })
            .collect()
    }
}
