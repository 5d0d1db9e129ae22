//! The state at the anchor: old status shown as new, keys and institutions that could not submit, events left out.

use super::{Base, Row};
use crate::{
    aged::{Aged, Sets},
    trouble::Trouble,
};
use probata_types::{
    EvidenceFile, Fen, Hash, Height, List, PublicKey, RecordId,
    evidence::ShownState,
    object::{ConsentStatus, FacilityStatus, GuaranteeStatus, Object},
    sparse::{SparseEnd, SparsePath},
    state::{InstitutionState, KeyState},
};

const RECORDED: u64 = crate::aged::RECORDED;

pub(super) fn rows(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = flows(base)?;
    rows.extend(institutions(base)?);
    rows.extend(paths(base)?);
    rows.extend(events(base)?);
    rows.extend(left_out(base)?);
    Ok(rows)
}

fn state(file: &mut EvidenceFile) -> Result<&mut ShownState, Trouble> {
    file.state.as_mut().ok_or_else(|| Trouble::new("the contract shows its state"))
}

fn flows(base: &Base) -> Result<Vec<Row>, Trouble> {
    const FLOW: &[&str] = &["flow_state"];
    let mut rows = Vec::new();
    let changes: [(&str, &str, fn(&mut Object)); 4] = [
        ("settled", "the loan is said to be paid back", |object| {
            if let Object::Facility(it) = object {
                it.status = FacilityStatus::Settled;
            }
        }),
        ("repaid", "more is said to be paid back", |object| {
            if let Object::Facility(it) = object {
                it.repaid = Fen::new(it.repaid.get() * 2).unwrap_or_default();
            }
        }),
        ("without guarantees", "the guarantee is left out", |object| {
            if let Object::Facility(it) = object {
                it.guarantees = List::empty();
            }
        }),
        ("with its guarantee released", "the guarantor is said to be free", |object| {
            if let Object::Facility(it) = object {
                for guarantee in it.guarantees.as_mut_slice() {
                    guarantee.status = GuaranteeStatus::Released;
                }
            }
        }),
    ];
    for (name, attack, change) in changes {
        let mut file = base.file();
        change(&mut state(&mut file)?.flow.value.object);
        let name = format!("loan shown {name}");
        rows.push(Row::new(base, (&name, "T4", attack), &file)?.fails("E4", FLOW));
    }
    let mut file = base.file();
    state(&mut file)?.flow.value.count -= 1;
    let about = ("flow with a record less", "T4", "the flow is said to have one record less");
    rows.push(Row::new(base, about, &file)?.fails("E4", &["flow_state", "event_history_complete"]));
    // A genuine state in which the record has no place: it was accepted, and is not the one that the flow has.
    let mut file = base.of("contract")?.evidence.clone();
    for submitter in state(&mut file)?.flow.value.submitters.as_mut_slice() {
        submitter.seq = 1;
        submitter.last = RecordId([9; 32]);
    }
    let other = Aged::new(&file, Sets::new(4, 2)?, &[])?.file;
    let about = (
        "record that its flow does not hold",
        "T18",
        "the state that was sealed has another record in its place",
    );
    rows.push(Row::new(base, about, &other)?.fails("E4", FLOW));
    // The withdrawn consent.
    let consent = base.of("consent")?;
    let mut file = Aged::new(&consent.evidence, Sets::new(4, 2)?, &[])?.file;
    if let Object::Consent(it) = &mut state(&mut file)?.flow.value.object {
        it.status = ConsentStatus::Active;
        it.revoked_at = None;
    }
    let about =
        ("withdrawn consent shown as in force", "T23", "its withdrawal is left out of the state");
    let mut row = Row::new(base, about, &file)?;
    row.documents = super::base::documents_of(consent)?;
    // The status is read as the file shows it; ten years later the year that it was given for is over.
    rows.push(row.fails("E4", FLOW).finding(&findings_and(&file, 60_003)));
    // A guarantee that was released, in a state that was sealed.
    let guarantee = base.of("guarantee")?;
    let mut file = guarantee.evidence.clone();
    if let Object::Facility(it) = &mut state(&mut file)?.flow.value.object {
        for one in it.guarantees.as_mut_slice() {
            one.status = GuaranteeStatus::Released;
        }
    }
    let released = Aged::new(&file, Sets::new(4, 2)?, &[])?.file;
    let about =
        ("genuine guarantee that was released", "", "nothing: the state says that it is over");
    let mut row = Row::new(base, about, &released)?;
    row.documents = super::base::documents_of(guarantee)?;
    rows.push(row.with_findings(&findings_and(&released, 60_003)));
    Ok(rows)
}

fn findings_and(file: &EvidenceFile, own: u16) -> Vec<u16> {
    let mut findings: Vec<u16> = match &file.outcome {
        probata_types::Outcome::Accepted { findings } => findings.iter().map(|it| it.0).collect(),
        probata_types::Outcome::Rejected { .. } => Vec::new(),
    };
    findings.push(own);
    findings
}

fn institutions(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = Vec::new();
    let key = |from: u64, revoked: Option<u64>| {
        move |it: &mut InstitutionState| {
            for key in it.keys.as_mut_slice() {
                key.valid_from = Height::new(from);
                key.revoked_at = revoked.map(Height::new);
            }
        }
    };
    let active = "institution_active_at_height";
    let valid = "key_valid_at_height";
    let sealed: [(&str, &str, Option<&str>, Box<dyn Fn(&mut InstitutionState)>); 8] = [
        (
            "suspended before",
            "the lender was suspended when it submitted",
            Some(active),
            Box::new(|it| it.suspended_at = Some(Height::new(RECORDED))),
        ),
        (
            "suspended after",
            "the lender was suspended later",
            None,
            Box::new(|it| it.suspended_at = Some(Height::new(RECORDED + 1))),
        ),
        (
            "admitted later",
            "the lender was no member yet",
            Some(active),
            Box::new(|it| it.admitted_at = Height::new(RECORDED + 1)),
        ),
        (
            "whose key was revoked before",
            "the key had been revoked",
            Some(valid),
            Box::new(key(1, Some(RECORDED))),
        ),
        (
            "whose key was revoked after",
            "the key was revoked later",
            None,
            Box::new(key(1, Some(RECORDED + 1))),
        ),
        (
            "whose key was not valid yet",
            "the key is from later",
            Some(valid),
            Box::new(key(RECORDED + 1, None)),
        ),
        (
            "without the key",
            "the key is not among the lender's",
            Some(valid),
            Box::new(|it| it.keys = List::empty()),
        ),
        (
            "with another key",
            "the lender has another key",
            Some(valid),
            Box::new(|it| {
                let other = KeyState {
                    key: PublicKey([3; 32]),
                    valid_from: Height::ZERO,
                    revoked_at: None,
                };
                it.keys = List::new(vec![other]).unwrap_or_default();
            }),
        ),
    ];
    for (name, attack, check, change) in sealed {
        // The state that was sealed says so.
        let mut file = base.of("contract")?.evidence.clone();
        change(&mut state(&mut file)?.institution.value);
        let file = Aged::new(&file, Sets::new(4, 2)?, &[])?.file;
        let name = format!("lender {name}");
        let row = Row::new(base, (&name, if check.is_some() { "T7" } else { "" }, attack), &file)?;
        rows.push(match check {
            Some(check) => row.fails("E4", &[check]),
            None => row,
        });
    }
    // The same, and the file hides it.
    let mut file = base.of("contract")?.evidence.clone();
    key(1, Some(RECORDED))(&mut state(&mut file)?.institution.value);
    let mut file = Aged::new(&file, Sets::new(4, 2)?, &[])?.file;
    key(1, None)(&mut state(&mut file)?.institution.value);
    let about =
        ("lender's revoked key shown as good", "T7", "the revocation is left out of the state");
    rows.push(Row::new(base, about, &file)?.fails("E4", &["institution_state"]));
    Ok(rows)
}

fn paths(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = Vec::new();
    let changes: [(&str, &str, fn(&mut SparsePath)); 6] = [
        ("with a bit turned", "a sibling is another", |it| it.siblings.as_mut_slice()[4].0[9] ^= 1),
        ("cut below", "it begins at an inner node", |it| {
            it.siblings =
                List::new(it.siblings.clone().into_vec()[1..].to_vec()).unwrap_or_default();
        }),
        ("cut above", "it ends below the root", |it| {
            let mut siblings = it.siblings.clone().into_vec();
            siblings.pop();
            it.siblings = List::new(siblings).unwrap_or_default();
        }),
        ("of 256 siblings", "the longest path that the format has", |it| {
            it.siblings = List::new(vec![Hash([1; 32]); 256]).unwrap_or_default();
        }),
        (
            "that shows nothing there",
            "the object is said to be there, the path says that nothing is",
            |it| it.end = SparseEnd::Empty,
        ),
        ("that shows another there", "the path ends at a neighbour", |it| {
            it.end = SparseEnd::Other { key: Hash([1; 32]), value_hash: Hash([2; 32]) };
        }),
    ];
    for (which, check) in [("flow", "flow_state"), ("institution", "institution_state")] {
        for (name, attack, change) in &changes {
            let mut file = base.file();
            let state = state(&mut file)?;
            change(if which == "flow" {
                &mut state.flow.path
            } else {
                &mut state.institution.path
            });
            let name = format!("path of the {which} {name}");
            rows.push(Row::new(base, (&name, "T13", attack), &file)?.fails("E4", &[check]));
        }
    }
    let mut file = base.file();
    let shown = state(&mut file)?;
    std::mem::swap(&mut shown.flow.path, &mut shown.institution.path);
    let about = ("paths of the state exchanged", "T13", "each object has the path of the other");
    rows.push(Row::new(base, about, &file)?.fails("E4", &["flow_state", "institution_state"]));
    // The state of the chain before it aged, under the anchor of today.
    let mut file = base.file();
    file.state = base.of("contract")?.evidence.state.clone();
    let about = (
        "state of another day",
        "T18",
        "a state that was sealed once, under an anchor that does not have it",
    );
    rows.push(Row::new(base, about, &file)?.fails("E4", &["flow_state", "institution_state"]));
    Ok(rows)
}

fn events(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = Vec::new();
    let changes: [(&str, &str, fn(&mut Vec<RecordId>)); 6] = [
        ("one left out", "the last record of the flow is not listed", |list| {
            list.truncate(list.len() - 1)
        }),
        ("the first left out", "the contract itself is not listed", |list| {
            *list = list.split_off(1)
        }),
        ("two exchanged", "the order is another", |list| list.swap(1, 2)),
        ("one twice", "one stands twice, another not at all", |list| list[1] = list[2]),
        ("one more", "a record that the flow does not have", |list| list.push(RecordId([8; 32]))),
        ("none", "the list is empty", Vec::clear),
    ];
    for (name, attack, change) in changes {
        let mut file = base.file();
        let mut list = file.events.clone().unwrap_or_default().into_vec();
        change(&mut list);
        file.events = Some(List::new(list)?);
        let name = format!("events with {name}");
        rows.push(
            Row::new(base, (&name, "T4", attack), &file)?.fails("E4", &["event_history_complete"]),
        );
    }
    Ok(rows)
}

fn left_out(base: &Base) -> Result<Vec<Row>, Trouble> {
    let mut rows = Vec::new();
    let mut file = base.file();
    file.events = None;
    let about = ("genuine without events", "", "nothing: the list was not asked for");
    rows.push(Row::new(base, about, &file)?.reaches("E4", &["event_history_complete"]));
    file.state = None;
    let about = ("genuine without state", "", "nothing: a receipt has none");
    let state = [
        "flow_state",
        "institution_state",
        "institution_active_at_height",
        "key_valid_at_height",
        "event_history_complete",
    ];
    rows.push(Row::new(base, about, &file)?.with_findings(&[60_001]).reaches("E4", &state));
    let mut file = base.file();
    file.state = None;
    let about = ("state left out, events shown", "T4", "a list of events that nothing proves");
    let row = Row::new(base, about, &file)?.fails("E4", &["event_history_complete"]);
    let row = row.indeterminate("E4", &state[..4], "not_present").fails("E4", &[]);
    rows.push(row.finding(&[60_001]));
    Ok(rows)
}
