//! The loan case: notarised through the SDK, proved with the light client, from the files alone.

use super::{DevnetError, ceremony::DevnetNode};
use probata_client::{
    case::{self, Folders, Participant},
    light::{self, Given, Request, Verdict},
    sdk::NotarisedRecord,
};
use probata_genesis::{Genesis, KeyFile, KeyUse, SubjectKey};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

/// Where the project keeps the sample case: beside this crate.
fn case_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/case")
}

/// Submits the case, writes the evidence files, and judges each by itself.
pub(super) async fn notarise(
    dir: &Path,
    genesis: &Genesis,
    nodes: &[DevnetNode],
) -> Result<(), DevnetError> {
    let out = dir.join("case");
    let participants = participants(nodes)?;
    let path = dir.join("subject.key.json");
    let subject_key = SubjectKey::parse(&read(&path)?)
        .map_err(|error| DevnetError::Ceremony(error.to_string()))?;
    let validators = nodes.iter().filter(|node| node.validator).map(|node| node.api.clone());
    let client = super::client(genesis, validators.collect())?;

    say!("Notarising the loan case of {} …", case_folder().display());
    let started = Instant::now();
    let folders = Folders { case: &case_folder(), out: &out };
    let records = case::run(folders, &participants, &subject_key, &client).await?;
    let copy = out.join("genesis.json");
    fs::write(&copy, genesis.to_json()).map_err(DevnetError::at(&copy))?;
    say!(
        "{} records sealed in {:.1?}. Verdicts, from the files alone:\n",
        records.len(),
        started.elapsed()
    );

    let mut wrong = 0;
    for record in &records {
        let report = judge(genesis, record)?;
        let proved =
            matches!(report.verdict, Verdict::Consistent | Verdict::ConsistentWithFindings);
        wrong += usize::from(!proved);
        let level = report.level.map_or_else(|| "-".to_owned(), |level| format!("{level:?}"));
        let (zh, en) = (report.verdict.zh(), report.verdict.en());
        say!("  {:<20} {level}  {zh} {en}  {}", record.name, findings(&report));
    }
    say!();
    if wrong == 0 { Ok(()) } else { Err(DevnetError::Verdict(wrong)) }
}

fn judge(genesis: &Genesis, record: &NotarisedRecord) -> Result<light::Report, DevnetError> {
    let evidence = read(&record.evidence)?;
    let mut documents = Vec::new();
    for path in &record.documents {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        documents.push((name, read(path)?));
    }
    let documents: Vec<Given<'_>> =
        documents.iter().map(|(name, bytes)| Given { name, bytes }).collect();
    Ok(light::verify(&Request {
        evidence: &evidence,
        documents: &documents,
        genesis: Some(genesis),
        record: Some(record.record),
        ..Request::default()
    }))
}

fn findings(report: &light::Report) -> String {
    let names: Vec<&str> = report.findings.iter().map(|finding| finding.name.as_ref()).collect();
    names.join(", ")
}

fn participants(nodes: &[DevnetNode]) -> Result<BTreeMap<String, Participant>, DevnetError> {
    nodes
        .iter()
        .map(|node| {
            let path = node.folder.join("submission.key.json");
            let pair = KeyFile::parse_for(KeyUse::Submission, &read(&path)?)
                .map_err(|error| DevnetError::Ceremony(error.to_string()))?;
            let institution = node.institution;
            Ok((node.name.clone(), Participant { institution, signer: Box::new(pair) }))
        })
        .collect()
}

fn read(path: &Path) -> Result<Vec<u8>, DevnetError> {
    fs::read(path).map_err(DevnetError::at(path))
}

/// Commands for whoever looks around.
pub(super) fn what_to_try_next(dir: &Path, nodes: &[DevnetNode]) {
    let (dir, api) = (dir.display(), &nodes[0].api);
    say!("To try next, in another terminal (Ctrl-C here stops the network):");
    say!("  probata verify {dir}/case/contract.evidence.json --genesis {dir}/genesis.json");
    say!("  probata status --genesis {dir}/genesis.json --node {api}");
    say!("  probata watch  --genesis {dir}/genesis.json --node {api}");
    say!("  curl {api}/v1/status");
    say!("where probata is `cargo run --release --bin probata --`.\n");
}
