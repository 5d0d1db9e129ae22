//! A run under fire: phase after phase, each measured, and the checks at the end.

use super::{
    fleet::Fleet,
    links::{Cut, Way},
    plan::{Harm, Means, Phase, Plan, Sides, Weather, Who},
    report::{Tally, say},
};
use crate::{
    check,
    figures::millis,
    limits,
    load::{Load, Moment, Style},
    network::Network,
    trouble::{Trouble, ensure},
};
use std::time::{Duration, Instant};

/// How the fire is laid.
#[derive(Debug, Clone)]
pub(super) struct Orders {
    pub(super) duration: Duration,
    pub(super) seed: u64,
    /// Phases of the plan that are left out at its beginning.
    pub(super) skip: usize,
    pub(super) writers: usize,
    pub(super) pause: Duration,
}

/// A network under fire.
pub(super) struct Fire {
    fleet: Fleet,
    load: Load,
    means: Means,
    tally: Tally,
}

/// A phase's blows as they fell.
struct Struck {
    harms: Vec<(usize, Harm)>,
    at: Instant,
}

impl Fire {
    /// Starts the nodes and the writers.
    ///
    /// # Errors
    /// [`Trouble`] if something does not start.
    pub(super) async fn light(
        mut fleet: Fleet,
        means: Means,
        orders: &Orders,
    ) -> Result<Self, Trouble> {
        fleet.start_all().await?;
        let nodes: Vec<usize> = (0..fleet.network.nodes().len()).collect();
        let style =
            Style { writers: orders.writers, pause: orders.pause, nodes, clocks_are_off: true };
        let mut load = Load::in_style(&fleet.network, &style)?;
        load.wait_for_more(&mut fleet.network, orders.writers).await?;
        let tally = Tally::new(means, orders.seed);
        Ok(Self { fleet, load, means, tally })
    }

    /// Phases until the time is over; then everything heals, and all is checked.
    ///
    /// # Errors
    /// [`Trouble`] for what must not happen and did.
    pub(super) async fn burn(&mut self, orders: &Orders) -> Result<Tally, Trouble> {
        let start = Instant::now();
        let mut plan = Plan::new(self.means, orders.seed);
        (0..orders.skip).for_each(|_| drop(plan.next()));
        while start.elapsed() < orders.duration {
            let phase = plan.next();
            self.phase(start, &phase).await.map_err(|trouble| {
                Trouble::new(format!("in {}: {trouble}", self.describe(&phase)))
            })?;
        }
        self.tally.seconds = start.elapsed().as_secs();
        self.prove().await?;
        Ok(self.tally.clone())
    }

    /// Saves what is on the nodes' disks, for people to look at.
    ///
    /// # Errors
    /// [`Trouble`] if it cannot be copied.
    pub(super) fn save_disks(&self) -> Result<(), Trouble> {
        self.fleet.save_disks()
    }

    async fn phase(&mut self, start: Instant, phase: &Phase) -> Result<(), Trouble> {
        let begin = Instant::now();
        self.wait(phase.calm, &[]).await?;
        let struck = self.strike(phase).await?;
        self.wait(phase.hold, &struck.harms).await?;
        self.heal(phase, &struck.harms).await?;
        let healed = Instant::now();
        self.recover(healed).await?;
        let moments = self.load.moments_since(begin);
        let recovered = Instant::now();
        let what = self.describe(phase);
        let spans = if phase.beyond {
            let first = moments.iter().map(|moment| moment.at).find(|at| *at >= healed);
            let first = first.unwrap_or(recovered);
            self.tally.recovery(first - healed);
            vec![(begin, struck.at), (first, recovered)]
        } else {
            vec![(begin, recovered)]
        };
        let gaps = spans.iter().map(|(from, to)| longest_gap(&moments, *from, *to));
        let gap = gaps.max().unwrap_or_default();
        let waited = moments.iter().map(|moment| moment.waited).max().unwrap_or_default();
        self.tally.phase(phase, gap, &what);
        if !phase.beyond {
            self.tally.longest_wait_ms = self.tally.longest_wait_ms.max(millis(waited));
        }
        say(&format!(
            "{:>5} s  {what}, held {} ms: longest gap {} ms, all caught up {} ms after",
            (struck.at - start).as_secs(),
            millis(phase.hold),
            millis(gap),
            millis(recovered - healed),
        ));
        Ok(())
    }

    /// Waits, and looks that no node ends that has no reason to.
    async fn wait(&mut self, time: Duration, struck: &[(usize, Harm)]) -> Result<(), Trouble> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.load.check()?;
            for node in self.fleet.network.running() {
                if struck.contains(&(node, Harm::Fill)) {
                    continue;
                }
                if let Some(how) = self.fleet.network.ended(node) {
                    return Err(Trouble::new(format!("node {node} ended by itself: {how}")));
                }
            }
            tokio::time::sleep(limits::LOOK_INTERVAL).await;
        }
        Ok(())
    }

    async fn strike(&mut self, phase: &Phase) -> Result<Struck, Trouble> {
        let harms = self.targets(phase).await?;
        let at = Instant::now();
        if let Some(weather) = phase.weather {
            self.set_weather(weather);
        }
        if let Some(middle) = phase.split {
            let members = self.means.validators;
            // The member node is on the side of the first.
            let first = move |node| node < middle || node >= members;
            let apart = move |one, other| first(one) != first(other);
            self.fleet.links.change(apart, |way| way.cut = Cut::Silent);
        }
        for (node, harm) in &harms {
            self.tally.strike(*harm);
            self.fleet.strike(*node, *harm).await?;
        }
        Ok(Struck { harms, at })
    }

    fn set_weather(&self, weather: Weather) {
        let Weather { delay_ms, jitter_ms, loss } = weather;
        let delay = Duration::from_millis(delay_ms);
        let jitter = Duration::from_millis(jitter_ms);
        self.fleet
            .links
            .change(|_, _| true, |way| *way = Way { delay, jitter, loss, cut: way.cut });
    }

    /// Whom the phase strikes. Whoever leads is struck once: if another harm names the same node, that
    /// one strikes the next that is not struck.
    async fn targets(&self, phase: &Phase) -> Result<Vec<(usize, Harm)>, Trouble> {
        let leader = match phase.harms.iter().any(|(who, _)| *who == Who::Leader) {
            true => Some(leader(&self.fleet.network).await?),
            false => None,
        };
        let mut taken: Vec<usize> = leader.into_iter().collect();
        let mut targets = Vec::new();
        for (who, harm) in &phase.harms {
            let node = match (*who, leader) {
                (Who::Leader, Some(leader)) => leader,
                (Who::Node(node), _) if !taken.contains(&node) => node,
                _ => {
                    let named =
                        |it: &usize| phase.harms.iter().any(|(who, _)| *who == Who::Node(*it));
                    let free =
                        (0..self.means.validators).find(|it| !taken.contains(it) && !named(it));
                    let Some(free) = free else { continue };
                    free
                }
            };
            taken.push(node);
            targets.push((node, *harm));
        }
        Ok(targets)
    }

    async fn heal(&mut self, phase: &Phase, struck: &[(usize, Harm)]) -> Result<(), Trouble> {
        if phase.split.is_some() {
            self.fleet.links.change(|_, _| true, |way| way.cut = Cut::Open);
        }
        if phase.weather.is_some() {
            self.set_weather(Weather { delay_ms: 0, jitter_ms: 0, loss: 0 });
        }
        for (node, harm) in struck {
            let again = self.fleet.heal(*node, *harm).await?;
            self.tally.restarts += u64::from(again);
            self.tally.stopped_on_full_disk += u64::from(again && *harm == Harm::Fill);
        }
        Ok(())
    }

    /// Waits until every node has what was sealed when it was healed, and something was acknowledged since.
    async fn recover(&mut self, healed: Instant) -> Result<(), Trouble> {
        self.fleet.network.wait_until_up().await?;
        let target = self.fleet.network.highest().await?;
        self.fleet.network.wait_for_height(target).await?;
        let Self { fleet, load, .. } = self;
        let sealed = async |_: &Network| {
            load.check()?;
            Ok(load.moments_since(healed).iter().any(|moment| moment.height.get() >= target))
        };
        fleet.network.wait_for("a receipt after healing", sealed).await?;
        for node in self.fleet.network.running() {
            let status = self.fleet.network.status(node).await?;
            ensure(status.halted.is_none(), || format!("node {node} halted: {:?}", status.halted))?;
        }
        Ok(())
    }

    /// The end: everything is up and equal, and what was acknowledged is there, as the light client sees it.
    async fn prove(&mut self) -> Result<(), Trouble> {
        self.fleet.links.heal();
        self.fleet.start_all().await?;
        let loaded = self.load.end().await?;
        self.tally.acknowledged = loaded.acknowledged.len();
        say(&format!("all healed; checking {} records on every node", self.tally.acknowledged));
        let network = &mut self.fleet.network;
        self.tally.height = check::one_chain(network).await?;
        check::all_hold(network, &loaded.acknowledged).await?;
        check::nothing_else(network, &loaded).await?;
        network.stop_and_check().await
    }

    fn describe(&self, phase: &Phase) -> String {
        let name = |node: usize| self.fleet.network.nodes()[node].name.clone();
        let mut parts: Vec<String> = phase
            .harms
            .iter()
            .map(|(who, harm)| match who {
                Who::Leader => format!("the leader {harm}"),
                Who::Node(node) => format!("{} {harm}", name(*node)),
            })
            .collect();
        if let Some(at) = phase.split {
            parts.push(format!("cut {at}|{}", self.means.validators - at));
        }
        if let Some(Weather { delay_ms, jitter_ms, loss }) = phase.weather {
            parts.push(format!("{delay_ms}+{jitter_ms} ms and {loss} per mille lost on every way"));
        }
        let beyond = if phase.beyond { " [more than f]" } else { "" };
        format!("{}{beyond}", parts.join(", "))
    }
}

impl Harm {
    /// Whether it cuts one direction only.
    pub(super) const fn is_one_way(self) -> bool {
        matches!(self, Self::Isolate(_, Sides::Deaf | Sides::Mute))
    }
}

/// The validator that leads, as the highest of the nodes that answer sees it.
///
/// # Errors
/// [`Trouble`] if nobody answers.
pub(super) async fn leader(network: &Network) -> Result<usize, Trouble> {
    let mut seats = std::collections::BTreeMap::new();
    let mut highest = None;
    for node in network.validators() {
        let Ok(status) = network.status(node).await else { continue };
        seats.extend(status.me.map(|seat| (seat, node)));
        highest =
            highest.max(status.leader.map(|leader| (status.view, status.height, leader.index)));
    }
    let (.., seat) = highest.ok_or_else(|| Trouble::new("no validator answers"))?;
    let node = seats.get(&seat).copied();
    node.ok_or_else(|| Trouble::new(format!("the leader, seat {seat}, does not answer")))
}

/// The longest time without a receipt in a span of time.
pub(super) fn longest_gap(moments: &[Moment], from: Instant, to: Instant) -> Duration {
    let inside = moments.iter().map(|moment| moment.at).filter(|at| (from..=to).contains(at));
    let (mut longest, mut last) = (Duration::ZERO, from);
    for at in inside.chain([to]) {
        longest = longest.max(at - last);
        last = at;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use probata_types::Height;

    #[test]
    fn a_gap_is_measured_between_receipts_and_to_both_ends() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let moments: Vec<Moment> = [5, 50, 60, 200]
            .map(|ms| Moment { at: at(ms), height: Height::ZERO, waited: Duration::ZERO })
            .into();
        let gap = |from, to| millis(longest_gap(&moments, at(from), at(to)));
        assert_eq!((gap(10, 65), gap(10, 210), gap(70, 190), gap(50, 60)), (40, 140, 120, 10));
    }
}
