//! Verifying an evidence file on disk, with the documents that lie beside it. No network.

use super::limits::DOCUMENT_BYTES;
use crate::{
    document::Digests,
    light::{self, Given, Report, Request, SealedHeader},
};
use probata_genesis::Genesis;
use probata_types::{
    Checkpoint, EvidenceFile, Timestamp,
    evidence::{DisclosedValue, Disclosure, Parsed},
    record::{Document, document_name_field},
};
use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

/// Files of a folder that are looked at. In a larger one, documents are named by hand.
const FILES: usize = 10_000;

/// A document that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDocument {
    /// How the report names it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What is to be verified.
#[derive(Debug, Clone, Copy)]
pub struct OnDisk<'a> {
    /// Where the evidence file lies; documents are looked for in its folder.
    pub path: &'a Path,
    /// Its bytes.
    pub evidence: &'a [u8],
    /// Documents that were named.
    pub documents: &'a [FoundDocument],
    /// The genesis that the caller trusts.
    pub genesis: Option<&'a Genesis>,
    /// The time for which the answer is wanted.
    pub as_of: Option<Timestamp>,
    /// A sealed header that somebody else shows.
    pub second_source: Option<&'a SealedHeader>,
    /// A sealed header that the caller has kept and trusts.
    pub checkpoint: Option<&'a Checkpoint>,
    /// List every digest on the way.
    pub explain: bool,
}

/// Examines an evidence file with the documents named and those found beside it.
pub fn verify_on_disk(request: &OnDisk<'_>) -> Report {
    let mut documents = request.documents.to_vec();
    if let Ok(Parsed::Evidence(file)) = EvidenceFile::parse(request.evidence) {
        documents.extend(find(request.path, &file, request.documents));
    }
    let given: Vec<Given<'_>> =
        documents.iter().map(|one| Given { name: &one.name, bytes: &one.bytes }).collect();
    light::verify(&Request {
        evidence: request.evidence,
        documents: &given,
        genesis: request.genesis,
        as_of: request.as_of,
        second_source: request.second_source,
        checkpoint: request.checkpoint,
        explain: request.explain,
        record: None,
    })
}

/// The documents of the record that are still wanted: those under their disclosed name, whatever
/// they hold (a file of that name that differs is reported), and the rest by length and digests.
fn find(evidence: &Path, file: &EvidenceFile, named: &[FoundDocument]) -> Vec<FoundDocument> {
    let folder = evidence.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let given: Vec<Digests> = named.iter().map(|one| Digests::of(&one.bytes)).collect();
    let mut found = Vec::new();
    for (index, document) in file.record.documents.iter().enumerate() {
        if given.iter().any(|digests| digests.match_all(document)) {
            continue;
        }
        let by_name = disclosed_name(file, index, document)
            .and_then(|name| Some(FoundDocument { bytes: read(&folder.join(&name))?, name }));
        found.extend(by_name.or_else(|| by_digests(folder, document)));
    }
    found
}

/// The file's name, if the evidence discloses it truly and it stays in the folder.
fn disclosed_name(file: &EvidenceFile, index: usize, document: &Document) -> Option<String> {
    let field = document_name_field(index);
    let opens =
        |one: &&Disclosure| *one.field == *field && one.commitment(file.suite) == document.name;
    match &file.disclosures.iter().find(opens)?.value {
        DisclosedValue::Text(name) if Path::new(&**name).file_name()?.to_str() == Some(&**name) => {
            Some(name.to_string())
        }
        _ => None,
    }
}

fn by_digests(folder: &Path, document: &Document) -> Option<FoundDocument> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .take(FILES)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() == document.length)
        })
        .collect();
    paths.sort();
    paths.into_iter().find_map(|path| {
        let bytes = read(&path)?;
        let name = path.file_name()?.to_string_lossy().into_owned();
        Digests::of(&bytes).match_all(document).then_some(FoundDocument { name, bytes })
    })
}

/// The bytes of a regular file, if it can be read and is not longer than a document may be.
fn read(path: &Path) -> Option<Vec<u8>> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(DOCUMENT_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= DOCUMENT_BYTES).then_some(bytes)
}
