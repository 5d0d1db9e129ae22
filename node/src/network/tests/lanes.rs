//! Frames: their order, their limits, and that no lane waits for another.

use std::collections::BTreeMap;

use super::*;
use crate::limits::mesh::{INBOX_BULK_BYTES, INBOX_FRAMES, MAX_BULK_FRAME, MAX_CONSENSUS_FRAME};

fn receiver(mesh: &mut Mesh, lane: Lane) -> &mut mpsc::Receiver<Frame> {
    match lane {
        Lane::Consensus => &mut mesh.events.consensus,
        Lane::Bulk => &mut mesh.events.bulk,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_exchange_frames_in_order_on_both_lanes() {
    const FRAMES: u32 = 400;
    let (mut a, mut b) = pair().await;
    let length = |number: u32| usize::try_from(number % 50).unwrap() * 300;
    for number in 0..FRAMES {
        for lane in Lane::ALL {
            a.handle.send(id(2), lane, numbered(number, length(number))).unwrap();
            b.handle.send(id(1), lane, numbered(number, length(number))).unwrap();
        }
    }
    for (mesh, from) in [(&mut a, id(2)), (&mut b, id(1))] {
        for lane in Lane::ALL {
            for number in 0..FRAMES {
                let frame = take(receiver(mesh, lane)).await;
                assert_eq!((frame.from, frame.lane), (from, lane));
                assert_eq!(frame.bytes, *numbered(number, length(number)));
            }
        }
    }
    let sum: u64 = (0..FRAMES).map(|number| length(number).max(4) as u64).sum();
    let at_a = stats_of(&a, 2);
    for lane in [at_a.consensus, at_a.bulk] {
        assert_eq!((lane.sent_frames, lane.sent_bytes), (u64::from(FRAMES), sum));
        assert_eq!((lane.received_frames, lane.received_bytes), (u64::from(FRAMES), sum));
        assert_eq!((lane.dropped_frames, lane.queued_frames, lane.queued_bytes), (0, 0, 0));
    }
    assert_eq!((at_a.reconnects, at_a.violations), (0, 0));
    assert!(at_a.connected_for.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_broadcast_to_all_or_to_validators() {
    const FRAMES: u32 = 50;
    // Node 4 does not vote. Each dials those that were started before it.
    let mut all: Vec<Mesh> = Vec::new();
    for seed in 1..=4 {
        let mut peers = Vec::new();
        for other in (1..=4).filter(|other| *other != seed) {
            let known = all.get(usize::from(other) - 1);
            let addresses = match known {
                Some(mesh) => vec![address(mesh).await],
                None => Vec::new(),
            };
            peers.push(PeerConfig { validator: other != 4, ..peer(other, &addresses) });
        }
        all.push(launch(seed, 0, peers));
    }
    connected(&all.iter().collect::<Vec<_>>()).await;
    for number in 0..FRAMES {
        for (at, mesh) in all.iter().enumerate() {
            let validators = if at == 3 { 3 } else { 2 };
            let frame = numbered(number, 1000);
            assert_eq!(mesh.handle.broadcast(Lane::Consensus, &frame, true), Ok(validators));
            assert_eq!(mesh.handle.broadcast(Lane::Bulk, &frame, false), Ok(3));
        }
    }
    for (at, mesh) in all.iter_mut().enumerate() {
        let consensus = if at == 3 { 0 } else { 3 };
        for (lane, senders) in [(Lane::Consensus, consensus), (Lane::Bulk, 3)] {
            let mut next = BTreeMap::new();
            for _ in 0..senders * FRAMES {
                let frame = take(receiver(mesh, lane)).await;
                let expected = next.entry(frame.from).or_insert(0);
                assert_eq!(number_of(&frame), *expected);
                *expected += 1;
            }
            assert_eq!(next.len(), usize::try_from(senders).unwrap());
        }
    }
    assert!(all[3].events.consensus.try_recv().is_err(), "a member is sent no votes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_frames_pass() {
    let (mut a, b) = pair().await;
    for lane in Lane::ALL {
        b.handle.send(id(1), lane, numbered(5, lane.max_frame())).unwrap();
        let frame = take(receiver(&mut a, lane)).await;
        assert_eq!(frame.bytes, *numbered(5, lane.max_frame()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_cannot_be_sent_are_refused_at_once() {
    let a = launch(1, 0, vec![peer(2, &[])]);
    let frame = numbered(0, 10);
    let unknown = a.handle.send(id(3), Lane::Bulk, Arc::clone(&frame));
    assert_eq!(unknown, Err(SendError::UnknownPeer(id(3))));
    let absent = a.handle.send(id(2), Lane::Bulk, Arc::clone(&frame));
    assert_eq!(absent, Err(SendError::NotConnected));
    assert_eq!(a.handle.broadcast(Lane::Bulk, &frame, false), Ok(0));
    for (lane, limit) in [(Lane::Consensus, MAX_CONSENSUS_FRAME), (Lane::Bulk, MAX_BULK_FRAME)] {
        let long = numbered(0, limit + 1);
        let refused = SendError::TooLarge { length: limit + 1, limit };
        assert_eq!(a.handle.broadcast(lane, &long, false), Err(refused.clone()));
        assert_eq!(a.handle.send(id(2), lane, long), Err(refused));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_bulk_lane_delays_neither_consensus_nor_other_peers() {
    let a = launch(1, 0, vec![peer(2, &[]), peer(3, &[])]);
    let at = address(&a).await;
    let b = launch(2, 0, vec![peer(1, std::slice::from_ref(&at))]);
    let c = launch(3, 0, vec![peer(1, &[at])]);
    let mut a = a;
    until("connected", || a.handle.connected().len() == 2).await;
    until("connected", || !b.handle.connected().is_empty()).await;
    until("connected", || !c.handle.connected().is_empty()).await;

    // Node 1 takes nothing from its bulk receiver while node 2 floods it.
    let mut sent = 0;
    while stats_of(&b, 1).bulk.dropped_frames < 10 || sent < 40 {
        b.handle.send(id(1), Lane::Bulk, numbered(sent, MAX_BULK_FRAME)).unwrap();
        sent += 1;
        sleep(Duration::from_millis(50)).await;
    }
    let held = stats_of(&a, 2).bulk.received_bytes;
    assert_eq!(held, INBOX_BULK_BYTES as u64, "held for one peer");

    // Consensus of the same peer, and bulk of another, arrive all the same.
    for number in 0..100 {
        b.handle.send(id(1), Lane::Consensus, numbered(number, 1000)).unwrap();
        assert_eq!(number_of(&take(&mut a.events.consensus).await), number);
    }
    c.handle.send(id(1), Lane::Bulk, numbered(7, 1000)).unwrap();
    until("received", || stats_of(&a, 3).bulk.received_frames == 1).await;

    // What was not dropped comes in order once it is taken.
    let mut last = None;
    while last != Some(sent - 1) {
        let frame = take(&mut a.events.bulk).await;
        if frame.from == id(2) {
            assert!(last < Some(number_of(&frame)));
            last = Some(number_of(&frame));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_frames_that_are_not_taken_are_bounded_too() {
    let (mut a, b) = pair().await;
    let frames = u32::try_from(INBOX_FRAMES).unwrap() * 4;
    for number in 0..frames {
        b.handle.send(id(1), Lane::Consensus, numbered(number, 4)).unwrap();
    }
    until("sent", || stats_of(&b, 1).consensus.sent_frames == u64::from(frames)).await;
    until("full", || stats_of(&a, 2).consensus.received_frames == INBOX_FRAMES as u64).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(stats_of(&a, 2).consensus.received_frames, INBOX_FRAMES as u64);
    for number in 0..frames {
        assert_eq!(number_of(&take(&mut a.events.consensus).await), number);
    }
}
