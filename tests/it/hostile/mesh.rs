//! Peers that genesis does not name, and one that has stolen the key of a node that it does name.

mod bytes;
mod lies;
mod named;
mod strangers;
mod votes;

use super::{http::Api, table::Table};
use probata_genesis::{KeyFile, KeyUse};
use probata_node::network::{
    self, Lane, Mesh, MeshConfig, MeshEvents, MeshHandle, NodeId, PeerConfig, Request,
};
use probata_tests::{Trouble, limits, network::Network};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const AREA: &str = "mesh";
/// How long a node may take to count what it refused.
const COUNT_TIME: Duration = Duration::from_secs(5);

/// Sends everything to the first validator. The member node's process must have been stopped: its
/// key is the stolen one.
pub(super) async fn send(network: &Network, api: &Api, table: &mut Table) -> Result<(), Trouble> {
    let _crowd = strangers::crowd(network).await?;
    let clients = strangers::Clients::start(network)?;
    strangers::send(network, api, table).await?;
    let mut thief = Thief::start(network, api, network.genesis().chain().0).await?;
    thief.wait_until_connected().await?;
    bytes::send(&thief, table).await?;
    votes::send(network, &thief, table).await?;
    named::send(network, &mut thief, table).await?;
    lies::send(&mut thief, table).await?;
    thief.handle.stop();
    clients.finish(table).await
}

/// A peer with the key of the member node.
struct Thief {
    /// Of the first validator, which gets most of it.
    api: Api,
    target: NodeId,
    validators: Vec<(NodeId, Api)>,
    handle: MeshHandle,
    requests: mpsc::Receiver<Request>,
}

impl Thief {
    async fn start(network: &Network, api: &Api, chain: [u8; 32]) -> Result<Self, Trouble> {
        let key = std::fs::read(network.path(network.member(), "node.key.json"))?;
        let secret = *KeyFile::parse_for(KeyUse::Node, &key)?.secret();
        let mut validators = Vec::new();
        for node in network.validators() {
            validators.push((node_of(network, node)?, Api::new(&network.nodes()[node].api)?));
        }
        let (target, mesh) = (node_of(network, 0)?, start(network, secret, chain)?);
        let Mesh { handle, events, .. } = mesh;
        let MeshEvents { requests, mut peers, mut consensus, mut bulk } = events;
        // What the validators say is of no interest, but a lane that is not read is refused.
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(_) = peers.recv() => {}
                    Some(_) = consensus.recv() => {}
                    Some(_) = bulk.recv() => {}
                    else => break,
                }
            }
        });
        Ok(Self { api: api.clone(), target, validators, handle, requests })
    }

    async fn wait_until_connected(&self) -> Result<(), Trouble> {
        let start = Instant::now();
        while self.handle.connected().len() < self.validators.len() {
            if start.elapsed() > limits::PATIENCE {
                return Err(Trouble::new("the node of a stolen key was not let in"));
            }
            tokio::time::sleep(limits::LOOK_INTERVAL).await;
        }
        Ok(())
    }

    fn send(&self, lane: Lane, frame: Vec<u8>) -> Result<(), Trouble> {
        Ok(self.handle.send(self.target, lane, frame.into())?)
    }

    /// Sends a frame, and says what the node counted it as.
    async fn counted(&self, lane: Lane, frame: Vec<u8>, as_what: &str) -> Result<String, Trouble> {
        let before = counter(&self.api, as_what).await?;
        self.send(lane, frame)?;
        let start = Instant::now();
        while counter(&self.api, as_what).await? <= before {
            if start.elapsed() > COUNT_TIME {
                return Ok(format!("not counted as {as_what}"));
            }
            tokio::time::sleep(limits::LOOK_INTERVAL).await;
        }
        Ok(counted_as(as_what))
    }
}

/// What a row says of a frame that was refused and counted.
fn counted_as(what: &str) -> String {
    format!("refused, counted as {what}")
}

/// A counter of the node's metrics: the reason of a refused frame, or the name of a counter.
async fn counter(api: &Api, what: &str) -> Result<u64, Trouble> {
    let page = api.text("/metrics").await?;
    let labelled = format!("probata_refused_frames_total{{reason=\"{what}\"}} ");
    let plain = format!("probata_{what}_total ");
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(&labelled).or_else(|| line.strip_prefix(&plain)));
    Ok(line.map_or(Ok(0), str::parse)?)
}

/// A mesh node with this key, which takes the validators for its peers.
fn start(network: &Network, secret: [u8; 32], chain: [u8; 32]) -> Result<Mesh, Trouble> {
    let validators = network.genesis().nodes().filter(|node| node.validator.is_some());
    let peers = validators.map(|node| {
        let addresses = vec![node.address.to_string()];
        Ok(PeerConfig { node: NodeId::from_bytes(node.key.0)?, addresses, validator: true })
    });
    let peers = peers.collect::<Result<Vec<_>, Trouble>>()?;
    let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    Ok(network::start(MeshConfig { secret, listen, peers, chain })?)
}

/// The mesh identity of a node of the network.
fn node_of(network: &Network, node: usize) -> Result<NodeId, Trouble> {
    let institution = network.nodes()[node].institution;
    let found = network.genesis().nodes().find(|node| *node.institution == institution);
    let found = found.ok_or_else(|| Trouble::new("genesis names every node"))?;
    Ok(NodeId::from_bytes(found.key.0)?)
}

/// The address of a node's mesh port: `HOST:PORT`.
fn mesh_address(network: &Network, node: usize) -> Result<String, Trouble> {
    let institution = network.nodes()[node].institution;
    let found = network.genesis().nodes().find(|node| *node.institution == institution);
    let address = found.map(|node| node.address.to_string()).unwrap_or_default();
    let port = address.rsplit('/').next().unwrap_or_default();
    Ok(format!("127.0.0.1:{port}"))
}
