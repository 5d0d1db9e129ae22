//! The indexes: where each block, record and submission is, and what is searched by.
//!
//! Where two records (or submissions) would have one key, an accepted one is kept over a rejected one,
//! and of equals the first: what a stranger gets rejected can never hide what was accepted.

use crate::{
    error::LedgerError,
    layers::{Draft, Layers},
    log::Place,
    search,
    store::Tree,
};
use probata_types::{
    Header, Height, InstitutionId, RecordId, Seal, SealedBlock, Submission, SubmissionId, codec,
    submission::IdempotencyKey,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPlace {
    /// The block.
    pub height: Height,
    /// Its leaf in the block's outcome tree.
    pub leaf: u32,
    /// Its submission in the block, from 0.
    pub submission: u32,
    /// Its place in the submission, from 0.
    pub index: u32,
    /// Whether it was accepted there.
    pub accepted: bool,
}

/// Where a submission is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionPlace {
    /// The block.
    pub height: Height,
    /// Its place in the block, from 0.
    pub index: u32,
    /// Whether any of its records was accepted there.
    pub accepted: bool,
}

/// What is kept of a block outside the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockEntry {
    pub(crate) place: Place,
    pub(crate) header: Header,
    pub(crate) seal: Seal,
}

/// The submission of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct IdempotencyEntry {
    submission: SubmissionId,
    accepted: bool,
}

/// Bytes of the largest index entry: a header, and a seal of all validators.
const ENTRY_BYTES: usize = 64 * 1_024;

/// Enters a block into all indexes.
pub(crate) fn enter(
    draft: &mut Draft<'_>,
    block: &SealedBlock,
    place: Place,
) -> Result<(), LedgerError> {
    let height = block.header.height;
    let entry = BlockEntry { place, header: block.header.clone(), seal: block.seal.clone() };
    draft.put(Tree::Blocks, block_key(height), codec::encode(&entry));
    let mut leaf = 0;
    for (at, submission) in (0u32..).zip(&block.proposal.submissions) {
        let accepted = |leaf: u32| {
            block.outcomes.get(leaf as usize).is_some_and(probata_types::Outcome::is_accepted)
        };
        let first = leaf;
        for (index, (record, id)) in
            (0u32..).zip(submission.records.iter().zip(submission.record_ids()))
        {
            let accepted = accepted(leaf);
            let place = RecordPlace { height, leaf, submission: at, index, accepted };
            keep_record(draft, &id, place)?;
            search::enter(draft, (block, submission, record), &id, place);
            leaf += 1;
        }
        let accepted = (first..leaf).any(accepted);
        keep_submission(draft, submission, SubmissionPlace { height, index: at, accepted })?;
    }
    Ok(())
}

fn keep_record(
    draft: &mut Draft<'_>,
    id: &RecordId,
    place: RecordPlace,
) -> Result<(), LedgerError> {
    let old = draft.get(Tree::Records, id.as_bytes())?;
    let old: Option<RecordPlace> = parse_optional(Tree::Records, id.as_bytes(), old)?;
    if old.is_none_or(|old| !old.accepted && place.accepted) {
        draft.put(Tree::Records, *id.as_bytes(), codec::encode(&place));
    }
    Ok(())
}

fn keep_submission(
    draft: &mut Draft<'_>,
    submission: &Submission,
    place: SubmissionPlace,
) -> Result<(), LedgerError> {
    let id = submission.id();
    let old = draft.get(Tree::Submissions, id.as_bytes())?;
    let old: Option<SubmissionPlace> = parse_optional(Tree::Submissions, id.as_bytes(), old)?;
    if old.is_none_or(|old| !old.accepted && place.accepted) {
        draft.put(Tree::Submissions, *id.as_bytes(), codec::encode(&place));
    }
    let key = idempotency_key(&submission.head.institution, &submission.head.idempotency_key);
    let old = draft.get(Tree::Idempotency, &key)?;
    let old: Option<IdempotencyEntry> = parse_optional(Tree::Idempotency, &key, old)?;
    if old.is_none_or(|old| !old.accepted && place.accepted) {
        let entry = IdempotencyEntry { submission: id, accepted: place.accepted };
        draft.put(Tree::Idempotency, key, codec::encode(&entry));
    }
    Ok(())
}

pub(crate) fn block(layers: &Layers, height: Height) -> Result<Option<BlockEntry>, LedgerError> {
    find(layers, Tree::Blocks, &block_key(height))
}

pub(crate) fn record(layers: &Layers, id: &RecordId) -> Result<Option<RecordPlace>, LedgerError> {
    find(layers, Tree::Records, id.as_bytes())
}

pub(crate) fn submission(
    layers: &Layers,
    id: &SubmissionId,
) -> Result<Option<SubmissionPlace>, LedgerError> {
    find(layers, Tree::Submissions, id.as_bytes())
}

pub(crate) fn by_idempotency(
    layers: &Layers,
    institution: &InstitutionId,
    key: &IdempotencyKey,
) -> Result<Option<SubmissionId>, LedgerError> {
    let key = idempotency_key(institution, key);
    let entry: Option<IdempotencyEntry> = find(layers, Tree::Idempotency, &key)?;
    Ok(entry.map(|entry| entry.submission))
}

/// The value of canonical bytes of the derived store.
pub(crate) fn parse<T: Serialize + DeserializeOwned>(
    tree: Tree,
    key: &[u8],
    bytes: &[u8],
) -> Result<T, LedgerError> {
    codec::decode(bytes, ENTRY_BYTES)
        .map_err(|error| LedgerError::derived(tree, key, error.to_string()))
}

fn parse_optional<T: Serialize + DeserializeOwned>(
    tree: Tree,
    key: &[u8],
    bytes: Option<Vec<u8>>,
) -> Result<Option<T>, LedgerError> {
    bytes.map(|bytes| parse(tree, key, &bytes)).transpose()
}

fn find<T: Serialize + DeserializeOwned>(
    layers: &Layers,
    tree: Tree,
    key: &[u8],
) -> Result<Option<T>, LedgerError> {
    parse_optional(tree, key, layers.get(tree, key)?)
}

fn block_key(height: Height) -> [u8; 8] {
    height.get().to_be_bytes()
}

/// The institution's code, filled up with zero bytes to 20, so that all keys of one are together.
pub(crate) fn institution_key(institution: &InstitutionId) -> [u8; 20] {
    let mut key = [0; 20];
    let code = institution.as_str().as_bytes();
    key[..code.len()].copy_from_slice(code);
    key
}

fn idempotency_key(institution: &InstitutionId, key: &IdempotencyKey) -> Vec<u8> {
    [institution_key(institution).as_slice(), key.as_bytes()].concat()
}
