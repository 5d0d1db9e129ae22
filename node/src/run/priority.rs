//! Threads that give way to others of the node where the processor does not suffice for all: votes and blocks come first.

use std::thread;

/// This thread, and those that it starts, give way from here on, as `nice` counts. On Linux that is of a thread alone;
/// elsewhere it would be of the whole process, and nothing is done. Where it is not allowed, the thread keeps its share.
pub(super) fn give_way(nice: i32) {
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::setpriority_process(None, nice)
    {
        tracing::debug!(%error, "a thread keeps its priority");
    }
}

/// Does something on a thread that gives way: so do the threads that it starts.
pub(super) fn giving_way<T: Send>(nice: i32, work: impl FnOnce() -> T + Send) -> T {
    let work = || {
        give_way(nice);
        work()
    };
    let done = thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
