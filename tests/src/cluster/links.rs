//! Links that take time, clocks that are off, nodes that leave somebody out.

use super::{Carried, Cluster};
use probata_types::{InstitutionId, Millis, Now};
use std::collections::{BTreeMap, BTreeSet};

/// What links do beside being cut.
#[derive(Default)]
pub(super) struct Links {
    delays: BTreeMap<(usize, usize), Millis>,
    /// What is under way on links that take time, by when it arrives and then by when it was sent.
    late: BTreeMap<(Millis, u64), Carried>,
    sent: u64,
    censors: BTreeSet<(usize, InstitutionId)>,
}

impl Cluster {
    /// From here on everything from the one to the other takes so long.
    pub fn delay(&mut self, from: usize, to: usize, time: Millis) {
        self.links.delays.insert((from, to), time);
    }

    /// The same between all nodes.
    pub fn delay_all(&mut self, time: Millis) {
        for from in 0..=self.validators() {
            (0..=self.validators()).for_each(|to| self.delay(from, to, time));
        }
    }

    /// The same for everything that comes from a node or goes to it.
    pub fn delay_node(&mut self, node: usize, time: Millis) {
        for other in 0..=self.validators() {
            self.delay(node, other, time);
            self.delay(other, node, time);
        }
    }

    /// Sets a node's wall clock off by so many milliseconds.
    pub fn set_clock(&mut self, node: usize, off_ms: i64) {
        self.clocks.insert(node, off_ms);
    }

    /// From here on a node takes no submission of that institution that others hand on.
    pub fn censor(&mut self, node: usize, institution: InstitutionId) {
        self.links.censors.insert((node, institution));
    }
}

impl Links {
    /// Keeps what is sent on a link that takes time; gives back what arrives at once.
    pub(super) fn take(
        &mut self,
        link: (usize, usize),
        now: Millis,
        carried: Carried,
    ) -> Option<Carried> {
        let Some(delay) = self.delays.get(&link).filter(|delay| **delay > Millis::ZERO) else {
            return Some(carried);
        };
        self.sent += 1;
        self.late.insert((now.saturating_add(delay.get()), self.sent), carried);
        None
    }

    /// When the next thing arrives.
    pub(super) fn due(&self) -> Option<Millis> {
        self.late.first_key_value().map(|((at, _), _)| *at)
    }

    /// What has arrived by now, in order.
    pub(super) fn arrived(&mut self, now: Millis) -> Vec<Carried> {
        let mut arrived = Vec::new();
        while let Some(first) = self.late.first_entry().filter(|first| first.key().0 <= now) {
            arrived.push(first.remove());
        }
        arrived
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Carried) -> bool) {
        self.late.retain(|_, carried| keep(carried));
    }

    pub(super) fn censors(&self, node: usize, institution: &InstitutionId) -> bool {
        self.censors.contains(&(node, *institution))
    }
}

/// The time on a node's clocks.
pub(super) fn now_at(clocks: &BTreeMap<usize, i64>, at: usize, now: Now) -> Now {
    let off = clocks.get(&at).copied().unwrap_or_default();
    let milliseconds = now.wall.get().saturating_add_signed(off);
    Now { wall: probata_types::Timestamp::new(milliseconds), ..now }
}
