//! Every code of an error, and what brings it about.

use super::*;

fn is(answer: &Answer, problem: Problem) {
    let (code, status, action) = (problem.code(), problem.status(), problem.action());
    let text = String::from_utf8_lossy(&answer.bytes);
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{text}");
    assert_eq!(answer.json()["error"]["action"], action);
    assert!(!answer.json()["error"]["message"].as_str().unwrap().is_empty());
    let retry = answer.headers.get(header::RETRY_AFTER).map(|value| value.to_str().unwrap());
    assert_eq!(retry, problem.retry_after().map(|seconds| seconds.to_string()).as_deref());
    assert!(answer.headers.contains_key("probata-complete-to"));
}

/// A submission of bank 1 after a change, signed again.
fn changed(rig: &Rig, change: impl FnOnce(&mut Submission)) -> Submission {
    let mut submission = rig.submission(1);
    change(&mut submission);
    sign(submission.head.clone(), 1, submission.records.to_vec())
}

#[tokio::test]
async fn malformed_bodies() {
    let rig = Rig::new();
    let good = serde_json::to_string(&rig.submission(1)).unwrap();
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    for body in ["", "{}", "null", "\u{0}", &good[1..], &format!("{good}x"), &deep] {
        is(&rig.post("/v1/submissions", body.to_owned()).await, Problem::Malformed);
    }
    let bytes = codec::encode(&rig.submission(1));
    let request = Request::post("/v1/submissions")
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .body(Body::from(bytes[..bytes.len() - 1].to_vec()))
        .unwrap();
    is(&rig.ask(request).await, Problem::Malformed);
    let broken = changed(&rig, |one| one.head.record_count = 2);
    is(&rig.submit(&broken).await, Problem::Malformed);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_malformed() {
    let rig = Rig::new();
    let broken = stream::iter([Ok("{"), Err(std::io::Error::other("gone"))]);
    let answer = rig.post("/v1/submissions", Body::from_stream(broken)).await;
    is(&answer, Problem::Malformed);
}

#[tokio::test]
async fn bad_parameters() {
    let rig = Rig::new();
    let id = "ab".repeat(32);
    for uri in [
        "/v1/submissions/xyz".to_owned(),
        format!("/v1/submissions/{}", "AB".repeat(32)),
        format!("/v1/submissions/{id}?x=1"),
        format!("/v1/records/{id}0"),
        "/v1/records/%ff%fe".to_owned(),
        "/v1/records//evidence".to_owned(),
        format!("/v1/records/{id}/evidence?events=maybe"),
        format!("/v1/records/{id}/evidence?events=true&events=true"),
        "/v1/flows/00".to_owned(),
        format!("/v1/flows/{}?limit=0", "ab".repeat(16)),
        format!("/v1/flows/{}?limit=201", "ab".repeat(16)),
        format!("/v1/flows/{}?limit=-1", "ab".repeat(16)),
        format!("/v1/flows/{}?after=zz", "ab".repeat(16)),
        format!("/v1/flows/{}?after=00", "ab".repeat(16)),
        "/v1/search".to_owned(),
        "/v1/search?limit=5".to_owned(),
        format!("/v1/search?flow={}&institution={}", "ab".repeat(16), lei(1)),
        "/v1/search?type=loan".to_owned(),
        "/v1/search?institution=TEST".to_owned(),
        "/v1/search?from=9007199254740993".to_owned(),
        "/v1/search?document=00&limit=1".to_owned(),
        format!("/v1/search?subject={}", "AB".repeat(32)),
        "/v1/search?typ=loan_contract".to_owned(),
        "/v1/headers?from=x".to_owned(),
        "/v1/headers?from=9007199254740993".to_owned(),
        "/v1/headers/-1".to_owned(),
        "/v1/headers/18446744073709551615".to_owned(),
        "/v1/status?verbose=1".to_owned(),
        "/v1/genesis?x".to_owned(),
        format!("/v1/status?{}", "x".repeat(10_000)),
    ] {
        let answer = rig.get(&uri).await;
        assert_eq!(answer.code(), "bad_parameter", "{uri}");
        is(&answer, Problem::BadParameter);
    }
    for query in ["wait_ms=30001", "wait_ms=x", "evidence=some", "wait=1", "wait_ms=1&wait_ms=2"] {
        let answer = rig.post(&format!("/v1/submissions?{query}"), "{}").await;
        assert_eq!(answer.code(), "bad_parameter", "{query}");
    }
}

#[tokio::test]
async fn a_wrong_signature() {
    let rig = Rig::new();
    let mut submission = rig.submission(1);
    submission.signature.0[5] ^= 1;
    is(&rig.submit(&submission).await, Problem::SignatureInvalid);
    let other = rig.submission(2);
    submission.signature = other.signature;
    is(&rig.submit(&submission).await, Problem::SignatureInvalid);
}

#[tokio::test]
async fn institutions_and_keys_that_may_not() {
    let rig = Rig::new();
    let stranger = changed(&rig, |one| one.head.institution = lei(9));
    // The records' ids depend on the submitter, so the root is made anew.
    let records = stranger.records.to_vec();
    let stranger =
        crate::fixtures::submission(stranger.head.chain, 9, 1, stranger.head.submitted_at, records);
    let answer = rig.submit(&stranger).await;
    is(&answer, Problem::Forbidden);
    assert_eq!(answer.json()["error"]["failure"]["name"], "UNKNOWN_INSTITUTION");

    let mut head = rig.submission(1).head.clone();
    head.key = pair(2, 1).public();
    let borrowed = sign(head, 2, vec![rig.record(1)]);
    let answer = rig.submit(&borrowed).await;
    is(&answer, Problem::Forbidden);
    assert_eq!(answer.json()["error"]["failure"]["name"], "KEY_NOT_VALID");
}

#[tokio::test]
async fn routes_and_methods_that_do_not_exist() {
    let rig = Rig::new();
    for uri in ["/", "/v1", "/v1/", "/v2/status", "/v1/status/", "/v1/%00"] {
        is(&rig.get(uri).await, Problem::NoSuchRoute);
    }
    is(&rig.get("/v1/submissions").await, Problem::MethodNotAllowed);
    is(&rig.post("/v1/status", "").await, Problem::MethodNotAllowed);
    let request = Request::delete("/metrics").body(Body::empty()).unwrap();
    is(&rig.ask(request).await, Problem::MethodNotAllowed);
}

#[tokio::test]
async fn what_is_not_there() {
    let rig = Rig::new();
    let id = "ab".repeat(32);
    for uri in [
        format!("/v1/submissions/{id}"),
        format!("/v1/records/{id}"),
        format!("/v1/records/{id}/evidence"),
        format!("/v1/flows/{}", "ab".repeat(16)),
        "/v1/headers/0".to_owned(),
        "/v1/headers/1".to_owned(),
    ] {
        is(&rig.get(&uri).await, Problem::NotFound);
    }
}

#[tokio::test]
async fn an_idempotency_key_used_twice() {
    let rig = Rig::new();
    rig.set(Mode::Hold);
    let first = rig.submission(1);
    let bytes = serde_json::to_vec(&first).unwrap();
    assert_eq!(rig.post("/v1/submissions?wait_ms=0", bytes).await.status, StatusCode::ACCEPTED);
    let second = changed(&rig, |one| one.head.expires_at = one.head.expires_at.next());
    let answer = rig.submit(&second).await;
    is(&answer, Problem::IdempotencyConflict);
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains(&first.id().to_string()), "{message}");
}

#[tokio::test]
async fn bodies_that_are_too_large() {
    let rig = Rig::new();
    let max = limits::SUBMISSION_JSON_BYTES;
    is(&rig.post("/v1/submissions", vec![b' '; max + 1]).await, Problem::TooLarge);
    // Without a stated length, as it arrives.
    let chunk = vec![b' '; 1_024 * 1_024];
    let endless = stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
    is(&rig.post("/v1/submissions", Body::from_stream(endless)).await, Problem::TooLarge);
    // More than was stated.
    let request = Request::post("/v1/submissions")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, "2")
        .body(Body::from("[ ]"))
        .unwrap();
    is(&rig.ask(request).await, Problem::TooLarge);
    let request = Request::post("/v1/submissions")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, "999999999999")
        .body(Body::from("{}"))
        .unwrap();
    is(&rig.ask(request).await, Problem::TooLarge);
}

#[tokio::test]
async fn media_types_that_are_not_taken() {
    let rig = Rig::new();
    for value in ["text/plain", "application/xml", "\u{ff}"] {
        let request = Request::post("/v1/submissions").header(header::CONTENT_TYPE, value);
        is(&rig.ask(request.body(Body::from("{}")).unwrap()).await, Problem::UnsupportedMediaType);
    }
    let request = Request::post("/v1/submissions").body(Body::from("{}")).unwrap();
    is(&rig.ask(request).await, Problem::UnsupportedMediaType);
}

#[tokio::test]
async fn another_chain() {
    let rig = Rig::new();
    let other = changed(&rig, |one| one.head.chain = probata_types::Hash([1; 32]));
    is(&rig.submit(&other).await, Problem::WrongChain);
}

#[tokio::test]
async fn more_than_can_be_sealed_soon_is_not_taken() {
    let rig = Rig::new();
    let show = |records| rig.chain.lock().unwrap().show(|status| status.pending_records = records);
    let sealed = rig.submission(1);
    assert_eq!(rig.submit(&sealed).await.status, 200);
    show(limits::BACKLOG_RECORDS);
    is(&rig.submit(&rig.submission(2)).await, Problem::Busy);
    // What was sealed of late is answered all the same.
    assert_eq!(rig.submit(&sealed).await.status, 200);
    let waits = rig.submission(2);
    let (answer, ()) = tokio::join!(rig.submit(&waits), async {
        tokio::task::yield_now().await;
        show(limits::BACKLOG_RECORDS - 1);
    });
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn what_the_chain_thread_refuses() {
    let rig = Rig::new();
    let (expires_at, max_lifetime) = (Timestamp::new(1), probata_types::Millis::new(1));
    for (refusal, problem) in [
        (Refusal::Quota { pending: 2, quota: 2 }, Problem::Quota),
        (Refusal::PoolFull, Problem::PoolFull),
        (Refusal::Busy, Problem::Busy),
        (Refusal::Expiry { expires_at, max_lifetime }, Problem::Expired),
        (Refusal::Rejected { code: failure::EXPIRED }, Problem::Expired),
        (Refusal::Rejected { code: failure::SUBMITTED_IN_FUTURE }, Problem::Rejected),
        (Refusal::Rejected { code: failure::INSTITUTION_INACTIVE }, Problem::Forbidden),
        (
            Refusal::IdempotencyConflict { first: SubmissionId([1; 32]) },
            Problem::IdempotencyConflict,
        ),
        (Refusal::History { from: probata_types::Height::new(7) }, Problem::HistoryIncomplete),
        (Refusal::Halted, Problem::Halted),
    ] {
        rig.set(Mode::Refuse(refusal));
        is(&rig.submit(&rig.submission(1)).await, problem);
    }
    let page = rig.get("/metrics").await;
    let page = String::from_utf8(page.bytes).unwrap();
    assert!(page.contains("probata_refused_submissions_total{reason=\"quota\"} 1"));
    assert!(page.contains("probata_refused_submissions_total{reason=\"expired\"} 2"));
}

#[tokio::test]
async fn the_quota_of_an_institution_and_the_whole_pool() {
    let rig = Rig::new();
    rig.set(Mode::Hold);
    for number in 1..=2 {
        let bytes = serde_json::to_vec(&rig.submission(number)).unwrap();
        let answer = rig.post("/v1/submissions?wait_ms=0", bytes).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    is(&rig.submit(&rig.submission(3)).await, Problem::Quota);
}

#[tokio::test]
async fn too_many_at_once() {
    let rig = Rig::new();
    let all = u32::try_from(limits::API_REQUESTS).unwrap();
    let taken = rig.api.requests.acquire_many(all).await.unwrap();
    is(&rig.get("/v1/status").await, Problem::Busy);
    assert_eq!(rig.get("/health").await.status, StatusCode::OK);
    assert_eq!(rig.get("/metrics").await.status, StatusCode::OK);
    drop(taken);
    assert_eq!(rig.get("/v1/status").await.status, StatusCode::OK);

    let all = u32::try_from(limits::API_BODY_BUDGET_KIB).unwrap();
    let taken = rig.api.body_budget.acquire_many(all).await.unwrap();
    is(&rig.submit(&rig.submission(1)).await, Problem::Busy);
    drop(taken);
    assert_eq!(rig.submit(&rig.submission(1)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn reads_wait_for_their_turn_but_not_for_ever() {
    let rig = Rig::new();
    let all = u32::try_from(limits::API_READERS).unwrap();
    let _taken = rig.api.readers.acquire_many(all).await.unwrap();
    is(&rig.get("/v1/headers").await, Problem::Busy);
}

#[tokio::test]
async fn a_body_that_does_not_come() {
    let rig = Rig::new();
    let never = stream::pending::<Result<Vec<u8>, std::io::Error>>();
    is(&rig.post("/v1/submissions", Body::from_stream(never)).await, Problem::TooSlow);
}

#[tokio::test]
async fn a_chain_thread_that_does_not_answer() {
    let rig = Rig::new();
    rig.set(Mode::Silent);
    is(&rig.submit(&rig.submission(1)).await, Problem::Busy);
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let rig = Rig::new();
    let panics = get(|| async {
        if true {
            panic!("a defect")
        }
    });
    let router = guard::answered(Router::new().route("/panics", panics), &rig.api);
    let router = router.with_state(Arc::clone(&rig.api));
    let request = Request::get("/panics").body(Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["error"]["code"], "internal");
    assert!(!json.to_string().contains("a defect"), "details stay in the log");
}
