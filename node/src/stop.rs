//! Being told to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves at the first SIGINT or SIGTERM.
///
/// # Panics
/// If the process may not handle signals.
pub async fn requested() {
    let mut interrupt = signal(SignalKind::interrupt()).expect("a process may handle SIGINT");
    let mut terminate = signal(SignalKind::terminate()).expect("a process may handle SIGTERM");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
