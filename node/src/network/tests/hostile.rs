//! A peer that speaks libp2p and not our rules, and what becomes of it.

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Stream};
use tokio::task::JoinHandle;

use super::super::behaviour::{BehaviourEvent, build_swarm};
use super::super::channel::Channel;
use super::super::frame::write_frame;
use super::super::streams::StreamEvent;
use super::*;
use crate::limits::mesh::{MAX_BULK_FRAME, MAX_CONSENSUS_FRAME, MAX_REQUEST, MAX_RESPONSE};

const HOSTILE: u8 = 66;

/// A raw peer: gives out the streams that it opens and those that it is offered.
struct Hostile {
    opened: mpsc::Receiver<Stream>,
    offered: mpsc::Receiver<(Channel, Stream)>,
    wanted: mpsc::Sender<Channel>,
    _swarm: JoinHandle<()>,
}

impl Hostile {
    /// Connects to `target`, which takes it for a peer.
    fn connect(target: NodeId, address: &str) -> Self {
        let peer = target.to_peer_id();
        let identity = super::super::node_id::keypair([HOSTILE; 32]);
        let mut swarm = build_swarm(identity, &CHAIN).unwrap();
        swarm.behaviour_mut().allowed.allow_peer(peer);
        swarm.dial(address.parse::<Multiaddr>().unwrap()).unwrap();
        let (wanted, mut wants) = mpsc::channel(8);
        let (opened_tx, opened) = mpsc::channel(8);
        let (offered_tx, offered) = mpsc::channel(8);
        let task = tokio::spawn(async move {
            let mut link = None;
            loop {
                tokio::select! {
                    event = swarm.select_next_some() => match event {
                        SwarmEvent::ConnectionEstablished { connection_id, .. } => {
                            link = Some(connection_id);
                        }
                        SwarmEvent::Behaviour(BehaviourEvent::Streams(event)) => match event {
                            StreamEvent::Outbound { result, .. } => {
                                opened_tx.send(result.unwrap()).await.unwrap();
                            }
                            StreamEvent::Inbound { channel, stream, .. } => {
                                offered_tx.send((channel, stream)).await.unwrap();
                            }
                        },
                        _ => {}
                    },
                    Some(channel) = wants.recv(), if link.is_some() => {
                        swarm.behaviour_mut().streams.open(peer, link.unwrap(), channel);
                    }
                }
            }
        });
        Self { opened, offered, wanted, _swarm: task }
    }

    async fn open(&mut self, channel: Channel) -> Stream {
        self.wanted.send(channel).await.unwrap();
        take(&mut self.opened).await
    }

    async fn offered(&mut self, wanted: Channel) -> Stream {
        loop {
            let (channel, stream) = take(&mut self.offered).await;
            if channel == wanted {
                return stream;
            }
        }
    }
}

/// A node that takes the hostile one for a peer, and the hostile one, connected to it.
async fn victim() -> (Mesh, Hostile) {
    let node = launch(1, 0, vec![peer(HOSTILE, &[])]);
    let hostile = Hostile::connect(id(1), &address(&node).await);
    until("connected", || !node.handle.connected().is_empty()).await;
    (node, hostile)
}

/// The hostile peer was counted, disconnected, and is not let back in.
async fn punished(node: &Mesh) {
    until("counted", || stats_of(node, HOSTILE).violations == 1).await;
    until("disconnected", || node.handle.connected().is_empty()).await;
    let refused = node.handle.stats().refused_connections;
    let _again = Hostile::connect(id(1), &address(node).await);
    until("refused", || node.handle.stats().refused_connections > refused).await;
    assert!(node.handle.connected().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_longer_than_its_lane_allows_is_punished() {
    for (lane, limit) in [(Lane::Consensus, MAX_CONSENSUS_FRAME), (Lane::Bulk, MAX_BULK_FRAME)] {
        for claimed in [u32::try_from(limit + 1).unwrap(), u32::MAX] {
            let (node, mut hostile) = victim().await;
            let mut stream = hostile.open(Channel::Lane(lane)).await;
            stream.write_all(&claimed.to_be_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            punished(&node).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_longer_than_allowed_is_punished() {
    let (node, mut hostile) = victim().await;
    let mut stream = hostile.open(Channel::Request).await;
    let claimed = u32::try_from(MAX_REQUEST + 1).unwrap();
    stream.write_all(&claimed.to_be_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    punished(&node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_longer_than_allowed_is_punished() {
    let (node, mut hostile) = victim().await;
    let asked = tokio::spawn({
        let handle = node.handle.clone();
        async move { handle.request(id(HOSTILE), vec![1], PATIENCE).await }
    });
    let mut stream = hostile.offered(Channel::Request).await;
    let claimed = MAX_RESPONSE + 1;
    stream.write_all(&u32::try_from(claimed).unwrap().to_be_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(error, RequestError::OversizeResponse { claimed, limit: MAX_RESPONSE });
    punished(&node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_on_the_return_path_of_a_lane_are_punished() {
    let (node, mut hostile) = victim().await;
    let mut stream = hostile.offered(Channel::Lane(Lane::Consensus)).await;
    stream.write_all(b"?").await.unwrap();
    stream.flush().await.unwrap();
    punished(&node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_frame_is_lost_whole() {
    let (mut node, mut hostile) = victim().await;
    let mut stream = hostile.open(Channel::Lane(Lane::Consensus)).await;
    write_frame(&mut stream, &numbered(1, 100)).await.unwrap();
    stream.write_all(&100u32.to_be_bytes()).await.unwrap();
    stream.write_all(&[7; 60]).await.unwrap();
    stream.close().await.unwrap();
    assert_eq!(number_of(&take(&mut node.events.consensus).await), 1);
    let mut stream = hostile.open(Channel::Lane(Lane::Consensus)).await;
    write_frame(&mut stream, &numbered(2, 100)).await.unwrap();
    let frame = take(&mut node.events.consensus).await;
    assert_eq!((number_of(&frame), frame.bytes.len()), (2, 100));
    assert_eq!(stats_of(&node, HOSTILE).violations, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_peer_that_keeps_its_streams_open_is_not_heard() {
    let (mut node, mut hostile) = victim().await;
    let mut used = hostile.open(Channel::Lane(Lane::Consensus)).await;
    let mut unused = hostile.open(Channel::Lane(Lane::Bulk)).await;
    write_frame(&mut used, &numbered(1, 10)).await.unwrap();
    assert_eq!(number_of(&take(&mut node.events.consensus).await), 1);
    assert_eq!(take(&mut node.events.peers).await, PeerEvent::Connected(id(HOSTILE)));
    node.handle.set_peers(vec![peer(2, &[])]).unwrap();
    assert_eq!(take(&mut node.events.peers).await, PeerEvent::Disconnected(id(HOSTILE)));
    for stream in [&mut used, &mut unused] {
        let _ = write_frame(stream, &numbered(2, 10)).await;
        assert!(matches!(stream.read(&mut [0; 1]).await, Ok(0) | Err(_)));
        let _ = write_frame(stream, &numbered(3, 10)).await;
    }
    let refused = node.handle.stats().refused_connections;
    let _again = Hostile::connect(id(1), &address(&node).await);
    until("refused", || node.handle.stats().refused_connections > refused).await;
    assert!(node.events.consensus.try_recv().is_err() && node.events.bulk.try_recv().is_err());
    assert!(node.events.peers.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_stream_of_a_lane_replaces_the_one_before() {
    let (mut node, mut hostile) = victim().await;
    let mut old = hostile.open(Channel::Lane(Lane::Bulk)).await;
    write_frame(&mut old, &numbered(1, 10)).await.unwrap();
    assert_eq!(number_of(&take(&mut node.events.bulk).await), 1);
    let mut new = hostile.open(Channel::Lane(Lane::Bulk)).await;
    write_frame(&mut new, &numbered(2, 10)).await.unwrap();
    assert_eq!(number_of(&take(&mut node.events.bulk).await), 2);
    // The old stream was closed by its reader; what is written to it goes nowhere.
    assert!(matches!(old.read(&mut [0; 1]).await, Ok(0) | Err(_)));
    let _ = write_frame(&mut old, &numbered(3, 10)).await;
    write_frame(&mut new, &numbered(4, 10)).await.unwrap();
    assert_eq!(number_of(&take(&mut node.events.bulk).await), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_opened_in_a_flood_leave_the_node_serving() {
    let (mut node, mut hostile) = victim().await;
    for _ in 0..300 {
        drop(hostile.open(Channel::Lane(Lane::Bulk)).await);
    }
    let mut stream = hostile.open(Channel::Lane(Lane::Bulk)).await;
    write_frame(&mut stream, &numbered(9, 10)).await.unwrap();
    assert_eq!(number_of(&take(&mut node.events.bulk).await), 9);
    assert_eq!(node.handle.connected(), [id(HOSTILE)]);
}
