//! How large evidence is: one file for each type of record, today and after ten years.
#![expect(clippy::print_stdout, reason = "the sizes are for people")]

use probata_client::light::{self, Given, Level, Request, Verdict};
use probata_genesis::Genesis;
use probata_tests::{
    aged::aged,
    committee::{Committee, NotarisedRecord, notarise_case, notarise_governance},
    consortium::BEGIN,
    trouble::{Trouble, ensure},
};
use probata_types::{EvidenceFile, List, body::RecordType};
use std::collections::BTreeSet;

/// Bytes that the evidence of one record may take.
const EVIDENCE_BYTES: usize = 12 * 1_024;

#[test]
fn evidence_of_every_type_is_small_and_consistent() -> Result<(), Trouble> {
    for validators in [4, 7] {
        let mut committee = Committee::new(validators, BEGIN)?;
        let mut notarised = notarise_case(&mut committee)?;
        if validators == 4 {
            // A loan has no motions: those of the consortium are shown beside it.
            notarised.extend(notarise_governance(&mut committee)?);
        }
        let mut seen = BTreeSet::new();
        println!(
            "{validators} validators: bytes today, after ten years, and then without the list of events and without disclosures"
        );
        for one in &notarised {
            let record_type = one.record.body.record_type();
            seen.insert(record_type);
            sizes(committee.genesis(), one)?;
        }
        if validators == 4 {
            let all: BTreeSet<RecordType> = RecordType::ALL.into_iter().collect();
            ensure(seen == all, || format!("the sample records are only {seen:?}"))?;
        }
    }
    Ok(())
}

/// The bar holds after ten years for what every file has to hold. What the holder adds (events, disclosures) has room
/// beside it in all but the longest records.
fn sizes(genesis: &Genesis, one: &NotarisedRecord) -> Result<(), Trouble> {
    let whole = aged(&one.evidence, genesis, 0)?;
    let bare = EvidenceFile { events: None, disclosures: List::empty(), ..whole.clone() };
    let size = |file: &EvidenceFile| Ok::<_, Trouble>(file.to_json()?.len());
    let (today, later, least) = (size(&one.evidence)?, size(&whole)?, size(&bare)?);
    let record_type = one.record.body.record_type().name();
    println!("{:<16} {record_type:<16} {today:>6} {later:>6} {least:>6}", one.name);
    judged_consistent(genesis, one, &one.evidence)?;
    judged_consistent(genesis, one, &whole)?;
    ensure(least <= EVIDENCE_BYTES, || {
        format!("the evidence of {} takes {least} bytes, {EVIDENCE_BYTES} are promised", one.name)
    })
}

fn judged_consistent(
    genesis: &Genesis,
    one: &NotarisedRecord,
    file: &EvidenceFile,
) -> Result<(), Trouble> {
    let text = file.to_json()?;
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
        genesis: Some(genesis),
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
