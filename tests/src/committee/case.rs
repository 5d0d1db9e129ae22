//! The sample case, notarised by a committee.

use super::Committee;
use crate::{consortium, consortium::Purpose, trouble::Trouble, writer::case_folder};
use probata_client::{
    case::Case,
    sdk::{
        Author, DraftContext, FlowWriter, Names, OpeningsFile, Position, limits::LIFETIME, sign,
    },
};
use probata_types::{
    EvidenceFile, FlowId, InstitutionId, Record, RecordId, Submission, evidence::Disclosure,
    record::document_name_field,
};
use std::{collections::BTreeMap, path::PathBuf};

/// A record of the case and all that was made for it.
#[derive(Debug, Clone)]
pub struct NotarisedRecord {
    /// The name of its draft.
    pub name: String,
    /// Its identifier.
    pub id: RecordId,
    /// The record.
    pub record: Record,
    /// The submission that it came in.
    pub submission: Submission,
    /// Its documents.
    pub documents: Vec<PathBuf>,
    /// Its evidence after the case, with the flow's history, the documents' names, and the fields
    /// that the case discloses.
    pub evidence: EvidenceFile,
    /// What opens every commitment of the record.
    pub openings: Vec<Disclosure>,
}

/// Seals every record of the sample case, one after the other, and then makes the evidence of all.
///
/// # Errors
/// [`Trouble`] if a draft cannot be made a record, or a record is not sealed.
pub fn notarise_case(committee: &mut Committee) -> Result<Vec<NotarisedRecord>, Trouble> {
    let folder = case_folder();
    let case = Case::read(&folder)?;
    let numbers = 0..u16::try_from(committee.genesis().validator_set().size())?;
    let numbers: BTreeMap<String, u16> = numbers.map(|it| (consortium::name(it), it)).collect();
    let institutions =
        numbers.iter().map(|(name, number)| (name.clone(), consortium::institution(*number)));
    let mut names = Names { institutions: institutions.collect(), flows: BTreeMap::new() };
    let mut positions: BTreeMap<(InstitutionId, FlowId), Position> = BTreeMap::new();
    let mut sealed = Vec::new();
    for step in &case.steps {
        let number = *numbers.get(&step.by).ok_or_else(|| Trouble::new("an unknown submitter"))?;
        let genesis = committee.genesis();
        let author = Author {
            suite: genesis.suite(),
            chain: genesis.chain(),
            institution: consortium::institution(number),
        };
        let subject_key = consortium::subject_key();
        let context = DraftContext {
            suite: genesis.suite(),
            rule_pack: genesis.rule_pack().version,
            utc_offset_minutes: genesis.rule_pack().utc_offset_minutes,
            now: committee.now(),
            folder: &folder,
            subject_key: Some(&subject_key),
        };
        let prepared = step.draft.prepare(&context, &mut names)?;
        let place = (author.institution, prepared.flow);
        let start = positions.get(&place).copied().unwrap_or(Position::START);
        let mut writer = FlowWriter::at(author, prepared.flow, start);
        let (id, record) = writer.append(prepared.statement);
        positions.insert(place, writer.position());
        let key = consortium::pair(number, Purpose::Submission);
        let submission = sign(vec![record.clone()], &author, &key, committee.now(), LIFETIME)?;
        committee.seal(&submission)?;
        let openings = OpeningsFile::new(author.chain, id, prepared.book.openings());
        let evidence = committee.evidence(&id, true)?;
        let (name, documents) = (prepared.name, prepared.documents);
        let disclosures = openings.openings.clone();
        let one = NotarisedRecord {
            name,
            id,
            record,
            submission,
            documents,
            evidence,
            openings: disclosures,
        };
        sealed.push((one, openings, step.disclose.clone()));
    }
    let mut notarised = Vec::new();
    for (mut one, openings, disclose) in sealed {
        one.evidence = committee.evidence(&one.id, true)?;
        let documents = (0..one.record.documents.len()).map(document_name_field);
        let fields: Vec<String> = documents.chain(disclose).collect();
        openings.disclose(&mut one.evidence, fields.iter().map(String::as_str))?;
        notarised.push(one);
    }
    Ok(notarised)
}
