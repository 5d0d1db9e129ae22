//! Nodes whose answers do not verify: each lie is found, and an honest node is believed after it.

use super::*;
use crate::{
    light::fixtures::Options,
    sdk::{ClientError, Failing},
};
use probata_types::Height;

/// The answer is not believed, and the next node's is.
async fn is_found_out(sealed: &Sealed, lie: Answer, named: &str) {
    let alone = FakeNode::start(vec![lie.clone()]).await;
    let error = sealed.client(&[&alone], None).submit(&sealed.submission).await.unwrap_err();
    let ClientError::Unreachable(tried) = &error else { panic!("{error}") };
    let Failing::Lying(why) = &tried[0].what else { panic!("{error}") };
    assert!(why.contains(named), "{why}");
    // A liar is not asked twice.
    assert_eq!(alone.seen().len(), 1);

    let (liar, honest) =
        (FakeNode::start(vec![lie]).await, FakeNode::start(vec![sealed.answer()]).await);
    sealed.client(&[&liar, &honest], None).submit(&sealed.submission).await.unwrap();
}

/// An answer with the first evidence file changed.
fn with(sealed: &Sealed, change: impl FnOnce(&mut EvidenceFile)) -> Answer {
    let mut files = sealed.evidence();
    change(&mut files[0]);
    answer_of(&sealed.submission, &files)
}

#[tokio::test]
async fn changed_evidence() {
    let sealed = Sealed::new();
    let lie = with(&sealed, |file| file.outcome = Outcome::Rejected { code: Code(1) });
    is_found_out(&sealed, lie, "outcome_in_block").await;
    let lie = with(&sealed, |file| file.header.time = file.header.time.next());
    is_found_out(&sealed, lie, "block_seal").await;
    let lie = with(&sealed, |file| {
        let mut votes = file.seal.votes.clone().into_vec();
        votes.pop();
        file.seal.votes = probata_types::List::new(votes).unwrap();
    });
    is_found_out(&sealed, lie, "block_seal").await;
    let lie = with(&sealed, |file| file.record.level = 1);
    is_found_out(&sealed, lie, "record_in_submission").await;
}

#[tokio::test]
async fn an_accepted_record_told_as_rejected_and_the_other_way_round() {
    let rejected = Sealed::rejected();
    let accepted = Outcome::Accepted { findings: probata_types::List::empty() };
    let lie = with(&rejected, |file| file.outcome = accepted);
    is_found_out(&rejected, lie, "outcome_in_block").await;
}

#[tokio::test]
async fn another_chain_with_the_same_validators() {
    let sealed = Sealed::new();
    let mut own = Chain::new("own");
    let author = author(&own);
    let mut writer = FlowWriter::new(author, FlowId([7; 16]));
    let records = vec![writer.append(statement()).1, writer.append(statement()).1];
    let key = pair(1, SUBMIT);
    let other = sign(records, &author, &key, NOW, Duration::from_secs(600)).unwrap();
    own.seal(vec![other.clone()]);
    let files: Vec<_> = other.record_ids().into_iter().map(|id| own.evidence(id, 1)).collect();
    is_found_out(&sealed, answer_of(&sealed.submission, &files), "chain").await;
}

#[tokio::test]
async fn too_few_validators() {
    let sealed = Sealed::new();
    let mut weak = Chain::new("test");
    weak.options = Options { view: 7, voters: vec![0, 1] };
    weak.seal(vec![sealed.submission.clone()]);
    let ids = sealed.submission.record_ids();
    let files: Vec<_> = ids.into_iter().map(|id| weak.evidence(id, 1)).collect();
    is_found_out(&sealed, answer_of(&sealed.submission, &files), "block_seal").await;
}

#[tokio::test]
async fn evidence_of_other_records_or_none() {
    let sealed = Sealed::new();
    let mut files = sealed.evidence();
    files.reverse();
    is_found_out(&sealed, answer_of(&sealed.submission, &files), "instead of").await;
    is_found_out(&sealed, answer_of(&sealed.submission, &files[..1]), "1 decisions on 2").await;
    let none = serde_json::json!({ "records": [{}, {}] });
    is_found_out(&sealed, Answer::ok(&none), "without evidence").await;
    let garbage = Answer::Http(200, "", b"<html>".to_vec());
    is_found_out(&sealed, garbage, "expected value").await;
}

#[tokio::test]
async fn the_same_records_in_an_earlier_submission() {
    let sealed = Sealed::new();
    let mut chain = Chain::new("test");
    let earlier = {
        let key = pair(1, SUBMIT);
        let records = sealed.submission.records.to_vec();
        sign(records, &author(&chain), &key, NOW, Duration::from_secs(600)).unwrap()
    };
    chain.seal(vec![earlier.clone()]);
    let files: Vec<_> = earlier.record_ids().into_iter().map(|id| chain.evidence(id, 1)).collect();
    is_found_out(&sealed, answer_of(&sealed.submission, &files), "another submission").await;
}

type Change<'a> = &'a dyn Fn(&mut Vec<serde_json::Value>);

#[tokio::test]
async fn headers_with_a_gap_or_a_false_seal() {
    let mut sealed = Sealed::new();
    sealed.chain.heartbeats(2);
    let answer = |change: Change<'_>| {
        let blocks = &sealed.chain.blocks;
        let mut headers: Vec<_> = blocks
            .iter()
            .map(|block| serde_json::json!({ "header": block.header, "seal": block.seal }))
            .collect();
        change(&mut headers);
        Answer::ok(&serde_json::json!({ "headers": headers, "next": null, "complete_to": 3 }))
    };
    let honest = FakeNode::start(vec![answer(&|_| {})]).await;
    let headers = sealed.client(&[&honest], None).headers(Height::new(1), 10).await.unwrap();
    assert_eq!(headers.len(), 3);
    let lies: [Change<'_>; 3] = [
        &|headers| drop(headers.remove(1)),
        &|headers| headers[0]["header"]["record_count"] = 9.into(),
        &|headers| headers[2]["seal"]["view"] = 8.into(),
    ];
    for lie in lies {
        let node = FakeNode::start(vec![answer(lie)]).await;
        let error = sealed.client(&[&node], None).headers(Height::new(1), 10).await.unwrap_err();
        assert!(matches!(error, ClientError::Unreachable(_)), "{error}");
    }
}
