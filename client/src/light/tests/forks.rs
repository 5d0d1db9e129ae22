//! Two valid seals at one height.

use super::*;
use crate::light::{
    SealedHeader, compare,
    fixtures::{Options, seal_of},
};
use probata_types::{Hash, Header, Height, Seal};

fn sealed(header: &Header, seal: &Seal) -> SealedHeader {
    SealedHeader { header: header.clone(), seal: seal.clone() }
}

/// A rival of the block of a height, sealed by a quorum.
fn rival(case: &Case, height: u64) -> SealedHeader {
    let height = Height::new(height);
    let mut header = case.chain.block(height).header.clone();
    header.state_root = Hash([9; 32]);
    let seal = seal_of(&header, case.chain.set(height), &Options::default());
    SealedHeader { header, seal }
}

fn with_second_source(case: &Case, other: &SealedHeader) -> Report {
    let evidence = case.file.to_json().unwrap();
    verify(&Request {
        evidence: evidence.as_bytes(),
        genesis: Some(&case.chain.genesis),
        documents: DOCUMENTS,
        second_source: Some(other),
        ..Request::default()
    })
}

#[test]
fn a_rival_of_the_block_or_of_the_anchor_is_a_fork() {
    let case = Case::new();
    for height in [2, 5] {
        let other = rival(&case, height);
        let report = with_second_source(&case, &other);
        assert_eq!(report.verdict, Verdict::Forked, "{report}");
        assert_eq!(report.verdict.exit_code(), 3);
        let fork = report.fork.as_ref().unwrap();
        assert_eq!(fork.second, other);
        assert_eq!(fork.first.header, case.chain.block(Height::new(height)).header);
        assert!(report.conclusion.zh.starts_with("发现同一高度两个有效签名区块头"));
        assert!(report.to_string().contains(&fork.second.header.hash().to_string()));
    }
}

#[test]
fn a_second_source_that_agrees_passes() {
    let case = Case::new();
    let block = case.chain.block(Height::new(5));
    let report = with_second_source(&case, &sealed(&block.header, &block.seal));
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert_eq!(status_of(&report, "second_source"), Status::Passed);
    // The same header sealed in a later view is the same block.
    let again = seal_of(
        &block.header,
        case.chain.set(Height::new(5)),
        &Options { view: 99, voters: vec![1, 2, 3] },
    );
    let report = with_second_source(&case, &sealed(&block.header, &again));
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
}

#[test]
fn a_second_source_that_says_nothing_leaves_the_question_open() {
    let case = Case::new();
    let block = case.chain.block(Height::new(4));
    let elsewhere = sealed(&block.header, &block.seal);
    let mut unsealed = rival(&case, 5);
    unsealed.seal.votes.as_mut_slice()[0].signature.0[0] ^= 1;
    for other in [elsewhere, unsealed] {
        let report = with_second_source(&case, &other);
        assert_eq!(report.verdict, Verdict::Indeterminate, "{report}");
        assert_eq!(status_of(&report, "second_source"), Status::NotRun);
    }
}

#[test]
fn a_fork_inside_the_file_is_seen() {
    let mut case = Case::new();
    let other = rival(&case, 2);
    let anchor = case.file.anchor.as_mut().unwrap();
    anchor.header = other.header;
    anchor.seal = other.seal;
    assert_eq!(case.examine().verdict, Verdict::Forked);
}

#[test]
fn only_valid_rivals_of_one_height_are_a_fork() {
    let case = Case::new();
    let set = case.chain.set(Height::new(5));
    let block = case.chain.block(Height::new(5));
    let ours = sealed(&block.header, &block.seal);
    let other = rival(&case, 5);
    assert!(compare(&ours, &other, set).is_some());
    assert!(compare(&ours, &ours, set).is_none());
    assert!(compare(&ours, &rival(&case, 4), set).is_none());
    let mut weak = other;
    weak.seal.votes = Default::default();
    assert!(compare(&ours, &weak, set).is_none());
    assert!(compare(&weak, &ours, set).is_none());
}
