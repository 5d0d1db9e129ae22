//! Whoever has no key that genesis names.

use super::{AREA, Thief, counted_as, counter, mesh_address, node_of, start};
use crate::hostile::{http::Api, table::Table};
use probata_node::network::Lane;
use probata_tests::{Trouble, limits, network::Network};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

/// Connections to a mesh port that say nothing: as many handshakes as a node has under way at once.
const CROWD: usize = 256;
/// Longer than a node gives a handshake.
const HANDSHAKE: Duration = Duration::from_secs(20);
/// How long a stranger tries.
const TRIES: Duration = Duration::from_secs(2);

/// Opens connections that stay silent until they are dropped.
pub(super) async fn crowd(network: &Network) -> Result<Vec<TcpStream>, Trouble> {
    let address = mesh_address(network, 1)?;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(TcpStream::connect(&address).await?);
    }
    Ok(crowd)
}

pub(super) async fn send(network: &Network, api: &Api, table: &mut Table) -> Result<(), Trouble> {
    let before = counter(api, "mesh_refused_connections").await?;
    let stranger = start(network, [0x66; 32], network.genesis().chain().0)?;
    let target = node_of(network, 0)?;
    let arrived = arrives(api, || {
        for lane in Lane::ALL {
            // It is disconnected as soon as it has said who it is.
            let _ = stranger.handle.send(target, lane, vec![0xff; 100].into());
        }
    });
    let arrived = arrived.await?;
    stranger.handle.stop();
    let counted = counter(api, "mesh_refused_connections").await? > before;
    let got = match (arrived, counted) {
        (true, _) => "let in".to_owned(),
        (false, true) => counted_as("mesh_refused_connections"),
        (false, false) => "not counted".to_owned(),
    };
    let expected = counted_as("mesh_refused_connections");
    table.note(AREA, "a libp2p peer that genesis does not name", expected, got);
    other_chain(network, api, table).await
}

/// The right key on another chain: the connection stands, and no frame goes over it.
async fn other_chain(network: &Network, api: &Api, table: &mut Table) -> Result<(), Trouble> {
    let lost = Thief::start(network, api, [7; 32]).await?;
    let arrived = arrives(api, || {
        for lane in Lane::ALL {
            // It may be connected or not; what counts is that nothing arrives.
            let _ = lost.send(lane, vec![0xff; 100]);
        }
    });
    let arrived = arrived.await?;
    lost.handle.stop();
    let got = if arrived { "frames arrive" } else { "nothing arrives" };
    table.note(AREA, "a stolen key on another chain", "nothing arrives", got);
    Ok(())
}

/// Whether any frame of what is sent arrives while somebody tries.
async fn arrives(api: &Api, send: impl Fn()) -> Result<bool, Trouble> {
    let count = async || -> Result<u64, Trouble> {
        Ok(counter(api, "consensus_bytes").await? + counter(api, "bulk_bytes").await?)
    };
    let (before, begun) = (count().await?, Instant::now());
    while begun.elapsed() < TRIES {
        send();
        tokio::time::sleep(limits::LOOK_INTERVAL).await;
    }
    Ok(count().await? > before)
}

/// Clients of the mesh port that do not speak as nodes do. They run beside the others, since some
/// are given the whole time of a handshake.
pub(super) struct Clients(JoinSet<Result<(&'static str, &'static str), Trouble>>);

impl Clients {
    pub(super) fn start(network: &Network) -> Result<Self, Trouble> {
        let address = mesh_address(network, 0)?;
        let http = b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n".to_vec();
        let plaintext = b"\x13/multistream/1.0.0\n\x11/plaintext/2.0.0\n".to_vec();
        let mut clients = JoinSet::new();
        for (name, bytes) in [
            ("100 kB of noise at the mesh port", vec![0x16; 100_000]),
            ("HTTP at the mesh port", http),
            ("libp2p without encryption", plaintext),
            ("nothing at the mesh port", Vec::new()),
        ] {
            clients.spawn(speak(address.clone(), name, bytes));
        }
        Ok(Self(clients))
    }

    pub(super) async fn finish(mut self, table: &mut Table) -> Result<(), Trouble> {
        while let Some(client) = self.0.join_next().await {
            let (name, got) = client??;
            table.note(AREA, name, "closed", got);
        }
        Ok(())
    }
}

async fn speak(
    address: String,
    name: &'static str,
    bytes: Vec<u8>,
) -> Result<(&'static str, &'static str), Trouble> {
    let mut stream = TcpStream::connect(&address).await?;
    // It may be closed before all is sent.
    let _ = stream.write_all(&bytes).await;
    let mut answer = Vec::new();
    let ended = timeout(HANDSHAKE, stream.read_to_end(&mut answer)).await.is_ok();
    // What may come back is what libp2p says to everybody, never a word of ours.
    let ours = answer.windows(7).any(|part| part == b"probata");
    Ok(match (ended, ours) {
        (_, true) => (name, "answered"),
        (true, false) => (name, "closed"),
        (false, false) => (name, "left waiting"),
    })
}
