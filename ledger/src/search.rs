//! Searching: what is asked, and the pages of the answer, in chain order.
//!
//! A key of the search tree is `kind ‖ what is searched by ‖ height ‖ leaf`, numbers big-endian, so that
//! the order of keys is the order of the chain.

use crate::{
    error::{LedgerError, hex},
    index::{self, RecordPlace},
    layers::{Draft, Layers},
    limits::SEARCH_PAGE,
    store::Tree,
};
use probata_types::{
    FlowId, Height, InstitutionId, Record, RecordId, SealedBlock, Submission, Timestamp, codec,
    record::{Digest256, Subject},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What records are searched by. Rejected records are found too; their places say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// The records of a flow.
    Flow(FlowId),
    /// The records that an institution submitted.
    Institution(InstitutionId),
    /// The records of a type, by its stable number (`RecordType::number`).
    Type(u16),
    /// The records of the blocks with `from <= time < to`.
    Time {
        /// First block time.
        from: Timestamp,
        /// First block time after.
        to: Timestamp,
    },
    /// The records that bind a document, by its SHA-256.
    Document(Digest256),
    /// The records that mention a person or business.
    Subject(Subject),
}

/// Where a page of a search ends. Good for the same query only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Vec<u8>);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for Cursor {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pairs = text.as_bytes().chunks(2).map(|pair| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        });
        let valid = text.len() <= 2 * CURSOR_BYTES && !text.bytes().any(|c| c.is_ascii_uppercase());
        let bytes: Option<Vec<u8>> = if valid { pairs.collect() } else { None };
        bytes.map(Self).ok_or(LedgerError::Cursor)
    }
}

/// A part of the answer to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The records found, in chain order.
    pub entries: Vec<(RecordId, RecordPlace)>,
    /// Where to go on, if there is more.
    pub next: Option<Cursor>,
    /// The answer is complete up to this height.
    pub complete_to: Height,
}

/// Bytes of the longest cursor: time, height and leaf.
const CURSOR_BYTES: usize = 20;

/// The value of a search key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Found {
    record: RecordId,
    submission: u32,
    index: u32,
    accepted: bool,
}

impl Query {
    /// What all keys of the answer begin with; for times, only the kind.
    fn prefix(&self) -> Vec<u8> {
        let (kind, by): (u8, &[u8]) = match self {
            Self::Flow(flow) => (1, flow.as_bytes()),
            Self::Institution(institution) => (2, &index::institution_key(institution)),
            Self::Type(number) => (3, &number.to_be_bytes()),
            Self::Time { .. } => (4, &[]),
            Self::Document(digest) => (5, digest.as_bytes()),
            Self::Subject(subject) => (6, subject.as_bytes()),
        };
        [&[kind], by].concat()
    }

    /// The first key of the answer, and the first one after.
    fn range(&self) -> (Vec<u8>, Vec<u8>) {
        let prefix = self.prefix();
        let with = |bytes: &[u8]| [&prefix, bytes].concat();
        match self {
            Self::Time { from, to } => {
                (with(&from.get().to_be_bytes()), with(&to.get().to_be_bytes()))
            }
            // Longer than any key with this prefix and not below any: heights stay below 2^53.
            _ => (prefix.clone(), with(&[0xff; 13])),
        }
    }

    fn cursor_bytes(&self) -> usize {
        if matches!(self, Self::Time { .. }) { CURSOR_BYTES } else { CURSOR_BYTES - 8 }
    }
}

/// Enters a record under everything that it can be searched by.
pub(crate) fn enter(
    draft: &mut Draft<'_>,
    (block, submission, record): (&SealedBlock, &Submission, &Record),
    id: &RecordId,
    place: RecordPlace,
) {
    let RecordPlace { height, leaf, submission: at, index, accepted } = place;
    let found = codec::encode(&Found { record: *id, submission: at, index, accepted });
    let mut put = |prefix: &[u8]| {
        let key = [prefix, &height.get().to_be_bytes(), &leaf.to_be_bytes()].concat();
        draft.put(Tree::Search, key, found.clone());
    };
    put(&Query::Flow(record.flow).prefix());
    put(&Query::Institution(submission.head.institution).prefix());
    put(&Query::Type(record.body.record_type().number()).prefix());
    let (from, to) = (block.header.time, block.header.time);
    put(&Query::Time { from, to }.range().0);
    for document in &record.documents {
        put(&Query::Document(document.sha256).prefix());
    }
    for subject in record.body.subjects() {
        put(&Query::Subject(subject).prefix());
    }
}

/// A page of the answer to a query, at most `limit` (and [`SEARCH_PAGE`]) entries.
pub(crate) fn page(
    layers: &Layers,
    query: &Query,
    after: Option<&Cursor>,
    limit: usize,
    head: Height,
) -> Result<Page, LedgerError> {
    let limit = limit.clamp(1, SEARCH_PAGE);
    let prefix = query.prefix();
    let (mut from, to) = query.range();
    if let Some(Cursor(bytes)) = after {
        if bytes.len() != query.cursor_bytes() {
            return Err(LedgerError::Cursor);
        }
        // The key after the last one given; never before the query's own beginning.
        let next = [&prefix, bytes.as_slice(), &[0]].concat();
        from = from.max(next);
    }
    let mut keys = layers.scan(Tree::Search, &from, Some(&to), limit + 1)?;
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys.last().filter(|_| more).map(|(key, _)| Cursor(key[prefix.len()..].to_vec()));
    let entries = keys.iter().map(|(key, value)| entry(key, value)).collect::<Result<_, _>>()?;
    Ok(Page { entries, next, complete_to: head })
}

fn entry(key: &[u8], value: &[u8]) -> Result<(RecordId, RecordPlace), LedgerError> {
    let malformed = || LedgerError::derived(Tree::Search, key, "the key is malformed");
    let (rest, leaf) = key.split_last_chunk::<4>().ok_or_else(malformed)?;
    let (_, height) = rest.split_last_chunk::<8>().ok_or_else(malformed)?;
    let height = u64::from_be_bytes(*height);
    if height > Height::MAX.get() {
        return Err(malformed());
    }
    let Found { record, submission, index, accepted } = index::parse(Tree::Search, key, value)?;
    let (height, leaf) = (Height::new(height), u32::from_be_bytes(*leaf));
    Ok((record, RecordPlace { height, leaf, submission, index, accepted }))
}
