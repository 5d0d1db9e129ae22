//! Faults: those that the node has proven, then those that the chain has recorded.

use super::*;
use crate::fixtures::{SUITE, submission};
use probata_types::{
    Hash, List, Record, RecordId, View,
    body::Body,
    fault::{Fault, FaultFile, SignedContent, VoteKind},
    record::{DataClass, Phase, Retention},
    seal::vote_digest,
};

/// Institution 2 prepares two proposals of a view.
fn fault(rig: &Rig, view: u64) -> Fault {
    let chain = rig.chain.lock().unwrap();
    let (genesis, key) = (&chain.ledger.genesis, pair(2, 3));
    let place = (Height::new(1), View::new(view));
    let signed = |byte| {
        let content = Hash([byte; 32]);
        let domain = VoteKind::Prepare.domain();
        let digest = vote_digest(SUITE, domain, &genesis.chain(), place, &content);
        SignedContent { content, signature: key.sign(&digest) }
    };
    Fault {
        suite: SUITE,
        chain: genesis.chain(),
        height: place.0,
        view: place.1,
        kind: VoteKind::Prepare,
        validator: genesis.validator_set().position_of(&key.public()).unwrap(),
        key: key.public(),
        first: signed(1),
        second: signed(2),
    }
}

/// A submission of bank 1 that records a fault in flow `number`.
fn report(rig: &Rig, number: u8, fault: &Fault) -> Submission {
    let chain = rig.chain.lock().unwrap();
    let at = chain.ledger.time();
    let record = Record {
        version: Record::VERSION,
        flow: flow(number),
        seq: 1,
        prev: RecordId::NONE,
        phase: Phase::P00,
        occurred_at: at,
        rule_pack: 1,
        data_class: DataClass::C1,
        level: 1,
        retention: Retention::Log,
        documents: List::empty(),
        body: Body::Fault(Box::new(fault.clone())),
    };
    submission(chain.ledger.genesis.chain(), 1, number.into(), at, vec![record])
}

/// The files on a page, with whether each is recorded.
fn files(page: &Value) -> Vec<(FaultFile, bool)> {
    let faults = page["faults"].as_array().unwrap().iter();
    faults
        .map(|fault| {
            let file = FaultFile::parse(fault["file"].to_string().as_bytes()).unwrap();
            assert_eq!(fault["record"].is_null(), fault["height"].is_null());
            (file, !fault["record"].is_null())
        })
        .collect()
}

#[tokio::test]
async fn faults_on_the_chain_come_before_those_that_are_not_there_yet() {
    let rig = Rig::new();
    let known: Vec<Fault> = (0..4).map(|view| fault(&rig, view)).collect();
    let file = |view: usize| FaultFile::new(&known[view], lei(2));
    let shown: Vec<Arc<Fault>> = known[1..].iter().cloned().map(Arc::new).collect();
    rig.chain.lock().unwrap().show(|status| status.faults = shown);
    let page = rig.get("/v1/faults").await.json();
    assert_eq!(files(&page), [(file(1), false), (file(2), false), (file(3), false)]);

    // Others record two of them, the second one twice.
    let reports = [report(&rig, 1, &known[0]), report(&rig, 2, &known[2])];
    for submission in &reports {
        let answer = rig.submit(submission).await.json();
        assert_eq!(answer["records"][0]["outcome"]["status"], "accepted", "{answer}");
    }
    let again = rig.submit(&report(&rig, 3, &known[2])).await.json();
    assert_eq!(again["records"][0]["outcome"]["failure"]["name"], "FAULT_KNOWN");
    let page = rig.get("/v1/faults").await.json();
    let expected = [(file(0), true), (file(2), true), (file(1), false), (file(3), false)];
    assert_eq!(files(&page), expected);
    assert_eq!(page["faults"][1]["record"], reports[1].record_ids()[0].to_string());
    assert_eq!((&page["faults"][1]["height"], &page["next"]), (&2.into(), &Value::Null));

    // Page by page it is the same.
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = rig.get(&format!("/v1/faults?limit=1{after}")).await.json();
        found.extend(files(&page));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(found, expected);
    assert_eq!(rig.get("/v1/faults?after=x").await.code(), "bad_parameter");
}
