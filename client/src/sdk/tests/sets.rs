//! Changes of the validator set: walked from genesis, kept, and asked for again only when needed.

use super::*;
use crate::{
    light::fixtures::Options,
    sdk::{ClientError, Failing},
};
use probata_types::{Height, evidence::SetChange};
use serde_json::json;

/// A chain of 8 blocks whose set changes with the headers of heights 3 and 6.
fn changed_twice() -> Sealed {
    let mut sealed = Sealed::new();
    sealed.chain.heartbeats(1);
    sealed.chain.rotate(&[2, 3, 4, 5]);
    sealed.chain.heartbeats(3);
    sealed.chain.rotate(&[1, 2, 3, 5]);
    sealed.chain.heartbeats(3);
    assert_eq!(changes(&sealed).len(), 2);
    sealed
}

fn changes(sealed: &Sealed) -> Vec<SetChange> {
    sealed.chain.changes::<16>(sealed.chain.height()).into_vec()
}

fn epochs(changes: &[SetChange]) -> Answer {
    Answer::ok(&json!({ "changes": changes, "complete_to": 8 }))
}

fn headers(sealed: &Sealed, heights: std::ops::RangeInclusive<u64>) -> Answer {
    let headers = heights.map(|height| {
        let block = sealed.chain.block(Height::new(height));
        json!({ "header": block.header, "seal": block.seal })
    });
    let headers: Vec<_> = headers.collect();
    Answer::ok(&json!({ "headers": headers, "next": null, "complete_to": 8 }))
}

/// The paths that a node was asked for.
fn asked(node: &FakeNode) -> Vec<String> {
    let seen = node.seen();
    seen.iter().map(|one| one.line.split(['?', ' ']).nth(1).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn headers_of_three_sets_are_believed_and_what_is_proven_is_kept() {
    let sealed = changed_twice();
    let all = epochs(&changes(&sealed));
    let answers = vec![
        headers(&sealed, 1..=2),
        headers(&sealed, 1..=8),
        all,
        headers(&sealed, 4..=8),
        headers(&sealed, 7..=8),
    ];
    let node = FakeNode::start(answers).await;
    let client = sealed.client(&[&node], None);
    let height = |from| Height::new(from);
    assert_eq!(client.headers(height(1), 2).await.unwrap().len(), 2);
    assert_eq!(asked(&node).len(), 1, "the set of genesis is known");
    assert_eq!(client.headers(height(1), 8).await.unwrap().len(), 8);
    assert_eq!(asked(&node)[1..], ["/v1/headers", "/v1/epochs"]);
    assert_eq!(client.headers(height(4), 8).await.unwrap().len(), 5);
    assert_eq!(client.headers(height(7), 8).await.unwrap().len(), 2);
    assert_eq!(asked(&node).len(), 5, "what was proven is kept: {:?}", asked(&node));
}

#[tokio::test]
async fn a_change_that_comes_later_is_asked_for() {
    let sealed = changed_twice();
    let all = changes(&sealed);
    let answers = vec![
        headers(&sealed, 4..=5),
        epochs(&all[..1]),
        // The header before the new set names it: that is already enough to ask.
        headers(&sealed, 6..=6),
        epochs(&all),
        headers(&sealed, 7..=8),
    ];
    let node = FakeNode::start(answers).await;
    let client = sealed.client(&[&node], None);
    for (from, count) in [(4, 2), (6, 1), (7, 2)] {
        assert_eq!(client.headers(Height::new(from), 8).await.unwrap().len(), count);
    }
    assert_eq!(asked(&node).len(), 5);
}

/// The node is named as a liar, and an honest one is asked after it.
async fn is_found_out(sealed: &Sealed, lie: Vec<Answer>, named: &str) {
    let alone = FakeNode::start(lie.clone()).await;
    let client = sealed.client(&[&alone], None);
    let error = client.headers(Height::new(1), 8).await.unwrap_err();
    let ClientError::Unreachable(tried) = &error else { panic!("{error}") };
    let Failing::Lying(why) = &tried[0].what else { panic!("{error}") };
    assert!(why.contains(named), "{named}: {why}");
    assert_eq!(asked(&alone), ["/v1/headers", "/v1/epochs"], "a liar is not asked twice");

    let all = epochs(&changes(sealed));
    let honest = FakeNode::start(vec![headers(sealed, 1..=8), all]).await;
    let liar = FakeNode::start(lie).await;
    let client = sealed.client(&[&liar, &honest], None);
    assert_eq!(client.headers(Height::new(1), 8).await.unwrap().len(), 8);
}

#[tokio::test]
async fn false_changes_are_found_out() {
    let sealed = changed_twice();
    let with = |change: &dyn Fn(&mut Vec<SetChange>)| {
        let mut shown = changes(&sealed);
        change(&mut shown);
        vec![headers(&sealed, 1..=8), epochs(&shown)]
    };
    let lie = with(&|shown| shown[1].set = shown[0].set.clone());
    is_found_out(&sealed, lie, "names the next set").await;
    let lie = with(&|shown| shown[1].seal = shown[0].seal.clone());
    is_found_out(&sealed, lie, "signature of validator").await;
    let lie = with(&|shown| shown[1].seal.votes = probata_types::List::empty());
    is_found_out(&sealed, lie, "fewer than the quorum").await;
    let lie = with(&|shown| shown.push(shown[1].clone()));
    is_found_out(&sealed, lie, "not after the one before").await;
    let lie = with(&|shown| {
        let block = sealed.chain.block(Height::new(7));
        let set = sealed.chain.set(Height::new(7)).clone();
        shown.push(SetChange { header: block.header.clone(), seal: block.seal.clone(), set });
    });
    is_found_out(&sealed, lie, "changes nothing").await;
    let html = vec![headers(&sealed, 1..=8), Answer::Http(200, "", b"<html>".to_vec())];
    is_found_out(&sealed, html, "expected value").await;
}

#[tokio::test]
async fn a_gap_in_the_changes_is_found_out() {
    let sealed = changed_twice();
    let all = changes(&sealed);
    // Without the first one, nobody knows who sealed the second.
    let lie = vec![headers(&sealed, 1..=8), epochs(&all[1..])];
    is_found_out(&sealed, lie, "the header names the validator set").await;
    // Without the second one, the headers after it name a set that nothing leads to.
    let lie = vec![headers(&sealed, 1..=8), epochs(&all[..1])];
    is_found_out(&sealed, lie, "the genesis leads to the set").await;
    let lie = vec![headers(&sealed, 1..=8), epochs(&[])];
    is_found_out(&sealed, lie, "the genesis leads to the set").await;
}

#[tokio::test]
async fn a_set_of_strangers_is_found_out() {
    let sealed = changed_twice();
    // The same genesis, and a change that too few sealed.
    let mut weak = Sealed::new();
    weak.chain.options = Options { view: 7, voters: vec![0, 1] };
    weak.chain.rotate(&[2, 3, 4, 6]);
    weak.chain.heartbeats(1);
    weak.chain.options = Options::default();
    weak.chain.heartbeats(2);
    let lie = vec![headers(&weak, 3..=4), epochs(&changes(&weak))];
    let node = FakeNode::start(lie).await;
    let error = sealed.client(&[&node], None).headers(Height::new(3), 8).await.unwrap_err();
    let ClientError::Unreachable(tried) = &error else { panic!("{error}") };
    let Failing::Lying(why) = &tried[0].what else { panic!("{error}") };
    assert!(why.contains("fewer than the quorum"), "{why}");
}

#[tokio::test]
async fn another_history_than_the_one_proven_is_a_fork() {
    let sealed = changed_twice();
    let mut other = Sealed { chain: sealed.chain.clone(), submission: sealed.submission.clone() };
    other.chain.blocks.truncate(2);
    other.chain.sets.truncate(1);
    other.chain.rotate(&[1, 2, 3, 6]);
    other.chain.heartbeats(3);
    // From the third answer on the node shows another history.
    let lie = vec![
        headers(&sealed, 1..=8),
        epochs(&changes(&sealed)),
        headers(&other, 4..=5),
        epochs(&changes(&other)),
    ];
    let node = FakeNode::start(lie).await;
    let client = sealed.client(&[&node], None);
    client.headers(Height::new(1), 8).await.unwrap();
    let error = client.headers(Height::new(4), 8).await.unwrap_err();
    let ClientError::Unreachable(tried) = &error else { panic!("{error}") };
    let Failing::Lying(why) = &tried[0].what else { panic!("{error}") };
    assert!(why.contains("a fork"), "{why}");
}

#[tokio::test]
async fn headers_that_do_not_follow_each_other_are_found_out() {
    let sealed = changed_twice();
    let mut other = Sealed::new();
    other.chain.options = Options { view: 8, voters: vec![0, 1, 2] };
    other.chain.blocks.clear();
    other.chain.heartbeats(2);
    let block = |sealed: &Sealed, height| {
        let block = sealed.chain.block(Height::new(height)).clone();
        json!({ "header": block.header, "seal": block.seal })
    };
    let mixed = json!({ "headers": [block(&sealed, 1), block(&other, 2)], "next": null });
    let node = FakeNode::start(vec![Answer::ok(&mixed)]).await;
    let error = sealed.client(&[&node], None).headers(Height::new(1), 8).await.unwrap_err();
    let ClientError::Unreachable(tried) = &error else { panic!("{error}") };
    let Failing::Lying(why) = &tried[0].what else { panic!("{error}") };
    assert!(why.contains("does not follow"), "{why}");
}
