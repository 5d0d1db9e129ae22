//! Serve the router on a listener: a bounded number of connections, none of which may dawdle.

use super::linger::Lingering;
use crate::limits;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{pin::pin, sync::Arc};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Serves the API until `stop`; then lets requests under way end, within [`limits::API_STOP_TIME`].
/// With all connections taken, further ones wait in the system's own bounded queue.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(limits::API_CONNECTIONS));
    let connections = TaskTracker::new();
    while let Some((stream, slot)) = next(&listener, &slots, &stop).await {
        connections.spawn(connection(stream, slot, router.clone(), stop.clone()));
    }
    connections.close();
    if timeout(limits::API_STOP_TIME, connections.wait()).await.is_err() {
        tracing::warn!("requests under way were cut off");
    }
}

/// The next connection and its slot; `None` once the API shall stop.
async fn next(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    loop {
        let accepted = async {
            let slot = Arc::clone(slots).acquire_owned().await.expect("it is never closed");
            (listener.accept().await, slot)
        };
        let (accepted, slot) = stop.run_until_cancelled(accepted).await?;
        match accepted {
            Ok((stream, _)) => return Some((stream, slot)),
            Err(error) => {
                // Out of file descriptors, or a connection that broke at once: do not spin.
                tracing::warn!(%error, "cannot accept a connection");
                stop.run_until_cancelled(sleep(limits::API_ACCEPT_PAUSE)).await?;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
    router: Router,
    stop: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot switch off the delay of small packets");
    }
    let stream = Lingering::new(stream, stop.clone());
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::API_HEAD_TIME)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let result = match stop.run_until_cancelled(connection.as_mut()).await {
        Some(result) => result,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection broke");
    }
}
