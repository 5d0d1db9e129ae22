//! Files that two readers might read differently, and files of a kind to come.

use super::{Base, Row};
use crate::trouble::{Trouble, ensure};

/// All checks but the first.
const REST: [&str; 16] = [
    "submission_signature",
    "record_in_submission",
    "submission_in_block",
    "outcome_in_block",
    "outcome_is_accepted",
    "sealed_before_expiry",
    "block_seal",
    "anchor_seal",
    "history_path",
    "chain_is_the_genesis",
    "validators_follow_from_genesis",
    "flow_state",
    "institution_state",
    "institution_active_at_height",
    "key_valid_at_height",
    "event_history_complete",
];

pub(super) fn rows(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = Vec::new();
    let text = base.file().to_json()?;
    for (name, attack, from, to) in REPLACED {
        ensure(text.contains(from), || format!("{name}: {from} is not in the file"))?;
        let forged = text.replacen(from, to, 1);
        rows.push(refused(base, name, attack, forged.into_bytes()));
    }
    for (name, attack, bytes) in whole(&text) {
        rows.push(refused(base, name, attack, bytes));
    }
    for (name, attack, from, to) in UNKNOWN {
        ensure(text.contains(from), || format!("{name}: {from} is not in the file"))?;
        let forged = text.replacen(from, to, 1).into_bytes();
        let row = Row::of_text(base, (name, "T16", attack), forged);
        rows.push(
            row.alone().indeterminate("", &["file_is_well_formed"], "not_run").not_run(&REST),
        );
    }
    for (name, attack, from, to) in FREE {
        ensure(text.contains(from), || format!("{name}: {from} is not in the file"))?;
        rows.push(Row::of_text(base, (name, "", attack), text.replace(from, to).into_bytes()));
    }
    Ok(rows)
}

fn refused(base: &Base, name: &str, attack: &str, evidence: Vec<u8>) -> Row {
    let row = Row::of_text(base, (&format!("file {name}"), "T14", attack), evidence);
    row.alone().fails("", &["file_is_well_formed"]).not_run(&REST)
}

type Replaced = (&'static str, &'static str, &'static str, &'static str);

const REPLACED: [Replaced; 34] = [
    (
        "with a field twice",
        "the same field, the same value",
        "\"version\":1,",
        "\"version\":1,\"version\":1,",
    ),
    (
        "with a field twice by an escape",
        "the second is spelled with an escape",
        "\"version\":1,",
        "\"version\":1,\"v\\u0065rsion\":1,",
    ),
    (
        "with a look-alike field",
        "one letter of a name is Cyrillic",
        "\"made_at\"",
        "\"m\u{430}de_at\"",
    ),
    (
        "with an unknown field",
        "a field that the format does not have",
        "\"made_at\":",
        "\"note\":\"\",\"made_at\":",
    ),
    (
        "with a prototype",
        "a field that means something to a language",
        "\"made_at\":",
        "\"__proto__\":{},\"made_at\":",
    ),
    (
        "with a field left out",
        "a field that may be null is not there",
        "\"disclosures\":",
        "\"disclosure\":",
    ),
    ("with a fraction", "a number with a point", "\"made_at\":1", "\"made_at\":1.0"),
    ("with an exponent", "a number with an exponent", "\"made_at\":", "\"made_at\":1e3,\"x\":"),
    (
        "with a number too large",
        "2^53",
        "\"record_count\":1,",
        "\"record_count\":9007199254740992,",
    ),
    (
        "with a number beyond its type",
        "a count of 2^32",
        "\"record_count\":1,",
        "\"record_count\":4294967296,",
    ),
    (
        "with a number too long",
        "thirty digits",
        "\"record_count\":1,",
        "\"record_count\":123456789012345678901234567890,",
    ),
    ("with minus zero", "-0", "\"seq\":1,", "\"seq\":-0,"),
    ("with a leading zero", "01", "\"seq\":1,", "\"seq\":01,"),
    ("with a plus sign", "+1", "\"seq\":1,", "\"seq\":+1,"),
    ("with a number below zero", "-1", "\"seq\":1,", "\"seq\":-1,"),
    ("with a number as text", "\"1\"", "\"seq\":1,", "\"seq\":\"1\","),
    ("with true for a number", "true", "\"seq\":1,", "\"seq\":true,"),
    ("with null for a number", "null", "\"seq\":1,", "\"seq\":null,"),
    ("with NaN", "NaN", "\"seq\":1,", "\"seq\":NaN,"),
    ("with a trailing comma", "a comma before the end of a list", "\"links\":[]", "\"links\":[,]"),
    ("with a comment", "a comment", "\"links\":[]", "\"links\":[/**/]"),
    ("with single quotes", "'links'", "\"links\"", "'links'"),
    ("with a control character", "a line break in a text", "\"purpose\":\"", "\"purpose\":\"\n"),
    (
        "with a mark that turns text",
        "a right-to-left override in a text",
        "\"purpose\":\"",
        "\"purpose\":\"\\u202e",
    ),
    (
        "with a mark that hides",
        "a zero-width space in a text",
        "\"purpose\":\"",
        "\"purpose\":\"\\u200b",
    ),
    (
        "with text not composed",
        "a text that is not in NFC",
        "\"purpose\":\"",
        "\"purpose\":\"e\\u0301",
    ),
    ("with a lone surrogate", "half a character", "\"purpose\":\"", "\"purpose\":\"\\ud800"),
    ("with capitals in hex", "a digest in capitals", "\"prev\":\"0", "\"prev\":\"A"),
    ("with a digest cut", "a digest of 31 bytes", "\"prev\":\"00", "\"prev\":\""),
    (
        "with base64 for the web",
        "a path with - for +",
        "\"outcomes_root\":\"",
        "\"outcomes_root\":\"-",
    ),
    (
        "with base64 without its end",
        "padding left out",
        "=\",\n\"record_count\"",
        "\",\n\"record_count\"",
    ),
    (
        "with a list for an object",
        "a place as a list",
        "\"record_place\":{\n\"index\":0,\n\"path\":\"\"\n}",
        "\"record_place\":[0,\"\"]",
    ),
    ("with a plain variant as an object", "{\"C2\": null}", "\"C2\"", "{\"C2\":null}"),
    ("with another variant", "a role that does not exist", "\"contract\",", "\"kontract\","),
];

const UNKNOWN: [Replaced; 7] = [
    (
        "file of a version to come",
        "version 2",
        "\"version\":1,\n\"suite\"",
        "\"version\":2,\n\"suite\"",
    ),
    ("file of a suite to come", "other algorithms", "blake3-ed25519", "sm3-sm2"),
    (
        "head of a version to come",
        "the submission's head has version 2",
        "\"head\":{\"version\":1",
        "\"head\":{\"version\":2",
    ),
    (
        "record of a version to come",
        "the record has version 2",
        "\"record\":{\n\"version\":1",
        "\"record\":{\n\"version\":2",
    ),
    (
        "header of a version to come",
        "the block's header has version 9",
        "\"header\":{\n\"version\":1",
        "\"header\":{\n\"version\":9",
    ),
    (
        "change of a version to come",
        "the header of a change has version 0",
        "\"sets\":[{\"header\":{\"version\":1",
        "\"sets\":[{\"header\":{\"version\":0",
    ),
    (
        "record of a type to come",
        "a type that this software does not have",
        "\"body\":{\"loan_contract\"",
        "\"body\":{\"voucher\"",
    ),
];

const FREE: [Replaced; 2] = [
    ("genuine with other blanks", "nothing: blanks are free", "\n", "\r\n\t  "),
    ("genuine with escapes", "nothing: a text spelled with escapes", "\"CNY\"", "\"\\u0043NY\""),
];

fn whole(text: &str) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = text.replacen(
        "\"links\":[]",
        &format!("\"links\":{}{}", "[".repeat(32), "]".repeat(32)),
        1,
    );
    let mut invalid = text.as_bytes().to_vec();
    if let Some(at) = text.find("\"purpose\":\"") {
        invalid[at + 11] = 0xff;
    }
    let marked = format!("\u{feff}{text}");
    vec![
        ("of nothing", "no byte", Vec::new()),
        ("cut in the middle", "half of it", text.as_bytes()[..text.len() / 2].to_vec()),
        (
            "without its last bracket",
            "the end is gone",
            text.trim_end().trim_end_matches('}').as_bytes().to_vec(),
        ),
        ("with more after it", "another value follows", format!("{text}{{}}").into_bytes()),
        ("twice", "the whole file twice", format!("{text}{text}").into_bytes()),
        ("with a zero byte after it", "a byte that is no blank", format!("{text}\0").into_bytes()),
        ("with a byte order mark", "a mark before it", marked.into_bytes()),
        ("in another encoding", "a byte that is not UTF-8", invalid),
        ("nested 100,000 levels deep", "brackets", deep.into_bytes()),
        ("nested 33 levels deep", "a list in lists", nested.into_bytes()),
        (
            "of another format",
            "a checkpoint's name",
            text.replacen("probata-evidence", "probata-checkpoint", 1).into_bytes(),
        ),
        ("that is a list", "the file in brackets", format!("[{text}]").into_bytes()),
        ("that is a text", "the file in quotes", b"\"probata-evidence\"".to_vec()),
        (
            "longer than a megabyte",
            "blanks",
            format!("{text}{}", " ".repeat(1_048_576)).into_bytes(),
        ),
    ]
}
