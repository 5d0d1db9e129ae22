//! The worked examples printed in `docs/FORMAT.md`, computed anew.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use probata_types::{
    Date, Domain, FlowId, Hash, Header, Height, Keypair, List, Outcome, Record, RecordId,
    SubmissionHead, SubmissionId, Suite, Text, Timestamp, ValidatorIndex, ValidatorSet, View,
    block::history_leaf,
    body::{Body, ConsentRevoke, RevokedBy},
    codec, merkle,
    object::next_head,
    outcome::{Code, OutcomeLeaf},
    record::{Commitment, DataClass, Phase, Retention, Salt, Subject},
    seal::commit_digest,
    sparse,
    state::StateKey,
    submission::IdempotencyKey,
    submission::submission_leaf,
    validator::Validator,
};
use std::{fmt::Write, fs, path::Path};

const SUITE: Suite = Suite::Blake3Ed25519;
const CHAIN: Hash = Hash([0xc0; 32]);

#[test]
fn the_description_holds_the_examples() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/FORMAT.md");
    let description = fs::read_to_string(path).unwrap();
    let examples = examples();
    assert!(description.contains(&examples), "docs/FORMAT.md should have:\n\n{examples}");
}

fn examples() -> String {
    let mut text = String::new();
    let mut add = |name: &str, value: String| writeln!(text, "{name} = {value}").unwrap();
    let record = record();
    let institution = "5493001KJTIIGC8Y1R12".parse().unwrap();
    let id = record.id(SUITE, &CHAIN, &institution);
    add("hash(probata.record, \"\")", SUITE.hash(Domain::Record, &[]).to_string());
    add("record.bytes", hex::encode(codec::encode(&record)));
    add("record.id", id.to_string());

    let pair = Keypair::from_secret(&[1; 32]);
    let head = head(id, &pair);
    let signature = pair.sign(&Hash(head.id().0));
    add("submission.bytes", hex::encode(codec::encode(&head)));
    add("submission.id", head.id().to_string());
    add("submission.key", head.key.to_string());
    add("submission.signature", signature.to_string());
    add("submission.leaf", submission_leaf(SUITE, &head.id(), &signature).to_string());

    let findings = List::new(vec![Code(1_001)]).unwrap();
    for outcome in [Outcome::Accepted { findings }, Outcome::Rejected { code: Code(7) }] {
        let leaf = OutcomeLeaf { record: id, submission: head.id(), outcome };
        add("outcome.bytes", hex::encode(codec::encode(&leaf)));
        add("outcome.leaf", leaf.digest(SUITE).to_string());
    }

    let set = set();
    let header = header(&set);
    add("set.hash", set.hash(SUITE).to_string());
    add("header.bytes", hex::encode(codec::encode(&header)));
    add("header.hash", header.hash().to_string());
    let digest = commit_digest(SUITE, &CHAIN, header.height, View::new(7), &header.hash());
    add("seal.digest, view 7", digest.to_string());

    let leaves: Vec<Hash> = (1..=5).map(|byte| history_leaf(SUITE, &Hash([byte; 32]))).collect();
    for size in 0..=5 {
        let root = merkle::root(SUITE, Domain::History, &leaves[..size]);
        add(&format!("history.root of {size}"), root.to_string());
    }

    add("state.empty", sparse::empty(SUITE).to_string());
    let key = StateKey::Flow(record.flow);
    add("state.key.bytes", hex::encode(codec::encode(&key)));
    add("state.key", key.hash(SUITE).to_string());
    let leaf = sparse::leaf(SUITE, &key.hash(SUITE), &Hash([5; 32]));
    add("state.leaf", leaf.to_string());
    add("state.node", sparse::node(SUITE, &leaf, &sparse::empty(SUITE)).to_string());

    add("flow.head", next_head(SUITE, &Hash::ZERO, &id).to_string());
    let commitment = Commitment::new(SUITE, "contract_no", &Salt([4; 32]), "贷字第1号".as_bytes());
    add("commitment", commitment.to_string());
    let subject = Subject::handle(SUITE, &[6; 32], "91100000100003962T");
    add("subject", subject.to_string());
    let mixed = (Date(-1), Some(Height::new(2)), None::<Height>, true, SubmissionId([0; 32]));
    add("(Date -1, Some 2, None, true)", hex::encode(&codec::encode(&mixed)[..15]));
    text
}

fn record() -> Record {
    Record {
        version: Record::VERSION,
        flow: FlowId([7; 16]),
        seq: 2,
        prev: RecordId([1; 32]),
        phase: Phase::P02,
        occurred_at: Timestamp::new(1_777_602_151_114),
        rule_pack: 1,
        data_class: DataClass::C2,
        level: 3,
        retention: Retention::Log,
        documents: List::empty(),
        body: Body::ConsentRevoke(Box::new(ConsentRevoke {
            subject: Subject([3; 32]),
            at: Timestamp::new(1_777_602_151_000),
            by: RevokedBy::Controller,
            channel: Text::new("手机银行").unwrap(),
        })),
    }
}

fn head(id: RecordId, pair: &Keypair) -> SubmissionHead {
    SubmissionHead {
        version: SubmissionHead::VERSION,
        suite: SUITE,
        chain: CHAIN,
        institution: "5493001KJTIIGC8Y1R12".parse().unwrap(),
        key: pair.public(),
        idempotency_key: IdempotencyKey([2; 16]),
        submitted_at: Timestamp::new(1_777_602_152_000),
        expires_at: Timestamp::new(1_777_605_752_000),
        record_count: 1,
        records_root: probata_types::submission::records_root(SUITE, &[id]),
    }
}

fn header(set: &ValidatorSet) -> Header {
    Header {
        version: Header::VERSION,
        suite: SUITE,
        chain: CHAIN,
        height: Height::new(4),
        time: Timestamp::new(1_777_602_153_000),
        parent: Hash([8; 32]),
        submission_count: 1,
        submissions_root: Hash([1; 32]),
        record_count: 1,
        outcomes_root: Hash([2; 32]),
        state_root: Hash([3; 32]),
        history_root: Hash([4; 32]),
        validators: set.hash(SUITE),
        next_validators: set.hash(SUITE),
        proposer: ValidatorIndex(2),
    }
}

fn set() -> ValidatorSet {
    let codes = [
        "91100000100003962T",
        "91330100799655058B",
        "5493001KJTIIGC8Y1R12",
        "213800WAVVOPS85N2205",
    ];
    let validators = codes.iter().zip(1u8..).map(|(code, secret)| Validator {
        institution: code.parse().unwrap(),
        key: Keypair::from_secret(&[secret; 32]).public(),
    });
    ValidatorSet::new(List::new(validators.collect()).unwrap()).unwrap()
}
