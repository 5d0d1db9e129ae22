//! The files of a forgetful disk: as they are, and as a crash would leave them.

use super::SyncedPart;
use crate::seed::Seeded;
use std::{collections::BTreeMap, io};

#[derive(Debug, Default)]
pub(super) struct Files {
    files: Vec<File>,
    /// Positions in `files`: as they are, and as a crash would leave them.
    names: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    /// The names after each change since they were synced. File systems keep the order of such changes.
    changes: Vec<BTreeMap<String, usize>>,
}

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
    synced: usize,
}

impl Files {
    pub(super) fn crash(&mut self) {
        self.names = self.durable.clone();
        self.changes.clear();
        for file in &mut self.files {
            file.bytes.truncate(file.synced);
        }
    }

    /// A part of everything becomes durable: what a machine may find that wrote some of it back by itself.
    pub(super) fn sync_some(&mut self, random: &mut Seeded) {
        let kept = random.place(self.changes.len() + 1);
        if let Some(names) = kept.checked_sub(1).and_then(|last| self.changes.get(last)) {
            self.durable = names.clone();
        }
        for file in &mut self.files {
            let unsynced = file.bytes.len() - file.synced;
            if unsynced == 0 {
                continue;
            }
            let kept = file.synced + random.place(unsynced + 1);
            // The length can be there before the bytes are.
            if random.chance(250) {
                file.bytes[kept..].fill(0);
                file.synced = file.bytes.len();
            } else {
                file.synced = kept;
            }
        }
    }

    pub(super) fn sync_all(&mut self) {
        self.sync_names();
        for file in &mut self.files {
            file.synced = file.bytes.len();
        }
    }

    pub(super) fn sync_names(&mut self) {
        self.durable = self.names.clone();
        self.changes.clear();
    }

    pub(super) fn list(&self) -> Vec<String> {
        self.names.keys().cloned().collect()
    }

    pub(super) fn length(&self, name: &str) -> io::Result<u64> {
        Ok(self.file(name)?.bytes.len() as u64)
    }

    pub(super) fn read(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let bytes = &self.file(name)?.bytes;
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = from.checked_add(length).and_then(|to| bytes.get(from..to));
        part.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    pub(super) fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if !self.names.contains_key(name) {
            let at = self.files.len();
            self.files.push(File::default());
            self.names.insert(name.to_owned(), at);
            self.note_change();
        }
        self.file_mut(name)?.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Bytes of a file that a sync would make durable.
    pub(super) fn unsynced(&self, name: &str) -> io::Result<usize> {
        let file = self.file(name)?;
        Ok(file.bytes.len() - file.synced)
    }

    /// Makes so many of them durable.
    pub(super) fn sync(&mut self, name: &str, bytes: usize) -> io::Result<()> {
        self.file_mut(name)?.synced += bytes;
        Ok(())
    }

    pub(super) fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        let file = self.file_mut(name)?;
        file.bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        file.synced = file.bytes.len();
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        self.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        self.note_change();
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let at = self.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.names.insert(to.to_owned(), at);
        self.note_change();
        Ok(())
    }

    pub(super) fn synced(&self, name: &str, known: (usize, usize)) -> Option<SyncedPart> {
        let at = *self.durable.get(name)?;
        let file = &self.files[at];
        let from = if at == known.0 { known.1 } else { 0 };
        let bytes = file.bytes[..file.synced].get(from..).unwrap_or_default().to_vec();
        Some(SyncedPart { file: at, bytes })
    }

    fn note_change(&mut self) {
        self.changes.push(self.names.clone());
    }

    fn file(&self, name: &str) -> io::Result<&File> {
        let at = self.names.get(name).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(&self.files[at])
    }

    fn file_mut(&mut self, name: &str) -> io::Result<&mut File> {
        let at = self.names.get(name).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(&mut self.files[at])
    }
}
