//! Nodes that start, run, stop and lose power.

use super::{Happening, Held, World, diverged};
use crate::sim::{
    panics::caught,
    plan::{Left, Trouble},
    report::Verdict,
};
use probata_node::chain::{Chain, ChainError, Effect};
use probata_types::{Millis, Now};
use std::sync::Arc;

impl World<'_> {
    /// Lets a node do something, and obeys what comes of it.
    pub(super) fn call(
        &mut self,
        at: usize,
        act: impl FnOnce(&mut Chain, Now) -> Result<Vec<Effect>, ChainError>,
    ) -> Held {
        let node = &mut self.nodes[at];
        let now = node.clock.now(self.now);
        let Some(chain) = &mut node.machine.chain else { return Ok(()) };
        let result = caught(|| act(chain, now));
        self.note_answers(at)?;
        match result {
            Ok(Ok(effects)) => self.went_on(at, effects),
            Ok(Err(error)) => self.must_stop(at, &error),
            Err(words) => Err(Verdict::Panicked(format!("node {at}: {words}"))),
        }
    }

    pub(super) fn tick(&mut self, at: usize) -> Held {
        self.call(at, Chain::tick)
    }

    fn went_on(&mut self, at: usize, effects: Vec<Effect>) -> Held {
        let node = &mut self.nodes[at];
        if let Some(words) = node.machine.disk.broken() {
            return diverged(format!("node {at} went on although {words}"));
        }
        if let Some(chain) = &node.machine.chain {
            node.due = node.clock.reaches(chain.deadline());
        }
        self.obey(at, effects)
    }

    /// A chain says that it must stop: right if its disk failed, and wrong for any other reason.
    fn must_stop(&mut self, at: usize, error: &ChainError) -> Held {
        let Some(words) = self.nodes[at].machine.disk.broken() else {
            return diverged(format!("node {at} stops for no reason that its disk gave: {error}"));
        };
        self.trace.say(self.now, format_args!("node {at} crashes: {words}"));
        self.counts.one("disk failures");
        if words.contains("torn") {
            self.counts.one("torn writes");
        }
        let (left, down) = self.nodes[at].when_broken.take().unwrap_or(DEFAULT);
        self.lose_power(at, left)?;
        self.later(down.get(), Happening::Start(at));
        Ok(())
    }

    /// Starts a node from what its disk holds.
    pub(super) fn start(&mut self, at: usize) -> Held {
        let genesis = Arc::clone(self.gate.genesis());
        let node = &mut self.nodes[at];
        node.clock.started = self.now;
        node.frozen_until = Millis::ZERO;
        let now = node.clock.now(self.now);
        match caught(|| node.machine.open(&genesis, now)) {
            Ok(Ok(effects)) => {
                self.counts.one("starts");
                self.check_restored(at)?;
                self.went_on(at, effects)
            }
            Ok(Err(error)) if self.nodes[at].machine.disk.broken().is_some() => {
                self.counts.one("starts broken off");
                self.must_stop(at, &error)
            }
            Ok(Err(error)) => {
                Err(Verdict::NoProgress(format!("node {at} does not start again: {error}")))
            }
            Err(words) => Err(Verdict::Panicked(format!("node {at}, starting: {words}"))),
        }
    }

    /// The power goes, whatever the node is doing.
    pub(super) fn crash(&mut self, at: usize, left: Left, down: Millis) -> Held {
        if self.is_up(at) {
            self.counts.one("power cuts");
            self.lose_power(at, left)?;
            self.later(down.get(), Happening::Start(at));
        }
        Ok(())
    }

    fn lose_power(&mut self, at: usize, left: Left) -> Held {
        let node = &mut self.nodes[at];
        node.machine.chain = None;
        node.fetches.clear();
        node.when_broken = None;
        let disk = &node.machine.disk;
        disk.crash_leaving(left.survives, &mut self.random);
        let store = match left.derived {
            Some(stays) => {
                let after = node.machine.store.after_crash(stays, &mut self.random);
                after.map_err(|error| Verdict::Diverged(error.to_string()))?
            }
            None => {
                self.counts.one("derived stores lost");
                Default::default()
            }
        };
        node.machine.store = Arc::new(store);
        self.note_answers(at)
    }

    /// Stops a node in an orderly way, unless its disk fails on that.
    pub(super) fn stop(&mut self, at: usize, down: Millis) -> Held {
        let Some(chain) = self.nodes[at].machine.chain.take() else { return Ok(()) };
        match caught(|| chain.close()) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return self.must_stop(at, &error),
            Err(words) => {
                return Err(Verdict::Panicked(format!("node {at}, stopping: {words}")));
            }
        }
        self.counts.one("orderly stops");
        self.nodes[at].machine.disk.repair();
        self.lose_power(at, DEFAULT.0)?;
        self.later(down.get(), Happening::Start(at));
        Ok(())
    }

    pub(super) fn tell_trouble(&mut self, number: usize, trouble: &Trouble) {
        self.trace.say(self.now, format_args!("[{number}] {trouble}"));
    }
}

/// All that was written is there; the process comes back soon.
const DEFAULT: (Left, Millis) =
    (Left { survives: crate::disk::Survives::Everything, derived: Some(1_000) }, Millis::new(300));
