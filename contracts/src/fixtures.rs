//! A small chain for tests: institutions, a rule pack, and blocks made record by record.

mod bodies;
mod consortium;

pub(crate) use bodies::*;
pub(crate) use consortium::*;

use crate::execute;
use probata_types::{
    Date, Hash, Height, InstitutionId, Keypair, List, Proposal, ProposalParts, Signature,
    Submission, SubmissionHead, Suite, Text, Timestamp, ValidatorIndex, ValidatorSet,
    body::{Body, Profile},
    catalogue,
    directory::{Directory, NodeEntry},
    epoch,
    institution::Role,
    object::{Facility, FlowState, Object},
    outcome::{Code, Outcome, OutcomeLeaf},
    record::{
        Commitment, DataClass, Digest256, Document, DocumentRole, FlowId, Phase, Record, RecordId,
        Retention,
    },
    rule_pack::RulePack,
    state::{Changes, InstitutionState, KeyHolder, KeyPurpose, KeyState, StateKey, StateValue},
    submission::{IdempotencyKey, records_root},
    validator::Validator,
};

pub(crate) const SUITE: Suite = Suite::Blake3Ed25519;
pub(crate) const CHAIN: Hash = Hash([7; 32]);
/// One minute, in milliseconds.
pub(crate) const MINUTE: u64 = 60_000;
/// One day, in milliseconds.
pub(crate) const DAY: u64 = 86_400_000;

/// An institution of the test chain, by number: an LEI with its check digits (ISO 7064 MOD 97-10).
pub(crate) fn institution(number: u8) -> InstitutionId {
    let base = format!("PROBATATEST000{number:04}");
    let digits = format!("{base}00").chars().fold(0u32, |sum, c| match c.to_digit(36) {
        Some(value @ 0..=9) => (sum * 10 + value) % 97,
        Some(value) => (sum * 100 + value) % 97,
        None => unreachable!("letters and digits"),
    });
    format!("{base}{:02}", 98 - digits).parse().unwrap()
}

pub(crate) fn bank() -> InstitutionId {
    institution(1)
}

pub(crate) fn guarantor() -> InstitutionId {
    institution(2)
}

pub(crate) fn provider() -> InstitutionId {
    institution(3)
}

pub(crate) fn other_bank() -> InstitutionId {
    institution(4)
}

pub(crate) fn court() -> InstitutionId {
    institution(5)
}

pub(crate) fn keypair(id: &InstitutionId) -> Keypair {
    Keypair::from_secret(&SUITE.hash_value(probata_types::Domain::GenesisEntry, id).0)
}

pub(crate) fn flow(number: u8) -> FlowId {
    FlowId([number; 16])
}

pub(crate) fn day(year: i64, month: u8, day: u8) -> Date {
    Date::from_civil(year, month, day).unwrap()
}

/// A time of day in China.
pub(crate) fn at(date: Date, hour: u64, minute: u64) -> Timestamp {
    let midnight = u64::try_from(date.0).unwrap() * DAY - 8 * 60 * MINUTE;
    Timestamp::new(midnight + (hour * 60 + minute) * MINUTE)
}

/// The chain: its state, and the height and time of the next block.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: Changes,
    pub(crate) height: Height,
    pub(crate) time: Timestamp,
}

/// The four institutions with a seat; the court has none.
pub(crate) fn seated() -> [InstitutionId; 4] {
    [bank(), guarantor(), provider(), other_bank()]
}

/// The key that signs an institution's votes.
pub(crate) fn voter(id: &InstitutionId) -> Keypair {
    derived(id, 1)
}

/// The node of an institution; each has one.
pub(crate) fn node(id: &InstitutionId) -> Keypair {
    derived(id, 2)
}

/// A key of an institution for some purpose.
pub(crate) fn derived(id: &InstitutionId, purpose: u8) -> Keypair {
    let secret = SUITE.hash(probata_types::Domain::Record, &[id.as_str().as_bytes(), &[purpose]]);
    Keypair::from_secret(&secret.0)
}

/// Who holds the keys of the chain's institutions.
fn holders() -> impl Iterator<Item = (StateKey, StateValue)> {
    let all = || seated().into_iter().chain([court()]);
    let submission = all().map(|id| (id, keypair(&id), KeyPurpose::Submission));
    let voters = seated().into_iter().map(|id| (id, voter(&id), KeyPurpose::Vote));
    let nodes = all().map(|id| (id, node(&id), KeyPurpose::Node));
    submission.chain(voters).chain(nodes).map(|(institution, pair, purpose)| {
        let holder = KeyHolder { institution, purpose };
        (StateKey::Key(pair.public()), StateValue::Key(holder))
    })
}

fn validators() -> ValidatorSet {
    let mut validators: Vec<Validator> =
        seated().iter().map(|id| Validator { institution: *id, key: voter(id).public() }).collect();
    validators.sort_by_key(|one| one.institution);
    ValidatorSet::new(List::new(validators).unwrap()).unwrap()
}

fn directory() -> Directory {
    let all = seated().into_iter().chain([court()]).zip(7_001u16..);
    let mut entries: Vec<NodeEntry> = all
        .map(|(institution, port)| NodeEntry {
            institution,
            node: node(&institution).public(),
            address: format!("/ip4/10.0.0.1/tcp/{port}").parse().unwrap(),
            votes: institution != court(),
        })
        .collect();
    entries.sort_by_key(|entry| entry.institution);
    List::new(entries).unwrap()
}

impl World {
    /// Five institutions and the example rule pack, on a Monday morning.
    pub(crate) fn new() -> Self {
        let mut state = Changes::new();
        let pack = include_str!("../../genesis/networks/rule-pack.json");
        let pack: RulePack = serde_json::from_str(pack).unwrap();
        state.insert(StateKey::RulePack, StateValue::RulePack(pack));
        let roles = [
            (bank(), Role::Bank),
            (guarantor(), Role::Guarantor),
            (provider(), Role::DataProvider),
            (other_bank(), Role::MicroLender),
            (court(), Role::Court),
        ];
        for (id, role) in roles {
            let key = keypair(&id).public();
            let institution = InstitutionState {
                roles: List::new(vec![role]).unwrap(),
                admitted_at: Height::ZERO,
                suspended_at: None,
                keys: List::new(vec![KeyState { key, valid_from: Height::ZERO, revoked_at: None }])
                    .unwrap(),
            };
            state.insert(StateKey::Institution(id), StateValue::Institution(institution));
            let profile = Profile {
                zh: Text::new("示例机构").unwrap(),
                en: Text::new("Example institution").unwrap(),
                group: Text::new(id.as_str()).unwrap(),
            };
            state.insert(StateKey::Profile(id), StateValue::Profile(Box::new(profile)));
        }
        state.append(&mut epoch::begin(validators()));
        state.extend(holders());
        state.insert(StateKey::Directory, StateValue::Directory(Box::new(directory())));
        Self { state, height: Height::new(1), time: at(day(2025, 6, 16), 10, 0) }
    }

    /// The submitter's next record in a flow, with the documents that such a record should have.
    pub(crate) fn record(&self, who: InstitutionId, flow: FlowId, body: Body) -> Record {
        let state = self.flow_state(flow);
        let last = state
            .as_ref()
            .and_then(|state| state.submitters.iter().find(|entry| entry.institution == who));
        let (seq, prev) = last.map_or((1, RecordId::NONE), |last| (last.seq + 1, last.last));
        let documents = roles_for(&body)
            .iter()
            .map(|role| document(*role, &[&flow.0[..], &seq.to_be_bytes()[..]].concat()))
            .collect();
        Record {
            version: Record::VERSION,
            flow,
            seq,
            prev,
            phase: body.phases()[0],
            occurred_at: Timestamp::new(self.time.get() - 2_000),
            rule_pack: 1,
            data_class: DataClass::C2,
            level: 3,
            retention: Retention::LoanFile,
            documents: List::new(documents).unwrap(),
            body,
        }
    }

    /// A signed submission, made a second before the next block.
    pub(crate) fn submission(&self, who: InstitutionId, records: Vec<Record>) -> Submission {
        self.submission_by(who, &keypair(&who), records)
    }

    /// The same, signed with another key.
    pub(crate) fn submission_by(
        &self,
        who: InstitutionId,
        pair: &Keypair,
        records: Vec<Record>,
    ) -> Submission {
        let ids: Vec<RecordId> = records.iter().map(|r| r.id(SUITE, &CHAIN, &who)).collect();
        let head = SubmissionHead {
            version: SubmissionHead::VERSION,
            suite: SUITE,
            chain: CHAIN,
            institution: who,
            key: pair.public(),
            idempotency_key: IdempotencyKey([1; 16]),
            submitted_at: Timestamp::new(self.time.get() - 1_000),
            expires_at: Timestamp::new(self.time.get() + MINUTE),
            record_count: u32::try_from(records.len()).unwrap(),
            records_root: records_root(SUITE, &ids),
        };
        let signature = pair.sign(&Hash(head.id().0));
        Submission::new(head, signature, List::new(records).unwrap())
    }

    pub(crate) fn proposal(&self, submissions: Vec<Submission>) -> Proposal {
        Proposal::from(ProposalParts {
            suite: SUITE,
            chain: CHAIN,
            height: self.height,
            parent: CHAIN,
            time: self.time,
            proposer: ValidatorIndex(0),
            submissions: List::new(submissions).unwrap(),
        })
    }

    /// Executes a block, keeps what it changes, and goes on by a minute.
    pub(crate) fn block(&mut self, submissions: Vec<Submission>) -> Vec<OutcomeLeaf> {
        let execution = execute(&self.proposal(submissions), &self.state).unwrap();
        self.state.extend(execution.changes);
        self.height = self.height.next();
        self.time = Timestamp::new(self.time.get() + MINUTE);
        execution.outcomes
    }

    /// Executes a block of one record.
    pub(crate) fn judge(&mut self, who: InstitutionId, record: Record) -> String {
        let submission = self.submission(who, vec![record]);
        verdict(&self.block(vec![submission])[0].outcome)
    }

    /// Executes a block of one record that says `body`.
    pub(crate) fn say(&mut self, who: InstitutionId, flow: FlowId, body: Body) -> String {
        let record = self.record(who, flow, body);
        self.judge(who, record)
    }

    /// Likewise, but leaves the chain as it is.
    pub(crate) fn would(&self, who: InstitutionId, flow: FlowId, body: Body) -> String {
        self.clone().say(who, flow, body)
    }

    /// Likewise, on a changed record.
    pub(crate) fn would_judge(&self, who: InstitutionId, record: Record) -> String {
        self.clone().judge(who, record)
    }

    pub(crate) fn flow_state(&self, flow: FlowId) -> Option<FlowState> {
        match self.state.get(&StateKey::Flow(flow)) {
            Some(StateValue::Flow(state)) => Some((**state).clone()),
            _ => None,
        }
    }

    pub(crate) fn facility(&self, flow: FlowId) -> Facility {
        match self.flow_state(flow).unwrap().object {
            Object::Facility(facility) => *facility,
            other => panic!("{other:?} is not a facility"),
        }
    }
}

/// `accepted`, `accepted: FINDING, FINDING` or `rejected: FAILURE`.
pub(crate) fn verdict(outcome: &Outcome) -> String {
    let name = |code: &Code| catalogue::entry(*code).unwrap().name;
    match outcome {
        Outcome::Rejected { code } => format!("rejected: {}", name(code)),
        Outcome::Accepted { findings } if findings.is_empty() => "accepted".to_owned(),
        Outcome::Accepted { findings } => {
            let names: Vec<&str> = findings.iter().map(name).collect();
            format!("accepted: {}", names.join(", "))
        }
    }
}

/// A document whose bytes stand for `content`.
pub(crate) fn document(role: DocumentRole, content: &[u8]) -> Document {
    let role_name = format!("{role:?}");
    let digest = |salt: u8| {
        let parts: [&[u8]; 3] = [&[salt], role_name.as_bytes(), content];
        Digest256(SUITE.hash(probata_types::Domain::Record, &parts).0)
    };
    Document {
        sha256: digest(1),
        sm3: digest(2),
        length: 1_000,
        media_type: probata_types::Text::new("application/pdf").unwrap(),
        role,
        name: Commitment([1; 32]),
    }
}

fn roles_for(body: &Body) -> &'static [DocumentRole] {
    match body {
        Body::LoanContract(_) => {
            &[DocumentRole::Contract, DocumentRole::Disclosure, DocumentRole::ClausePrompt]
        }
        Body::Guarantee(_) => &[DocumentRole::Guarantee, DocumentRole::Resolution],
        Body::Disbursement(_) => &[DocumentRole::Voucher],
        Body::Collection(_) => &[DocumentRole::Recording],
        Body::ConsentGrant(_) => &[DocumentRole::ConsentNotice],
        _ => &[],
    }
}

/// No document at all.
pub(crate) fn without_documents(mut record: Record) -> Record {
    record.documents = List::empty();
    record
}

pub(crate) const NO_PHASE: Phase = Phase::P19;
pub(crate) fn unsigned() -> Signature {
    Signature([0; 64])
}
