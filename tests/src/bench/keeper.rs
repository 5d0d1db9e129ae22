//! Looks after the network while it is loaded: what it uses, sample by sample, and what is done to it.

use super::{
    drive::Driven,
    live::{Live, Seen},
    profile::Plan,
    slopes::mean,
    usage::{self, Usage},
};
use crate::{
    figures::{millis, per_second},
    network::Network,
    trouble::Trouble,
};
use serde::Serialize;
use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

/// Time between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Looks from one sample to the next.
const SAMPLED: u64 = 3;
/// How long a leader that was killed stays away.
const AWAY: Duration = Duration::from_secs(5);
/// Parts of a run of so many records, each with figures of its own.
const STEPS: u64 = 10;

/// How the network was at a time.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sample {
    /// Seconds since the beginning.
    pub(super) second: u64,
    /// Megabytes resident of each node.
    pub(super) rss_mb: Vec<u64>,
    /// Open file handles of each node.
    pub(super) handles: Vec<u64>,
    /// Submissions that waited at the node where most did.
    pub(super) pending: u64,
    /// Latency of half of the submissions at most, since the last sample, in milliseconds.
    pub(super) p50_ms: f64,
    /// Of 99 of 100.
    pub(super) p99_ms: f64,
}

impl Sample {
    /// Megabytes resident of a node, on the average.
    pub(super) fn mean_rss_mb(&self) -> f64 {
        mean_of(&self.rss_mb)
    }

    /// Of the largest.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people: nothing is decided by it")]
    pub(super) fn most_rss_mb(&self) -> f64 {
        self.rss_mb.iter().max().map_or(0.0, |most| *most as f64)
    }

    /// Open file handles of a node, on the average.
    pub(super) fn mean_handles(&self) -> f64 {
        mean_of(&self.handles)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people: nothing is decided by it")]
fn mean_of(numbers: &[u64]) -> f64 {
    let numbers: Vec<f64> = numbers.iter().map(|number| *number as f64).collect();
    mean(&numbers).unwrap_or_default()
}

/// How the network was after so many records.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Step {
    /// Records sealed.
    pub(super) records: u64,
    /// Records a second since the last step.
    pub(super) records_per_second: u64,
    /// Megabytes resident of the largest node.
    pub(super) rss_mb: u64,
    /// Bytes of data on the disk of the largest node, for each record.
    pub(super) disk_bytes_per_record: u64,
}

/// What became of a leader that was killed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Killed {
    /// Seconds after the beginning.
    pub(super) second: u64,
    /// What the network calls it.
    pub(super) name: String,
    /// Milliseconds that it was away.
    pub(super) away_ms: u64,
}

/// What was seen.
pub(super) struct Kept {
    /// What the processes used.
    pub(super) usage: Usage,
    /// Sample by sample.
    pub(super) samples: Vec<Sample>,
    /// Step by step, in a run of so many records.
    pub(super) steps: Vec<Step>,
    /// The leader that was killed, if one was.
    pub(super) killed: Option<Killed>,
    /// How often a node was restarted.
    pub(super) restarts: u64,
}

/// Keeps watch.
pub(super) struct Keeper<'a> {
    network: &'a mut Network,
    plan: &'a Plan,
    begin: Instant,
    live: &'a Live,
    kept: Kept,
    /// A killed leader that is away, and since when.
    away: Option<(usize, Instant)>,
    /// Whose turn it is to be restarted.
    turn: usize,
    /// Processor time and records at the last look, and when the last step was.
    last: (u64, u64, Instant),
    /// Bytes on the disk in the beginning.
    disk: u64,
}

impl<'a> Keeper<'a> {
    /// Begins to watch: now is when the run counts from.
    ///
    /// # Errors
    /// [`Trouble`] if a node or the system does not tell.
    pub(super) async fn begin(
        network: &'a mut Network,
        plan: &'a Plan,
        live: &'a Live,
    ) -> Result<Self, Trouble> {
        let usage = Usage::begin(network).await?;
        let disk = usage::data_bytes_max(network)?;
        let kept =
            Kept { usage, samples: Vec::new(), steps: Vec::new(), killed: None, restarts: 0 };
        let begin = Instant::now();
        let last = (0, 0, begin);
        Ok(Self { network, plan, begin, live, kept, away: None, turn: 0, last, disk })
    }

    /// Watches until the load is over, and every node is up again.
    ///
    /// # Errors
    /// [`Trouble`] if a node cannot be stopped, killed or started as it should.
    pub(super) async fn keep(
        mut self,
        driven: &RefCell<Driven>,
        over: &Cell<bool>,
    ) -> Result<Kept, Trouble> {
        let mut look = 0_u64;
        while !over.get() {
            tokio::time::sleep(LOOK).await;
            look += 1;
            self.kept.usage.look(self.network);
            self.show(driven);
            self.step(driven.borrow().timeline.records())?;
            if look.is_multiple_of(SAMPLED) {
                self.sample(driven).await;
            }
            self.trouble().await?;
        }
        if let Some((node, since)) = self.away.take() {
            self.bring_back(node, since)?;
        }
        self.network.wait_until_up().await?;
        self.kept.usage.look(self.network);
        Ok(self.kept)
    }

    /// The live line.
    fn show(&mut self, driven: &RefCell<Driven>) {
        let driven = driven.borrow();
        let (cpu_ms, records) = (self.kept.usage.cpu_ms(), driven.timeline.records());
        let newest = driven.timeline.newest();
        let now = self.kept.usage.now();
        self.live.show(&Seen {
            at: self.begin.elapsed(),
            records,
            records_per_second: records - self.last.1,
            p50_ms: newest.as_ref().map_or(0.0, |it| it.p50_ms),
            p99_ms: newest.as_ref().map_or(0.0, |it| it.p99_ms),
            rss_mb: now.iter().map(|(rss, _)| rss >> 20).max().unwrap_or_default(),
            cpu_ms: cpu_ms.saturating_sub(self.last.0),
            on_the_way: driven.on_its_way,
            failed: driven.failed,
        });
        (self.last.0, self.last.1) = (cpu_ms, records);
    }

    /// Notes how things are after each part of the records of a run, if it has so many.
    fn step(&mut self, records: u64) -> Result<(), Trouble> {
        let Some(most) = self.plan.most_records else { return Ok(()) };
        let part = (most / STEPS).max(1);
        let before = self.kept.steps.last().map_or(0, |step| step.records);
        if records / part == before / part {
            return Ok(());
        }
        let now = self.kept.usage.now();
        let disk = usage::data_bytes_max(self.network)?.saturating_sub(self.disk);
        self.kept.steps.push(Step {
            records,
            records_per_second: per_second(records - before, self.last.2.elapsed()),
            rss_mb: now.iter().map(|(rss, _)| rss >> 20).max().unwrap_or_default(),
            disk_bytes_per_record: disk / records.max(1),
        });
        self.last.2 = Instant::now();
        Ok(())
    }

    async fn sample(&mut self, driven: &RefCell<Driven>) {
        let mut pending = 0;
        for node in self.network.running() {
            // One that is just starting says nothing yet.
            let status = self.network.status(node).await;
            pending = pending.max(status.map_or(0, |status| status.pending));
        }
        let interval = driven.borrow_mut().timeline.take_interval();
        let (p50_ms, p99_ms) = interval.unwrap_or_default();
        let now = self.kept.usage.now();
        self.kept.samples.push(Sample {
            second: self.begin.elapsed().as_secs(),
            rss_mb: now.iter().map(|(rss, _)| rss >> 20).collect(),
            handles: now.iter().map(|(_, handles)| *handles).collect(),
            pending,
            p50_ms,
            p99_ms,
        });
    }

    /// What is due to be done to the network.
    async fn trouble(&mut self) -> Result<(), Trouble> {
        let at = self.begin.elapsed();
        if self.plan.leader_killed_at.is_some_and(|due| due <= at) && self.kept.killed.is_none() {
            let last =
                *self.network.running().last().ok_or_else(|| Trouble::new("no node runs"))?;
            let leader = self.network.leader(last).await?;
            self.network.kill(&[leader]).await?;
            let name = self.network.nodes()[leader].name.clone();
            self.kept.killed = Some(Killed { second: at.as_secs(), name, away_ms: 0 });
            self.away = Some((leader, Instant::now()));
        }
        if let Some((node, since)) = self.away.filter(|(_, since)| since.elapsed() >= AWAY) {
            self.bring_back(node, since)?;
        }
        let Some(every) = self.plan.restart_every else { return Ok(()) };
        if at >= every * u32::try_from(self.kept.restarts + 1)? && self.away.is_none() {
            let node = self.turn;
            self.turn = (self.turn + 1) % self.network.running().len();
            self.kept.restarts += 1;
            self.network.stop(node).await?;
            self.network.start_node(node)?;
        }
        Ok(())
    }

    fn bring_back(&mut self, node: usize, since: Instant) -> Result<(), Trouble> {
        self.away = None;
        self.network.start_node(node)?;
        if let Some(killed) = &mut self.kept.killed {
            killed.away_ms = millis(since.elapsed());
        }
        Ok(())
    }
}
