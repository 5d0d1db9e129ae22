//! A disk that forgets what was not synced, and breaks when it is told to.

mod files;

use crate::seed::Seeded;
use files::Files;
use probata_ledger::Storage;
use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Files in memory, of which a crash leaves what was synced: bytes by `sync`, names by `sync_folder`.
///
/// A planned [`Break`] makes one operation fail, and all after it, until [`ForgetfulDisk::crash`] or
/// [`ForgetfulDisk::crash_leaving`]: whoever used the disk is then gone.
#[derive(Debug, Default)]
pub struct ForgetfulDisk {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: Files,
    planned: Option<Break>,
    /// What broke, in words; everything fails from then on.
    broken: Option<String>,
}

/// A failure to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// How many operations that change something succeed before.
    pub after: u32,
    /// What becomes of the one that fails.
    pub fate: Fate,
}

/// What becomes of an operation that is reported as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing of it is done.
    Lost,
    /// Of a write or a sync this part is done, in shares of 65,536; anything else is lost.
    Torn(u16),
    /// All of it is done all the same.
    Kept,
}

/// What a crash leaves of that which was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survives {
    /// Nothing.
    Nothing,
    /// Of each file some of its unsynced bytes, perhaps as zeros; of the changes of names the first few.
    Some,
    /// Everything: the process is gone, the machine is not.
    Everything,
}

/// Bytes of a file as a crash would leave them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SyncedPart {
    /// Which file stands under the name: another number after it was replaced.
    pub(crate) file: usize,
    /// Its synced bytes from the position asked for; from 0 if it is another file.
    pub(crate) bytes: Vec<u8>,
}

impl ForgetfulDisk {
    /// Plans a failure, in place of one that was planned before.
    pub fn break_later(&self, planned: Break) {
        self.lock().planned = Some(planned);
    }

    /// No failure is planned any more.
    pub fn repair(&self) {
        self.lock().planned = None;
    }

    /// What broke since the last crash, in words.
    pub fn broken(&self) -> Option<String> {
        self.lock().broken.clone()
    }

    /// What the machine finds after it lost its power: what was synced and no more.
    pub fn crash(&self) {
        let mut state = self.lock();
        (state.planned, state.broken) = (None, None);
        state.files.crash();
    }

    /// What a machine may find after a crash.
    pub fn crash_leaving(&self, survives: Survives, random: &mut Seeded) {
        match survives {
            Survives::Nothing => return self.crash(),
            Survives::Some => self.lock().files.sync_some(random),
            Survives::Everything => self.lock().files.sync_all(),
        }
        self.crash();
    }

    /// Deletes a file for good.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`].
    pub fn lose(&self, file: &str) -> io::Result<()> {
        self.remove(file)?;
        self.sync_folder()
    }

    /// What a crash would leave of a file, from a position on if it is still the file known by that
    /// number. `None` if the name would not be there.
    pub(crate) fn synced(&self, name: &str, known: (usize, usize)) -> Option<SyncedPart> {
        self.lock().files.synced(name, known)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether an operation succeeds; if not, its fate, unless the disk was broken before.
    fn meets(&mut self, what: impl FnOnce(Fate) -> String) -> Result<(), Option<Fate>> {
        if self.broken.is_some() {
            return Err(None);
        }
        match &mut self.planned {
            None => Ok(()),
            Some(Break { after, .. }) if *after > 0 => {
                *after -= 1;
                Ok(())
            }
            Some(Break { fate, .. }) => {
                let fate = *fate;
                self.planned = None;
                self.broken = Some(what(fate));
                Err(Some(fate))
            }
        }
    }

    /// An operation that is done as a whole or not at all.
    fn whole(
        &mut self,
        what: String,
        act: impl FnOnce(&mut Files) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.meets(|fate| match fate {
            Fate::Kept => format!("{what} is done, though reported as failed"),
            Fate::Lost | Fate::Torn(_) => format!("{what} is lost"),
        }) {
            Ok(()) => act(&mut self.files),
            Err(Some(Fate::Kept)) => act(&mut self.files).and(Err(failed())),
            Err(_) => Err(failed()),
        }
    }
}

fn failed() -> io::Error {
    io::Error::other("the disk failed")
}

/// The part of a length that a fate leaves.
fn part(fate: Fate, length: usize) -> usize {
    match fate {
        Fate::Lost => 0,
        Fate::Torn(share) => length * usize::from(share) / 65_536,
        Fate::Kept => length,
    }
}

impl Storage for ForgetfulDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().files.list())
    }

    fn length(&self, file: &str) -> io::Result<u64> {
        self.lock().files.length(file)
    }

    fn read(&self, file: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.lock().files.read(file, offset, length)
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let (mut state, length) = (self.lock(), bytes.len());
        let met = state.meets(|fate| {
            let what = format!("its write of {length} bytes to {file}");
            match fate {
                Fate::Lost => format!("{what} is lost"),
                Fate::Torn(_) => format!("{what} is torn at byte {}", part(fate, length)),
                Fate::Kept => format!("{what} is kept, though reported as failed"),
            }
        });
        match met {
            Ok(()) => state.files.append(file, bytes),
            Err(Some(fate)) => {
                state.files.append(file, &bytes[..part(fate, length)])?;
                Err(failed())
            }
            Err(None) => Err(failed()),
        }
    }

    fn sync(&self, file: &str) -> io::Result<()> {
        let mut state = self.lock();
        let unsynced = state.files.unsynced(file)?;
        let met = state.meets(|fate| {
            let kept = part(fate, unsynced);
            format!("its sync of {file} fails: {kept} of {unsynced} bytes are on disk")
        });
        match met {
            Ok(()) => state.files.sync(file, unsynced),
            Err(Some(fate)) => {
                state.files.sync(file, part(fate, unsynced))?;
                Err(failed())
            }
            Err(None) => Err(failed()),
        }
    }

    fn truncate(&self, file: &str, length: u64) -> io::Result<()> {
        let what = format!("its cut of {file} to {length} bytes");
        self.lock().whole(what, |files| files.truncate(file, length))
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        self.lock().whole(format!("its removal of {file}"), |files| files.remove(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let what = format!("its renaming of {from} to {to}");
        self.lock().whole(what, |files| files.rename(from, to))
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.lock().whole("its sync of the folder".to_owned(), |files| {
            files.sync_names();
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
