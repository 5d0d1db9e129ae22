//! The block log: the truth. Append-only segment files, one frame and one sync for each block.
//!
//! A segment is named `blocks-` and the height of its first block; a frame's number is the block's height,
//! its payload the canonical bytes of the sealed block.

use crate::{
    error::FileError,
    frame::{FrameKind, HEAD},
    limits::{FRAME_BYTES, SEGMENT_BYTES},
    metrics::Metrics,
    storage::Storage,
};
use probata_types::Height;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const FRAMES: FrameKind = FrameKind { magic: *b"PBLK", max: FRAME_BYTES };
const PREFIX: &str = "blocks-";
/// A segment that is being written as a whole.
const NEW_SEGMENT: &str = "blocks.new";

/// Where a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The first height of its segment.
    pub(crate) segment: Height,
    /// Where its frame begins.
    pub(crate) offset: u64,
    /// Bytes of the block.
    pub(crate) length: u32,
}

/// The first height of a segment, and blocks of it in order.
pub(crate) type Segment = (Height, Vec<(Place, Vec<u8>)>);

/// The one writer of the log.
pub(crate) struct BlockLog {
    storage: Arc<dyn Storage>,
    metrics: Arc<Metrics>,
    /// First heights of the segments, ascending.
    segments: Vec<Height>,
    /// Where the next frame begins in the last segment.
    end: u64,
    /// The last block; zero if there is none.
    height: Height,
    segment_bytes: u64,
    stopped: bool,
}

impl BlockLog {
    /// Opens the log, which begins at the height `begins` or below: scans the last segment and cuts what a crash
    /// left of a block.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        begins: Height,
        metrics: Arc<Metrics>,
    ) -> Result<Self, FileError> {
        let (mut log, torn) = Self::inspect(storage, begins)?;
        log.metrics = metrics;
        if let (Some(last), true) = (log.segments.last(), torn > 0) {
            let file = file_name(*last);
            tracing::warn!(file, at = log.end, bytes = torn, "cut a block torn by a crash");
            let cut = log.storage.truncate(&file, log.end);
            cut.map_err(|error| FileError::io("cut", &file, error))?;
        }
        Ok(log)
    }

    /// The log and the number of torn bytes at its end, without changing anything.
    pub(crate) fn inspect(
        storage: Arc<dyn Storage>,
        begins: Height,
    ) -> Result<(Self, u64), FileError> {
        let segments = segments(&*storage, begins)?;
        let mut log = Self {
            storage,
            metrics: Arc::default(),
            segments,
            end: 0,
            height: Height::ZERO,
            segment_bytes: SEGMENT_BYTES,
            stopped: false,
        };
        let Some(last) = log.segments.last() else { return Ok((log, 0)) };
        let scan =
            FRAMES.scan(&*log.storage, &file_name(*last), last.get(), &mut |_, _, _| Ok(()))?;
        log.end = scan.end;
        if scan.next > Height::MAX.get() {
            return Err(FileError::corrupt(&file_name(*last), 0, "no chain is so long"));
        }
        log.height = Height::new(scan.next - 1);
        Ok((log, scan.torn))
    }

    /// The first block of the log; 1 if there is none.
    pub(crate) fn first(&self) -> Height {
        self.segments.first().copied().unwrap_or(Height::new(1))
    }

    /// The last block of the log; zero if there is none.
    pub(crate) fn height(&self) -> Height {
        self.height
    }

    /// Writes the next block. When this returns, the block is on disk.
    ///
    /// # Errors
    /// [`FileError`]; after one of writing, nothing more is written.
    pub(crate) fn append(&mut self, height: Height, block: &[u8]) -> Result<Place, FileError> {
        assert_eq!(height, self.height.next(), "blocks are appended in order");
        let fresh = self.segments.is_empty() || self.end >= self.segment_bytes;
        let segment = if fresh { height } else { self.segments[self.segments.len() - 1] };
        let file = file_name(segment);
        if self.stopped {
            return Err(FileError::Stopped { file });
        }
        if block.len() > FRAMES.max {
            return Err(FileError::TooLong { file, got: block.len(), max: FRAMES.max });
        }
        self.stopped = true;
        let frame = FRAMES.encode(height.get(), block);
        self.storage.append(&file, &frame).map_err(|e| FileError::io("append to", &file, e))?;
        if !probata_types::mutated!(LogNotSynced) {
            self.storage.sync(&file).map_err(|e| FileError::io("sync", &file, e))?;
        }
        if fresh {
            self.storage
                .sync_folder()
                .map_err(|e| FileError::io("sync the folder of", &file, e))?;
            self.segments.push(segment);
            self.end = 0;
        }
        self.stopped = false;
        self.metrics.appended(frame.len() as u64);
        let length = u32::try_from(block.len()).expect("the bound of a frame fits");
        let place = Place { segment, offset: self.end, length };
        self.end += frame.len() as u64;
        self.height = height;
        Ok(place)
    }

    /// The block after the one at `place`, of height `before`; the first one of the log for `None`. `None` if
    /// the log ends there.
    pub(crate) fn next(
        &self,
        before: Option<(Height, Place)>,
    ) -> Result<Option<(Place, Vec<u8>)>, FileError> {
        let height = before.map_or(self.first(), |(height, _)| height.next());
        if height > self.height {
            return Ok(None);
        }
        let starts_segment = self.segments.binary_search(&height).is_ok();
        let (segment, offset) = match before {
            Some((_, place)) if !starts_segment => {
                (place.segment, place.offset + HEAD as u64 + u64::from(place.length))
            }
            _ => (height, 0),
        };
        let block = FRAMES.read(&*self.storage, &file_name(segment), offset, height.get())?;
        let length = u32::try_from(block.len()).expect("the bound of a frame fits");
        Ok(Some((Place { segment, offset, length }, block)))
    }

    /// Learns of a segment that was written below all others, as [`write_segment`] does.
    pub(crate) fn begins_with(&mut self, segment: Height) {
        if self.segments.first().is_none_or(|first| segment < *first) {
            self.segments.insert(0, segment);
        }
    }

    /// The segment that holds a height, with its blocks up to there; `None` if the log begins above.
    pub(crate) fn segment_up_to(&self, height: Height) -> Result<Option<Segment>, FileError> {
        let above = self.segments.partition_point(|first| *first <= height);
        let Some(first) = above.checked_sub(1).map(|at| self.segments[at]) else { return Ok(None) };
        let mut blocks = Vec::new();
        let file = file_name(first);
        let scan =
            FRAMES.scan(&*self.storage, &file, first.get(), &mut |number, offset, bytes| {
                let length = u32::try_from(bytes.len()).expect("the bound of a frame fits");
                if number <= height.get() {
                    blocks.push((Place { segment: first, offset, length }, bytes));
                }
                Ok(())
            })?;
        if scan.next <= height.get() {
            return Err(FileError::corrupt(
                &file,
                scan.end,
                "the blocks up to the next segment are missing",
            ));
        }
        Ok(Some((first, blocks)))
    }

    /// Begins new segments earlier, so that a test need not write 64 MiB.
    #[cfg(test)]
    pub(crate) fn set_segment_bytes(&mut self, bytes: u64) {
        self.segment_bytes = bytes;
    }
}

/// The block of a height at its place.
pub(crate) fn read(
    storage: &dyn Storage,
    height: Height,
    place: Place,
) -> Result<Vec<u8>, FileError> {
    FRAMES.read(storage, &file_name(place.segment), place.offset, height.get())
}

/// Writes a whole segment below all that are there, or the first one: blocks in order from a height on. It is
/// there as a whole or not at all, whatever crash comes.
pub(crate) fn write_segment(
    storage: &dyn Storage,
    first: Height,
    blocks: &[Vec<u8>],
) -> Result<Vec<Place>, FileError> {
    let names = storage.list().map_err(|error| FileError::io("list", "the log folder", error))?;
    if names.iter().any(|name| name == NEW_SEGMENT) {
        storage.remove(NEW_SEGMENT).map_err(|e| FileError::io("remove", NEW_SEGMENT, e))?;
    }
    let (mut places, mut offset) = (Vec::with_capacity(blocks.len()), 0);
    for (number, block) in (first.get()..).zip(blocks) {
        let frame = FRAMES.encode(number, block);
        let length = u32::try_from(block.len()).expect("the bound of a frame fits");
        places.push(Place { segment: first, offset, length });
        offset += frame.len() as u64;
        let appended = storage.append(NEW_SEGMENT, &frame);
        appended.map_err(|error| FileError::io("append to", NEW_SEGMENT, error))?;
    }
    let file = file_name(first);
    storage.sync(NEW_SEGMENT).map_err(|e| FileError::io("sync", NEW_SEGMENT, e))?;
    storage.rename(NEW_SEGMENT, &file).map_err(|e| FileError::io("rename", NEW_SEGMENT, e))?;
    storage.sync_folder().map_err(|e| FileError::io("sync the folder of", &file, e))?;
    Ok(places)
}

/// The first heights of all segments; the first is `begins` or below, unless there are none.
pub(crate) fn segments(storage: &dyn Storage, begins: Height) -> Result<Vec<Height>, FileError> {
    let names = storage.list().map_err(|error| FileError::io("list", "the log folder", error))?;
    let mut segments = Vec::new();
    for name in names.iter().filter(|name| name.starts_with(PREFIX)) {
        let number = name[PREFIX.len()..].parse::<u64>().ok();
        let height = number.filter(|n| *n > 0 && *n <= Height::MAX.get()).map(Height::new);
        match height.filter(|height| file_name(*height) == *name) {
            Some(height) => segments.push(height),
            None => return Err(FileError::corrupt(name, 0, "no segment has such a name")),
        }
    }
    segments.sort_unstable();
    match segments.first() {
        Some(first) if *first > begins => {
            Err(FileError::corrupt(&file_name(*first), 0, "the segments before it are missing"))
        }
        _ => Ok(segments),
    }
}

pub(crate) fn file_name(first: Height) -> String {
    format!("{PREFIX}{:016}", first.get())
}

#[cfg(test)]
mod tests;
