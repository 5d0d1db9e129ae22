//! Drafts, good and broken.

use super::*;
use crate::{
    case::Case,
    sdk::{Author, FlowWriter},
};
use probata_types::{
    InstitutionId,
    body::Change,
    codec,
    limits::RECORD_BYTES,
    record::{Record, Subject},
};
use std::collections::BTreeSet;

const NOW: Timestamp = Timestamp::new(1_790_000_000_000);
const SUITE: Suite = Suite::Blake3Ed25519;

fn case_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/case")
}

fn key() -> SubjectKey {
    SubjectKey::new([7; 32])
}

fn context<'a>(folder: &'a Path, key: &'a SubjectKey) -> DraftContext<'a> {
    DraftContext {
        suite: SUITE,
        rule_pack: 1,
        utc_offset_minutes: 480,
        now: NOW,
        folder,
        subject_key: Some(key),
    }
}

fn names() -> Names {
    let code = |text: &str| text.parse::<InstitutionId>().unwrap();
    let institutions = [
        ("bank", code("91100000100003962T")),
        ("guarantor", code("91330100799655058B")),
        ("data", code("5493001KJTIIGC8Y1R12")),
        ("court", code("213800WAVVOPS85N2205")),
    ];
    let institutions = institutions.map(|(name, code)| (name.to_owned(), code)).into();
    Names { institutions, ..Names::default() }
}

/// The sample case's drafts, as records of one institution.
fn sample() -> Vec<(Prepared, Record)> {
    let (folder, key) = (case_folder(), key());
    let context = context(&folder, &key);
    let author = Author {
        suite: SUITE,
        chain: probata_types::Hash([9; 32]),
        institution: names().institutions["bank"],
    };
    let mut names = names();
    let case = Case::read(&folder).unwrap();
    case.steps
        .iter()
        .map(|step| {
            let prepared = step.draft.prepare(&context, &mut names).unwrap();
            let mut writer = FlowWriter::new(author, prepared.flow);
            let (_, record) = writer.append(prepared.statement.clone());
            (prepared, record)
        })
        .collect()
}

#[test]
fn the_sample_case_has_every_record_type_of_a_loan_and_every_commitment_opens() {
    let sample = sample();
    let mut types = BTreeSet::new();
    let mut salts = BTreeSet::new();
    for (prepared, record) in &sample {
        types.insert(record.body.record_type());
        assert_eq!(prepared.book.missing_in(record), None, "{}", prepared.name);
        let committed = record.body.commitments().len() + record.documents.len();
        assert_eq!(prepared.book.openings().len(), committed, "{}", prepared.name);
        for opening in prepared.book.openings() {
            assert!(salts.insert(opening.salt), "a salt was used twice");
        }
        assert!(codec::encode(record).len() <= RECORD_BYTES, "{}", prepared.name);
    }
    // Motions, ballots and faults are the consortium's.
    let loans = probata_types::body::RecordType::ALL.iter().filter(|one| one.number() < 10);
    assert_eq!(types.len(), loans.count());
}

#[test]
fn the_drafts_of_a_motion_and_a_ballot_are_records() {
    let folder = case_folder().with_file_name("governance");
    let key = key();
    let context = context(&folder, &key);
    let mut names = names();
    let leaver = names.institutions["court"];
    names.institutions.insert("Example Micro-lender 4".to_owned(), leaver);
    let mut body = |file: &str| {
        let drafts = Draft::read(&folder.join(file)).unwrap();
        let prepared = drafts[0].prepare(&context, &mut names).unwrap();
        assert_eq!((drafts.len(), prepared.statement.phase), (1, Phase::P00));
        prepared.statement.body
    };
    let Body::Motion(motion) = body("motion.json") else { panic!("a motion") };
    let Change::Validators(change) = motion.change else { panic!("of seats") };
    assert_eq!((change.seats.len(), &*change.leave), (0, &[leaver][..]));
    let Body::Ballot(ballot) = body("ballot.json") else { panic!("a ballot") };
    assert!(ballot.approve && ballot.seen.len() == 4);
}

#[test]
fn no_clear_value_of_a_person_is_in_a_record() {
    for (prepared, record) in sample() {
        let text = serde_json::to_string(&record).unwrap();
        for secret in ["330106199002300013", "沈若溪", "19900000000", "6200000000000000000"] {
            assert!(!text.contains(secret), "{}: {secret}", prepared.name);
        }
    }
}

#[test]
fn one_person_has_one_handle_and_two_commitments() {
    let sample = sample();
    let handle = Subject::handle(SUITE, &[7; 32], "330106199002300013");
    let about = sample.iter().filter(|(_, record)| record.body.subjects().contains(&handle));
    assert!(about.count() >= 4);
    let twice = (sample_commitment(&sample), sample_commitment(&self::sample()));
    assert_ne!(twice.0, twice.1, "two commitments to one number can be linked");
}

fn sample_commitment(sample: &[(Prepared, Record)]) -> Commitment {
    let fields = sample.iter().flat_map(|(_, record)| record.body.commitments());
    fields.into_iter().find(|(field, _)| field == "borrowers.0.identifier").unwrap().1
}

#[test]
fn flows_are_shared_by_name_and_fresh_by_new() {
    let mut names = names();
    let one = names.flow("loan").unwrap();
    assert_eq!(names.flow("loan").unwrap(), one);
    assert_ne!(names.flow("other").unwrap(), one);
    assert_ne!(names.flow("new").unwrap(), names.flow("new").unwrap());
    assert_eq!(names.flow(&one.to_string()).unwrap(), one);
}

fn draft(body: &str) -> Draft {
    let json = format!(r#"{{"name":"a","flow":"new","body":{body}}}"#);
    Draft::parse(json.as_bytes()).unwrap().remove(0)
}

fn revoke(subject: &str, at: &str) -> Draft {
    draft(&format!(
        r#"{{"consent_revoke":{{"subject":{subject},"at":{at},"by":"controller","channel":"a"}}}}"#
    ))
}

fn refused(draft: &Draft) -> String {
    let (folder, key) = (case_folder(), key());
    draft.prepare(&context(&folder, &key), &mut names()).unwrap_err().to_string()
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let subject = r#"{"$subject":"x"}"#;
    for (draft, expected) in [
        (revoke(r#"{"$commit":"x"}"#, "1"), "consent_revoke.subject"),
        (revoke(r#"{"$subjekt":"x"}"#, "1"), "there is no $subjekt"),
        (revoke(r#"{"$subject":"x","y":1}"#, "1"), "must stand alone"),
        (revoke(r#"{"$subject":["x"]}"#, "1"), "takes a text"),
        (revoke(r#"{"$flow":"nowhere"}"#, "1"), "no flow named"),
        (revoke(r#"{"$sha256":"no such file"}"#, "1"), "no such file"),
        (revoke(subject, r#"{"$time":"soon"}"#), "not a point in time"),
        (revoke(subject, r#"{"$money":"1.234"}"#), "not an amount"),
        (revoke(subject, "1.5"), "not that of a known record type"),
        (draft(r#"{"loan":{}}"#), "not that of a known record type"),
        (draft(r#"{"consent_revoke":{"subject":1}}"#), "not that of a known record type"),
    ] {
        let error = refused(&draft);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_draft_cannot_write_outside_its_folder() {
    for name in ["", "../a", "a/b", "a.b", "a b", &"a".repeat(65)] {
        let mut draft = revoke(r#"{"$subject":"x"}"#, "1");
        name.clone_into(&mut draft.name);
        assert!(refused(&draft).contains("draft name"), "{name}");
    }
}

#[test]
fn without_the_subject_key_there_is_no_handle() {
    let folder = case_folder();
    let key = key();
    let context = DraftContext { subject_key: None, ..context(&folder, &key) };
    let error = revoke(r#"{"$subject":"x"}"#, "1").prepare(&context, &mut names()).unwrap_err();
    assert!(error.to_string().contains("subject key"), "{error}");
}

#[test]
fn unknown_fields_and_other_forms_are_refused() {
    for json in [
        "",
        "1",
        "{}",
        r#"{"name":"a","flow":"new","body":{},"bdy":1}"#,
        r#"[{"name":"a"}]"#,
        r#"{"name":"a","flow":"new","body":{},"documents":[{"path":"x"}]}"#,
    ] {
        assert!(matches!(Draft::parse(json.as_bytes()), Err(DraftError::Form(_))), "{json}");
    }
}

#[test]
fn a_missing_document_is_named() {
    let mut draft = revoke(r#"{"$subject":"x"}"#, "1");
    draft.bind(PathBuf::from("nowhere.pdf"), DocumentRole::Other);
    assert!(refused(&draft).contains("nowhere.pdf"));
}

#[test]
fn defaults_are_the_usual_ones() {
    let (folder, key) = (case_folder(), key());
    let draft = revoke(r#"{"$subject":"x"}"#, r#"{"$time":"now"}"#);
    let prepared = draft.prepare(&context(&folder, &key), &mut names()).unwrap();
    let Statement { phase, occurred_at, rule_pack, data_class, level, .. } = prepared.statement;
    let got = (phase, occurred_at, rule_pack, data_class, level);
    assert_eq!(got, (Phase::P02, NOW, 1, DataClass::C2, 3));
}
