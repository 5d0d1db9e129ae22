//! What the tests are made from: a small chain with real signatures and a made-up execution.

use crate::{Ledger, MemoryStorage, MemoryStore, Setup, Storage, Store, store::Tree};
use probata_types::{
    FlowId, Hash, Header, Height, InstitutionId, Keypair, List, Outcome, Proposal, ProposalParts,
    Record, RecordId, Seal, SealedBlock, Submission, SubmissionHead, Suite, Text, Timestamp,
    ValidatorIndex, ValidatorSet, View,
    body::{Body, ConsentRevoke, RevokedBy},
    epoch,
    limits::RECORDS_PER_SUBMISSION,
    outcome::{Code, OutcomeLeaf, outcomes_root},
    record::{Commitment, DataClass, Digest256, Document, DocumentRole, Phase, Retention, Subject},
    seal::{SealVote, commit_digest},
    state::{
        After, Changes, InstitutionState, Sighting, StateError, StateKey, StateRead, StateValue,
    },
    submission::{IdempotencyKey, records_root},
    validator::Validator,
};
use std::sync::Arc;

pub(crate) const SUITE: Suite = Suite::Blake3Ed25519;
pub(crate) const CHAIN: Hash = Hash([0xca; 32]);
const CODES: [&str; 4] =
    ["91100000100003962T", "91330100799655058B", "5493001KJTIIGC8Y1R12", "213800WAVVOPS85N2205"];

pub(crate) fn institution(number: usize) -> InstitutionId {
    CODES[number].parse().unwrap()
}

fn keypair(number: usize) -> Keypair {
    Keypair::from_secret(&[u8::try_from(number).unwrap() + 1; 32])
}

pub(crate) fn validators() -> ValidatorSet {
    validators_with(0)
}

/// The four institutions with other keys, numbered from `first` on.
pub(crate) fn validators_with(first: usize) -> ValidatorSet {
    let validator = |n| Validator { institution: institution(n), key: keypair(first + n).public() };
    ValidatorSet::new(List::new((0..4).map(validator).collect()).unwrap()).unwrap()
}

/// The state before block 1: the four institutions, which seal.
pub(crate) fn initial() -> Changes {
    let state = |n| {
        let state = InstitutionState {
            roles: List::empty(),
            admitted_at: Height::ZERO,
            suspended_at: None,
            keys: List::empty(),
        };
        (StateKey::Institution(institution(n)), StateValue::Institution(state))
    };
    let institutions: Changes = (0..4).map(state).collect();
    institutions.into_iter().chain(probata_types::epoch::begin(validators())).collect()
}

pub(crate) fn setup(storage: Arc<dyn Storage>, store: Arc<dyn Store>) -> Setup {
    Setup { storage, store, suite: SUITE, chain: CHAIN, initial: initial() }
}

pub(crate) fn flow(number: u8) -> FlowId {
    FlowId([number; 16])
}

pub(crate) fn subject(number: u8) -> Subject {
    Subject([number; 32])
}

pub(crate) fn digest(number: u8) -> Digest256 {
    Digest256([number; 32])
}

/// A record of a flow; its document and its subject have the flow's number.
pub(crate) fn record(of: u8, seq: u64) -> Record {
    let document = Document {
        sha256: digest(of),
        sm3: digest(of),
        length: 1,
        media_type: Text::new("text/plain").unwrap(),
        role: DocumentRole::Other,
        name: Commitment([of; 32]),
    };
    Record {
        version: Record::VERSION,
        flow: flow(of),
        seq,
        prev: RecordId::NONE,
        phase: Phase::P02,
        occurred_at: Timestamp::new(seq),
        rule_pack: 1,
        data_class: DataClass::C1,
        level: 1,
        retention: Retention::Log,
        documents: List::new(vec![document]).unwrap(),
        body: Body::ConsentRevoke(Box::new(ConsentRevoke {
            subject: subject(of),
            at: Timestamp::new(seq),
            by: RevokedBy::Controller,
            channel: Text::new("letter").unwrap(),
        })),
    }
}

pub(crate) fn submission(from: usize, idempotency: u64, records: Vec<Record>) -> Submission {
    let ids: Vec<RecordId> =
        records.iter().map(|record| record.id(SUITE, &CHAIN, &institution(from))).collect();
    let mut key = [0; 16];
    key[..8].copy_from_slice(&idempotency.to_be_bytes());
    let head = SubmissionHead {
        version: SubmissionHead::VERSION,
        suite: SUITE,
        chain: CHAIN,
        institution: institution(from),
        key: keypair(from).public(),
        idempotency_key: IdempotencyKey(key),
        submitted_at: Timestamp::new(1),
        expires_at: Timestamp::new(2),
        record_count: u32::try_from(records.len()).unwrap(),
        records_root: records_root(SUITE, &ids),
    };
    let signature = keypair(from).sign(&Hash(head.id().0));
    let records = List::<_, RECORDS_PER_SUBMISSION>::new(records).unwrap();
    Submission::new(head, signature, records)
}

/// Rejects records whose number five divides. An accepted one counts up its flow's object (which is
/// read from the state), and adds an object of its own.
pub(crate) fn execute(
    proposal: &Proposal,
    state: &dyn StateRead,
) -> Result<(Vec<OutcomeLeaf>, Changes), StateError> {
    let (mut leaves, mut changes) = (Vec::new(), Changes::new());
    for submission in &proposal.submissions {
        for (record, id) in submission.records.iter().zip(submission.record_ids().iter().copied()) {
            let rejected = record.seq.is_multiple_of(5);
            let outcome = if rejected {
                Outcome::Rejected { code: Code(5) }
            } else {
                Outcome::Accepted { findings: List::empty() }
            };
            leaves.push(OutcomeLeaf { record: id, submission: submission.id(), outcome });
            if rejected {
                continue;
            }
            let counter = counter(record.flow);
            let before = match changes.get(&counter) {
                Some(value) => Some(value.clone()),
                None => state.get(&counter)?,
            };
            let count = match before {
                Some(StateValue::Document(counted)) => counted.height,
                _ => Height::ZERO,
            };
            let counted = Sighting { height: count.next(), flow: record.flow, record: id };
            changes.insert(counter, StateValue::Document(counted));
            let sighting = Sighting { height: proposal.height, flow: record.flow, record: id };
            changes.insert(StateKey::Document(Digest256(id.0)), StateValue::Document(sighting));
        }
    }
    Ok((leaves, changes))
}

/// The object that counts the records of a flow, in its height.
pub(crate) fn counter(flow: FlowId) -> StateKey {
    StateKey::Document(digest(flow.0[0]))
}

pub(crate) fn time(height: u64) -> Timestamp {
    Timestamp::new(1_000_000 + 1_000 * height)
}

/// The next block over what the ledger holds, sealed by three of the four.
pub(crate) fn block(ledger: &Ledger, submissions: Vec<Submission>) -> (SealedBlock, Arc<Changes>) {
    block_of(ledger, submissions, Changes::new(), 0)
}

/// The next block, which changes more than its records do, sealed by three whose keys are numbered from `first`.
pub(crate) fn block_of(
    ledger: &Ledger,
    submissions: Vec<Submission>,
    more: Changes,
    first: usize,
) -> (SealedBlock, Arc<Changes>) {
    let head = ledger.head();
    let height = head.height.next();
    let proposal = Proposal::from(ProposalParts {
        suite: SUITE,
        chain: CHAIN,
        height,
        parent: head.hash,
        time: time(height.get()),
        proposer: ValidatorIndex(0),
        submissions: List::new(submissions).unwrap(),
    });
    let (leaves, mut changes) = execute(&proposal, ledger).unwrap();
    changes.extend(more);
    let set = epoch::next(ledger).unwrap().set;
    let next = epoch::next(&After { state: ledger, changes: &changes }).unwrap().set;
    let changes = Arc::new(changes);
    let header = Header {
        version: Header::VERSION,
        suite: SUITE,
        chain: CHAIN,
        height,
        time: proposal.time,
        parent: proposal.parent,
        submission_count: u32::try_from(proposal.submissions.len()).unwrap(),
        submissions_root: proposal.submissions_root(),
        record_count: u32::try_from(leaves.len()).unwrap(),
        outcomes_root: outcomes_root(SUITE, &leaves),
        state_root: ledger.state_root_after(&changes).unwrap(),
        history_root: ledger.history_root(),
        validators: set.hash(SUITE),
        next_validators: next.hash(SUITE),
        proposer: ValidatorIndex(0),
    };
    let outcomes = List::new(leaves.into_iter().map(|leaf| leaf.outcome).collect()).unwrap();
    (SealedBlock { seal: seal_with(&header, first), header, proposal, outcomes }, changes)
}

/// What puts the four institutions with other keys into force after a height.
pub(crate) fn new_set(number: u32, after: Height, first_key: usize) -> Changes {
    let set = validators_with(first_key);
    let epoch = epoch::Epoch { number, first: after.next(), set };
    let validators = epoch::Validators { epoch: number, scheduled: None };
    Changes::from([
        (StateKey::Epoch(number), StateValue::Epoch(Box::new(epoch))),
        (StateKey::Validators, StateValue::Validators(Box::new(validators))),
    ])
}

pub(crate) fn seal(header: &Header) -> Seal {
    seal_with(header, 0)
}

/// The votes of three whose keys are numbered from `first`.
fn seal_with(header: &Header, first: usize) -> Seal {
    let view = View::new(3);
    let digest = commit_digest(SUITE, &CHAIN, header.height, view, &header.hash());
    let vote = |n: u16| SealVote {
        validator: ValidatorIndex(n),
        signature: keypair(first + usize::from(n)).sign(&digest),
    };
    Seal { view, votes: List::new((0..3).map(vote).collect()).unwrap() }
}

/// The submissions of the block of a height: some flows again and again, some new ones.
pub(crate) fn content(height: u64) -> Vec<Submission> {
    let low = u8::try_from(height % 200).unwrap();
    match height % 4 {
        0 => Vec::new(),
        1 => vec![submission(0, height, vec![record(1, height), record(low, height + 1)])],
        _ => vec![
            submission(1, height, vec![record(2, height)]),
            submission(2, height, vec![record(low, height + 2), record(1, height + 3)]),
        ],
    }
}

/// Commits blocks up to a height.
pub(crate) fn grow(ledger: &mut Ledger, to: u64) {
    while ledger.head().height.get() < to {
        let (block, changes) = block(ledger, content(ledger.head().height.get() + 1));
        ledger.commit(&block, &changes).unwrap();
    }
}

/// Opens a ledger and executes again what has to be.
pub(crate) fn open(storage: Arc<dyn Storage>, store: Arc<dyn Store>) -> Ledger {
    let mut ledger = Ledger::open(setup(storage, store)).unwrap();
    catch_up(&mut ledger).unwrap();
    ledger
}

pub(crate) fn catch_up(ledger: &mut Ledger) -> Result<u64, crate::LedgerError> {
    let mut applied = 0;
    while let Some(block) = ledger.unapplied()? {
        let (_, changes) = execute(&block.proposal, &*ledger).unwrap();
        ledger.apply(&block, &changes)?;
        applied += 1;
    }
    Ok(applied)
}

/// A ledger of so many blocks in memory, not closed.
pub(crate) fn grown(blocks: u64) -> (Arc<MemoryStorage>, Arc<MemoryStore>, Ledger) {
    let (storage, store) = (Arc::new(MemoryStorage::default()), Arc::new(MemoryStore::default()));
    let mut ledger = open(storage.clone(), store.clone());
    grow(&mut ledger, blocks);
    (storage, store, ledger)
}

/// All entries of a store.
pub(crate) fn dump(store: &dyn Store) -> Vec<(Tree, Vec<u8>, Vec<u8>)> {
    let entries = |tree| {
        let entries = store.scan(tree, &[], None, usize::MAX).unwrap();
        entries.into_iter().map(move |(key, value)| (tree, key, value))
    };
    Tree::ALL.into_iter().flat_map(entries).collect()
}
