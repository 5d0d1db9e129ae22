//! Make evidence files from the ledger: the record, its outcome, and the paths to what is sealed.
//!
//! All proofs of a file stand against one head, whatever the chain seals meanwhile. A file of this
//! node is no more trusted than one of any other: its reader checks all of it.

mod absence;
mod block;
mod recent;

pub use absence::{Untrue, assemble_absence};
pub use block::{BlockProofs, ProvenBlock};
pub use recent::RecentBlocks;

use probata_genesis::Genesis;
use probata_ledger::{BlockLeaves, BlockPart, LedgerError, LedgerReader, Proofs};
use probata_types::{
    Domain, FlowId, Height, Index, List, Outcome, RecordId, Submission, SubmissionId, Timestamp,
    evidence::{
        Anchor, EvidenceFile, Format, HistoryLink, SetChange, SetChanges, ShownFlow,
        ShownInstitution, ShownPlace, ShownState, ShownSubmission,
    },
    limits::{EVIDENCE_EVENTS, EVIDENCE_LINKS},
    merkle::{self, MerklePath, Tree},
    sparse::SparsePath,
    state::{StateKey, StateValue},
};

use crate::limits;

/// What a file shall hold besides what it always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Every accepted record of the flow, so that its history is shown to be complete.
    pub events: bool,
    /// Heights of checkpoints that the reader holds against the file: where it and they stand in each other's history.
    pub checkpoints: Checkpoints,
    /// When the file is made. Information only.
    pub made_at: Timestamp,
}

/// The decisions on a submission's records, with their evidence, in the order of the records.
#[derive(Debug)]
pub struct SubmissionEvidence {
    /// The block that holds the submission.
    pub height: Height,
    /// One file for each record.
    pub files: Vec<EvidenceFile>,
}

/// Heights of checkpoints: what a file has room for, with two links each.
pub type Checkpoints = [Option<Height>; EVIDENCE_LINKS / 2];

/// Why no file could be made.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger contradicts itself.
    #[error("the ledger contradicts itself: {0}")]
    Contradiction(&'static str),
    /// The reader has a checkpoint that this ledger has not come to yet.
    #[error("a checkpoint of height {pinned} is asked for, height {head} is sealed here")]
    CheckpointAhead {
        /// The checkpoint's height.
        pinned: Height,
        /// The newest height that is sealed.
        head: Height,
    },
    /// More changes of the validator set than the format has room for.
    #[error("the validator set changed more often than an evidence file shows")]
    TooManySets,
}

/// The evidence file of a record, accepted or rejected; `None` if the record is not sealed.
///
/// # Errors
/// [`AssembleError`].
pub fn assemble(
    reader: &LedgerReader,
    genesis: &Genesis,
    record: &RecordId,
    options: Options,
) -> Result<Option<EvidenceFile>, AssembleError> {
    let Some(place) = reader.record(record)? else { return Ok(None) };
    let source = Source::new(reader, genesis, (place.height, place.submission), options)?;
    let index = place.index as usize;
    let flow = source.submission().records.get(index).ok_or(NO_SUCH_RECORD)?.flow;
    let status = source.status(&[flow])?;
    source.file(index, &status).map(Some)
}

/// The evidence files of all records of a submission; `None` if the submission is not sealed.
///
/// # Errors
/// [`AssembleError`].
pub fn assemble_submission(
    reader: &LedgerReader,
    genesis: &Genesis,
    id: &SubmissionId,
    options: Options,
) -> Result<Option<SubmissionEvidence>, AssembleError> {
    let Some(place) = reader.submission(id)? else { return Ok(None) };
    let source = Source::new(reader, genesis, (place.height, place.index), options)?;
    let records = &source.submission().records;
    let mut files = Vec::with_capacity(records.len());
    let indexes: Vec<usize> = (0..records.len()).collect();
    for part in indexes.chunks(limits::FLOWS_PER_PROOF) {
        let mut flows: Vec<FlowId> = part.iter().map(|index| records[*index].flow).collect();
        flows.sort_unstable();
        flows.dedup();
        let status = source.status(&flows)?;
        for index in part {
            files.push(source.file(*index, &status)?);
        }
    }
    Ok(Some(SubmissionEvidence { height: place.height, files }))
}

const NO_SUCH_BLOCK: AssembleError = AssembleError::Contradiction("an index names no block");
const NO_SUCH_SUBMISSION: AssembleError =
    AssembleError::Contradiction("an index names no submission of its block");
const NO_SUCH_RECORD: AssembleError =
    AssembleError::Contradiction("an index names no record of its submission");

/// What the files of one submission share: the head that they are proven against.
struct Status {
    anchor: Option<Anchor>,
    /// `None` for a stranger, whose records are all rejected.
    institution: Option<ShownInstitution>,
    flows: Vec<(FlowId, ShownFlow, Option<Vec<RecordId>>)>,
    sets: SetChanges,
    links: List<HistoryLink, EVIDENCE_LINKS>,
}

/// What the files of a submission are made from.
struct Source<'a> {
    reader: &'a LedgerReader,
    genesis: &'a Genesis,
    options: Options,
    part: BlockPart,
    first_leaf: usize,
    /// Over the records of the submission.
    records: Tree,
    /// Over the submissions of the block.
    submissions: Tree,
    /// Over the outcomes of the block.
    outcomes: Tree,
}

impl<'a> Source<'a> {
    /// Of a submission, by height and place.
    fn new(
        reader: &'a LedgerReader,
        genesis: &'a Genesis,
        (height, index): (Height, u32),
        options: Options,
    ) -> Result<Self, AssembleError> {
        let part = reader.part(height, index as usize)?.ok_or(NO_SUCH_BLOCK)?;
        let BlockLeaves { submissions, outcomes, first } = reader.leaves(&part)?;
        let suite = part.header.suite;
        let leaf = |id: &RecordId| merkle::leaf(suite, Domain::Records, id.as_bytes());
        let records = part.submission.record_ids().iter().map(leaf).collect();
        Ok(Self {
            reader,
            genesis,
            options,
            part,
            first_leaf: first,
            records: Tree::new(suite, Domain::Records, records),
            submissions: Tree::new(suite, Domain::Submissions, submissions),
            outcomes: Tree::new(suite, Domain::Outcomes, outcomes),
        })
    }

    const fn submission(&self) -> &Submission {
        &self.part.submission
    }

    /// The newest head, with the block in its history and what stands under its state root.
    fn status(&self, flows: &[FlowId]) -> Result<Status, AssembleError> {
        let institution = self.submission().head.institution;
        let mut keys = vec![StateKey::Institution(institution)];
        keys.extend(flows.iter().map(|flow| StateKey::Flow(*flow)));
        let (anchor, proofs) = self.prove(&keys)?;
        let at = anchor.as_ref().map_or(&self.part.header, |anchor| &anchor.header);
        let height = at.height;
        let mut states = proofs.into_iter();
        let institution = match states.next() {
            Some((Some(StateValue::Institution(value)), path)) => {
                Some(ShownInstitution { value, path })
            }
            _ => None,
        };
        let mut shown = Vec::with_capacity(flows.len());
        for (flow, (value, path)) in flows.iter().zip(states) {
            let Some(StateValue::Flow(value)) = value else { continue };
            let events = match self.options.events && value.count <= EVIDENCE_EVENTS as u64 {
                true => Some(self.events(flow, height, value.count)?),
                false => None,
            };
            shown.push((*flow, ShownFlow { value: *value, path }, events));
        }
        let sets = set_changes(self.reader, height)?;
        let block = Some(self.part.header.height);
        let links = links(self.reader, &self.options.checkpoints, (block, height))?;
        Ok(Status { anchor, institution, flows: shown, sets, links })
    }

    /// Proves state under the newest head, and the block in its history unless it is that head.
    fn prove(&self, keys: &[StateKey]) -> Result<(Option<Anchor>, States), AssembleError> {
        let height = self.part.header.height;
        if self.reader.head().height == height {
            let Proofs { header, states, .. } = self.reader.prove(keys, &[])?;
            if header.height == height {
                return Ok((None, states));
            }
        }
        // The head is above the block, and heads never fall.
        let Proofs { header, seal, states, history } = self.reader.prove(keys, &[height])?;
        let history_path = history
            .into_iter()
            .next()
            .ok_or(AssembleError::Contradiction("a history path was left out"))?;
        Ok((Some(Anchor { header, seal, history_path }), states))
    }

    /// Every accepted record of a flow up to a height, in order; `count` of them.
    fn events(
        &self,
        flow: &FlowId,
        height: Height,
        count: u64,
    ) -> Result<Vec<RecordId>, AssembleError> {
        let mut events = Vec::new();
        let mut after = None;
        loop {
            let page = self.reader.events(flow, after.as_ref(), limits::EVENTS_PAGE)?;
            let up_to = page.entries.into_iter().filter(|(_, place)| place.height <= height);
            events.extend(up_to.map(|(record, _)| record));
            after = page.next;
            if after.is_none() || events.len() as u64 >= count {
                break;
            }
        }
        if events.len() as u64 != count {
            return Err(AssembleError::Contradiction("a flow's index and its count differ"));
        }
        Ok(events)
    }

    fn file(&self, index: usize, status: &Status) -> Result<EvidenceFile, AssembleError> {
        let (part, submission) = (&self.part, self.submission());
        let record = submission.records.get(index).ok_or(NO_SUCH_RECORD)?;
        let leaf = self.first_leaf + index;
        let outcome: &Outcome = part.outcomes.get(leaf).ok_or(NO_SUCH_RECORD)?;
        let flow = status.flows.iter().find(|(flow, ..)| *flow == record.flow);
        // Nothing proves a list of events without the state: a stranger's file has neither.
        let events =
            status.institution.as_ref().and(flow).and_then(|(_, _, events)| events.clone());
        Ok(EvidenceFile {
            format: Format::Evidence,
            version: EvidenceFile::VERSION,
            suite: part.header.suite,
            chain: self.genesis.chain(),
            made_at: self.options.made_at,
            submission: ShownSubmission {
                head: submission.head.clone(),
                signature: submission.signature,
                place: place(part.index, &self.submissions)?,
            },
            record: record.clone(),
            record_place: place(index, &self.records)?,
            outcome: outcome.clone(),
            outcome_place: place(leaf, &self.outcomes)?,
            header: part.header.clone(),
            seal: part.seal.clone(),
            anchor: status.anchor.clone(),
            state: flow.zip(status.institution.as_ref()).map(|((_, flow, _), institution)| {
                ShownState { flow: flow.clone(), institution: institution.clone() }
            }),
            events: events
                .map(|events| List::new(events).expect("the count was compared with the bound")),
            sets: status.sets.clone(),
            links: status.links.clone(),
            disclosures: List::empty(),
        })
    }
}

/// Each checkpoint in the anchor's history, and the block in the checkpoint's, if it is older.
fn links(
    reader: &LedgerReader,
    checkpoints: &Checkpoints,
    (block, anchor): (Option<Height>, Height),
) -> Result<List<HistoryLink, EVIDENCE_LINKS>, AssembleError> {
    let mut links = List::empty();
    for pinned in checkpoints.iter().copied().flatten() {
        if pinned > anchor {
            return Err(AssembleError::CheckpointAhead { pinned, head: anchor });
        }
        let places = [(pinned, anchor), (block.unwrap_or(pinned), pinned)];
        for (of, size) in places.into_iter().filter(|(of, size)| of < size) {
            let link = HistoryLink { of, size, path: reader.history(of, size)? };
            links.push(link).expect("two links have room for each checkpoint");
        }
    }
    Ok(links)
}

/// Each change of the validator set up to a height, first to last: the block that names another next set
/// than its own, its seal, and that set.
pub fn set_changes(reader: &LedgerReader, up_to: Height) -> Result<SetChanges, AssembleError> {
    let mut changes = List::empty();
    for number in 1.. {
        let (value, _) = reader.state(&StateKey::Epoch(number))?;
        let Some(StateValue::Epoch(epoch)) = value else { break };
        let height = epoch.first.previous().unwrap_or_default();
        if height > up_to {
            break;
        }
        let (header, seal) = reader.sealed_header(height)?.ok_or(NO_SUCH_BLOCK)?;
        let change = SetChange { header, seal, set: epoch.set };
        changes.push(change).map_err(|_| AssembleError::TooManySets)?;
    }
    Ok(changes)
}

type States = Vec<(Option<StateValue>, SparsePath)>;

fn place(index: usize, tree: &Tree) -> Result<ShownPlace, AssembleError> {
    let path: MerklePath = tree.path(index).ok_or(NO_SUCH_RECORD)?;
    Ok(ShownPlace { index: Index::new(index as u64), path })
}

#[cfg(test)]
mod tests;
