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
