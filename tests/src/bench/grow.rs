//! What a network that has grown can do: answer, restart, and take in a node.

use super::{
    drive::{self, Driven},
    ground::DEADLINE,
    join::{self, Joined},
    keeper::Step,
    profile::{Pace, Plan},
    supply::Supply,
    timeline::{Timeline, histogram, micros, quantile_ms},
};
use crate::{
    figures::millis,
    network::Network,
    seed::Seeded,
    trouble::{Trouble, ensure},
};
use indicatif::ProgressBar;
use probata_client::sdk::Client;
use probata_types::RecordId;
use serde::Serialize;
use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

/// How long the network is asked while it is loaded.
const ASKED: Duration = Duration::from_secs(20);
/// Records of a submission of that load.
const RECORDS: u64 = 100;
/// Longest time for a node to have everything: at 1,000 records a second, some ten million.
const CAUGHT_UP: Duration = Duration::from_secs(3 * 3_600);
/// Pause between two looks at a node that is not there yet.
const LOOK: Duration = Duration::from_millis(20);

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Grown {
    /// Records a second in the first tenth.
    pub(super) first_records_per_second: u64,
    /// In the last.
    pub(super) last_records_per_second: u64,
    /// Submissions a second that the network was loaded with while it was asked: half of what it takes.
    pub(super) load_per_second: u64,
    /// How fast records were found under that load.
    #[serde(flatten)]
    pub(super) asked: Asked,
    /// From the start of a validator that was asked to stop until it answers.
    pub(super) restart_ms: u64,
    /// The same of one that was killed.
    pub(super) restart_after_kill_ms: u64,
    /// How a member node joined.
    #[serde(flatten)]
    pub(super) joined: Joined,
}

/// How fast records were found.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Asked {
    /// Records that were asked for.
    pub(super) asked: u64,
    /// A record by its id, half of the answers at most, in milliseconds.
    pub(super) point_p50_ms: f64,
    /// 99 of 100.
    pub(super) point_p99_ms: f64,
    /// Evidence of a record, fetched and verified.
    pub(super) evidence_p50_ms: f64,
    /// 99 of 100.
    pub(super) evidence_p99_ms: f64,
}

/// Asks, restarts and takes in. `some` are records that are there.
///
/// # Errors
/// [`Trouble`] if a node does not answer, or not as it must.
pub(super) async fn measure(
    network: &mut Network,
    steps: &[Step],
    some: &[RecordId],
    supply: &mut Supply,
    clients: &[Client],
) -> Result<Grown, Trouble> {
    let rate = |step: Option<&Step>| step.map_or(0, |step| step.records_per_second);
    let (first, last) = (rate(steps.first()), rate(steps.last()));
    let load = (last / 2 / RECORDS).max(1);
    let says = ProgressBar::new_spinner();
    says.set_message("asking for records while more come");
    let asked = ask(network, some, load, supply, clients).await?;
    says.set_message("restarting a validator");
    let stopped = restart(network, 0, false).await?;
    let killed = restart(network, 1, true).await?;
    let joined = join::join(network, &says).await?;
    says.finish_and_clear();
    Ok(Grown {
        first_records_per_second: first,
        last_records_per_second: last,
        load_per_second: load,
        restart_ms: millis(stopped),
        restart_after_kill_ms: millis(killed),
        asked,
        joined,
    })
}

/// Asks for records and for their evidence, one after the other, while the network is loaded.
async fn ask(
    network: &Network,
    some: &[RecordId],
    load: u64,
    supply: &mut Supply,
    clients: &[Client],
) -> Result<Asked, Trouble> {
    let plan = Plan {
        records: usize::try_from(RECORDS)?,
        pace: Pace::Open(load),
        warm_up: Duration::ZERO,
        length: ASKED,
        most_records: None,
        leader_killed_at: None,
        restart_every: None,
    };
    let start = Instant::now();
    let (driven, over) = (RefCell::new(Driven::new(Timeline::new(start, None))), Cell::new(false));
    let loaded = async {
        let result = drive::drive(&plan, start, supply, clients, &driven).await;
        over.set(true);
        result
    };
    let node = network.validators().start;
    let client = network.client(&[node], DEADLINE)?;
    let asks = async {
        let (mut points, mut files) = (histogram(), histogram());
        let mut some = some.to_vec();
        Seeded::new(load).shuffle(&mut some);
        for record in some.iter().cycle() {
            if over.get() {
                break;
            }
            let begun = Instant::now();
            network.get(node, &format!("/v1/records/{record}")).await?;
            points.record(micros(begun.elapsed()))?;
            let begun = Instant::now();
            client.evidence(record, false).await?;
            files.record(micros(begun.elapsed()))?;
        }
        Ok::<_, Trouble>((points, files))
    };
    let ((), (points, files)) = tokio::try_join!(loaded, asks)?;
    let failed = driven.borrow().failed;
    ensure(failed == 0, || {
        format!("{failed} submissions had no answer while records were asked for")
    })?;
    Ok(Asked {
        asked: files.len(),
        point_p50_ms: quantile_ms(&points, 500),
        point_p99_ms: quantile_ms(&points, 990),
        evidence_p50_ms: quantile_ms(&files, 500),
        evidence_p99_ms: quantile_ms(&files, 990),
    })
}

/// Restarts a node; how long it takes until it answers.
async fn restart(network: &mut Network, node: usize, kill: bool) -> Result<Duration, Trouble> {
    match kill {
        true => network.kill(&[node]).await?,
        false => network.stop(node).await?,
    }
    let start = Instant::now();
    network.start_node(node)?;
    reach(network, node, 0).await?;
    Ok(start.elapsed())
}

/// Waits until a node answers that it is at a height.
///
/// # Errors
/// [`Trouble`] if it ends, or is not there in time.
pub(super) async fn reach(network: &mut Network, node: usize, height: u64) -> Result<(), Trouble> {
    let start = Instant::now();
    loop {
        if network.status(node).await.is_ok_and(|status| status.height >= height) {
            return Ok(());
        }
        if let Some(how) = network.ended(node) {
            return Err(Trouble::new(format!("node {node} ended: {how}")));
        }
        ensure(start.elapsed() < CAUGHT_UP, || {
            format!("node {node} was not at height {height} within {CAUGHT_UP:?}")
        })?;
        tokio::time::sleep(LOOK).await;
    }
}
