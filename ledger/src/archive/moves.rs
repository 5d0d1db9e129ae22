//! Moving segments: away, one after the other from the first of the log on, and back in the opposite order.
//!
//! Each move is cut short anywhere without harm, and brought to its end by the next one.

use super::{
    ArchivedSegment, ArchivedStorage,
    list::{List, NAME_BYTES},
    storage::Known,
};
use crate::{
    error::FileError,
    limits::{ARCHIVE_KEPT_SEGMENTS, ARCHIVE_SEGMENT_BYTES},
    log,
};
use probata_types::{Hash, Height, Text};
use std::sync::PoisonError;

/// A segment of the log folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its first block.
    pub first: Height,
    /// Its last block.
    pub last: Height,
    /// Its length.
    pub bytes: u64,
}

/// What was moved.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The segments, in the order in which they were moved.
    pub segments: Vec<ArchivedSegment>,
    /// Bytes of them.
    pub bytes: u64,
}

impl Moved {
    fn add(&mut self, segment: ArchivedSegment) {
        self.bytes += segment.bytes;
        self.segments.push(segment);
    }
}

impl ArchivedStorage {
    /// The segments that are in the folder and may go, from the first on: all but the last few.
    ///
    /// # Errors
    /// [`FileError`] if the folder cannot be read.
    pub fn movable(&self) -> Result<Vec<Segment>, FileError> {
        let mut firsts = log::segments(self, Height::MAX)?;
        let archived = self.archived();
        firsts.retain(|first| archived.last().is_none_or(|archived| *first > archived.last));
        let mut movable = Vec::new();
        for pair in firsts.windows(2) {
            let (file, last) = (log::file_name(pair[0]), pair[1].previous().unwrap_or_default());
            let bytes = self.disk.length(&file).map_err(|e| FileError::io("measure", &file, e))?;
            movable.push(Segment { first: pair[0], last, bytes });
        }
        movable.truncate(firsts.len().saturating_sub(ARCHIVE_KEPT_SEGMENTS));
        Ok(movable)
    }

    /// Moves those segments to the archive, which [`ArchivedStorage::movable`] gave first. `prefix` begins the names of their
    /// objects. Nobody may have the ledger open. Is told each segment before it is moved.
    ///
    /// # Errors
    /// [`FileError`]: nothing is lost, and the same again goes on where it ended.
    pub fn put_away(
        &self,
        segments: &[Segment],
        prefix: &str,
        progress: &dyn Fn(&Segment),
    ) -> Result<Moved, FileError> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut moved = Moved::default();
        let archived: Vec<ArchivedSegment> =
            known.list.segments.iter().map(|(segment, _)| segment.clone()).collect();
        for segment in archived {
            let file = log::file_name(segment.first);
            if known.in_both.contains(&file) {
                self.check_same(&file, &segment)?;
                self.fetch(&file, &segment)?;
                self.remove(&file, &mut known)?;
                moved.add(segment);
            }
        }
        for segment in segments {
            progress(segment);
            let file = log::file_name(segment.first);
            let before = known.list.segments.last().map(|(before, _)| before.last.next());
            if before.is_some_and(|next| next != segment.first) {
                let what = "it does not follow the last segment that was archived";
                return Err(FileError::corrupt(&file, 0, what));
            }
            let archived = self.keep(&file, segment, prefix)?;
            known.list.push(&*self.disk, archived.clone())?;
            known.in_both.insert(file.clone());
            self.remove(&file, &mut known)?;
            moved.add(archived);
        }
        Ok(moved)
    }

    /// Moves all archived segments back to the folder. The objects stay where they are: other nodes may have the same ones.
    /// Nobody may have the ledger open.
    ///
    /// # Errors
    /// As [`ArchivedStorage::put_away`].
    pub fn bring_back(&self, progress: &dyn Fn(&Segment)) -> Result<Moved, FileError> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut moved = Moved::default();
        while !known.list.segments.is_empty() {
            let segment = last(&known.list);
            let ArchivedSegment { first, last, bytes, .. } = segment;
            progress(&Segment { first, last, bytes });
            let file = log::file_name(first);
            if known.in_both.contains(&file) {
                self.check_same(&file, &segment)?;
            } else {
                let content = self.fetch(&file, &segment)?;
                log::install_segment(&*self.disk, first, &content)?;
                known.in_both.insert(file.clone());
            }
            known.list.pop(&*self.disk)?;
            known.in_both.remove(&file);
            moved.add(segment);
        }
        Ok(moved)
    }

    /// Puts a segment into the archive, and reads it back.
    fn keep(
        &self,
        file: &str,
        segment: &Segment,
        prefix: &str,
    ) -> Result<ArchivedSegment, FileError> {
        log::check_segment(&*self.disk, (segment.first, segment.last))?;
        let content = self.read_here(file)?;
        let (first, last, bytes) = (segment.first, segment.last, content.len() as u64);
        let hash = Hash(*blake3::hash(&content).as_bytes());
        let object = Text::<NAME_BYTES>::new(format!("{prefix}{file}-{hash}"));
        let object = object.map_err(|error| FileError::corrupt(file, 0, error.to_string()))?;
        let archived = ArchivedSegment { object, first, last, bytes, hash };
        // It may be there from a try before.
        if self.fetch(file, &archived).is_err() {
            let put = self.archive.put(&archived.object, content);
            put.map_err(|error| FileError::io("archive", file, error))?;
            self.fetch(file, &archived)?;
        }
        Ok(archived)
    }

    fn remove(&self, file: &str, known: &mut Known) -> Result<(), FileError> {
        self.disk.remove(file).map_err(|error| FileError::io("remove", file, error))?;
        known.in_both.remove(file);
        self.disk.sync_folder().map_err(|e| FileError::io("sync the folder of", file, e))
    }

    fn read_here(&self, file: &str) -> Result<Vec<u8>, FileError> {
        let length = self.disk.length(file).map_err(|e| FileError::io("measure", file, e))?;
        let fits = usize::try_from(length).ok().filter(|length| *length <= ARCHIVE_SEGMENT_BYTES);
        let length = fits.ok_or_else(|| FileError::corrupt(file, 0, "no segment is so long"))?;
        self.disk.read(file, 0, length).map_err(|error| FileError::io("read", file, error))
    }

    /// Whether what is in the folder is what is in the list.
    fn check_same(&self, file: &str, segment: &ArchivedSegment) -> Result<(), FileError> {
        check_hash(
            file,
            segment,
            &self.read_here(file)?,
            "the segment here is not the one that was archived",
        )
    }

    /// All of an archived segment, checked.
    fn fetch(&self, file: &str, segment: &ArchivedSegment) -> Result<Vec<u8>, FileError> {
        let ArchivedSegment { first, last, bytes, .. } = *segment;
        let fits = usize::try_from(bytes).ok().filter(|length| *length <= ARCHIVE_SEGMENT_BYTES);
        let length = fits.ok_or_else(|| FileError::corrupt(file, 0, "no segment is so long"))?;
        let content = self.archive.read(&segment.object, 0, length);
        let content =
            content.map_err(|reason| FileError::archived(file, (first, last), &reason))?;
        check_hash(file, segment, &content, "the archive holds other bytes than were put there")?;
        Ok(content)
    }
}

fn last(list: &List) -> ArchivedSegment {
    list.segments.last().expect("the caller has looked").0.clone()
}

fn check_hash(
    file: &str,
    segment: &ArchivedSegment,
    content: &[u8],
    what: &str,
) -> Result<(), FileError> {
    if content.len() as u64 == segment.bytes && blake3::hash(content).as_bytes() == &segment.hash.0
    {
        Ok(())
    } else {
        Err(FileError::corrupt(file, 0, what))
    }
}
