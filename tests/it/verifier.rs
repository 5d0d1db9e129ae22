//! The words of the second verifier are those of the first.

use probata_client::light::{LIMITS, Level, Missing, Status, Verdict};
use probata_types::{
    body::RecordType,
    catalogue::{failure, finding},
};
use serde_json::{Map, Value, json};
use std::fs;

const TEXTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../verifier/src/texts.json");
/// Set to write the file instead of comparing it.
const UPDATE: &str = "PROBATA_UPDATE_VECTORS";

fn texts() -> Value {
    let named = |list: Vec<(Value, &str, &str)>| -> Map<String, Value> {
        let entry = |(name, zh, en): (Value, &str, &str)| {
            (name.as_str().unwrap_or_default().to_owned(), json!({ "zh": zh, "en": en }))
        };
        list.into_iter().map(entry).collect()
    };
    let verdicts = [
        Verdict::Consistent,
        Verdict::ConsistentWithFindings,
        Verdict::Inconsistent,
        Verdict::Indeterminate,
        Verdict::Forked,
    ];
    let statuses = [Status::Passed, Status::Failed, Status::NotPresent, Status::NotRun];
    let missing = [
        Missing::Genesis,
        Missing::Proof,
        Missing::Document,
        Missing::Checkpoint,
        Missing::Algorithm,
        Missing::RecordType,
        Missing::Record,
    ];
    let findings = failure::ALL.iter().chain(finding::ALL).map(|entry| {
        let texts = json!({
            "name": entry.name, "zh": entry.zh, "en": entry.en, "article": entry.article,
        });
        (entry.code.to_string(), texts)
    });
    json!({
        "verdicts": named(verdicts.iter().map(|it| (json!(it), it.zh(), it.en())).collect()),
        "statuses": named(statuses.iter().map(|it| (json!(it), it.zh(), it.en())).collect()),
        "missing": named(missing.iter().map(|it| (json!(it), it.zh(), it.en())).collect()),
        "levels": named(Level::ALL.iter().map(|it| (json!(it), it.zh(), it.en())).collect()),
        "limits": LIMITS,
        "record_types":
            named(RecordType::ALL.iter().map(|it| (json!(it.name()), it.zh(), it.en())).collect()),
        "findings": findings.collect::<Map<String, Value>>(),
    })
}

#[test]
fn the_second_verifier_has_the_words_of_the_first() {
    let text = format!("{:#}\n", texts());
    if std::env::var_os(UPDATE).is_some() {
        fs::write(TEXTS, text).unwrap();
        return;
    }
    assert_eq!(
        fs::read_to_string(TEXTS).unwrap(),
        text,
        "{TEXTS} is behind: run this test with {UPDATE}=1, then `npm run build` in verifier"
    );
}
