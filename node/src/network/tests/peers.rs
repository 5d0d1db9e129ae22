//! Who is let in, who comes back, and what a configuration may say.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused() {
    let mut a = launch(1, 0, vec![peer(2, &[])]);
    let stranger = launch(3, 0, vec![peer(1, &[address(&a).await])]);
    until("refused", || a.handle.stats().refused_connections >= 2).await;
    // The stranger may believe for a moment that it is connected, and speak.
    let _ = stranger.handle.send(id(1), Lane::Consensus, numbered(1, 64));
    until("refused again", || a.handle.stats().refused_connections >= 4).await;
    assert!(a.handle.connected().is_empty());
    assert!(a.events.peers.try_recv().is_err());
    assert!(a.events.consensus.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_two_chains_exchange_nothing() {
    let mut a = launch(1, 0, vec![peer(2, &[])]);
    let other = MeshConfig { chain: [9; 32], ..config(2, 0, vec![peer(1, &[address(&a).await])]) };
    let b = start(other).unwrap();
    connected(&[&a, &b]).await;
    b.handle.send(id(1), Lane::Consensus, numbered(1, 64)).unwrap();
    let asked = b.handle.request(id(1), vec![1], PATIENCE).await;
    assert!(matches!(asked, Err(RequestError::Refused(_))), "{asked:?}");
    assert!(a.events.consensus.try_recv().is_err());
    assert_eq!(stats_of(&b, 1).consensus.sent_frames, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_restarts_is_dialled_again() {
    let mut b = launch(2, 0, vec![peer(1, &[])]);
    let place = address(&b).await;
    let port: u16 = place.rsplit('/').next().unwrap().parse().unwrap();
    let mut a = launch(1, 0, vec![peer(2, &[place])]);
    connected(&[&a, &b]).await;
    exchange(&mut a, id(2), &mut b, id(1)).await;
    assert_eq!(take(&mut a.events.peers).await, PeerEvent::Connected(id(2)));

    b.handle.stop();
    timeout(PATIENCE, b.task).await.unwrap().unwrap();
    assert_eq!(take(&mut a.events.peers).await, PeerEvent::Disconnected(id(2)));
    let lost = a.handle.send(id(2), Lane::Consensus, numbered(1, 64));
    assert_eq!(lost, Err(SendError::NotConnected));
    assert_eq!(stats_of(&a, 2).connected_for, None);

    // It returns at the same place, and only node 1 knows where that is.
    let mut b = launch(2, port, vec![peer(1, &[])]);
    assert_eq!(take(&mut a.events.peers).await, PeerEvent::Connected(id(2)));
    connected(&[&a, &b]).await;
    exchange(&mut a, id(2), &mut b, id(1)).await;
    assert_eq!(stats_of(&a, 2).reconnects, 1);
}

/// Carries bytes between a client and `target` until it is cut; then it keeps both connections and
/// carries nothing. What connects after that is carried.
struct Wire {
    address: String,
    cut: tokio::sync::watch::Sender<bool>,
}

impl Wire {
    fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = format!("127.0.0.1:{}", target.rsplit('/').next().unwrap());
        let (cut, state) = tokio::sync::watch::channel(false);
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut server = tokio::net::TcpStream::connect(&target).await.unwrap();
                let mut state = state.clone();
                let new = *state.borrow();
                tokio::spawn(async move {
                    let silent = async {
                        let _ = state.wait_for(|cut| *cut).await;
                    };
                    let cut = tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => false,
                        () = silent, if !new => true,
                    };
                    if cut {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { address: format!("/ip4/127.0.0.1/tcp/{port}"), cut }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_went_silent_is_replaced() {
    let mut a = launch(1, 0, vec![peer(2, &[])]);
    let wire = Wire::to(&address(&a).await);
    let mut b = launch(2, 0, vec![peer(1, std::slice::from_ref(&wire.address))]);
    connected(&[&a, &b]).await;
    exchange(&mut a, id(2), &mut b, id(1)).await;
    wire.cut.send(true).unwrap();
    // More than the connection can hold is written to it: it cannot be closed in order.
    for number in 0..4 {
        a.handle
            .send(id(2), Lane::Consensus, numbered(number, Lane::Consensus.max_frame()))
            .unwrap();
        b.handle
            .send(id(1), Lane::Consensus, numbered(number, Lane::Consensus.max_frame()))
            .unwrap();
    }
    // The side that dialled tries another beside it; the other learns of it by being dialled.
    let (to_a, to_b) = (b.handle.clone(), a.handle.clone());
    let heard = async {
        while number_of(&take(&mut a.events.consensus).await) != 78 {}
        while number_of(&take(&mut b.events.consensus).await) != 77 {}
    };
    tokio::pin!(heard);
    let again = std::time::Duration::from_millis(200);
    while tokio::time::timeout(again, &mut heard).await.is_err() {
        to_b.send(id(2), Lane::Consensus, numbered(77, 64)).unwrap();
        to_a.send(id(1), Lane::Consensus, numbered(78, 64)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_may_dial_at_once() {
    for _ in 0..5 {
        let (port_a, port_b) = (free_port(), free_port());
        let place = |port| [format!("/ip4/127.0.0.1/tcp/{port}")];
        let mut a = launch(1, port_a, vec![peer(2, &place(port_b))]);
        let mut b = launch(2, port_b, vec![peer(1, &place(port_a))]);
        connected(&[&a, &b]).await;
        for _ in 0..20 {
            exchange(&mut a, id(2), &mut b, id(1)).await;
        }
        assert_eq!((stats_of(&a, 2).reconnects, stats_of(&b, 1).reconnects), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mesh_stops_when_told_and_when_nobody_holds_it() {
    let (a, b) = pair().await;
    let clone = a.handle.clone();
    drop(a.handle);
    assert!(!a.task.is_finished());
    drop(clone);
    timeout(PATIENCE, a.task).await.unwrap().unwrap();
    until("noticed", || b.handle.connected().is_empty()).await;
    b.handle.stop();
    timeout(PATIENCE, b.task).await.unwrap().unwrap();
    let asked = b.handle.request(id(1), vec![1], PATIENCE).await;
    assert_eq!(asked, Err(RequestError::Stopped));
    let sent = b.handle.send(id(1), Lane::Bulk, numbered(1, 4));
    assert_eq!(sent, Err(SendError::NotConnected));
}

#[tokio::test]
async fn a_configuration_that_contradicts_itself_is_refused() {
    let error = |config| start(config).err().expect("refused").to_string();
    let twice = error(config(1, 0, vec![peer(2, &[]), peer(2, &[])]));
    assert!(twice.contains("named twice"), "{twice}");
    let own = error(config(1, 0, vec![peer(1, &[])]));
    assert!(own.contains("its own peer"), "{own}");
    let form = error(config(1, 0, vec![peer(2, &["localhost:80".to_owned()])]));
    assert!(form.contains("localhost:80"), "{form}");
    let listen = error(MeshConfig { listen: vec!["nowhere".to_owned()], ..config(1, 0, vec![]) });
    assert!(listen.contains("nowhere"), "{listen}");
    let many = vec![peer(2, &[]); crate::limits::mesh::MAX_PEERS + 1];
    let many = error(config(1, 0, many));
    assert!(many.contains("257 peers"), "{many}");
}

#[tokio::test]
async fn an_address_in_use_is_said_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = start(config(1, port, vec![])).err().expect("refused");
    assert!(matches!(&error, MeshError::Listen { .. }), "{error}");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}

#[test]
fn a_mesh_needs_a_runtime() {
    assert!(matches!(start(config(1, 0, vec![])), Err(MeshError::NoRuntime)));
}
