//! Threads that give way to others of the node where the processor does not suffice for all: votes and blocks come first.

use std::{sync::OnceLock, thread};

/// What `nice` may be at most.
const NICEST: i32 = 19;

/// The nice value that this process was started with. It is read before any thread gives way.
static OF_PROCESS: OnceLock<i32> = OnceLock::new();

/// This thread, and those that it starts, give way from here on, to the others of this process by so much as `nice` counts.
/// On Linux that is of a thread alone; elsewhere it would be of the whole process, and nothing is done. Where it is not
/// allowed, the thread keeps its share.
pub(super) fn give_way(nice: i32) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let of_process = || rustix::process::getpriority_process(None).unwrap_or_default();
    let nice = OF_PROCESS.get_or_init(of_process).saturating_add(nice).min(NICEST);
    if let Err(error) = rustix::process::setpriority_process(None, nice) {
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
