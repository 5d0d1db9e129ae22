//! The spool: signed submissions on the local disk from before they are sent until their receipt is
//! verified. A crash at any moment loses none of them, and sending one again never records it
//! twice, because its bytes, and so its idempotency key, are the same.

use super::limits;
use probata_types::{
    Hash, Submission, SubmissionId, codec,
    limits::{RECORDS_PER_SUBMISSION, SUBMISSION_BYTES},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

/// Bytes of a spooled file: the records, and at most 1 KiB of frame for each and for the head.
const FILE_BYTES: usize = SUBMISSION_BYTES + (RECORDS_PER_SUBMISSION + 1) * 1_024;

const WAITING: &str = "submission";
const REFUSED: &str = "refused";

/// The spool folder failed.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The disk.
    #[error("spool {path}: {error}")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file that is not what this spool wrote.
    #[error("spool {path}: not a submission for this chain: {why}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Too many submissions wait.
    #[error("spool {path}: {max} submissions already wait; see why none gets through")]
    Full {
        /// The folder.
        path: PathBuf,
        /// How many may wait.
        max: usize,
    },
}

/// A folder of submissions that have no verified receipt yet.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// Opens the folder, making it if need be.
    ///
    /// # Errors
    /// [`SpoolError::Io`].
    pub fn open(folder: &Path) -> Result<Self, SpoolError> {
        fs::create_dir_all(folder).map_err(|error| io_error(folder, error))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Keeps a submission. When this returns it is on disk, and it may be sent.
    ///
    /// # Errors
    /// [`SpoolError::Full`] or [`SpoolError::Io`]; the submission must then not be sent.
    pub fn keep(&self, submission: &Submission) -> Result<(), SpoolError> {
        let path = self.path(&submission.id(), WAITING);
        if path.exists() {
            return Ok(());
        }
        if self.paths()?.len() >= limits::SPOOLED {
            return Err(SpoolError::Full { path: self.folder.clone(), max: limits::SPOOLED });
        }
        write_durably(&path, &codec::encode(submission), Readers::Owner)
            .map_err(|error| io_error(&path, error))
    }

    /// Forgets a submission whose receipt was verified.
    ///
    /// # Errors
    /// [`SpoolError::Io`]; the submission is then sent once more by the next `resume`, which is
    /// harmless.
    pub fn forget(&self, id: &SubmissionId) -> Result<(), SpoolError> {
        let path = self.path(id, WAITING);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(&path, error)),
            _ => Ok(()),
        }
    }

    /// Sets aside a submission that every node refused for good, as `ID.refused`, so that it is
    /// neither sent again nor lost.
    ///
    /// # Errors
    /// [`SpoolError::Io`].
    pub fn set_aside(&self, id: &SubmissionId) -> Result<(), SpoolError> {
        let path = self.path(id, WAITING);
        fs::rename(&path, self.path(id, REFUSED)).map_err(|error| io_error(&path, error))
    }

    /// The submissions that wait, oldest first, each checked for `chain`.
    ///
    /// # Errors
    /// [`SpoolError::Io`], or [`SpoolError::Foreign`] for the first file that is not a sound
    /// submission.
    pub fn waiting(&self, chain: &Hash) -> Result<Vec<Submission>, SpoolError> {
        let mut waiting = Vec::new();
        for path in self.paths()? {
            let foreign = |why: String| SpoolError::Foreign { path: path.clone(), why };
            let bytes = read(&path).map_err(|error| io_error(&path, error))?;
            let submission: Submission =
                codec::decode(&bytes, FILE_BYTES).map_err(|error| foreign(error.to_string()))?;
            let checked = submission.verify(chain).map_err(|error| foreign(error.to_string()))?;
            waiting.push(checked.into_inner());
        }
        waiting.sort_by_key(|submission| (submission.head.submitted_at, submission.id()));
        Ok(waiting)
    }

    fn path(&self, id: &SubmissionId, extension: &str) -> PathBuf {
        self.folder.join(format!("{id}.{extension}"))
    }

    fn paths(&self) -> Result<Vec<PathBuf>, SpoolError> {
        let entries = fs::read_dir(&self.folder).map_err(|error| io_error(&self.folder, error))?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| io_error(&self.folder, error))?.path();
            if path.extension().is_some_and(|extension| extension == WAITING) {
                paths.push(path);
            }
        }
        Ok(paths)
    }
}

/// Who may read a file, as a Unix mode.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Readers {
    /// Its owner: it holds secrets.
    Owner = 0o600,
    /// Everybody on this machine: it is made to be shown.
    All = 0o644,
}

/// Writes a file whole or not at all: a neighbour is written, synced and renamed, then the folder
/// is synced, because a rename is durable only with its folder.
pub(crate) fn write_durably(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let mut neighbour = path.as_os_str().to_owned();
    neighbour.push(".part");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, readers as u32);
    let mut file = options.open(&neighbour)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&neighbour, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Reads at most one byte more than a submission may have, so that decoding refuses what is larger.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn io_error(path: &Path, error: io::Error) -> SpoolError {
    SpoolError::Io { path: path.to_owned(), error }
}
