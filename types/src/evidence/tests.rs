use super::*;
use crate::{
    FlowId, Height, Keypair, Text, ValidatorIndex, View,
    body::{Body, ConsentRevoke, RevokedBy},
    merkle::MerklePath,
    record::{DataClass, Phase, Retention, Salt, Subject},
    seal::SealVote,
    submission::IdempotencyKey,
    validator::Validator,
};
use serde_json::{Value, json};

fn record() -> Record {
    Record {
        version: Record::VERSION,
        flow: FlowId([7; 16]),
        seq: 2,
        prev: RecordId([1; 32]),
        phase: Phase::P02,
        occurred_at: Timestamp::new(1_000),
        rule_pack: 1,
        data_class: DataClass::C2,
        level: 3,
        retention: Retention::Log,
        documents: List::empty(),
        body: Body::ConsentRevoke(Box::new(ConsentRevoke {
            subject: Subject([3; 32]),
            at: Timestamp::new(900),
            by: RevokedBy::Controller,
            channel: Text::new("手机银行").unwrap(),
        })),
    }
}

fn header(height: u64) -> Header {
    Header {
        version: Header::VERSION,
        suite: Suite::Blake3Ed25519,
        chain: Hash([9; 32]),
        height: Height::new(height),
        time: Timestamp::new(2_000 + height),
        parent: Hash([8; 32]),
        submission_count: 1,
        submissions_root: Hash([1; 32]),
        record_count: 1,
        outcomes_root: Hash([2; 32]),
        state_root: Hash([3; 32]),
        history_root: Hash([4; 32]),
        validators: Hash([5; 32]),
        next_validators: Hash([6; 32]),
        proposer: ValidatorIndex(0),
    }
}

fn seal() -> Seal {
    let vote = SealVote { validator: ValidatorIndex(1), signature: Signature([1; 64]) };
    Seal { view: View::new(3), votes: List::new(vec![vote]).unwrap() }
}

fn set() -> ValidatorSet {
    let codes = [
        "91100000100003962T",
        "91330100799655058B",
        "5493001KJTIIGC8Y1R12",
        "213800WAVVOPS85N2205",
    ];
    let validators = codes.iter().zip(1u8..).map(|(code, secret)| Validator {
        institution: code.parse().unwrap(),
        key: Keypair::from_secret(&[secret; 32]).public(),
    });
    ValidatorSet::new(List::new(validators.collect()).unwrap()).unwrap()
}

fn file() -> EvidenceFile {
    let place = ShownPlace { index: Index::ZERO, path: MerklePath(List::empty()) };
    EvidenceFile {
        format: Format::Evidence,
        version: EvidenceFile::VERSION,
        suite: Suite::Blake3Ed25519,
        chain: Hash([9; 32]),
        made_at: Timestamp::new(5_000),
        submission: ShownSubmission {
            head: SubmissionHead {
                version: SubmissionHead::VERSION,
                suite: Suite::Blake3Ed25519,
                chain: Hash([9; 32]),
                institution: "91100000100003962T".parse().unwrap(),
                key: Keypair::from_secret(&[1; 32]).public(),
                idempotency_key: IdempotencyKey([2; 16]),
                submitted_at: Timestamp::new(1_100),
                expires_at: Timestamp::new(9_000),
                record_count: 1,
                records_root: Hash([7; 32]),
            },
            signature: Signature([2; 64]),
            place: place.clone(),
        },
        record: record(),
        record_place: place.clone(),
        outcome: Outcome::Accepted { findings: List::empty() },
        outcome_place: place,
        header: header(4),
        seal: seal(),
        anchor: Some(Anchor {
            header: header(9),
            seal: seal(),
            history_path: MerklePath(List::new(vec![Hash([1; 32]); 4]).unwrap()),
        }),
        state: None,
        events: Some(List::new(vec![RecordId([1; 32]), RecordId([2; 32])]).unwrap()),
        sets: List::new(vec![SetChange { header: header(5), seal: seal(), set: set() }]).unwrap(),
        links: List::new(vec![HistoryLink {
            of: Height::new(3),
            size: Height::new(9),
            path: MerklePath(List::new(vec![Hash([5; 32]); 4]).unwrap()),
        }])
        .unwrap(),
        disclosures: List::new(vec![Disclosure {
            field: Text::new("contract_no").unwrap(),
            salt: Salt([4; 32]),
            value: DisclosedValue::Text(Text::new("贷字第1号").unwrap()),
        }])
        .unwrap(),
    }
}

fn parsed(value: &Value) -> Result<Parsed, EvidenceError> {
    EvidenceFile::parse(value.to_string().as_bytes())
}

fn altered(alter: impl FnOnce(&mut Value)) -> Result<Parsed, EvidenceError> {
    let mut value = serde_json::to_value(file()).unwrap();
    alter(&mut value);
    parsed(&value)
}

fn replaced(from: &str, to: &str) -> Result<Parsed, EvidenceError> {
    let text = file().to_json().unwrap();
    assert!(text.contains(from), "{from} is not in the file");
    EvidenceFile::parse(text.replacen(from, to, 1).as_bytes())
}

#[test]
fn a_file_reads_back_as_it_was_written() {
    let text = file().to_json().unwrap();
    assert_eq!(EvidenceFile::parse(text.as_bytes()), Ok(Parsed::Evidence(Box::new(file()))));
    assert_eq!(text, file().to_json().unwrap());
    // Formatting and the order of fields are free.
    let compact = serde_json::to_value(file()).unwrap();
    assert_eq!(parsed(&compact), Ok(Parsed::Evidence(Box::new(file()))));
}

#[test]
fn every_cut_is_refused() {
    let text = file().to_json().unwrap();
    let end = text.trim_end().len();
    for cut in 0..end {
        assert!(EvidenceFile::parse(&text.as_bytes()[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn what_another_reader_might_take_differently_is_refused() {
    let cases = [
        ("\"made_at\":5000", "\"made_at\":5000.0"),
        ("\"made_at\":5000", "\"made_at\":5e3"),
        ("\"made_at\":5000", "\"made_at\":9007199254740992"),
        ("\"made_at\":5000", "\"made_at\":123456789012345678901234567890"),
        ("\"made_at\":5000", "\"made_at\":-0"),
        ("\"seq\":2", "\"seq\":9007199254740993"),
        ("\"made_at\":5000", "\"made_at\":\"5000\""),
        ("\"made_at\":5000", "\"made_at\":5000, \"made_at\":5000"),
        ("\"made_at\":5000", "\"made_at\":5000, \"m\\u0061de_at\":5000"),
        ("\"made_at\"", "\"m\u{430}de_at\""),
        ("\"made_at\":5000", "\"made_at\":5000, \"note\":1"),
        ("\"seq\":2", "\"seq\":2, \"__proto__\":{}"),
        ("\"C2\"", "\"c2\""),
        ("\"C2\"", "{\"C2\":null}"),
        ("\"findings\":[]", "\"findings\":[], \"findings\":[]"),
        ("\"findings\":[]", "\"findings\":{}"),
        ("0909", "090A"),
        ("手机银行", "手机银行\\u202e"),
        ("手机银行", "e\\u0301"),
        ("手机银行", "\\ud800"),
    ];
    for (from, to) in cases {
        assert!(replaced(from, to).is_err(), "{to} was taken");
    }
}

#[test]
fn one_spelling_only() {
    // serde would take an absent field for null, and a list for a struct.
    let absent = altered(|value| {
        value.as_object_mut().unwrap().remove("state");
    });
    assert_eq!(absent, Err(EvidenceError::Spelling));
    let list = altered(|value| value["record_place"] = json!([0, ""]));
    assert_eq!(list, Err(EvidenceError::Spelling));
}

#[test]
fn trailing_data_is_refused() {
    let text = file().to_json().unwrap();
    for tail in ["{}", "x", "\0", ",", &text] {
        assert!(EvidenceFile::parse(format!("{text}{tail}").as_bytes()).is_err());
    }
}

#[test]
fn depth_and_size_are_bounded_before_anything_is_built() {
    let deep = "[".repeat(limits::EVIDENCE_DEPTH + 1);
    assert_eq!(
        EvidenceFile::parse(deep.as_bytes()),
        Err(EvidenceError::TooDeep { max: limits::EVIDENCE_DEPTH })
    );
    let deep = "{\"a\":".repeat(200_000);
    assert!(matches!(EvidenceFile::parse(deep.as_bytes()), Err(EvidenceError::TooDeep { .. })));
    let large = vec![b' '; limits::EVIDENCE_BYTES + 1];
    assert!(matches!(EvidenceFile::parse(&large), Err(EvidenceError::TooLarge { .. })));
    // Brackets in strings do not nest.
    let quoted =
        altered(|value| value["disclosures"][0]["value"] = json!({"text": "[".repeat(99)}));
    assert!(matches!(quoted, Ok(Parsed::Evidence(_))));
}

#[test]
fn lists_are_bounded() {
    let many = altered(|value| {
        value["disclosures"] = json!(vec![value["disclosures"][0].clone(); 65]);
    });
    assert!(many.is_err());
}

#[test]
fn what_is_not_known_is_neither_an_error_nor_taken() {
    let cases: [(&str, Value); 8] = [
        ("/version", json!(2)),
        ("/suite", json!("sm3-sm2")),
        ("/submission/head/version", json!(2)),
        ("/record/version", json!(7)),
        ("/header/version", json!(0)),
        ("/anchor/header/version", json!(2)),
        ("/sets/0/header/version", json!(2)),
        ("/record/body", json!({"supply_chain_voucher": {"x": [1]}})),
    ];
    for (pointer, new) in cases {
        let result = altered(|value| *value.pointer_mut(pointer).unwrap() = new);
        assert!(matches!(result, Ok(Parsed::Unsupported(_))), "{pointer}: {result:?}");
    }
    let shape = altered(|value| value["more"] = json!(1));
    assert!(shape.is_err(), "a known version has no unknown fields");
    let format = altered(|value| value["format"] = json!("probata-genesis"));
    assert!(format.is_err());
}

#[test]
fn what_an_error_quotes_cannot_act_on_a_terminal() {
    let error = altered(|value| value["\u{1b}[2J\u{202e}"] = json!(1)).unwrap_err().to_string();
    assert!(error.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{error}");
    let unknown = altered(|value| value["suite"] = json!("\u{1b}[2J"));
    let Ok(Parsed::Unsupported(unknown)) = unknown else { panic!("{unknown:?}") };
    assert!(!unknown.to_string().contains('\u{1b}'));
}

#[test]
fn disclosed_bytes_open_the_same_commitment_as_the_text() {
    let text = &file().disclosures[0];
    let bytes = HexBytes::new(text.value.as_bytes().to_vec()).unwrap();
    let hex = Disclosure { value: DisclosedValue::Hex(bytes), ..text.clone() };
    let suite = Suite::Blake3Ed25519;
    assert_eq!(text.commitment(suite), hex.commitment(suite));
    let json = serde_json::to_string(&hex).unwrap();
    assert_eq!(serde_json::from_str::<Disclosure>(&json).unwrap(), hex);
    assert!(HexBytes::new(vec![0; 1_025]).is_none());
}
