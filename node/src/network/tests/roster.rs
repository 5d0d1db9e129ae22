//! The list of peers, replaced while the mesh runs.

use std::sync::Weak;

use super::super::peer::Peer;
use super::*;

fn set(mesh: &Mesh, peers: Vec<PeerConfig>) {
    mesh.handle.set_peers(peers).unwrap();
}

/// Nodes 1, 2 and 3, of which the first is connected to both others. They dialled it.
async fn star() -> (Mesh, Mesh, Mesh) {
    let a = launch(1, 0, vec![peer(2, &[]), peer(3, &[])]);
    let at = [address(&a).await];
    let [b, c] = [2, 3].map(|seed| launch(seed, 0, vec![peer(1, &at)]));
    until("connected", || a.handle.connected().len() == 2).await;
    until("connected", || [&b, &c].iter().all(|m| !m.handle.connected().is_empty())).await;
    (a, b, c)
}

fn ask(mesh: &Mesh, to: NodeId) -> tokio::task::JoinHandle<Result<Vec<u8>, RequestError>> {
    let handle = mesh.handle.clone();
    tokio::spawn(async move { handle.request(to, vec![1], PATIENCE).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_listed_while_the_mesh_runs_is_let_in_and_dialled() {
    let mut a = launch(1, 0, vec![]);
    let mut b = launch(2, 0, vec![peer(1, &[address(&a).await])]);
    let mut c = launch(3, 0, vec![peer(1, &[])]);
    until("refused", || a.handle.stats().refused_connections > 0).await;

    // As the chain does: from a thread without a runtime, and with this node in the list.
    let list = vec![peer(1, &[]), peer(2, &[]), peer(3, &[address(&c).await])];
    let handle = a.handle.clone();
    std::thread::spawn(move || handle.set_peers(list)).join().unwrap().unwrap();
    let listed: Vec<NodeId> = a.handle.stats().peers.iter().map(|peer| peer.node).collect();
    assert!(listed.len() == 2 && listed.contains(&id(2)) && listed.contains(&id(3)));

    until("connected", || a.handle.connected().len() == 2).await;
    until("connected", || stats_of(&b, 1).connected_for.is_some()).await;
    until("connected", || stats_of(&c, 1).connected_for.is_some()).await;
    // Node 2 was refused before and comes again; what it sends now is not lost with an old try.
    let established = stats_of(&b, 1).reconnects;
    exchange(&mut a, id(2), &mut b, id(1)).await;
    exchange(&mut a, id(3), &mut c, id(1)).await;
    assert_eq!(stats_of(&b, 1).reconnects, established);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_removed_is_cut_and_does_not_come_back() {
    let (mut a, mut b) = pair().await;
    exchange(&mut a, id(2), &mut b, id(1)).await;
    assert_eq!(take(&mut a.events.peers).await, PeerEvent::Connected(id(2)));

    set(&a, vec![]);
    assert!(a.handle.connected().is_empty() && a.handle.stats().peers.is_empty());
    let frame = numbered(3, 64);
    let sent = a.handle.send(id(2), Lane::Consensus, Arc::clone(&frame));
    assert_eq!(sent, Err(SendError::UnknownPeer(id(2))));
    assert_eq!(a.handle.broadcast(Lane::Bulk, &frame, false), Ok(0));
    let asked = a.handle.request(id(2), vec![1], PATIENCE).await;
    assert_eq!(asked, Err(RequestError::UnknownPeer(id(2))));
    assert_eq!(take(&mut a.events.peers).await, PeerEvent::Disconnected(id(2)));

    // It speaks for as long as it believes to be connected, and dials again and again.
    until("refused", || {
        for lane in Lane::ALL {
            let _ = b.handle.send(id(1), lane, numbered(4, 64));
        }
        a.handle.stats().refused_connections >= 3
    })
    .await;
    assert!(a.handle.connected().is_empty());
    assert!(a.events.peers.try_recv().is_err());
    assert!(a.events.consensus.try_recv().is_err() && a.events.bulk.try_recv().is_err());
    assert!(b.events.consensus.try_recv().is_err() && b.events.bulk.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stays_keeps_its_connection_and_loses_nothing() {
    let (mut a, mut b) = pair().await;
    exchange(&mut a, id(2), &mut b, id(1)).await;
    let before = stats_of(&a, 2).connected_for.unwrap();
    let start = Instant::now();
    let elsewhere = [format!("/ip4/127.0.0.1/tcp/{}", free_port())];
    for number in 0..200 {
        for lane in Lane::ALL {
            a.handle.send(id(2), lane, numbered(number, 3000)).unwrap();
            b.handle.send(id(1), lane, numbered(number, 3000)).unwrap();
        }
        let addresses = if number % 3 == 0 { &elsewhere[..] } else { &[] };
        let stays = PeerConfig { validator: number % 2 == 0, ..peer(2, addresses) };
        let mut list = vec![stays];
        if number % 5 < 3 {
            list.push(peer(3, &elsewhere));
        }
        set(&a, list);
        for mesh in [&mut a, &mut b] {
            assert_eq!(number_of(&take(&mut mesh.events.consensus).await), number);
            assert_eq!(number_of(&take(&mut mesh.events.bulk).await), number);
        }
    }
    let passed = start.elapsed();
    let at_a = stats_of(&a, 2);
    assert!(at_a.connected_for.unwrap() - before >= passed, "connected since the same moment");
    for stats in [at_a, stats_of(&b, 1)] {
        assert_eq!((stats.reconnects, stats.violations), (0, 0));
        for lane in [stats.consensus, stats.bulk] {
            assert_eq!((lane.received_frames, lane.dropped_frames), (201, 0));
        }
    }
    for (mesh, other) in [(&mut a, 2), (&mut b, 1)] {
        assert_eq!(take(&mut mesh.events.peers).await, PeerEvent::Connected(id(other)));
        assert!(mesh.events.peers.try_recv().is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_votes_may_change() {
    let (a, mut b, mut c) = star().await;
    let member = |seed| PeerConfig { validator: false, ..peer(seed, &[]) };
    let lists = [
        (vec![peer(2, &[]), peer(3, &[])], [true, true]),
        (vec![peer(2, &[]), member(3)], [true, false]),
        (vec![member(2), peer(3, &[])], [false, true]),
        (vec![member(2), member(3)], [false, false]),
        (vec![peer(2, &[]), peer(3, &[])], [true, true]),
    ];
    for (number, (list, votes)) in (0u32..).zip(lists) {
        set(&a, list);
        let voters = votes.iter().filter(|votes| **votes).count();
        let frame = numbered(number, 64);
        assert_eq!(a.handle.broadcast(Lane::Consensus, &frame, true), Ok(voters));
        assert_eq!(a.handle.broadcast(Lane::Bulk, &frame, false), Ok(2));
        assert_eq!([2, 3].map(|seed| stats_of(&a, seed).validator), votes);
        for (mesh, votes) in [&mut b, &mut c].into_iter().zip(votes) {
            assert_eq!(number_of(&take(&mut mesh.events.bulk).await), number);
            if votes {
                assert_eq!(number_of(&take(&mut mesh.events.consensus).await), number);
            }
        }
    }
    for mesh in [&mut b, &mut c] {
        assert!(mesh.events.consensus.try_recv().is_err(), "a member is sent no votes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_removed_and_listed_again_starts_anew() {
    let (mut a, mut b) = pair().await;
    for round in 1..=4 {
        exchange(&mut a, id(2), &mut b, id(1)).await;
        assert_eq!(take(&mut a.events.peers).await, PeerEvent::Connected(id(2)));
        set(&a, vec![]);
        // In every other round both lists come before the mesh task has looked, most likely.
        if round % 2 == 0 {
            until("cut", || b.handle.connected().is_empty()).await;
        }
        set(&a, vec![peer(2, &[])]);
        assert_eq!(stats_of(&a, 2).consensus, LaneStats::default());
        assert_eq!(take(&mut a.events.peers).await, PeerEvent::Disconnected(id(2)));
        until("back", || stats_of(&b, 1).reconnects >= round).await;
        connected(&[&a, &b]).await;
    }
    exchange(&mut a, id(2), &mut b, id(1)).await;
    let at_a = stats_of(&a, 2);
    assert_eq!((at_a.reconnects, at_a.consensus.sent_frames, at_a.bulk.received_frames), (0, 1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_ends_when_whom_it_asks_is_removed() {
    let (mut a, b) = pair().await;
    let asked = ask(&b, id(1));
    let _held = take(&mut a.events.requests).await;
    set(&b, vec![]);
    let ended = timeout(PATIENCE / 2, asked).await.unwrap().unwrap();
    assert_eq!(ended, Err(RequestError::UnknownPeer(id(1))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_ends_when_who_asks_is_removed() {
    let (mut a, b) = pair().await;
    let asked = ask(&b, id(1));
    let mut held = take(&mut a.events.requests).await;
    set(&a, vec![]);
    // Well before `SERVE_TIME`, which would end it too.
    timeout(PATIENCE / 2, held.reply.closed()).await.unwrap();
    let ended = timeout(PATIENCE / 2, asked).await.unwrap().unwrap();
    assert!(matches!(ended, Err(RequestError::Refused(_))), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_is_dialled_where_the_last_list_says() {
    let nowhere = [format!("/ip4/127.0.0.1/tcp/{}", free_port())];
    let b = launch(2, 0, vec![peer(1, &[])]);
    let mut a = launch(1, 0, vec![peer(2, &nowhere)]);
    set(&a, vec![peer(2, &[address(&b).await])]);
    connected(&[&a, &b]).await;
    assert_eq!(take(&mut a.events.peers).await, PeerEvent::Connected(id(2)));

    // It is to move, and stays connected until it does.
    let port = free_port();
    set(&a, vec![peer(2, &[format!("/ip4/127.0.0.1/tcp/{port}")])]);
    b.handle.send(id(1), Lane::Bulk, numbered(1, 64)).unwrap();
    assert_eq!(number_of(&take(&mut a.events.bulk).await), 1);
    assert!(a.events.peers.try_recv().is_err());
    b.handle.stop();
    timeout(PATIENCE, b.task).await.unwrap().unwrap();
    assert_eq!(take(&mut a.events.peers).await, PeerEvent::Disconnected(id(2)));
    let mut b = launch(2, port, vec![peer(1, &[])]);
    assert_eq!(take(&mut a.events.peers).await, PeerEvent::Connected(id(2)));
    connected(&[&a, &b]).await;
    exchange(&mut a, id(2), &mut b, id(1)).await;
}

/// Every peer that was ever listed, to see it go. A session, a lane and a request each hold theirs.
fn remember(seen: &mut Vec<Weak<Peer>>, mesh: &Mesh) {
    seen.extend(mesh.handle.roster().iter().map(|listed| Arc::downgrade(&listed.peer)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_lists_leave_nothing_behind() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let [mut b, mut c] = [2, 3].map(|seed| launch(seed, 0, vec![peer(1, &[])]));
    let both = vec![peer(2, &[address(&b).await]), peer(3, &[address(&c).await])];
    let nowhere = peer(4, &[format!("/ip4/127.0.0.1/tcp/{}", free_port())]);
    let mut a = launch(1, 0, both.clone());
    until("connected", || a.handle.connected().len() == 2).await;
    until("connected", || [&b, &c].iter().all(|m| !m.handle.connected().is_empty())).await;
    exchange(&mut a, id(2), &mut b, id(1)).await;
    exchange(&mut a, id(3), &mut c, id(1)).await;
    let settled = tasks();

    let mut seen = Vec::new();
    for round in 0..100 {
        let candidates = [(&both[0], 2), (&both[1], 3), (&nowhere, 5)];
        let listed = candidates.iter().filter(|(_, every)| round % every == 0);
        set(&a, listed.map(|(peer, _)| (*peer).clone()).collect());
        remember(&mut seen, &a);
        if round % 6 == 0 {
            until("connected", || a.handle.connected().len() == 2).await;
            // To be cut: a request, and frames on both lanes.
            ask(&a, id(2));
            for lane in Lane::ALL {
                a.handle.broadcast(lane, &numbered(round, 10_000), false).unwrap();
            }
        }
    }
    assert_eq!(seen.len(), 50 + 34 + 20);
    set(&a, vec![]);
    until("forgotten", || seen.iter().all(|peer| peer.strong_count() == 0)).await;
    until("cut", || [&b, &c].iter().all(|m| m.handle.connected().is_empty())).await;
    assert!(!a.task.is_finished());

    set(&a, both);
    until("connected", || a.handle.connected().len() == 2).await;
    until("connected", || [&b, &c].iter().all(|m| !m.handle.connected().is_empty())).await;
    for mesh in [&mut b, &mut c] {
        while mesh.events.consensus.try_recv().is_ok() {}
        while mesh.events.bulk.try_recv().is_ok() {}
    }
    exchange(&mut a, id(2), &mut b, id(1)).await;
    exchange(&mut a, id(3), &mut c, id(1)).await;
    while b.events.requests.try_recv().is_ok() {}
    until("settled", || tasks() <= settled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_cannot_be_followed_changes_nothing() {
    const MOST: usize = crate::limits::mesh::MAX_PEERS;
    let (mut a, mut b) = pair().await;
    let error = |list| a.handle.set_peers(list).unwrap_err();
    let twice = error(vec![peer(2, &[]), peer(3, &[]), peer(3, &[])]);
    assert_eq!(twice, PeersError::Duplicate(id(3)));
    let nowhere = error(vec![peer(3, &["localhost:80".to_owned()])]);
    assert!(matches!(&nowhere, PeersError::Address(_)), "{nowhere}");
    let many = |count: usize| -> Vec<PeerConfig> {
        let node = |number: usize| {
            let mut secret = [7; 32];
            secret[..8].copy_from_slice(&number.to_be_bytes());
            NodeId::from_secret(secret)
        };
        (0..count).map(|number| PeerConfig { node: node(number), ..peer(2, &[]) }).collect()
    };
    assert_eq!(error(many(MOST + 1)), PeersError::TooMany { count: MOST + 1 });
    assert_eq!(a.handle.connected(), [id(2)]);
    exchange(&mut a, id(2), &mut b, id(1)).await;
    assert_eq!(a.handle.stats().peers.len(), 1);
    // This node itself takes no place of theirs.
    let mut most = many(MOST - 1);
    most.extend([peer(1, &[]), peer(2, &[])]);
    set(&a, most);
    assert_eq!(a.handle.stats().peers.len(), MOST);
    exchange(&mut a, id(2), &mut b, id(1)).await;
    assert_eq!(stats_of(&b, 1).reconnects, 0);
}
