//! What is missing or unknown is neither a pass nor a failure.

use super::*;
use crate::light::verify_file;
use probata_types::Timestamp;
use serde_json::{Value, json};

#[track_caller]
fn assert_indeterminate(report: &Report, missing: &str) {
    assert_eq!(report.verdict, Verdict::Indeterminate, "{report}");
    assert_eq!(failed(report), [""; 0], "{report}");
    assert_eq!(report.verdict.exit_code(), 2);
    assert_eq!(report.conclusion.zh, format!("缺少{missing},未作判断。"));
}

#[test]
fn without_the_genesis_what_can_run_runs() {
    let case = Case::new();
    let report = examine(&case.file, None);
    assert_indeterminate(&report, "创世文件");
    assert_eq!(report.level, Some(Level::E1));
    for (check, status) in [
        ("submission_signature", Status::Passed),
        ("outcome_in_block", Status::Passed),
        ("history_path", Status::Passed),
        ("flow_state", Status::Passed),
        ("document:授权书.txt", Status::Passed),
        ("block_seal", Status::NotRun),
        ("anchor_seal", Status::NotRun),
        ("chain_is_the_genesis", Status::NotRun),
        ("validators_follow_from_genesis", Status::NotRun),
    ] {
        assert_eq!(status_of(&report, check), status, "{check}");
    }
    assert!(report.summary.unwrap().submitter.name.is_none());
}

#[test]
fn without_the_genesis_a_failure_is_still_a_failure() {
    let mut case = Case::new();
    case.file.record.seq = 9;
    assert_eq!(examine(&case.file, None).verdict, Verdict::Inconsistent);
}

#[test]
fn a_missing_document_is_missing() {
    let case = Case::new();
    let evidence = case.file.to_json().unwrap();
    let report = verify(&Request {
        evidence: evidence.as_bytes(),
        genesis: Some(&case.chain.genesis),
        ..Request::default()
    });
    assert_indeterminate(&report, "原文件");
    assert_eq!(report.level, Some(Level::E5));
    assert_eq!(status_of(&report, "document:#0"), Status::NotPresent);
}

#[test]
fn unknown_kinds_are_not_judged() {
    let cases = [
        ("/suite", json!("sm3-sm2"), "算法或格式版本"),
        ("/version", json!(2), "算法或格式版本"),
        ("/header/version", json!(2), "算法或格式版本"),
        ("/record/body", json!({"supply_chain_voucher": {}}), "记录类型"),
    ];
    for (pointer, new, missing) in cases {
        let case = Case::new();
        let mut value: Value = serde_json::to_value(&case.file).unwrap();
        *value.pointer_mut(pointer).unwrap() = new;
        let report = verify(&Request {
            evidence: value.to_string().as_bytes(),
            genesis: Some(&case.chain.genesis),
            documents: DOCUMENTS,
            ..Request::default()
        });
        assert_eq!(report.verdict, Verdict::Indeterminate, "{report}");
        assert!(report.conclusion.zh.contains(missing), "{}", report.conclusion.zh);
        assert_eq!(report.level, None);
        assert!(report.checks.iter().all(|check| check.status == Status::NotRun));
    }
}

#[test]
fn a_file_that_was_read_elsewhere_is_judged_the_same_way() {
    let mut case = Case::new();
    let request =
        Request { genesis: Some(&case.chain.genesis), documents: DOCUMENTS, ..Request::default() };
    assert_eq!(verify_file(&case.file, &request), case.examine());
    case.file.header.version = 2;
    let report = verify_file(&case.file, &request);
    assert_eq!((report.verdict, report.level), (Verdict::Indeterminate, None), "{report}");
}

fn as_of(case: &Case, as_of: Timestamp) -> Report {
    let evidence = case.file.to_json().unwrap();
    verify(&Request {
        evidence: evidence.as_bytes(),
        genesis: Some(&case.chain.genesis),
        documents: DOCUMENTS,
        as_of: Some(as_of),
        ..Request::default()
    })
}

#[test]
fn as_of_a_day_means_what_was_known_then() {
    let case = Case::new();
    let (sealed, anchored) = (case.file.header.time, case.file.anchor_header().time);
    assert_eq!(as_of(&case, anchored).verdict, Verdict::Consistent);
    assert_eq!(as_of(&case, Timestamp::MAX).verdict, Verdict::Consistent);
    for between in [sealed, Timestamp::new(anchored.get() - 1)] {
        let report = as_of(&case, between);
        assert_eq!(report.verdict, Verdict::ConsistentWithFindings);
        assert_eq!(report.findings[0].name, "STATUS_AFTER_AS_OF");
    }
    let before = Timestamp::new(sealed.get() - 1);
    assert_indeterminate(&as_of(&case, before), "截至所询日期的记录");
}

#[test]
fn a_file_on_another_record_is_not_the_one_asked_for() {
    let case = Case::new();
    let evidence = case.file.to_json().unwrap();
    let request = Request {
        evidence: evidence.as_bytes(),
        genesis: Some(&case.chain.genesis),
        documents: DOCUMENTS,
        record: Some(case.records[0]),
        ..Request::default()
    };
    assert_eq!(verify(&request).verdict, Verdict::Consistent);
    let report = verify(&Request { record: Some(case.records[1]), ..request });
    assert_inconsistent(&report, &["record_is_the_one_asked_for"], Some(Level::E5));
}
