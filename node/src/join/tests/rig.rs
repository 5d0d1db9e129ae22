//! Peers on loopback that answer as a test likes, and a mesh that asks them.

use crate::{
    metrics::Metrics,
    network::{Mesh, MeshConfig, MeshHandle, NodeId, PeerConfig, start},
    wire::Ask,
};
use probata_types::Hash;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// The number of the node that asks.
const ASKS: u8 = 99;

/// What a peer answers to a request; `None` lets it go.
pub(crate) type Answers = Box<dyn FnMut(&Ask) -> Option<Vec<u8>> + Send>;

/// A peer that serves as it likes, and what it was asked.
pub(crate) struct Server {
    pub(crate) node: NodeId,
    pub(crate) asked: Arc<Mutex<Vec<Ask>>>,
    address: String,
    _handle: MeshHandle,
}

pub(crate) async fn serve(chain: Hash, number: u8, mut answers: Answers) -> Server {
    let asks = NodeId::from_secret([ASKS; 32]);
    let peer = PeerConfig { node: asks, addresses: Vec::new(), validator: false };
    let mut mesh = mesh(chain, number, vec![peer]);
    while mesh.handle.listening().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (address, handle) = (mesh.handle.listening().remove(0), mesh.handle.clone());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Some(request) = mesh.events.requests.recv().await {
            let ask = Ask::decode(&request.bytes).unwrap();
            log.lock().unwrap().push(ask.clone());
            if let Some(answer) = answers(&ask) {
                let _ = request.reply.send(answer);
            }
        }
    });
    Server { node: NodeId::from_secret([number; 32]), asked, address, _handle: handle }
}

/// The mesh of the node that asks, connected to all servers.
pub(crate) async fn connected(chain: Hash, servers: &[&Server]) -> Mesh {
    let peers = servers.iter().map(|server| PeerConfig {
        node: server.node,
        addresses: vec![server.address.clone()],
        validator: true,
    });
    let mesh = mesh(chain, ASKS, peers.collect());
    while mesh.handle.connected().len() < servers.len() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    mesh
}

fn mesh(chain: Hash, number: u8, peers: Vec<PeerConfig>) -> Mesh {
    let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    start(MeshConfig { secret: [number; 32], listen, peers, chain: chain.0 }).unwrap()
}

/// Who is named for what did not hold, in order.
pub(crate) fn named(metrics: &Metrics) -> Vec<String> {
    let page = metrics.events();
    let lines =
        page.lines().filter_map(|it| it.strip_prefix("probata_refused_peers_total{peer=\""));
    let mut names: Vec<String> =
        lines.map(|rest| rest.split_once('"').unwrap().0.to_owned()).collect();
    names.sort();
    names
}

/// The names of some servers, in order.
pub(crate) fn names(servers: &[&Server]) -> Vec<String> {
    let mut names: Vec<String> = servers.iter().map(|server| server.node.to_string()).collect();
    names.sort();
    names
}
