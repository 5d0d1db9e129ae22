use super::*;
use crate::fixtures::{SUITE, consent, flow, pair, sign, submission};
use probata_types::{
    Height, List, RecordId, Signature, Timestamp, ValidatorIndex, submission::SubmissionError,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

const CHAIN: Hash = Hash([3; 32]);
const AT: Timestamp = Timestamp::new(1_790_000_000_000);

static GOOD: LazyLock<Submission> = LazyLock::new(|| one(1));

fn one(key: u64) -> Submission {
    let first = consent(1, flow(1), 1, RecordId::NONE, AT);
    submission(CHAIN, 1, key, AT, vec![first])
}

fn edge() -> Edge {
    Edge::new(CHAIN, Arc::default())
}

fn json_of(submission: &Submission) -> Value {
    serde_json::to_value(submission).unwrap()
}

fn receive(encoding: Encoding, bytes: &[u8]) -> Result<Verified<Submission>, EdgeError> {
    edge().check(parse(encoding, bytes)?)
}

fn receive_json(value: &Value) -> Result<Verified<Submission>, EdgeError> {
    receive(Encoding::Json, &serde_json::to_vec(value).unwrap())
}

#[tokio::test]
async fn both_encodings_give_the_same_submission() {
    let edge = Arc::new(edge());
    let json = edge.read(Encoding::Json, serde_json::to_vec(&*GOOD).unwrap());
    let json = json.await.unwrap();
    let canonical = edge.read(Encoding::Canonical, codec::encode(&*GOOD));
    assert_eq!(json, *GOOD);
    assert_eq!(json, canonical.await.unwrap());
    let checked = edge.receive(vec![json]).await.unwrap();
    assert_eq!(checked, [Ok(Verified::assume(GOOD.clone()))]);
}

#[test]
fn content_types_name_encodings() {
    let of = Encoding::of_content_type;
    assert_eq!(of("application/json"), Some(Encoding::Json));
    assert_eq!(of("Application/JSON; charset=utf-8"), Some(Encoding::Json));
    assert_eq!(of("application/octet-stream"), Some(Encoding::Canonical));
    for other in ["", "text/plain", "application/jsonx", "application/json2", "*/*"] {
        assert_eq!(of(other), None, "{other}");
    }
}

#[test]
fn what_is_not_the_json_of_a_submission_is_refused() {
    let text = String::from_utf8(serde_json::to_vec(&*GOOD).unwrap()).unwrap();
    let doubled = text.replacen("\"head\":", "\"signature\":\"00\",\"head\":", 1);
    let cases: Vec<(&str, String)> = vec![
        ("empty", String::new()),
        ("null", "null".into()),
        ("list", "[]".into()),
        ("object", "{}".into()),
        ("number", "1".into()),
        ("text", "\"x\"".into()),
        ("cut short", text[..text.len() - 1].into()),
        ("cut in the middle", text[..text.len() / 2].into()),
        ("trailing data", format!("{text} {{}}")),
        ("doubled field", doubled),
        ("comment", format!("/* */{text}")),
        ("lone surrogate", text.replacen("\"app\"", "\"\\ud800\"", 1)),
        ("control character", text.replacen("\"app\"", "\"a\\u0000p\"", 1)),
        ("direction mark", text.replacen("\"app\"", "\"a\\u202ep\"", 1)),
        ("not NFC", text.replacen("\"app\"", "\"e\\u0301\"", 1)),
        ("upper-case hex", text.replacen(&GOOD.head.key.to_string(), &"AB".repeat(32), 1)),
        ("number as text", text.replacen("\"seq\":1", "\"seq\":\"1\"", 1)),
        ("float", text.replacen("\"seq\":1", "\"seq\":1.0", 1)),
        ("negative", text.replacen("\"seq\":1", "\"seq\":-1", 1)),
        ("exponent", text.replacen("\"seq\":1", "\"seq\":1e0", 1)),
        ("huge number", text.replacen("\"seq\":1", "\"seq\":99999999999999999999999", 1)),
        ("unsafe number", text.replacen(&AT.to_string(), "9007199254740993", 1)),
        (
            "wrong check digit",
            text.replacen(GOOD.head.institution.as_str(), "TEST0000000000000000", 1),
        ),
        ("unknown variant", text.replacen("consent_grant", "consent_give", 1)),
        (
            "two variants",
            text.replacen("{\"consent_grant\"", "{\"model_training\":{},\"consent_grant\"", 1),
        ),
    ];
    for (what, text) in cases {
        let result = receive(Encoding::Json, text.as_bytes());
        assert!(matches!(result, Err(EdgeError::Json(_))), "{what}: {result:?}");
    }
    let result = receive(Encoding::Json, b"\xff\xfe{}");
    assert!(matches!(result, Err(EdgeError::Json(_))), "{result:?}");
}

#[test]
fn unknown_fields_are_refused_at_every_level() {
    for path in ["", "/head", "/records/0", "/records/0/body/consent_grant"] {
        let mut value = json_of(&GOOD);
        let place = value.pointer_mut(path).unwrap().as_object_mut().unwrap();
        place.insert("extra".into(), json!(1));
        let result = receive_json(&value);
        assert!(matches!(&result, Err(EdgeError::Json(why)) if why.contains("extra")), "{path}");
    }
}

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    let max = limits::SUBMISSION_JSON_DEPTH;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(receive(Encoding::Json, deep.as_bytes()), Err(EdgeError::TooDeep { max }));
        let unclosed = open.repeat(1_000_000);
        assert_eq!(receive(Encoding::Json, unclosed.as_bytes()), Err(EdgeError::TooDeep { max }));
    }
    assert_eq!(nesting(br#"{"a":"[[[[\"[[[","b":[{}]}"#), 3);
    assert!(nesting(&serde_json::to_vec(&*GOOD).unwrap()) <= max / 2);
}

#[test]
fn too_many_bytes_are_refused() {
    for encoding in [Encoding::Json, Encoding::Canonical] {
        let max = encoding.max_bytes();
        let bytes = vec![b' '; max + 1];
        assert_eq!(receive(encoding, &bytes), Err(EdgeError::TooLarge { got: max + 1, max }));
    }
}

#[test]
fn canonical_bytes_have_one_spelling() {
    let bytes = codec::encode(&*GOOD);
    for cut in [0, 1, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        let result = receive(Encoding::Canonical, &bytes[..cut]);
        assert!(matches!(result, Err(EdgeError::Canonical(_))), "cut at {cut}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    let result = receive(Encoding::Canonical, &longer);
    assert!(matches!(result, Err(EdgeError::Canonical(CodecError::Trailing(1)))), "{result:?}");
    // A claim of more records than there are bytes allocates nothing.
    let mut many = bytes;
    let at = many.len() - codec::encode(&GOOD.records).len();
    many[at..at + 8].copy_from_slice(&u64::MAX.to_be_bytes());
    assert!(matches!(receive(Encoding::Canonical, &many), Err(EdgeError::Canonical(_))));
}

#[test]
fn what_is_signed_must_hold() {
    use SubmissionError as E;
    let change = |change: &dyn Fn(&mut Submission)| {
        let mut changed = GOOD.clone();
        change(&mut changed);
        edge().check(sign(changed.head.clone(), 1, changed.records.to_vec())).unwrap_err()
    };
    let chain = Hash([4; 32]);
    assert_eq!(change(&|s| s.head.chain = chain), E::Chain { got: chain, expected: CHAIN }.into());
    assert_eq!(change(&|s| s.head.version = 2), E::Version(2).into());
    assert_eq!(change(&|s| s.records = List::empty()), E::Empty.into());
    assert_eq!(change(&|s| s.head.record_count = 2), E::Count { stated: 2, got: 1 }.into());
    assert_eq!(change(&|s| s.head.records_root = chain), E::Root.into());
    assert_eq!(change(&|s| s.records.as_mut_slice()[0].seq = 2), E::Root.into());
    assert_eq!(change(&|s| s.records.as_mut_slice()[0].version = 2), E::Version(2).into());
    assert_eq!(change(&|s| s.head.expires_at = s.head.submitted_at), E::Expiry.into());
}

#[test]
fn a_signature_is_of_its_key_and_its_content() {
    let wrong = |change: &dyn Fn(&mut Submission)| {
        let mut changed = GOOD.clone();
        change(&mut changed);
        assert_eq!(edge().check(changed), Err(SubmissionError::Signature.into()));
    };
    wrong(&|s| s.signature.0[0] ^= 1);
    wrong(&|s| s.signature.0[63] ^= 0x80);
    wrong(&|s| s.signature = Signature([0; 64]));
    wrong(&|s| s.head.key = pair(2, 1).public());
    wrong(&|s| s.head.submitted_at = s.head.submitted_at.previous().unwrap());
    wrong(&|s| s.signature = one(2).signature);
}

#[test]
fn what_waits_vouches_for_head_and_signature_only() {
    let edge = edge();
    edge.bodies.add([GOOD.clone()]);
    let mut changed = GOOD.clone();
    changed.records.as_mut_slice()[0].level = 4;
    assert_eq!(edge.check(changed), Err(SubmissionError::Root.into()));
    let mut changed = GOOD.clone();
    changed.signature.0[0] ^= 1;
    assert_eq!(edge.check(changed), Err(SubmissionError::Signature.into()));
    edge.check(GOOD.clone()).unwrap();
}

#[test]
fn each_of_many_is_judged_for_itself() {
    let good: Vec<Submission> = (0..20).map(one).collect();
    let mut some = good.clone();
    some[3].signature.0[0] ^= 1;
    some[7].records.as_mut_slice()[0].level = 4;
    some[11].head.key = pair(2, 1).public();
    let checked = edge().check_each(some);
    for (at, checked) in checked.into_iter().enumerate() {
        match at {
            3 | 11 => assert_eq!(checked, Err(SubmissionError::Signature.into())),
            7 => assert_eq!(checked, Err(SubmissionError::Root.into())),
            _ => assert_eq!(*checked.unwrap(), good[at]),
        }
    }
}

fn proposal(submissions: Vec<Submission>) -> Proposal {
    Proposal::from(probata_types::ProposalParts {
        suite: SUITE,
        chain: CHAIN,
        height: Height::new(1),
        parent: CHAIN,
        time: AT,
        proposer: ValidatorIndex(0),
        submissions: List::new(submissions).unwrap(),
    })
}

#[test]
fn a_proposal_stands_if_each_submission_does() {
    let edge = edge();
    edge.check_proposal(&proposal(vec![])).unwrap();
    let submissions: Vec<_> = (0..limits::CHECK_SHARE as u64 + 40).map(one).collect();
    let last = submissions.len() - 1;
    let mut wrong = submissions.clone();
    wrong[last].signature.0[1] ^= 1;
    let error = SubmissionError::Signature;
    let refused = Err(EdgeError::Proposal { index: last, error });
    assert_eq!(edge.check_proposal(&proposal(wrong)), refused);

    edge.check_proposal(&proposal(submissions.clone())).unwrap();
    // Again, now that they wait here; and that does not hide changed content.
    edge.bodies.add(submissions.clone());
    edge.check_proposal(&proposal(submissions.clone())).unwrap();
    let mut changed = submissions;
    changed[3].records.as_mut_slice()[0].level = 4;
    let error = SubmissionError::Root;
    let refused = Err(EdgeError::Proposal { index: 3, error });
    assert_eq!(edge.check_proposal(&proposal(changed)), refused);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_refused_quietly(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(receive(Encoding::Json, &bytes).is_err());
        prop_assert!(receive(Encoding::Canonical, &bytes).is_err());
    }

    /// Whatever is changed in the bytes: either it is refused, or it is the very same submission.
    #[test]
    fn no_changed_byte_passes(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let json = serde_json::to_vec(&*GOOD).unwrap();
        for (encoding, mut bytes) in
            [(Encoding::Json, json), (Encoding::Canonical, codec::encode(&*GOOD))]
        {
            let at = at.index(bytes.len());
            bytes[at] = to;
            if let Ok(passed) = receive(encoding, &bytes) {
                prop_assert_eq!(&*passed, &*GOOD);
            }
        }
    }
}
