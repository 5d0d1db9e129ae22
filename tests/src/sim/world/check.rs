//! What must hold after a start, and at the end.

use super::{Held, World, diverged};
use crate::sim::report::Verdict;
use probata_ledger::{LedgerError, LedgerReader};
use probata_types::{Height, SubmissionId, Timestamp};

impl World<'_> {
    /// What a node sealed before it stopped it has afterwards. It may have one block more, that was on its
    /// disk before anybody was told.
    pub(super) fn check_restored(&mut self, at: usize) -> Held {
        let Some(chain) = &self.nodes[at].machine.chain else { return Ok(()) };
        let reader = chain.reader();
        let head = reader.head();
        self.trace.say(self.now, format_args!("node {at} starts at height {}", head.height));
        if !self.is_correct(at) {
            return Ok(());
        }
        let before = self.history.height_of(at);
        if head.height < before {
            return diverged(format!(
                "node {at} has lost blocks: it had {before}, now {}",
                head.height
            ));
        }
        let mut height = before;
        while height < head.height {
            height = height.next();
            let block = readable(at, reader.block(height))?;
            let Some(block) = block else {
                return diverged(format!("node {at} has no block {height} below its head"));
            };
            self.history.sealed(at, &block, self.gate.set_at(height))?;
        }
        if head.height > Height::ZERO && self.history.hash(head.height) != Some(head.hash) {
            return diverged(format!("node {at} starts with another block at height {height}"));
        }
        self.check_acknowledged(at, &reader, head.height)
    }

    /// What was acknowledged at a height that the node has, it has there.
    fn check_acknowledged(&self, at: usize, reader: &LedgerReader, height: Height) -> Held {
        for (id, sealed) in self.clients.acknowledged() {
            if *sealed > height {
                continue;
            }
            let place = readable(at, reader.submission(id))?.map(|place| place.height);
            if place != Some(*sealed) {
                return diverged(format!(
                    "submission {id} was acknowledged at height {sealed}; node {at} has it at {place:?}"
                ));
            }
        }
        Ok(())
    }

    /// Whether a height at which something was acknowledged holds it. A node may acknowledge, and stop
    /// before it says that it sealed the block; then this is seen at its next start.
    pub(super) fn check_acknowledgement(&self, id: &SubmissionId, height: Height) -> Held {
        if self.history.hash(height).is_some() && !self.history.holds(height, id) {
            return diverged(format!(
                "submission {id} was acknowledged at height {height}, whose block does not hold it"
            ));
        }
        Ok(())
    }

    /// A block that is sealed is not from the future: some correct validator with a right clock voted for it
    /// (P5). Clocks differ by the precision, and drift a little.
    pub(super) fn check_time(&self, time: Timestamp) -> Held {
        let parameters = &self.plan.parameters;
        let bound = 2 * parameters.precision.get() + parameters.message_delay.get();
        let ahead = time.since(self.wall());
        if ahead > bound && !self.plan.wild_clocks {
            return diverged(format!(
                "a block is sealed whose time is {ahead} ms ahead of the truth"
            ));
        }
        Ok(())
    }

    /// Everything again at the end, block by block, from what the nodes read to others.
    pub(super) fn audit(&mut self) -> Held {
        let correct: Vec<usize> = self.correct().collect();
        for at in correct {
            let Some(chain) = &self.nodes[at].machine.chain else {
                return diverged(format!("node {at} is not up at the end"));
            };
            if let Some(reason) = chain.status().halted {
                return diverged(format!("node {at} halted: {reason}"));
            }
            let (reader, mut height) = (chain.reader(), Height::ZERO);
            while height < self.history.height_of(at) {
                height = height.next();
                let sealed = readable(at, reader.sealed_header(height))?;
                let hash = sealed.map(|(header, _)| header.hash());
                if hash.is_none() || hash != self.history.hash(height) {
                    return diverged(format!("node {at} shows another block at height {height}"));
                }
            }
            self.check_acknowledged(at, &reader, height)?;
        }
        self.counts.add("submissions acknowledged", self.clients.acknowledged().len() as u64);
        self.counts.add("submissions expired", self.clients.expired);
        Ok(())
    }
}

fn readable<T>(at: usize, result: Result<T, LedgerError>) -> Held<T> {
    result.map_err(|error| Verdict::Diverged(format!("node {at} cannot read its ledger: {error}")))
}
