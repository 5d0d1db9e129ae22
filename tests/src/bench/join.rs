//! How a member node joins a network that has grown: from a snapshot, as its operator would.

use super::grow;
use crate::{figures::millis, network::Network, trouble::Trouble};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    time::{Duration, Instant},
};

/// Where what a member node is told begins, at the end of its `node.toml`.
const JOIN: &str = "\n[join]\n";

/// How it went.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Joined {
    /// From the stop of a validator until it has written its snapshot.
    pub(super) snapshot_ms: u64,
    /// The height of the snapshot.
    pub(super) snapshot_height: u64,
    /// The state root that it has, which the header of that height seals.
    pub(super) snapshot_state_root: String,
    /// Bytes of the snapshot.
    pub(super) snapshot_bytes: u64,
    /// From the start of a member node without any data until it says that it is at that height, with the API open. It
    /// fetches older blocks from then on.
    pub(super) join_serves_ms: u64,
}

/// What `probata-node snapshot` says.
#[derive(Debug, Deserialize)]
struct Written {
    height: u64,
    block: String,
    state_root: String,
    bytes: u64,
}

/// Has a validator write a snapshot, and starts the member node without its data, to join from it.
///
/// # Errors
/// [`Trouble`] if one of them does not do as it must.
pub(super) async fn join(network: &mut Network, says: &ProgressBar) -> Result<Joined, Trouble> {
    let giver = network.validators().end - 1;
    says.set_message("a validator writes a snapshot");
    let (written, took) = write(network, giver).await?;
    network.start_node(giver)?;
    grow::reach(network, giver, written.height).await?;
    let member = network.member();
    empty(network, member, &written.block).await?;
    says.set_message(format!("a member node joins at height {}", written.height));
    let start = Instant::now();
    network.start_node(member)?;
    grow::reach(network, member, written.height).await?;
    Ok(Joined {
        snapshot_ms: millis(took),
        snapshot_height: written.height,
        snapshot_state_root: written.state_root,
        snapshot_bytes: written.bytes,
        join_serves_ms: millis(start.elapsed()),
    })
}

/// Stops a node and has it write a snapshot to where it hands them to peers from.
async fn write(network: &mut Network, giver: usize) -> Result<(Written, Duration), Trouble> {
    let start = Instant::now();
    network.stop(giver).await?;
    let folder = network.path(giver, "data").join("snapshots");
    fs::create_dir_all(&folder)?;
    // Only a folder of digits is one that is handed on.
    let new = folder.join("new");
    if new.exists() {
        fs::remove_dir_all(&new)?;
    }
    let out = new.to_string_lossy();
    let written = network.command(giver, &["snapshot", "--out", &out]).await?;
    let written: Written = serde_json::from_value(written)?;
    fs::rename(&new, folder.join(format!("{:016}", written.height)))?;
    Ok((written, start.elapsed()))
}

/// Leaves a member node without data and tells it to join from the snapshot of a block, and no other.
async fn empty(network: &mut Network, member: usize, block: &str) -> Result<(), Trouble> {
    if network.running().contains(&member) {
        network.stop(member).await?;
    }
    fs::remove_dir_all(network.path(member, "data"))?;
    let config = network.path(member, "node.toml");
    let text = fs::read_to_string(&config)?;
    // Of a network that was kept, what it was told before.
    let before = text.split_once(JOIN).map_or(&*text, |(before, _)| before);
    let join = format!("{before}{JOIN}from = \"snapshot\"\nblock = \"{block}\"\n");
    Ok(fs::write(&config, join)?)
}
