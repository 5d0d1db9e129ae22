//! The folder of a run, and what earlier runs that were killed have left.
//!
//! In namespaces nothing but folders can be left. On loopback a node that was standing still (SIGSTOP) when
//! its program was killed stays too: each run notes the processes that it starts.

use crate::trouble::Trouble;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

/// How the folders of runs are named, in the folder for temporary files.
const NAME: &str = "probata-chaos-";
/// The file that a run holds locked for as long as it lives.
const LOCK: &str = "lock";
/// The file that lists its node processes.
const PROCESSES: &str = "processes";

/// A run's folder. Deleted when dropped, unless it is to be kept.
pub(super) struct Folder {
    path: PathBuf,
    kept: bool,
    _lock: File,
}

impl Folder {
    /// Clears up after earlier runs that were killed, and makes a folder for this one.
    ///
    /// # Errors
    /// [`Trouble`] if the system refuses.
    pub(super) fn make() -> Result<Self, Trouble> {
        clear_up(&std::env::temp_dir());
        let path = tempfile::Builder::new().prefix(NAME).tempdir()?.keep();
        let lock = File::create(path.join(LOCK))?;
        lock.lock()?;
        Ok(Self { path, kept: false, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder to be looked at, under a name that no later run clears up.
    ///
    /// # Errors
    /// [`Trouble`] if the system refuses.
    pub(super) fn keep(mut self) -> Result<PathBuf, Trouble> {
        self.kept = true;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let path = self.path.with_file_name(name.replace(NAME, "probata-kept-"));
        fs::rename(&self.path, &path)?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be deleted now is deleted by the next run.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Notes a node process, so that the next run finds it if this one is killed.
///
/// # Errors
/// [`Trouble`] if the file cannot be written.
pub(super) fn note(folder: &Path, process: u32) -> Result<(), Trouble> {
    let path = folder.join(PROCESSES);
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    Ok(writeln!(file, "{process}")?)
}

fn clear_up(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for folder in entries.flatten().map(|entry| entry.path()) {
        let named = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(NAME));
        let lock = File::open(folder.join(LOCK));
        if named && lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            end_processes(&folder);
            // Somebody else's, or gone already: no reason not to run.
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// Ends what a killed run has left: processes that it noted and that still name its folder.
fn end_processes(folder: &Path) {
    let noted = fs::read_to_string(folder.join(PROCESSES)).unwrap_or_default();
    let ours = folder.to_string_lossy().into_owned();
    for process in noted.lines().filter_map(|line| line.parse::<i32>().ok()) {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(&ours) {
            // It may have ended just now.
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_cleared_up_and_what_runs_is_not() {
        let place = tempfile::tempdir().unwrap();
        let (left, runs) =
            (place.path().join("probata-chaos-1"), place.path().join("probata-chaos-2"));
        for folder in [&left, &runs] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join(LOCK), "").unwrap();
        }
        let lock = File::open(runs.join(LOCK)).unwrap();
        lock.lock().unwrap();
        let sleeper = |folder: &Path| {
            let line = "while true; do sleep 1; done";
            let mut command = std::process::Command::new("sh");
            let child = command.args(["-c", line]).arg(folder.join("node.toml")).spawn().unwrap();
            // Started is sooner than named: the kernel writes a new program's arguments a moment later.
            let arguments = format!("/proc/{}/cmdline", child.id());
            while fs::read(&arguments).unwrap().is_empty() {
                std::thread::yield_now();
            }
            child
        };
        let (mut of_left, mut of_runs) = (sleeper(&left), sleeper(&runs));
        note(&left, of_left.id()).unwrap();
        note(&left, of_runs.id()).unwrap();
        clear_up(place.path());
        assert!(!left.exists() && runs.exists());
        assert!(!of_left.wait().unwrap().success());
        assert!(of_runs.try_wait().unwrap().is_none(), "it is not of the run that was killed");
        of_runs.kill().unwrap();
        of_runs.wait().unwrap();
    }
}
