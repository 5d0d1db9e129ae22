//! Make evidence files from the ledger: the record, its outcome, and the paths to what is sealed.
//!
//! All proofs of a file stand against one head, whatever the chain seals meanwhile. A file of this
//! node is no more trusted than one of any other: its reader checks all of it.

mod block;

pub use block::ProvenBlock;

use probata_genesis::Genesis;
use probata_ledger::{LedgerError, LedgerReader, Proofs};
use probata_types::{
    Domain, FlowId, Height, Index, List, Outcome, RecordId, SealedBlock, Submission, SubmissionId,
    Suite, Timestamp,
    evidence::{
        Anchor, EvidenceFile, Format, SetChange, ShownFlow, ShownInstitution, ShownPlace,
        ShownState, ShownSubmission,
    },
    limits::{EVIDENCE_EVENTS, EVIDENCE_SETS},
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

/// Why no file could be made: never because of what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger contradicts itself.
    #[error("the ledger contradicts itself: {0}")]
    Contradiction(&'static str),
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
    let block = sealed_block(reader, place.height)?;
    let source = Source { reader, genesis, block: ProvenBlock::new(block), options };
    let within = source.submission(place.submission as usize)?;
    let index = place.index as usize;
    let flow = within.submission.records.get(index).ok_or(NO_SUCH_RECORD)?.flow;
    let status = source.status(&within, &[flow])?;
    source.file(&within, index, &status).map(Some)
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
    let block = sealed_block(reader, place.height)?;
    let source = Source { reader, genesis, block: ProvenBlock::new(block), options };
    let within = source.submission(place.index as usize)?;
    let mut files = Vec::with_capacity(within.submission.records.len());
    let indexes: Vec<usize> = (0..within.submission.records.len()).collect();
    for part in indexes.chunks(limits::FLOWS_PER_PROOF) {
        let mut flows: Vec<FlowId> =
            part.iter().map(|index| within.submission.records[*index].flow).collect();
        flows.sort_unstable();
        flows.dedup();
        let status = source.status(&within, &flows)?;
        for index in part {
            files.push(source.file(&within, *index, &status)?);
        }
    }
    Ok(Some(SubmissionEvidence { height: place.height, files }))
}

/// The place of a record in its block that its submission and its position there give.
///
/// # Errors
/// [`AssembleError::Contradiction`] if the block holds no such submission.
pub fn first_leaf(block: &SealedBlock, submission: usize) -> Result<usize, AssembleError> {
    let before = block.proposal.submissions.get(..submission).ok_or(NO_SUCH_SUBMISSION)?;
    Ok(before.iter().map(|one| one.records.len()).sum())
}

const NO_SUCH_BLOCK: AssembleError = AssembleError::Contradiction("an index names no block");
const NO_SUCH_SUBMISSION: AssembleError =
    AssembleError::Contradiction("an index names no submission of its block");
const NO_SUCH_RECORD: AssembleError =
    AssembleError::Contradiction("an index names no record of its submission");

fn sealed_block(reader: &LedgerReader, height: Height) -> Result<SealedBlock, AssembleError> {
    reader.block(height)?.ok_or(NO_SUCH_BLOCK)
}

/// A submission within its block.
struct Within<'a> {
    submission: &'a Submission,
    index: usize,
    first_leaf: usize,
    records: Tree,
}

/// What the files of one submission share: the head that they are proven against.
struct Status {
    anchor: Option<Anchor>,
    /// `None` for a stranger, whose records are all rejected.
    institution: Option<ShownInstitution>,
    flows: Vec<(FlowId, ShownFlow, Option<Vec<RecordId>>)>,
    sets: SetChanges,
}

/// What files are made from.
struct Source<'a> {
    reader: &'a LedgerReader,
    genesis: &'a Genesis,
    block: ProvenBlock,
    options: Options,
}

impl Source<'_> {
    fn suite(&self) -> Suite {
        self.block.block().header.suite
    }

    fn submission(&self, index: usize) -> Result<Within<'_>, AssembleError> {
        let block = self.block.block();
        let submission = block.proposal.submissions.get(index).ok_or(NO_SUCH_SUBMISSION)?;
        let ids = submission.record_ids();
        let leaves = ids
            .iter()
            .map(|id| merkle::leaf(self.suite(), Domain::Records, id.as_bytes()))
            .collect();
        let records = Tree::new(self.suite(), Domain::Records, leaves);
        let first_leaf = first_leaf(block, index)?;
        Ok(Within { submission, index, first_leaf, records })
    }

    /// The newest head, with the block in its history and what stands under its state root.
    fn status(&self, within: &Within<'_>, flows: &[FlowId]) -> Result<Status, AssembleError> {
        let institution = within.submission.head.institution;
        let mut keys = vec![StateKey::Institution(institution)];
        keys.extend(flows.iter().map(|flow| StateKey::Flow(*flow)));
        let (anchor, proofs) = self.prove(&keys)?;
        let at = anchor.as_ref().map_or(&self.block.block().header, |anchor| &anchor.header);
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
        Ok(Status { anchor, institution, flows: shown, sets })
    }

    /// Proves state under the newest head, and the block in its history unless it is that head.
    fn prove(&self, keys: &[StateKey]) -> Result<(Option<Anchor>, States), AssembleError> {
        let height = self.block.block().header.height;
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

    fn file(
        &self,
        within: &Within<'_>,
        index: usize,
        status: &Status,
    ) -> Result<EvidenceFile, AssembleError> {
        let block = self.block.block();
        let record = within.submission.records.get(index).ok_or(NO_SUCH_RECORD)?;
        let leaf = within.first_leaf + index;
        let outcome: &Outcome = block.outcomes.get(leaf).ok_or(NO_SUCH_RECORD)?;
        let flow = status.flows.iter().find(|(flow, ..)| *flow == record.flow);
        let events = flow.and_then(|(_, _, events)| events.clone());
        Ok(EvidenceFile {
            format: Format::Evidence,
            version: EvidenceFile::VERSION,
            suite: self.suite(),
            chain: self.genesis.chain(),
            made_at: self.options.made_at,
            submission: ShownSubmission {
                head: within.submission.head.clone(),
                signature: within.submission.signature,
                place: place(within.index, self.block.submissions())?,
            },
            record: record.clone(),
            record_place: place(index, &within.records)?,
            outcome: outcome.clone(),
            outcome_place: place(leaf, self.block.outcomes())?,
            header: block.header.clone(),
            seal: block.seal.clone(),
            anchor: status.anchor.clone(),
            state: flow.zip(status.institution.as_ref()).map(|((_, flow, _), institution)| {
                ShownState { flow: flow.clone(), institution: institution.clone() }
            }),
            events: events
                .map(|events| List::new(events).expect("the count was compared with the bound")),
            sets: status.sets.clone(),
            disclosures: List::empty(),
        })
    }
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

/// The changes of the validator set, as an evidence file has them.
pub type SetChanges = List<SetChange, EVIDENCE_SETS>;

type States = Vec<(Option<StateValue>, SparsePath)>;

fn place(index: usize, tree: &Tree) -> Result<ShownPlace, AssembleError> {
    let path: MerklePath = tree.path(index).ok_or(NO_SUCH_RECORD)?;
    Ok(ShownPlace { index: Index::new(index as u64), path })
}

#[cfg(test)]
mod tests;
