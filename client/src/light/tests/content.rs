//! Changed documents, records, outcomes, paths, disclosures.

use super::*;
use crate::light::fixtures::{WILL, grant, institution, pair, record};
use probata_types::{
    Hash, Height, Index, List, Outcome, Signature, Text, Timestamp,
    body::Body,
    catalogue,
    evidence::{DisclosedValue, Disclosure},
    outcome::Code,
    record::{Digest256, FlowId, Salt, Subject, document_name_field},
};

/// What fails when the record in the file is not the one signed.
const RECORD_CHANGED: &[&str] =
    &["record_in_submission", "outcome_in_block", "event_history_complete"];

#[test]
fn another_document_gets_the_fixed_wording() {
    let case = Case::new();
    let evidence = case.file.to_json().unwrap();
    let mut other = NOTICE.to_vec();
    other[5] ^= 1;
    let documents = [Given { name: NOTICE_NAME, bytes: &other }];
    let report = verify(&Request {
        evidence: evidence.as_bytes(),
        genesis: Some(&case.chain.genesis),
        documents: &documents,
        ..Request::default()
    });
    assert_inconsistent(&report, &["document:授权书.txt"], Some(Level::E5));
    let text = report.to_string();
    assert!(
        report
            .conclusion
            .zh
            .starts_with("所提交文件与链上摘要不符。不能据此判断系文件被修改或提交了其他文件。")
    );
    assert!(!text.contains("被篡改"), "a wrong file is never called tampered with");
}

#[test]
fn an_extra_document_is_another_file() {
    let case = Case::new();
    let evidence = case.file.to_json().unwrap();
    let documents = [DOCUMENTS[0], Given { name: "x.pdf", bytes: b"x" }];
    let report = verify(&Request {
        evidence: evidence.as_bytes(),
        genesis: Some(&case.chain.genesis),
        documents: &documents,
        ..Request::default()
    });
    assert_inconsistent(&report, &["document:x.pdf"], Some(Level::E5));
    assert_eq!(status_of(&report, "document:授权书.txt"), Status::Passed);
}

#[test]
fn all_digests_of_a_document_must_match() {
    // Each one alone, in a record that the institution really signed that way.
    for spoil in 0..3 {
        let mut chain = Chain::new("test");
        let mut spoiled = record(FlowId([1; 16]), 1, RecordId::NONE, grant());
        let document = &mut spoiled.documents.as_mut_slice()[0];
        match spoil {
            0 => document.sha256 = Digest256([0; 32]),
            1 => document.sm3 = Digest256([0; 32]),
            _ => document.length += 1,
        }
        let submission = chain.submit(1, vec![spoiled]);
        let id = submission.record_ids()[0];
        chain.seal(vec![submission]);
        let report = examine(&chain.evidence(id, 1), Some(&chain.genesis));
        assert_inconsistent(&report, &["document:授权书.txt"], Some(Level::E5));
    }
}

#[test]
fn a_changed_record_fails() {
    let mut case = Case::new();
    case.file.record.occurred_at = Timestamp::new(1);
    assert_inconsistent(&case.examine(), RECORD_CHANGED, None);
    let mut case = Case::new();
    let Body::ConsentGrant(body) = &mut case.file.record.body else { panic!("a grant") };
    body.subject = Subject([4; 32]);
    assert_inconsistent(&case.examine(), RECORD_CHANGED, None);
}

#[test]
fn a_changed_head_fails_the_signature() {
    let mut case = Case::new();
    case.file.submission.head.submitted_at = Timestamp::new(1);
    let checks = ["submission_signature", "submission_in_block", "outcome_in_block"];
    assert_inconsistent(&case.examine(), &checks, None);
}

#[test]
fn a_changed_signature_fails() {
    let mut case = Case::new();
    case.file.submission.signature.0[40] ^= 1;
    assert_inconsistent(&case.examine(), &["submission_signature", "submission_in_block"], None);
    // s + L, the same scalar: the classic malleability.
    let mut case = Case::new();
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0u16;
    for (byte, more) in case.file.submission.signature.0[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert_inconsistent(&case.examine(), &["submission_signature", "submission_in_block"], None);
    let mut case = Case::new();
    case.file.submission.signature = Signature([0; 64]);
    assert_inconsistent(&case.examine(), &["submission_signature", "submission_in_block"], None);
}

#[test]
fn another_institution_cannot_take_a_record_over() {
    let mut case = Case::new();
    let head = &mut case.file.submission.head;
    head.institution = institution(2);
    head.key = pair(2, 1).public();
    case.file.submission.signature = pair(2, 1).sign(&Hash(case.file.submission.head.id().0));
    let report = case.examine();
    let checks = [
        "record_in_submission",
        "submission_in_block",
        "outcome_in_block",
        "flow_state",
        "institution_state",
        "key_valid_at_height",
        "event_history_complete",
    ];
    assert_inconsistent(&report, &checks, None);
}

#[test]
fn a_changed_outcome_fails() {
    let mut case = Case::new();
    let findings = List::new(vec![Code(1_001)]).unwrap();
    case.file.outcome = Outcome::Accepted { findings };
    assert_inconsistent(&case.examine(), &["outcome_in_block"], Some(Level::E1));
}

#[test]
fn a_rejected_record_is_provably_rejected_and_cannot_pass_as_accepted() {
    let mut chain = Chain::new("test");
    let submission = chain.submit(1, vec![record(FlowId([1; 16]), 1, RecordId::NONE, grant())]);
    let id = submission.record_ids()[0];
    let code = catalogue::failure::ALL[0].code;
    chain.seal_with(vec![submission], vec![Outcome::Rejected { code }]);
    let mut file = chain.evidence(id, 1);
    assert!(file.state.is_none(), "a flow without accepted records does not exist");
    let report = examine(&file, Some(&chain.genesis));
    assert_inconsistent(&report, &["outcome_is_accepted"], Some(Level::E1));
    assert_eq!(status_of(&report, "outcome_in_block"), Status::Passed);
    let rejection = report.summary.unwrap().outcome.rejection.unwrap();
    assert_eq!(rejection.name, catalogue::failure::ALL[0].name);
    file.outcome = Outcome::Accepted { findings: List::empty() };
    let report = examine(&file, Some(&chain.genesis));
    assert_inconsistent(&report, &["outcome_in_block"], Some(Level::E1));
}

#[test]
fn findings_of_the_chain_are_told() {
    let mut chain = Chain::new("test");
    let submission = chain.submit(1, vec![record(FlowId([1; 16]), 1, RecordId::NONE, grant())]);
    let id = submission.record_ids()[0];
    let entry = &catalogue::finding::ALL[0];
    let findings = List::new(vec![entry.code, Code(59_999)]).unwrap();
    chain.seal_with(vec![submission], vec![Outcome::Accepted { findings }]);
    let report = examine(&chain.evidence(id, 1), Some(&chain.genesis));
    assert_eq!(report.verdict, Verdict::ConsistentWithFindings, "{report}");
    assert_eq!(report.verdict.exit_code(), 0);
    assert_eq!(report.level, Some(Level::E5));
    let names: Vec<&str> = report.findings.iter().map(|finding| &*finding.name).collect();
    assert_eq!(names, [entry.name, "UNKNOWN"]);
    assert_eq!(report.findings[0].zh, entry.zh);
}

#[test]
fn changed_paths_fail_each_by_its_name() {
    type Spoil = fn(&mut EvidenceFile) -> &mut [Hash];
    let cases: [(&str, Spoil, Option<Level>); 6] = [
        ("record_in_submission", |f| f.record_place.path.0.as_mut_slice(), None),
        ("submission_in_block", |f| f.submission.place.path.0.as_mut_slice(), Some(Level::E1)),
        ("outcome_in_block", |f| f.outcome_place.path.0.as_mut_slice(), Some(Level::E1)),
        (
            "history_path",
            |f| f.anchor.as_mut().unwrap().history_path.0.as_mut_slice(),
            Some(Level::E2),
        ),
        (
            "flow_state",
            |f| f.state.as_mut().unwrap().flow.path.siblings.as_mut_slice(),
            Some(Level::E4),
        ),
        (
            "institution_state",
            |f| f.state.as_mut().unwrap().institution.path.siblings.as_mut_slice(),
            Some(Level::E4),
        ),
    ];
    for (check, siblings, level) in cases {
        let mut case = Case::new();
        siblings(&mut case.file)[0].0[0] ^= 1;
        assert_inconsistent(&case.examine(), &[check], level);
    }
}

#[test]
fn paths_have_one_length_and_one_place() {
    let mut case = Case::new();
    let extra = Hash([1; 32]);
    case.file.outcome_place.path.0.push(extra).unwrap();
    assert_inconsistent(&case.examine(), &["outcome_in_block"], Some(Level::E1));
    let mut case = Case::new();
    case.file.outcome_place.path.0 = List::empty();
    assert_inconsistent(&case.examine(), &["outcome_in_block"], Some(Level::E1));
    for index in [0, 2, 3, 4, u64::from(u32::MAX)] {
        let mut case = Case::new();
        assert_ne!(case.file.outcome_place.index.get(), index);
        case.file.outcome_place.index = Index::new(index);
        assert_inconsistent(&case.examine(), &["outcome_in_block"], Some(Level::E1));
    }
}

#[test]
fn a_record_cannot_move_to_another_block() {
    let mut case = Case::new();
    let later = case.chain.evidence(case.records[1], 5);
    case.file.header = later.header;
    case.file.seal = later.seal;
    let report = case.examine();
    assert_eq!(report.verdict, Verdict::Inconsistent);
    assert!(failed(&report).contains(&"outcome_in_block"), "{report}");
    assert_eq!(report.level, Some(Level::E1));
}

#[test]
fn an_expired_submission_was_not_to_be_sealed() {
    let mut chain = Chain::new("test");
    let submission = chain.submit(1, vec![record(FlowId([1; 16]), 1, RecordId::NONE, grant())]);
    let id = submission.record_ids()[0];
    chain.heartbeats(400);
    chain.seal(vec![submission]);
    let report = examine(&chain.evidence(id, 401), Some(&chain.genesis));
    assert_inconsistent(&report, &["sealed_before_expiry"], Some(Level::E1));
}

fn disclose(field: &str, salt: u8, value: &str) -> Disclosure {
    Disclosure {
        field: Text::new(field).unwrap(),
        salt: Salt([salt; 32]),
        value: DisclosedValue::Text(Text::new(value).unwrap()),
    }
}

#[test]
fn disclosures_open_their_own_commitments_only() {
    let name = document_name_field(0);
    let mut case = Case::new();
    let good = vec![disclose(&name, 11, NOTICE_NAME), disclose("will.proof", 12, WILL)];
    case.file.disclosures = List::new(good).unwrap();
    let report = case.examine();
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert!(report.to_string().contains(WILL));

    let bad = [
        // Salts swapped between fields.
        vec![disclose(&name, 12, NOTICE_NAME), disclose("will.proof", 11, WILL)],
        // Values swapped with their salts.
        vec![disclose(&name, 12, WILL), disclose("will.proof", 11, NOTICE_NAME)],
        // Another value; a field that the record does not have.
        vec![disclose(&name, 11, "别的.txt"), disclose("nothing", 1, "x")],
    ];
    for pair in bad {
        let mut case = Case::new();
        let names: Vec<String> =
            pair.iter().map(|one| format!("disclosure:{}", &*one.field)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        case.file.disclosures = List::new(pair).unwrap();
        assert_inconsistent(&case.examine(), &names, Some(Level::E5));
    }
}

#[test]
fn heights_at_the_end_of_numbers_do_no_harm() {
    let mut case = Case::new();
    case.file.header.height = Height::MAX;
    case.file.anchor.as_mut().unwrap().header.height = Height::MAX;
    assert_eq!(case.examine().verdict, Verdict::Inconsistent);
    let mut case = Case::new();
    case.file.header.height = Height::ZERO;
    assert_eq!(case.examine().verdict, Verdict::Inconsistent);
}
