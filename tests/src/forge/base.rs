//! The genuine files that forgers begin from.

use super::Row;
use crate::{
    aged::{Aged, Sets},
    committee::{Committee, NotarisedRecord, notarise_case, notarise_governance},
    consortium::{self, BEGIN},
    trouble::Trouble,
};
use probata_genesis::Genesis;
use probata_types::{EvidenceFile, List, Outcome, body::Body};

/// A loan of the sample case after ten years, and what a forger may have besides.
pub struct Base {
    /// The genesis document that the court trusts.
    pub genesis: Genesis,
    /// Another consortium of the same members.
    pub other_genesis: Genesis,
    /// The loan contract, in the second of three epochs.
    pub contract: Aged,
    /// Its documents, by name.
    pub documents: Vec<(String, Vec<u8>)>,
    /// The whole case as it was sealed, and what the consortium decided beside it.
    pub case: Vec<NotarisedRecord>,
    /// A history that the first set of validators made, all of whose keys have leaked: another contract, and no change of
    /// the set in ten years.
    pub forged_history: Aged,
}

/// Heights of the contract's chain whose headers courts keep: in each epoch, and before and after the record.
pub(super) const PINNED: [u64; 4] = [20_000_000, 35_000_000, 50_000_000, 80_000_000];

impl Base {
    /// Seals the sample case twice, and ages the contract.
    ///
    /// # Errors
    /// [`Trouble`] if a record is not sealed.
    pub fn new() -> Result<Self, Trouble> {
        let mut committee = Committee::new(4, BEGIN)?;
        let mut case = notarise_case(&mut committee)?;
        case.extend(notarise_governance(&mut committee)?);
        let genesis = committee.genesis().clone();
        let contract = contract_of(&case)?;
        let mut forgers = Committee::new(4, BEGIN)?;
        let forged = notarise_case(&mut forgers)?;
        Ok(Self {
            other_genesis: consortium::genesis(4, BEGIN.saturating_add(1)),
            contract: Aged::new(&contract.evidence, Sets::new(4, 2)?, &PINNED)?,
            documents: documents_of(contract)?,
            forged_history: Aged::new(&contract_of(&forged)?.evidence, Sets::new(4, 0)?, &PINNED)?,
            genesis,
            case,
        })
    }

    /// The contract's file.
    pub fn file(&self) -> EvidenceFile {
        self.contract.file.clone()
    }

    /// The file of a record of the case, as its chain has it.
    ///
    /// # Errors
    /// [`Trouble`] if the case has no such record.
    pub fn of(&self, name: &str) -> Result<&NotarisedRecord, Trouble> {
        let found = self.case.iter().find(|one| one.name == name);
        found.ok_or_else(|| Trouble::new(format!("the case has no record {name}")))
    }

    /// What is genuine: every record of the case and of the consortium, today and after ten years.
    pub(super) fn genuine(&self) -> Result<Vec<Row>, Trouble> {
        let mut rows = Vec::new();
        for one in &self.case {
            // A validator that contradicted itself keeps its seat: only so is its key one that votes.
            let changes = if matches!(one.record.body, Body::Fault(_)) { 0 } else { 2 };
            let later = Aged::new(&one.evidence, Sets::new(4, changes)?, &[])?.file;
            let disclosures = List::new(one.openings.clone())?;
            let open = EvidenceFile { disclosures, ..one.evidence.clone() };
            let mut files = vec![("today", one.evidence.clone()), ("after ten years", later)];
            if !one.openings.is_empty() {
                files.push(("with every field disclosed", open));
            }
            for (age, file) in files {
                let name = format!("genuine {} {age}", one.name);
                let mut row = Row::new(self, (&name, "", "nothing"), &file)?;
                row.documents = documents_of(one)?;
                let mut findings: Vec<u16> = match &file.outcome {
                    Outcome::Accepted { findings } => findings.iter().map(|code| code.0).collect(),
                    Outcome::Rejected { .. } => Vec::new(),
                };
                // The consent is withdrawn in the end.
                if matches!(one.record.body, Body::ConsentGrant(_) | Body::ConsentRevoke(_)) {
                    findings.push(60_003);
                }
                rows.push(if findings.is_empty() { row } else { row.with_findings(&findings) });
            }
        }
        Ok(rows)
    }
}

fn contract_of(case: &[NotarisedRecord]) -> Result<&NotarisedRecord, Trouble> {
    let contract = case.iter().find(|one| matches!(one.record.body, Body::LoanContract(_)));
    contract.ok_or_else(|| Trouble::new("the case has no loan contract"))
}

pub(super) fn documents_of(one: &NotarisedRecord) -> Result<Vec<(String, Vec<u8>)>, Trouble> {
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, std::fs::read(path)?))
    };
    one.documents.iter().map(read).collect()
}
