//! The storage's twin in memory: for tests, and for a node that keeps nothing.

use super::Storage;
use std::{
    collections::BTreeMap,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Files in memory. Everything counts as durable at once.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl MemoryStorage {
    /// A storage that holds these files.
    pub fn with_files(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { files: Mutex::new(files) }
    }

    /// A copy of all files.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Storage for MemoryStorage {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().keys().cloned().collect())
    }

    fn length(&self, file: &str) -> io::Result<u64> {
        self.lock().get(file).map(|bytes| bytes.len() as u64).ok_or_else(missing)
    }

    fn read(&self, file: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let files = self.lock();
        let bytes = files.get(file).ok_or_else(missing)?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = from.checked_add(length).and_then(|to| bytes.get(from..to));
        part.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.lock().entry(file.to_owned()).or_default().extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&self, file: &str) -> io::Result<()> {
        if self.lock().contains_key(file) { Ok(()) } else { Err(missing()) }
    }

    fn truncate(&self, file: &str, length: u64) -> io::Result<()> {
        let mut files = self.lock();
        let bytes = files.get_mut(file).ok_or_else(missing)?;
        bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        self.lock().remove(file).map(|_| ()).ok_or_else(missing)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.lock();
        let bytes = files.remove(from).ok_or_else(missing)?;
        files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }
}
