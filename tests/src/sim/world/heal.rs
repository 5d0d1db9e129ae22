//! The end of the bad time, and what must follow.

use super::{Held, World};
use crate::sim::{
    clock::{self, Clock},
    report::Verdict,
};
use probata_types::{Height, Millis};

/// Heights that must be sealed after everything is healed.
const MORE_HEIGHTS: u64 = 3;

impl World<'_> {
    /// Everything works again, and everybody starts; liars stay liars, and clocks that count as faulty off.
    pub(super) fn heal(&mut self) -> Held {
        self.trace.say(self.now, format_args!("everything is healed"));
        self.links.heal();
        self.witness = None;
        self.queue.retain(|_, it| !it.ends_with_the_bad_time());
        let half = self.plan.parameters.precision.get() / 2;
        for at in 0..self.nodes.len() {
            let node = &mut self.nodes[at];
            node.machine.disk.repair();
            node.when_broken = None;
            node.frozen_until = Millis::ZERO;
            if !self.plan.off.contains(&at) && node.clock != Clock::RIGHT {
                let ahead = clock::signed(self.random.between(0, half)) - clock::signed(half / 2);
                node.clock.set(self.now, ahead);
            }
            if !self.is_up(at) {
                self.start(at)?;
            }
        }
        let open: Vec<_> = self.clients.open().map(|(id, _)| *id).collect();
        for id in open {
            let to = self.sound_node();
            self.offer(id, to)?;
        }
        for _ in 0..MORE_HEIGHTS {
            let to = self.sound_node();
            let client = u16::try_from(self.random.place(self.nodes.len())).unwrap_or_default();
            self.submit(client, to, 1)?;
        }
        Ok(())
    }

    /// Some node that keeps to the protocol and whose clock is right.
    fn sound_node(&mut self) -> usize {
        let sound = self.correct().filter(|node| !self.plan.off.contains(node));
        let sound: Vec<usize> = sound.collect();
        self.random.pick(&sound)
    }

    /// Every correct node gets some heights further, and everything that waits is sealed, in time.
    pub(super) fn progress(&mut self) -> Held {
        let correct: Vec<usize> = self.correct().collect();
        let highest = correct.iter().map(|at| self.history.height_of(*at)).max();
        let goal = highest.unwrap_or_default().saturating_add(MORE_HEIGHTS);
        let (patience, begin) = (self.plan.patience(), self.now);
        let end = begin.saturating_add(patience.get());
        let went_on = self.pass(end, |world| {
            let acknowledged = world.clients.acknowledged().values().max().copied();
            let goal = goal.max(acknowledged.unwrap_or_default());
            let is_off = |at: &usize| world.plan.off.contains(at);
            correct.iter().all(|at| world.history.height_of(*at) >= goal)
                && world.clients.open().next().is_none()
                && correct.iter().all(|at| is_off(at) || world.takes_part(*at))
        })?;
        if went_on {
            self.counts.add("milliseconds until it went on", self.now.since(begin));
            return Ok(());
        }
        Err(Verdict::NoProgress(self.stuck(goal, patience)))
    }

    /// Who is where, and what waits.
    fn stuck(&self, goal: Height, patience: Millis) -> String {
        let mut words = format!("height {goal} was to be reached within {patience} ms;");
        for (at, node) in self.nodes.iter().enumerate() {
            let Some(chain) = &node.machine.chain else {
                words.push_str(&format!(" node {at} is down;"));
                continue;
            };
            let status = chain.status();
            let lies = self.plan.liars.get(&at).map(|lie| format!(" ({lie})")).unwrap_or_default();
            words.push_str(&format!(
                " node {at}{lies}: epoch {}, height {}, view {}{}{};",
                status.membership.epoch.number,
                status.height,
                status.view,
                if status.changing_view { ", leaving it" } else { "" },
                status.halted.map(|why| format!(", halted: {why}")).unwrap_or_default(),
            ));
        }
        for (id, open) in self.clients.open() {
            let at = open.waits_at().map_or("nowhere".to_owned(), |at| format!("at node {at}"));
            let late = self.wall().since(open.submission.head.expires_at);
            words.push_str(&format!(" submission {id} waits {at}, expired for {late} ms;"));
        }
        words
    }
}
