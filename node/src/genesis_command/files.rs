//! Files of the ceremony: read within a bound, and written once.

use super::CommandError;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner only.
    Owner,
    /// Everybody.
    All,
}

/// Reads a file of at most `max` bytes, or the first `max` + 1 of a longer one, which its parser
/// refuses.
pub(super) fn read(path: &Path, max: usize) -> Result<zeroize::Zeroizing<Vec<u8>>, CommandError> {
    let failed = |source| CommandError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // Room for all of it at once: a buffer that grows would leave copies of a secret behind.
    let length = file.metadata().map_err(failed)?.len().min(max as u64 + 1);
    let room = usize::try_from(length).unwrap_or(max) + 1;
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(room));
    file.take(max as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Makes a folder that only its owner may enter, if it is not there.
pub(super) fn create_folder(path: &Path) -> Result<(), CommandError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| CommandError::Write { path: path.to_owned(), source })
}

/// Refuses a file that is there already.
pub(super) fn refuse_existing(path: &Path) -> Result<(), CommandError> {
    // A link to nowhere exists, too.
    match fs::symlink_metadata(path) {
        Ok(_) => Err(CommandError::Exists(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(CommandError::Write { path: path.to_owned(), source }),
    }
}

/// Writes a new file and brings it to the disk. A file that is there is never touched; one that
/// could not be written whole is removed.
pub(super) fn create(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), CommandError> {
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::All => 0o644,
    };
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = opened.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => CommandError::Exists(path.to_owned()),
        _ => CommandError::Write { path: path.to_owned(), source },
    })?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| {
        // The name of the file is in its folder: that must reach the disk as well.
        match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => File::open(".")?.sync_all(),
        }
    });
    written.map_err(|source| {
        // Half a file would be in the way of the next attempt; if it stays, that one says so.
        let _ = fs::remove_file(path);
        CommandError::Write { path: path.to_owned(), source }
    })
}
