//! One constructor for each thing: keys, sets, settings, proposals, headers, votes made by hand.

use probata_consensus::{
    Head, Message, MessageBody, PreparedCertificate, Settings, ViewChangeVote, vote_digest,
};
use probata_types::{
    Domain, Hash, Header, Height, InstitutionId, Keypair, List, Millis, Now, Proposal,
    ProposalParts, Seal, Signature, Submission, SubmissionHead, Suite, Timestamp, ValidatorIndex,
    ValidatorSet, Verified, View, seal::SealVote, submission::IdempotencyKey, validator::Validator,
};
use std::{collections::BTreeMap, sync::Mutex};

pub(crate) const SUITE: Suite = Suite::Blake3Ed25519;
pub(crate) const CHAIN: Hash = Hash([7; 32]);
/// Wall-clock time when the monotonic clock of the tests shows zero.
pub(crate) const START: u64 = 1_700_000_000_000;
pub(crate) const VIEW_TIMEOUT: u64 = 1_000;
pub(crate) const VIEW_TIMEOUT_CAP: u64 = 4_000;
pub(crate) const RETRANSMIT: u64 = 300;
pub(crate) const HEARTBEAT: u64 = 3_000;
pub(crate) const BATCH_DELAY: u64 = 20;
pub(crate) const PRECISION: u64 = 500;
pub(crate) const MESSAGE_DELAY: u64 = 500;

pub(crate) fn at(monotonic: u64) -> Now {
    Now { monotonic: Millis::new(monotonic), wall: Timestamp::new(START + monotonic) }
}

pub(crate) fn index(place: usize) -> ValidatorIndex {
    ValidatorIndex(u16::try_from(place).expect("sets are small"))
}

pub(crate) fn height(number: u64) -> Height {
    Height::new(number)
}

pub(crate) fn view(number: u64) -> View {
    View::new(number)
}

pub(crate) fn keypair(place: usize) -> Keypair {
    let mut secret = [0x5a; 32];
    secret[0] = u8::try_from(place).expect("sets are small");
    Keypair::from_secret(&secret)
}

/// A legal entity identifier (ISO 17442) with its check digits.
fn institution(place: usize) -> InstitutionId {
    let stem = 529_900_000_000_000_000_u128 + place as u128;
    let check = 98 - (stem * 100) % 97;
    format!("{stem}{check:02}").parse().expect("the check digits are right")
}

/// Each set is made once: its keys cost more than most of what is tried with it.
pub(crate) fn set(n: usize) -> ValidatorSet {
    static MADE: Mutex<BTreeMap<usize, ValidatorSet>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().expect("making a set does not panic");
    made.entry(n).or_insert_with(|| make_set(n)).clone()
}

fn make_set(n: usize) -> ValidatorSet {
    let validators = (0..n)
        .map(|place| Validator { institution: institution(place), key: keypair(place).public() })
        .collect();
    ValidatorSet::new(List::new(validators).expect("small")).expect("different keys")
}

pub(crate) fn settings(n: usize, me: Option<usize>) -> Settings {
    Settings {
        suite: SUITE,
        chain: CHAIN,
        set: set(n),
        first: Height::new(1),
        me: me.map(index),
        rotation: 0,
        view_timeout: Millis::new(VIEW_TIMEOUT),
        view_timeout_cap: Millis::new(VIEW_TIMEOUT_CAP),
        retransmit: Millis::new(RETRANSMIT),
        heartbeat: Millis::new(HEARTBEAT),
        batch_delay: Millis::new(BATCH_DELAY),
        precision: Millis::new(PRECISION),
        message_delay: Millis::new(MESSAGE_DELAY),
    }
}

pub(crate) fn genesis() -> Head {
    Head { height: Height::ZERO, hash: CHAIN, time: Timestamp::new(START - 1), view: View::ZERO }
}

pub(crate) fn head_of(header: &Header, view: View) -> Head {
    Head { height: header.height, hash: header.hash(), time: header.time, view }
}

pub(crate) fn submission(number: u64) -> Submission {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&number.to_be_bytes());
    let pair = keypair(200);
    let head = SubmissionHead {
        version: SubmissionHead::VERSION,
        suite: SUITE,
        chain: CHAIN,
        institution: institution(200),
        key: pair.public(),
        idempotency_key: IdempotencyKey(key),
        submitted_at: Timestamp::new(START),
        expires_at: Timestamp::new(START + 1_000_000),
        record_count: 0,
        records_root: Hash::ZERO,
    };
    // Consensus orders submissions; whether they are good is known before it sees them.
    Submission::new(head, Signature([0; 64]), List::empty())
}

/// A proposal on `head` by `proposer`, at a time on the tests' monotonic clock.
pub(crate) fn proposal(head: &Head, proposer: usize, monotonic: u64) -> Proposal {
    Proposal::from(ProposalParts {
        suite: SUITE,
        chain: CHAIN,
        height: head.height.next(),
        parent: head.hash,
        time: Timestamp::new(START + monotonic),
        proposer: index(proposer),
        submissions: List::empty(),
    })
}

/// What every correct validator computes of a proposal.
pub(crate) fn header_of(proposal: &Proposal, set: &ValidatorSet) -> Header {
    let count = u32::try_from(proposal.submissions.len()).expect("few");
    Header {
        version: Header::VERSION,
        suite: SUITE,
        chain: CHAIN,
        height: proposal.height,
        time: proposal.time,
        parent: proposal.parent,
        submission_count: count,
        submissions_root: proposal.submissions_root(),
        record_count: 0,
        outcomes_root: Hash::ZERO,
        state_root: SUITE.hash(Domain::State, &[proposal.digest().as_bytes()]),
        history_root: Hash::ZERO,
        validators: set.hash(SUITE),
        next_validators: set.hash(SUITE),
        proposer: proposal.proposer,
    }
}

pub(crate) fn sign(from: usize, body: MessageBody) -> Message {
    let signature = keypair(from).sign(&body.digest(SUITE, &CHAIN));
    Message { from: index(from), signature, body }
}

/// Signs, sends over the wire and checks, as the edge of a node does.
pub(crate) fn say(n: usize, from: usize, body: MessageBody) -> Verified<Message> {
    let bytes = sign(from, body).encode();
    let message = Message::decode(&bytes).expect("its own bytes");
    message.verify(SUITE, &CHAIN, &set(n)).expect("a good message")
}

pub(crate) fn pre_prepare(proposal: &Proposal, in_view: u64) -> MessageBody {
    MessageBody::PrePrepare {
        height: proposal.height,
        view: view(in_view),
        proposal: proposal.clone(),
    }
}

pub(crate) fn prepare(proposal: &Proposal, in_view: u64) -> MessageBody {
    MessageBody::Prepare { height: proposal.height, view: view(in_view), digest: proposal.digest() }
}

pub(crate) fn commit(header: &Header, in_view: u64) -> MessageBody {
    MessageBody::Commit { view: view(in_view), header: header.clone() }
}

pub(crate) fn view_change(at_height: u64, to: u64, prepared: Option<Locked>) -> MessageBody {
    let (certificate, proposal) = prepared.unzip();
    MessageBody::ViewChange {
        height: height(at_height),
        view: view(to),
        prepared: certificate,
        proposal,
    }
}

/// A prepared certificate and what it is for.
pub(crate) type Locked = (PreparedCertificate, Proposal);

pub(crate) fn certificate(proposal: &Proposal, in_view: u64, voters: &[usize]) -> Locked {
    let body = prepare(proposal, in_view);
    let digest = proposal.digest();
    let votes = List::new(votes(&body, voters)).expect("few");
    (PreparedCertificate { view: view(in_view), digest, votes }, proposal.clone())
}

pub(crate) fn seal(header: &Header, in_view: u64, voters: &[usize]) -> Seal {
    let votes = votes(&commit(header, in_view), voters);
    Seal { view: view(in_view), votes: List::new(votes).expect("few") }
}

fn votes(body: &MessageBody, voters: &[usize]) -> Vec<SealVote> {
    let digest = body.digest(SUITE, &CHAIN);
    let vote = |place: &usize| SealVote {
        validator: index(*place),
        signature: keypair(*place).sign(&digest),
    };
    voters.iter().map(vote).collect()
}

/// A NewView from view changes as they were sent, with the proposal that it re-proposes.
pub(crate) fn new_view(view_changes: &[Message], proposal: Option<Proposal>) -> MessageBody {
    let first = view_changes.first().expect("a quorum");
    let votes = view_changes
        .iter()
        .map(|message| {
            let MessageBody::ViewChange { prepared, .. } = &message.body else {
                panic!("not a view change")
            };
            ViewChangeVote {
                validator: message.from,
                signature: message.signature,
                prepared: prepared.clone(),
            }
        })
        .collect();
    MessageBody::NewView {
        height: first.height(),
        view: first.view(),
        view_changes: List::new(votes).expect("few"),
        proposal,
    }
}

/// A digest that a validator signs, for faults made by hand.
pub(crate) fn place_digest(domain: Domain, at_height: u64, in_view: u64, content: &Hash) -> Hash {
    vote_digest(SUITE, domain, &CHAIN, (height(at_height), view(in_view)), content)
}
