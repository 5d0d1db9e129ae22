//! The block log: the truth. Append-only segment files, one frame and one sync for each block.
//!
//! A segment is named `blocks-` and the height of its first block; a frame's number is the block's height,
//! its payload the canonical bytes of the sealed block, compressed.

mod pack;

use crate::{
    error::FileError,
    frame::{FrameKind, HEAD},
    limits::{BLOCK_FRAME_BYTES, SEGMENT_BYTES},
    metrics::Metrics,
    storage::Storage,
};
use pack::Packer;
use probata_types::{Height, limits::BLOCK_BYTES};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const FRAMES: FrameKind = FrameKind { magic: *b"PBLK", max: BLOCK_FRAME_BYTES };
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
    /// Bytes that it takes there.
    pub(crate) length: u32,
    /// Bytes of the block.
    pub(crate) block: u32,
}

impl Place {
    fn new((segment, offset): (Height, u64), packed: &[u8], block: &[u8]) -> Self {
        let bytes = |bytes: &[u8]| u32::try_from(bytes.len()).expect("the bound of a frame fits");
        Self { segment, offset, length: bytes(packed), block: bytes(block) }
    }
}

/// The first height of a segment, and blocks of it in order.
pub(crate) type Segment = (Height, Vec<(Place, Vec<u8>)>);

/// The one writer of the log.
pub(crate) struct BlockLog {
    storage: Arc<dyn Storage>,
    metrics: Arc<Metrics>,
    packer: Packer,
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
        let packer = Packer::new().map_err(|error| FileError::io("compress for", PREFIX, error))?;
        let mut log = Self {
            storage,
            metrics: Arc::default(),
            packer,
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

    /// The first block of the newest segment that has one: of a file that is always here.
    pub(crate) fn newest(&self) -> Result<Option<(Place, Vec<u8>)>, FileError> {
        let whole = self.segments.iter().rev().find(|segment| **segment <= self.height);
        let Some(last) = whole else { return Ok(None) };
        let packed = FRAMES.read(&*self.storage, &file_name(*last), 0, last.get())?;
        let block = unpack(&packed, *last, 0)?;
        Ok(Some((Place::new((*last, 0), &packed, &block), block)))
    }

    /// Leaves out the segments that are in the archive and cannot be read now, and all before them; gives the last
    /// block that is left out, and why.
    pub(crate) fn leave_out_unreadable(
        &mut self,
    ) -> Result<Option<(Height, FileError)>, FileError> {
        for at in (0..self.segments.len()).rev() {
            let file = file_name(self.segments[at]);
            match self.storage.probe(&file).map_err(|error| FileError::io("read", &file, error)) {
                Ok(()) => {}
                Err(error @ FileError::Archived { last, .. }) => {
                    self.segments.drain(..=at);
                    return Ok(Some((last, error)));
                }
                Err(other) => return Err(other),
            }
        }
        Ok(None)
    }

    /// Bytes of all segments.
    ///
    /// # Errors
    /// [`FileError`] if the disk fails.
    pub(crate) fn bytes(&self) -> Result<u64, FileError> {
        self.segments.iter().try_fold(0, |sum, segment| {
            let file = file_name(*segment);
            let length = self.storage.length(&file);
            Ok(sum + length.map_err(|error| FileError::io("measure", &file, error))?)
        })
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
        if block.len() > BLOCK_BYTES {
            return Err(FileError::TooLong { file, got: block.len(), max: BLOCK_BYTES });
        }
        self.stopped = true;
        let packed =
            self.packer.pack(block).map_err(|e| FileError::io("compress for", &file, e))?;
        let frame = FRAMES.encode(height.get(), &packed);
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
        let place = Place::new((segment, self.end), &packed, block);
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
        let packed = FRAMES.read(&*self.storage, &file_name(segment), offset, height.get())?;
        let block = unpack(&packed, segment, offset)?;
        Ok(Some((Place::new((segment, offset), &packed, &block), block)))
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
            FRAMES.scan(&*self.storage, &file, first.get(), &mut |number, offset, packed| {
                if number <= height.get() {
                    let block = unpack(&packed, first, offset)?;
                    blocks.push((Place::new((first, offset), &packed, &block), block));
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
    let packed = FRAMES.read(storage, &file_name(place.segment), place.offset, height.get())?;
    unpack(&packed, place.segment, place.offset)
}

fn unpack(packed: &[u8], segment: Height, offset: u64) -> Result<Vec<u8>, FileError> {
    pack::unpack(packed).map_err(|what| FileError::corrupt(&file_name(segment), offset, what))
}

/// The place of a block that begins a segment.
pub(crate) fn place_of_first(height: Height, block: &[u8]) -> Result<Place, FileError> {
    let compress = |error| FileError::io("compress for", &file_name(height), error);
    let packed = Packer::new().and_then(|mut packer| packer.pack(block)).map_err(compress)?;
    Ok(Place::new((height, 0), &packed, block))
}

/// Writes a whole segment below all that are there, or the first one: blocks in order from a height on. It is
/// there as a whole or not at all, whatever crash comes.
pub(crate) fn write_segment(
    storage: &dyn Storage,
    first: Height,
    blocks: &[Vec<u8>],
) -> Result<Vec<Place>, FileError> {
    discard_new(storage)?;
    let compress = |error| FileError::io("compress for", NEW_SEGMENT, error);
    let mut packer = Packer::new().map_err(compress)?;
    let (mut places, mut offset) = (Vec::with_capacity(blocks.len()), 0);
    for (number, block) in (first.get()..).zip(blocks) {
        let packed = packer.pack(block).map_err(compress)?;
        let frame = FRAMES.encode(number, &packed);
        places.push(Place::new((first, offset), &packed, block));
        offset += frame.len() as u64;
        let appended = storage.append(NEW_SEGMENT, &frame);
        appended.map_err(|error| FileError::io("append to", NEW_SEGMENT, error))?;
    }
    end_segment(storage, first)?;
    Ok(places)
}

/// Writes the bytes of a whole segment, which is there as a whole or not at all.
pub(crate) fn install_segment(
    storage: &dyn Storage,
    first: Height,
    bytes: &[u8],
) -> Result<(), FileError> {
    discard_new(storage)?;
    storage.append(NEW_SEGMENT, bytes).map_err(|e| FileError::io("append to", NEW_SEGMENT, e))?;
    end_segment(storage, first)
}

fn end_segment(storage: &dyn Storage, first: Height) -> Result<(), FileError> {
    let file = file_name(first);
    storage.sync(NEW_SEGMENT).map_err(|e| FileError::io("sync", NEW_SEGMENT, e))?;
    storage.rename(NEW_SEGMENT, &file).map_err(|e| FileError::io("rename", NEW_SEGMENT, e))?;
    storage.sync_folder().map_err(|e| FileError::io("sync the folder of", &file, e))
}

fn discard_new(storage: &dyn Storage) -> Result<(), FileError> {
    let names = storage.list().map_err(|error| FileError::io("list", "the log folder", error))?;
    if names.iter().any(|name| name == NEW_SEGMENT) {
        storage.remove(NEW_SEGMENT).map_err(|e| FileError::io("remove", NEW_SEGMENT, e))?;
    }
    Ok(())
}

/// Checks that a segment holds exactly these blocks, by its frames.
pub(crate) fn check_segment(
    storage: &dyn Storage,
    (first, last): (Height, Height),
) -> Result<(), FileError> {
    let file = file_name(first);
    let scan = FRAMES.scan(storage, &file, first.get(), &mut |_, _, _| Ok(()))?;
    if scan.torn > 0 || scan.next != last.next().get() {
        let what = format!("it does not hold the blocks {first} to {last}");
        return Err(FileError::corrupt(&file, scan.end, what));
    }
    Ok(())
}

/// The first heights of all segments; the first is `begins` or below, unless there are none.
pub(crate) fn segments(storage: &dyn Storage, begins: Height) -> Result<Vec<Height>, FileError> {
    let names = storage.list().map_err(|error| FileError::io("list", "the log folder", error))?;
    let mut segments = Vec::new();
    for name in names.iter().filter(|name| name.starts_with(PREFIX)) {
        match first_of(name) {
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

/// The first height of the segment of that name; `None` if no segment has it.
pub(crate) fn first_of(name: &str) -> Option<Height> {
    let number = name.strip_prefix(PREFIX)?.parse::<u64>().ok();
    let height = number.filter(|n| *n > 0 && *n <= Height::MAX.get()).map(Height::new);
    height.filter(|height| file_name(*height) == *name)
}

pub(crate) fn file_name(first: Height) -> String {
    format!("{PREFIX}{:016}", first.get())
}

#[cfg(test)]
mod tests;
