//! Slow, busy and missing nodes.

use super::*;
use crate::{
    light::{self, Level, Request},
    sdk::{ClientError, Failing},
};
use probata_types::{Text, receipt::Fate};
use std::{fs, time::Instant};

#[tokio::test]
async fn a_verified_answer_is_a_receipt_and_empties_the_spool() {
    let sealed = Sealed::new();
    let spool = tempfile::tempdir().unwrap();
    let node = FakeNode::start(vec![sealed.answer()]).await;
    let receipt =
        sealed.client(&[&node], Some(spool.path())).submit(&sealed.submission).await.unwrap();
    assert_eq!(receipt.submission(), sealed.submission.id());
    assert_eq!(receipt.height().get(), 1);
    let ids: Vec<RecordId> = receipt.decisions().map(|(record, _)| record).collect();
    assert_eq!(ids, sealed.submission.record_ids());
    assert!(receipt.is_accepted());
    assert_eq!(fs::read_dir(spool.path()).unwrap().count(), 0);
    assert!(node.seen()[0].line.starts_with("POST /v1/batches?wait_ms="));
}

#[tokio::test]
async fn a_rejected_record_is_an_outcome_and_not_a_lie() {
    let sealed = Sealed::rejected();
    let node = FakeNode::start(vec![sealed.answer()]).await;
    let receipt = sealed.client(&[&node], None).submit(&sealed.submission).await.unwrap();
    assert!(receipt.decisions().all(|(_, outcome)| !outcome.is_accepted()));
}

#[tokio::test]
async fn a_record_rejected_from_a_flow_that_exists_is_an_outcome_too() {
    let mut sealed = Sealed::new();
    let author = author(&sealed.chain);
    // The number of the first record again: the flow holds another one under it.
    let mut writer = FlowWriter::new(author, FlowId([7; 16]));
    let mut again = statement();
    again.level = 4;
    let (_, record) = writer.append(again);
    let key = pair(1, SUBMIT);
    sealed.submission = sign(vec![record], &author, &key, NOW, DEADLINE).unwrap();
    let rejection = vec![Outcome::Rejected { code: Code(1) }];
    sealed.chain.seal_with(vec![sealed.submission.clone()], rejection);
    let node = FakeNode::start(vec![sealed.answer()]).await;
    sealed.client(&[&node], None).submit(&sealed.submission).await.unwrap();
}

#[tokio::test]
async fn the_next_node_is_asked_when_one_is_gone_or_hangs_up() {
    let sealed = Sealed::new();
    let gone = FakeNode::gone().await;
    let hangs = FakeNode::start(vec![Answer::Hang]).await;
    let good = FakeNode::start(vec![sealed.answer()]).await;
    let client = sealed.client(&[&gone, &hangs, &good], None);
    client.submit(&sealed.submission).await.unwrap();
    assert_eq!(hangs.seen().len(), 1);
    // The node that works is asked first from then on.
    client.submit(&sealed.submission).await.unwrap();
    assert_eq!((hangs.seen().len(), good.seen().len()), (1, 2));
}

#[tokio::test]
async fn a_node_that_stands_still_is_not_waited_for_long() {
    let sealed = Sealed::new();
    let still = FakeNode::start(vec![Answer::Silence(DEADLINE)]).await;
    let good = FakeNode::start(vec![sealed.answer()]).await;
    let client = sealed.client(&[&still, &good], None);
    // Within the deadline, for which the first one is silent.
    client.submit(&sealed.submission).await.unwrap();
    assert_eq!((still.seen().len(), good.seen().len()), (1, 1));
    // Nor is it asked first again.
    client.submit(&sealed.submission).await.unwrap();
    assert_eq!((still.seen().len(), good.seen().len()), (1, 2));
}

#[tokio::test]
async fn pending_sends_the_same_bytes_again() {
    let sealed = Sealed::new();
    let node = FakeNode::start(vec![Answer::pending(), Answer::pending(), sealed.answer()]).await;
    sealed.client(&[&node], None).submit(&sealed.submission).await.unwrap();
    let seen = node.seen();
    assert_eq!(seen.len(), 3);
    assert!(!seen[0].body.is_empty());
    assert!(seen.iter().all(|one| one.body == seen[0].body));
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let sealed = Sealed::new();
    for status in [429, 503] {
        let busy = Answer::error(status, "retry-after: 1\r\n", "busy");
        let node = FakeNode::start(vec![busy, sealed.answer()]).await;
        let started = Instant::now();
        sealed.client(&[&node], None).submit(&sealed.submission).await.unwrap();
        assert!(started.elapsed() >= Duration::from_secs(1), "{status}");
        assert_eq!(node.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_node_that_wants_time_has_it_from_all_calls() {
    let sealed = Sealed::new();
    let busy = Answer::error(503, "retry-after: 30\r\n", "busy");
    let full = FakeNode::start(vec![busy, sealed.answer()]).await;
    let good = FakeNode::start(vec![sealed.answer(), Answer::Hang]).await;
    let client = sealed.client_until(&[&full, &good], None, Duration::from_secs(1));
    client.submit(&sealed.submission).await.unwrap();
    // It hangs up once, and the other one is not asked all the same.
    client.submit(&sealed.submission).await.unwrap_err();
    assert_eq!((full.seen().len(), good.seen().len()), (1, 2));
}

#[tokio::test]
async fn what_is_pending_at_the_deadline_stays_in_the_spool_and_is_resumed() {
    let sealed = Sealed::new();
    let spool = tempfile::tempdir().unwrap();
    let slow = FakeNode::start(vec![Answer::pending()]).await;
    let short = Duration::from_millis(300);
    let client = sealed.client_until(&[&slow], Some(spool.path()), short);
    let error = client.submit(&sealed.submission).await.unwrap_err();
    assert!(matches!(&error, ClientError::Pending { id, .. } if *id == sealed.submission.id()));
    assert!(error.is_temporary());

    // The process dies here. The next one finds the submission on disk and sends the same bytes.
    let good = FakeNode::start(vec![sealed.answer()]).await;
    let resumed = sealed.client(&[&good], Some(spool.path())).resume().await.unwrap();
    assert_eq!(resumed.len(), 1);
    assert_eq!(resumed[0].result.as_ref().unwrap().decisions().len(), 2);
    assert_eq!(good.seen()[0].body, slow.seen()[0].body);
    assert_eq!(fs::read_dir(spool.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_node_that_says_nothing_does_not_outlive_the_deadline() {
    let sealed = Sealed::new();
    let node = FakeNode::start(vec![Answer::Silence(Duration::from_secs(60))]).await;
    let client = sealed.client_until(&[&node], None, Duration::from_millis(400));
    let started = Instant::now();
    let error = client.submit(&sealed.submission).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable(_)), "{error}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_refusal_by_all_is_final_and_sets_the_submission_aside() {
    let sealed = Sealed::new();
    let spool = tempfile::tempdir().unwrap();
    let one = FakeNode::start(vec![Answer::error(403, "", "forbidden")]).await;
    let two = FakeNode::start(vec![Answer::error(422, "", "expired")]).await;
    let client = sealed.client(&[&one, &two], Some(spool.path()));
    let error = client.submit(&sealed.submission).await.unwrap_err();
    let ClientError::Refused(refusal) = &error else { panic!("{error}") };
    assert_eq!((refusal.code.as_str(), error.action()), ("forbidden", "do this"));
    assert_eq!((one.seen().len(), two.seen().len()), (1, 1));
    let left: Vec<_> = fs::read_dir(spool.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left.len(), 1);
    assert!(left[0].extension().is_some_and(|extension| extension == "refused"));
    assert!(client.resume().await.unwrap().is_empty());
}

#[tokio::test]
async fn one_refusal_does_not_speak_for_the_others() {
    let sealed = Sealed::new();
    let censor = FakeNode::start(vec![Answer::error(403, "", "forbidden")]).await;
    let good = FakeNode::start(vec![sealed.answer()]).await;
    sealed.client(&[&censor, &good], None).submit(&sealed.submission).await.unwrap();
}

/// A chain with several submissions.
fn several(count: u8) -> (Sealed, Vec<Submission>) {
    let mut chain = Chain::new("test");
    let author = author(&chain);
    let sent: Vec<Submission> = (1..=count)
        .map(|flow| {
            let mut writer = FlowWriter::new(author, FlowId([flow; 16]));
            let records = vec![writer.append(statement()).1];
            sign(records, &author, &pair(1, SUBMIT), NOW, DEADLINE).unwrap()
        })
        .collect();
    chain.seal(sent.clone());
    (Sealed { chain, submission: sent[0].clone() }, sent)
}

#[tokio::test]
async fn what_does_not_hold_for_one_is_no_word_about_the_others() {
    let (sealed, sent) = several(2);
    // Of the second the receipt is sealed, and not what was sent.
    let mut other = sent.clone();
    other[1].signature.0[0] ^= 1;
    let node = FakeNode::start(vec![Answer::batch(&sealed.chain.batch_answer(&sent))]).await;
    let results = sealed.client(&[&node], None).submit_all(&other).await.unwrap();
    assert_eq!(results[0].as_ref().unwrap().submission(), sent[0].id());
    let Err(ClientError::Unreachable(tried)) = &results[1] else { panic!("{:?}", results[1]) };
    assert!(matches!(tried[0].what, Failing::Lying(_)));
}

#[tokio::test]
async fn each_of_many_is_retried_until_it_has_its_own_answer() {
    let (sealed, sent) = several(3);
    // The first is sealed at once, the second pending, the third refused by this node.
    let mut first = sealed.chain.batch_answer(&sent);
    let problem = r#"{"error":{"code":"forbidden","message":"no","action":"ask"}}"#;
    let problem = Text::new(problem).unwrap();
    let refused = Fate::Refused { status: 403, retry_after: None, problem };
    first.fates.as_mut_slice()[1..].clone_from_slice(&[Fate::Pending, refused]);
    let one = FakeNode::start(vec![Answer::batch(&first)]).await;
    let rest = Answer::batch(&sealed.chain.batch_answer(&sent[1..]));
    let two = FakeNode::start(vec![rest]).await;
    let results = sealed.client(&[&one, &two], None).submit_all(&sent).await.unwrap();
    for (sent, result) in sent.iter().zip(results) {
        assert_eq!(result.unwrap().submission(), sent.id());
    }
    assert_eq!((one.seen().len(), two.seen().len()), (1, 1));
}

#[tokio::test]
async fn calls_go_together_and_none_answers_for_another() {
    let sealed = Sealed::new();
    let forbidden = || Answer::error(403, "", "forbidden");
    // Of both, of the first alone, of the other one alone.
    let node = FakeNode::start(vec![forbidden(), forbidden(), sealed.answer()]).await;
    let client = sealed.client(&[&node], None);
    let other = some_submission();
    let (refused, receipt) = tokio::join!(client.submit(&other), client.submit(&sealed.submission));
    assert!(matches!(refused, Err(ClientError::Refused(_))), "{refused:?}");
    assert_eq!(receipt.unwrap().submission(), sealed.submission.id());
    let seen = node.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[0].body.len() > seen[1].body.len().max(seen[2].body.len()));
}

#[tokio::test]
async fn a_busy_node_is_busy_for_all_that_wait_for_it() {
    let sealed = Sealed::new();
    let busy = Answer::error(503, "retry-after: 30\r\n", "busy");
    let full = FakeNode::start(vec![busy]).await;
    let many = vec![sealed.submission.clone(); 40];
    let good = FakeNode::start(vec![Answer::batch(&sealed.chain.batch_answer(&many))]).await;
    let client = sealed.client(&[&full, &good], None);
    let mut calls = tokio::task::JoinSet::new();
    for submission in many {
        let client = client.clone();
        calls.spawn(async move { client.submit(&submission).await });
    }
    let receipts = calls.join_all().await;
    assert!(receipts.iter().all(Result::is_ok), "{receipts:?}");
    assert_eq!((full.seen().len(), good.seen().len()), (1, 1));
}

#[tokio::test]
async fn a_receipt_makes_evidence_without_asking_again() {
    let sealed = Sealed::new();
    let node = FakeNode::start(vec![sealed.answer()]).await;
    let receipt = sealed.client(&[&node], None).submit(&sealed.submission).await.unwrap();
    for (at, (record, _)) in receipt.decisions().enumerate() {
        let file = receipt.evidence(at).unwrap();
        assert_eq!(file.record_id(), record);
        let json = file.to_json().unwrap();
        let genesis = Some(&sealed.chain.genesis);
        let request = Request { evidence: json.as_bytes(), genesis, ..Request::default() };
        let report = light::verify(&request);
        assert_eq!(report.level, Some(Level::E4), "{report:?}");
    }
    assert_eq!(receipt.evidence(2), None);
    assert_eq!(node.seen().len(), 1);
}

#[tokio::test]
async fn what_nobody_has_is_not_found_though_one_node_is_gone() {
    let sealed = Sealed::new();
    let gone = FakeNode::gone().await;
    let none = FakeNode::start(vec![Answer::error(404, "", "not_found")]).await;
    let client = sealed.client(&[&gone, &none], None);
    let started = Instant::now();
    let error = client.evidence(&RecordId([5; 32]), false).await.unwrap_err();
    assert!(matches!(error, ClientError::NotFound(_)), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let sealed = Sealed::new();
    let target = FakeNode::start(vec![sealed.answer()]).await;
    let leaked: &'static str = Box::leak(format!("location: {}/\r\n", target.url).into_boxed_str());
    let node = FakeNode::start(vec![Answer::Http(307, leaked, Vec::new())]).await;
    let client = sealed.client_until(&[&node], None, Duration::from_millis(300));
    client.submit(&sealed.submission).await.unwrap_err();
    assert!(target.seen().is_empty());
}

#[tokio::test]
async fn an_endless_error_is_cut_off() {
    let sealed = Sealed::new();
    let long = vec![b'x'; crate::sdk::limits::ERROR_BYTES + 1];
    let node = FakeNode::start(vec![Answer::Http(400, "", long)]).await;
    let client = sealed.client_until(&[&node], None, Duration::from_millis(300));
    let error = client.submit(&sealed.submission).await.unwrap_err();
    let ClientError::Unreachable(tried) = error else { panic!("{error}") };
    assert!(matches!(&tried[0].what, Failing::Unreachable(why) if why.contains("longer than")));
}

#[test]
fn a_client_without_a_usable_node_is_refused() {
    let genesis = Chain::new("test").genesis;
    for nodes in
        [vec![], vec!["localhost:7101"], vec!["https://a"], vec!["http://a/?b=c"], vec![""]]
    {
        let nodes = nodes.into_iter().map(str::to_owned).collect();
        let config =
            ClientConfig { nodes, genesis: genesis.clone(), deadline: DEADLINE, spool: None };
        assert!(matches!(Client::new(config), Err(ClientError::Config(_))));
    }
}
