//! Requests: answered, refused, late, too long, too many.

use super::*;
use crate::limits::mesh::{MAX_REQUEST, MAX_RESPONSE, REQUESTS_TO_PEER};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_answered_by_whom_it_names() {
    let (mut a, b) = pair().await;
    let served = tokio::spawn(async move {
        for _ in 0..3 {
            let request = take(&mut a.events.requests).await;
            assert_eq!(request.from, id(2));
            let answer = request.bytes.iter().rev().copied().collect();
            request.reply.send(answer).unwrap();
        }
        a
    });
    for request in [vec![1, 2, 3], Vec::new(), vec![7; MAX_REQUEST]] {
        let expected: Vec<u8> = request.iter().rev().copied().collect();
        assert_eq!(b.handle.request(id(1), request, PATIENCE).await, Ok(expected));
    }
    let a = served.await.unwrap();
    assert_eq!(stats_of(&b, 1).requests_sent, 3);
    until("counted", || stats_of(&a, 2).requests_served == 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_response_passes_and_a_longer_one_is_not_sent() {
    let (mut a, b) = pair().await;
    for (length, fits) in [(MAX_RESPONSE, true), (MAX_RESPONSE + 1, false)] {
        let asked = tokio::spawn({
            let handle = b.handle.clone();
            async move { handle.request(id(1), vec![1], PATIENCE).await }
        });
        take(&mut a.events.requests).await.reply.send(vec![5; length]).unwrap();
        match asked.await.unwrap() {
            Ok(response) => assert!(fits && response == vec![5; length]),
            Err(error) => assert!(!fits && matches!(error, RequestError::Refused(_)), "{error}"),
        }
    }
    assert_eq!(stats_of(&b, 1).violations, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_an_answer_ends_in_time() {
    let (mut a, b) = pair().await;
    let deadline = Duration::from_millis(300);
    let start = Instant::now();
    let late = b.handle.request(id(1), vec![1], deadline).await;
    assert_eq!(late, Err(RequestError::Deadline(deadline)));
    assert!(start.elapsed() >= deadline && start.elapsed() < PATIENCE / 2);
    let held = take(&mut a.events.requests).await;
    drop(held.reply);
    let asked = tokio::spawn({
        let handle = b.handle.clone();
        async move { handle.request(id(1), vec![2], PATIENCE).await }
    });
    drop(take(&mut a.events.requests).await);
    assert!(matches!(asked.await.unwrap(), Err(RequestError::Refused(_))));
    until("counted", || stats_of(&a, 2).requests_refused == 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_cannot_be_asked_fail_at_once() {
    let a = launch(1, 0, vec![peer(2, &[])]);
    let unknown = a.handle.request(id(3), vec![1], PATIENCE).await;
    assert_eq!(unknown, Err(RequestError::UnknownPeer(id(3))));
    let absent = a.handle.request(id(2), vec![1], PATIENCE).await;
    assert_eq!(absent, Err(RequestError::NotConnected));
    let long = a.handle.request(id(2), vec![1; MAX_REQUEST + 1], PATIENCE).await;
    assert_eq!(long, Err(RequestError::TooLarge { length: MAX_REQUEST + 1, limit: MAX_REQUEST }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_under_way_to_a_peer_are_bounded() {
    let (mut a, b) = pair().await;
    let mut asked = Vec::new();
    let mut held = Vec::new();
    for _ in 0..REQUESTS_TO_PEER {
        let handle = b.handle.clone();
        asked.push(tokio::spawn(async move { handle.request(id(1), vec![1], PATIENCE).await }));
        held.push(take(&mut a.events.requests).await);
    }
    assert_eq!(b.handle.request(id(1), vec![1], PATIENCE).await, Err(RequestError::Busy));
    for request in held {
        request.reply.send(vec![2]).unwrap();
    }
    for asked in asked {
        assert_eq!(asked.await.unwrap(), Ok(vec![2]));
    }
    // There is room again.
    let again = tokio::spawn({
        let handle = b.handle.clone();
        async move { handle.request(id(1), vec![1], PATIENCE).await }
    });
    take(&mut a.events.requests).await.reply.send(vec![3]).unwrap();
    assert_eq!(again.await.unwrap(), Ok(vec![3]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_lost_under_a_request_ends_it() {
    let (mut a, b) = pair().await;
    let asked = tokio::spawn({
        let handle = b.handle.clone();
        async move { handle.request(id(1), vec![1], PATIENCE).await }
    });
    let _held = take(&mut a.events.requests).await;
    a.handle.stop();
    timeout(PATIENCE, a.task).await.unwrap().unwrap();
    let error = asked.await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::Refused(_)), "{error}");
}
