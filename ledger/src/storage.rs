//! The few operations on files that the log and the journal need: the real folder, and a twin in memory.

mod disk;
mod memory;

pub use disk::DiskStorage;
pub use memory::MemoryStorage;

use std::io;

/// A folder of append-only files. Names are plain, without a folder.
///
/// A file's bytes are durable after [`Storage::sync`] of it; that it exists under its name (made, renamed
/// or removed) after [`Storage::sync_folder`]. A failed sync says nothing about what is on disk:
/// whoever sees one writes no more to the file and opens it again.
pub trait Storage: Send + Sync {
    /// The names of all files.
    ///
    /// # Errors
    /// What the operating system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// The length of a file in bytes.
    ///
    /// # Errors
    /// What the operating system says; [`io::ErrorKind::NotFound`] if there is no such file.
    fn length(&self, file: &str) -> io::Result<u64>;

    /// Exactly `length` bytes from `offset`.
    ///
    /// # Errors
    /// As [`Storage::length`]; [`io::ErrorKind::UnexpectedEof`] if the file ends before.
    fn read(&self, file: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Writes at the end of a file, which is made if there is none. Not durable until synced.
    ///
    /// # Errors
    /// What the operating system says; a part may then have been written.
    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()>;

    /// Makes a file's bytes and length durable (`fdatasync`).
    ///
    /// # Errors
    /// What the operating system says.
    fn sync(&self, file: &str) -> io::Result<()>;

    /// Cuts a file to `length` bytes, durably.
    ///
    /// # Errors
    /// What the operating system says.
    fn truncate(&self, file: &str, length: u64) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As [`Storage::length`].
    fn remove(&self, file: &str) -> io::Result<()>;

    /// Gives a file another name; a file that had it is replaced, in one step.
    ///
    /// # Errors
    /// As [`Storage::length`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes the names of files durable.
    ///
    /// # Errors
    /// What the operating system says.
    fn sync_folder(&self) -> io::Result<()>;

    /// Whether a file is not in the folder but in an archive, where reading takes longer and may fail.
    fn is_away(&self, _file: &str) -> bool {
        false
    }

    /// Finds out whether a file that is away can be read now, without reading much of it.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn probe(&self, _file: &str) -> io::Result<()> {
        Ok(())
    }
}
