use super::*;
use crate::fixtures::{TestLedger, consent, flow, lei, pair, sign, submission};
use probata_client::light::{self, Level, Request, Verdict};
use probata_types::{Keypair, Record};

const OPTIONS: Options = Options { events: true, checkpoints: [None; 2], made_at: Timestamp::ZERO };

fn verify(genesis: &Genesis, file: &EvidenceFile) -> (Verdict, Option<Level>) {
    let json = file.to_json().unwrap();
    let request =
        Request { evidence: json.as_bytes(), genesis: Some(genesis), ..Request::default() };
    let report = light::verify(&request);
    (report.verdict, report.level)
}

/// A grant that opens flow `number`.
fn grant(chain: &TestLedger, institution: u32, number: u8) -> Record {
    consent(institution, flow(number), 1, RecordId::NONE, chain.time())
}

fn send(chain: &mut TestLedger, key: u64, records: Vec<Record>) -> Submission {
    let submission = submission(chain.genesis.chain(), 1, key, chain.time(), records);
    chain.seal(vec![submission.clone()]);
    submission
}

#[test]
fn the_newest_block_is_its_own_anchor_and_a_later_one_anchors_it() {
    let mut chain = TestLedger::new();
    let records = vec![grant(&chain, 1, 1)];
    let sent = send(&mut chain, 1, records);
    let (reader, id) = (chain.ledger.reader(), sent.record_ids()[0]);
    let file = assemble(&reader, &chain.genesis, &id, OPTIONS).unwrap().unwrap();
    assert!(file.anchor.is_none() && file.outcome.is_accepted(), "{:?}", file.outcome);
    assert_eq!(file.record_id(), id);
    let (verdict, level) = verify(&chain.genesis, &file);
    assert_eq!(verdict.exit_code(), 0, "{verdict:?}");
    assert_eq!(level, Some(Level::E5));

    for _ in 0..5 {
        chain.seal(vec![]);
    }
    let file = assemble(&reader, &chain.genesis, &id, OPTIONS).unwrap().unwrap();
    assert_eq!(file.anchor_header().height, Height::new(6));
    assert_eq!(verify(&chain.genesis, &file).1, Some(Level::E5));
    assert_eq!(file.events.unwrap().to_vec(), [id]);
}

#[test]
fn every_record_of_a_large_submission_has_its_file() {
    let mut chain = TestLedger::new();
    let count = u8::try_from(limits::FLOWS_PER_PROOF + 6).unwrap();
    let records = (1..=count).map(|number| grant(&chain, 1, number)).collect();
    let sent = send(&mut chain, 1, records);
    chain.seal(vec![]);
    let reader = chain.ledger.reader();
    let made = assemble_submission(&reader, &chain.genesis, &sent.id(), OPTIONS).unwrap().unwrap();
    assert_eq!(made.height, Height::new(1));
    assert_eq!(made.files.len(), usize::from(count));
    for (file, id) in made.files.iter().zip(sent.record_ids().iter().copied()) {
        assert_eq!(file.record_id(), id);
        assert_eq!(verify(&chain.genesis, file).1, Some(Level::E5));
        let alone = assemble(&reader, &chain.genesis, &id, OPTIONS).unwrap().unwrap();
        assert_eq!(*file, alone);
    }
}

#[test]
fn several_submissions_of_a_block_have_their_own_places() {
    let mut chain = TestLedger::new();
    let sent: Vec<Submission> = (1..=4u8)
        .map(|number| {
            let records = vec![
                grant(&chain, number.into(), 2 * number),
                grant(&chain, number.into(), 2 * number + 1),
            ];
            submission(chain.genesis.chain(), number.into(), 1, chain.time(), records)
        })
        .collect();
    chain.seal(sent.clone());
    chain.seal(vec![]);
    let reader = chain.ledger.reader();
    let mut leaf = 0;
    for (index, one) in sent.iter().enumerate() {
        for id in one.record_ids() {
            let file = assemble(&reader, &chain.genesis, id, OPTIONS).unwrap().unwrap();
            assert_eq!(file.outcome_place.index.get(), leaf);
            assert_eq!(file.submission.place.index.get(), index as u64);
            assert_eq!(verify(&chain.genesis, &file).1, Some(Level::E5));
            leaf += 1;
        }
    }
}

#[test]
fn a_rejected_record_is_proven_as_rejected() {
    let mut chain = TestLedger::new();
    // It claims to follow a record that does not exist.
    let orphan = consent(1, flow(1), 2, RecordId([9; 32]), chain.time());
    let sent = send(&mut chain, 1, vec![orphan]);
    let reader = chain.ledger.reader();
    let id = sent.record_ids()[0];
    let file = assemble(&reader, &chain.genesis, &id, OPTIONS).unwrap().unwrap();
    assert!(!file.outcome.is_accepted());
    assert!(file.state.is_none() && file.events.is_none());
    assert_eq!(verify(&chain.genesis, &file).0, Verdict::Inconsistent);
}

#[test]
fn a_strangers_record_has_a_file_without_status() {
    let mut chain = TestLedger::new();
    let record = grant(&chain, 9, 1);
    let stranger = submission(chain.genesis.chain(), 9, 1, chain.time(), vec![record]);
    assert!(chain.genesis.institution(&lei(9)).is_none());
    chain.seal(vec![stranger.clone()]);
    let id = stranger.record_ids()[0];
    let reader = chain.ledger.reader();
    let file = assemble(&reader, &chain.genesis, &id, OPTIONS).unwrap().unwrap();
    assert!(file.state.is_none() && !file.outcome.is_accepted());
}

#[test]
fn what_is_not_sealed_has_no_file() {
    let mut chain = TestLedger::new();
    let reader = chain.ledger.reader();
    let none = |reader: &LedgerReader, chain: &TestLedger| {
        let record = assemble(reader, &chain.genesis, &RecordId([1; 32]), OPTIONS).unwrap();
        let submission =
            assemble_submission(reader, &chain.genesis, &SubmissionId([1; 32]), OPTIONS).unwrap();
        record.is_none() && submission.is_none()
    };
    assert!(none(&reader, &chain));
    chain.seal(vec![]);
    assert!(none(&reader, &chain));
}

#[test]
fn the_events_are_all_accepted_ones_and_no_rejected_one() {
    let mut chain = TestLedger::new();
    let first = grant(&chain, 1, 1);
    let sent = send(&mut chain, 1, vec![first.clone()]);
    let id = sent.record_ids()[0];
    // The same again is rejected and leaves the history as it was.
    send(&mut chain, 2, vec![first]);
    let reader = chain.ledger.reader();
    let file = assemble(&reader, &chain.genesis, &id, OPTIONS).unwrap().unwrap();
    assert!(file.outcome.is_accepted(), "the accepted place is the one that counts");
    assert_eq!(file.events.clone().unwrap().to_vec(), [id]);
    assert_eq!(verify(&chain.genesis, &file).1, Some(Level::E5));
    let without = Options { events: false, ..OPTIONS };
    let file = assemble(&reader, &chain.genesis, &id, without).unwrap().unwrap();
    assert!(file.events.is_none());
}

#[test]
fn a_file_of_another_key_fails_where_it_should() {
    let mut chain = TestLedger::new();
    let record = grant(&chain, 1, 1);
    let good = submission(chain.genesis.chain(), 1, 1, chain.time(), vec![record]);
    let mut head = good.head.clone();
    let other: Keypair = pair(2, 1);
    head.key = other.public();
    // Signed by bank 2 in the name of bank 1: the contracts reject it, whoever let it through.
    let forged = sign(head, 2, good.records.to_vec());
    chain.seal(vec![forged.clone()]);
    let id = forged.record_ids()[0];
    let reader = chain.ledger.reader();
    let file = assemble(&reader, &chain.genesis, &id, OPTIONS).unwrap().unwrap();
    assert!(!file.outcome.is_accepted());
}
