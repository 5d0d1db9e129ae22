//! What the way from one node to another does at the moment.

use std::{collections::BTreeMap, time::Duration};
use tokio::sync::watch;

/// Whether anything gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Cut {
    /// It does.
    #[default]
    Open,
    /// Nothing does, and nobody is told: as when packets are dropped.
    Silent,
    /// Connections break and new ones are refused: as behind a firewall that answers.
    Refused,
}

/// One direction between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Way {
    pub(super) cut: Cut,
    /// What every byte takes.
    pub(super) delay: Duration,
    /// Up to so much more.
    pub(super) jitter: Duration,
    /// Of a thousand chunks so many are lost on the way: TCP sends them again, late.
    pub(super) loss: u16,
}

/// All ways between the nodes of a network.
#[derive(Debug)]
pub(super) struct Links {
    ways: BTreeMap<(usize, usize), watch::Sender<Way>>,
}

impl Links {
    /// Open ways without delay.
    pub(super) fn new(nodes: usize) -> Self {
        let pairs = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
        let ways = pairs.filter(|(from, to)| from != to);
        Self { ways: ways.map(|pair| (pair, watch::Sender::new(Way::default()))).collect() }
    }

    /// What a way does, now and later.
    ///
    /// # Panics
    /// If there is no such way.
    pub(super) fn watch(&self, from: usize, to: usize) -> watch::Receiver<Way> {
        self.ways[&(from, to)].subscribe()
    }

    /// Changes all ways that are chosen by their ends.
    pub(super) fn change(&self, chosen: impl Fn(usize, usize) -> bool, change: impl Fn(&mut Way)) {
        for ((from, to), way) in &self.ways {
            if chosen(*from, *to) {
                way.send_modify(&change);
            }
        }
    }

    /// Everything comes through again, at once.
    pub(super) fn heal(&self) {
        self.change(|_, _| true, |way| *way = Way::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_reaches_the_chosen_ways_only() {
        let links = Links::new(3);
        let (there, back) = (links.watch(0, 1), links.watch(1, 0));
        links.change(|from, _| from == 0, |way| way.cut = Cut::Silent);
        assert_eq!((there.borrow().cut, back.borrow().cut), (Cut::Silent, Cut::Open));
        links.heal();
        assert_eq!(*there.borrow(), Way::default());
    }
}
