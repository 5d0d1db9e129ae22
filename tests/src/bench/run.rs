//! One run: the load, and whoever looks after the network meanwhile.

use super::{
    drive::{self, Driven},
    ground::DEADLINE,
    grow,
    keeper::{Keeper, Kept},
    live::Live,
    profile::Plan,
    supply::Supply,
    timeline::Timeline,
};
use crate::{network::Network, trouble::Trouble};
use probata_client::sdk::Client;
use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

/// Half of what is looked at around a killed leader.
const AROUND: Duration = Duration::from_secs(30);

/// Loads a network as the plan says, and looks after it.
///
/// # Errors
/// [`Trouble`] of the supply, or of a node that does not do as it is told.
pub(super) async fn run(
    network: &mut Network,
    plan: &Plan,
    supply: &mut Supply,
    clients: &[Client],
) -> Result<(Driven, Kept), Trouble> {
    let start = Instant::now();
    let begin = start + plan.warm_up;
    let window = plan.leader_killed_at.map(|at| at.saturating_sub(AROUND)..at + AROUND);
    let driven = RefCell::new(Driven::new(Timeline::new(begin, window)));
    let (over, live) = (Cell::new(false), Live::of(plan));
    let load = async {
        let result = drive::drive(plan, start, supply, clients, &driven).await;
        over.set(true);
        result
    };
    let watch = async {
        tokio::time::sleep_until(begin.into()).await;
        Keeper::begin(network, plan, &live).await?.keep(&driven, &over).await
    };
    let ended = tokio::try_join!(load, watch);
    live.end();
    let ((), kept) = ended?;
    Ok((driven.into_inner(), kept))
}

/// How many of the records that were noted a node does not have, with evidence that holds, once it is at a height.
///
/// # Errors
/// [`Trouble`] if the node does not get there.
pub(super) async fn lost(
    network: &mut Network,
    (node, height): (usize, u64),
    driven: &Driven,
) -> Result<usize, Trouble> {
    grow::reach(network, node, height).await?;
    let client = network.client(&[node], DEADLINE)?;
    let mut lost = 0;
    for record in &driven.some {
        lost += usize::from(client.evidence(record, false).await.is_err());
    }
    Ok(lost)
}
