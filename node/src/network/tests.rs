//! Real nodes on loopback, and raw peers that break the rules.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::*;

mod hostile;
mod lanes;
mod peers;
mod requests;
mod roster;

const CHAIN: [u8; 32] = [0xc4; 32];
/// Longer than anything takes on a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

fn id(seed: u8) -> NodeId {
    NodeId::from_secret([seed; 32])
}

/// A validator that is dialled at `addresses`.
fn peer(seed: u8, addresses: &[String]) -> PeerConfig {
    PeerConfig { node: id(seed), addresses: addresses.to_vec(), validator: true }
}

fn config(seed: u8, port: u16, peers: Vec<PeerConfig>) -> MeshConfig {
    let listen = vec![format!("/ip4/127.0.0.1/tcp/{port}")];
    MeshConfig { secret: [seed; 32], listen, peers, chain: CHAIN }
}

fn launch(seed: u8, port: u16, peers: Vec<PeerConfig>) -> Mesh {
    start(config(seed, port, peers)).unwrap()
}

/// Where a node listens, once it does.
async fn address(mesh: &Mesh) -> String {
    until("listening", || !mesh.handle.listening().is_empty()).await;
    mesh.handle.listening().remove(0)
}

/// Two nodes, 1 and 2, that are connected. The second dialled.
async fn pair() -> (Mesh, Mesh) {
    let a = launch(1, 0, vec![peer(2, &[])]);
    let b = launch(2, 0, vec![peer(1, &[address(&a).await])]);
    connected(&[&a, &b]).await;
    (a, b)
}

/// Waits until each of these is connected to all the others.
async fn connected(all: &[&Mesh]) {
    let others = all.len() - 1;
    until("connected", || all.iter().all(|m| m.handle.connected().len() == others)).await;
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "not {what} in time");
        sleep(Duration::from_millis(5)).await;
    }
}

async fn take<T>(receiver: &mut mpsc::Receiver<T>) -> T {
    timeout(PATIENCE, receiver.recv()).await.expect("in time").expect("the mesh runs")
}

fn stats_of(mesh: &Mesh, seed: u8) -> PeerStats {
    let stats = mesh.handle.stats();
    stats.peers.into_iter().find(|peer| peer.node == id(seed)).expect("a configured peer")
}

/// Sends one frame each way on both lanes, and takes them.
async fn exchange(a: &mut Mesh, to_b: NodeId, b: &mut Mesh, to_a: NodeId) {
    for lane in Lane::ALL {
        a.handle.send(to_b, lane, numbered(1, 64)).unwrap();
        b.handle.send(to_a, lane, numbered(2, 64)).unwrap();
    }
    for (mesh, number) in [(a, 2), (b, 1)] {
        assert_eq!(number_of(&take(&mut mesh.events.consensus).await), number);
        assert_eq!(number_of(&take(&mut mesh.events.bulk).await), number);
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A frame that says its number, in `length` bytes.
fn numbered(number: u32, length: usize) -> Arc<[u8]> {
    let mut bytes = vec![u8::try_from(number % 251).unwrap(); length.max(4)];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    bytes.into()
}

fn number_of(frame: &Frame) -> u32 {
    u32::from_be_bytes(frame.bytes[..4].try_into().unwrap())
}
