//! The log folder with the archive behind it.

use super::{
    Archive, Archived, ArchivedSegment,
    list::{FILE, List},
    windows::Windows,
};
use crate::{error::FileError, log, storage::Storage};
use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

/// A folder of which some segments are in an archive: it looks as if they were here.
pub struct ArchivedStorage {
    pub(super) disk: Arc<dyn Storage>,
    pub(super) archive: Arc<dyn Archive>,
    pub(super) known: RwLock<Known>,
    windows: Windows,
}

/// What is in the archive.
#[derive(Default)]
pub(super) struct Known {
    pub(super) list: List,
    /// The names of those of its segments that are in the folder as well, as a crash may leave one.
    pub(super) in_both: BTreeSet<String>,
}

impl ArchivedStorage {
    /// A folder, and where its archived segments are, if it has any.
    ///
    /// # Errors
    /// [`FileError`] if the folder cannot be read, or the list of what is archived is damaged.
    pub fn open(disk: Arc<dyn Storage>, archive: Arc<dyn Archive>) -> Result<Self, FileError> {
        let list = List::load(&*disk)?;
        let names = disk.list().map_err(|error| FileError::io("list", FILE, error))?;
        let archived = list.segments.iter().map(|(segment, _)| log::file_name(segment.first));
        let archived: BTreeSet<String> = archived.collect();
        let in_both = names.into_iter().filter(|name| archived.contains(name)).collect();
        let known = RwLock::new(Known { list, in_both });
        Ok(Self { disk, archive, known, windows: Windows::default() })
    }

    /// The segments that are in the archive, from the first block on.
    pub fn archived(&self) -> Vec<ArchivedSegment> {
        self.known().list.segments.iter().map(|(segment, _)| segment.clone()).collect()
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The segment of that name, if it is in the archive and not in the folder.
    fn away(&self, file: &str) -> Option<ArchivedSegment> {
        let first = log::first_of(file)?;
        let known = self.known();
        let segments = &known.list.segments;
        let at = segments.binary_search_by_key(&first, |(segment, _)| segment.first).ok()?;
        (!known.in_both.contains(file)).then(|| segments[at].0.clone())
    }
}

impl Storage for ArchivedStorage {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = self.disk.list()?;
        let known = self.known();
        let archived = known.list.segments.iter().map(|(one, _)| log::file_name(one.first));
        names.extend(archived.filter(|name| !known.in_both.contains(name)));
        Ok(names)
    }

    fn length(&self, file: &str) -> io::Result<u64> {
        match self.away(file) {
            Some(segment) => Ok(segment.bytes),
            None => self.disk.length(file),
        }
    }

    fn read(&self, file: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let Some(segment) = self.away(file) else { return self.disk.read(file, offset, length) };
        if offset.checked_add(length as u64).is_none_or(|end| end > segment.bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let read = self.windows.read(&*self.archive, &segment, (offset, length));
        read.map_err(|reason| not_now(&segment, reason))
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.disk.append(file, bytes)
    }

    fn sync(&self, file: &str) -> io::Result<()> {
        self.disk.sync(file)
    }

    fn truncate(&self, file: &str, length: u64) -> io::Result<()> {
        self.disk.truncate(file, length)
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        self.disk.remove(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.disk.sync_folder()
    }

    fn is_away(&self, file: &str) -> bool {
        self.away(file).is_some()
    }

    fn probe(&self, file: &str) -> io::Result<()> {
        let Some(segment) = self.away(file) else { return Ok(()) };
        let read = self.archive.read(&segment.object, segment.bytes.saturating_sub(1), 1);
        read.map(drop).map_err(|reason| not_now(&segment, reason))
    }
}

fn not_now(segment: &ArchivedSegment, reason: io::Error) -> io::Error {
    let ArchivedSegment { first, last, .. } = *segment;
    io::Error::other(Archived { first, last, reason })
}
