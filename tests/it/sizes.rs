//! How large evidence is: one file for each type of record, as it is written for a court.
#![expect(clippy::print_stdout, reason = "the sizes are for people")]

use probata_client::light::{self, Given, Level, Request, Verdict};
use probata_tests::{
    committee::{Committee, NotarisedRecord, notarise_case, notarise_governance},
    consortium::BEGIN,
    trouble::{Trouble, ensure},
};
use probata_types::body::RecordType;
use std::collections::BTreeSet;

/// Bytes that the evidence of one record may take, indented, with its flow's history and
/// disclosures.
const EVIDENCE_BYTES: usize = 12 * 1_024;

#[test]
fn evidence_of_every_type_is_small_and_consistent() -> Result<(), Trouble> {
    let mut committee = Committee::new(4, BEGIN)?;
    let mut notarised = notarise_case(&mut committee)?;
    // A loan has no motions: those of the consortium are shown beside it.
    notarised.extend(notarise_governance(&mut committee)?);
    let mut seen = BTreeSet::new();
    for one in &notarised {
        let bytes = one.evidence.to_json()?.len();
        let record_type = one.record.body.record_type();
        seen.insert(record_type);
        println!("{:<16} {:<16} {bytes:>6} bytes", one.name, record_type.name());
        judged_consistent(&committee, one)?;
        ensure(bytes <= EVIDENCE_BYTES, || {
            format!(
                "the evidence of {} takes {bytes} bytes, {EVIDENCE_BYTES} are promised",
                one.name
            )
        })?;
    }
    let all: BTreeSet<RecordType> = RecordType::ALL.into_iter().collect();
    ensure(seen == all, || format!("the sample records are only {seen:?}"))
}

fn judged_consistent(committee: &Committee, one: &NotarisedRecord) -> Result<(), Trouble> {
    let text = one.evidence.to_json()?;
    let mut documents = Vec::new();
    for path in &one.documents {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        documents.push((name, std::fs::read(path)?));
    }
    let documents: Vec<Given<'_>> =
        documents.iter().map(|(name, bytes)| Given { name, bytes }).collect();
    let report = light::verify(&Request {
        evidence: text.as_bytes(),
        documents: &documents,
        genesis: Some(committee.genesis()),
        record: Some(one.id),
        ..Request::default()
    });
    let consistent =
        matches!(report.verdict, Verdict::Consistent | Verdict::ConsistentWithFindings);
    ensure(consistent && report.level == Some(Level::E5), || {
        let failed = report.checks.iter().filter(|check| check.status != light::Status::Passed);
        format!(
            "{}: {:?} {:?}, {:?}",
            one.name,
            report.verdict,
            report.level,
            failed.collect::<Vec<_>>()
        )
    })
}
