//! Draws the values of the vectors from a committee that notarises the sample case. Salts and names
//! of flows are random, so this is done only for a type whose old values are none any more.

use super::store::{Vector, VectorFile, path};
use probata_consensus::{
    Fault, Message, MessageBody, PreparedCertificate, Promise, SignedContent, ViewChangeVote,
    VoteKind, vote_digest,
};
use probata_node::{
    evidence::BlockProofs,
    wire::{Ask, Bulk, Consensus, Offer},
};
use probata_tests::{
    committee::{Committee, NotarisedRecord, notarise_case, notarise_governance},
    consortium::{self, BEGIN, Purpose, SUITE, institution},
};
use probata_types::{
    Domain, Hash, Height, Keypair, List, Outcome, SealedBlock, Text, ValidatorIndex, ValidatorSet,
    View,
    body::Body,
    codec,
    outcome::{Code, OutcomeLeaf},
    receipt::{Batch, BatchAnswer, Fate},
    seal::SealVote,
    state::{FaultPlace, StateKey},
};
use serde::Serialize;
use std::{collections::BTreeSet, fs};

/// The values of every file, in the order of [`super::FILES`]; also writes the genesis document and
/// an evidence file.
pub(super) fn all() -> Vec<VectorFile> {
    let mut committee = Committee::new(4, BEGIN).unwrap();
    let notarised = notarise_case(&mut committee).unwrap();
    fs::write(path("genesis.json"), committee.genesis().to_json()).unwrap();
    let loan = notarised.iter().find(|one| matches!(one.record.body, Body::LoanContract(_)));
    fs::write(path("evidence.json"), loan.unwrap().evidence.to_json().unwrap()).unwrap();
    vec![
        records(&notarised),
        blocks(&committee, &notarised),
        consensus(&committee),
        mesh(&committee, &notarised),
        state(&committee, &notarised),
        governance(),
    ]
}

/// A vector whose bytes and digest are not written yet.
fn vector<T: Serialize>(form: &str, name: impl Into<String>, value: &T) -> Vector {
    let value = serde_json::to_value(value).unwrap();
    Vector { name: name.into(), form: form.into(), value, bytes: String::new(), digest: None }
}

fn records(notarised: &[NotarisedRecord]) -> VectorFile {
    let name = |one: &NotarisedRecord| one.record.body.record_type().name();
    let vectors = notarised.iter().map(|one| vector("record", name(one), &one.record));
    VectorFile { vectors: vectors.collect() }
}

/// Block 1 of a committee to which nobody submits.
fn empty_block() -> SealedBlock {
    let mut committee = Committee::new(4, BEGIN).unwrap();
    committee.reach(Height::new(1)).unwrap();
    committee.reader().block(Height::new(1)).unwrap().unwrap()
}

fn blocks(committee: &Committee, notarised: &[NotarisedRecord]) -> VectorFile {
    let first = &notarised[0];
    let place = committee.reader().record(&first.id).unwrap().unwrap();
    let block = committee.reader().block(place.height).unwrap().unwrap();
    let leaf =
        |outcome| OutcomeLeaf { record: first.id, submission: first.submission.id(), outcome };
    let findings = List::new(vec![Code(1_001), Code(1_002)]).unwrap();
    let (accepted, rejected) =
        (leaf(Outcome::Accepted { findings }), leaf(Outcome::Rejected { code: Code(12) }));
    VectorFile {
        vectors: vec![
            vector("submission", "a submission of one record", &first.submission),
            vector("outcome_leaf", "accepted, with findings", &accepted),
            vector("outcome_leaf", "rejected", &rejected),
            vector("proposal", "a proposal of one submission", &block.proposal),
            vector("header", "a header", &block.header),
            vector("seal", "its seal", &block.seal),
            vector("sealed_block", "a block of one submission", &block),
            vector("sealed_block", "an empty block", &empty_block()),
            vector("validator_set", "four validators", committee.genesis().validator_set()),
        ],
    }
}

/// Signs for a validator.
struct Votes<'a> {
    chain: Hash,
    set: &'a ValidatorSet,
}

impl Votes<'_> {
    fn key(&self, number: u16) -> (ValidatorIndex, Keypair) {
        let pair = consortium::pair(number, Purpose::Validator);
        (self.set.position_of(&pair.public()).unwrap(), pair)
    }

    fn message(&self, number: u16, body: MessageBody) -> Message {
        let (from, pair) = self.key(number);
        let signature = pair.sign(&body.digest(SUITE, &self.chain));
        Message { from, signature, body }
    }

    fn certificate(&self, height: Height, view: View, digest: Hash) -> PreparedCertificate {
        let place = (height, view);
        let signed = vote_digest(SUITE, Domain::Prepare, &self.chain, place, &digest);
        let mut votes: Vec<SealVote> = (0..3)
            .map(|number| {
                let (validator, pair) = self.key(number);
                SealVote { validator, signature: pair.sign(&signed) }
            })
            .collect();
        votes.sort_by_key(|vote| vote.validator);
        PreparedCertificate { view, digest, votes: List::new(votes).unwrap() }
    }

    fn fault(&self, height: Height, view: View) -> Fault {
        let (validator, pair) = self.key(3);
        let signed = |content: Hash| {
            let digest = vote_digest(SUITE, Domain::Prepare, &self.chain, (height, view), &content);
            SignedContent { content, signature: pair.sign(&digest) }
        };
        Fault {
            suite: SUITE,
            chain: self.chain,
            height,
            view,
            kind: VoteKind::Prepare,
            validator,
            key: pair.public(),
            first: signed(Hash([1; 32])),
            second: signed(Hash([2; 32])),
        }
    }
}

fn consensus(committee: &Committee) -> VectorFile {
    let genesis = committee.genesis();
    let votes = Votes { chain: genesis.chain(), set: genesis.validator_set() };
    let block = committee.reader().block(Height::new(1)).unwrap().unwrap();
    let (proposal, header) = (block.proposal.clone(), block.header.clone());
    let (height, digest) = (header.height, proposal.digest());
    let (view, next) = (View::ZERO, View::new(1));
    let certificate = votes.certificate(height, view, digest);
    let change = |prepared: bool| MessageBody::ViewChange {
        height,
        view: next,
        prepared: prepared.then(|| certificate.clone()),
        proposal: prepared.then(|| proposal.clone()),
    };
    let mut changes: Vec<ViewChangeVote> = [(0, true), (1, false), (2, false)]
        .into_iter()
        .map(|(number, prepared)| {
            let Message { from, signature, .. } = votes.message(number, change(prepared));
            let prepared = prepared.then(|| certificate.clone());
            ViewChangeVote { validator: from, signature, prepared }
        })
        .collect();
    changes.sort_by_key(|vote| vote.validator);
    let pre_prepare = MessageBody::PrePrepare { height, view, proposal: proposal.clone() };
    let new_view = MessageBody::NewView {
        height,
        view: next,
        view_changes: List::new(changes).unwrap(),
        proposal: Some(proposal.clone()),
    };
    let head = MessageBody::Head { header: header.clone(), seal: block.seal };
    let bodies = [
        ("pre-prepare", pre_prepare),
        ("prepare", MessageBody::Prepare { height, view, digest }),
        ("commit", MessageBody::Commit { view, header: header.clone() }),
        ("view change with nothing prepared", change(false)),
        ("view change with a certificate", change(true)),
        ("new view", new_view),
        ("head", head),
    ];
    let mut vectors = Vec::new();
    for (name, body) in bodies {
        let message = votes.message(1, body);
        assert!(message.clone().verify(SUITE, &votes.chain, votes.set).is_ok(), "{name}");
        vectors.push(vector("message", name, &message));
        if let frame @ Consensus::Named { .. } = Consensus::by_name(&message) {
            vectors.push(vector("consensus_frame", "a proposal by name", &frame));
        }
    }
    let promises = [
        ("proposed", Promise::Proposed { height, view, digest }),
        ("voted prepare", Promise::Prepare { height, view, digest }),
        ("prepared", Promise::Prepared { height, certificate: certificate.clone(), proposal }),
        ("voted commit", Promise::Commit { view, header }),
        ("asked for a view", Promise::ViewChange { height, view: next }),
        ("entered a view", Promise::Entered { height, view: next }),
    ];
    vectors.extend(promises.iter().map(|(name, promise)| vector("promise", *name, promise)));
    let fault = votes.fault(height, view);
    fault.verify(votes.set).unwrap();
    vectors.push(vector("fault", "two prepares of one validator", &fault));
    VectorFile { vectors }
}

fn mesh(committee: &Committee, notarised: &[NotarisedRecord]) -> VectorFile {
    let submissions = vec![notarised[0].submission.clone()];
    let submission = Bulk::Submissions(List::new(submissions.clone()).unwrap());
    let leaves = Ask::Submissions(List::new(vec![notarised[0].submission.leaf()]).unwrap());
    let ask = Ask::Blocks { first: Height::new(7), count: 256 };
    let (header, digest) = (Hash([0xab; 32]), Hash([0xcd; 32]));
    let offer = Offer { height: Height::new(9), header, digest, chunks: 16, manifest_bytes: 4_096 };
    VectorFile {
        vectors: vec![
            vector("bulk", "a submission handed on", &submission),
            vector("bulk", "a height", &Bulk::Head(Height::new(9))),
            vector("ask", "blocks from 7 on", &ask),
            vector("ask", "submissions by name", &leaves),
            vector("ask", "the newest snapshot", &Ask::SnapshotOffer),
            vector("ask", "part of a manifest", &Ask::SnapshotManifest { digest, part: 1 }),
            vector("ask", "the block of a snapshot", &Ask::SnapshotBlock(digest)),
            vector("ask", "a chunk", &Ask::SnapshotChunk { digest, index: 15 }),
            vector("offer", "a snapshot", &offer),
            vector(
                "batch",
                "one submission",
                &Batch { submissions: List::new(submissions).unwrap() },
            ),
            vector("batch_answer", "sealed, pending, refused", &answer(committee, &notarised[0])),
        ],
    }
}

/// What a node answers about a submission that is sealed, one that waits and one that it refused.
fn answer(committee: &Committee, one: &NotarisedRecord) -> BatchAnswer {
    let (reader, id) = (committee.reader(), one.submission.id());
    let place = reader.submission(&id).unwrap().unwrap();
    let block = BlockProofs::of(&reader.block(place.height).unwrap().unwrap());
    let problem = r#"{"error":{"code":"busy","message":"too much at once","action":"wait"}}"#;
    let fates = vec![
        Fate::Sealed { block: 0, receipt: block.receipt(&id).unwrap() },
        Fate::Pending,
        Fate::Refused { status: 503, retry_after: Some(1), problem: Text::new(problem).unwrap() },
    ];
    BatchAnswer {
        complete_to: place.height,
        blocks: List::new(vec![block.sealed_header().clone()]).unwrap(),
        fates: List::new(fates).unwrap(),
    }
}

fn state(committee: &Committee, notarised: &[NotarisedRecord]) -> VectorFile {
    let mut keys = vec![
        ("institution".to_owned(), StateKey::Institution(institution(0))),
        ("rule pack".to_owned(), StateKey::RulePack),
    ];
    for one in notarised {
        let name = one.record.body.record_type().name();
        if one.record.seq == 1 && one.submission.head.institution == institution(0) {
            keys.push((format!("flow of {name}"), StateKey::Flow(one.record.flow)));
        }
        if let Body::DataAccess(_) = one.record.body {
            keys.push((format!("flow of {name}"), StateKey::Flow(one.record.flow)));
        }
        if let Body::LoanContract(_) = one.record.body {
            let document = one.record.documents[0].sha256;
            keys.push(("first sighting of a document".to_owned(), StateKey::Document(document)));
        }
        if let Body::Repayment(body) = &one.record.body {
            let (institution, transaction) = (institution(0), body.bank_txn);
            let key = StateKey::Transaction { institution, transaction };
            keys.push(("bank transaction".to_owned(), key));
        }
    }
    VectorFile { vectors: objects(committee, keys) }
}

/// The objects at these keys, as the committee has them now.
fn objects(committee: &Committee, keys: Vec<(String, StateKey)>) -> Vec<Vector> {
    let mut vectors = Vec::new();
    for (name, key) in keys {
        let value = committee.reader().state(&key).unwrap().0.unwrap();
        assert!(codec::encode(&value).len() < 64 * 1_024);
        vectors.push(vector("state_key", name.clone(), &key));
        vectors.push(vector("state_value", name, &value));
    }
    vectors
}

/// Every kind of motion, ballots, a fault, and what they leave in the state.
fn governance() -> VectorFile {
    let mut committee = Committee::new(4, BEGIN).unwrap();
    let mut notarised = notarise_governance(&mut committee).unwrap();
    let mut ballots = BTreeSet::new();
    notarised.retain(|one| match &one.record.body {
        Body::Ballot(ballot) => ballots.insert((ballot.approve, ballot.seen.len())),
        _ => true,
    });
    let mut vectors: Vec<Vector> =
        notarised.iter().map(|one| vector("record", one.name.clone(), &one.record)).collect();
    let institution = institution(4);
    let mut keys = vec![
        ("an institution that was admitted".to_owned(), StateKey::Institution(institution)),
        ("its names and group".to_owned(), StateKey::Profile(institution)),
        ("the directory".to_owned(), StateKey::Directory),
        ("epoch 0".to_owned(), StateKey::Epoch(0)),
        ("the validators, with a scheduled set".to_owned(), StateKey::Validators),
    ];
    for purpose in [Purpose::Submission, Purpose::Validator, Purpose::Node] {
        let key = StateKey::Key(consortium::pair(4, purpose).public());
        keys.push((format!("holder of a key: {purpose:?}"), key));
    }
    for one in &notarised {
        keys.push((format!("flow of {}", one.name), StateKey::Flow(one.record.flow)));
        if let Body::Fault(fault) = &one.record.body {
            let key = StateKey::Fault(FaultPlace::of(fault));
            keys.push(("where a fault was recorded".to_owned(), key));
        }
    }
    vectors.extend(objects(&committee, keys));
    VectorFile { vectors }
}
