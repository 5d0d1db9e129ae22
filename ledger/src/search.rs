//! Searching: what is asked, and the pages of the answer, in chain order.
//!
//! A key of the search tree is `kind ‖ what is searched by ‖ height`, numbers big-endian, so that the order of
//! keys is the order of the chain; its value is the leaves found in that block. So what many records of a block
//! have in common costs one entry. Times need no keys: they rise with the heights.

use crate::{
    contents::{self, Contents},
    error::{LedgerError, hex},
    index::{self, RecordPlace},
    layers::{Draft, Layers},
    limits::SEARCH_PAGE,
    store::Tree,
};
use probata_types::{
    FlowId, Height, InstitutionId, Record, RecordId, Submission, Timestamp,
    record::{Digest256, Subject},
};
use std::{collections::BTreeMap, fmt, str::FromStr};

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

/// Where a page of a search ends: the place of its last record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    height: Height,
    leaf: u32,
}

/// Bytes of a cursor: height and leaf.
const CURSOR_BYTES: usize = 12;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.height.get().to_be_bytes()))?;
        f.write_str(&hex(&self.leaf.to_be_bytes()))
    }
}

impl FromStr for Cursor {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        let plain = text.len() == 2 * CURSOR_BYTES
            && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        let (height, leaf) = plain.then(|| text.split_at(16)).ok_or(LedgerError::Cursor)?;
        let height = u64::from_str_radix(height, 16).map_err(|_| LedgerError::Cursor)?;
        let leaf = u32::from_str_radix(leaf, 16).map_err(|_| LedgerError::Cursor)?;
        if height > Height::MAX.get() {
            return Err(LedgerError::Cursor);
        }
        Ok(Self { height: Height::new(height), leaf })
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

impl Query {
    /// What all keys of the answer begin with; none for times, which have no keys.
    fn prefix(&self) -> Option<Vec<u8>> {
        let (kind, by): (u8, &[u8]) = match self {
            Self::Flow(flow) => (1, flow.as_bytes()),
            Self::Institution(institution) => (2, &index::institution_key(institution)),
            Self::Type(number) => (3, &number.to_be_bytes()),
            Self::Time { .. } => return None,
            Self::Document(digest) => (5, digest.as_bytes()),
            Self::Subject(subject) => (6, subject.as_bytes()),
        };
        Some([&[kind], by].concat())
    }
}

/// What a block holds, by everything that it can be searched by.
#[derive(Default)]
pub(crate) struct Entries(BTreeMap<Vec<u8>, Vec<u8>>);

impl Entries {
    /// Adds a record; leaves come in ascending order.
    pub(crate) fn add(&mut self, submission: &Submission, record: &Record, leaf: u32) {
        self.put(&Query::Flow(record.flow), leaf);
        self.put(&Query::Institution(submission.head.institution), leaf);
        self.put(&Query::Type(record.body.record_type().number()), leaf);
        for document in &record.documents {
            self.put(&Query::Document(document.sha256), leaf);
        }
        for subject in record.body.subjects() {
            self.put(&Query::Subject(subject), leaf);
        }
    }

    fn put(&mut self, query: &Query, leaf: u32) {
        let Some(prefix) = query.prefix() else { return };
        let (leaves, leaf) = (self.0.entry(prefix).or_default(), leaf.to_be_bytes());
        // A record that names something twice is found once.
        if !leaves.ends_with(&leaf) {
            leaves.extend_from_slice(&leaf);
        }
    }

    /// Enters all of it for a height.
    pub(crate) fn enter(self, draft: &mut Draft<'_>, height: Height) {
        for (mut key, leaves) in self.0 {
            key.extend_from_slice(&height.get().to_be_bytes());
            draft.put(Tree::Search, key, leaves);
        }
    }
}

/// The blocks that are here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// The first.
    pub(crate) from: Height,
    /// The last.
    pub(crate) to: Height,
}

/// A page of the answer to a query, at most `limit` (and [`SEARCH_PAGE`]) entries; `None` if blocks that are not
/// here could hold some of it.
pub(crate) fn page(
    layers: &Layers,
    query: &Query,
    after: Option<&Cursor>,
    limit: usize,
    span: Span,
) -> Result<Option<Page>, LedgerError> {
    let whole = span.from == Height::new(1) || after.is_some_and(|after| after.height >= span.from);
    let whole = whole
        || match query {
            Query::Time { from, .. } => first_from(layers, *from, span)? > span.from,
            _ => false,
        };
    whole.then(|| page_of_those_here(layers, query, after, limit, span)).transpose()
}

/// A page of the answer as far as it is here.
pub(crate) fn page_of_those_here(
    layers: &Layers,
    query: &Query,
    after: Option<&Cursor>,
    limit: usize,
    span: Span,
) -> Result<Page, LedgerError> {
    let limit = limit.clamp(1, SEARCH_PAGE);
    let mut contents = Contents::new(layers);
    let mut places = match query.prefix() {
        Some(prefix) => keyed(layers, &prefix, after, limit)?,
        None => timed(layers, query, after, (limit, span))?,
    };
    let more = places.len() > limit;
    places.truncate(limit);
    let last = places.last().map(|(height, leaf)| Cursor { height: *height, leaf: *leaf });
    let entries = places.into_iter().map(|(height, leaf)| contents.record(height, leaf));
    let entries = entries.collect::<Result<_, _>>()?;
    Ok(Page { entries, next: last.filter(|_| more), complete_to: span.to })
}

type Places = Vec<(Height, u32)>;

/// Whether a place comes after that of the cursor.
fn is_next(after: Option<&Cursor>, height: Height, leaf: u32) -> bool {
    after.is_none_or(|after| (height, leaf) > (after.height, after.leaf))
}

/// The places under a prefix after that of the cursor, more than `limit` of them if there are so many.
fn keyed(
    layers: &Layers,
    prefix: &[u8],
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Places, LedgerError> {
    let first = after.map_or(0, |after| after.height.get());
    let from = [prefix, &first.to_be_bytes()].concat();
    // Longer than any key with this prefix and not below any: heights stay below 2^53.
    let to = [prefix, &[0xff; 9]].concat();
    gather(layers, (Tree::Search, from, &to), limit, |key, leaves, places| {
        let (_, height) = key.split_last_chunk::<8>()?;
        let height = height_of(*height)?;
        let (leaves, []) = leaves.as_chunks::<4>() else { return None };
        let leaves = leaves.iter().map(|leaf| (height, u32::from_be_bytes(*leaf)));
        places.extend(leaves.filter(|(height, leaf)| is_next(after, *height, *leaf)));
        Some(())
    })
}

/// The places of the blocks of some times after that of the cursor, more than `limit` if there are so many.
/// Blocks without records have no contents, and cost nothing.
fn timed(
    layers: &Layers,
    query: &Query,
    after: Option<&Cursor>,
    (limit, span): (usize, Span),
) -> Result<Places, LedgerError> {
    let Query::Time { from, to } = query else { return Ok(Places::new()) };
    let first = first_from(layers, *from, span)?;
    let first = after.map_or(first, |after| first.max(after.height));
    let (from, to) = (contents::first_key(first), first_from(layers, *to, span)?);
    let range = (Tree::Contents, from, &contents::first_key(to)[..]);
    gather(layers, range, limit, |key, part, places| {
        let (height, leaves) = contents::places(key, part)?;
        let height = height_of(height)?;
        let next = leaves.filter(|leaf| is_next(after, height, *leaf));
        places.extend(next.map(|leaf| (height, leaf)));
        Some(())
    })
}

/// Entries read at once: one of them can hold thousands of places.
const CHUNK: usize = 16;

/// What the entries of a range name, in order, until it is more than `limit` places.
fn gather(
    layers: &Layers,
    (tree, mut from, to): (Tree, Vec<u8>, &[u8]),
    limit: usize,
    read: impl Fn(&[u8], &[u8], &mut Places) -> Option<()>,
) -> Result<Places, LedgerError> {
    let mut places = Places::new();
    loop {
        let entries = layers.scan(tree, &from, Some(to), CHUNK)?;
        for (key, value) in &entries {
            read(key, value, &mut places)
                .ok_or_else(|| LedgerError::derived(tree, key, "the entry is malformed"))?;
            if places.len() > limit {
                return Ok(places);
            }
        }
        match entries.last() {
            Some((key, _)) if entries.len() == CHUNK => from = [key.as_slice(), &[0]].concat(),
            _ => return Ok(places),
        }
    }
}

fn height_of(bytes: [u8; 8]) -> Option<Height> {
    let height = u64::from_be_bytes(bytes);
    (height <= Height::MAX.get()).then(|| Height::new(height))
}

/// The first block here whose time is not before `from`; one above the head if there is none.
fn first_from(layers: &Layers, from: Timestamp, span: Span) -> Result<Height, LedgerError> {
    let (mut low, mut high) = (span.from.get(), span.to.get() + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let entry = index::block(layers, Height::new(middle))?;
        if entry.is_some_and(|entry| entry.header.time < from) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(Height::new(low))
}
