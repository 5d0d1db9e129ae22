//! What did not happen: proven by the state of a real chain, and not by a file that somebody has worked on.

use probata_client::light::{AbsenceReport, AbsenceRequest, Status, Verdict, verify_absence};
use probata_node::evidence::{Untrue, assemble_absence};
use probata_tests::{
    committee::{Committee, NotarisedRecord, notarise_case},
    consortium::{self, BEGIN},
    trouble::{Trouble, ensure},
};
use probata_types::{
    AbsenceFile, Hash, Height, List, Outcome, Timestamp,
    evidence::{Claim, Found},
    outcome::Code,
    record::Digest256,
    sparse::SparseEnd,
};

struct Case {
    committee: Committee,
    records: Vec<NotarisedRecord>,
}

impl Case {
    fn new() -> Result<Self, Trouble> {
        let mut committee = Committee::new(4, BEGIN)?;
        let records = notarise_case(&mut committee)?;
        Ok(Self { committee, records })
    }

    fn of(&self, name: &str) -> Result<&NotarisedRecord, Trouble> {
        let found = self.records.iter().find(|one| one.name == name);
        found.ok_or_else(|| Trouble::new(format!("the case has no {name}")))
    }

    fn absence(&self, claim: Claim) -> Result<AbsenceFile, Untrue> {
        let (reader, genesis) = (self.committee.reader(), self.committee.genesis());
        assemble_absence(&reader, genesis, claim, ([None; 2], Timestamp::ZERO))
    }

    fn judge(&self, file: &AbsenceFile) -> Result<AbsenceReport, Trouble> {
        let text = file.to_json()?;
        let genesis = Some(self.committee.genesis());
        Ok(verify_absence(&AbsenceRequest { absence: text.as_bytes(), genesis, checkpoint: None }))
    }

    /// The file holds, and none that is spoiled does.
    fn only_this_holds(
        &self,
        file: &AbsenceFile,
        spoiled: Vec<(&str, Verdict, AbsenceFile)>,
    ) -> Result<(), Trouble> {
        let report = self.judge(file)?;
        ensure(report.verdict == Verdict::Consistent, || format!("{report:?}"))?;
        ensure(report.known_to == Some((file.header.height, file.header.time)), || {
            "another anchor".into()
        })?;
        for (name, verdict, file) in spoiled {
            let report = self.judge(&file)?;
            ensure(report.verdict == verdict, || format!("{name}: {report:?}"))?;
        }
        Ok(())
    }
}

fn below(height: Height) -> Height {
    height.previous().unwrap_or_default()
}

#[test]
fn a_facility_had_no_guarantee_before_it_was_signed() -> Result<(), Trouble> {
    let case = Case::new()?;
    let guarantee = case.of("guarantee")?;
    let (flow, signed) = (guarantee.record.flow, guarantee.evidence.header.height);
    let claim = |at| Claim::NoGuarantee { flow, at };
    let file = case.absence(claim(below(signed)))?;
    ensure(file.later.len() == 1, || "the guarantee came later, and is shown".to_owned())?;
    let anchor = file.header.height;
    let mut of_another = file.clone();
    of_another.later.as_mut_slice()[0].outcome = Outcome::Rejected { code: Code(12) };
    let mut earlier = file.clone();
    earlier.later.as_mut_slice()[0].header.height = Height::new(1);
    let mut moved = file.clone();
    moved.later.as_mut_slice()[0].place.index = moved.later[0].place.index.next();
    let mut unguarded = file.clone();
    if let Found::Flow(flow) = &mut unguarded.found
        && let probata_types::object::Object::Facility(facility) = &mut flow.object
    {
        facility.guarantees = List::empty();
    }
    let spoiled = vec![
        (
            "asked for the block of the guarantee",
            Verdict::Inconsistent,
            AbsenceFile { claim: claim(signed), ..file.clone() },
        ),
        (
            "asked beyond the anchor",
            Verdict::Inconsistent,
            AbsenceFile { claim: claim(anchor.next()), ..file.clone() },
        ),
        (
            "the guarantee not shown",
            Verdict::Indeterminate,
            AbsenceFile { later: List::empty(), ..file.clone() },
        ),
        ("its outcome changed", Verdict::Inconsistent, of_another),
        ("its height changed", Verdict::Inconsistent, earlier),
        ("its place changed", Verdict::Inconsistent, moved),
        ("the guarantee left out of the flow", Verdict::Inconsistent, unguarded),
        (
            "said to be nothing",
            Verdict::Inconsistent,
            AbsenceFile { found: Found::Nothing, ..file.clone() },
        ),
    ];
    case.only_this_holds(&file, spoiled)?;
    let happened = case.absence(claim(signed));
    ensure(matches!(happened, Err(Untrue::Happened(_))), || format!("{happened:?}"))?;
    let ahead = case.absence(claim(Height::new(1_000_000)));
    ensure(matches!(ahead, Err(Untrue::NotSealed(_))), || format!("{ahead:?}"))?;
    // A flow that nobody has opened.
    let none = Claim::NoGuarantee { flow: probata_types::FlowId([7; 16]), at: signed };
    let file = case.absence(none)?;
    case.only_this_holds(&file, vec![])
}

#[test]
fn a_document_was_not_recorded_before_its_record() -> Result<(), Trouble> {
    let case = Case::new()?;
    let contract = case.of("contract")?;
    let (sha256, height) = (contract.record.documents[0].sha256, contract.evidence.header.height);
    let claim = |height| Claim::NotRecordedBefore { sha256, height };
    let file = case.absence(claim(height))?;
    let beyond = AbsenceFile { claim: claim(height.next()), ..file.clone() };
    let spoiled = vec![
        ("one block too late", Verdict::Inconsistent, beyond),
        (
            "said to be nothing",
            Verdict::Inconsistent,
            AbsenceFile { found: Found::Nothing, ..file.clone() },
        ),
    ];
    case.only_this_holds(&file, spoiled)?;
    let happened = case.absence(claim(height.next()));
    ensure(matches!(happened, Err(Untrue::Happened(_))), || format!("{happened:?}"))?;
    // A document that nobody has recorded, and one whose neighbour is another's.
    let unknown = Claim::NotRecordedBefore { sha256: Digest256([7; 32]), height };
    let file = case.absence(unknown)?;
    let mut neighbour = file.clone();
    neighbour.path.end = SparseEnd::Other { key: Hash([7; 32]), value_hash: Hash([8; 32]) };
    let mut cut = file.clone();
    cut.path.siblings = List::new(cut.path.siblings.into_vec().split_off(1))?;
    let late = Claim::NotRecordedBefore {
        sha256: Digest256([7; 32]),
        height: file.header.height.saturating_add(2),
    };
    let unsealed = AbsenceFile { seal: contract.evidence.seal.clone(), ..file.clone() };
    let spoiled = vec![
        ("a neighbour that is not there", Verdict::Inconsistent, neighbour),
        ("a path that is cut", Verdict::Inconsistent, cut),
        (
            "asked beyond the anchor",
            Verdict::Inconsistent,
            AbsenceFile { claim: late, ..file.clone() },
        ),
        ("sealed as another block", Verdict::Inconsistent, unsealed),
    ];
    case.only_this_holds(&file, spoiled)
}

#[test]
fn what_the_chain_does_not_note_is_not_judged() -> Result<(), Trouble> {
    let case = Case::new()?;
    // SHA-256 of nothing: empty documents have no sighting.
    let sha256: Digest256 =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse()?;
    let file = case.absence(Claim::NotRecordedBefore { sha256, height: Height::new(2) })?;
    ensure(case.judge(&file)?.verdict == Verdict::Indeterminate, || "it was judged".to_owned())?;
    let contract = case.of("contract")?.record.flow;
    let file = case.absence(Claim::NoGuarantee { flow: contract, at: Height::new(1) })?;
    let text = file.to_json()?;
    let alone = AbsenceRequest { absence: text.as_bytes(), ..AbsenceRequest::default() };
    let report = verify_absence(&alone);
    ensure(report.verdict == Verdict::Indeterminate, || format!("{report:?}"))?;
    let other = consortium::genesis(4, BEGIN.saturating_add(1));
    let report = verify_absence(&AbsenceRequest { genesis: Some(&other), ..alone });
    let check = report.check("chain_is_the_genesis").map(|check| check.status);
    ensure(check == Some(Status::Failed), || format!("{report:?}"))?;
    let later = text.replacen("\"version\":1", "\"version\":2", 1);
    let report = verify_absence(&AbsenceRequest { absence: later.as_bytes(), ..alone });
    ensure(report.verdict == Verdict::Indeterminate, || format!("{report:?}"))?;
    let tricks = text.replacen("\"version\":1", "\"version\":1,\"version\":1", 1);
    let report = verify_absence(&AbsenceRequest { absence: tricks.as_bytes(), ..alone });
    ensure(report.verdict == Verdict::Inconsistent, || format!("{report:?}"))
}
