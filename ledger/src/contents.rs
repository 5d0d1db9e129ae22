//! What each block holds: for each of its records the id and the place, without the body.
//!
//! Written in the order of the chain, so that it costs little; other indexes name a record by height and leaf
//! and find the rest here. A key is `height ‖ part`, a part [`PART`] records of [`ENTRY`] bytes each:
//! `id ‖ submission ‖ index ‖ accepted`.

use crate::{
    error::LedgerError,
    index::RecordPlace,
    layers::{Draft, Layers},
    store::Tree,
};
use probata_types::{Height, RecordId};
use std::ops::Range;

/// Records of one part: what is read to find one of them.
const PART: usize = 256;
/// Bytes of one record.
const ENTRY: usize = 32 + 4 + 4 + 1;

/// Enters the records of a block, in order of their leaves.
pub(crate) fn enter(draft: &mut Draft<'_>, height: Height, records: &[(RecordId, RecordPlace)]) {
    for (part, records) in (0u32..).zip(records.chunks(PART)) {
        let mut bytes = Vec::with_capacity(records.len() * ENTRY);
        for (id, place) in records {
            bytes.extend_from_slice(id.as_bytes());
            bytes.extend_from_slice(&place.submission.to_be_bytes());
            bytes.extend_from_slice(&place.index.to_be_bytes());
            bytes.push(u8::from(place.accepted));
        }
        draft.put(Tree::Contents, key(height, part), bytes);
    }
}

/// Reads contents, and keeps the part read last: neighbours are mostly asked for together.
pub(crate) struct Contents<'a> {
    layers: &'a Layers,
    last: Option<((Height, u32), Vec<u8>)>,
}

impl<'a> Contents<'a> {
    pub(crate) const fn new(layers: &'a Layers) -> Self {
        Self { layers, last: None }
    }

    /// The record at a place that an index names.
    pub(crate) fn record(
        &mut self,
        height: Height,
        leaf: u32,
    ) -> Result<(RecordId, RecordPlace), LedgerError> {
        let (part, at) = (leaf as usize / PART, leaf as usize % PART);
        let part = u32::try_from(part).expect("smaller than the leaf");
        let place = (height, part);
        if self.last.as_ref().is_none_or(|(last, _)| *last != place) {
            let bytes = self.layers.get(Tree::Contents, &key(height, part))?;
            self.last = bytes.map(|bytes| (place, bytes));
        }
        let entry = self.last.as_ref().and_then(|(_, bytes)| bytes.get(at * ENTRY..)?.get(..ENTRY));
        entry.and_then(|entry| parse(height, leaf, entry)).ok_or_else(|| {
            LedgerError::derived(Tree::Contents, &key(height, part), "the record is missing")
        })
    }
}

fn parse(height: Height, leaf: u32, entry: &[u8]) -> Option<(RecordId, RecordPlace)> {
    let (id, rest) = entry.split_first_chunk::<32>()?;
    let (submission, rest) = rest.split_first_chunk::<4>()?;
    let (index, rest) = rest.split_first_chunk::<4>()?;
    let accepted = match rest {
        [0] => false,
        [1] => true,
        _ => return None,
    };
    let (submission, index) = (u32::from_be_bytes(*submission), u32::from_be_bytes(*index));
    Some((RecordId(*id), RecordPlace { height, leaf, submission, index, accepted }))
}

/// The first key of a height: those of the heights below come before it.
pub(crate) fn first_key(height: Height) -> Vec<u8> {
    key(height, 0)
}

/// The height in bytes and the leaves that an entry is about; `None` if it is not one.
pub(crate) fn places(key: &[u8], part: &[u8]) -> Option<([u8; 8], Range<u32>)> {
    let (height, number) = key.split_first_chunk::<8>()?;
    let first =
        u32::from_be_bytes(number.try_into().ok()?).checked_mul(u32::try_from(PART).ok()?)?;
    let count = part.len() / ENTRY;
    let whole = part.len().is_multiple_of(ENTRY) && count <= PART;
    let end = first.checked_add(u32::try_from(count).ok()?)?;
    whole.then_some((*height, first..end))
}

fn key(height: Height, part: u32) -> Vec<u8> {
    [height.get().to_be_bytes().as_slice(), &part.to_be_bytes()].concat()
}
