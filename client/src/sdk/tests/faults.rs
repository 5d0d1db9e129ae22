//! Faults that a node shows: each is checked, and whose the seat was follows from genesis.

use super::*;
use crate::{
    light::fixtures::VOTE,
    sdk::{ClientError, Failing},
};
use probata_types::{
    Hash, Height, View,
    fault::{Fault, FaultFile, SignedContent, VoteKind},
    seal::vote_digest,
};
use serde_json::json;

/// Institution 2 prepares two proposals at a height, with its key for `what`.
fn fault(sealed: &Sealed, height: u64, what: u8) -> FaultFile {
    let (key, chain) = (pair(2, what), sealed.chain.genesis.chain());
    let (height, view) = (Height::new(height), View::ZERO);
    let signed = |byte| {
        let content = Hash([byte; 32]);
        let domain = VoteKind::Prepare.domain();
        let digest = vote_digest(SUITE, domain, &chain, (height, view), &content);
        SignedContent { content, signature: key.sign(&digest) }
    };
    let seat = sealed.chain.set(height).iter().find(|(_, it)| it.institution == institution(2));
    let fault = Fault {
        suite: SUITE,
        chain,
        height,
        view,
        kind: VoteKind::Prepare,
        validator: seat.unwrap().0,
        key: key.public(),
        first: signed(1),
        second: signed(2),
    };
    FaultFile::new(&fault, institution(2))
}

fn page(files: &[FaultFile], next: Option<&str>) -> Answer {
    let faults: Vec<_> =
        files.iter().map(|file| json!({ "file": file, "record": null, "height": null })).collect();
    Answer::ok(&json!({ "faults": faults, "next": next, "complete_to": 1 }))
}

#[tokio::test]
async fn faults_of_any_set_are_believed() {
    let mut sealed = Sealed::new();
    sealed.chain.rotate(&[2, 3, 4, 5]);
    sealed.chain.heartbeats(2);
    let changes = sealed.chain.changes::<4>(sealed.chain.height());
    let files = [fault(&sealed, 2, VOTE), fault(&sealed, 3, VOTE + 10)];
    let epochs = Answer::ok(&json!({ "changes": changes, "complete_to": 3 }));
    let answers = vec![page(&files[..1], Some("0a")), page(&files[1..], None), epochs];
    let node = FakeNode::start(answers).await;
    let found = sealed.client(&[&node], None).faults().await.unwrap();
    let found: Vec<_> = found.into_iter().map(|one| one.file).collect();
    assert_eq!(found, files);
    let lines: Vec<String> = node.seen().into_iter().map(|one| one.line).collect();
    assert!(lines[1].contains("after=0a") && lines[2].contains("/v1/epochs"), "{lines:?}");
}

#[tokio::test]
async fn a_made_up_fault_is_found_out() {
    let sealed = Sealed::new();
    let good = fault(&sealed, 1, VOTE);
    let with = |change: &dyn Fn(&mut FaultFile)| {
        let mut file = good.clone();
        change(&mut file);
        file
    };
    let lies = [
        (with(&|file| file.second = file.first), "say the same"),
        (with(&|file| file.first.content = Hash([3; 32])), "not valid"),
        (with(&|file| file.institution = institution(3)), "had no seat"),
        (with(&|file| file.chain = Hash([1; 32])), "another version or chain"),
        (fault(&sealed, 1, VOTE + 10), "had no seat"),
    ];
    let epochs = Answer::ok(&json!({ "changes": [], "complete_to": 1 }));
    for (lie, named) in lies {
        let node = FakeNode::start(vec![page(&[lie], None), epochs.clone()]).await;
        let error = sealed.client(&[&node], None).faults().await.unwrap_err();
        let ClientError::Unreachable(tried) = &error else { panic!("{error}") };
        let Failing::Lying(why) = &tried[0].what else { panic!("{error}") };
        assert!(why.contains(named), "{named}: {why}");
    }
    let node = FakeNode::start(vec![page(&[good], Some("/../x"))]).await;
    sealed.client(&[&node], None).faults().await.unwrap_err();
}
