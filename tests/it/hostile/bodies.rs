//! Bodies that are not submissions, and submissions in a spelling that is not the one.

use super::{forge::Forge, http::Api, table::Table};
use probata_tests::Trouble;
use probata_types::{Record, Submission, codec, limits};
use serde_json::Value;

const AREA: &str = "body";
const JSON: &str = "application/json";
const CANONICAL: &str = "application/octet-stream";
const MALFORMED: &str = "400 malformed";
/// Bytes of a head and a signature in canonical form, before the number of records.
const BEFORE_RECORDS: usize = 64 + 8;

/// Sends every one.
pub(super) async fn send(api: &Api, forge: &mut Forge, table: &mut Table) -> Result<(), Trouble> {
    let good = forge.good()?;
    for (name, body) in json(&good)? {
        table.note(AREA, name, MALFORMED, api.post(JSON, body).await?);
    }
    for (name, body) in canonical(&good)? {
        table.note(AREA, name, MALFORMED, api.post(CANONICAL, body).await?);
    }
    many_records(api, forge, table).await?;
    let bytes = serde_json::to_vec(&good)?;
    for (name, content_type) in [
        ("a content type that is not taken", "text/xml"),
        ("a content type with two types", "application/json, application/octet-stream"),
        ("an empty content type", ""),
    ] {
        let got = api.post(content_type, bytes.clone()).await?;
        table.note(AREA, name, "415 unsupported_media_type", got);
    }
    let got = api.post(JSON, codec::encode(&good)).await?;
    table.note(AREA, "canonical bytes that are said to be JSON", MALFORMED, got);
    let got = api.post(CANONICAL, bytes).await?;
    table.note(AREA, "JSON that is said to be canonical bytes", MALFORMED, got);
    Ok(())
}

fn json(good: &Submission) -> Result<Vec<(&'static str, Vec<u8>)>, Trouble> {
    let text = serde_json::to_string(good)?;
    let changed = |change: &dyn Fn(&mut Value)| -> Result<Vec<u8>, Trouble> {
        let mut value = serde_json::to_value(good)?;
        change(&mut value);
        Ok(serde_json::to_vec(&value)?)
    };
    let replaced = |from: &str, to: &str| {
        assert!(text.contains(from), "the JSON of a submission has {from}");
        text.replacen(from, to, 1).into_bytes()
    };
    let version = "\"version\":1";
    let expires = format!("\"expires_at\":{}", good.head.expires_at);
    let chain = good.head.chain.to_string();
    let means = "\"means\":\"";
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut invalid = text.clone().into_bytes();
    invalid.insert(text.find(means).unwrap_or_default() + means.len(), 0xff);
    Ok(vec![
        ("nothing", Vec::new()),
        ("not JSON", b"<submission/>".to_vec()),
        ("null", b"null".to_vec()),
        ("JSON cut short", text.as_bytes()[..text.len() / 2].to_vec()),
        ("JSON with more after it", format!("{text} {{}}").into_bytes()),
        ("a field twice", replaced(version, "\"version\":1,\"version\":1")),
        (
            "a field twice, once with escapes",
            replaced(version, "\"version\":1,\"v\\u0065rsion\":1"),
        ),
        ("an unknown field", replaced(version, "\"version\":1,\"sudo\":true")),
        (
            "a missing field",
            changed(&|it| drop(it["head"].as_object_mut().map(|head| head.remove("key"))))?,
        ),
        ("a fraction for a number", replaced(version, "\"version\":1.0")),
        ("an exponent in a number", replaced(version, "\"version\":1e0")),
        ("a number above 2^53 - 1", replaced(&expires, "\"expires_at\":9007199254740992")),
        (
            "a number of a thousand digits",
            replaced(&expires, &format!("\"expires_at\":{}", "9".repeat(1_000))),
        ),
        ("a negative time", replaced(&expires, "\"expires_at\":-1")),
        ("a string for a number", replaced(version, "\"version\":\"1\"")),
        ("nested 100,000 levels deep", deep.into_bytes()),
        ("hex in capitals", replaced(&chain, &chain.to_uppercase())),
        ("hex that is too short", replaced(&chain, &chain[2..])),
        ("text that turns its reader around", replaced(means, "\"means\":\"\u{202e}")),
        ("text that is not in normal form", replaced(means, "\"means\":\"e\u{301}")),
        ("a control character in a text", replaced(means, "\"means\":\"\\u0000")),
        ("half a surrogate pair", replaced(means, "\"means\":\"\\ud800")),
        ("bytes that are not UTF-8", invalid),
        ("an unknown record type", replaced("\"consent_grant\":", "\"consent_grab\":")),
        (
            "an institution with a wrong check digit",
            changed(&|it| {
                it["head"]["institution"] = Value::from("91990000MA00000DE0");
            })?,
        ),
        ("an unknown suite", replaced("blake3-ed25519", "md5-rot13")),
    ])
}

fn canonical(good: &Submission) -> Result<Vec<(&'static str, Vec<u8>)>, Trouble> {
    let bytes = codec::encode(good);
    let head = codec::encode(&good.head).len();
    let count = head + BEFORE_RECORDS - 8;
    let at = |place: usize, new: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[place..place + new.len()].copy_from_slice(new);
        bytes
    };
    let body = bytes.len() - codec::encode(&good.records[0].body).len();
    let mut more = bytes.clone();
    more.push(0);
    let noise: Vec<u8> =
        (0..4_096u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    Ok(vec![
        ("canonical bytes cut short", bytes[..bytes.len() - 1].to_vec()),
        ("canonical bytes with one more", more),
        ("a list that claims 2^64 - 1 records", at(count, &u64::MAX.to_be_bytes())),
        ("a list that claims 2^40 records", at(count, &(1u64 << 40).to_be_bytes())),
        ("an unknown variant", at(body, &99u32.to_be_bytes())),
        ("an option that is neither there nor not", at(bytes.len() - 1, &[2])),
        ("noise", noise),
        ("another version of the layout", at(0, &2u16.to_be_bytes())),
        ("a time above 2^53 - 1", at(head - 4 - 32 - 8, &u64::MAX.to_be_bytes())),
    ])
}

/// More records than a submission holds, and none; in both encodings.
async fn many_records(api: &Api, forge: &mut Forge, table: &mut Table) -> Result<(), Trouble> {
    let record = forge.record("consent-revoke")?;
    let most = forge.submission(vec![record.clone(); limits::RECORDS_PER_SUBMISSION])?;
    let mut value = serde_json::to_value(&most)?;
    if let Some(records) = value["records"].as_array_mut() {
        records.push(serde_json::to_value(&record)?);
    }
    let got = api.post(JSON, serde_json::to_vec(&value)?).await?;
    table.note(AREA, "1,025 records in JSON", MALFORMED, got);
    let records: Vec<Record> = vec![record; limits::RECORDS_PER_SUBMISSION + 1];
    let bytes = codec::encode(&(&most.head, &most.signature, &records));
    table.note(
        AREA,
        "1,025 records in canonical bytes",
        MALFORMED,
        api.post(CANONICAL, bytes).await?,
    );
    let none = forge.submission(Vec::new())?;
    let got = api.post(CANONICAL, codec::encode(&none)).await?;
    table.note(AREA, "no records", MALFORMED, got);
    Ok(())
}
