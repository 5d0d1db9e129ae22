//! One test for each attack that an evidence file must stand, with its verdict, the check that
//! fails and the level that is left.

mod content;
mod forks;
mod history;
mod missing;
mod parsing;
mod pinned;
mod validators;

use super::{
    Given, Level, Report, Request, Status, Verdict,
    fixtures::{Chain, NOTICE, NOTICE_NAME},
    verify, verify_file,
};
use probata_genesis::Genesis;
use probata_types::{EvidenceFile, RecordId};

/// The notice, as the holder brings it.
const DOCUMENTS: &[Given<'_>] = &[Given { name: NOTICE_NAME, bytes: NOTICE }];

/// A case, the genuine file of its first record anchored before the withdrawal, and its records.
struct Case {
    chain: Chain,
    records: [RecordId; 3],
    file: EvidenceFile,
}

impl Case {
    fn new() -> Self {
        let (chain, records) = Chain::with_a_case();
        let file = chain.evidence(records[0], 5);
        Self { chain, records, file }
    }

    /// Examines the file as it now is, with genesis and document.
    fn examine(&self) -> Report {
        examine(&self.file, Some(&self.chain.genesis))
    }
}

fn examine(file: &EvidenceFile, genesis: Option<&Genesis>) -> Report {
    let evidence = file.to_json().unwrap();
    let evidence = evidence.as_bytes();
    verify(&Request { evidence, genesis, documents: DOCUMENTS, ..Request::default() })
}

/// The names of the checks that failed.
fn failed(report: &Report) -> Vec<&str> {
    let failed = report.checks.iter().filter(|check| check.status == Status::Failed);
    failed.map(|check| check.predicate.as_str()).collect()
}

/// Asserts that the file is refused by exactly these checks, and what level is left.
#[track_caller]
fn assert_inconsistent(report: &Report, checks: &[&str], level: Option<Level>) {
    assert_eq!(failed(report), checks, "{report}");
    assert_eq!((report.verdict, report.level), (Verdict::Inconsistent, level), "{report}");
    assert_eq!(report.verdict.exit_code(), 1);
}

#[track_caller]
fn status_of(report: &Report, predicate: &str) -> Status {
    report.check(predicate).unwrap_or_else(|| panic!("no check {predicate}")).status
}

#[test]
fn a_genuine_file_is_consistent_at_the_highest_level() {
    let case = Case::new();
    let report = case.examine();
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert_eq!((report.level, report.why_not_next.as_str()), (Some(Level::E5), ""));
    assert!(report.checks.iter().all(|check| check.status == Status::Passed), "{report}");
    assert_eq!(report.verdict.exit_code(), 0);
    let summary = report.summary.unwrap();
    assert_eq!(summary.record, case.records[0]);
    assert_eq!(summary.height.get(), 2);
    assert_eq!(summary.submitter.name.unwrap().zh, "机构1");
    assert_eq!(summary.status.unwrap().en, "Consent: active");
    assert_eq!(summary.times.lag_ms, 19_500);
}

#[test]
fn a_fresh_file_is_its_own_anchor() {
    let mut case = Case::new();
    case.file = case.chain.evidence(case.records[0], 2);
    assert!(case.file.anchor.is_none());
    let report = case.examine();
    assert_eq!((report.verdict, report.level), (Verdict::Consistent, Some(Level::E5)), "{report}");
}

#[test]
fn every_record_of_the_case_verifies_at_every_anchor() {
    let (chain, records) = Chain::with_a_case();
    for (record, height) in records.into_iter().zip([2, 4, 6]) {
        for anchor in height..=chain.height().get() {
            let report = examine(&chain.evidence(record, anchor), Some(&chain.genesis));
            let revoked = anchor >= 6;
            let expected =
                if revoked { Verdict::ConsistentWithFindings } else { Verdict::Consistent };
            assert_eq!((report.verdict, report.level), (expected, Some(Level::E5)), "{report}");
        }
    }
}

#[test]
fn the_report_has_both_languages_its_limits_and_stable_json() {
    let report = Case::new().examine();
    let text = report.to_string();
    for expected in [
        "一致 CONSISTENT",
        "比对结果一致,上链后未被篡改。",
        "局限 Limits",
        "不证明上链前内容的真实",
        "机构1 Institution 1",
        "E2 R13 block_seal [通过 passed]",
        "授权书.txt: 一致 matches",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["verdict"], "consistent");
    assert_eq!(json["level"], "E5");
    assert_eq!(json["checks"][0]["predicate"], "file_is_well_formed");
    assert_eq!(json["checks"][0]["status"], "passed");
    assert_eq!(json["documents"][0]["role"], "consent_notice");
    assert_eq!(serde_json::to_string(&report).unwrap(), serde_json::to_string(&report).unwrap());
}

#[test]
fn explain_leads_to_every_signed_digest() {
    let case = Case::new();
    assert!(case.examine().explain.is_empty(), "only who asks is told");
    let genesis = Some(&case.chain.genesis);
    let request = Request { genesis, documents: DOCUMENTS, explain: true, ..Request::default() };
    let report = verify_file(&case.file, &request);
    let value = |name: &str| {
        let line = report.explain.iter().find(|line| line.name == name);
        line.unwrap_or_else(|| panic!("no line {name}")).value.clone()
    };
    let last = |prefix: &str| {
        let line = report.explain.iter().rfind(|line| line.name.starts_with(prefix));
        line.unwrap().value.clone()
    };
    assert_eq!(value("record.id"), case.records[0].to_string());
    assert_eq!(last("records.step."), value("records.root.signed"));
    assert_eq!(last("submissions.step."), value("submissions.root.sealed"));
    assert_eq!(last("outcomes.step."), value("outcomes.root.sealed"));
    assert_eq!(last("history.step."), value("history.root.sealed"));
    assert_eq!(last("flow.step."), value("state.root.sealed"));
    assert_eq!(last("institution.step."), value("state.root.sealed"));
    assert_eq!(last("events."), case.file.state.as_ref().unwrap().flow.value.head.to_string());
    assert!(report.explain_text().lines().count() == report.explain.len());
}
