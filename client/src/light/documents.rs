//! The documents that the record binds, against the files that were given.

use super::{
    check::{Answer, Check, Status},
    verdict::Missing,
};
use crate::document::Digests;
use probata_types::{
    EvidenceFile,
    evidence::DisclosedValue,
    record::{Digest256, Document, DocumentRole, document_name_field},
};
use serde::Serialize;

/// A file that the caller brings.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// How the report names it; it proves nothing.
    pub name: &'a str,
    /// Its exact bytes.
    pub bytes: &'a [u8],
}

/// One line of the comparison of documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentResult {
    /// The name given, or for a missing one the name disclosed.
    pub name: Option<String>,
    /// Which of the record's documents it is, from 0; none if it is another file.
    pub index: Option<usize>,
    /// What the document is to the record.
    pub role: Option<DocumentRole>,
    /// Passed, failed (another file) or not present.
    pub status: Status,
    /// SHA-256 computed from the bytes given, or bound by the record if none were.
    pub sha256: Digest256,
    /// SM3, likewise.
    pub sm3: Digest256,
    /// Length in bytes, likewise.
    pub length: u64,
}

/// The fixed wording for a file that is not the one recorded. It is never called tampered with.
pub(super) const OTHER_FILE: &str = "所提交文件与链上摘要不符。不能据此判断系文件被修改或提交了其他文件。 \
    The file given does not match the digests recorded on the chain. This does not show whether the \
    file was changed or another file was given.";

/// Compares every file given with every document bound. A file that matches none fails; a document
/// that no file matches is missing.
pub(super) fn compare(
    file: &EvidenceFile,
    given: &[Given<'_>],
) -> (Vec<Check>, Vec<DocumentResult>) {
    let (mut checks, mut results) = (Vec::new(), Vec::new());
    let mut found = vec![false; file.record.documents.len()];
    for one in given {
        let digests = Digests::of(one.bytes);
        let index = file.record.documents.iter().position(|bound| digests.match_all(bound));
        for (bound, found) in file.record.documents.iter().zip(&mut found) {
            *found |= digests.match_all(bound);
        }
        let answer = given_answer(&file.record.documents, &digests, index);
        let check = Check::extra(format!("document:{}", one.name), "R02", answer);
        results.push(DocumentResult {
            name: Some(one.name.to_owned()),
            index,
            role: index.map(|index| file.record.documents[index].role),
            status: check.status,
            sha256: digests.sha256,
            sm3: digests.sm3,
            length: digests.length,
        });
        checks.push(check);
    }
    for (index, bound) in file.record.documents.iter().enumerate() {
        if !found[index] {
            let (check, result) = missing(file, index, bound);
            checks.push(check);
            results.push(result);
        }
    }
    (checks, results)
}

fn given_answer(bound: &[Document], digests: &Digests, index: Option<usize>) -> Answer {
    let computed =
        format!("SHA-256 {}, SM3 {}, {} bytes", digests.sha256, digests.sm3, digests.length);
    if let Some(index) = index {
        return Answer::Passed(format!("{computed}: as document {index} of the record"));
    }
    let half = match bound.iter().position(|document| digests.match_any(document)) {
        Some(index) => format!(" (of document {index} a digest matches, but not all)"),
        None => String::new(),
    };
    Answer::Failed(format!("{computed}: {OTHER_FILE}{half}"))
}

fn missing(file: &EvidenceFile, index: usize, bound: &Document) -> (Check, DocumentResult) {
    let name = disclosed_name(file, index);
    let label = name.clone().unwrap_or_else(|| format!("#{index}"));
    let compared = format!(
        "缺少原件 missing: SHA-256 {}, SM3 {}, {} bytes, {}",
        bound.sha256, bound.sm3, bound.length, &*bound.media_type
    );
    let answer = Answer::NotPresent(Missing::Document, compared);
    let check = Check::extra(format!("document:{label}"), "R46", answer);
    let result = DocumentResult {
        name,
        index: Some(index),
        role: Some(bound.role),
        status: check.status,
        sha256: bound.sha256,
        sm3: bound.sm3,
        length: bound.length,
    };
    (check, result)
}

/// The document's name, if the holder discloses one that opens the record's commitment.
fn disclosed_name(file: &EvidenceFile, index: usize) -> Option<String> {
    let field = document_name_field(index);
    let bound = file.record.documents.get(index)?.name;
    let disclosure = file
        .disclosures
        .iter()
        .find(|one| *one.field == *field && one.commitment(file.suite) == bound)?;
    match &disclosure.value {
        DisclosedValue::Text(text) => Some(text.to_string()),
        DisclosedValue::Hex(_) => None,
    }
}
