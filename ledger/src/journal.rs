//! The journal: opaque records of what consensus has promised, on disk before it is on the wire.
//!
//! Records are gathered by [`Journal::append`] and written by [`Journal::sync`], all in one frame: a
//! crash then leaves all of them or none, and can spoil nothing that was synced before.

use crate::{
    error::{FileError, JournalError},
    frame::FrameKind,
    limits::{JOURNAL_BYTES, JOURNAL_FRAME_BYTES},
    storage::Storage,
};
use std::sync::Arc;

const FRAMES: FrameKind = FrameKind { magic: *b"PJNL", max: JOURNAL_FRAME_BYTES };
const FILE: &str = "journal";
const NEW_FILE: &str = "journal.new";

/// The journal of one validator.
pub struct Journal {
    storage: Arc<dyn Storage>,
    /// Records not yet written, each with its length before it.
    gathered: Vec<u8>,
    next: u64,
    new: bool,
    stopped: bool,
}

impl Journal {
    /// Opens the journal, and gives its records, oldest first. What a crash left of a frame is cut.
    ///
    /// # Errors
    /// [`FileError::Corrupt`] if it is damaged before its end: promises are then forgotten, and the
    /// validator must not vote before it is past anything that it could have promised.
    pub fn open(storage: Arc<dyn Storage>) -> Result<(Self, Vec<Vec<u8>>), JournalError> {
        let names = storage.list().map_err(|error| FileError::io("list", FILE, error))?;
        if names.iter().any(|name| name == NEW_FILE) {
            // A rewrite that did not come to its rename: the journal itself is still the old one.
            storage.remove(NEW_FILE).map_err(|e| FileError::io("remove", NEW_FILE, e))?;
        }
        let mut records = Vec::new();
        let mut journal =
            Self { storage, gathered: Vec::new(), next: 0, new: true, stopped: false };
        if names.iter().any(|name| name == FILE) {
            journal.next = journal.load(&mut records)?;
            // Whoever rewrites the journal when it is opened leaves a whole first frame, whatever crash
            // comes: without one the promises were not torn but lost.
            journal.new = journal.next == 0;
        }
        Ok((journal, records))
    }

    /// Whether there was no journal when this one was opened, or none with a whole frame. A validator whose
    /// log already holds blocks has then lost its promises.
    pub fn is_new(&self) -> bool {
        self.new
    }

    /// Takes a record. It is not on disk before [`Journal::sync`].
    ///
    /// # Errors
    /// [`FileError::TooLong`] if more is gathered than one sync writes; [`FileError::Stopped`].
    pub fn append(&mut self, record: &[u8]) -> Result<(), JournalError> {
        self.check_running()?;
        gather(&mut self.gathered, record)
    }

    /// Writes what was taken. When this returns, it is on disk.
    ///
    /// # Errors
    /// [`FileError::Io`] if the disk refuses; from then on [`FileError::Stopped`].
    pub fn sync(&mut self) -> Result<(), JournalError> {
        self.check_running()?;
        if self.gathered.is_empty() {
            return Ok(());
        }
        self.stopped = true;
        self.write(FILE, self.next)?;
        if self.next == 0 {
            self.storage.sync_folder().map_err(|e| FileError::io("sync the folder of", FILE, e))?;
        }
        self.next += 1;
        self.stopped = false;
        Ok(())
    }

    /// Replaces all records, and what was taken and not yet written, by these: in one step, whenever a
    /// crash comes. When this returns, they are on disk.
    ///
    /// # Errors
    /// As [`Journal::sync`] and [`Journal::append`]; after one of writing, [`FileError::Stopped`].
    pub fn rewrite(&mut self, records: Vec<Vec<u8>>) -> Result<(), JournalError> {
        self.check_running()?;
        let mut gathered = Vec::new();
        for record in &records {
            gather(&mut gathered, record)?;
        }
        self.gathered = gathered;
        self.stopped = true;
        self.write(NEW_FILE, 0)?;
        self.storage.rename(NEW_FILE, FILE).map_err(|e| FileError::io("rename", NEW_FILE, e))?;
        self.storage.sync_folder().map_err(|e| FileError::io("sync the folder of", FILE, e))?;
        self.next = 1;
        self.stopped = false;
        Ok(())
    }

    fn write(&mut self, file: &str, number: u64) -> Result<(), JournalError> {
        let frame = FRAMES.encode(number, &self.gathered);
        self.gathered.clear();
        self.storage.append(file, &frame).map_err(|e| FileError::io("append to", file, e))?;
        if probata_types::mutated!(JournalNotSynced) {
            return Ok(());
        }
        self.storage.sync(file).map_err(|e| FileError::io("sync", file, e))
    }

    /// Reads all records and cuts a torn end; gives the number of the next frame.
    fn load(&self, records: &mut Vec<Vec<u8>>) -> Result<u64, JournalError> {
        let length = self.storage.length(FILE).map_err(|e| FileError::io("measure", FILE, e))?;
        if length > JOURNAL_BYTES {
            let what = format!("{length} bytes are more than any journal has");
            return Err(FileError::corrupt(FILE, JOURNAL_BYTES, what));
        }
        let scan = FRAMES.scan(&*self.storage, FILE, 0, &mut |_, offset, payload| {
            split(&payload, records)
                .ok_or_else(|| FileError::corrupt(FILE, offset, "the records do not fit the frame"))
        })?;
        if scan.torn > 0 {
            tracing::warn!(at = scan.end, bytes = scan.torn, "cut a promise torn by a crash");
            let cut = self.storage.truncate(FILE, scan.end);
            cut.map_err(|error| FileError::io("cut", FILE, error))?;
        }
        Ok(scan.next)
    }

    fn check_running(&self) -> Result<(), JournalError> {
        if self.stopped { Err(FileError::Stopped { file: FILE.to_owned() }) } else { Ok(()) }
    }
}

/// Adds a record behind the gathered ones: its length as four bytes, and its bytes.
fn gather(gathered: &mut Vec<u8>, record: &[u8]) -> Result<(), JournalError> {
    let got = gathered.len() + 4 + record.len();
    if got > FRAMES.max {
        return Err(FileError::TooLong { file: FILE.to_owned(), got, max: FRAMES.max });
    }
    let length = u32::try_from(record.len()).expect("the bound of a frame fits");
    gathered.extend_from_slice(&length.to_be_bytes());
    gathered.extend_from_slice(record);
    Ok(())
}

fn split(mut payload: &[u8], records: &mut Vec<Vec<u8>>) -> Option<()> {
    while !payload.is_empty() {
        let (length, rest) = payload.split_first_chunk::<4>()?;
        let (record, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        records.push(record.to_vec());
        payload = rest;
    }
    Some(())
}

#[cfg(test)]
mod tests;
