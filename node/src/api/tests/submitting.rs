//! Submissions: taken, joined, sealed, proven.

use super::*;

/// Whether the light client believes the evidence in an answer.
fn proven(rig: &Rig, evidence: &Value) -> bool {
    let file: EvidenceFile = serde_json::from_value(evidence.clone()).unwrap();
    let json = file.to_json().unwrap();
    let chain = rig.chain.lock().unwrap();
    let request = light::Request {
        evidence: json.as_bytes(),
        genesis: Some(&chain.ledger.genesis),
        ..light::Request::default()
    };
    light::verify(&request).verdict.exit_code() == 0
}

#[tokio::test]
async fn a_submission_is_answered_with_its_outcome_and_its_proof() {
    let rig = Rig::new();
    let sent = rig.submission(1);
    let answer = rig.submit(&sent).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", String::from_utf8_lossy(&answer.bytes));
    let json = answer.json();
    assert_eq!(json["submission"], sent.id().to_string());
    assert_eq!((&json["status"], &json["height"]), (&json!("sealed"), &json!(1)));
    assert_eq!(json["complete_to"], 1);
    assert_eq!(answer.headers["probata-complete-to"], "1");
    let record = &json["records"][0];
    assert_eq!(record["record"], sent.record_ids()[0].to_string());
    assert_eq!(record["outcome"]["status"], "accepted", "{record}");
    assert!(proven(&rig, &record["evidence"]));
}

#[tokio::test]
async fn canonical_bytes_do_as_well_and_a_repetition_gets_the_first_answer() {
    let rig = Rig::new();
    let sent = rig.submission(1);
    let request = || {
        Request::post("/v1/submissions?evidence=none")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(Body::from(codec::encode(&sent)))
            .unwrap()
    };
    let first = rig.ask(request()).await;
    assert_eq!(first.status, StatusCode::OK);
    assert!(first.json()["records"][0].get("evidence").is_none());
    rig.chain.lock().unwrap().seal();
    let second = rig.ask(request()).await;
    assert_eq!(second.status, StatusCode::OK);
    assert_eq!(second.json()["height"], 1);
    assert_eq!(second.json()["complete_to"], 2);
    assert_eq!(second.json()["records"], first.json()["records"]);
}

#[tokio::test]
async fn a_rejected_record_is_an_answer_not_an_error() {
    let rig = Rig::new();
    rig.submit(&rig.submission(1)).await;
    // The same flow cannot be opened twice.
    let mut again = rig.submission(1);
    again.head.idempotency_key.0[0] ^= 1;
    let again = sign(again.head.clone(), 1, again.records.to_vec());
    let answer = rig.submit(&again).await;
    assert_eq!(answer.status, StatusCode::OK);
    let outcome = &answer.json()["records"][0]["outcome"];
    assert_eq!(outcome["status"], "rejected");
    assert_eq!(outcome["failure"]["severity"], "failure");
    for text in ["name", "zh", "en"] {
        assert!(!outcome["failure"][text].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_wait_ends_with_202_and_those_who_joined_are_all_told() {
    let rig = Arc::new(Rig::new());
    rig.set(Mode::Hold);
    let sent = rig.submission(1);
    let bytes = serde_json::to_vec(&sent).unwrap();
    let answer = rig.post("/v1/submissions?wait_ms=0", bytes.clone()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(
        (&answer.json()["status"], &answer.json()["records"]),
        (&json!("pending"), &json!([]))
    );

    let path = format!("/v1/submissions/{}", sent.id());
    let pending = rig.get(&path).await;
    assert_eq!((pending.status, &pending.json()["status"]), (StatusCode::OK, &json!("pending")));

    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let (rig, bytes) = (Arc::clone(&rig), bytes.clone());
            tokio::spawn(async move { rig.post("/v1/submissions?wait_ms=20000", bytes).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    rig.chain.lock().unwrap().seal();
    for one in waiting {
        let answer = one.await.unwrap();
        assert_eq!((answer.status, &answer.json()["height"]), (StatusCode::OK, &json!(1)));
    }
    let sealed = rig.get(&path).await;
    assert_eq!(sealed.json()["status"], "sealed");
    assert_eq!(sealed.json()["records"][0]["outcome"]["status"], "accepted");
}

#[tokio::test]
async fn one_that_expires_while_it_waits_is_told_so() {
    let rig = Arc::new(Rig::new());
    rig.set(Mode::Hold);
    let mut sent = rig.submission(1);
    sent.head.expires_at = sent.head.submitted_at.next();
    let sent = sign(sent.head.clone(), 1, sent.records.to_vec());
    let bytes = serde_json::to_vec(&sent).unwrap();
    let asked = Arc::clone(&rig);
    let waiting = tokio::spawn(async move { asked.post("/v1/submissions", bytes).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    {
        let mut chain = rig.chain.lock().unwrap();
        chain.seal_these(vec![]);
        chain.expire();
    }
    let answer = waiting.await.unwrap();
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::UNPROCESSABLE_ENTITY, "expired".into())
    );
    let later = rig.get(&format!("/v1/submissions/{}", sent.id())).await;
    assert_eq!(later.code(), "expired");
}

#[tokio::test]
async fn one_whose_waiter_was_dropped_is_looked_up() {
    let rig = Rig::new();
    rig.set(Mode::Forget);
    let sent = rig.submission(1);
    assert_eq!(rig.submit(&sent).await.status, StatusCode::ACCEPTED);
    rig.chain.lock().unwrap().seal_these(vec![sent.clone()]);
    assert_eq!(rig.submit(&sent).await.json()["height"], 1);
}

#[tokio::test]
async fn a_submission_of_many_records_has_as_many_proofs() {
    let rig = Rig::new();
    let records = (1..=40).map(|number| rig.record(number)).collect();
    let sent = {
        let chain = rig.chain.lock().unwrap();
        let at = chain.ledger.time();
        crate::fixtures::submission(chain.ledger.genesis.chain(), 1, 1, at, records)
    };
    let answer = rig.submit(&sent).await.json();
    let records = answer["records"].as_array().unwrap();
    assert_eq!(records.len(), 40);
    for (record, id) in records.iter().zip(sent.record_ids().iter().copied()) {
        assert_eq!(record["record"], id.to_string());
        assert!(proven(&rig, &record["evidence"]));
    }
}
