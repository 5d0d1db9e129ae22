//! One submission of a block: of the others only heads are looked at. Decoding thousands of records to serve one takes
//! longer than everything else that a reader does.

use super::{LedgerReader, from_archive};
use crate::{
    contents::Contents,
    error::LedgerError,
    index::{self, BlockEntry},
    log,
    store::Tree,
};
use probata_types::{
    Hash, Header, Height, List, Outcome, ProposalParts, Seal, Signature, Submission,
    SubmissionHead, SubmissionId, codec,
    limits::{BLOCK_BYTES, RECORDS_PER_PROPOSAL},
    outcome::leaf_digest,
    submission::submission_leaf,
};
use serde::de::DeserializeOwned;
use std::ops::Range;

/// A submission of a block, and what the block is sealed with.
#[derive(Debug)]
pub struct BlockPart {
    /// The block's header.
    pub header: Header,
    /// Its seal.
    pub seal: Seal,
    /// The submission.
    pub submission: Submission,
    /// Its place in the block.
    pub index: usize,
    /// What was decided on each record of the block.
    pub outcomes: List<Outcome, RECORDS_PER_PROPOSAL>,
    /// The canonical bytes of the block.
    bytes: Vec<u8>,
    /// Where each submission is in them.
    places: Vec<Range<usize>>,
}

/// The leaves of a block's trees, and where those of one submission begin.
#[derive(Debug)]
pub struct BlockLeaves {
    /// Of the submissions.
    pub submissions: Vec<Hash>,
    /// Of the outcomes.
    pub outcomes: Vec<Hash>,
    /// The leaf of the submission's first record.
    pub first: usize,
}

impl LedgerReader {
    /// A submission of a block by its place; `None` if there is no such block.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails, or the block has no such submission.
    pub fn part(&self, height: Height, index: usize) -> Result<Option<BlockPart>, LedgerError> {
        let Some(entry) = self.entry(height)? else { return Ok(None) };
        let bytes = log::read(&*self.shared.storage, height, entry.place)?;
        if self.is_away(&entry) {
            from_archive(&entry, &bytes)?;
        }
        part(entry, bytes, index)
            .map(Some)
            .map_err(|what| LedgerError::derived(Tree::Blocks, &index::block_key(height), what))
    }

    /// The leaves of the trees over a block's submissions and outcomes.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn leaves(&self, part: &BlockPart) -> Result<BlockLeaves, LedgerError> {
        let (suite, height) = (part.header.suite, part.header.height);
        let (mut ids, mut submissions) = (Vec::new(), Vec::new());
        for place in &part.places {
            let (head, signature): (SubmissionHead, Signature) =
                first_of(&part.bytes[place.clone()]).map_err(|what| {
                    LedgerError::derived(Tree::Blocks, &index::block_key(height), what)
                })?;
            let id = head.id();
            submissions.push(submission_leaf(suite, &id, &signature));
            ids.push(id);
        }
        // The writer may be waiting: nothing is hashed before it can go on.
        let records = {
            let live = self.shared.read();
            let mut contents = Contents::new(&live.layers);
            let leaves = (0u32..).zip(&part.outcomes);
            let records = leaves.map(|(leaf, _)| contents.record(height, leaf));
            records.collect::<Result<Vec<_>, _>>()?
        };
        let (mut outcomes, mut first) = (Vec::with_capacity(records.len()), None);
        for ((record, place), outcome) in records.into_iter().zip(&part.outcomes) {
            if place.submission as usize == part.index {
                first.get_or_insert(place.leaf as usize);
            }
            let id: Option<&SubmissionId> = ids.get(place.submission as usize);
            let id = id.ok_or_else(|| wrong(height))?;
            outcomes.push(leaf_digest(suite, &record, id, outcome));
        }
        let first = first.ok_or_else(|| wrong(height))?;
        Ok(BlockLeaves { submissions, outcomes, first })
    }
}

fn wrong(height: Height) -> LedgerError {
    let what = "its records are not those of the block's submissions";
    LedgerError::derived(Tree::Contents, &index::block_key(height), what)
}

fn part(entry: BlockEntry, bytes: Vec<u8>, index: usize) -> Result<BlockPart, String> {
    let BlockEntry { header, seal, sizes, .. } = entry;
    // In front of the submissions stand header, seal, the rest of the proposal, and their number.
    let proposal = ProposalParts {
        suite: header.suite,
        chain: header.chain,
        height: header.height,
        parent: header.parent,
        time: header.time,
        proposer: header.proposer,
        submissions: List::empty(),
    };
    let mut end = codec::encode(&(&header, &seal, &proposal)).len();
    let mut places = Vec::with_capacity(sizes.len());
    for size in &sizes {
        let start = end;
        end = start.saturating_add(*size as usize);
        places.push(start..end);
    }
    let all =
        |range: Range<usize>| bytes.get(range).ok_or("the block is shorter than the index says");
    let place = places.get(index).ok_or("the block has no such submission")?.clone();
    let submission = codec::decode_own(all(place)?, BLOCK_BYTES).map_err(|e| e.to_string())?;
    let outcomes = all(end..bytes.len())?;
    let outcomes = codec::decode_own(outcomes, BLOCK_BYTES).map_err(|e| e.to_string())?;
    Ok(BlockPart { header, seal, submission, index, outcomes, bytes, places })
}

/// What stands at the beginning of some bytes.
fn first_of<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    codec::decode_first(bytes, BLOCK_BYTES).map_err(|error| error.to_string())
}
