//! Submissions that are well-formed and must not be taken; records that are taken and must be
//! rejected.

use super::{
    forge::{Forge, later},
    http::Api,
    table::Table,
};
use probata_client::sdk::clock;
use probata_tests::Trouble;
use probata_types::{
    Hash, Record, RecordId, Signature, Submission, codec,
    submission::{IdempotencyKey, records_root},
};
use serde_json::{Value, json};

const AREA: &str = "submission";
const RECORD: &str = "record";
const CANONICAL: &str = "application/octet-stream";
/// Milliseconds of a day and a minute: longer than genesis lets a submission live.
const TOO_LONG: u64 = (24 * 60 + 1) * 60 * 1_000;
/// The group order of Ed25519, little-endian: adding it to `s` gives a second spelling of a
/// signature.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Whoever submits.
pub(super) struct Members {
    pub(super) bank: Forge,
    pub(super) court: Forge,
}

/// Sends every one; gives the evidence of a good one among them.
pub(super) async fn send(
    api: &Api,
    members: &mut Members,
    table: &mut Table,
) -> Result<String, Trouble> {
    for (name, expected, submission) in refused(members)? {
        table.note(AREA, name, expected, post(api, &submission).await?);
    }
    let good = again(api, &mut members.bank, table).await?;
    for (name, failure, record) in rejected(&mut members.bank)? {
        let submission = members.bank.submission(vec![record])?;
        let expected = format!("200 sealed, rejected {failure}");
        table.note(RECORD, name, expected, post(api, &submission).await?);
    }
    let record = members.court.contract(|_| ())?;
    let submission = members.court.submission(vec![record])?;
    let got = post(api, &submission).await?;
    table.note(RECORD, "a court that lends", "200 sealed, rejected ROLE", got);
    api.text(&format!("/v1/records/{good}/evidence?events=true")).await
}

async fn post(api: &Api, submission: &Submission) -> Result<String, Trouble> {
    api.post(CANONICAL, codec::encode(submission)).await
}

type Refused = (&'static str, &'static str, Submission);

fn refused(members: &mut Members) -> Result<Vec<Refused>, Trouble> {
    let court = members.court.key.public();
    let forge = &mut members.bank;
    let now = clock::now();
    let stranger = "91990000MA00099DE".to_owned();
    let stranger = "0123456789ABCDEFGHJKLMNPQRTUWXY"
        .chars()
        .find_map(|check| format!("{stranger}{check}").parse().ok())
        .ok_or_else(|| Trouble::new("no check character fits"))?;
    let mut flipped = forge.good()?;
    flipped.signature.0[7] ^= 1;
    let mut spelled_twice = forge.good()?;
    add_order(&mut spelled_twice.signature);
    let mut small = forge.with_head(|head| head.key.0 = [0; 32])?;
    small.signature = Signature([0; 64]);
    let mut swapped = forge.good()?;
    swapped.records = forge.good()?.records.clone();
    Ok(vec![
        ("for another chain", "422 wrong_chain", forge.with_head(|it| it.chain = Hash([7; 32]))?),
        (
            "expired",
            "422 expired",
            forge.with_head(|it| {
                it.submitted_at = now.previous().unwrap_or_default();
                it.expires_at = now;
            })?,
        ),
        (
            "a life of more than a day",
            "422 expired",
            forge.with_head(|it| it.expires_at = later(it.submitted_at, TOO_LONG))?,
        ),
        (
            "made tomorrow",
            "422 rejected SUBMITTED_IN_FUTURE",
            forge.with_head(|it| {
                it.submitted_at = later(now, TOO_LONG);
                it.expires_at = later(it.submitted_at, 1_000);
            })?,
        ),
        (
            "ends before it begins",
            "400 malformed",
            forge.with_head(|it| it.expires_at = it.submitted_at)?,
        ),
        (
            "of an unknown institution",
            "403 forbidden UNKNOWN_INSTITUTION",
            forge.with_head(|it| it.institution = stranger)?,
        ),
        ("under another institution's key", "403 forbidden KEY_NOT_VALID", {
            let mut other = forge.with_head(|it| it.key = court)?;
            other.signature = members.court.key.sign(&Hash(other.head.id().0));
            other
        }),
        ("a signature with one bit turned", "403 signature_invalid", flipped),
        ("a signature in its second spelling", "403 signature_invalid", spelled_twice),
        ("a key of small order, for which anything is signed", "403 signature_invalid", small),
        (
            "a key that it does not hold",
            "403 signature_invalid",
            forge.with_head(|it| it.key = court)?,
        ),
        ("other records than those signed", "400 malformed", swapped),
        ("a count that is not theirs", "400 malformed", forge.with_head(|it| it.record_count = 2)?),
        ("an unknown version", "400 malformed", forge.with_head(|it| it.version = 2)?),
        ("a record of 4 KiB and more", "413 too_large", too_large(forge)?),
    ])
}

/// The same signature with `s + L` for `s`: valid for libraries that do not look.
fn add_order(signature: &mut Signature) {
    let mut carry = 0;
    for (byte, more) in signature.0[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        [_, *byte] = sum.to_be_bytes();
        carry = sum >> 8;
    }
}

/// A contract with as many instalments, borrowers and documents as it may have.
fn too_large(forge: &mut Forge) -> Result<Submission, Trouble> {
    let record = forge.changed("contract", |record| {
        let document = record["documents"][0].clone();
        record["documents"] = Value::from(vec![document; 8]);
        let body = &mut record["body"]["loan_contract"];
        let row = body["schedule"]["rows"][0].clone();
        body["schedule"]["rows"] = Value::from(vec![row; 120]);
        let borrower = body["borrowers"][0].clone();
        body["borrowers"] = Value::from(vec![borrower; 8]);
    })?;
    forge.submission(vec![record])
}

/// What was sealed, sent again in ways that are allowed and in ways that are not; the record that
/// was.
async fn again(api: &Api, forge: &mut Forge, table: &mut Table) -> Result<RecordId, Trouble> {
    let first = forge.good()?;
    let record = first.record_ids()[0];
    table.note(AREA, "(a good one)", "200 sealed, accepted", post(api, &first).await?);
    let got = post(api, &first).await?;
    table.note(AREA, "the same bytes again: the first answer", "200 sealed, accepted", got);
    let other = forge.with_head(|it| it.idempotency_key = first.head.idempotency_key)?;
    let got = post(api, &other).await?;
    table.note(AREA, "its idempotency key for something else", "409 idempotency_conflict", got);
    let replayed = forge.submission(first.records.to_vec())?;
    let got = post(api, &replayed).await?;
    table.note(RECORD, "a sealed record once more", "200 sealed, rejected DUPLICATE", got);
    let mut head = first.head.clone();
    head.idempotency_key = IdempotencyKey([0xee; 16]);
    let replayed = Submission::new(head, first.signature, first.records.clone());
    let got = post(api, &replayed).await?;
    table.note(AREA, "a sealed signature under another head", "403 signature_invalid", got);
    // Two records, one root of only the first: what is signed is not what is sent.
    let records = vec![forge.record("consent")?, forge.record("consent")?];
    let mut head = forge.head(&records)?;
    head.records_root =
        records_root(head.suite, &[records[0].id(head.suite, &head.chain, &head.institution)]);
    let got = post(api, &forge.sign(head, records)?).await?;
    table.note(AREA, "a record that the root does not cover", "400 malformed", got);
    Ok(record)
}

type Rejected = (&'static str, &'static str, Record);

fn rejected(bank: &mut Forge) -> Result<Vec<Rejected>, Trouble> {
    let mut rows = envelope(bank)?;
    let year = 365;
    rows.extend([
        (
            "a lender that is somebody else",
            "LENDER",
            bank.contract(|body| body["lender"] = json!("5493001KJTIIGC8Y1R12"))?,
        ),
        ("a loan of nothing", "PRINCIPAL", bank.contract(|body| body["principal"] = json!(0))?),
        (
            "a schedule that does not add up",
            "SCHEDULE",
            bank.contract(|body| body["principal"] = json!(20_000_001))?,
        ),
        (
            "sums that add up to more than there is",
            "VALUE",
            bank.contract(|body| {
                let day = body["start"].as_i64().unwrap_or_default() + year;
                let fee = json!({ "kind": "other", "payee": "lender",
                    "amount": 9_007_199_254_740_991_i64, "due": day });
                body["fees"] = Value::from(vec![fee; 8]);
            })?,
        ),
        (
            "a negative fee",
            "VALUE",
            bank.contract(|body| {
                let day = body["start"].clone();
                body["fees"] =
                    json!([{ "kind": "other", "payee": "lender", "amount": -1, "due": day }]);
            })?,
        ),
        (
            "a last day before the first",
            "TERM",
            bank.contract(|body| {
                body["end"] = json!(body["start"].as_i64().unwrap_or_default() - 1)
            })?,
        ),
        (
            "a signer who is no party",
            "SIGNER_NOT_PARTY",
            bank.contract(|body| body["signers"][1]["party"]["party"] = json!("ab".repeat(32)))?,
        ),
        ("a consent that is not there", "REFERENCE", bank.record("contract")?),
        ("a repayment of a loan that is not there", "FLOW_NOT_OPEN", bank.record("repayment")?),
        (
            "a consent to somebody else",
            "CONTROLLER",
            bank.changed("consent", |it| {
                it["body"]["consent_grant"]["controller"] = json!("5493001KJTIIGC8Y1R12");
            })?,
        ),
    ]);
    Ok(rows)
}

fn envelope(bank: &mut Forge) -> Result<Vec<Rejected>, Trouble> {
    let tomorrow = later(clock::now(), TOO_LONG).get();
    let mut consent = |change: &dyn Fn(&mut Value)| bank.changed("consent", change);
    let text = |field: &str, text: &str| {
        let (field, text) = (field.to_owned(), text.to_owned());
        move |it: &mut Value| it["body"]["consent_grant"][&field] = json!(text)
    };
    let mobile = "回访电话 139 1234 5678";
    let identity = "身份证11010519491231002X";
    let card = "6222 0212 3456 7890 128";
    let unlinked = RecordId([9; 32]).to_string();
    Ok(vec![
        ("a gap in the numbers", "SEQUENCE", consent(&|it| it["seq"] = json!(2))?),
        ("number 0", "SEQUENCE", consent(&|it| it["seq"] = json!(0))?),
        ("number 2^64 - 1", "SEQUENCE", consent(&|it| it["seq"] = json!(u64::MAX))?),
        ("a link to another record", "PREVIOUS", consent(&|it| it["prev"] = json!(unlinked))?),
        ("a phase of another type", "PHASE", consent(&|it| it["phase"] = json!("P12"))?),
        (
            "an event of tomorrow",
            "OCCURRED_IN_FUTURE",
            consent(&|it| it["occurred_at"] = json!(tomorrow))?,
        ),
        ("a security level that does not exist", "VALUE", consent(&|it| it["level"] = json!(9))?),
        (
            "a rule pack of the future",
            "RULE_PACK_UNKNOWN",
            consent(&|it| it["rule_pack"] = json!(u32::MAX))?,
        ),
        ("a mobile number in the clear", "CLEAR_PERSONAL_DATA", consent(&text("means", mobile))?),
        (
            "an identity number in the clear",
            "CLEAR_PERSONAL_DATA",
            consent(&text("withdraw_channel", identity))?,
        ),
        ("a card number in the clear", "CLEAR_PERSONAL_DATA", consent(&text("means", card))?),
    ])
}
