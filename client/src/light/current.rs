//! E5: the status at the anchor, who could sign at the record's height, and all events of the flow.

use super::{check::Answer, sets::Sets, verdict::Missing};
use probata_types::{
    EvidenceFile, Hash,
    body::Body,
    evidence::{ShownFlow, ShownInstitution},
    object::next_head,
    state::{StateKey, StateValue},
};

fn absent() -> Answer {
    Answer::NotPresent(Missing::Proof, "the file shows no state at the anchor".to_owned())
}

fn shown_flow(file: &EvidenceFile) -> Result<&ShownFlow, Answer> {
    file.state.as_ref().map(|state| &state.flow).ok_or_else(absent)
}

fn shown_institution(file: &EvidenceFile) -> Result<&ShownInstitution, Answer> {
    file.state.as_ref().map(|state| &state.institution).ok_or_else(absent)
}

/// The flow shown is the one that the anchor's state holds, and the record stands in it if it was accepted.
pub(super) fn flow_state(file: &EvidenceFile) -> Answer {
    let shown = match shown_flow(file) {
        Ok(shown) => shown,
        Err(answer) => return answer,
    };
    let anchor = file.anchor_header();
    let key = StateKey::Flow(file.record.flow).hash(file.suite);
    let value = StateValue::Flow(Box::new(shown.value.clone())).hash(file.suite);
    let compared = format!(
        "flow {} with value {value} under the state root {} of height {}",
        file.record.flow, anchor.state_root, anchor.height
    );
    if let Err(error) = shown.path.check_present(file.suite, &key, &value, &anchor.state_root) {
        return Answer::Failed(format!("{compared}: {error}"));
    }
    if !file.outcome.is_accepted() {
        return Answer::Passed(compared);
    }
    let (submitter, seq) = (file.submission.head.institution, file.record.seq);
    let last = shown.value.submitters.iter().find(|state| state.institution == submitter);
    match last {
        Some(last) if last.seq > seq => Answer::Passed(compared),
        Some(last) if last.seq == seq && last.last == file.record_id() => Answer::Passed(compared),
        _ => Answer::Failed(format!(
            "{compared}: the flow does not hold record number {seq} of {submitter}"
        )),
    }
}

/// The institution shown is the one that the anchor's state holds.
pub(super) fn institution_state(file: &EvidenceFile) -> Answer {
    let shown = match shown_institution(file) {
        Ok(shown) => shown,
        Err(answer) => return answer,
    };
    let anchor = file.anchor_header();
    let institution = file.submission.head.institution;
    let key = StateKey::Institution(institution).hash(file.suite);
    let value = StateValue::Institution(shown.value.clone()).hash(file.suite);
    let compared = format!(
        "institution {institution} with value {value} under the state root {} of height {}",
        anchor.state_root, anchor.height
    );
    let root = &anchor.state_root;
    Answer::of(compared, shown.path.check_present(file.suite, &key, &value, root))
}

/// The institution could submit at the record's height.
pub(super) fn institution_active_at_height(file: &EvidenceFile) -> Answer {
    let state = match shown_institution(file) {
        Ok(shown) => &shown.value,
        Err(answer) => return answer,
    };
    let suspended =
        state.suspended_at.map_or(String::new(), |height| format!(", suspended from {height}"));
    let height = file.header.height;
    Answer::that(
        state.is_active(height),
        format!("record at height {height}; admitted from {}{suspended}", state.admitted_at),
    )
}

/// The key that signed was the institution's, and valid, at the record's height; or the record reports a
/// fault, and the key voted for the institution then.
pub(super) fn key_valid_at_height(file: &EvidenceFile, sets: &Sets<'_>) -> Answer {
    let state = match shown_institution(file) {
        Ok(shown) => &shown.value,
        Err(answer) => return answer,
    };
    let (key, height) = (file.submission.head.key, file.header.height);
    let reports = matches!(file.record.body, Body::Fault(_));
    if reports && !state.key_is_valid(&key, height) {
        return key_votes_at_height(file, sets);
    }
    let periods: Vec<String> = state
        .keys
        .iter()
        .filter(|known| known.key == key)
        .map(|known| match known.revoked_at {
            Some(revoked) => format!("valid from {} until {revoked}", known.valid_from),
            None => format!("valid from {}", known.valid_from),
        })
        .collect();
    let periods = if periods.is_empty() {
        "not a key of the institution".to_owned()
    } else {
        periods.join(", ")
    };
    Answer::that(
        state.key_is_valid(&key, height),
        format!("key {key} at height {height}: {periods}"),
    )
}

fn key_votes_at_height(file: &EvidenceFile, sets: &Sets<'_>) -> Answer {
    let (head, height) = (&file.submission.head, file.header.height);
    let set = match sets.in_force(height) {
        Ok(set) => set,
        Err(answer) => return answer,
    };
    let seat = set.position_of(&head.key).and_then(|index| set.get(index));
    let (holds, votes) = match seat {
        Some(seat) if seat.institution == head.institution => (true, "votes for the institution"),
        Some(_) => (false, "votes for another institution"),
        None => (false, "neither signs nor votes for the institution"),
    };
    Answer::that(holds, format!("key {} at height {height}: {votes}", head.key))
}

/// The events listed are all of the flow's, in order, and the record is one of them if it was accepted.
pub(super) fn event_history_complete(file: &EvidenceFile) -> Answer {
    let state = match shown_flow(file) {
        Ok(shown) => &shown.value,
        Err(_) if file.events.is_some() => {
            let why = "the file lists events, and no state that proves the list";
            return Answer::Failed(why.to_owned());
        }
        Err(answer) => return answer,
    };
    let Some(events) = &file.events else {
        let why = "the file does not list the events of the flow".to_owned();
        return Answer::NotPresent(Missing::Proof, why);
    };
    let head = events.iter().fold(Hash::ZERO, |head, id| next_head(file.suite, &head, id));
    let compared = format!(
        "{} events lead to {head}; the flow has {} leading to {}",
        events.len(),
        state.count,
        state.head
    );
    let complete = events.len() as u64 == state.count && head == state.head;
    if complete && file.outcome.is_accepted() && !events.contains(&file.record_id()) {
        return Answer::Failed(format!("{compared}: the record is not among them"));
    }
    Answer::that(complete, compared)
}
