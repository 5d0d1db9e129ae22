//! A validator that was away for long catches up while the others go on.
//!
//! Its history is made quickly: the chains of the others run in this process, on their real disks, in a time
//! of their own. Then real processes go on from there.

use super::{fire::longest_gap, fleet::Fleet, report::say};
use crate::{
    committee::Committee,
    figures::{millis, per_second},
    load::{Load, Style},
    network::Network,
    trouble::{Trouble, ensure},
    writer::Writer,
};
use probata_genesis::{KeyFile, KeyUse};
use probata_node::{chain::ChainSetup, config::Config, metrics::Metrics, network::NodeId, run};
use probata_types::Timestamp;
use serde::Serialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long the others are watched before the one comes back.
const BEFORE: Duration = Duration::from_secs(5);
/// Blocks between two lines about the making of the history.
const PROGRESS: u64 = 10_000;
/// Pause between two looks at the one that catches up.
const LOOK: Duration = Duration::from_millis(100);
/// Longest time to catch up, for each block missed: ten times what it takes on a small machine.
const PATIENCE: Duration = Duration::from_millis(20);
/// A node this close to the highest has caught up: it votes from here on.
const CLOSE: u64 = 2;

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measured {
    validators: usize,
    missed_blocks: u64,
    history_ms: u64,
    others_start_ms: u64,
    catch_up_ms: u64,
    blocks_caught_up: u64,
    blocks_per_second: u64,
    receipts_per_second_before: u64,
    receipts_per_second_meanwhile: u64,
    longest_gap_before_ms: u64,
    longest_gap_meanwhile_ms: u64,
}

/// When the chain must begin so that its history ends before now.
pub(super) fn begin(now: Timestamp, blocks: u64) -> Timestamp {
    // A block of the history takes the batching delay and no more, in its own time.
    Timestamp::new(now.get().saturating_sub(3_600_000 + 50 * blocks))
}

/// Makes the history, starts the others, then the one that was away, and watches.
///
/// # Errors
/// [`Trouble`] if something happens that must not.
pub(super) async fn measure(
    fleet: &mut Fleet,
    blocks: u64,
    writers: usize,
    pause: Duration,
) -> Result<Measured, Trouble> {
    let away = fleet.network.member() - 1;
    let others: Vec<usize> = (0..away).collect();
    let started = Instant::now();
    make_history(&fleet.network, &others, blocks)?;
    let history = started.elapsed();
    say(&format!("{blocks} blocks made in {} ms", millis(history)));
    let started = Instant::now();
    for node in &others {
        fleet.start(*node)?;
    }
    fleet.network.wait_until_up().await?;
    let others_start = started.elapsed();
    let style = Style { writers, pause, nodes: others.clone(), clocks_are_off: false };
    let mut load = Load::in_style(&fleet.network, &style)?;
    load.wait_for_more(&mut fleet.network, 5 * writers).await?;
    let before = Instant::now();
    tokio::time::sleep(BEFORE).await;
    let came_back = Instant::now();
    fleet.start(away)?;
    fleet.network.wait_until_up().await?;
    let reached = watch(fleet, away, &mut load, PATIENCE * u32::try_from(blocks)? + BEFORE).await?;
    let caught_up = Instant::now();
    let moments = load.moments_since(before);
    load.stop().await?;
    same_head(&mut fleet.network).await?;
    let rate = |from: Instant, to: Instant| {
        let count = moments.iter().filter(|moment| (from..to).contains(&moment.at)).count();
        per_second(u64::try_from(count).unwrap_or(u64::MAX), to - from)
    };
    Ok(Measured {
        validators: away + 1,
        missed_blocks: blocks,
        history_ms: millis(history),
        others_start_ms: millis(others_start),
        catch_up_ms: millis(caught_up - came_back),
        blocks_caught_up: reached,
        blocks_per_second: per_second(reached, caught_up - came_back),
        receipts_per_second_before: rate(before, came_back),
        receipts_per_second_meanwhile: rate(came_back, caught_up),
        longest_gap_before_ms: millis(longest_gap(&moments, before, came_back)),
        longest_gap_meanwhile_ms: millis(longest_gap(&moments, came_back, caught_up)),
    })
}

/// Seals so many blocks of one record each, by the chains of these validators on their own disks.
fn make_history(network: &Network, members: &[usize], blocks: u64) -> Result<(), Trouble> {
    let genesis = Arc::new(network.genesis().clone());
    let mut setups = Vec::new();
    for node in members {
        let config = Config::load(&network.path(*node, "node.toml"))?;
        let (storage, store) = run::open_stores(&config)?;
        let key = |name: &str| std::fs::read(network.path(*node, name));
        let vote = KeyFile::parse_for(KeyUse::Validator, &key("validator.key.json")?)?;
        let mesh = KeyFile::parse_for(KeyUse::Node, &key("node.key.json")?)?;
        let setup = ChainSetup {
            genesis: Arc::clone(&genesis),
            keypairs: vec![vote],
            storage,
            store,
            metrics: Arc::new(Metrics::new()),
        };
        setups.push((NodeId::from_bytes(mesh.public().0)?, setup));
    }
    let begin = genesis.created_at().saturating_add(1);
    let mut committee = Committee::of(genesis, setups, begin)?;
    let writer = Writer::of(network)?;
    let mut height = 0;
    while height < blocks {
        height = committee.seal(&writer.submission_at(committee.now())?)?.get();
        committee.forget_sent();
        if height % PROGRESS == 0 {
            say(&format!("block {height} of the history"));
        }
    }
    committee.close()
}

/// Waits until the one that was away is as high as the others; its height then.
async fn watch(
    fleet: &mut Fleet,
    away: usize,
    load: &mut Load,
    patience: Duration,
) -> Result<u64, Trouble> {
    let start = Instant::now();
    loop {
        load.check()?;
        // Asked in this order: a node that is only just behind must not pass for one that is level.
        let highest = fleet.network.highest().await?;
        let height = fleet.network.status(away).await?.height;
        if height + CLOSE >= highest {
            return Ok(height);
        }
        ensure(start.elapsed() < patience, || {
            format!("after {patience:?} the validator is at {height} of {highest}")
        })?;
        tokio::time::sleep(LOOK).await;
    }
}

/// All that run are at one head: its header names every block before it.
async fn same_head(network: &mut Network) -> Result<(), Trouble> {
    network.wait_for_height(network.highest().await?).await?;
    let first = network.status(0).await?;
    for node in network.running() {
        let status = network.status(node).await?;
        let same = (&status.header, &status.state_root) == (&first.header, &first.state_root);
        ensure(same, || format!("node {node} is at {status:?}, node 0 at {first:?}"))?;
    }
    Ok(())
}

impl Measured {
    /// In one sentence.
    pub(super) fn sentence(&self) -> String {
        format!(
            "one of {} validators missed {} blocks and was level after {} ms at height {}: {} blocks/s; \
             receipts {}/s before and {}/s meanwhile, longest gap {} ms before and {} ms meanwhile \
             (history made in {} ms, the others up in {} ms)",
            self.validators,
            self.missed_blocks,
            self.catch_up_ms,
            self.blocks_caught_up,
            self.blocks_per_second,
            self.receipts_per_second_before,
            self.receipts_per_second_meanwhile,
            self.longest_gap_before_ms,
            self.longest_gap_meanwhile_ms,
            self.history_ms,
            self.others_start_ms,
        )
    }
}
