//! Nodes whose answers do not verify: each lie is found, and an honest node is believed after it.

use super::*;
use crate::{
    light::fixtures::Options,
    sdk::{ClientError, Failing},
};
use probata_types::{
    Height, List,
    receipt::{Fate, Receipt},
};

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

/// An answer with something changed.
fn with(sealed: &Sealed, change: impl FnOnce(&mut BatchAnswer)) -> Answer {
    let mut shown = sealed.shown();
    change(&mut shown);
    Answer::batch(&shown)
}

/// The same with something changed in the receipt.
fn with_receipt(sealed: &Sealed, change: impl FnOnce(&mut Receipt)) -> Answer {
    with(sealed, |shown| {
        let Fate::Sealed { receipt, .. } = &mut shown.fates.as_mut_slice()[0] else {
            panic!("it is sealed");
        };
        change(receipt);
    })
}

#[tokio::test]
async fn a_changed_receipt() {
    let sealed = Sealed::new();
    let rejected = Outcome::Rejected { code: Code(1) };
    let lie = with_receipt(&sealed, |it| it.outcomes.as_mut_slice()[1] = rejected);
    is_found_out(&sealed, lie, "the outcomes' path").await;
    let lie =
        with_receipt(&sealed, |it| it.outcomes = List::new(it.outcomes[..1].to_vec()).unwrap());
    is_found_out(&sealed, lie, "1 decisions on 2").await;
    let lie = with_receipt(&sealed, |it| it.first_record = 1);
    is_found_out(&sealed, lie, "the outcomes' path").await;
    let lie = with_receipt(&sealed, |it| it.submission = 1);
    is_found_out(&sealed, lie, "the submission's path").await;
}

#[tokio::test]
async fn a_changed_header_or_seal() {
    let sealed = Sealed::new();
    let lie = with(&sealed, |shown| {
        let header = &mut shown.blocks.as_mut_slice()[0].header;
        header.time = header.time.next();
    });
    is_found_out(&sealed, lie, "signature of validator").await;
    let lie = with(&sealed, |shown| {
        let seal = &mut shown.blocks.as_mut_slice()[0].seal;
        seal.votes = List::new(seal.votes[1..].to_vec()).unwrap();
    });
    is_found_out(&sealed, lie, "fewer than the quorum").await;
    let lie = with(&sealed, |shown| shown.blocks = List::empty());
    is_found_out(&sealed, lie, "a receipt of no block").await;
    let lie = with(&sealed, |shown| shown.fates = List::empty());
    is_found_out(&sealed, lie, "0 answers to 1").await;
    let garbage = Answer::Http(200, "", b"<html>".to_vec());
    is_found_out(&sealed, garbage, "malformed bytes").await;
}

#[tokio::test]
async fn a_false_seal_of_a_header_that_is_known_is_not_kept() {
    let sealed = Sealed::new();
    let lie = with(&sealed, |shown| shown.blocks.as_mut_slice()[0].seal.votes = List::empty());
    let node = FakeNode::start(vec![sealed.answer(), lie]).await;
    let client = sealed.client(&[&node], None);
    let first = client.submit(&sealed.submission).await.unwrap();
    let again = client.submit(&sealed.submission).await.unwrap();
    assert_eq!(first, again, "the seal that was checked stays");
}

#[tokio::test]
async fn an_accepted_record_told_as_rejected_and_the_other_way_round() {
    let rejected = Sealed::rejected();
    let accepted = Outcome::Accepted { findings: List::empty() };
    let lie = with_receipt(&rejected, |it| it.outcomes.as_mut_slice()[0] = accepted);
    is_found_out(&rejected, lie, "the outcomes' path").await;
}

#[tokio::test]
async fn another_chain_with_the_same_validators() {
    let sealed = Sealed::new();
    let mut own = Chain::new("own");
    own.seal(vec![sealed.submission.clone()]);
    let shown = own.batch_answer(std::slice::from_ref(&sealed.submission));
    is_found_out(&sealed, Answer::batch(&shown), "another chain").await;
}

#[tokio::test]
async fn too_few_validators() {
    let sealed = Sealed::new();
    let mut weak = Chain::new("test");
    weak.options = Options { view: 7, voters: vec![0, 1] };
    weak.seal(vec![sealed.submission.clone()]);
    let shown = weak.batch_answer(std::slice::from_ref(&sealed.submission));
    is_found_out(&sealed, Answer::batch(&shown), "fewer than the quorum").await;
}

#[tokio::test]
async fn the_receipt_of_another_submission() {
    let sealed = Sealed::new();
    let mut chain = Chain::new("test");
    // The same records, in a submission of their own.
    let earlier = {
        let key = pair(1, SUBMIT);
        let records = sealed.submission.records.to_vec();
        sign(records, &author(&chain), &key, NOW, Duration::from_secs(600)).unwrap()
    };
    chain.seal(vec![earlier.clone()]);
    let shown = chain.batch_answer(&[earlier]);
    is_found_out(&sealed, Answer::batch(&shown), "the submission's path").await;
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
