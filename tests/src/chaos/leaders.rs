//! The stall that users see when the leader is killed.

use super::{
    fire::{leader, longest_gap},
    fleet::Fleet,
    report::say,
};
use crate::{
    figures::millis,
    load::{Load, Moment, Style},
    network::Network,
    seed::Seeded,
    trouble::{Trouble, ensure},
};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Quiet time before a kill, least and most, in milliseconds: it falls at any point of a leader's turn.
const CALM_MS: (u64, u64) = (500, 1_500);
/// Blows in vain for one that counts: leadership may pass on just then.
const TRIES: usize = 10;

/// What is to be measured.
#[derive(Debug, Clone)]
pub(super) struct Orders {
    pub(super) kills: usize,
    pub(super) writers: usize,
    pub(super) pause: Duration,
    pub(super) seed: u64,
    /// What every message takes in one direction.
    pub(super) delay: Duration,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measured {
    validators: usize,
    view_timeout_ms: u64,
    one_way_ms: u64,
    kills: usize,
    /// Kills at which the leader's turn ended just then: nobody noticed them.
    unnoticed: usize,
    stall_p50_ms: u64,
    stall_max_ms: u64,
    stalls_ms: Vec<u64>,
    /// Views left in the worst case.
    views_max: u64,
    /// The longest gap between receipts while nothing was wrong.
    quiet_gap_ms: u64,
}

impl Measured {
    /// Whether no stall was as long as two base timeouts.
    pub(super) const fn holds(&self) -> bool {
        self.stall_max_ms < 2 * self.view_timeout_ms
    }

    /// In one sentence.
    pub(super) fn sentence(&self) -> String {
        let units = |ms: u64| {
            let hundredths = ms * 100 / self.view_timeout_ms.max(1);
            format!("{ms} ms = {}.{:02} T", hundredths / 100, hundredths % 100)
        };
        format!(
            "{} leaders of {} killed, T = {} ms, {} ms one way: stall p50 {}, max {}; at most {} \
             views left; {} more kills unnoticed; without a kill at most {} ms between receipts",
            self.kills,
            self.validators,
            self.view_timeout_ms,
            self.one_way_ms,
            units(self.stall_p50_ms),
            units(self.stall_max_ms),
            self.views_max,
            self.unnoticed,
            self.quiet_gap_ms
        )
    }
}

/// Kills leaders one after the other, each restarted and caught up before the next.
///
/// # Errors
/// [`Trouble`] if something happens that must not.
pub(super) async fn measure(fleet: &mut Fleet, orders: &Orders) -> Result<Measured, Trouble> {
    fleet.links.change(|_, _| true, |way| way.delay = orders.delay);
    fleet.start_all().await?;
    let nodes = fleet.network.validators().collect();
    let Orders { writers, pause, .. } = *orders;
    let style = Style { writers, pause, nodes, clocks_are_off: false };
    let mut load = Load::in_style(&fleet.network, &style)?;
    load.wait_for_more(&mut fleet.network, 10 * writers).await?;
    let mut seeded = Seeded::new(orders.seed);
    let (mut stalls, mut views, mut quiet) = (Vec::new(), 0, Duration::ZERO);
    let mut unnoticed = 0;
    while stalls.len() < orders.kills {
        ensure(unnoticed < TRIES * orders.kills, || "no leader can be caught".to_owned())?;
        let begin = Instant::now();
        tokio::time::sleep(seeded.millis(CALM_MS.0, CALM_MS.1)).await;
        load.check()?;
        quiet = quiet.max(longest_gap(&load.moments_since(begin), begin, Instant::now()));
        let Some((stall, left)) = kill_one(fleet, &load).await? else {
            unnoticed += 1;
            continue;
        };
        views = views.max(left);
        stalls.push(millis(stall));
        say(&format!("kill {}: {} ms, {left} views left", stalls.len(), millis(stall)));
    }
    load.stop().await?;
    let mut sorted = stalls.clone();
    sorted.sort_unstable();
    Ok(Measured {
        validators: fleet.network.member(),
        view_timeout_ms: fleet.network.genesis().parameters().view_timeout.get(),
        one_way_ms: millis(orders.delay),
        kills: stalls.len(),
        unnoticed,
        stall_p50_ms: sorted[sorted.len() / 2],
        stall_max_ms: sorted[sorted.len() - 1],
        stalls_ms: stalls,
        views_max: views,
        quiet_gap_ms: millis(quiet),
    })
}

/// Kills the leader: the longest time without a receipt from then until one is sealed in a later view, and
/// how many views were left. `None` if its turn had ended.
async fn kill_one(fleet: &mut Fleet, load: &Load) -> Result<Option<(Duration, u64)>, Trouble> {
    let network = &mut fleet.network;
    let victim = leader(network).await?;
    let seat = network.status(victim).await?.me;
    let witness = usize::from(victim == 0);
    let at = Instant::now();
    network.kill(&[victim]).await?;
    let before = network.status(witness).await?;
    let noticed = before.leader.as_ref().map(|leader| leader.index) == seat;
    let mut result = None;
    if noticed {
        let later = async |network: &Network| Ok(network.status(witness).await?.view > before.view);
        network.wait_for("a later view", later).await?;
        let opened = network.status(witness).await?;
        let resumed = async |_: &Network| Ok(first_above(load, at, opened.height).is_some());
        network.wait_for("a receipt of a later view", resumed).await?;
        let moments = load.moments_since(at);
        if let Some(first) = first_above(load, at, opened.height) {
            let stall = longest_gap(&moments, at, first.at);
            result = Some((stall, opened.view - before.view));
        }
    }
    fleet.start(victim)?;
    let network = &mut fleet.network;
    network.wait_until_up().await?;
    network.wait_for_height(network.highest().await?).await?;
    all_connected(network).await?;
    Ok(result)
}

fn first_above(load: &Load, since: Instant, height: u64) -> Option<Moment> {
    load.moments_since(since).into_iter().find(|moment| moment.height.get() > height)
}

/// Waits until every node is connected to all that it talks to.
async fn all_connected(network: &mut Network) -> Result<(), Trouble> {
    // A validator talks to the other validators and the member node, the member node to all validators.
    let wanted = u64::try_from(network.member())?;
    let connected = async |network: &Network| {
        for node in network.running() {
            if network.status(node).await?.peers_connected < wanted {
                return Ok(false);
            }
        }
        Ok(true)
    };
    network.wait_for("all connections", connected).await.map(drop)
}
