//! What holds for every record: the hard rules H2 to H8 and the common soft rules. (H1 and the
//! first half of H5 are judged for the whole submission, H9 with its signature.)

use crate::{
    case::{Case, Judged, require},
    limits, pii,
};
use probata_types::{
    Hash, Height, InstitutionId, List,
    catalogue::{failure, finding},
    object::{FlowState, Object, SubmitterState, next_head},
    record::{Document, DocumentRole, RecordId},
    state::{Sighting, StateKey, StateValue},
};

/// SHA-256 of nothing (FIPS 180-4).
const SHA256_EMPTY: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];
/// SM3 of nothing (GB/T 32905-2016).
const SM3_EMPTY: [u8; 32] = [
    0x1a, 0xb2, 0x1d, 0x83, 0x55, 0xcf, 0xa1, 0x7f, 0x8e, 0x61, 0x19, 0x48, 0x31, 0xe8, 0x1a, 0x8f,
    0x22, 0xbe, 0xc8, 0xc7, 0x28, 0xfe, 0xfb, 0x74, 0x7e, 0xd0, 0x35, 0xeb, 0x50, 0x82, 0xaa, 0x2b,
];

/// A flow without its object.
pub(crate) struct Standing {
    owner: InstitutionId,
    opened_at: Height,
    count: u64,
    head: Hash,
    submitters: List<SubmitterState, { probata_types::limits::SUBMITTERS_PER_FLOW }>,
}

impl Standing {
    /// A flow in its two parts: the rules of a type change its object, those of the envelope the rest.
    pub(crate) fn split(flow: FlowState) -> (Self, Object) {
        let FlowState { owner, opened_at, count, head, submitters, object } = flow;
        (Self { owner, opened_at, count, head, submitters }, object)
    }

    /// A flow that a record opens.
    fn open(case: &Case<'_, '_>) -> Self {
        Self {
            owner: case.submitter(),
            opened_at: case.block.height,
            count: 0,
            head: Hash::ZERO,
            submitters: List::empty(),
        }
    }
}

/// The hard rules. Gives the flow as it stands, `None` if the record would open it.
pub(crate) fn check(case: &Case<'_, '_>) -> Judged<Option<Box<FlowState>>> {
    let record = case.record;
    let flow = case.state.flow(&record.flow)?;
    check_sequence(case, flow.as_deref())?;
    require(record.body.phases().contains(&record.phase), failure::PHASE)?;
    case.require_past(record.occurred_at)?;
    require(!pii::holds_personal_data(record), failure::CLEAR_PERSONAL_DATA)?;
    require(limits::SECURITY_LEVELS.contains(&record.level), failure::VALUE)?;
    require(record.rule_pack <= case.pack.version, failure::RULE_PACK_UNKNOWN)?;
    Ok(flow)
}

/// H3 and H4: the record is the submitter's next in the flow.
fn check_sequence(case: &Case<'_, '_>, flow: Option<&FlowState>) -> Judged {
    let record = case.record;
    let submitter = case.submitter();
    let entry = flow.and_then(|flow| flow.submitters.iter().find(|s| s.institution == submitter));
    let (last_seq, last) = entry.map_or((0, RecordId::NONE), |entry| (entry.seq, entry.last));
    if let (None, Some(flow)) = (entry, flow) {
        let room = flow.submitters.len() < probata_types::limits::SUBMITTERS_PER_FLOW;
        require(room, failure::FLOW_FULL)?;
    }
    require(record.seq != 0, failure::SEQUENCE)?;
    require(record.seq > last_seq, failure::DUPLICATE)?;
    require(record.seq - last_seq == 1, failure::SEQUENCE)?;
    require(record.prev == last, failure::PREVIOUS)
}

/// The common soft rules, and the flow after the record.
pub(crate) fn finish(
    case: &mut Case<'_, '_>,
    standing: Option<Standing>,
    object: Object,
) -> Judged {
    let (record, block) = (case.record, case.block);
    let age = block.time.since(record.occurred_at);
    case.note(age > case.pack.late_after.get(), finding::LATE);
    let skew = block.time.get().abs_diff(case.head.submitted_at.get());
    case.note(skew > case.pack.clock_skew.get(), finding::CLOCK_SKEW);
    case.note(record.rule_pack < case.pack.version, finding::RULE_PACK_OLD);
    for document in &record.documents {
        see_document(case, document)?;
    }
    let mut standing = standing.unwrap_or_else(|| Standing::open(case));
    advance_submitter(case, &mut standing);
    let Standing { owner, opened_at, count, head, submitters } = standing;
    let (count, head) = (count + 1, next_head(block.suite, &head, &case.id));
    let flow = FlowState { owner, opened_at, count, head, submitters, object };
    case.state.put(StateKey::Flow(record.flow), StateValue::Flow(Box::new(flow)));
    Ok(())
}

fn advance_submitter(case: &Case<'_, '_>, flow: &mut Standing) {
    let next =
        SubmitterState { institution: case.submitter(), seq: case.record.seq, last: case.id };
    let submitters = flow.submitters.as_mut_slice();
    match submitters.iter_mut().find(|entry| entry.institution == next.institution) {
        Some(entry) => *entry = next,
        None => flow.submitters.push(next).expect("check_sequence found room"),
    }
}

/// `EMPTY_DOC`, `DUP_DOC`, and the first sighting. General terms and notices of consent are the
/// same for many: that they stand in other flows means nothing.
fn see_document(case: &mut Case<'_, '_>, document: &Document) -> Judged {
    let empty = document.length == 0
        || document.sha256.as_bytes() == &SHA256_EMPTY
        || document.sm3.as_bytes() == &SM3_EMPTY;
    case.note(empty, finding::EMPTY_DOC);
    if empty {
        return Ok(());
    }
    let key = StateKey::Document(document.sha256);
    match case.state.get(&key)? {
        Some(StateValue::Document(seen)) => {
            let shared = matches!(document.role, DocumentRole::Terms | DocumentRole::ConsentNotice);
            case.note(seen.flow != case.record.flow && !shared, finding::DUP_DOC);
        }
        Some(_) => return Err(crate::overlay::wrong_kind("document").into()),
        None => {
            let (height, flow) = (case.block.height, case.record.flow);
            let sighting = Sighting { height, flow, record: case.id };
            case.state.put(key, StateValue::Document(sighting));
        }
    }
    Ok(())
}
