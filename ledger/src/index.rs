//! The indexes: where each block, record and submission is, and what is searched by.
//!
//! Where two records (or submissions) would have one key, an accepted one is kept over a rejected one,
//! and of equals the first: what a stranger gets rejected can never hide what was accepted.

use crate::{
    contents::{self, Contents},
    error::LedgerError,
    history,
    layers::{Draft, Layers},
    log::Place,
    search,
    store::{Entry, Tree},
};
use probata_types::{
    Header, Height, InstitutionId, List, RecordId, Seal, SealedBlock, Submission, SubmissionId,
    codec, limits::SUBMISSIONS_PER_PROPOSAL, submission::IdempotencyKey,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Canonical bytes of each submission: by them one is found among the others.
    pub(crate) sizes: List<u32, SUBMISSIONS_PER_PROPOSAL>,
}

/// The submission of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct IdempotencyEntry {
    submission: SubmissionId,
    accepted: bool,
}

/// Bytes of the largest index entry: a header, a seal of all validators, and the sizes of as many submissions as a block
/// may have.
const ENTRY_BYTES: usize = 128 * 1_024;

/// Enters a block into all indexes.
pub(crate) fn enter(
    draft: &mut Draft<'_>,
    block: &SealedBlock,
    place: Place,
) -> Result<(), LedgerError> {
    let accepted = enter_places(draft, block, place);
    for (submission, accepted) in block.proposal.submissions.iter().zip(accepted) {
        // What is there came first, and is kept but for one that was accepted over one that was not.
        keep_idempotency(draft, submission, accepted, |there| !there && accepted)?;
    }
    Ok(())
}

/// As [`enter`], of a block before all that are there: the same entries as if they had come in order.
pub(crate) fn enter_older(
    draft: &mut Draft<'_>,
    block: &SealedBlock,
    place: Place,
) -> Result<(), LedgerError> {
    let accepted = enter_places(draft, block, place);
    for (submission, accepted) in block.proposal.submissions.iter().zip(accepted).rev() {
        keep_idempotency(draft, submission, accepted, |there| accepted || !there)?;
    }
    Ok(())
}

/// Enters all that does not depend on other blocks; gives for each submission whether any of it was accepted.
fn enter_places(draft: &mut Draft<'_>, block: &SealedBlock, place: Place) -> Vec<bool> {
    let height = block.header.height;
    let size = |submission: &Submission| u32::try_from(submission.size()).expect("a block fits");
    let sizes = block.proposal.submissions.iter().map(size).collect();
    let entry = BlockEntry {
        place,
        header: block.header.clone(),
        seal: block.seal.clone(),
        sizes: List::new(sizes).expect("as many as the proposal has"),
    };
    draft.put(Tree::Blocks, block_key(height), codec::encode(&entry));
    let mut outcomes = (0u32..).zip(&block.outcomes);
    let (mut records, mut entries) = (Vec::new(), search::Entries::default());
    let mut accepted_of = Vec::with_capacity(block.proposal.submissions.len());
    for (at, submission) in (0u32..).zip(&block.proposal.submissions) {
        let mut any_accepted = false;
        let ids = submission.records.iter().zip(submission.record_ids());
        for ((index, (record, id)), (leaf, outcome)) in (0u32..).zip(ids).zip(&mut outcomes) {
            let accepted = outcome.is_accepted();
            any_accepted |= accepted;
            records.push((*id, RecordPlace { height, leaf, submission: at, index, accepted }));
            let key = place_key(id.as_bytes(), accepted, height, leaf);
            draft.put(Tree::Records, key, Vec::new());
            entries.add(submission, record, leaf);
        }
        let key = place_key(submission.id().as_bytes(), any_accepted, height, at);
        draft.put(Tree::Submissions, key, *submission.id().as_bytes());
        accepted_of.push(any_accepted);
    }
    contents::enter(draft, height, &records);
    entries.enter(draft, height);
    accepted_of
}

/// Enters the submission under its idempotency key, if there is none, or `over` says so of whether the one there was
/// accepted.
fn keep_idempotency(
    draft: &mut Draft<'_>,
    submission: &Submission,
    accepted: bool,
    over: impl Fn(bool) -> bool,
) -> Result<(), LedgerError> {
    let key = idempotency_key(&submission.head.institution, &submission.head.idempotency_key);
    let old = draft.get(Tree::Idempotency, &key)?;
    let old: Option<IdempotencyEntry> = parse_optional(Tree::Idempotency, &key, old)?;
    if old.is_none_or(|old| over(old.accepted)) {
        let entry = IdempotencyEntry { submission: submission.id(), accepted };
        draft.put(Tree::Idempotency, key, codec::encode(&entry));
    }
    Ok(())
}

pub(crate) fn block(layers: &Layers, height: Height) -> Result<Option<BlockEntry>, LedgerError> {
    let key = block_key(height);
    parse_optional(Tree::Blocks, &key, layers.get(Tree::Blocks, &key)?)
}

pub(crate) fn record(layers: &Layers, id: &RecordId) -> Result<Option<RecordPlace>, LedgerError> {
    let mut contents = Contents::new(layers);
    for (key, _) in places(layers, Tree::Records, id.as_bytes())? {
        let (_, height, leaf) = parse_place_key(Tree::Records, &key)?;
        let (found, place) = contents.record(height, leaf)?;
        if found == *id {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

pub(crate) fn submission(
    layers: &Layers,
    id: &SubmissionId,
) -> Result<Option<SubmissionPlace>, LedgerError> {
    for (key, found) in places(layers, Tree::Submissions, id.as_bytes())? {
        let (accepted, height, index) = parse_place_key(Tree::Submissions, &key)?;
        if found == id.as_bytes() {
            return Ok(Some(SubmissionPlace { height, index, accepted }));
        }
    }
    Ok(None)
}

pub(crate) fn by_idempotency(
    layers: &Layers,
    institution: &InstitutionId,
    key: &IdempotencyKey,
) -> Result<Option<SubmissionId>, LedgerError> {
    let key = idempotency_key(institution, key);
    let entry = layers.get(Tree::Idempotency, &key)?;
    let entry: Option<IdempotencyEntry> = parse_optional(Tree::Idempotency, &key, entry)?;
    Ok(entry.map(|entry| entry.submission))
}

/// Bytes of an id that its key begins with. Whoever makes two that begin alike (2^64 tries) is found by the
/// whole id.
const ID_BYTES: usize = 16;
/// Places looked at for one id.
const PLACES: usize = 64;

/// A key that leads from an id to a place in the chain: what was accepted first, then by height. So nothing is
/// read before it is written, and the first place found is the one that counts.
fn place_key(id: &[u8; 32], accepted: bool, height: Height, at: u32) -> Vec<u8> {
    let (height, at) = (height.get().to_be_bytes(), at.to_be_bytes());
    [&id[..ID_BYTES], &[u8::from(!accepted)], &height, &at].concat()
}

/// Whether anything was accepted, the height, and the place in the block, of a key of [`place_key`].
fn parse_place_key(tree: Tree, key: &[u8]) -> Result<(bool, Height, u32), LedgerError> {
    let parts = || {
        let (rest, at) = key.split_last_chunk::<4>()?;
        let (rest, height) = rest.split_last_chunk::<8>()?;
        let (rejected, id) = rest.split_last()?;
        let height = u64::from_be_bytes(*height);
        let fits = id.len() == ID_BYTES && *rejected < 2 && height <= Height::MAX.get();
        fits.then(|| (*rejected == 0, Height::new(height), u32::from_be_bytes(*at)))
    };
    parts().ok_or_else(|| LedgerError::derived(tree, key, "the key is malformed"))
}

/// The last block of which an entry tells, if its key says so.
pub(crate) fn last_height(tree: Tree, key: &[u8]) -> Option<Height> {
    let height = match tree {
        Tree::Blocks | Tree::Contents => u64::from_be_bytes(*key.first_chunk()?),
        Tree::Search => u64::from_be_bytes(*key.last_chunk()?),
        Tree::History => history::last_leaf(key)?,
        Tree::Records | Tree::Submissions => return Some(parse_place_key(tree, key).ok()?.1),
        Tree::Crown | Tree::Pages | Tree::Values | Tree::Idempotency | Tree::Meta => return None,
    };
    (height <= Height::MAX.get()).then(|| Height::new(height))
}

/// The block of the submission that an entry of [`Tree::Idempotency`] names, if it can be told.
pub(crate) fn idempotency_height(
    layers: &Layers,
    value: &[u8],
) -> Result<Option<Height>, LedgerError> {
    let Ok(entry) = parse::<IdempotencyEntry>(Tree::Idempotency, &[], value) else {
        return Ok(None);
    };
    Ok(submission(layers, &entry.submission)?.map(|place| place.height))
}

fn places(layers: &Layers, tree: Tree, id: &[u8; 32]) -> Result<Vec<Entry>, LedgerError> {
    let prefix = &id[..ID_BYTES];
    let to = [prefix, &[0xff]].concat();
    Ok(layers.scan(tree, prefix, Some(&to), PLACES)?)
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

pub(crate) fn block_key(height: Height) -> [u8; 8] {
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
