//! Cutting the state into chunks, in one pass over its objects, with one chunk in memory.
//!
//! A subtree is one chunk if it fits, or has one object; if not, each of its sixteen parts is looked at in the same way. So
//! how a state is cut follows from the state alone.

use super::{
    SnapshotError,
    chunk::{self, Chunk, ENTRY_HEAD},
    manifest::ChunkHead,
};
use crate::{
    error::LedgerError,
    limits::SNAPSHOT_SCAN,
    store::{StoreView, Tree},
    tree,
};
use probata_types::{Hash, Suite};
use std::collections::VecDeque;

/// Is given each chunk in order: what the manifest says of it, what it comes to, and its bytes.
pub(crate) type Emit<'a> =
    &'a mut dyn FnMut(ChunkHead, &Chunk<'_>, &[u8]) -> Result<(), SnapshotError>;

/// Cuts the state of a view into chunks of at most `most` bytes.
pub(crate) fn cut(
    suite: Suite,
    view: &dyn StoreView,
    most: usize,
    emit: Emit<'_>,
) -> Result<(), SnapshotError> {
    let mut cut =
        Cut { suite, view, most, ahead: VecDeque::new(), bytes: 0, from: Some(Vec::new()), emit };
    cut.part(&Hash::ZERO, 0)
}

struct Cut<'a> {
    suite: Suite,
    view: &'a dyn StoreView,
    most: usize,
    /// Objects that were read and not yet given away, and their bytes.
    ahead: VecDeque<(Hash, Vec<u8>)>,
    bytes: usize,
    /// Where to read on; none at the end.
    from: Option<Vec<u8>>,
    emit: Emit<'a>,
}

impl Cut<'_> {
    fn part(&mut self, path: &Hash, nibbles: u8) -> Result<(), SnapshotError> {
        self.read_ahead()?;
        let inside = |(key, _): &&(Hash, Vec<u8>)| chunk::is_below(key, path, nibbles);
        let count = self.ahead.iter().take_while(inside).count();
        let bytes: usize =
            self.ahead.iter().take(count).map(|(_, value)| ENTRY_HEAD + value.len()).sum();
        if count > 1 && bytes > self.most {
            return (0..16).try_for_each(|number| {
                self.part(&tree::with_nibble(path, nibbles, number), nibbles + 1)
            });
        }
        self.give(nibbles, count, bytes)
    }

    /// Reads until there is more than one chunk holds, and more than one object.
    fn read_ahead(&mut self) -> Result<(), SnapshotError> {
        while self.bytes <= self.most || self.ahead.len() < 2 {
            let Some(from) = self.from.take() else { return Ok(()) };
            let entries = self.view.scan(Tree::Values, &from, None, SNAPSHOT_SCAN)?;
            self.from = entries.last().map(|(key, _)| [key.as_slice(), &[0]].concat());
            for (key, value) in entries {
                let hash = <[u8; Hash::LEN]>::try_from(key.as_slice());
                let hash = hash.map_err(|_| {
                    LedgerError::derived(Tree::Values, &key, "the key is no digest")
                })?;
                self.bytes += ENTRY_HEAD + value.len();
                self.ahead.push_back((Hash(hash), value));
            }
        }
        Ok(())
    }

    fn give(&mut self, nibbles: u8, count: usize, bytes: usize) -> Result<(), SnapshotError> {
        let entries: Vec<(Hash, Vec<u8>)> = self.ahead.drain(..count).collect();
        self.bytes -= bytes;
        let mut payload = Vec::with_capacity(bytes);
        entries.iter().for_each(|(key, value)| chunk::push(&mut payload, key, value));
        let borrowed = entries.iter().map(|(key, value)| (*key, value.as_slice())).collect();
        let chunk = Chunk::of(self.suite, nibbles, borrowed)?;
        let bytes = u32::try_from(bytes).map_err(|_| SnapshotError::TooLarge)?;
        (self.emit)(ChunkHead { nibbles, bytes, node: chunk.node }, &chunk, &payload)
    }
}
