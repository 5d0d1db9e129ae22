//! The storage of a real folder.

use super::Storage;
use crate::limits::OPEN_FILES;
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The file whose lock says that a process uses the folder.
const LOCK: &str = "lock";

/// A folder, held by one process at a time.
#[derive(Debug)]
pub struct DiskStorage {
    folder: PathBuf,
    open: Mutex<BTreeMap<String, Arc<File>>>,
    /// Held for its lock, which the operating system gives back when the process ends.
    _lock: File,
}

impl DiskStorage {
    /// Opens a folder, which is made if there is none, and locks it.
    ///
    /// # Errors
    /// What the operating system says; [`io::ErrorKind::ResourceBusy`] if another process holds it.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::new(
                io::ErrorKind::ResourceBusy,
                format!("{} is in use by another process", folder.display()),
            ),
            TryLockError::Error(error) => error,
        })?;
        Ok(Self { folder: folder.to_owned(), open: Mutex::default(), _lock: lock })
    }

    /// The handle of a file, opened once and shared.
    fn handle(&self, file: &str, create: bool) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = open.get(file) {
            return Ok(Arc::clone(handle));
        }
        let path = self.folder.join(file);
        let handle =
            Arc::new(OpenOptions::new().read(true).append(true).create(create).open(path)?);
        if open.len() >= OPEN_FILES {
            open.clear();
        }
        open.insert(file.to_owned(), Arc::clone(&handle));
        Ok(handle)
    }

    fn forget(&self, file: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(file);
    }
}

impl Storage for DiskStorage {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry.file_name().into_string()
                && name != LOCK
                && entry.file_type()?.is_file()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn length(&self, file: &str) -> io::Result<u64> {
        Ok(self.handle(file, false)?.metadata()?.len())
    }

    fn read(&self, file: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.handle(file, false)?.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let handle = self.handle(file, true)?;
        (&*handle).write_all(bytes)
    }

    fn sync(&self, file: &str) -> io::Result<()> {
        self.handle(file, false)?.sync_data()
    }

    fn truncate(&self, file: &str, length: u64) -> io::Result<()> {
        let handle = self.handle(file, false)?;
        handle.set_len(length)?;
        handle.sync_all()
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        self.forget(file);
        fs::remove_file(self.folder.join(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.forget(from);
        self.forget(to);
        fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_once_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let held = DiskStorage::open(folder.path()).unwrap();
        let error = DiskStorage::open(folder.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
        assert!(error.to_string().contains("in use by another process"));
        drop(held);
        DiskStorage::open(folder.path()).unwrap();
    }

    #[test]
    fn the_disk_and_its_twin_in_memory_do_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let disk = DiskStorage::open(folder.path()).unwrap();
        let memory = super::super::MemoryStorage::default();
        for storage in [&disk as &dyn Storage, &memory] {
            assert_eq!(storage.length("a").unwrap_err().kind(), io::ErrorKind::NotFound);
            assert_eq!(storage.read("a", 0, 1).unwrap_err().kind(), io::ErrorKind::NotFound);
            assert_eq!(storage.sync("a").unwrap_err().kind(), io::ErrorKind::NotFound);
            storage.append("a", b"one").unwrap();
            storage.append("a", b"two").unwrap();
            storage.sync("a").unwrap();
            assert_eq!(storage.read("a", 2, 3).unwrap(), b"etw");
            assert_eq!(storage.read("a", 4, 3).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
            storage.truncate("a", 4).unwrap();
            storage.append("a", b"!").unwrap();
            assert_eq!(storage.read("a", 0, 5).unwrap(), b"onet!");
            storage.append("b", b"other").unwrap();
            storage.rename("a", "b").unwrap();
            storage.sync_folder().unwrap();
            assert_eq!(storage.list().unwrap(), ["b"]);
            assert_eq!(storage.length("b").unwrap(), 5);
            storage.remove("b").unwrap();
            assert_eq!(storage.remove("b").unwrap_err().kind(), io::ErrorKind::NotFound);
            assert!(storage.list().unwrap().is_empty());
        }
    }
}
