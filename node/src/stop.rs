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

/// Resolves when standard input ends; what comes before its end is thrown away.
pub async fn end_of_stdin() {
    let (over, end) = tokio::sync::oneshot::channel();
    // A thread of its own, for it may wait for as long as the process lives, and nobody waits for it.
    std::thread::spawn(move || {
        // An input that cannot be read has ended, too. That nobody listens any more is not an error.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = over.send(());
    });
    let _ = end.await;
}
