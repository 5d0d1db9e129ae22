//! The values that the holder chose to show, against the commitments of the record.

use super::check::{Answer, Check};
use probata_types::{
    EvidenceFile,
    evidence::{DisclosedValue, Disclosure},
    record::{Commitment, document_name_field},
};

/// Opens each commitment shown.
pub(super) fn compare(file: &EvidenceFile) -> Vec<Check> {
    let bound = commitments(file);
    file.disclosures
        .iter()
        .map(|one| {
            let name = format!("disclosure:{}", &*one.field);
            Check::extra(name, "R30", answer(file, one, &bound))
        })
        .collect()
}

fn answer(file: &EvidenceFile, one: &Disclosure, bound: &[(String, Commitment)]) -> Answer {
    let Some((_, expected)) = bound.iter().find(|(field, _)| **field == *one.field) else {
        return Answer::Failed("the record commits to no such field".to_owned());
    };
    let got = one.commitment(file.suite);
    let value = match &one.value {
        DisclosedValue::Text(text) => format!("{:?}", &**text),
        DisclosedValue::Hex(_) => hex::encode(one.value.as_bytes()),
    };
    Answer::that(got == *expected, format!("{value} opens {got}, the record has {expected}"))
}

/// Every commitment of the record by its field.
fn commitments(file: &EvidenceFile) -> Vec<(String, Commitment)> {
    let documents = file.record.documents.iter().enumerate();
    let names = documents.map(|(index, document)| (document_name_field(index), document.name));
    let body = file.record.body.commitments().into_iter();
    body.chain(names).collect()
}
