//! The node processes of a devnet.

use super::{DevnetError, ceremony::DevnetNode};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::process::{Child, Command};

/// How long a node may take to stop by itself before it is killed.
const STOP_TIME: Duration = Duration::from_secs(10);

/// A running node. Killed when dropped.
pub struct NodeProcess {
    child: Child,
    log: PathBuf,
    name: String,
}

impl NodeProcess {
    /// Starts a node's process from a `probata-node` program; its log goes to `node.log` in its folder.
    pub fn start(program: &Path, node: &DevnetNode) -> Result<Self, DevnetError> {
        let log = node.folder.join("node.log");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(DevnetError::at(&log))?;
        let child = Command::new(program)
            .args(["run", "--stop-with-stdin", "--config"])
            .arg(node.folder.join("node.toml"))
            // Ends when this process does, in whatever way: no node is ever left behind.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::from(file))
            // Ctrl-C reaches only the devnet, which then stops its nodes in an orderly way.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(DevnetError::at(&log))?;
        Ok(Self { child, log, name: node.name.clone() })
    }

    /// Its process id; `None` once it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// An error if the process has ended.
    pub fn check(&mut self) -> Result<(), DevnetError> {
        match self.ended() {
            None => Ok(()),
            Some(status) => {
                let (name, log) = (self.name.clone(), self.log.clone());
                Err(DevnetError::Ended { name, status, log })
            }
        }
    }

    /// How the process ended; `None` while it runs.
    pub fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Asks the process to stop.
    pub fn ask_to_stop(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Sends the process a signal, such as SIGKILL, SIGSTOP or SIGCONT.
    pub fn signal(&self, signal: Signal) {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // It may have ended just now.
            let _ = kill(Pid::from_raw(id), signal);
        }
    }

    /// Waits for the process to end, and kills it if it does not; how it ended. It is not asked to: one
    /// that fails as it starts must be able to say why.
    ///
    /// # Errors
    /// [`DevnetError::File`] if the system cannot tell.
    pub async fn end(mut self) -> Result<ExitStatus, DevnetError> {
        // `wait` would close it, which asks the node to stop.
        let _stdin = self.child.stdin.take();
        if tokio::time::timeout(STOP_TIME, self.child.wait()).await.is_err() {
            // It may have ended just now.
            let _ = self.child.kill().await;
        }
        self.child.wait().await.map_err(DevnetError::at(&self.log))
    }
}
