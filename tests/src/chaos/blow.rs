//! Striking a node, and healing it again.

use super::{
    fleet::Fleet,
    links::Cut,
    plan::{Harm, Knife, Sides},
};
use crate::trouble::{Trouble, ensure};
use nix::sys::signal::Signal;
use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::PathBuf,
    time::{Duration, Instant},
};

/// The file that fills a disk, and the pieces in which it grows, in bytes.
const BALLAST: &str = "data/ballast";
const PIECES: [usize; 2] = [1_024 * 1_024, 4_096];
/// How long a node may take to answer after it was started again or its disk was freed, before it counts as
/// lost: much longer than it needs.
const LONG: Duration = Duration::from_secs(60);
/// Pause between two looks at such a node.
const PAUSE: Duration = Duration::from_millis(250);

impl Fleet {
    /// Does harm to a node.
    ///
    /// # Errors
    /// [`Trouble`] if the system refuses, or the node does not stop in order when it is asked to.
    pub(super) async fn strike(&mut self, node: usize, harm: Harm) -> Result<(), Trouble> {
        match harm {
            Harm::Kill => self.network.kill(&[node]).await?,
            Harm::Stop => self.network.stop(node).await?,
            Harm::Pause => self.network.signal(node, Signal::SIGSTOP),
            Harm::Isolate(Knife::Link, Sides::Both) => self.ground.set_link(node, false)?,
            Harm::Isolate(knife, sides) => self.isolate(node, knife, sides),
            Harm::Fill => self.fill(node)?,
            Harm::Clock(off) => self.set_clock(node, off)?,
        }
        Ok(())
    }

    /// Ends the harm. Whether the node had to be started again.
    ///
    /// # Errors
    /// [`Trouble`] if the system refuses.
    pub(super) async fn heal(&mut self, node: usize, harm: Harm) -> Result<bool, Trouble> {
        match harm {
            Harm::Kill | Harm::Stop => self.start(node)?,
            Harm::Pause => self.network.signal(node, Signal::SIGCONT),
            Harm::Isolate(Knife::Link, Sides::Both) => self.ground.set_link(node, true)?,
            Harm::Isolate(..) => {
                self.links.change(|from, to| from == node || to == node, |way| way.cut = Cut::Open);
            }
            Harm::Fill => return self.free(node).await,
            Harm::Clock(_) => self.set_clock(node, 0)?,
        }
        Ok(matches!(harm, Harm::Kill | Harm::Stop))
    }

    fn isolate(&self, node: usize, knife: Knife, sides: Sides) {
        let cut = if knife == Knife::Refusal { Cut::Refused } else { Cut::Silent };
        let (hears, speaks) = (sides == Sides::Mute, sides == Sides::Deaf);
        let chosen = |from, to| (from == node && !speaks) || (to == node && !hears);
        self.links.change(chosen, |way| way.cut = cut);
    }

    fn ballast(&self, node: usize) -> PathBuf {
        self.network.path(node, BALLAST)
    }

    /// Writes until nothing more fits, not even a page.
    fn fill(&self, node: usize) -> Result<(), Trouble> {
        let mut ballast = File::create(self.ballast(node))?;
        for piece in PIECES {
            let piece = vec![0; piece];
            let full = loop {
                if let Err(error) = ballast.write_all(&piece) {
                    break error;
                }
            };
            if full.kind() != ErrorKind::StorageFull {
                return Err(full.into());
            }
        }
        Ok(())
    }

    /// Frees the disk. The node has either stopped by itself, and is started again, or goes on.
    async fn free(&mut self, node: usize) -> Result<bool, Trouble> {
        fs::remove_file(self.ballast(node))?;
        let (start, mut answered) = (Instant::now(), 0);
        // One that is on its way to its end may answer once more, and then no longer.
        while answered < 2 {
            if let Some(how) = self.network.ended(node) {
                ensure(how.contains("exit status: 1"), || {
                    format!("node {node} found its disk full and ended with {how}, not in order")
                })?;
                self.start(node)?;
                return Ok(true);
            }
            ensure(start.elapsed() < LONG, || format!("node {node} neither ends nor answers"))?;
            answered = if self.network.status(node).await.is_ok() { answered + 1 } else { 0 };
            tokio::time::sleep(PAUSE).await;
        }
        Ok(false)
    }
}
