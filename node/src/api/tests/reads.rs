//! Reading: records, flows, searches, headers, status.

use super::*;
use crate::fixtures::{consent, submission};
use probata_genesis::Genesis;
use probata_ledger::Cursor;
use probata_types::RecordId;

/// A node with three blocks: flows 1 and 2 of bank 1, nothing, flow 3 of bank 2.
async fn filled() -> (Rig, Vec<Submission>) {
    let rig = Rig::new();
    let sent = {
        let mut chain = rig.chain.lock().unwrap();
        let (id, at) = (chain.ledger.genesis.chain(), chain.ledger.time());
        let one = |bank, key, number| {
            let record = consent(bank, flow(number), 1, RecordId::NONE, at);
            submission(id, bank, key, at, vec![record])
        };
        let sent = vec![one(1, 1, 1), one(1, 2, 2), one(2, 1, 3)];
        chain.seal_these(sent[..2].to_vec());
        chain.seal_these(vec![]);
        chain.seal_these(sent[2..].to_vec());
        sent
    };
    (rig, sent)
}

fn ids(answer: &Answer) -> Vec<String> {
    let list = answer.json()["records"].as_array().unwrap().clone();
    list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn id_of(submission: &Submission) -> String {
    submission.record_ids()[0].to_string()
}

#[tokio::test]
async fn a_record_with_its_place_and_outcome() {
    let (rig, sent) = filled().await;
    let answer = rig.get(&format!("/v1/records/{}", id_of(&sent[1]))).await;
    assert_eq!(answer.status, StatusCode::OK);
    let json = answer.json();
    assert_eq!(json["place"], json!({"height": 1, "leaf": 1, "submission": 1, "index": 0}));
    assert_eq!(json["institution"], lei(1).as_str());
    assert_eq!(json["submission"], sent[1].id().to_string());
    assert_eq!(json["outcome"]["status"], "accepted");
    assert_eq!(json["record"]["flow"], flow(2).to_string());
    assert_eq!(json["complete_to"], 3);
    let header = rig.get("/v1/headers/1").await.json();
    assert_eq!((&json["header"], &json["time"]), (&header["hash"], &header["header"]["time"]));
}

#[tokio::test]
async fn an_evidence_file_to_keep() {
    let (rig, sent) = filled().await;
    for (query, events) in [("", false), ("?events=false", false), ("?events=true", true)] {
        let path = format!("/v1/records/{}/evidence{query}", id_of(&sent[0]));
        let answer = rig.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK);
        let name = answer.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
        assert_eq!(name, format!("attachment; filename=\"{}.evidence.json\"", id_of(&sent[0])));
        let chain = rig.chain.lock().unwrap();
        let request = light::Request {
            evidence: &answer.bytes,
            genesis: Some(&chain.ledger.genesis),
            ..light::Request::default()
        };
        assert_eq!(light::verify(&request).verdict.exit_code(), 0);
        assert_eq!(!answer.json()["events"].is_null(), events);
        assert_eq!(answer.json()["anchor"]["header"]["height"], 3);
    }
}

#[tokio::test]
async fn a_flow_with_its_state_and_records() {
    let (rig, sent) = filled().await;
    let answer = rig.get(&format!("/v1/flows/{}", flow(1))).await;
    let json = answer.json();
    assert_eq!(
        (&json["state"]["count"], &json["state"]["owner"]),
        (&json!(1), &json!(lei(1).as_str()))
    );
    assert!(json["state"]["head"].is_string());
    let record = &json["records"][0];
    assert_eq!(record["id"], id_of(&sent[0]));
    assert_eq!(record["record_type"], "consent_grant");
    assert_eq!((&record["seq"], &record["place"]["height"]), (&json!(1), &json!(1)));
    assert_eq!(record["outcome"]["status"], "accepted");
    assert_eq!((&json["next"], &json["complete_to"]), (&Value::Null, &json!(3)));
}

#[tokio::test]
async fn a_flow_shows_rejected_records_and_turns_pages() {
    let (rig, sent) = filled().await;
    {
        let mut chain = rig.chain.lock().unwrap();
        let mut head = sent[0].head.clone();
        head.idempotency_key.0[9] = 1;
        chain.seal_these(vec![sign(head, 1, sent[0].records.to_vec())]);
    }
    let path = format!("/v1/flows/{}?limit=1", flow(1));
    let first = rig.get(&path).await.json();
    assert_eq!(first["records"].as_array().unwrap().len(), 1);
    let next = first["next"].as_str().unwrap();
    let second = rig.get(&format!("{path}&after={next}")).await.json();
    assert_eq!(second["records"][0]["outcome"]["status"], "rejected");
    assert_eq!(second["records"][0]["place"]["height"], 4);
    assert!(second["next"].is_null());
}

#[tokio::test]
async fn a_page_of_large_blocks_ends_early_and_the_next_goes_on() {
    let (rig, sent) = filled().await;
    let reader = {
        let mut chain = rig.chain.lock().unwrap();
        for number in 1..=4 {
            let mut head = sent[0].head.clone();
            head.idempotency_key.0[9] = number;
            chain.seal_these(vec![sign(head, 1, sent[0].records.to_vec())]);
        }
        chain.ledger.ledger.reader()
    };
    let mut heights = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = search::flow_answer(&reader, flow(1), after.as_ref(), 50, 1).unwrap().unwrap();
        assert_eq!(page.records.len(), 1);
        heights.push(page.records[0].place.height.get());
        match page.next {
            Some(next) => after = Some(next.parse().unwrap()),
            None => break,
        }
    }
    assert_eq!(heights, [1, 4, 5, 6, 7]);
    let whole = search::flow_answer(&reader, flow(1), None, 50, usize::MAX).unwrap().unwrap();
    assert_eq!((whole.records.len(), whole.next), (5, None));
}

#[tokio::test]
async fn a_flow_of_rejected_records_only_has_no_state() {
    let rig = Rig::new();
    {
        let mut chain = rig.chain.lock().unwrap();
        let (id, at) = (chain.ledger.genesis.chain(), chain.ledger.time());
        let orphan = consent(1, flow(9), 2, RecordId([1; 32]), at);
        chain.seal_these(vec![submission(id, 1, 1, at, vec![orphan])]);
    }
    let json = rig.get(&format!("/v1/flows/{}", flow(9))).await.json();
    assert!(json["state"].is_null());
    assert_eq!(json["records"][0]["outcome"]["status"], "rejected");
}

#[tokio::test]
async fn each_criterion_finds_its_records() {
    let (rig, sent) = filled().await;
    let all: Vec<String> = sent.iter().map(id_of).collect();
    let time = |height: u32| {
        let begin = rig.chain.lock().unwrap().ledger.genesis.created_at();
        begin.get() + u64::from(height) * 1_000
    };
    for (query, expected) in [
        (format!("flow={}", flow(2)), &all[1..2]),
        (format!("institution={}", lei(1)), &all[..2]),
        (format!("institution={}", lei(4)), &all[..0]),
        ("type=consent_grant".to_owned(), &all[..]),
        ("type=loan_contract".to_owned(), &all[..0]),
        (format!("subject={}", "07".repeat(32)), &all[..]),
        (format!("document={}", "07".repeat(32)), &all[..0]),
        (format!("from={}", time(2)), &all[2..]),
        (format!("to={}", time(3)), &all[..2]),
        (format!("from={}&to={}", time(1), time(3) + 1), &all[..]),
        (format!("from={}&to={}", time(3), time(1)), &all[..0]),
    ] {
        let answer = rig.get(&format!("/v1/search?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
        assert_eq!(ids(&answer), expected, "{query}");
        assert_eq!(
            (&answer.json()["complete_to"], &answer.json()["next"]),
            (&json!(3), &Value::Null)
        );
    }
}

#[tokio::test]
async fn pages_of_a_search_join_without_gap_or_repetition() {
    let (rig, sent) = filled().await;
    let mut found = Vec::new();
    let mut after = String::new();
    for _ in 0..10 {
        let path = format!("/v1/search?type=consent_grant&limit=1{after}");
        let answer = rig.get(&path).await;
        found.extend(ids(&answer));
        match answer.json()["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(found, sent.iter().map(id_of).collect::<Vec<_>>());
}

#[tokio::test]
async fn headers_by_height() {
    let (rig, _) = filled().await;
    let heights = |json: &Value| -> Vec<u64> {
        let list = json["headers"].as_array().unwrap();
        list.iter().map(|one| one["header"]["height"].as_u64().unwrap()).collect()
    };
    let all = rig.get("/v1/headers").await.json();
    assert_eq!((heights(&all), &all["next"]), (vec![1, 2, 3], &Value::Null));
    let part = rig.get("/v1/headers?from=2&limit=1").await.json();
    assert_eq!((heights(&part), &part["next"]), (vec![2], &json!(3)));
    let beyond = rig.get("/v1/headers?from=9").await.json();
    assert_eq!((heights(&beyond), &beyond["next"]), (vec![], &Value::Null));
    let one = rig.get("/v1/headers/2").await.json();
    assert_eq!(one["hash"], all["headers"][1]["hash"]);
    assert_eq!(one["hash"], all["headers"][2]["header"]["parent"]);
    assert_eq!(one["seal"]["votes"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_chain_and_this_node() {
    let (rig, _) = filled().await;
    let (chain, set) = {
        let chain = rig.chain.lock().unwrap();
        (chain.ledger.genesis.chain().to_string(), chain.ledger.genesis.validator_set().clone())
    };
    let status = rig.get("/v1/status").await.json();
    assert_eq!((&status["chain"], &status["height"]), (&json!(chain), &json!(3)));
    assert_eq!((&status["chain_name"], &status["halted"]), (&json!("test"), &Value::Null));
    assert_eq!(status["leader"]["institution"], lei(1).as_str());
    assert_eq!(status["header"], rig.get("/v1/headers/3").await.json()["hash"]);

    let validators = rig.get("/v1/validators").await.json();
    let numbers = (&validators["n"], &validators["f"], &validators["q"]);
    assert_eq!(numbers, (&json!(4), &json!(1), &json!(3)));
    assert_eq!(validators["validators"][2]["name"]["en"], "Institution 3");
    assert_eq!(validators["hash"], set.hash(crate::fixtures::SUITE).to_string());

    assert_eq!(rig.get("/v1/peers").await.json()["peers"], json!([]));
    assert_eq!(rig.get("/v1/faults").await.json()["faults"], json!([]));
    let genesis = Genesis::parse(&rig.get("/v1/genesis").await.bytes).unwrap();
    assert_eq!(genesis.chain().to_string(), chain);
    let catalogue = rig.get("/v1/catalogue").await.json();
    assert_eq!(catalogue["failures"][0]["name"], "UNKNOWN_INSTITUTION");
    assert!(!catalogue["findings"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn health_is_a_seal_within_the_bound() {
    let rig = Rig::new();
    assert_eq!(rig.get("/health").await.status, StatusCode::OK);
    let bound = rig.get("/health").await.json()["bound_ms"].as_u64().unwrap();
    let parameters = rig.chain.lock().unwrap().ledger.genesis.parameters().clone();
    assert_eq!(bound, parameters.heartbeat.get() + 2 * parameters.view_timeout_cap.get());

    let long_ago = wall_clock().get() - bound - 60_000;
    rig.chain.lock().unwrap().show(|status| status.sealed_at = Timestamp::new(long_ago));
    let answer = rig.get("/health").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.json()["why"].as_str().unwrap().contains("no seal"));

    rig.chain.lock().unwrap().show(|status| {
        status.sealed_at = wall_clock();
        status.halted = Some("diverged".into());
    });
    let answer = rig.get("/health").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.json()["why"].as_str().unwrap().contains("diverged"));
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_path() {
    let (rig, sent) = filled().await;
    rig.get(&format!("/v1/records/{}", id_of(&sent[0]))).await;
    rig.get(&format!("/v1/records/{}", "ab".repeat(32))).await;
    rig.get("/nothing/here").await;
    let answer = rig.get("/metrics").await;
    let page = String::from_utf8(answer.bytes).unwrap();
    for line in [
        "probata_api_requests_total{route=\"/v1/records/{id}\",status=\"200\"} 1",
        "probata_api_requests_total{route=\"/v1/records/{id}\",status=\"404\"} 1",
        "probata_api_requests_total{route=\"none\",status=\"404\"} 1",
        "probata_height 3",
    ] {
        assert!(page.lines().any(|one| one == line), "{line}\n{page}");
    }
}

#[tokio::test]
async fn every_answer_says_up_to_which_height_it_is_complete() {
    let (rig, sent) = filled().await;
    let paths = [
        "/v1/status".to_owned(),
        "/v1/genesis".to_owned(),
        "/health".to_owned(),
        "/metrics".to_owned(),
        format!("/v1/records/{}/evidence", id_of(&sent[0])),
        "/v1/headers/99".to_owned(),
    ];
    for path in paths {
        let answer = rig.get(&path).await;
        assert_eq!(answer.headers["probata-complete-to"], "3", "{path}");
    }
    assert_eq!(rig.api.head(), Height::new(3));
}
