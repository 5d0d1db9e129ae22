//! Batches: each submission is answered for itself.

use super::*;
use probata_types::{
    List, Signature,
    receipt::{Batch, BatchAnswer, Fate},
};

fn bytes_of(sent: &[Submission]) -> Vec<u8> {
    codec::encode(&Batch { submissions: List::new(sent.to_vec()).unwrap() })
}

async fn post(rig: &Rig, uri: &str, content_type: &str, body: Vec<u8>) -> Answer {
    let request = Request::post(uri).header(header::CONTENT_TYPE, content_type);
    rig.ask(request.body(Body::from(body)).unwrap()).await
}

async fn send(rig: &Rig, sent: &[Submission], wait_ms: u64) -> BatchAnswer {
    let uri = format!("/v1/batches?wait_ms={wait_ms}");
    let answer = post(rig, &uri, "application/octet-stream", bytes_of(sent)).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", String::from_utf8_lossy(&answer.bytes));
    let decoded: BatchAnswer = codec::decode(&answer.bytes, answer.bytes.len()).unwrap();
    assert_eq!(answer.headers["probata-complete-to"], decoded.complete_to.to_string());
    decoded
}

/// Checks that an answer proves that a submission is sealed; says in which block.
fn sealed(answer: &BatchAnswer, at: usize, sent: &Submission) -> Height {
    let Fate::Sealed { block, receipt } = &answer.fates[at] else {
        panic!("{:?}", answer.fates[at]);
    };
    let header = &answer.blocks[*block as usize].header;
    receipt.check(sent, header).unwrap();
    header.height
}

fn refused(answer: &BatchAnswer, at: usize) -> (u16, String) {
    let Fate::Refused { status, problem, .. } = &answer.fates[at] else {
        panic!("{:?}", answer.fates[at]);
    };
    let problem: Value = serde_json::from_str(problem).unwrap();
    (*status, problem["error"]["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn each_is_sealed_or_refused_for_itself() {
    let rig = Rig::new();
    let before = rig.submission(1);
    send(&rig, std::slice::from_ref(&before), 1_000).await;
    let mut forged = rig.submission(2);
    forged.signature = Signature([0; 64]);
    let mut swapped = rig.submission(3);
    swapped.records = rig.submission(4).records.clone();
    // Of what was sealed of late nobody else gets the receipt.
    let (mut forged_of_late, mut swapped_of_late) = (before.clone(), before.clone());
    forged_of_late.signature = Signature([0; 64]);
    swapped_of_late.records = rig.submission(4).records.clone();
    let good = [rig.submission(5), rig.submission(6)];
    let sent = [
        good[0].clone(),
        forged,
        before.clone(),
        swapped,
        good[1].clone(),
        good[0].clone(),
        forged_of_late,
        swapped_of_late,
    ];
    let answer = send(&rig, &sent, 1_000).await;
    assert_eq!(sealed(&answer, 2, &before).get(), 1, "as it was answered the first time");
    let places =
        [(0, &good[0]), (4, &good[1]), (5, &good[0])].map(|(at, one)| sealed(&answer, at, one));
    assert_eq!(places[0], places[2], "the same one twice is sealed once");
    assert!(places.iter().all(|height| height.get() > 1));
    for (forged, swapped) in [(1, 3), (6, 7)] {
        assert_eq!(refused(&answer, forged), (403, "signature_invalid".to_owned()));
        assert_eq!(refused(&answer, swapped), (400, "malformed".to_owned()));
    }
    for (at, problem) in [(6, Problem::SignatureInvalid), (7, Problem::Malformed)] {
        let answer = rig.submit(&sent[at]).await;
        assert_eq!(answer.json()["error"]["code"], problem.code());
    }
}

#[tokio::test]
async fn what_is_sealed_is_answered_where_there_is_no_room_for_the_rest() {
    let rig = Rig::new();
    let (before, new) = (rig.submission(1), rig.submission(2));
    send(&rig, std::slice::from_ref(&before), 1_000).await;
    let backlog = limits::BACKLOG_RECORDS;
    rig.chain.lock().unwrap().show(|status| status.pending_records = backlog);
    let answer = send(&rig, &[new.clone(), before.clone()], 1_000).await;
    sealed(&answer, 1, &before);
    assert_eq!(refused(&answer, 0), (503, "busy".to_owned()));
    let body = bytes_of(&[new]);
    let answer = post(&rig, "/v1/batches", "application/octet-stream", body).await;
    assert_eq!(answer.json()["error"]["code"], Problem::Busy.code());
}

#[tokio::test]
async fn what_is_not_sealed_in_time_is_pending_and_then_sealed() {
    let rig = Rig::new();
    rig.set(Mode::Hold);
    let sent = [rig.submission(1), rig.submission(2)];
    let answer = send(&rig, &sent, 1).await;
    assert_eq!(*answer.fates, [Fate::Pending, Fate::Pending]);
    assert!(answer.blocks.is_empty());
    rig.chain.lock().unwrap().seal();
    let answer = send(&rig, &sent, 1).await;
    assert_eq!((sealed(&answer, 0, &sent[0]), answer.blocks.len()), (Height::new(1), 1));
    sealed(&answer, 1, &sent[1]);
}

#[tokio::test]
async fn a_full_mempool_refuses_what_does_not_fit() {
    let rig = Rig::new();
    rig.set(Mode::Hold);
    let sent = [1, 2, 3].map(|number| rig.submission(number));
    let answer = send(&rig, &sent, 1).await;
    assert_eq!(answer.fates[..2], [Fate::Pending, Fate::Pending]);
    assert_eq!(refused(&answer, 2), (429, "quota".to_owned()));
    let Fate::Refused { retry_after, .. } = &answer.fates[2] else { unreachable!() };
    assert!(retry_after.is_some());
}

#[tokio::test]
async fn an_empty_batch_has_an_empty_answer() {
    let rig = Rig::new();
    assert_eq!(send(&rig, &[], 1_000).await.fates.len(), 0);
}

#[tokio::test]
async fn what_is_no_batch_is_refused_as_a_whole() {
    let rig = Rig::new();
    let good = bytes_of(&[rig.submission(1)]);
    let cases = [
        ("application/octet-stream", good[..good.len() - 1].to_vec(), 400, "malformed"),
        ("application/octet-stream", Vec::new(), 400, "malformed"),
        ("application/octet-stream", [good.as_slice(), &[0]].concat(), 400, "malformed"),
        ("application/octet-stream", vec![0xff; 64], 400, "malformed"),
        ("application/octet-stream", vec![0; limits::BATCH_CANONICAL_BYTES + 1], 413, "too_large"),
        ("application/json", b"{}".to_vec(), 415, "unsupported_media_type"),
        ("text/plain", good.clone(), 415, "unsupported_media_type"),
    ];
    for (content_type, body, status, code) in cases {
        let answer = post(&rig, "/v1/batches", content_type, body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code));
    }
    let answer = post(&rig, "/v1/batches?wait_ms=x", "application/octet-stream", good).await;
    assert_eq!(answer.code(), "bad_parameter");
}
