//! A disk that forgets what was not synced.

use probata_ledger::Storage;
use std::{
    collections::BTreeMap,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Files in memory, of which a crash leaves what was synced: bytes by `sync`, names by `sync_folder`.
#[derive(Debug, Default)]
pub struct ForgetfulDisk {
    files: Mutex<Files>,
}

#[derive(Debug, Default)]
struct Files {
    files: Vec<File>,
    /// Positions in `files`: as they are, and as a crash would leave them.
    names: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
}

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
    synced: usize,
}

impl ForgetfulDisk {
    /// What the machine finds after it lost its power.
    pub fn crash(&self) {
        let mut files = self.lock();
        files.names = files.durable.clone();
        for file in &mut files.files {
            file.bytes.truncate(file.synced);
        }
    }

    /// Deletes a file for good.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`].
    pub fn lose(&self, file: &str) -> io::Result<()> {
        self.remove(file)?;
        self.sync_folder()
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        let at = self.names.get(name).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(&mut self.files[at])
    }
}

impl Storage for ForgetfulDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn length(&self, file: &str) -> io::Result<u64> {
        Ok(self.lock().file(file)?.bytes.len() as u64)
    }

    fn read(&self, file: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut files = self.lock();
        let bytes = &files.file(file)?.bytes;
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = from.checked_add(length).and_then(|to| bytes.get(from..to));
        part.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.lock();
        if !files.names.contains_key(file) {
            let at = files.files.len();
            files.files.push(File::default());
            files.names.insert(file.to_owned(), at);
        }
        files.file(file)?.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&self, file: &str) -> io::Result<()> {
        let mut files = self.lock();
        let file = files.file(file)?;
        file.synced = file.bytes.len();
        Ok(())
    }

    fn truncate(&self, file: &str, length: u64) -> io::Result<()> {
        let mut files = self.lock();
        let file = files.file(file)?;
        file.bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        file.synced = file.bytes.len();
        Ok(())
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        self.lock().names.remove(file).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.lock();
        let at = files.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.names.insert(to.to_owned(), at);
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut files = self.lock();
        files.durable = files.names.clone();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_leaves_what_was_synced_and_no_more() {
        let disk = ForgetfulDisk::default();
        disk.append("a", b"one").unwrap();
        disk.sync("a").unwrap();
        disk.crash();
        assert!(disk.list().unwrap().is_empty(), "its name was not synced");
        disk.append("a", b"one").unwrap();
        disk.sync("a").unwrap();
        disk.sync_folder().unwrap();
        disk.append("a", b"two").unwrap();
        disk.append("b", b"new").unwrap();
        disk.sync("b").unwrap();
        disk.rename("b", "a").unwrap();
        disk.crash();
        assert_eq!(disk.list().unwrap(), ["a"]);
        assert_eq!(disk.read("a", 0, 3).unwrap(), b"one");
        assert_eq!(disk.length("a").unwrap(), 3);
    }
}
