//! Evidence files that somebody has worked on, judged by the light client.

use super::table::Table;
use base64::{Engine, engine::general_purpose::STANDARD};
use probata_client::light::{self, Request, Status};
use probata_genesis::Genesis;
use probata_tests::{Trouble, consortium};
use serde_json::{Value, json};

const AREA: &str = "evidence";

/// Judges every one. `evidence` is genuine and of the chain of `genesis`.
pub(super) fn judge(genesis: &Genesis, evidence: &str, table: &mut Table) -> Result<(), Trouble> {
    let genuine: Value = serde_json::from_str(evidence)?;
    for (name, expected, change) in changes() {
        let mut file = genuine.clone();
        change(&mut file);
        assert_ne!(file, genuine, "{name} changes something");
        let text = serde_json::to_vec(&file)?;
        table.note(AREA, name, expected, verdict(genesis, &text));
    }
    let malformed = "Inconsistent: file_is_well_formed";
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let twice = evidence.replacen("\"version\"", "\"version\":1,\"version\"", 1);
    let fraction = evidence.replacen("\"made_at\":", "\"made_at\":1.", 1);
    for (name, text) in [
        ("cut short", evidence[..evidence.len() / 2].to_owned()),
        ("with more after it", format!("{evidence}[]")),
        ("with a field twice", twice),
        ("with a fraction", fraction),
        ("nested 100,000 levels deep", deep),
        ("of two megabytes", " ".repeat(2 * 1_024 * 1_024)),
        ("of nothing", String::new()),
    ] {
        table.note(AREA, name, malformed, verdict(genesis, text.as_bytes()));
    }
    let other = consortium::genesis(4, consortium::BEGIN);
    let got = verdict(&other, evidence.as_bytes());
    // Not only the chain is another: so are the validators, and what they would have sealed.
    let expected = "Inconsistent: block_seal, chain_is_the_genesis, validators_follow_from_genesis";
    table.note(AREA, "judged by another genesis", expected, short(&got, expected));
    Ok(())
}

/// The first words of a long answer, if they are those expected.
fn short(got: &str, expected: &str) -> String {
    let all = expected.split([':', ',']).all(|word| got.contains(word.trim()));
    if all { expected.to_owned() } else { got.to_owned() }
}

type Change = fn(&mut Value);

fn changes() -> Vec<(&'static str, &'static str, Change)> {
    vec![
        (
            "with another level in the record",
            "Inconsistent: record_in_submission, outcome_in_block, flow_state, \
             event_history_complete",
            |file| file["record"]["level"] = json!(4),
        ),
        (
            "with one bit of the signature turned",
            "Inconsistent: submission_signature, submission_in_block",
            |file| turn(&mut file["submission"]["signature"]),
        ),
        (
            "with another submitter",
            "Inconsistent: submission_signature, record_in_submission, submission_in_block, \
             outcome_in_block, flow_state, institution_state, event_history_complete",
            |file| file["submission"]["head"]["institution"] = json!("5493001KJTIIGC8Y1R12"),
        ),
        ("with another finding", "Inconsistent: outcome_in_block", |file| {
            file["outcome"] = json!({ "accepted": { "findings": [1_999] } })
        }),
        (
            "with a rejection made of the acceptance",
            "Inconsistent: outcome_in_block, outcome_is_accepted",
            |file| file["outcome"] = json!({ "rejected": { "code": 12 } }),
        ),
        ("of another day", "Inconsistent: block_seal, history_path", |file| {
            file["header"]["time"] = json!(file["header"]["time"].as_u64().unwrap_or_default() - 1)
        }),
        ("with a seal of one vote", "Inconsistent: block_seal", |file| {
            vote(file, 1);
        }),
        ("with one voter three times", "Inconsistent: block_seal", |file| {
            vote(file, 3);
        }),
        ("with the votes of another view", "Inconsistent: block_seal", |file| {
            file["seal"]["view"] = json!(file["seal"]["view"].as_u64().unwrap_or_default() + 1)
        }),
        ("with a path of another place", "Inconsistent: outcome_in_block", |file| {
            file["outcome_place"]["index"] = json!(1)
        }),
        ("of a version to come", "Indeterminate: file_is_well_formed", |file| {
            file["version"] = json!(2)
        }),
        ("of a suite to come", "Indeterminate: file_is_well_formed", |file| {
            file["suite"] = json!("sm3-sm2")
        }),
        ("with an unknown field", "Inconsistent: file_is_well_formed", |file| {
            file["trusted"] = json!(true)
        }),
    ]
}

/// Changes the first six bits of base64.
fn turn(value: &mut Value) {
    let text = value.as_str().unwrap_or_default();
    let (head, tail) = text.split_at(1);
    *value = json!(format!("{}{tail}", if head == "A" { "B" } else { "A" }));
}

/// Makes a seal of the first vote, so many times.
fn vote(file: &mut Value, times: usize) {
    let seal = &mut file["seal"];
    let first = seal["validators"][0].clone();
    let signatures = seal["signatures"].as_str().unwrap_or_default();
    let bytes = STANDARD.decode(signatures).unwrap_or_default();
    let signature = bytes.get(..64).unwrap_or_default();
    seal["validators"] = json!(vec![first; times]);
    seal["signatures"] = json!(STANDARD.encode(signature.repeat(times)));
}

/// The verdict, and which of the checks failed, or were not run because of the file itself.
fn verdict(genesis: &Genesis, evidence: &[u8]) -> String {
    let report = light::verify(&Request { evidence, genesis: Some(genesis), ..Request::default() });
    let failed = report.checks.iter().filter(|check| check.status == Status::Failed);
    let mut failed: Vec<&str> = failed.map(|check| check.predicate.as_str()).collect();
    if failed.is_empty() && report.level.is_none() {
        failed = report.checks.iter().take(1).map(|check| check.predicate.as_str()).collect();
    }
    format!("{:?}: {}", report.verdict, failed.join(", "))
}
