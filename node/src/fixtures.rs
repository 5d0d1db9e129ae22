//! A small consortium and its submissions, for tests.

use crate::membership::Membership;
use probata_genesis::{
    ChainName, Draft, Entry, Genesis, MemberNode, Name, Parameters, SignedEntry, SubjectKey,
    ValidatorNode,
};
use probata_ledger::{Ledger, MemoryStorage, MemoryStore, Setup};
use probata_types::{
    FlowId, Hash, Header, InstitutionId, Keypair, List, Millis, Proposal, ProposalParts, Record,
    RecordId, Seal, SealedBlock, Signature, Submission, SubmissionHead, Suite, Text, Timestamp,
    ValidatorIndex, Verified, View,
    body::{
        Body, ConsentDisplay, ConsentGrant, ConsentKind, ConsentValidity, Grantor, LegalBasis,
        WillMethod, WillProof,
    },
    institution::Role,
    limits,
    outcome::outcomes_root,
    record::{DataClass, Phase, Retention, Subject},
    seal::{SealVote, commit_digest},
    submission::{IdempotencyKey, records_root},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) const SUITE: Suite = Suite::Blake3Ed25519;

/// When the test chain begins: two hours ago, so that its blocks are in the past.
pub(crate) fn begin() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::new(u64::try_from(now.as_millis()).unwrap() - 2 * 3_600_000)
}

/// The LEI of a made-up institution, with its check digits (ISO 7064 MOD 97-10).
pub(crate) fn lei(number: u32) -> InstitutionId {
    let body = format!("TEST{number:014}");
    let rest = body.chars().chain("00".chars()).fold(0, |rest, c| {
        let digit = c.to_digit(36).unwrap();
        (rest * if digit > 9 { 100 } else { 10 } + digit) % 97
    });
    format!("{body}{:02}", 98 - rest).parse().unwrap()
}

/// The key of an institution for a use: 1 submits, 3 votes, 4 and 5 are nodes.
pub(crate) fn pair(number: u32, what: u8) -> Keypair {
    let mut secret = [what; 32];
    secret[..4].copy_from_slice(&number.to_be_bytes());
    Keypair::from_secret(&secret)
}

fn entry(number: u32, votes: bool) -> SignedEntry {
    let name: ChainName = Text::new("test").unwrap();
    let address = |node: u32| format!("/ip4/10.{node}.0.1/tcp/{}", 7_000 + number).parse().unwrap();
    let validator = ValidatorNode {
        key: pair(number, 3).public(),
        node: pair(number, 4).public(),
        address: address(0),
    };
    let member = MemberNode { node: pair(number, 5).public(), address: address(1) };
    let entry = Entry {
        id: lei(number),
        name: Name {
            zh: Text::new(format!("机构{number}")).unwrap(),
            en: Text::new(format!("Institution {number}")).unwrap(),
        },
        roles: List::new(vec![Role::Bank]).unwrap(),
        group: Text::new(format!("group {number}")).unwrap(),
        keys: List::new(vec![pair(number, 1).public()]).unwrap(),
        validator: votes.then_some(validator),
        members: List::new(if votes { vec![] } else { vec![member] }).unwrap(),
    };
    let (submits, node) = (pair(number, 1), pair(number, 5));
    let (votes_with, seat) = (pair(number, 3), pair(number, 4));
    let pairs = match votes {
        true => vec![&submits, &votes_with, &seat],
        false => vec![&submits, &node],
    };
    entry.sign(SUITE, &name, &pairs).unwrap()
}

/// Four banks that vote, 1 to 4, and one that follows, 5.
pub(crate) fn genesis() -> Genesis {
    let rule_pack = include_bytes!("../../genesis/networks/rule-pack.json");
    Genesis::assemble(Draft {
        chain_name: Text::new("test").unwrap(),
        suite: SUITE,
        created_at: begin(),
        subject_key: SubjectKey::new([0x5b; 32]).hash(SUITE),
        parameters: Parameters::recommended(),
        rule_pack: serde_json::from_slice(rule_pack).unwrap(),
        entries: (1..=5).map(|number| entry(number, number < 5)).collect(),
    })
    .unwrap()
}

pub(crate) fn flow(number: u8) -> FlowId {
    FlowId([number; 16])
}

/// A consent that institution `number` was given, as record `seq` of a flow.
pub(crate) fn consent(
    number: u32,
    flow: FlowId,
    seq: u64,
    prev: RecordId,
    at: Timestamp,
) -> Record {
    Record {
        version: Record::VERSION,
        flow,
        seq,
        prev,
        phase: Phase::P02,
        occurred_at: at,
        rule_pack: 1,
        data_class: DataClass::C2,
        level: 3,
        retention: Retention::LoanFile,
        documents: List::empty(),
        body: Body::ConsentGrant(Box::new(ConsentGrant {
            subject: Subject([7; 32]),
            grantor: Grantor::Oneself,
            controller: lei(number),
            recipients: List::empty(),
            basis: LegalBasis::Consent,
            kind: ConsentKind::CreditQuery,
            purposes: List::new(vec![Text::new("pre-loan").unwrap()]).unwrap(),
            means: Text::new("app").unwrap(),
            data_classes: List::new(vec![Text::new("credit").unwrap()]).unwrap(),
            sources: List::empty(),
            valid_from: at,
            validity: ConsentValidity::Open,
            display: ConsentDisplay {
                page: Text::new("consent-1").unwrap(),
                dwell: Millis::new(9_000),
                default_unchecked: true,
            },
            will: WillProof { method: WillMethod::Click, proof: None },
            consideration: None,
            withdraw_channel: Text::new("app").unwrap(),
            replaces: None,
        })),
    }
}

/// A submission of institution `number` to `chain`, signed with its key 1.
pub(crate) fn submission(
    chain: Hash,
    number: u32,
    key: u64,
    at: Timestamp,
    records: Vec<Record>,
) -> Submission {
    let institution = lei(number);
    let ids: Vec<RecordId> =
        records.iter().map(|record| record.id(SUITE, &chain, &institution)).collect();
    let head = SubmissionHead {
        version: SubmissionHead::VERSION,
        suite: SUITE,
        chain,
        institution,
        key: pair(number, 1).public(),
        idempotency_key: idempotency_key(key),
        submitted_at: at,
        expires_at: at.saturating_add(4 * 3_600_000),
        record_count: u32::try_from(records.len()).unwrap(),
        records_root: records_root(SUITE, &ids),
    };
    sign(head, number, records)
}

/// Signs a head with key 1 of institution `number`.
pub(crate) fn sign(head: SubmissionHead, number: u32, records: Vec<Record>) -> Submission {
    let signature = pair(number, 1).sign(&Hash(head.id().0));
    Submission::new(head, signature, List::new(records).unwrap())
}

/// A submission that nobody checks the signature of, with `count` records, quick to make.
pub(crate) fn unsigned(
    number: u32,
    key: u64,
    expires_at: Timestamp,
    count: usize,
) -> Verified<Submission> {
    assert!(count <= limits::RECORDS_PER_SUBMISSION);
    let head = SubmissionHead {
        version: SubmissionHead::VERSION,
        suite: SUITE,
        chain: Hash::ZERO,
        institution: lei(number),
        key: pair(number, 1).public(),
        idempotency_key: idempotency_key(key),
        submitted_at: Timestamp::ZERO,
        expires_at,
        record_count: u32::try_from(count).unwrap(),
        records_root: Hash::ZERO,
    };
    let record = consent(number, flow(1), 1, RecordId::NONE, Timestamp::new(1));
    let records = List::new(vec![record; count]).unwrap();
    Verified::assume(Submission::new(head, Signature([0; 64]), records))
}

fn idempotency_key(key: u64) -> IdempotencyKey {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&key.to_be_bytes());
    IdempotencyKey(bytes)
}

/// A ledger in memory with blocks that the four validators sealed, judged by the real contracts.
pub(crate) struct TestLedger {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) ledger: Ledger,
    time: Timestamp,
}

impl TestLedger {
    /// Who takes part, by genesis.
    pub(crate) fn membership(&self) -> Arc<Membership> {
        Arc::new(Membership::read(&self.genesis.initial_state(), SUITE).unwrap())
    }

    pub(crate) fn new() -> Self {
        let genesis = Arc::new(genesis());
        let ledger = Ledger::open(Setup {
            storage: Arc::new(MemoryStorage::default()),
            store: Arc::new(MemoryStore::default()),
            suite: SUITE,
            chain: genesis.chain(),
            initial: genesis.initial_state(),
        })
        .unwrap();
        Self { time: genesis.created_at(), genesis, ledger }
    }

    /// The time of the last block.
    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    /// Seals a block one second after the last one.
    pub(crate) fn seal(&mut self, submissions: Vec<Submission>) -> SealedBlock {
        self.time = self.time.saturating_add(1_000);
        let head = self.ledger.head();
        let proposal = Proposal::from(ProposalParts {
            suite: SUITE,
            chain: self.genesis.chain(),
            height: head.height.next(),
            parent: head.hash,
            time: self.time,
            proposer: ValidatorIndex(0),
            submissions: List::new(submissions).unwrap(),
        });
        let execution = probata_contracts::execute(&proposal, &self.ledger).unwrap();
        let changes = Arc::new(execution.changes);
        let validators = self.genesis.validator_set().hash(SUITE);
        let header = Header {
            version: Header::VERSION,
            suite: SUITE,
            chain: proposal.chain,
            height: proposal.height,
            time: proposal.time,
            parent: proposal.parent,
            submission_count: u32::try_from(proposal.submissions.len()).unwrap(),
            submissions_root: proposal.submissions_root(),
            record_count: u32::try_from(execution.outcomes.len()).unwrap(),
            outcomes_root: outcomes_root(SUITE, &execution.outcomes),
            state_root: self.ledger.state_root_after(&changes).unwrap(),
            history_root: self.ledger.history_root(),
            validators,
            next_validators: validators,
            proposer: proposal.proposer,
        };
        let outcomes = execution.outcomes.into_iter().map(|leaf| leaf.outcome).collect();
        let outcomes = List::new(outcomes).unwrap();
        let block = SealedBlock { seal: seal(&header), header, proposal, outcomes };
        self.ledger.commit(&block, &changes).unwrap();
        block
    }
}

/// The votes of validators 0 to 2, a quorum, in view 0.
fn seal(header: &Header) -> Seal {
    let digest = commit_digest(SUITE, &header.chain, header.height, View::ZERO, &header.hash());
    let votes = (0u16..3).map(|index| SealVote {
        validator: ValidatorIndex(index),
        signature: pair(u32::from(index) + 1, 3).sign(&digest),
    });
    Seal { view: View::ZERO, votes: List::new(votes.collect()).unwrap() }
}

/// A node's folder with its configuration, given the engine.
pub(crate) fn node_folder(root: &Path, name: &str, genesis: &str, engine: &str) -> PathBuf {
    let folder = root.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("genesis.json"), genesis).unwrap();
    let config = format!(
        "genesis = \"genesis.json\"\ndata = \"data\"\n[keys]\nnode = \"node.key.json\"\n[mesh]\nlisten = [\"/ip4/127.0.0.1/tcp/0\"]\n\
         [api]\nlisten = \"127.0.0.1:0\"\n[store]\nengine = \"{engine}\"\n"
    );
    let path = folder.join("node.toml");
    std::fs::write(&path, config).unwrap();
    path
}
