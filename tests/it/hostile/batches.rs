//! Batches that are none, and batches in which some submissions are good and some are not.

use super::{forge::Forge, http::Api, table::Table};
use probata_client::sdk::clock;
use probata_tests::Trouble;
use probata_types::{
    Hash, List, Submission, codec,
    limits::{BATCH_BYTES, BATCH_SUBMISSIONS},
    receipt::{Batch, BatchAnswer, Fate},
};

const AREA: &str = "batch";
const PATH: &str = "/v1/batches";
const CANONICAL: &str = "application/octet-stream";
const MALFORMED: &str = "400 malformed";
/// Bytes of the number of submissions, with which a batch begins.
const COUNT: usize = 8;

/// Sends every one.
pub(super) async fn send(api: &Api, forge: &mut Forge, table: &mut Table) -> Result<(), Trouble> {
    let (one, two) = (forge.good()?, forge.good()?);
    for (name, body) in malformed(&one, &two)? {
        table.note(AREA, name, MALFORMED, api.post_to(PATH, CANONICAL, body).await?);
    }
    let large = vec![0xff; BATCH_BYTES + COUNT + 1];
    let got = api.post_to(PATH, CANONICAL, large).await?;
    table.note(AREA, "a body of 4 MiB, a count and one byte", "413 too_large", got);
    let json = serde_json::to_vec(&[&one, &two])?;
    let got = api.post_to(PATH, "application/json", json).await?;
    table.note(AREA, "a list in JSON", "415 unsupported_media_type", got);
    let got = answered(api, Vec::new()).await?;
    table.note(AREA, "no submissions", "200 of 0", got);
    let got = answered(api, mixed(forge, &one)?).await?;
    let expected = "200 of 6: sealed, refused 403, refused 422, sealed, refused 409, refused 400";
    table.note(AREA, "good ones among bad ones", expected, got);
    Ok(())
}

fn encoded(submissions: Vec<Submission>) -> Result<Vec<u8>, Trouble> {
    Ok(codec::encode(&Batch { submissions: List::new(submissions)? }))
}

fn malformed(one: &Submission, two: &Submission) -> Result<Vec<(&'static str, Vec<u8>)>, Trouble> {
    let bytes = encoded(vec![one.clone(), two.clone()])?;
    let at = |place: usize, new: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[place..place + new.len()].copy_from_slice(new);
        bytes
    };
    let count = |count: u64| at(0, &count.to_be_bytes());
    let records = COUNT + codec::encode(&one.head).len() + 64;
    let noise: Vec<u8> =
        (0..65_536u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    // A list that may be longer than a batch's is written in the same way.
    let many = codec::encode(&vec![one.clone(); BATCH_SUBMISSIONS + 1]);
    Ok(vec![
        ("nothing", Vec::new()),
        ("noise", noise),
        ("half a count", bytes[..COUNT / 2].to_vec()),
        ("cut short in the last submission", bytes[..bytes.len() - 1].to_vec()),
        ("cut off after the first submission", bytes[..COUNT + codec::encode(one).len()].to_vec()),
        ("one byte more", [bytes.as_slice(), &[0]].concat()),
        ("a count of one where two are", count(1)),
        ("a count of three where two are", count(3)),
        ("a count of 2^64 - 1", count(u64::MAX)),
        ("a count of 2^40", count(1 << 40)),
        ("a submission that claims 2^64 - 1 records", at(records, &u64::MAX.to_be_bytes())),
        ("1,025 submissions", many),
        ("a submission that is no batch", codec::encode(one)),
    ])
}

/// A good one; one with a turned bit in its signature; one that is expired; the good one again; another one under its
/// idempotency key; and one without records.
fn mixed(forge: &mut Forge, good: &Submission) -> Result<Vec<Submission>, Trouble> {
    let mut flipped = forge.good()?;
    flipped.signature.0[7] ^= 1;
    let now = clock::now();
    let expired = forge.with_head(|it| {
        it.submitted_at = now.previous().unwrap_or_default();
        it.expires_at = now;
    })?;
    let other = forge.with_head(|it| it.idempotency_key = good.head.idempotency_key)?;
    let mut empty = forge.with_head(|it| it.record_count = 0)?;
    empty.records = List::empty();
    assert_ne!(empty.head.records_root, Hash::ZERO);
    Ok(vec![good.clone(), flipped, expired, good.clone(), other, empty])
}

/// What became of each submission of a batch.
async fn answered(api: &Api, submissions: Vec<Submission>) -> Result<String, Trouble> {
    let (status, bytes) = api.post_bytes(PATH, CANONICAL, encoded(submissions)?).await?;
    if status != 200 {
        return Ok(status.to_string());
    }
    let answer: BatchAnswer = codec::decode(&bytes, bytes.len())?;
    let fates = answer.fates.iter().map(|fate| match fate {
        Fate::Sealed { .. } => "sealed".to_owned(),
        Fate::Pending => "pending".to_owned(),
        Fate::Refused { status, .. } => format!("refused {status}"),
    });
    let fates: Vec<String> = fates.collect();
    let colon = if fates.is_empty() { "" } else { ": " };
    Ok(format!("200 of {}{colon}{}", fates.len(), fates.join(", ")))
}
