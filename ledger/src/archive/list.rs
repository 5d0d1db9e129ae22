//! The list of what is in the archive: a file of the log folder to which each segment is added that goes, and from whose
//! end it is taken when it comes back. So the segments of the list are always the first ones of the log.

use crate::{error::FileError, frame::FrameKind, limits::ARCHIVE_ENTRY_BYTES, storage::Storage};
use probata_types::{Hash, Height, Text, codec};
use serde::{Deserialize, Serialize};

const FRAMES: FrameKind = FrameKind { magic: *b"PARC", max: ARCHIVE_ENTRY_BYTES };
pub(super) const FILE: &str = "archive";
/// Bytes of an object's name.
pub(super) const NAME_BYTES: usize = 256;

/// A segment of the log that is in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedSegment {
    /// The object that holds it.
    pub object: Text<NAME_BYTES>,
    /// Its first block.
    pub first: Height,
    /// Its last block.
    pub last: Height,
    /// Its length.
    pub bytes: u64,
    /// The BLAKE3 of its bytes, without a key or domain.
    pub hash: Hash,
}

/// The list, as it was read from the folder.
#[derive(Debug, Default)]
pub(super) struct List {
    /// With the place of each in the file.
    pub(super) segments: Vec<(ArchivedSegment, u64)>,
    /// Where the next one goes.
    end: u64,
    /// Whether a crash has left something there.
    torn: bool,
}

impl List {
    /// Reads it; it is empty if there is none.
    pub(super) fn load(storage: &dyn Storage) -> Result<Self, FileError> {
        let mut list = Self::default();
        let names = storage.list().map_err(|error| FileError::io("list", FILE, error))?;
        if !names.iter().any(|name| name == FILE) {
            return Ok(list);
        }
        let scan = FRAMES.scan(storage, FILE, 0, &mut |_, offset, payload| {
            let corrupt = |what: String| FileError::corrupt(FILE, offset, what);
            let segment: ArchivedSegment = codec::decode(&payload, ARCHIVE_ENTRY_BYTES)
                .map_err(|error| corrupt(error.to_string()))?;
            let before = list.segments.last().map(|(before, _)| before.last);
            let follows = before.is_none_or(|before| segment.first == before.next());
            if !follows || segment.last < segment.first || segment.first == Height::ZERO {
                return Err(corrupt("the segment does not follow the one before".to_owned()));
            }
            list.segments.push((segment, offset));
            Ok(())
        })?;
        (list.end, list.torn) = (scan.end, scan.torn > 0);
        Ok(list)
    }

    /// Adds a segment, durably.
    pub(super) fn push(
        &mut self,
        storage: &dyn Storage,
        segment: ArchivedSegment,
    ) -> Result<(), FileError> {
        if self.torn {
            storage.truncate(FILE, self.end).map_err(|error| FileError::io("cut", FILE, error))?;
            self.torn = false;
        }
        let frame = FRAMES.encode(self.segments.len() as u64, &codec::encode(&segment));
        storage.append(FILE, &frame).map_err(|e| FileError::io("append to", FILE, e))?;
        storage.sync(FILE).map_err(|error| FileError::io("sync", FILE, error))?;
        storage.sync_folder().map_err(|e| FileError::io("sync the folder of", FILE, e))?;
        self.segments.push((segment, self.end));
        self.end += frame.len() as u64;
        Ok(())
    }

    /// Takes the last segment off, durably. An empty list has no file.
    pub(super) fn pop(&mut self, storage: &dyn Storage) -> Result<(), FileError> {
        let Some((_, offset)) = self.segments.last() else { return Ok(()) };
        if *offset > 0 {
            storage.truncate(FILE, *offset).map_err(|error| FileError::io("cut", FILE, error))?;
        } else {
            storage.remove(FILE).map_err(|error| FileError::io("remove", FILE, error))?;
            storage.sync_folder().map_err(|e| FileError::io("sync the folder of", FILE, e))?;
        }
        self.end = *offset;
        self.torn = false;
        self.segments.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::hex, storage::MemoryStorage};

    fn segment(first: u64, last: u64) -> ArchivedSegment {
        ArchivedSegment {
            object: Text::new(format!("c/{first}")).unwrap(),
            first: Height::new(first),
            last: Height::new(last),
            bytes: 0x1234,
            hash: Hash([7; 32]),
        }
    }

    #[test]
    fn its_bytes_are_what_they_ever_were() {
        let storage = MemoryStorage::default();
        let mut list = List::load(&storage).unwrap();
        list.push(&storage, segment(1, 9)).unwrap();
        let bytes = hex(&storage.files()[FILE]);
        let parts = [
            // The head of the frame: magic, number, length, and the two sums.
            "50415243000000000000000000000043",
            "16cd002567757ecb",
            // The name, the first and the last block, the length, the hash.
            "0000000000000003632f31",
            "000000000000000100000000000000090000000000001234",
            "0707070707070707070707070707070707070707070707070707070707070707",
        ];
        assert_eq!(bytes, parts.concat());
    }

    #[test]
    fn a_torn_end_is_cut_by_the_next_entry_and_what_does_not_follow_is_damage() {
        let storage = MemoryStorage::default();
        let mut list = List::load(&storage).unwrap();
        list.push(&storage, segment(1, 9)).unwrap();
        list.push(&storage, segment(10, 12)).unwrap();
        let whole = storage.files()[FILE].clone();
        for torn in 1..whole.len() / 2 {
            let files = [(FILE.to_owned(), whole[..whole.len() - torn].to_vec())];
            let storage = MemoryStorage::with_files(files.into());
            let mut list = List::load(&storage).unwrap();
            assert_eq!(list.segments.len(), 1, "{torn} bytes are gone");
            list.push(&storage, segment(10, 12)).unwrap();
            assert_eq!(storage.files()[FILE], whole);
        }
        list.push(&storage, segment(14, 15)).unwrap();
        let error = List::load(&storage).map(drop).unwrap_err();
        assert!(error.to_string().contains("does not follow"), "{error}");
        let again = MemoryStorage::with_files([(FILE.to_owned(), whole)].into());
        let mut list = List::load(&again).unwrap();
        list.pop(&again).unwrap();
        assert_eq!(List::load(&again).unwrap().segments.len(), 1);
        list.pop(&again).unwrap();
        assert!(again.files().is_empty(), "an empty list has no file");
        list.pop(&again).unwrap();
    }
}
