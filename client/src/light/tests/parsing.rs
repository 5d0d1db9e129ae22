//! Files that are not evidence files, or not in the one spelling of the format.

use super::*;

fn refused(case: &Case, bytes: &[u8]) {
    let report = verify(&Request {
        evidence: bytes,
        genesis: Some(&case.chain.genesis),
        documents: DOCUMENTS,
        ..Request::default()
    });
    assert_inconsistent(&report, &["file_is_well_formed"], None);
    assert!(report.summary.is_none());
    // Every check is listed all the same, and none passed.
    assert!(report.checks.len() > 17);
    assert!(report.checks.iter().all(|check| check.status != Status::Passed));
    assert!(report.to_string().contains("局限 Limits"));
}

#[test]
fn json_tricks_are_refused() {
    let case = Case::new();
    let text = case.file.to_json().unwrap();
    let swap = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let deep = "[".repeat(100_000);
    for forged in [
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        deep.clone(),
        format!("{text}{{}}"),
        text.replacen('{', "{\"record\": null,", 1),
        swap("\"version\":1", "\"version\":1.0"),
        swap("\"version\":1", "\"version\":1e0"),
        swap("\"seq\":1", "\"seq\": 18446744073709551617"),
        swap("\"seq\":1", "\"seq\": 9007199254740993"),
        swap("\"seq\":1", "\"seq\": 1, \"seq\":1"),
        swap("\"seq\":1", "\"seq\": -1"),
        swap("\"outcome\"", "\"outc\u{43e}me\""),
        swap("\"accepted\"", "\"\u{430}ccepted\""),
        swap("\"accepted\":{", "\"rejected\":{\"code\":1},\"accepted\":{"),
        swap("\"made_at\"", &format!("\"x\": {deep}, \"made_at\"")),
        " ".repeat(1_024 * 1_024 + 1),
    ] {
        refused(&case, forged.as_bytes());
    }
    refused(&case, &[0xff; 16]);
    refused(&case, b"\xef\xbb\xbf{}");
}

/// Whatever byte is changed, the file is never taken for genuine, unless the change does not change
/// its meaning: the times of writing, which prove nothing, and the order of blanks.
#[test]
fn no_changed_byte_passes() {
    let case = Case::new();
    let genuine = case.file.to_json().unwrap().into_bytes();
    let mut seed = 1u64;
    for _ in 0..400 {
        // A linear congruential generator (Knuth, MMIX): the same places every time.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(seed >> 33).unwrap() % genuine.len();
        let bit = 1u8 << (seed >> 30 & 7);
        let mut forged = genuine.clone();
        forged[at] ^= bit;
        let report = verify(&Request {
            evidence: &forged,
            genesis: Some(&case.chain.genesis),
            documents: DOCUMENTS,
            ..Request::default()
        });
        if matches!(report.verdict, Verdict::Consistent | Verdict::ConsistentWithFindings) {
            let mut same = EvidenceFile::parse(&forged);
            if let Ok(probata_types::evidence::Parsed::Evidence(file)) = &mut same {
                file.made_at = case.file.made_at;
                assert_eq!(**file, case.file, "byte {at} was changed unnoticed");
            }
        }
    }
}
